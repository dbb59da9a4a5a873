#include "adapters/social_care/report_pages.h"

#include "adapters/desk/fields.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::social_care;
using namespace std::chrono_literals;

namespace {
Instant at(const char* text) { return *desk::parse_instant(text); }
}  // namespace

TEST_CASE("notices are counted in the months of London, April to March", "[social_care]") {
    const auto year =
        report_year(2025,
                    {at("2025-03-31T22:59:00Z"), at("2025-03-31T23:00:00Z"), at("2025-04-30T22:59:00Z"),
                     at("2026-01-11T08:00:00Z"), at("2026-04-01T08:00:00Z")},
                    {}, 24h, at("2026-01-11T08:12:00Z"));
    CHECK(year[0].name == "April");
    CHECK(year[0].notices == 2);
    CHECK(year[9].notices == 1);
    CHECK(year[9].over);
    CHECK_FALSE(year[10].over);
    CHECK(year[11].notices == 0);
}

TEST_CASE("a month in which the list was older than agreed is marked", "[social_care]") {
    const auto year = report_year(2025, {},
                                  {at("2025-06-01T06:00:00Z"), at("2025-06-02T05:59:00Z"),
                                   at("2025-08-03T06:00:00Z"), at("2026-01-11T06:00:00Z")},
                                  24h, at("2026-01-11T08:12:00Z"));
    const auto late = [&](std::size_t month) { return year.at(month).late_list; };
    CHECK_FALSE(year[1].known_list);
    CHECK(year[2].known_list);
    CHECK(year[11].known_list);
    CHECK_FALSE(late(1));  // before the first nothing is known
    CHECK(late(2));        // from 3 June
    CHECK(late(3));
    CHECK(late(4));
    CHECK(late(8));
    // A few hours on the first of a month are of that month too.
    const auto short_while = report_year(2025, {}, {at("2025-06-29T12:00:00Z"), at("2025-07-01T08:00:00Z")},
                                         24h, at("2025-07-01T09:00:00Z"));
    CHECK(short_while[2].late_list);
    CHECK(short_while[3].late_list);
    const auto fresh = report_year(2025, {}, {at("2026-01-10T09:00:00Z"), at("2026-01-11T06:00:00Z")}, 24h,
                                   at("2026-01-11T08:12:00Z"));
    CHECK_FALSE(fresh[9].late_list);
}
