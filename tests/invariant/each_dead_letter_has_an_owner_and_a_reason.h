/// P2: what no consumer could store is in somebody's hands, by name, and it is written down why.
#pragma once

#include <set>

#include "broker/exchange/body.h"
#include "broker/log/leaf.h"
#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class EachDeadLetterHasAnOwnerAndAReason final : public Invariant {
public:
    explicit EachDeadLetterHasAnOwnerAndAReason(World& world)
        : Invariant{world, "each dead letter has an owner and a reason", "P2"} {}

    void committed(const store::Batch& batch, const store::Committed& committed) override;
    void recovered(const exchange::Exchange& exchange) override { compare(exchange); }
    void at_rest() override { compare(world().broker->exchange()); }

private:
    void check(const std::string& which, const std::string& owner, const std::string& reason) const;
    void compare(const exchange::Exchange& exchange) const;

    std::set<std::pair<std::string, std::uint64_t>> dead_;
};

/// Asks the leaf on the disk: it is what an auditor will read.
inline void EachDeadLetterHasAnOwnerAndAReason::committed(const store::Batch& batch,
                                                          const store::Committed& committed) {
    for (std::size_t i = 0; i < batch.records.size(); ++i) {
        const auto& record = batch.records[i];
        if (record.body.empty()) continue;
        const auto* facts = exchange::read_body(record.body).dead_letter();
        if (facts == nullptr) continue;
        const std::pair item{facts->topic()->str(), facts->number()};
        if (record.leaf.kind != log::LeafKind::dead_lettered) {
            dead_.erase(item);  // put back, or given up
            continue;
        }
        const auto leaf = log::decode_leaf(*world().broker->reader().leaf(committed.first_index + i)).value();
        check(item.first, leaf.recipient, leaf.outcome);
        dead_.insert(item);
    }
}

inline void EachDeadLetterHasAnOwnerAndAReason::check(const std::string& which, const std::string& owner,
                                                      const std::string& reason) const {
    const auto agency = AgencyId::parse(owner);
    if (!agency || simulation::county_agreement().party(*agency) == nullptr)
        broken("a dead letter of " + which + " is nobody's");
    if (reason.empty()) broken("a dead letter of " + which + " has no reason");
}

inline void EachDeadLetterHasAnOwnerAndAReason::compare(const exchange::Exchange& exchange) const {
    std::set<std::pair<std::string, std::uint64_t>> listed;
    for (const auto& letter : exchange.dead_letters()) {
        check(letter.topic, letter.owner, letter.reason);
        listed.emplace(letter.topic, letter.number);
    }
    if (listed != dead_)
        broken(std::to_string(listed.size()) + " are listed, " + std::to_string(dead_.size()) +
               " were put aside");
}

}  // namespace flagpost::invariant
