/// P9: with less than a tenth of the disk free, a publish is refused before anything is decided about it.
#pragma once

#include <set>

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class NoPublishIsTakenWhenTheDiskIsFull final : public Invariant {
public:
    explicit NoPublishIsTakenWhenTheDiskIsFull(World& world)
        : Invariant{world, "no publish is taken when the disk is full", "P9"} {}

    void heard(const Id16& session, BytesView frame) override;
    void committed(const store::Batch& batch, const store::Committed& committed) override;

private:
    std::set<Id16> heard_with_room_;
};

inline void NoPublishIsTakenWhenTheDiskIsFull::heard(const Id16&, BytesView bytes) {
    const auto frame = wire::read_frame(bytes);
    const auto* publish = frame ? (*frame)->body_as_Publish() : nullptr;
    if (publish == nullptr || world().disk.full) return;
    const Bytes envelope{publish->envelope()->begin(), publish->envelope()->end()};
    if (const auto read = wire::read_envelope(envelope)) heard_with_room_.insert(read->id);
}

inline void NoPublishIsTakenWhenTheDiskIsFull::committed(const store::Batch& batch, const store::Committed&) {
    for (const auto& receipt : batch.receipts)
        if (!heard_with_room_.contains(receipt.message)) broken("message " + to_hex(receipt.message));
}

}  // namespace flagpost::invariant
