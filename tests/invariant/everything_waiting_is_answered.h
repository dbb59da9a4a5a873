/// P2: once faults are over, every message of every outbox is confirmed or refused.
#pragma once

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class EverythingWaitingIsAnswered final : public Invariant {
public:
    explicit EverythingWaitingIsAnswered(World& world)
        : Invariant{world, "everything waiting is answered", "P2"} {}

    void at_rest() override;
};

inline void EverythingWaitingIsAnswered::at_rest() {
    for (const auto& agency : world().agencies)
        for (const auto& message : agency->box().waiting(1, {}))
            broken(agency->role().agency + " still waits to be rid of " + to_hex(message.id) +
                   (agency->last_problem().empty() ? "" : " (" + agency->last_problem() + ")"));
}

}  // namespace flagpost::invariant
