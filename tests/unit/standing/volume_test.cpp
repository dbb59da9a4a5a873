#include "broker/standing/volume.h"

#include <cmath>
#include <random>

#include "broker/standing/thresholds.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::standing;
using namespace std::chrono_literals;

namespace {

const Instant monday{date::sys_days{date::year{2026} / 9 / 7}};
constexpr auto topic = "incidents/31";
using Hours = std::chrono::hours;

/// Plays hours of a feed. How many an hour is to bring, on average, is `usual` times a factor of the test's.
class Played {
public:
    explicit Played(double a_day, std::uint32_t seed = 1, double dispersion = 1)
        : a_day_{a_day}, dispersion_{dispersion}, dice_{seed} {}

    /// Nights bring a third of what days do, Saturdays half as much again.
    double usual(Instant at) const {
        const auto local = date::locate_zone("Europe/London")->to_local(at);
        const auto day = date::floor<date::days>(local);
        const auto hour = date::floor<Hours>(local - day).count();
        const double share = (hour < 7 ? 0.35 : 1.27) * (date::weekday{day} == date::Saturday ? 1.4 : 0.933);
        return a_day_ / 24 * share;
    }
    void play(Instant::duration time, double factor = 1) {
        for (const Instant end = now + time; now < end; now += 1h) {
            const double mean = usual(now) * factor;
            // A Poisson of a Gamma is a negative binomial.
            double drawn = mean;
            if (dispersion_ > 1)
                drawn = std::gamma_distribution<>{mean / (dispersion_ - 1), dispersion_ - 1}(dice_);
            brings(drawn > 0 ? std::poisson_distribution<std::uint64_t>{drawn}(dice_) : 0);
        }
    }
    /// The broker is there for the first minutes of each hour only.
    void play_partly(Hours time, int minutes) {
        for (const Instant end = now + time; now < end; now += 1h)
            brings(std::poisson_distribution<std::uint64_t>{usual(now) * minutes / 60}(dice_), minutes);
    }
    /// The broker is away, or just restarted and counting from 0.
    void away(Instant::duration time) { now += time; }
    void restarts() {
        Volumes again{date::locate_zone("Europe/London")};
        REQUIRE(again.restore(volumes.text()));
        volumes = again;
        count = 0;
    }
    Volume judged(const std::set<std::string>& holidays = {}) const {
        const auto all = volumes.judge(now, holidays);
        REQUIRE(all.size() <= 1);
        return all.empty() ? Volume{topic} : all[0];
    }
    /// Hours until it is called low, at most `longest`.
    std::optional<int> found_within(int longest, double factor) {
        for (int hours = 1; hours <= longest; ++hours) {
            play(1h, factor);
            if (judged().low) return hours;
        }
        return std::nullopt;
    }

    Instant now = monday;
    Volumes volumes{date::locate_zone("Europe/London")};
    std::uint64_t count = 0;

private:
    void brings(std::uint64_t more, int minutes = 60) {
        const auto all = static_cast<std::uint64_t>(minutes);
        for (int minute = 0; minute < minutes; ++minute) {
            const auto at = static_cast<std::uint64_t>(minute);
            count += more * (at + 1) / all - more * at / all;
            volumes.count(
                {
                    {topic, count}
            },
                now + std::chrono::minutes{minute});
        }
    }

    double a_day_, dispersion_;
    std::mt19937 dice_;
};

}  // namespace

TEST_CASE("the chance of so few is a Poisson's, or a negative binomial's", "[volume]") {
    // By hand: e^-3 (1 + 3 + 4.5), and r = 3, p = 1/2: 1/8 (1 + 3/2 + 6/4).
    CHECK(std::abs(chance_of_at_most(2, 3, 1) - std::exp(-3.0) * 8.5) < 1e-12);
    CHECK(std::abs(chance_of_at_most(2, 3, 2) - 0.5) < 1e-12);
    CHECK(std::abs(chance_of_at_most(0, 12, 1) - std::exp(-12.0)) < 1e-15);
    CHECK(std::abs(chance_of_at_most(1000, 3, 1) - 1) < 1e-9);
    CHECK(std::abs(chance_of_at_most(100'000, 100'000, 1.5) - 0.5) < 0.01);
    double before = 0;
    for (std::uint64_t observed = 0; observed < 400; ++observed) {
        const double chance = chance_of_at_most(observed, 150, 2.5);
        CHECK((chance > before - 1e-9 && chance <= 1));
        before = chance;
    }
}

