/// P2: once faults are over, everything put into a mailbox has come to whoever it is for, and is acknowledged.
#pragma once

#include <map>
#include <set>

#include "broker/exchange/body.h"
#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class EveryInboxGetsEverything final : public Invariant {
public:
    explicit EveryInboxGetsEverything(World& world) : Invariant{world, "every inbox gets everything", "P2"} {}

    void committed(const store::Batch& batch, const store::Committed& committed) override;
    void stored(const AgencyProcess& agency, const client::Incoming& item) override;
    void at_rest() override;

private:
    std::map<std::string, std::set<std::uint64_t>> stored_;
};

// What is recalled before it was sent is not sent any more.
inline void EveryInboxGetsEverything::committed(const store::Batch& batch, const store::Committed&) {
    for (const auto& record : batch.records) {
        if (record.body.empty() || record.leaf.outcome != "recalled") continue;
        const auto* mailbox = exchange::read_body(record.body).mailbox();
        if (mailbox == nullptr || mailbox->acknowledged() == nullptr) continue;
        for (const auto* range : *mailbox->acknowledged())
            for (auto number = range->first(); number <= range->last(); ++number)
                stored_[mailbox->topic()->str()].insert(number);
    }
}

inline void EveryInboxGetsEverything::stored(const AgencyProcess&, const client::Incoming& item) {
    stored_[item.topic].insert(item.number);
}

inline void EveryInboxGetsEverything::at_rest() {
    const auto& exchange = world().broker->exchange();
    // What nobody could store is owed to an operator, by name.
    auto there = stored_;
    for (const auto& letter : exchange.dead_letters()) there[letter.topic].insert(letter.number);
    for (const auto& agency : world().agencies)
        for (const auto& topic : agency->role().topics) {
            const auto high = world().ledger.high_water(topic);
            if (there[topic].size() != high)
                broken(topic + ": " + std::to_string(there[topic].size()) + " of " + std::to_string(high));
            if (const auto pending = exchange.next_pending(topic, 0))
                broken(topic + "#" + std::to_string(pending->first) + " is still sent again");
        }
    if (const auto pending = exchange.next_pending("bench/2", 0))
        broken("bench/2#" + std::to_string(pending->first) + " does not come to a stock client");
}

}  // namespace flagpost::invariant
