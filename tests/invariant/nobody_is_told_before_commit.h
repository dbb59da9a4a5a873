/// P1, P6: a frame that leaves the broker says nothing that is not on its disk: no confirm, delivery, head or number.
#pragma once

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class NobodyIsToldBeforeCommit final : public Invariant {
public:
    explicit NobodyIsToldBeforeCommit(World& world)
        : Invariant{world, "nobody is told before it is committed", "P1"} {}

    void told(const AgencyId& agency, const Id16& session, BytesView frame) override;

private:
    void exists(std::uint64_t size, const char* what) const;
    void existing(const flatbuffers::Vector<flatbuffers::Offset<schemas::HighWater>>* marks) const;
};

inline void NobodyIsToldBeforeCommit::exists(std::uint64_t size, const char* what) const {
    if (size > world().ledger.size())
        broken(std::string{what} + " of " + std::to_string(size) + " entries, of which " +
               std::to_string(world().ledger.size()) + " are on the disk");
}

inline void NobodyIsToldBeforeCommit::existing(
    const flatbuffers::Vector<flatbuffers::Offset<schemas::HighWater>>* marks) const {
    if (marks == nullptr) return;
    for (const auto* mark : *marks)
        if (mark->number() > world().ledger.high_water(mark->topic()->str()))
            broken("number " + std::to_string(mark->number()) + " of " + mark->topic()->str() + " was named");
}

inline void NobodyIsToldBeforeCommit::told(const AgencyId&, const Id16&, BytesView bytes) {
    const auto* frame = wire::read_frame(bytes).value();
    if (const auto* confirm = frame->body_as_Confirm()) {
        exists(confirm->index() + 1, "a confirm");
        exists(confirm->size(), "a size");
    }
    if (const auto* deliver = frame->body_as_Deliver()) exists(deliver->index() + 1, "a delivery");
    if (const auto* welcome = frame->body_as_Welcome()) {
        const auto head = log::open_checkpoint(welcome->checkpoint()->str(), world().broker->log_key());
        exists(head.value().size, "a head");
    }
    if (const auto* subscribed = frame->body_as_Subscribed()) existing(subscribed->topics());
    if (const auto* heartbeat = frame->body_as_Heartbeat()) existing(heartbeat->high_water());
}

}  // namespace flagpost::invariant
