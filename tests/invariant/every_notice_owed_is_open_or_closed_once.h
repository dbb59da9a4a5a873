/// P2: a notice that was issued is on the list of open obligations until the one receipt that closes it.
#pragma once

#include <set>

#include "broker/exchange/body.h"
#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class EveryNoticeOwedIsOpenOrClosedOnce final : public Invariant {
public:
    explicit EveryNoticeOwedIsOpenOrClosedOnce(World& world)
        : Invariant{world, "every notice owed is open or closed once", "P2"} {}

    void committed(const store::Batch& batch, const store::Committed& committed) override;
    void recovered(const exchange::Exchange& exchange) override { compare(exchange); }
    void at_rest() override;

private:
    void compare(const exchange::Exchange& exchange) const;

    std::set<Id16> issued_, open_;
};

inline void EveryNoticeOwedIsOpenOrClosedOnce::committed(const store::Batch& batch, const store::Committed&) {
    for (const auto& record : batch.records) {
        if (record.body.empty()) continue;
        const auto& body = exchange::read_body(record.body);
        if (const auto* owed = body.obligation()) {
            const Id16 notice = exchange::id_of(owed->notice());
            if (!issued_.insert(notice).second) broken("notice " + to_hex(notice) + " was issued twice");
            open_.insert(notice);
        }
        if (const auto* receipt = body.receipt(); receipt != nullptr && receipt->closes()) {
            const Id16 notice = exchange::id_of(receipt->notice());
            if (open_.erase(notice) == 0) broken("notice " + to_hex(notice) + " was closed and not open");
        }
    }
}

inline void EveryNoticeOwedIsOpenOrClosedOnce::compare(const exchange::Exchange& exchange) const {
    std::set<Id16> listed;
    for (const auto& owed : exchange.open_obligations()) listed.insert(owed.notice);
    if (listed != open_)
        broken(std::to_string(listed.size()) + " are listed, " + std::to_string(open_.size()) + " are owed");
}

inline void EveryNoticeOwedIsOpenOrClosedOnce::at_rest() { compare(world().broker->exchange()); }

}  // namespace flagpost::invariant
