#include "adapters/police/intake.h"

#include "broker/core/limits.h"
#include "broker/crypto/keys.h"
#include "incident_generated.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::police;
using nlohmann::json;

namespace {

/// An outbox, opened anew as often as a process would after a crash.
class World {
public:
    template <class Use> auto with(Use use) {
        client::Box box{directory_.path() / "box.db", clock_, random_};
        Intake intake{box, "31", clock_};
        return use(intake, box);
    }
    std::vector<Taken> take(const std::vector<Handed>& incidents, bool together = false) {
        return with([&](Intake& intake, client::Box&) { return intake.take(incidents, {}, together); });
    }
    /// Version and circumstances of what waits, in order.
    std::vector<std::string> waiting() {
        return with([&](Intake&, client::Box& box) {
            std::vector<std::string> all;
            for (const auto& message : box.waiting(1000)) {
                const auto envelope = wire::read_envelope(message.envelope);
                const auto table = wire::read_table<schemas::Incident>(envelope->payload, "payload");
                all.push_back((*table)->reference()->str() + "/" + std::to_string((*table)->version()) + " " +
                              (*table)->circumstances()->str());
            }
            return all;
        });
    }

private:
    test::TemporaryDirectory directory_;
    SystemClock clock_;
    crypto::SystemRandom random_;
};

const Instant today = *desk::parse_instant("2026-11-28T12:00:00Z");

Handed handed(const std::string& reference, unsigned version, const std::string& circumstances,
              bool counted = false) {
    desk::Findings findings;
    const json object{
        {"reference",      reference             },
        {"version",        version               },
        {"occurred",       "2026-11-17T12:00:00Z"},
        {"domestic_abuse", false                 },
        {"circumstances",  circumstances         }
    };
    auto made = handed_of(object, "31", counted, "here", today, findings);
    REQUIRE(made);
    return *made;
}
std::vector<Handed> counted(const std::string& circumstances) {
    return {handed("NP-1", 1, circumstances, true)};
}

std::vector<Became> became(const std::vector<Taken>& taken) {
    std::vector<Became> all;
    for (const auto& one : taken) all.push_back(one.became);
    return all;
}

using Texts = std::vector<std::string>;
constexpr auto queued = Became::queued, known = Became::known, conflict = Became::conflict;

}  // namespace

TEST_CASE("what lies in the future is sent, and noted beyond what clocks differ by", "[police]") {
    const auto notes = [](const std::string& occurred, const std::string& recorded) {
        desk::Findings findings;
        const json object{
            {"reference",      "NP-1"  },
            {"version",        1U      },
            {"occurred",       occurred},
            {"recorded",       recorded},
            {"domestic_abuse", false   }
        };
        CHECK(handed_of(object, "31", false, "here", today, findings));
        return findings.details_left_out();
    };
    const std::string why = ": lies in the future by this machine's clock, sent as it stands";
    CHECK(notes("2026-11-28T12:00:00Z", "").empty());
    CHECK(notes("2026-11-29T11:59:00Z", "").empty());
    CHECK(notes("2026-11-29T12:01:00Z", "") == Texts{"occurred" + why});
    CHECK(notes("2036-11-28T12:00:00Z", "") == Texts{"occurred" + why});
    CHECK(notes("2026-11-28T12:00:00Z", "2026-12-28T12:00:00Z") == Texts{"recorded" + why});
}

TEST_CASE("each version is taken once, whoever hands it over again", "[police]") {
    World world;
    CHECK(became(world.take({handed("NP-1", 1, "a"), handed("NP-2", 1, "b")})) ==
          std::vector{queued, queued});
    CHECK(became(world.take({handed("NP-1", 1, "a"), handed("NP-1", 2, "c"), handed("NP-1", 2, "c")})) ==
          std::vector{known, queued, known});
    CHECK(world.waiting() == Texts{"NP-1/1 a", "NP-2/1 b", "NP-1/2 c"});
}

TEST_CASE("other content of a version taken before is a conflict, and is not sent", "[police]") {
    World world;
    (void)world.take({handed("NP-1", 1, "a")});
    CHECK(became(world.take({handed("NP-1", 1, "b"), handed("NP-2", 1, "c")})) ==
          std::vector{conflict, queued});
    CHECK(world.waiting() == Texts{"NP-1/1 a", "NP-2/1 c"});
}

TEST_CASE("together, one in conflict leaves nothing of the others", "[police]") {
    World world;
    (void)world.take({handed("NP-1", 1, "a")});
    const auto taken =
        world.take({handed("NP-2", 1, "c"), handed("NP-1", 1, "b"), handed("NP-3", 1, "d")}, true);
    CHECK(became(taken) == std::vector{queued, conflict});
    CHECK(world.waiting() == Texts{"NP-1/1 a"});
    CHECK(became(world.take({handed("NP-2", 1, "other")}, true)) == std::vector{queued});
}

TEST_CASE("counted versions rise when the content changes, and only then", "[police]") {
    World world;
    CHECK(world.take(counted("a"))[0].version == 1);
    CHECK(became(world.take(counted("a"))) == std::vector{known});
    CHECK(world.take(counted("b"))[0].version == 2);
    CHECK(became(world.take(counted("b"))) == std::vector{known});
    CHECK(world.take(counted("a"))[0].version == 3);  // back to what it was is news as well
    CHECK(world.waiting() == Texts{"NP-1/1 a", "NP-1/2 b", "NP-1/3 a"});
}

TEST_CASE("what the broker refused for good may be handed over again", "[police]") {
    const bool is_counted = GENERATE(false, true);
    World world;
    const auto first = handed("NP-1", 1, "a", is_counted);
    const auto message = world.take({first})[0].message;
    REQUIRE(message);
    world.with([&](Intake&, client::Box& box) { box.refused(*message, {Reason::not_permitted, "topic"}); });
    CHECK(became(world.take({first})) == std::vector{queued});
    CHECK(became(world.take({first})) == std::vector{known});
}

TEST_CASE("judging changes nothing", "[police]") {
    World world;
    world.with([&](Intake& intake, client::Box&) {
        CHECK(became(intake.judge({handed("NP-1", 1, "a")})) == std::vector{queued});
        CHECK(became(intake.judge({handed("NP-1", 1, "a")})) == std::vector{queued});
    });
    CHECK(world.waiting().empty());
}

TEST_CASE("a reference may look like anything", "[police]") {
    World world;
    CHECK(became(world.take({handed("last/NP-1", 1, "a"), handed("1/NP-1", 1, "b"),
                             handed("NP-1", 1, "c", true), handed("NP-1", 1, "c", true)})) ==
          std::vector{queued, queued, queued, known});
}
