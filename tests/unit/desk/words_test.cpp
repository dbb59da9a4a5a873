#include "adapters/desk/words.h"

#include "adapters/desk/fields.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::desk;

TEST_CASE("a time is said as London says it", "[desk]") {
    const auto [iso, words] = GENERATE(table<const char*, const char*>({
        {"2026-01-10T21:40:00Z", "Saturday 10 January 2026, 9:40pm"  },
        {"2026-07-02T23:30:00Z", "Friday 3 July 2026, 12:30am"       },
        {"2026-03-29T00:59:59Z", "Sunday 29 March 2026, 12:59am"     },
        {"2026-03-29T01:00:00Z", "Sunday 29 March 2026, 2am"         },
        {"2026-01-10T12:00:00Z", "Saturday 10 January 2026, midday"  },
        {"2026-01-10T00:00:00Z", "Saturday 10 January 2026, midnight"},
        {"2026-01-10T09:05:00Z", "Saturday 10 January 2026, 9:05am"  },
    }));
    const auto instant = parse_instant(iso);
    REQUIRE(instant);
    CHECK(in_words(*instant) == words);
}

TEST_CASE("a time is written for programs in UTC", "[desk]") {
    CHECK(in_iso(*parse_instant("2026-07-02T23:30:00.75+01:00")) == "2026-07-02T22:30:00Z");
}

TEST_CASE("what is unknown of a date is not said", "[desk]") {
    CHECK(date_in_words("2019-03-04") == "4 March 2019");
    CHECK(date_in_words("2019-03-00") == "March 2019");
    CHECK(date_in_words("2019-00-00") == "2019");
    CHECK(date_in_words("0000-03-04") == "4 March");
    CHECK(date_in_words("0000-00-00") == "not known");
    CHECK(date_in_words("") == "not known");
}

TEST_CASE("foreign text cannot command the terminal", "[desk]") {
    CHECK(printable("a\x1b[2Jb") == "a [2Jb");
    CHECK(printable("a\xc2\x9b"
                    "2Jb") == "a 2Jb");
    CHECK(printable("line\none\ttwo\x7f") == "line one two ");
    CHECK(printable("Wi\xc5\x9bniewska \xc2\xa3") == "Wi\xc5\x9bniewska \xc2\xa3");
    CHECK(printable("آوا \u202Eevil\u202C 王\u2066x\u2069", '?') == "آوا ?evil? 王?x?");
    CHECK(printable("a\x9b"
                    "2J\xff") == "a\uFFFD2J\uFFFD");
    CHECK(printable({"\0", 1}) == " ");
}

TEST_CASE("text is broken at blanks before the edge of the screen", "[desk]") {
    const std::string long_text = wrapped(std::string(50, 'a') + " " + std::string(40, 'b') + " c", 4);
    CHECK(long_text == std::string(50, 'a') + "\n    " + std::string(40, 'b') + " c");
    CHECK(wrapped("", 4).empty());
    CHECK(wrapped(std::string(200, 'a'), 4) == std::string(200, 'a'));
}

TEST_CASE("a duration is said in the unit that matters", "[desk]") {
    using namespace std::chrono_literals;
    CHECK(duration_in_words(42min) == "42 minutes");
    CHECK(duration_in_words(60s) == "1 minute");
    CHECK(duration_in_words(2h) == "2 hours");
    CHECK(duration_in_words(50h) == "2 days");
}
