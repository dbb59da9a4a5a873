#include "broker/standing/watch.h"

#include <date/date.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "broker/core/limits.h"
#include "broker/standing/report.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::standing;
using namespace std::chrono_literals;

namespace {

const Instant now{date::sys_days{date::year{2026} / 3 / 10} + 8h};

/// A broker with which nothing is wrong.
Standing well() {
    Standing standing{now, now - 100h, "operator/duty"};
    standing.peers = {
        {"education/E10000024", "County education"},
        {"school/122802",       "Oak Primary"     },
        {"trust/oak",           "Oak Trust"       },
    };
    for (auto& peer : standing.peers) {
        peer.seen = now - 1h;
        peer.certificate_ends = now + 24h * 300;
    }
    standing.peers[0].sessions = 1;
    standing.peers[0].witness = true;
    standing.peers[1].delegates = {"trust/oak"};
    standing.feeds = {
        {"E10000024", now - 20h}
    };
    standing.log = {100, 100, now - 1min, now - 1min, {}};
    standing.disk = Disk{1000ull << 30, 400ull << 30, limits::reserve_bytes};
    standing.clock = KernelClock{true, 2ms};
    standing.certificate_ends = now + 24h * 300;
    standing.revocation_list_ends = now + 24h * 20;
    return standing;
}

std::vector<std::string> codes(const std::vector<Alarm>& alarms) {
    std::vector<std::string> all;
    for (const auto& alarm : alarms) all.push_back(alarm.code);
    return all;
}

}  // namespace

TEST_CASE("nobody is called while everything is well", "[standing]") {
    CHECK(alarms_of(well(), {}).empty());
    CHECK(headline(0) == "Everything is working");
}

TEST_CASE("each thing that can be wrong is one alarm, with an owner and what to do", "[standing]") {
    struct Row {
        const char* code;
        const char* owner;
        Urgency urgency;
        std::function<void(Standing&)> spoil;
    };
    const char* us = "operator/duty";
    const auto row = GENERATE_COPY(values<Row>({
        {"silent",                us,                      Urgency::now,
         [](Standing& s) {
             s.peers[2].seen = s.peers[1].seen = now - 26h;
             s.peers[1].expected = false;
         }                                                                                                                                },
        {"feed_old",              "social-care/E10000024", Urgency::now,
         [](Standing& s) { s.feeds[0].applied = now - 27h; }                                                                              },
        {"feed_missing",          "social-care/E06000018", Urgency::now,
         [](Standing& s) {
             s.awaited.push_back({"social-care/E06000018", now - 27h});
         }                                                                                                                                },
        {"roll_missing",          "school/122802",         Urgency::now,
         [](Standing& s) {
             s.awaited.push_back({"school/122802", now - 27h});
         }                                                                                                                                },
        {"roll_old",              "education/E10000024",   Urgency::soon,
         [](Standing& s) {
             s.rolls.push_back({"education/E10000024", false, now - 24h * 29});
         }                                                                                                                                },
        {"roll_old",              "school/122802",         Urgency::now,
         [](Standing& s) {
             s.rolls.push_back({"school/122802", false, now - 24h * 36});
         }                                                                                                                                },
        {"register_old",          "education/E10000024",   Urgency::soon,
         [](Standing& s) {
             s.rolls.push_back({"education/E10000024", true, now - 24h * 29});
         }                                                                                                                                },
        {"volume_low",            us,                      Urgency::now,
         [](Standing& s) {
             s.volumes.resize(1);
             s.volumes[0].topic = "incidents/31";
             s.volumes[0].low = true;
         }                                                                                                                                },
        {"cosignature_late",      "education/E10000024",   Urgency::soon,
         [](Standing& s) { s.peers[0].uncosigned_since = now - 61min; }                                                                   },
        {"peer_certificate_ends", "trust/oak",             Urgency::soon,
         [](Standing& s) { s.peers[2].certificate_ends = now + 24h * 13; }                                                                },
        {"certificate_ends",      us,                      Urgency::soon, [](Standing& s) { s.certificate_ends = now + 24h * 13; }        },
        {"certificate_ends",      us,                      Urgency::now,  [](Standing& s) { s.certificate_ends = now - 1h; }              },
        {"revocation_list_ends",  us,                      Urgency::soon,
         [](Standing& s) { s.revocation_list_ends = now + 24h * 2; }                                                                      },
        {"clock_held",            us,                      Urgency::now,  [](Standing& s) { s.clock_held = true; }                        },
        {"clock_unsynchronised",  us,                      Urgency::soon, [](Standing& s) { s.clock->synchronised = false; }              },
        {"clock_error",           us,                      Urgency::soon, [](Standing& s) { s.clock->error_max = 501ms; }                 },
        {"disk_fills",            us,                      Urgency::soon, [](Standing& s) { s.disk->free = s.disk->total / 100 * 14; }    },
        {"disk_full",             us,                      Urgency::now,  [](Standing& s) { s.disk->free = s.disk->total / 100 * 9; }     },
        {"reserve_missing",       us,                      Urgency::now,  [](Standing& s) { s.disk->reserve = 0; }                        },
        {"wal_grows",             us,                      Urgency::soon, [](Standing& s) { s.wal_bytes = limits::wal_bytes_max / 2; }    },
        {"wal_full",              us,                      Urgency::now,  [](Standing& s) { s.wal_bytes = limits::wal_bytes_max; }        },
        {"head_late",             us,                      Urgency::now,  [](Standing& s) { s.log.unsigned_since = now - 31s; }           },
        {"quorum_late",           us,                      Urgency::soon, [](Standing& s) { s.log.quorum_late_since = now - 2min; }       },
        {"store_slow",            us,                      Urgency::soon, [](Standing& s) { s.pending_bytes = limits::pending_bytes_max; }},
        {"gate_stuck",            us,                      Urgency::soon, [](Standing& s) { s.counts.gates_stuck = 1; }                   },
        {"overdue",               us,                      Urgency::now,  [](Standing& s) { s.obligations = {3, 1, 1, now - 1h}; }        },
        {"dead_letters",          us,                      Urgency::now,  [](Standing& s) { s.dead_letters = {1, now - 1h}; }             },
    }));
    CAPTURE(row.code);
    auto standing = well();
    row.spoil(standing);
    const auto alarms = alarms_of(standing, {});
    REQUIRE(codes(alarms) == std::vector<std::string>{row.code});
    CHECK(alarms[0].owner == row.owner);
    CHECK(alarms[0].urgency == row.urgency);
    CHECK_FALSE(alarms[0].what.empty());
    CHECK_FALSE(alarms[0].to_do.empty());
    CHECK(alarms[0].since <= now);
}

