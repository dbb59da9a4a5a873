// Both clock changes of Europe/London: a notice goes at once whatever the clock shows, is due when the school's next day
// begins there, and climbs its ladder by time that has really passed.
#include "tests/unit/exchange/world.h"

using namespace flagpost;
using namespace flagpost::exchange;
using namespace flagpost::exchange::testing;
using namespace std::chrono_literals;

namespace {

constexpr const char* school_box = "notices/school/900001";

/// A school whose day begins at 8:40 on every weekday, with one pupil.
std::unique_ptr<World> county(Instant now) {
    auto world = std::make_unique<World>();
    world->now = now - 1h;
    load_schools(*world);
    world->load(first_roll());
    world->now = now;
    return world;
}

/// When `topic` hears of it next, minute by minute.
std::optional<Instant> next_told(World& world, const char* topic, Instant until) {
    for (auto at = world.now; at <= until; at += 1min) {
        world.now = at;
        world.give(Tick{});
        if (!world.delivered<schemas::SchoolNotice>(topic).empty()) return at;
    }
    return std::nullopt;
}

bool says_overdue(const World& world) {
    return std::ranges::any_of(world.delivered<schemas::Report>("reports/police/31"),
                               [](const auto& report) { return report.what == schemas::ReportOf::overdue; });
}

}  // namespace

TEST_CASE("on both clock changes a school is told at once, and by its own clock", "[exchange]") {
    // All in UTC. In 2025 clocks go forward on 30 March and back on 26 October, both at 01:00 UTC.
    struct Row {
        const char* why;
        const char* day;
        std::chrono::minutes at;
        const char* due_day;
        std::chrono::minutes due;
    };
    const auto row = GENERATE(values<Row>({
        {"Friday before the change, still 8:40 UTC",               "2025-03-28", 7h,          "2025-03-28", 8h + 40min},
        {"Friday as school begins: Monday, in summer time",        "2025-03-28", 8h + 40min,  "2025-03-31",
         7h + 40min                                                                                                   },
        {"the last minute before the missing hour (00:59)",        "2025-03-30", 59min,       "2025-03-31", 7h + 40min},
        {"the moment at which 1:00 becomes 2:00",                  "2025-03-30", 1h,          "2025-03-31", 7h + 40min},
        {"half past, where 1:30 is not on any clock",              "2025-03-30", 1h + 30min,  "2025-03-31", 7h + 40min},
        {"Sunday night, Monday on the clock, Sunday in UTC",       "2025-03-30", 23h + 30min, "2025-03-31",
         7h + 40min                                                                                                   },
        {"Monday 8:39 on the clock",                               "2025-03-31", 7h + 39min,  "2025-03-31", 7h + 40min},
        {"Monday 8:40 on the clock: school has begun",             "2025-03-31", 7h + 40min,  "2025-04-01", 7h + 40min},
        {"Friday before the clocks go back: 8:40 is 7:40 UTC",     "2025-10-24", 7h,          "2025-10-24", 7h + 40min},
        {"Friday as school begins: Monday, in winter time",        "2025-10-24", 7h + 40min,  "2025-10-27",
         8h + 40min                                                                                                   },
        {"1:30 the first time",                                    "2025-10-26", 30min,       "2025-10-27", 8h + 40min},
        {"the moment at which 2:00 becomes 1:00",                  "2025-10-26", 1h,          "2025-10-27", 8h + 40min},
        {"1:30 the second time",                                   "2025-10-26", 1h + 30min,  "2025-10-27", 8h + 40min},
        {"Monday 7:40 on the clock, where school began in summer", "2025-10-27", 7h + 40min,  "2025-10-27",
         8h + 40min                                                                                                   },
        {"Monday 8:40 on the clock: school has begun",             "2025-10-27", 8h + 40min,  "2025-10-28", 8h + 40min},
    }));
    CAPTURE(row.why);
    const auto now = at(row.day, row.at), due = at(row.due_day, row.due);
    auto world = county(now);
    world->send(abuse_with(child_a, "NP-1"));
    const auto told = world->delivered<schemas::SchoolNotice>(school_box);
    REQUIRE(told.size() == 1);  // with the very command: nothing is kept for the morning
    CHECK(from_us(told[0].read_by_us) == due);
    CHECK(world->last.records.back().leaf.time == now);

    // Stored by nobody it comes again after two hours of real time; three hours before the deadline the authority is asked.
    if (due - 3h <= now + 3h) return;
    CHECK(next_told(*world, school_box, now + 3h) == now + 2h);
    CHECK(next_told(*world, "notices/education/E10000024", due) == due - 3h);
    world->now = due - 1us;
    world->give(Tick{});
    CHECK_FALSE(says_overdue(*world));
    world->now = due;
    world->give(Tick{});
    CHECK(says_overdue(*world));
}

TEST_CASE("what happened in the missing or the doubled hour is told with its own time", "[exchange]") {
    const auto [why, day, minutes] = GENERATE(table<const char*, const char*, int>({
        {"on no clock of London", "2025-03-30", 90},
        {"the first 1:30",        "2025-10-26", 30},
        {"the second 1:30",       "2025-10-26", 90},
    }));
    CAPTURE(why);
    const auto occurred = at(day, std::chrono::minutes{minutes});
    auto world = county(occurred + 20min);
    auto value = abuse_with(child_a, "NP-1");
    value.occurred_us = to_us(occurred);
    world->send(value);
    const auto told = world->delivered<schemas::SchoolNotice>(school_box);
    REQUIRE(told.size() == 1);
    CHECK(from_us(told[0].occurred_us) == occurred);
}
