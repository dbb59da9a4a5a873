/// What goes wrong in one world, and how often. Each world has its own mixture: with everything always going wrong,
/// much would never come to happen.
#pragma once

#include "tests/simulation/dice.h"

namespace flagpost::simulation {

enum class Harm : std::uint8_t {
    broker_killed,
    broker_host_lost,  // nobody is told that its connections are gone
    agency_killed,
    agency_host_lost,
    agency_stalls,
    connection_cut,
    connection_silent,
    gate_lost,
    commit_fails,
    commit_fails_though_written,
    disk_fills,
    broker_clock_steps,
    agency_clock_steps,
    agency_revoked,
    key_withdrawn,
    inbox_stuck,   // an agency cannot store what it receives
    poison,        // an agency dies of the next delivery, and again after each restart
    box_set_back,  // an agency's outbox offers again what was confirmed
    long_outage,
    count_
};
inline constexpr std::size_t harms = static_cast<std::size_t>(Harm::count_);

struct Weather {
    microseconds work_lasts;
    microseconds slowest_segment;
    microseconds slowest_commit;
    microseconds quiet;          // between two harms, at most
    std::uint64_t death_one_in;  // of the places where a process may die; 0: never
    std::vector<Harm> harms;     // those that happen here

    static Weather of(Dice& dice) {
        using namespace std::chrono_literals;
        Weather weather{};
        weather.work_lasts = dice.between(40s, 150s);
        weather.slowest_segment = dice.pick(std::vector<microseconds>{1ms, 20ms, 300ms});
        weather.slowest_commit = dice.pick(std::vector<microseconds>{1ms, 15ms, 400ms, 3s});
        weather.quiet = dice.pick(std::vector<microseconds>{1s, 5s, 30s});
        weather.death_one_in = dice.pick(std::vector<std::uint64_t>{0, 0, 300, 1500});
        for (std::size_t i = 0; i < simulation::harms; ++i)
            if (dice.one_in(2)) weather.harms.push_back(static_cast<Harm>(i));
        return weather;
    }
};

}  // namespace flagpost::simulation
