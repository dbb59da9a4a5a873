/// The time commands are given: the wall clock, never going back.
#pragma once

#include <chrono>

#include "broker/core/clock.h"

namespace flagpost::router {

/// After the clock was set back, time goes on at half speed until the clock has caught up. Standing still instead would
/// stop every heartbeat for as long as the step was.
class WallTime {
public:
    using Elapsed = std::chrono::steady_clock::duration;  // since any fixed moment

    WallTime(Instant wall, Elapsed elapsed) : now_{wall}, elapsed_{elapsed} {}

    Instant advance(Instant wall, Elapsed elapsed) {
        const auto half = std::chrono::duration_cast<Instant::duration>((elapsed - elapsed_) / 2);
        now_ = wall >= now_ ? wall : now_ + half;
        elapsed_ = elapsed;
        return now_;
    }
    Instant latest() const { return now_; }

private:
    Instant now_;
    Elapsed elapsed_;
};

}  // namespace flagpost::router
