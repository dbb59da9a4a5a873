#include "broker/core/wall_time.h"

#include "tests/support/catch.h"

using namespace flagpost;
using namespace std::chrono_literals;

namespace {

const Instant start_time = from_us(1'740'000'000'000'000);

}  // namespace

TEST_CASE("time follows the wall clock forwards", "[time]") {
    WallTime time{start_time, 0s};
    CHECK(time.advance(start_time + 1s, 1s) == start_time + 1s);
    CHECK(time.advance(start_time + 1h, 2s) == start_time + 1h);
}

TEST_CASE("after a step back time goes on more slowly until the clock has caught up", "[time]") {
    WallTime time{start_time, 0s};
    CHECK(time.advance(start_time - 60s, 0s) == start_time);
    CHECK(time.advance(start_time - 50s, 10s) == start_time + 8s);
    CHECK(time.advance(start_time, 60s) == start_time + 48s);
    CHECK(time.advance(start_time + 49s, 109s) == start_time + 49s);
    CHECK(time.advance(start_time + 300s, 360s) == start_time + 300s);
}

TEST_CASE("however far a clock is set back, 15 seconds of silence are over within 20", "[time]") {
    WallTime time{start_time, 0s};
    for (auto second = 1s; second <= 20s; ++second) time.advance(start_time - 24h, second);
    CHECK(time.latest() >= start_time + limits::dead_after);
}

TEST_CASE("time says how far it is ahead of a clock that was set back or stands still", "[time]") {
    WallTime time{start_time, 0s};
    time.advance(start_time + 1h, 1s);
    CHECK(time.ahead() == 0s);
    time.advance(start_time + 2s, 2s);  // it had been a jump, and is put right
    CHECK(time.ahead() == 1h - 2s + 800ms);

    WallTime frozen{start_time, 0s};
    CHECK(frozen.advance(start_time, 10s) == start_time + 8s);  // or no heartbeat would ever be due again
    CHECK(frozen.advance(start_time, 20s) == start_time + 16s);
    CHECK(frozen.ahead() == 16s);

    WallTime slow{start_time, 0s};
    std::size_t steps = 0;
    for (auto elapsed = 200ms; elapsed <= 10s; elapsed += 200ms) {
        slow.advance(start_time, elapsed);
        steps += slow.step().has_value();
    }
    CHECK(steps == 5);
}

TEST_CASE("a step of the clock is told once, a correction never", "[time]") {
    const auto [why, by, told] = GENERATE(table<const char*, std::chrono::milliseconds, bool>({
        {"none",              0ms,     false},
        {"a correction",      1999ms,  false},
        {"a correction back", -1999ms, false},
        {"forwards",          2000ms,  true },
        {"backwards",         -2000ms, true },
        {"an hour backwards", -1h,     true },
    }));
    CAPTURE(why);
    WallTime time{start_time, 0s};
    time.advance(start_time + 10s + by, 10s);
    const auto step = time.step();
    CHECK(step.has_value() == told);
    if (step) CHECK(*step == by);
    time.advance(start_time + 20s + by, 20s);
    CHECK_FALSE(time.step());
}

TEST_CASE("a clock set back before a restart is a step, and time does not go back to it", "[time]") {
    WallTime time{start_time - 60s, 0s, start_time};
    CHECK(time.latest() == start_time);
    CHECK(time.advance(start_time - 50s, 10s) == start_time + 8s);
    CHECK(time.step() == -60s);
    CHECK(WallTime{start_time, 0s, start_time - 60s}.latest() == start_time);
}

TEST_CASE("a store that is days ahead of the clock at a start does not rule the time", "[time]") {
    const auto [why, ahead, starts_at] = GENERATE(table<const char*, std::chrono::hours, std::chrono::hours>({
        {"behind, as it should be", -1h,            0h },
        {"an hour",                 1h,             1h },
        {"two days",                48h,            48h},
        {"thirteen years",          24h * 365 * 13, 0h },
    }));
    CAPTURE(why);
    const WallTime time{start_time, 0s, start_time + ahead};
    CHECK(time.latest() == start_time + starts_at);
}