TEST_CASE("who is silent is said in words, with the limit", "[standing]") {
    auto standing = well();
    standing.peers[2].seen = standing.peers[1].seen = now - 26h;
    const auto alarms = alarms_of(standing, {});
    REQUIRE(codes(alarms) == std::vector<std::string>{"silent", "silent"});
    CHECK(alarms[1].what == "Oak Trust has not connected for 26 hours (limit 24 hours)");
    CHECK(alarms[1].since == now - 2h);
}

TEST_CASE("a school is not silent while a trust that acts for it is here", "[standing]") {
    auto standing = well();
    standing.peers[1].seen.reset();  // never
    CHECK(alarms_of(standing, {}).empty());
    standing.peers[2].sessions = 1;
    standing.peers[2].seen.reset();
    CHECK(alarms_of(standing, {}).empty());
    standing.peers[2].sessions = 0;
    CHECK(codes(alarms_of(standing, {})) == std::vector<std::string>{"silent", "silent"});
}

TEST_CASE("who never loaded has as long as anybody, from when an agreement named them", "[standing]") {
    auto standing = well();
    standing.awaited = {
        {"school/122802",         now - 25h},
        {"social-care/E06000018", now - 25h}
    };
    standing.rolls = {
        {"education/E10000024", false, now - 24h * 28},
        {"education/E10000024", true,  now - 24h * 28}
    };
    CHECK(alarms_of(standing, {}).empty());
    CHECK(codes(alarms_of(standing, {24h, 24h})).size() == 2);
    CHECK(codes(alarms_of(standing, {24h, 26h, 24h * 27})) ==
          std::vector<std::string>{"roll_old", "register_old"});
    standing.awaited[1].since = now - 72h;
    const auto alarms = alarms_of(standing, {});
    REQUIRE(codes(alarms) == std::vector<std::string>{"feed_missing"});
    CHECK(alarms[0].about == "E06000018");
    CHECK(alarms[0].since == now - 72h + 26h);
    CHECK(alarms[0].what ==
          "No list of flags of social-care/E06000018 was ever loaded; the agreement has named it for 3 days "
          "(limit 26 hours)");
}

TEST_CASE("an operator may set how much silence is borne", "[standing]") {
    CHECK(codes(alarms_of(well(), {30min, 26h})).size() == 2);
    CHECK(codes(alarms_of(well(), {24h, 19h})) == std::vector<std::string>{"feed_old"});
}

TEST_CASE("what happens now comes before what will, and the oldest first", "[standing]") {
    auto standing = well();
    standing.clock->synchronised = false;
    standing.dead_letters = {1, now - 1h};
    standing.obligations = {3, 0, 1, now - 5h};
    CHECK(codes(alarms_of(standing, {})) ==
          std::vector<std::string>{"overdue", "dead_letters", "clock_unsynchronised"});
}

TEST_CASE("an alarm begins once, keeps its beginning, and ends once", "[standing]") {
    Watch watch{{}};
    auto standing = well();
    CHECK(watch.look(standing).begun.empty());
    standing.disk->free = 0;
    CHECK(codes(watch.look(standing).begun) == std::vector<std::string>{"disk_full"});
    standing.at = now + 10min;
    const auto again = watch.look(standing);
    CHECK(again.begun.empty());
    REQUIRE(again.alarms.size() == 1);
    CHECK(again.alarms[0].since == now);
    standing.disk->free = standing.disk->total;
    const auto over = watch.look(standing);
    CHECK(over.alarms.empty());
    CHECK(codes(over.ended) == std::vector<std::string>{"disk_full"});
}

TEST_CASE("the report of the largest partnership still fits into one answer", "[standing]") {
    auto standing = well();
    standing.peers.clear();
    for (int i = 0; i < 20'000; ++i)
        standing.peers.push_back(
            {"school/" + std::to_string(100'000 + i), std::string(limits::name_size_max, 'x')});
    const auto alarms = alarms_of(standing, {});
    CHECK(alarms.size() == 20'000);
    const auto text = report(standing, alarms);
    CHECK(text.size() <= limits::answer_bytes_max);
    const auto json = nlohmann::json::parse(text);
    CHECK(json["says"] == "20000 things need somebody");
    CHECK(json["alarms"].size() == named_max);
    CHECK(json["peers_total"] == 20'000);
}

TEST_CASE("durations are told in the largest unit of which there are two", "[standing]") {
    const auto [duration, words] = GENERATE(table<std::chrono::microseconds, const char*>({
        {0s,      "0 seconds"  },
        {1s,      "1 second"   },
        {59s,     "59 seconds" },
        {119s,    "1 minute"   },
        {2h - 1s, "119 minutes"},
        {2h,      "2 hours"    },
        {47h,     "47 hours"   },
        {48h,     "2 days"     },
    }));
    CHECK(words_of(duration) == words);
}
