/// P3: at least once on the wire, once in the inbox.
#pragma once

#include <set>
#include <tuple>

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class NothingIsInAnInboxTwice final : public Invariant {
public:
    explicit NothingIsInAnInboxTwice(World& world) : Invariant{world, "nothing is in an inbox twice", "P3"} {}

    void stored(const AgencyProcess& agency, const client::Incoming& item) override;

private:
    std::set<std::tuple<std::string, std::string, Id16>> seen_;
    std::set<std::tuple<std::string, std::string, std::uint64_t>> numbers_;
};

inline void NothingIsInAnInboxTwice::stored(const AgencyProcess& agency, const client::Incoming& item) {
    const auto& name = agency.role().agency;
    const bool is_new = seen_.emplace(name, item.topic, item.id).second &&
                        numbers_.emplace(name, item.topic, item.number).second;
    if (!is_new) broken(item.topic + "#" + std::to_string(item.number) + " in the inbox of " + name);
}

}  // namespace flagpost::invariant
