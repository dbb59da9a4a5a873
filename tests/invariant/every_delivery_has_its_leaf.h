/// P6: what is delivered is in the log, at the leaf the delivery names, as a disclosure of that item of that mailbox.
#pragma once

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class EveryDeliveryHasItsLeaf final : public Invariant {
public:
    explicit EveryDeliveryHasItsLeaf(World& world) : Invariant{world, "every delivery has its leaf", "P6"} {}

    void told(const AgencyId& agency, const Id16& session, BytesView frame) override;
};

inline void EveryDeliveryHasItsLeaf::told(const AgencyId&, const Id16&, BytesView bytes) {
    const auto* deliver = wire::read_frame(bytes).value()->body_as_Deliver();
    if (deliver == nullptr) return;
    const auto where = deliver->topic()->str() + "#" + std::to_string(deliver->number());
    const auto kept = world().broker->reader().leaf(deliver->index());
    if (!kept) broken(where + " names a leaf that is not there");
    const auto leaf = log::decode_leaf(*kept).value();
    const auto& record = world().ledger.records().at(deliver->index());
    if (leaf.kind != record.leaf.kind || leaf.topic != record.leaf.topic || leaf.number != record.leaf.number)
        broken(where + " names a leaf that says something else");
    if (leaf.kind == log::LeafKind::reinserted || leaf.kind == log::LeafKind::dead_lettered) return;
    if (simulation::item_in(record) != std::pair{deliver->topic()->str(), deliver->number()})
        broken(where + " names the leaf of something else");
}

}  // namespace flagpost::invariant