TEST_CASE("a force's feed that halves, thins or stops is found within hours", "[volume]") {
    struct Row {
        double a_day, dispersion, factor;
        int hours;
        const char* why;
    };
    const auto row = GENERATE(values<Row>({
        {1500, 1, 0,   3,   "stopped: no window is shorter"                         },
        {1500, 1, 0.5, 8,   "halved"                                                },
        {1500, 3, 0.5, 16,  "halved, and it always varied"                          },
        {1500, 1, 0.8, 36,  "a fifth is missing: one source of several"             },
        {100,  1, 0,   14,  "a small force that stopped"                            },
        {100,  1, 0.5, 72,  "and one that halved"                                   },
        {2.7,  1, 0,   240, "an authority's notices, about 80 a month, have stopped"},
    }));
    CAPTURE(row.why);
    for (std::uint32_t seed = 1; seed <= 5; ++seed) {
        CAPTURE(seed);
        Played feed{row.a_day, seed, row.dispersion};
        feed.play(24h * 56);
        CHECK_FALSE(feed.judged().low);
        const auto found = feed.found_within(row.hours, row.factor);
        CHECK(found);
    }
}

TEST_CASE("what is usual alarms nobody, at any hour of a year, however quiet its nights", "[volume]") {
    const auto [a_day, dispersion] = GENERATE(values<std::pair<double, double>>({
        {1500, 1},
        {1500, 4},
        {100,  1},
        {2.7,  1},
        {2.7,  2}
    }));
    CAPTURE(a_day, dispersion);
    Played feed{a_day, 7, dispersion};
    int low = 0;
    for (int day = 0; day < 150; ++day)
        for (int part = 0; part < 4; ++part) {
            feed.play(6h);
            low += feed.judged().low ? 1 : 0;
        }
    CHECK(low == 0);
}

TEST_CASE("it is over when the feed is as usual again", "[volume]") {
    Played feed{1500};
    feed.play(24h * 30);
    feed.play(10h, 0);
    REQUIRE(feed.judged().low);
    feed.play(5h);
    CHECK_FALSE(feed.judged().low);
}

TEST_CASE("while the broker was away the force was not silent, also after a restart from what was kept",
          "[volume]") {
    Played feed{1500};
    feed.play(24h * 30);
    feed.away(24h * 3);
    feed.restarts();
    feed.play(2h);
    const auto after = feed.judged();
    CHECK_FALSE(after.low);
    CHECK(after.history_days > 29);
    CHECK(after.expected < 1500 * 14.5);  // of the last fortnight three days are not expected
    feed.play(4h);
    CHECK_FALSE(feed.judged().low);
    feed.play_partly(24h, 15);
    CHECK_FALSE(feed.judged().low);
    CHECK(feed.found_within(8, 0.3));  // and it still watches
}

TEST_CASE("nothing is said before there is history enough, nor of a topic too rare to tell", "[volume]") {
    Played young{1500};
    young.play(24h * 13);
    young.play(12h, 0);
    CHECK_FALSE(young.judged().low);
    CHECK(young.judged().window.count() == 0);
    CHECK(std::floor(young.judged().history_days) == 13);

    Played rare{0.5};
    rare.play(24h * 40);
    rare.play(24h * 14, 0);
    CHECK_FALSE(rare.judged().low);
}

TEST_CASE("a bank holiday is neither judged nor learnt from", "[volume]") {
    Played feed{1500};
    feed.play(24h * 35);
    feed.play(22h, 0.3);
    REQUIRE(feed.judged().low);
    const std::string day = date::format("%F", date::floor<date::days>(feed.now));
    CHECK_FALSE(feed.judged({day}).low);
}

TEST_CASE("a backlog handed over at once does not make every week after it look silent", "[volume]") {
    Played feed{300};
    feed.play(24h * 20);
    feed.play(2h, 400);
    feed.play(22h);
    for (int day = 0; day < 30; ++day) {
        feed.play(24h);
        CHECK_FALSE(feed.judged().low);
    }
}

TEST_CASE("what was kept and is damaged is refused as a whole", "[volume]") {
    Played feed{100};
    feed.play(24h);
    for (const char* bad : {"", "[]", "{}", R"({"version":2,"hours":[]})", R"({"version":1,"hours":[1]})",
                            R"({"version":1,"hours":[{"hour":1,"watched_us":"x","counts":{}}]})",
                            R"({"version":1,"hours":[{"hour":1,"watched_us":5,"counts":{"a":-1}}]})"}) {
        CAPTURE(bad);
        const auto before = feed.volumes.text();
        CHECK_FALSE(feed.volumes.restore(bad));
        CHECK(feed.volumes.text() == before);
    }
}
