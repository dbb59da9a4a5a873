/// P2: that its time is over takes nothing away from a notice: it stays owed, marked as late, until it is answered.
#pragma once

#include <map>
#include <set>

#include "broker/exchange/body.h"
#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class ExpiryNeverDrops final : public Invariant {
public:
    explicit ExpiryNeverDrops(World& world) : Invariant{world, "expiry never drops", "P2"} {}

    void committed(const store::Batch& batch, const store::Committed& committed) override;
    void recovered(const exchange::Exchange& exchange) override { compare(exchange); }
    void at_rest() override { compare(world().broker->exchange()); }

private:
    void look_at(const log::Record& record);
    void compare(const exchange::Exchange& exchange) const;

    std::set<Id16> late_;  // and not answered
};

inline void ExpiryNeverDrops::committed(const store::Batch& batch, const store::Committed&) {
    for (const auto& record : batch.records)
        if (!record.body.empty()) look_at(record);
}

inline void ExpiryNeverDrops::look_at(const log::Record& record) {
    const bool by_time =
        record.leaf.kind == log::LeafKind::overdue || record.leaf.kind == log::LeafKind::escalated;
    if (by_time && !(record.drops.empty() && record.shreds.empty() && record.erases.empty()))
        broken("time took something away from notice " + to_hex(*record.leaf.message));
    const auto& body = exchange::read_body(record.body);
    if (record.leaf.kind == log::LeafKind::overdue)
        late_.insert(exchange::id_of(body.escalation()->notice()));
    if (const auto* receipt = body.receipt(); receipt != nullptr && receipt->closes())
        late_.erase(exchange::id_of(receipt->notice()));
}

inline void ExpiryNeverDrops::compare(const exchange::Exchange& exchange) const {
    std::map<Id16, bool> listed;
    for (const auto& owed : exchange.open_obligations()) listed[owed.notice] = owed.overdue;
    for (const auto& notice : late_) {
        const auto found = listed.find(notice);
        if (found == listed.end()) broken("notice " + to_hex(notice) + " was late and is not owed any more");
        if (!found->second) broken("notice " + to_hex(notice) + " does not count as late any more");
    }
}

}  // namespace flagpost::invariant
