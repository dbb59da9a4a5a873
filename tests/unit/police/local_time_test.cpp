#include "adapters/police/local_time.h"

#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::police;

namespace {

const date::time_zone& london() { return *date::locate_zone("Europe/London"); }

std::string read(const std::string& text, const std::string& format, TwiceShown twice = TwiceShown::earlier) {
    const auto time = read_local_time(text, {format}, london(), twice);
    return time.instant ? date::format("%FT%TZ", date::floor<std::chrono::seconds>(*time.instant))
                        : time.problem;
}

}  // namespace

TEST_CASE("a force's clock shows London's time, in summer and in winter", "[police]") {
    const auto [text, format, wanted] = GENERATE(table<const char*, const char*, const char*>({
        {"10/01/2026 21:40",         "%d/%m/%Y %H:%M",    "2026-01-10T21:40:00Z"},
        {"10/07/2026 21:40",         "%d/%m/%Y %H:%M",    "2026-07-10T20:40:00Z"},
        {"5-Jul-2026 9:05 PM",       "%d-%b-%Y %I:%M %p", "2026-07-05T20:05:00Z"},
        {"20260710T2140",            "%Y%m%dT%H%M",       "2026-07-10T20:40:00Z"},
        {"2026-03",                  "%Y-%m",             "2026-03-01T00:00:00Z"},
        {"2026-07-05T09:05:00+0200", "%FT%T%z",           "2026-07-05T07:05:00Z"},
 // The last minutes before and the first after each change.
        {"29/03/2026 00:59",         "%d/%m/%Y %H:%M",    "2026-03-29T00:59:00Z"},
        {"29/03/2026 02:00",         "%d/%m/%Y %H:%M",    "2026-03-29T01:00:00Z"},
        {"25/10/2026 00:59",         "%d/%m/%Y %H:%M",    "2026-10-24T23:59:00Z"},
        {"25/10/2026 02:00",         "%d/%m/%Y %H:%M",    "2026-10-25T02:00:00Z"},
    }));
    CHECK(read(text, format) == wanted);
}

TEST_CASE("an hour that a clock never showed is no time, and one it showed twice is what the mapping says",
          "[police]") {
    CHECK(read("29/03/2026 01:00", "%d/%m/%Y %H:%M") == "never was: clocks went forward over it");
    CHECK(read("29/03/2026 01:59", "%d/%m/%Y %H:%M") == "never was: clocks went forward over it");
    CHECK(read("25/10/2026 01:30", "%d/%m/%Y %H:%M", TwiceShown::earlier) == "2026-10-25T00:30:00Z");
    CHECK(read("25/10/2026 01:30", "%d/%m/%Y %H:%M", TwiceShown::later) == "2026-10-25T01:30:00Z");
    CHECK(read("25/10/2026 01:30", "%d/%m/%Y %H:%M", TwiceShown::reject).starts_with("was twice that night"));
    CHECK(read_local_time("25/10/2026 01:30", {"%d/%m/%Y %H:%M"}, london(), TwiceShown::earlier).twice_shown);
    CHECK_FALSE(
        read_local_time("25/10/2026 02:30", {"%d/%m/%Y %H:%M"}, london(), TwiceShown::earlier).twice_shown);
    // With its offset it is one hour only.
    CHECK(read("2026-10-25T01:30:00+0000", "%FT%T%z", TwiceShown::reject) == "2026-10-25T01:30:00Z");
}

TEST_CASE("a text that the format does not take whole is no time", "[police]") {
    const auto text = GENERATE("31/02/2026 10:00", "10/01/2026 24:10", "10/01/2026 10:60",
                               "10/01/2026 10:00x", "x10/01/2026 10:00", "10/01/26 10:00", "10/01/2026", "",
                               "10/13/2026 10:00", "10/01/9999 10:00");
    CAPTURE(text);
    CHECK(read(text, "%d/%m/%Y %H:%M") == "is no time of the form %d/%m/%Y %H:%M");
}

TEST_CASE("a date has only the parts its format has", "[police]") {
    CHECK(read_foreign_date("31/12/1999", {"%d/%m/%Y"}) == "1999-12-31");
    CHECK(read_foreign_date("12/1999", {"%d/%m/%Y", "%m/%Y"}) == "1999-12-00");
    CHECK(read_foreign_date("1999", {"%d/%m/%Y", "%m/%Y", "%Y"}) == "1999-00-00");
    CHECK(read_foreign_date("29/02/2023", {"%d/%m/%Y"}).empty());
    CHECK(read_foreign_date("about 1999", {"%Y"}).empty());
}

TEST_CASE("a format that cannot say what it should is refused", "[police]") {
    CHECK(fault_in_format("%d/%m/%Y", true).empty());
    CHECK(fault_in_format("%d/%m/%y", true) == "has %y: two digits do not say which century");
    CHECK(fault_in_format("%d/%m", true) == "says no year (%Y)");
    CHECK(fault_in_format("%d/%m/%Y %H", true) == "has %H, but this is a date");
    CHECK(fault_in_format("%Q%Y", false) == "has %Q, which is not known here");
    CHECK(fault_in_format("%Y%", false) == "has % , which is not known here");
    CHECK(fault_in_format("%Y|%m", false) == "has a character | that no date has");
}
