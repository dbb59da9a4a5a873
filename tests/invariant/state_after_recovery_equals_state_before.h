/// P1, design 3: what a restart reloads leads to the state that all records ever synced lead to.
#pragma once

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class StateAfterRecoveryEqualsStateBefore final : public Invariant {
public:
    explicit StateAfterRecoveryEqualsStateBefore(World& world)
        : Invariant{world, "the state after recovery equals the state before", "P1"} {}

    void recovered(const exchange::Exchange& exchange) override;
};

inline void StateAfterRecoveryEqualsStateBefore::recovered(const exchange::Exchange& exchange) {
    if (exchange.state_digest() != world().ledger.shadow().state_digest())
        broken("after " + std::to_string(world().ledger.size()) + " records");
    if (exchange.next_index() != world().ledger.size()) broken("the next record would have the wrong number");
}

}  // namespace flagpost::invariant
