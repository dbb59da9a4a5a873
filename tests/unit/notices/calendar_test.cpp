#include "broker/notices/calendar.h"

#include "tests/support/catch.h"
#include "tests/support/people.h"

using namespace flagpost;
using namespace flagpost::tests;
using registry::Register;

namespace {

constexpr std::uint32_t urn = 122802;

schemas::TermPeriodValue period(const char* first, const char* last, bool closed = false,
                                std::uint32_t school = 0) {
    schemas::TermPeriodValue made;
    made.la = "E10000024";
    made.urn = school;
    made.first_day = first;
    made.last_day = last;
    made.closed = closed;
    return made;
}

void add_holiday(Register& known, const char* division, const char* day) {
    schemas::BankHolidayValue made;
    made.division = division;
    made.date = day;
    known.set_bank_holiday(std::move(made));
}

/// Nottinghamshire's school year 2024/25 as one school keeps it.
Register county() {
    Register known;
    known.set_school(school(urn, "Bramble Langley Primary School"));
    known.set_term(period("2024-09-02", "2024-10-25"));
    known.set_term(period("2024-11-04", "2024-12-20"));
    known.set_term(period("2025-01-06", "2025-02-14"));
    known.set_term(period("2025-02-24", "2025-04-04"));
    known.set_term(period("2025-04-22", "2025-05-23"));
    known.set_term(period("2025-06-02", "2025-07-25"));
    known.set_term(period("2025-09-01", "2025-10-24"));
    known.set_term(period("2025-01-06", "2025-01-06", true, urn));  // INSET
    known.set_term(period("2025-03-14", "2025-03-14", true, urn));  // INSET on a Friday
    known.set_term(period("2025-03-20", "2025-03-20", true, 999));  // another school's
    known.set_term(period("2025-06-24", "2025-06-25", true));       // the whole authority closed
    add_holiday(known, "england-and-wales", "2025-05-05");
    add_holiday(known, "scotland", "2025-03-17");
    return known;
}

const date::time_zone* london() { return date::locate_zone("Europe/London"); }

Instant next(const Register& known, const char* now) {
    return notices::next_school_day_start(known, urn, at(now), london());
}

}  // namespace

TEST_CASE("a school is told before its next school day begins", "[notices]") {
    const auto [why, now, due] = GENERATE(table<const char*, const char*, const char*>({
        {"weekday evening in term",                        "2025-03-04T21:10Z", "2025-03-05T08:40Z"},
        {"half past midnight belongs to that morning",     "2025-03-05T00:30Z", "2025-03-05T08:40Z"},
        {"an hour before school",                          "2025-03-05T07:40Z", "2025-03-05T08:40Z"},
        {"as school begins",                               "2025-03-05T08:40Z", "2025-03-06T08:40Z"},
        {"during the school day",                          "2025-03-05T11:00Z", "2025-03-06T08:40Z"},
        {"Friday night",                                   "2025-03-07T23:40Z", "2025-03-10T08:40Z"},
        {"Saturday",                                       "2025-03-08T12:00Z", "2025-03-10T08:40Z"},
        {"last day before half-term",                      "2025-02-14T16:00Z", "2025-02-24T08:40Z"},
        {"first day after half-term, early",               "2025-02-24T06:00Z", "2025-02-24T08:40Z"},
        {"before the school's INSET day",                  "2025-03-13T16:00Z", "2025-03-17T08:40Z"},
        {"INSET on the first day of term",                 "2024-12-29T10:00Z", "2025-01-07T08:40Z"},
        {"another school's INSET day is a school day",     "2025-03-19T20:00Z", "2025-03-20T08:40Z"},
        {"the authority closes all schools",               "2025-06-23T20:00Z", "2025-06-26T07:40Z"},
        {"a bank holiday Monday in term",                  "2025-05-02T20:00Z", "2025-05-06T07:40Z"},
        {"another nation's bank holiday",                  "2025-03-15T20:00Z", "2025-03-17T08:40Z"},
        {"summer",                                         "2025-07-26T10:00Z", "2025-09-01T07:40Z"},
        {"past midnight in summer time, not yet in UTC",   "2025-07-02T23:30Z", "2025-07-03T07:40Z"},
        {"Friday before clocks go forward",                "2025-03-28T20:00Z", "2025-03-31T07:40Z"},
        {"night in which clocks go forward",               "2025-03-30T01:30Z", "2025-03-31T07:40Z"},
        {"Friday before clocks go back, half-term begins", "2024-10-25T20:00Z", "2024-11-04T08:40Z"},
        {"hour that happens twice",                        "2024-10-27T00:30Z", "2024-11-04T08:40Z"},
    }));
    CAPTURE(why, now);
    static const Register known = county();
    CHECK(next(known, now) == at(due));
}

TEST_CASE("a school's own terms replace its authority's", "[notices]") {
    auto known = county();
    auto own = period("2025-02-17", "2025-04-04", false, urn);  // another half-term week
    own.day_starts = "08:25";
    known.set_term(std::move(own));
    CHECK(next(known, "2025-02-14T16:00Z") == at("2025-02-17T08:25Z"));
    CHECK(next(known, "2025-03-04T21:10Z") == at("2025-03-05T08:25Z"));
}

TEST_CASE("a start that is no time of day is taken as twenty to nine", "[notices]") {
    const auto [text] = GENERATE(table<const char*>({"", "8:40", "25:00", "08:61", "early", "08.40"}));
    CAPTURE(text);
    auto known = county();
    auto own = period("2025-02-17", "2025-04-04", false, urn);
    own.day_starts = text;
    known.set_term(std::move(own));
    CHECK(next(known, "2025-03-04T21:10Z") == at("2025-03-05T08:40Z"));
}

TEST_CASE("without terms to come every weekday that is no holiday is a school day", "[notices]") {
    Register known;
    add_holiday(known, "england-and-wales", "2025-04-21");
    CHECK(next(known, "2025-04-17T20:00Z") == at("2025-04-18T07:40Z"));  // Good Friday is not in the list
    CHECK(next(known, "2025-04-19T20:00Z") == at("2025-04-22T07:40Z"));
    CHECK(next(county(), "2025-11-03T20:00Z") == at("2025-11-04T08:40Z"));  // the terms known have run out
}

TEST_CASE("a start of school is always later than now, and within four days in term", "[notices]") {
    const auto known = county();
    for (auto now = at("2025-01-07T00:00Z"); now < at("2025-02-14T00:00Z"); now += std::chrono::minutes{17}) {
        const auto due = notices::next_school_day_start(known, urn, now, london());
        REQUIRE(due > now);
        REQUIRE(due - now <= std::chrono::hours{96});
    }
}
