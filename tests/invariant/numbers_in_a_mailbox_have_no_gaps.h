/// P3: the items of a mailbox are numbered from one without a gap and without a repeat, over all restarts.
#pragma once

#include <map>

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class NumbersInAMailboxHaveNoGaps final : public Invariant {
public:
    explicit NumbersInAMailboxHaveNoGaps(World& world)
        : Invariant{world, "numbers in a mailbox have no gaps", "P3"} {}

    void committed(const store::Batch& batch, const store::Committed& committed) override;

private:
    std::map<std::string, std::uint64_t> newest_;
};

inline void NumbersInAMailboxHaveNoGaps::committed(const store::Batch& batch, const store::Committed&) {
    for (const auto& record : batch.records) {
        const auto item = simulation::item_in(record);
        if (!item) continue;
        auto& newest = newest_[item->first];
        if (item->second != newest + 1)
            broken(item->first + "#" + std::to_string(item->second) + " after #" + std::to_string(newest));
        newest = item->second;
    }
}

}  // namespace flagpost::invariant
