#include <random>
#include <tuple>

#include "tests/unit/exchange/world.h"

using namespace flagpost;
using namespace flagpost::exchange;
using namespace flagpost::exchange::testing;
using namespace std::chrono_literals;

namespace {

/// Parties who do all they can, in an order that a seed decides: also what they may not.
class Crowd {
public:
    Crowd(World& world, unsigned seed) : world_{world}, random_{seed} {}

    void act() {
        world_.now += std::chrono::seconds{below(900)};
        if (below(12) == 0) world_.expire();
        if (below(8) == 0) return order();
        switch (below(27)) {
            case 0:
                return publish_incident(false);
            case 1:
                return publish_incident(true);
            case 2:
                return publish_incident(below(2) == 0);
            case 3:
                return load_flags();
            case 4:
                return load_roll();
            case 5:
                return half_load();
            case 6:
                return bench();
            case 7:
                return bench();
            case 8:
                return acknowledge();
            case 9:
                return acknowledge();
            case 10:
                return acknowledge();
            case 11:
                return receipt();
            case 12:
                return receipt();
            case 13:
                return receipt();
            case 14:
                return session();
            case 15:
                return give_up();
            case 16:
                return operate();
            case 17:
                return step_clock();
            case 18:
            case 19:
            case 20:
                return review();
            case 21:
                return ask();
            case 22:
                return answer();
            default:
                world_.tick(below(6) == 0 ? 40h : below(40) == 0 ? 24h * 60 : 1s);
        }
    }

    std::map<std::string, std::size_t> verdicts;

private:
    unsigned below(unsigned bound) { return static_cast<unsigned>(random_() % bound); }
    template <class T> const T& pick(const std::vector<T>& from) {
        return from[below(static_cast<unsigned>(from.size()))];
    }
    const Who& someone() {
        static const std::vector<Who> people{child_a, child_b, stranger, mother_a};
        return pick(people);
    }

    void publish_incident(bool abuse) {
        const auto reference = "NP-" + std::to_string(below(12));
        auto value = abuse ? abuse_with(someone(), reference, 1 + below(4))
                           : incident_with(someone(), reference, 1 + below(4));
        if (below(2) == 0) value.circumstances = "Version " + std::to_string(below(5));
        if (below(10) == 0) value.force = "32";
        if (below(3) == 0) value.qualifiers = {"hold_for_person"};
        if (below(9) == 0) value.status = schemas::IncidentStatus::withdrawn;
        world_.send(value);
        remember_deliveries();
    }

    void load_flags() {
        Load load;
        load.sequence = flag_sequence_ + (below(8) == 0 ? 1 : 0);
        load.mode = below(3) == 0 ? schemas::LoadMode::delta : schemas::LoadMode::full;
        for (const auto* who : {&child_a, &child_b, &stranger}) {
            if (below(3) == 0) continue;
            auto value = below(2) == 0 ? flag_at(*who, who->family, home_a) : flag(*who, who->family);
            if (below(6) == 0) value.la = "E06000018";
            load.items.push_back(wire::pack<schemas::Flag>(value));
        }
        if (load.items.empty()) return;
        const auto id = world_.next_id();
        world_.begin(load, id);
        const auto gap = !world_.last.deliveries.empty();
        const auto parts = world_.send_parts(load, id);
        if (below(6) != 0) {
            world_.commit(load, id, parts + (below(8) == 0 ? 1 : 0));
            const auto results = world_.delivered<schemas::LoadResult>("results/social-care/E10000024");
            if (!gap && results.size() == 1 && results[0].code != schemas::FileCode::wrong_count)
                flag_sequence_ = load.sequence + 1;
        }
        remember_deliveries();
    }

    void load_roll() {
        Load load;
        const bool by_school = below(2) == 0;
        load.agency = by_school ? "school/900001" : "education/E10000024";
        load.topic = by_school ? "rolls/school/900001" : "rolls/E10000024";
        load.scope = by_school ? "urn:900001" : "la:E10000024";
        load.of = schemas::LoadOf::rolls;
        load.sequence = ++(by_school ? school_sequence_ : roll_sequence_);
        for (const auto* who : {&child_a, &child_b})
            if (below(3) != 0) {
                auto value = pupil(*who, 900001 + below(2));
                if (below(2) == 0) value.shield = schemas::Shield::refuge;
                load.items.push_back(wire::pack<schemas::Pupil>(value));
            }
        world_.load(load);
        if (load.items.empty()) --(by_school ? school_sequence_ : roll_sequence_);
    }

