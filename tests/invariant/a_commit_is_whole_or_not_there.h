/// P1: after any crash the store holds what it was seen to sync, and of each batch under way all or nothing, in their order.
#pragma once

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class ACommitIsWholeOrNotThere final : public Invariant {
public:
    explicit ACommitIsWholeOrNotThere(World& world)
        : Invariant{world, "a commit is whole or not there", "P1"} {}

    void reopened(std::uint64_t size) override;
};

inline void ACommitIsWholeOrNotThere::reopened(std::uint64_t size) {
    const auto& ledger = world().ledger;
    std::uint64_t whole = ledger.size();
    bool found = size == whole;
    for (const auto& batch : ledger.uncertain()) found |= size == (whole += batch.records.size());
    if (!found)
        broken(std::to_string(size) + " entries after a restart; " + std::to_string(ledger.size()) +
               " were there before");
}

}  // namespace flagpost::invariant
