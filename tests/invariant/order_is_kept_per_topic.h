/// P3: an inbox receives what is in a mailbox in the order it was put there.
#pragma once

#include <map>

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class OrderIsKeptPerTopic final : public Invariant {
public:
    explicit OrderIsKeptPerTopic(World& world) : Invariant{world, "order is kept in every mailbox", "P3"} {}

    void stored(const AgencyProcess& agency, const client::Incoming& item) override;

private:
    std::map<std::pair<std::string, std::string>, std::uint64_t> newest_;
};

inline void OrderIsKeptPerTopic::stored(const AgencyProcess& agency, const client::Incoming& item) {
    auto& newest = newest_[{agency.role().agency, item.topic}];
    if (item.number <= newest)
        broken(item.topic + "#" + std::to_string(item.number) + " came after #" + std::to_string(newest));
    newest = item.number;
}

}  // namespace flagpost::invariant
