/// The time commands are given: the wall clock, never going back.
#pragma once

#include <chrono>
#include <optional>
#include <utility>

#include "broker/core/clock.h"
#include "broker/core/limits.h"

namespace flagpost::router {

/// After the clock was set back, time goes on at half speed until the clock has caught up. Standing still instead would
/// stop every heartbeat for as long as the step was.
class WallTime {
public:
    using Elapsed = std::chrono::steady_clock::duration;  // since any fixed moment

    WallTime(Instant wall, Elapsed elapsed)
        : now_{wall}, elapsed_{elapsed}, offset_{offset(wall, elapsed)}, watched_{offset_} {}

    Instant advance(Instant wall, Elapsed elapsed) {
        const auto half = std::chrono::duration_cast<Instant::duration>((elapsed - elapsed_) / 2);
        now_ = wall >= now_ ? wall : now_ + half;
        elapsed_ = elapsed;
        offset_ = offset(wall, elapsed);
        return now_;
    }
    /// By how much the wall clock was set since this was last asked, if it was a step and not a small correction.
    std::optional<Instant::duration> step() {
        const auto by = offset_ - std::exchange(watched_, offset_);
        if (std::chrono::abs(by) < limits::clock_step_min) return std::nullopt;
        return by;
    }
    Instant latest() const { return now_; }

private:
    static Instant::duration offset(Instant wall, Elapsed elapsed) {
        return wall.time_since_epoch() - std::chrono::duration_cast<Instant::duration>(elapsed);
    }

    Instant now_;
    Elapsed elapsed_;
    Instant::duration offset_;   // between the two clocks
    Instant::duration watched_;  // as it was when step() was last asked
};

}  // namespace flagpost::router