    void half_load() {
        Load load;
        load.agency = "operator/duty";
        load.topic = "reference/bank-holidays";
        load.of = schemas::LoadOf::bank_holidays;
        load.sequence = 1;
        schemas::BankHolidayValue day;
        day.division = "england-and-wales";
        day.date = "2025-12-2" + std::to_string(below(10));
        load.items.push_back(wire::pack<schemas::BankHoliday>(day));
        const auto id = world_.next_id();
        world_.begin(load, id);
        if (below(2) == 0) world_.send_parts(load, id);
    }

    void bench() {
        const auto n = std::to_string(1 + below(2));
        world_.send("bench/" + n, schemas::Kind::opaque, "bench/" + std::to_string(1 + below(2)),
                    Bytes(below(100), 1));
    }

    void acknowledge() {
        static const std::vector<std::pair<std::string, std::string>> boxes{
            {"bench/1",               "bench/1"                      },
            {"bench/2",               "bench/2"                      },
            {"social-care/E10000024", "notices/social-care/E10000024"},
            {"social-care/E10000024", "results/social-care/E10000024"},
            {"social-care/E10000024", "reviews/E10000024"            },
            {"school/900001",         "notices/school/900001"        },
            {"trust/north",           "notices/school/900002"        },
            {"police/31",             "questions/31"                 },
            {"school/900001",         "notices/school/900002"        },
        };
        const auto& [agency, topic] = pick(boxes);
        std::vector<std::uint64_t> numbers;
        const auto high = static_cast<unsigned>(world_.exchange.high_water(topic));
        for (unsigned i = 0; i < 1 + below(4); ++i) numbers.push_back(below(high + (below(8) == 0 ? 3 : 1)));
        if (below(3) == 0)
            for (unsigned number = 1; number <= high; ++number) numbers.push_back(number);
        if (below(4) != 0) std::erase(numbers, 0u);
        world_.acknowledge(agency, topic, numbers);
    }

    void receipt() {
        if (notices_.empty()) return;
        const auto& [recipient, notice] = pick(notices_);
        const auto agency = below(6) == 0   ? "education/E10000024"
                            : below(8) == 0 ? "school/900001"
                                            : recipient;
        const bool opens = below(2) == 0;
        world_.receipt(agency, notice, opens ? schemas::Level::opened : schemas::Level::recorded,
                       below(2) == 0 ? "not_on_roll" : "recorded");
        for (const auto& record : world_.last.records)
            if (record.leaf.kind == log::LeafKind::reviewed) ++verdicts["given back"];
        remember_deliveries();
    }

    void review() {
        std::vector<Id16> open;
        for (const auto& owed : world_.exchange.open_obligations())
            if (owed.topic.starts_with("reviews/")) open.push_back(owed.notice);
        if (open.empty() && notices_.empty()) return;
        const auto& which = open.empty() || below(8) == 0 ? pick(notices_).second : pick(open);
        static const std::vector<std::string> people{"R. One", "R. Two"};
        world_.decide_review(which, static_cast<schemas::Verdict>(below(3)), pick(people));
        for (const auto& record : world_.last.records) {
            if (record.leaf.kind == log::LeafKind::recorded) ++verdicts[record.leaf.outcome];
            if (record.leaf.outcome == "permitted") ++verdicts["sent"];
        }
        remember_deliveries();
    }

    void ask() {
        if (notices_.empty()) return;
        const auto& [recipient, notice] = pick(notices_);
        const auto agency = below(6) == 0 ? "social-care/E06000018" : "social-care/E10000024";
        for (int i = 0; i < 12; ++i) {
            world_.ask(agency, notice, "NP-" + std::to_string(i));
            for (const auto& record : world_.last.records)
                if (record.leaf.outcome == "question") ++verdicts["question"];
        }
        remember_deliveries();
    }

    void answer() {
        std::vector<Id16> open;
        for (const auto& owed : world_.exchange.open_obligations())
            if (owed.topic.starts_with("questions/")) open.push_back(owed.notice);
        if (open.empty() && notices_.empty()) return;
        world_.answer(open.empty() || below(8) == 0 ? pick(notices_).second : pick(open),
                      below(8) == 0 ? "police/32" : "police/31");
        for (const auto& record : world_.last.records)
            if (record.leaf.outcome == "answer") ++verdicts["answer"];
        remember_deliveries();
    }

