/// P6, contracts: the time of commands never goes back, whatever the wall clock and however many restarts; but for a start
/// that finds its store days ahead of the clock: that time was wrong.
#pragma once

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class LeavesNeverGoBackInTime final : public Invariant {
public:
    explicit LeavesNeverGoBackInTime(World& world) : Invariant{world, "leaves never go back in time", "P6"} {}

    void committed(const store::Batch& batch, const store::Committed& committed) override;

private:
    Instant newest_ = Instant::min();
};

inline void LeavesNeverGoBackInTime::committed(const store::Batch& batch, const store::Committed&) {
    for (const auto& record : batch.records) {
        const bool was_wrong = record.leaf.kind == log::LeafKind::recovered &&
                               newest_ - record.leaf.time > limits::clock_ahead_kept_max;
        if (record.leaf.time < newest_ && !was_wrong)
            broken("leaf " + std::to_string(record.leaf.index) + " by " +
                   std::to_string((newest_ - record.leaf.time).count()) + " us");
        newest_ = record.leaf.time;
    }
}

}  // namespace flagpost::invariant
