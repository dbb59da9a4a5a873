/// P1: an outbox strikes off a message only when the broker has it on disk, and calls refused only what was refused.
#pragma once

#include <set>

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class NothingLooksSentThatIsNot final : public Invariant {
public:
    explicit NothingLooksSentThatIsNot(World& world)
        : Invariant{world, "nothing looks sent that is not", "P1"} {}

    void told(const AgencyId& agency, const Id16& session, BytesView frame) override;
    void each_second() override;

private:
    std::set<std::pair<AgencyId, Id16>> refused_;
};

inline void NothingLooksSentThatIsNot::told(const AgencyId& agency, const Id16&, BytesView bytes) {
    const auto* refuse = wire::read_frame(bytes).value()->body_as_Refuse();
    if (refuse != nullptr && refuse->id() != nullptr)
        refused_.emplace(agency, *exactly<16>({refuse->id()->data(), refuse->id()->size()}));
}

inline void NothingLooksSentThatIsNot::each_second() {
    for (const auto& agency : world().agencies) {
        for (const auto& id : agency->enqueued()) {
            const auto status = agency->box().status(id);
            if (!status) continue;  // another sentence's
            if (status->state == client::OutgoingState::confirmed &&
                world().ledger.receipt(agency->agency(), id) != status->index)
                broken(agency->role().agency + " takes message " + to_hex(id) + " for sent");
            if (status->state == client::OutgoingState::refused && !refused_.contains({agency->agency(), id}))
                broken(agency->role().agency + " takes message " + to_hex(id) + " for refused");
        }
    }
}

}  // namespace flagpost::invariant
