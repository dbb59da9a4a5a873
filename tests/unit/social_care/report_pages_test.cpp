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

TEST_CASE("what a month should bring is learnt from the whole months before, and the lost quarter stands out",
          "[social_care]") {
    CHECK_FALSE(expected_after({}));
    CHECK_FALSE(expected_after({20, 21}));
    CHECK(expected_after({20, 20, 20}) == Expected{10, 30});  // chance alone varies so much
    const auto wide = *expected_after({5, 40, 12, 33});
    CHECK(wide.low == 0);
    CHECK(wide.high > 50);
    CHECK(expected_after({0, 0, 0}) == Expected{0, 0});
    std::vector<std::size_t> long_ago(30, 500);
    long_ago.insert(long_ago.end(), months_learnt_max, 20);
    CHECK(expected_after(long_ago)->high < 40);

    std::vector<Instant> received{at("2024-12-20T12:00:00Z")};
    const auto bring = [&](const std::string& month, int notices) {
        for (int i = 0; i < notices; ++i) received.push_back(at((month + "-10T12:00:00Z").c_str()));
    };
    for (const auto* month : {"2025-01", "2025-02", "2025-03", "2025-04", "2025-05", "2025-06", "2025-07"})
        bring(month, 20);
    bring("2025-08", 3);
    const auto year = report_year(2025, received, {}, 24h, at("2025-10-11T08:12:00Z"));
    CHECK(year[0].expected == Expected{10, 30});  // of January to March: December was not whole
    CHECK(year[4].expected->low > year[4].notices);
    CHECK(year[5].ended);
    CHECK(year[5].notices == 0);
    CHECK_FALSE(year[6].ended);
    CHECK(year[6].expected);
    CHECK_FALSE(year[7].expected);
    CHECK_FALSE(report_year(2024, received, {}, 24h, at("2025-10-11T08:12:00Z"))[11].expected);
    // What came while the list was late teaches nothing.
    const auto late =
        report_year(2025, received, {at("2025-07-30T06:00:00Z")}, 48h, at("2025-10-11T08:12:00Z"));
    CHECK(late[4].late_list);
    CHECK(late[5].expected->low > 5);
}

TEST_CASE("few are not told exactly outside the authority", "[social_care]") {
    CHECK(count_outside(0) == "0");
    CHECK(count_outside(1) == "1 to 4");
    CHECK(count_outside(4) == "1 to 4");
    CHECK(count_outside(5) == "5");
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

TEST_CASE("a month in which the broker was not heard for more than a day is marked, and teaches nothing",
          "[social_care]") {
    const auto noon = [](const std::string& day) { return at((day + "T12:00:00Z").c_str()); };
    std::vector<Instant> received{noon("2025-04-02")};
    for (const auto* month : {"2025-05", "2025-06", "2025-07", "2025-08"})
        for (int i = 0; i < 20; ++i) received.push_back(noon(std::string{month} + "-10"));
    Contact contact{at("2025-05-20T08:00:00Z"), {{noon("2025-09-29"), noon("2025-10-02")}}};
    const auto now = at("2026-01-11T08:12:00Z");
    const auto year = report_year(2025, received, {}, 24h, now, contact);
    CHECK_FALSE(year[4].cut_off);
    CHECK(year[5].cut_off);
    CHECK(year[6].cut_off);
    CHECK_FALSE(year[7].cut_off);
    CHECK(year[5].may_lack());
    CHECK_FALSE(year[5].late_list);
    CHECK_FALSE(year[1].known_contact);  // heard for a part of May only, as far as is known
    CHECK(year[2].known_contact);
    CHECK(year[7].expected == year[5].expected);  // of May to August
    contact.silences.clear();
    CHECK(report_year(2025, received, {}, 24h, now, contact)[7].expected != year[7].expected);
}