    void give_up() {
        static const std::vector<std::string> topics{"bench/1",
                                                     "notices/social-care/E10000024",
                                                     "notices/school/900001",
                                                     "notices/education/E10000024",
                                                     "reports/police/31",
                                                     "questions/31"};
        const auto& topic = pick(topics);
        const auto next = world_.exchange.next_pending(topic, 0);
        const auto number = next && below(8) != 0 ? next->first : 1 + below(5);
        world_.give(GaveUp{topic, number, 8, Bytes(10 + below(9), 7)});
    }

    void operate() {
        schemas::OperatorActionValue action;
        action.does = static_cast<schemas::OperatorDoes>(below(3));
        action.by = "O. Perator";
        action.reason = "looked_at";
        const auto dead = world_.exchange.dead_letters();
        if (!dead.empty() && below(8) != 0) {
            const auto& one = pick(dead);
            action.topic = one.topic;
            action.number = one.number;
        }
        world_.send("operator/duty", schemas::Kind::operator_action, "operations/duty",
                    wire::pack<schemas::OperatorAction>(action));
    }

    void order() {
        static const std::vector<std::string> agencies{"police/31", "social-care/E10000024", "school/900001",
                                                       "operator/duty"};
        static const std::vector<std::string> subjects{"incident/31/NP-0",
                                                       "incident/31/NP-1",
                                                       "incident/31/NP-2",
                                                       "incident/31/NP-3",
                                                       "incident/31/NP-4",
                                                       "flag/E10000024/" + child_a.family,
                                                       "flag/E10000024/" + child_b.family,
                                                       "flag/E10000024/" + stranger.family};
        schemas::RecordOrderValue value;
        value.does = below(3) == 0   ? schemas::OrderDoes::hold
                     : below(2) == 0 ? schemas::OrderDoes::lift
                                     : schemas::OrderDoes::erase;
        value.subject = pick(subjects);
        if (value.does == schemas::OrderDoes::erase && below(3) == 0) {
            value.subject.clear();
            value.record = below(static_cast<unsigned>(world_.records.size()) + 1);
        }
        if (below(3) == 0) value.controller = pick(agencies);
        value.reference = "CASE-" + std::to_string(below(2));
        auto agency = pick(agencies);
        if (value.does == schemas::OrderDoes::lift && !holds_.empty() && below(4) != 0)
            std::tie(agency, value.subject, value.controller, value.reference) = pick(holds_);
        const auto name = std::tuple{agency, value.subject, value.controller, value.reference};
        const bool is_hold = value.does == schemas::OrderDoes::hold;
        if (confirmed(world_.order(agency, std::move(value))) && is_hold) holds_.push_back(name);
    }

    void step_clock() {
        if (below(3) == 0) {
            world_.give(ClockSynchronised{});
        } else {
            world_.give(
                ClockStepped{below(2) == 0 ? std::chrono::microseconds{1h} : std::chrono::microseconds{-3s}});
        }
    }

    void session() {
        switch (below(4)) {
            case 0:
                world_.give(Started{texts(below(2), below(2))});
                break;
            case 1:
                world_.give(SessionOpened{actor("school/900001"), Digest{}});
                break;
            case 2:
                world_.give(Subscribe{actor("school/900001"), {"notices/school/900002"}});
                break;
            default:
                world_.give(Consult{actor("auditor/office"), "entries"});
                break;
        }
    }

    void remember_deliveries() {
        for (const auto& record : world_.last.records)
            if (record.leaf.kind == log::LeafKind::notice_issued)
                notices_.emplace_back(record.leaf.recipient, *record.leaf.message);
    }

    World& world_;
    std::mt19937 random_;
    std::uint64_t flag_sequence_ = 1, school_sequence_ = 0, roll_sequence_ = 0;
    std::vector<std::pair<std::string, Id16>> notices_;
    std::vector<std::tuple<std::string, std::string, std::string, std::string>>
        holds_;  // all there ever were
};

}  // namespace

