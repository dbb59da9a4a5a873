/// P2: no message an adapter accepted vanishes: it waits, is confirmed, or is kept with the reason of its refusal.
#pragma once

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class ARefusedPublishIsKeptAsADeadLetter final : public Invariant {
public:
    explicit ARefusedPublishIsKeptAsADeadLetter(World& world)
        : Invariant{world, "a refused publish is kept as a dead letter", "P2"} {}

    void each_second() override { look(); }
    void at_rest() override { look(); }

private:
    void look() const;
};

inline void ARefusedPublishIsKeptAsADeadLetter::look() const {
    for (const auto& agency : world().agencies) {
        for (const auto& id : agency->enqueued()) {
            const auto status = agency->box().status(id);
            if (!status) broken(agency->role().agency + " has lost message " + to_hex(id));
            if (status->state != client::OutgoingState::refused) continue;
            if (!status->refusal || status->refusal->reason == Reason::none)
                broken(agency->role().agency + " does not know why " + to_hex(id) + " was refused");
            else if (status->refusal->reason == Reason::unknown_sender)
                broken(agency->role().agency + " gave up " + to_hex(id) + " for want of a key");
        }
    }
}

}  // namespace flagpost::invariant
