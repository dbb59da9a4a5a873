/// A clock that stands still until a test moves it; any thread may look.
#pragma once

#include <atomic>

#include "broker/core/clock.h"

namespace flagpost::test {

class ManualClock final : public Clock {
public:
    explicit ManualClock(Instant start) : now_us_{to_us(start)} {}
    Instant now() override {
        const Instant seen = from_us(now_us_);
        ++looks_;
        return seen;
    }
    Running running() override { return Running{std::chrono::microseconds{running_us_}}; }
    void advance(std::chrono::microseconds by) {
        running_us_ += by.count();
        now_us_ += by.count();
    }
    /// As somebody who sets it to another time of the day.
    void set_by(std::chrono::microseconds by) { now_us_ += by.count(); }
    /// How often anybody has looked.
    std::uint64_t looks() const { return looks_; }

private:
    std::atomic<std::int64_t> now_us_;
    std::atomic<std::int64_t> running_us_{0};
    std::atomic<std::uint64_t> looks_{0};
};

}  // namespace flagpost::test
