#include "broker/router/wall_time.h"

#include "tests/support/catch.h"
#include "tests/unit/router/peer.h"

using namespace flagpost;
using namespace flagpost::router;
using namespace flagpost::test;
using namespace std::chrono_literals;

TEST_CASE("time follows the wall clock forwards", "[time]") {
    WallTime time{start_time, 0s};
    CHECK(time.advance(start_time + 1s, 1s) == start_time + 1s);
    CHECK(time.advance(start_time + 1h, 2s) == start_time + 1h);
}

TEST_CASE("after a step back time goes on at half speed until the clock has caught up", "[time]") {
    WallTime time{start_time, 0s};
    CHECK(time.advance(start_time - 60s, 0s) == start_time);
    CHECK(time.advance(start_time - 50s, 10s) == start_time + 5s);
    CHECK(time.advance(start_time, 60s) == start_time + 30s);
    CHECK(time.advance(start_time + 31s, 91s) == start_time + 31s);
    CHECK(time.advance(start_time + 32s, 92s) == start_time + 32s);
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
