#include "adapters/school/pinging.h"

#include "adapters/desk/fields.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::school;
using namespace std::chrono_literals;

namespace {
const Instant start = *desk::parse_instant("2026-01-11T08:12:00Z");
}

TEST_CASE("people are told once of what is new, and of what came meanwhile with the next", "[school]") {
    Pinging pinging{{}};
    CHECK_FALSE(pinging.begin({}, start));
    REQUIRE(pinging.begin(start, start));
    CHECK_FALSE(pinging.begin(start + 1s, start + 1s));  // one at a time
    pinging.ended({}, start + 2s);
    CHECK(pinging.state().told == start);
    CHECK_FALSE(pinging.begin(start + 1s, start + 3s));  // not every second
    CHECK(pinging.begin(start + 1s, start + 2s + ping_gap));
    pinging.ended({}, start + 70s);
    CHECK_FALSE(pinging.begin(start + 1s, start + 1h));
    CHECK_FALSE(Pinging{pinging.state()}.begin(start + 1s, start + 1h));  // nor after a restart
    CHECK(Pinging{pinging.state()}.begin(start + 2h, start + 2h));
}

TEST_CASE("a failure is tried again, later each time, until it succeeds or somebody has looked", "[school]") {
    Pinging pinging{{}};
    Instant now = start;
    std::vector<std::chrono::microseconds> waits;
    for (int i = 0; i < 12; ++i) {
        REQUIRE(pinging.begin(start, now));
        pinging.ended("answer 451", now);
        const Instant failed = now;
        while (!Pinging{pinging}.begin(start, now)) now += 1s;
        waits.push_back(now - failed);
    }
    CHECK(waits.front() == ping_retry_first);
    CHECK(waits[1] == 2 * ping_retry_first);
    CHECK(std::ranges::is_sorted(waits));
    CHECK(waits.back() == ping_retry_max);
    CHECK(pinging.state().failing_since == start);
    CHECK(pinging.state().failures == 12);
    CHECK(failure_in_words(pinging.state()) ==
          "Nobody could be told outside Flagpost that there is a new notice since Sunday 11 January 2026, "
          "8:12am: "
          "answer 451. It is tried again. Look here often.");
    CHECK(state_of(text_of(pinging.state())) == pinging.state());
    REQUIRE(pinging.begin(start, now));
    pinging.ended({}, now);
    CHECK(failure_in_words(pinging.state()).empty());

    REQUIRE(pinging.begin(start + 1h, now + 1h));
    pinging.ended("answer 451", now + 1h);
    CHECK_FALSE(pinging.begin({}, now + 2h));  // everything is opened
    CHECK(failure_in_words(pinging.state()).empty());
}

TEST_CASE("a clock set back holds no ping back for longer than the longest wait", "[school]") {
    Pinging pinging{{}};
    REQUIRE(pinging.begin(start, start));
    pinging.ended("answer 451", start);
    CHECK(pinging.begin(start, start - 24h));
}

TEST_CASE("a state that cannot be read is that of a program that told nobody", "[school]") {
    for (const auto* text : {"", "nonsense", "[]", "{\"told_us\":\"x\",\"why\":3}"}) {
        CAPTURE(text);
        CHECK(state_of(text).told == Instant{});
        CHECK(failure_in_words(state_of(text)).empty());
    }
}