TEST_CASE("whatever happened, all records and the live records lead to the state that is", "[exchange]") {
    std::map<log::LeafKind, std::size_t> seen;
    std::map<std::string, std::size_t> verdicts;
    std::map<std::string, std::size_t> erased_by;
    for (unsigned seed = 1; seed <= 90; ++seed) {
        CAPTURE(seed);
        World world;
        load_schools(world);
        Crowd crowd{world, seed};
        for (int i = 0; i < 150; ++i) {
            CAPTURE(i);
            crowd.act();
            if (i % 10 == 0) {
                const auto now = world.exchange.state_digest();
                REQUIRE(digest_after(world.records, true) == now);
            }
        }
        REQUIRE(digest_after(world.records, false) == world.exchange.state_digest());
        for (const auto& record : world.records) {
            ++seen[record.leaf.kind];
            if (record.leaf.outcome == "recalled" || record.leaf.outcome == "recall")
                ++verdicts[record.leaf.outcome];
            if (record.leaf.kind == log::LeafKind::erased) ++erased_by[record.leaf.rule];
        }
        for (const auto& [outcome, count] : crowd.verdicts) verdicts[outcome] += count;

        // The same commands, decided again.
        Exchange again{test_setting()};
        std::vector<log::Record> records;
        for (const auto& [command, when] : world.commands) {
            const auto outcome = again.decide(command, when);
            records.insert(records.end(), outcome.records.begin(), outcome.records.end());
        }
        REQUIRE(records == world.records);
        REQUIRE(again.state_digest() == world.exchange.state_digest());
    }
    // The crowd is worth nothing if it never does a thing.
    using log::LeafKind;
    for (const auto kind :
         {LeafKind::published,  LeafKind::refused,        LeafKind::decided,       LeafKind::notice_issued,
          LeafKind::stored,     LeafKind::opened,         LeafKind::recorded,      LeafKind::load_applied,
          LeafKind::record_set, LeafKind::record_removed, LeafKind::erased,        LeafKind::escalated,
          LeafKind::overdue,    LeafKind::reported,       LeafKind::dead_lettered, LeafKind::reinserted,
          LeafKind::discarded,  LeafKind::clock_step,     LeafKind::held,          LeafKind::lifted}) {
        CAPTURE(schemas::EnumNameLeafKind(kind));
        CHECK(seen[kind] > 20);
    }
    for (const char* outcome : {"permit: looked_at", "deny: looked_at", "unsure: looked_at", "disagreed",
                                "sent", "recall", "recalled", "question", "answer", "given back"}) {
        CAPTURE(outcome);
        CHECK(verdicts[outcome] > 5);
    }
    for (const auto* rule : {"order", "RET-N", "RET-NS", "RET-I", "RET-F", "RET-R"}) {
        CAPTURE(rule);
        CHECK(erased_by[rule] > 2);
    }
}

TEST_CASE("an exchange that was restarted decides as one that was not", "[exchange]") {
    for (unsigned seed = 101; seed <= 120; ++seed) {
        CAPTURE(seed);
        World world;
        Crowd crowd{world, seed};
        for (int i = 0; i < 80; ++i) crowd.act();
        // A start looks again at all that is retained; both exchanges are told of one.
        world.give(Started{texts(9, 9)});
        Exchange restarted{test_setting()};
        LiveRecords keys;
        for (const auto& record : world.records) keys.add(record);
        for (const auto& record : world.records)
            if (keys.indexes().contains(record.leaf.index))
                restarted.apply(record.leaf.index, record.leaf.kind, record.body);
        restarted.set_next_index(world.exchange.next_index());
        const auto before = world.commands.size();
        const Started start{texts(9, 9)};
        world.give(start);
        for (int i = 0; i < 80; ++i) crowd.act();
        for (auto i = before; i < world.commands.size(); ++i) {
            const auto& [command, when] = world.commands[i];
            restarted.decide(command, when);
        }
        CHECK(restarted.state_digest() == world.exchange.state_digest());
        CHECK(restarted.next_index() == world.exchange.next_index());
    }
}

TEST_CASE("a body that no exchange wrote stops the process rather than pass for state", "[exchange]") {
    World world;
    world.send(incident_with(child_a, "NP-1"));
    auto body = world.last.records[0].body;
    body.resize(body.size() - 8);
    Exchange again{test_setting()};
    CHECK_THROWS_AS(again.apply(0, log::LeafKind::published, body), std::runtime_error);
    CHECK_THROWS_AS(again.apply(0, log::LeafKind::published, Bytes(64, 0xff)), std::runtime_error);
    CHECK_THROWS_AS(envelope_in(Bytes(64, 0xff)), std::runtime_error);
}
