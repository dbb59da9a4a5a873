/// P1: a delivery that the broker need not send again is on its recipient's own disk.
#pragma once

#include <set>

#include "broker/exchange/body.h"
#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class WhatIsAcknowledgedIsInTheInbox final : public Invariant {
public:
    explicit WhatIsAcknowledgedIsInTheInbox(World& world)
        : Invariant{world, "what is acknowledged is in the inbox", "P1"} {}

    void committed(const store::Batch& batch, const store::Committed& committed) override;
    void stored(const AgencyProcess& agency, const client::Incoming& item) override;

private:
    std::set<std::pair<std::string, std::uint64_t>> stored_;
};

inline void WhatIsAcknowledgedIsInTheInbox::stored(const AgencyProcess&, const client::Incoming& item) {
    stored_.emplace(item.topic, item.number);
}

inline void WhatIsAcknowledgedIsInTheInbox::committed(const store::Batch& batch, const store::Committed&) {
    for (const auto& record : batch.records) {
        // A dead letter is taken out of its mailbox unread: it is on another list. What is recalled before it was sent is not
        // sent any more.
        if (record.body.empty() || record.leaf.kind == log::LeafKind::dead_lettered ||
            record.leaf.outcome == "recalled")
            continue;
        const auto* mailbox = exchange::read_body(record.body).mailbox();
        if (mailbox == nullptr || mailbox->acknowledged() == nullptr) continue;
        const auto topic = mailbox->topic()->str();
        if (topic == "bench/2") continue;  // a stock client's, which keeps nothing
        for (const auto* range : *mailbox->acknowledged())
            for (auto number = range->first(); number <= range->last(); ++number)
                if (!stored_.contains({topic, number}))
                    broken(topic + "#" + std::to_string(number) + " is in no inbox");
    }
}

}  // namespace flagpost::invariant
