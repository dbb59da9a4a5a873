/// The time that decisions and timers go by: the wall clock, never going back.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "broker/core/clock.h"
#include "broker/core/limits.h"

namespace flagpost {

/// After the clock was set back, or while it stands still, time goes on at four fifths of its speed until the clock has
/// caught up. Standing still instead would stop every timer for as long as the step was.
class WallTime {
public:
    using Elapsed = std::chrono::steady_clock::duration;  // since any fixed moment

    /// not_before   what has happened already, before a restart perhaps: a clock set back since then is a step like any.
    ///              Not where it is days ahead: a clock that once showed 2038 must not rule until then.
    WallTime(Instant wall, Elapsed elapsed, Instant not_before = Instant::min())
        : now_{credible(wall, not_before) ? std::max(wall, not_before) : wall},
          wall_{wall},
          elapsed_{elapsed},
          offset_{offset(now_, elapsed)},
          watched_{offset_} {}

    Instant advance(Instant wall, Elapsed elapsed) {
        const auto slowed = std::chrono::duration_cast<Instant::duration>((elapsed - elapsed_) * 4 / 5);
        now_ = wall > now_ ? wall : now_ + slowed;
        wall_ = wall;
        elapsed_ = elapsed;
        offset_ = offset(wall, elapsed);
        return now_;
    }
    /// By how much the wall clock was set since this last told of a step, if it is one and not a small correction. A clock
    /// that stands still steps back a little each moment. (What a time service slews, it slews in both clocks.)
    std::optional<Instant::duration> step() {
        const auto by = offset_ - watched_;
        if (std::chrono::abs(by) < limits::clock_step_min) return std::nullopt;
        watched_ = offset_;
        return by;
    }
    Instant latest() const { return now_; }
    /// `latest`, and the running time it was advanced to.
    Now moment() const { return {now_, Running{std::chrono::duration_cast<Running::duration>(elapsed_)}}; }
    /// Whether what is stored may be that far ahead of the clock at a start.
    static bool credible(Instant wall, Instant stored) {
        return stored <= wall || stored - wall <= limits::clock_ahead_kept_max;
    }
    /// How far this time is ahead of the wall clock: nothing is to expire by a time that has not come.
    Instant::duration ahead() const { return now_ - wall_; }

private:
    static Instant::duration offset(Instant wall, Elapsed elapsed) {
        return wall.time_since_epoch() - std::chrono::duration_cast<Instant::duration>(elapsed);
    }

    Instant now_;
    Instant wall_;
    Elapsed elapsed_;
    Instant::duration offset_;   // between the two clocks
    Instant::duration watched_;  // as it was when step() last told of one
};

}  // namespace flagpost
