#include "tests/unit/exchange/world.h"

using namespace flagpost;
using namespace flagpost::exchange;
using namespace flagpost::exchange::testing;
using log::LeafKind;
using schemas::Level;
using namespace std::chrono_literals;

namespace {

const std::string county = "notices/social-care/E10000024";
const std::string first_school = "notices/school/900001";

/// A county that knows one flagged child, and two pupils at two schools.
struct County : World {
    County() {
        give(Started{texts(1, 1)});
        Load flags;
        flags.items = {wire::pack<schemas::Flag>(flag_at(child_a, "1", home_a))};
        load(flags);
        Load roll;
        roll.agency = "education/E10000024";
        roll.topic = "rolls/E10000024";
        roll.of = schemas::LoadOf::rolls;
        roll.scope = "la:E10000024";
        roll.items = {wire::pack<schemas::Pupil>(pupil(child_a, 900001)),
                      wire::pack<schemas::Pupil>(pupil(child_b, 900002))};
        load(roll);
    }
    schemas::SocialCareNoticeValue told_county() const {
        auto notices = delivered<schemas::SocialCareNotice>(county);
        REQUIRE(notices.size() == 1);
        return std::move(notices[0]);
    }
    schemas::SchoolNoticeValue told_school() const {
        auto notices = delivered<schemas::SchoolNotice>(first_school);
        REQUIRE(notices.size() == 1);
        return std::move(notices[0]);
    }
    const log::Record& record_of(LeafKind kind) const {
        const auto found =
            std::ranges::find_if(last.records, [&](const auto& r) { return r.leaf.kind == kind; });
        REQUIRE(found != last.records.end());
        return *found;
    }
};

std::vector<std::string> states(const World& world) {
    std::vector<std::string> all;
    for (const auto& owed : world.exchange.open_obligations()) all.push_back(owed.state);
    return all;
}

}  // namespace

TEST_CASE(
    "a flagged child in an incident is made known to the flag's authority, with every reason on the leaf",
    "[exchange]") {
    County world;
    REQUIRE(confirmed(world.send(incident_with(child_a, "NP-1"))));
    CHECK(world.kinds() == std::vector{LeafKind::published, LeafKind::decided, LeafKind::notice_issued});
    const auto notice = world.told_county();
    CHECK(notice.la_child_id == "1");
    CHECK(notice.incident_reference == "NP-1");
    CHECK(notice.reference.size() == 12);
    CHECK(notice.reference.starts_with("FP-"));

    const auto& decided = world.record_of(LeafKind::decided).leaf;
    CHECK(decided.operation == log::Operation::combination);
    CHECK(decided.engine == world.exchange.engine_digest());
    CHECK(decided.agreement == test_setting().agreement.digest());
    CHECK(decided.candidates > 0);
    CHECK(decided.outcome.starts_with("match=1"));
    CHECK(decided.related == world.last.records[0].leaf.index);

    const auto& issued = world.record_of(LeafKind::notice_issued);
    CHECK(issued.leaf.operation == log::Operation::disclosure);
    CHECK(issued.leaf.actor == "spiffe://county.example/broker/main");
    CHECK(issued.leaf.recipient == "social-care/E10000024");
    CHECK(issued.leaf.topic == county);
    CHECK(issued.leaf.number == 1);
    CHECK(issued.leaf.message == id16(notice.notice));
    CHECK(issued.leaf.rule == "SC-1");
    CHECK(issued.leaf.purpose == "safeguarding");
    CHECK(issued.leaf.legal_basis == std::vector<std::string>{"CA2004-s10"});
    CHECK(issued.leaf.agreement == test_setting().agreement.digest());
    CHECK(issued.leaf.related == decided.index);
    CHECK(issued.subjects == std::vector<std::string>{"flag/E10000024/1", "incident/31/NP-1"});
    CHECK(issued.controller == "social-care/E10000024");
    CHECK(issued.retention == "notice");
    CHECK(envelope_in(issued.body) == world.last.deliveries[0].envelope);
    CHECK(states(world) == std::vector<std::string>{"sent"});
    check_recovery(world);
}

TEST_CASE(
    "an incident that concerns nobody known is decided, told to nobody, and forgotten when its window ends",
    "[exchange]") {
    County world;
    auto elsewhere = incident_with(stranger, "NP-2");
    elsewhere.place = place(home_a + 1);
    world.send(elsewhere);
    CHECK(world.kinds() == std::vector{LeafKind::published, LeafKind::decided});
    CHECK(world.last.deliveries.empty());
    const auto index = world.last.records[0].leaf.index;
    world.tick(limits::late_flag_window - 1s);
    CHECK(world.last.records.empty());
    check_recovery(world);
    world.tick(1s);
    REQUIRE(world.kinds() == std::vector{LeafKind::erased});
    const auto& erased = world.last.records[0];
    CHECK(erased.leaf.operation == log::Operation::erasure);
    CHECK(erased.shreds == std::vector<log::StateKey>{
                               {"incident/" + std::to_string(index), false}
    });
    check_recovery(world);
    world.tick(1h);
    CHECK(world.last.records.empty());
}

TEST_CASE("an incident somebody was told of is kept when its window ends, and its threads for longer",
          "[exchange]") {
    County world;
    world.send(incident_with(child_a, "NP-1"));
    world.answer_all();
    world.tick(limits::late_flag_window);
    REQUIRE(world.kinds() == std::vector{LeafKind::erased});
    CHECK(world.last.records[0].leaf.operation == log::Operation::none);
    CHECK(world.last.records[0].shreds.empty());
    CHECK(world.last.records[0].drops.size() == 1);
    check_recovery(world);

    // An update after the window is threaded onto what was told.
    auto update = incident_with(child_a, "NP-1", 2);
    update.circumstances = "It turns out that more happened.";
    world.send(update);
    CHECK(world.record_of(LeafKind::notice_issued).leaf.outcome == "update");
    world.answer_all();
    check_recovery(world);
    world.tick(limits::late_flag_window);
    check_recovery(world);
    world.tick(limits::thread_kept);
    REQUIRE(world.kinds() == std::vector{LeafKind::erased});
    check_recovery(world);
}

TEST_CASE("when everything is due at once, each window and thread still ends once", "[exchange]") {
    County world;
    world.send(incident_with(child_a, "NP-1"));
    auto update = incident_with(child_a, "NP-1", 2);
    update.circumstances = "More happened.";
    world.send(update);
    world.send(incident_with(stranger, "NP-2"));
    world.answer_all();
    world.tick(limits::thread_kept + limits::late_flag_window);
    REQUIRE(world.kinds() == std::vector{LeafKind::erased});
    check_recovery(world);
    world.tick(1s);
    CHECK(world.last.records.empty());
}

TEST_CASE("closing many windows takes as many records as their bound says", "[exchange]") {
    World world;
    for (std::size_t i = 0; i < limits::closings_per_record_max + 1; ++i)
        world.send(incident("NP-" + std::to_string(i)));
    world.tick(limits::late_flag_window);
    CHECK(world.kinds() == std::vector{LeafKind::erased, LeafKind::erased});
    CHECK(world.last.records[0].shreds.size() == limits::closings_per_record_max);
    check_recovery(world);
}

TEST_CASE("a new version is told only to whom it says something new, on the same thread", "[exchange]") {
    County world;
    world.send(incident_with(child_a, "NP-1"));
    const auto first = world.told_county();

    world.send(incident_with(child_a, "NP-1", 2));
    CHECK(world.kinds() == std::vector{LeafKind::published, LeafKind::decided});
    CHECK(world.last.deliveries.empty());

    auto third = incident_with(child_a, "NP-1", 3);
    third.circumstances = "A second child was in the house.";
    world.send(third);
    const auto update = world.told_county();
    CHECK(update.incident_version == 3);
    CHECK(update.notice != first.notice);
    const auto envelope = wire::read_envelope(world.last.deliveries[0].envelope).value();
    REQUIRE(envelope.table->correlation() != nullptr);
    CHECK(copy(bytes_of(envelope.table->correlation())) == first.notice);
    CHECK(states(world) == std::vector<std::string>{"sent", "sent"});
    check_recovery(world);
}

TEST_CASE("an older version, or the same again with other words, is kept and decides nothing", "[exchange]") {
    const auto version = GENERATE(1u, 2u);
    CAPTURE(version);
    County world;
    world.send(incident_with(child_a, "NP-1", 2));
    auto again = incident_with(child_a, "NP-1", version);
    again.circumstances = "Something else.";
    CHECK(confirmed(world.send(again)));
    CHECK(world.kinds() == std::vector{LeafKind::published});
    check_recovery(world);
    world.tick(limits::late_flag_window);
    check_recovery(world);
}

TEST_CASE("a domestic-abuse incident is made known to the child's own school and no other", "[exchange]") {
    County world;
    world.send(abuse_with(child_a, "NP-3"));
    const auto notice = world.told_school();
    CHECK(notice.urn == 900001);
    CHECK(notice.incident_reference == "NP-3");
    CHECK(world.delivered<schemas::SchoolNotice>("notices/school/900002").empty());
    const auto leaf =
        std::ranges::find(world.last.records, "SCH-1", [](const auto& r) { return r.leaf.rule; });
    REQUIRE(leaf != world.last.records.end());
    CHECK(leaf->leaf.legal_basis == std::vector<std::string>{"DAA2021-s49A"});
    check_recovery(world);
}

TEST_CASE("a flag that comes late finds the incident while its window is open, once", "[exchange]") {
    World world;
    world.give(Started{texts(1, 1)});
    world.send(incident_with(child_a, "NP-1"));
    CHECK(world.last.deliveries.empty());
    world.now += 48h;
    Load flags;
    flags.items = {wire::pack<schemas::Flag>(flag_at(child_a, "1", home_a))};
    world.load(flags);
    world.tick(1s);
    REQUIRE(world.kinds() == std::vector{LeafKind::decided, LeafKind::notice_issued});
    CHECK(world.last.records[0].leaf.outcome.starts_with("late: match=1"));
    CHECK(world.last.records[1].leaf.outcome == "late");
    CHECK(world.delivered<schemas::SocialCareNotice>(county).size() == 1);
    check_recovery(world);
    world.tick(1s);
    CHECK(world.last.records.empty());

    // Nor is it told again when the register changes once more.
    flags.sequence = 2;
    auto renamed = flag_at(child_a, "1", home_a);
    renamed.team = "Another team";
    flags.items = {wire::pack<schemas::Flag>(renamed)};
    world.load(flags);
    world.tick(1s);
    CHECK(world.last.records.empty());

    // It counts as matched now: nothing of it is destroyed.
    world.tick(limits::late_flag_window);
    CHECK(world.last.records.at(0).shreds.empty());
    check_recovery(world);
}

TEST_CASE("a flag that comes after the window finds nothing", "[exchange]") {
    World world;
    world.send(incident_with(child_a, "NP-1"));
    world.tick(limits::late_flag_window);
    Load flags;
    flags.items = {wire::pack<schemas::Flag>(flag_at(child_a, "1", home_a))};
    world.load(flags);
    world.tick(1s);
    CHECK(world.last.records.empty());
}

TEST_CASE("a restart looks again at what is retained, and tells nobody twice", "[exchange]") {
    County world;
    world.send(incident_with(child_a, "NP-1"));
    world.give(Started{texts(1, 1)});
    world.tick(1s);
    CHECK(world.last.records.empty());
}

TEST_CASE("a notice is owed until its recipient answers as that kind of notice must be", "[exchange]") {
    County world;
    world.send(abuse_with(child_a, "NP-3"));
    const auto to_county = id16(world.told_county().notice);
    const auto to_school = id16(world.told_school().notice);
    REQUIRE(states(world) == std::vector<std::string>{"sent", "sent"});

    // Opening is enough for a school.
    world.acknowledge("school/900001", first_school, {1});
    CHECK(confirmed(world.receipt("school/900001", to_school, Level::opened)));
    REQUIRE(world.kinds() == std::vector{LeafKind::opened});
    const auto& opened = world.last.records[0];
    CHECK(opened.leaf.message == to_school);
    CHECK(opened.user == "J. Worker");
    CHECK(opened.drops == std::vector<log::StateKey>{
                              {"notice/" + to_hex(to_school), false}
    });
    CHECK(states(world) == std::vector<std::string>{"sent"});
    check_recovery(world);

    // Social care has to say what it did.
    world.acknowledge("social-care/E10000024", county, {1});
    CHECK(states(world) == std::vector<std::string>{"stored"});
    world.receipt("social-care/E10000024", to_county, Level::opened);
    CHECK(states(world) == std::vector<std::string>{"opened"});
    check_recovery(world);
    world.receipt("social-care/E10000024", to_county, Level::recorded, "strategy_discussion");
    CHECK(world.last.records[0].leaf.outcome == "strategy_discussion");
    CHECK(world.last.records[0].drops.size() == 2);
    CHECK(world.exchange.open_obligations().empty());
    check_recovery(world);
}

TEST_CASE("a receipt may come twice, late, or before the mailbox knows that the notice arrived",
          "[exchange]") {
    County world;
    world.send(incident_with(child_a, "NP-1"));
    const auto notice = id16(world.told_county().notice);
    world.receipt("social-care/E10000024", notice, Level::opened);
    world.receipt("social-care/E10000024", notice, Level::opened);
    CHECK(world.kinds() == std::vector{LeafKind::opened});
    CHECK(world.last.records[0].sets.empty());
    check_recovery(world);

    CHECK(world.exchange.pending(county, 1));
    world.receipt("social-care/E10000024", notice, Level::recorded);
    CHECK_FALSE(world.exchange.pending(county, 1));
    CHECK(world.exchange.high_water(county) == 1);
    check_recovery(world);
    CHECK(std::holds_alternative<Permitted>(world.acknowledge("social-care/E10000024", county, {1})));
    CHECK(world.last.records.empty());

    CHECK(confirmed(world.receipt("social-care/E10000024", notice, Level::recorded, "changed_mind")));
    CHECK(world.last.records[0].drops.empty());
    CHECK(world.exchange.open_obligations().empty());
    check_recovery(world);
}

TEST_CASE("a receipt is refused from whom the notice was not for", "[exchange]") {
    County world;
    world.send(abuse_with(child_a, "NP-3"));
    const auto to_school = id16(world.told_school().notice);
    const auto [why, who, notice, level,
                wanted] = GENERATE_COPY(table<const char*, const char*, Id16, Level, Refusal>({
        {"another school",
         "school/900002",                              to_school,
         Level::opened,
         {Reason::not_permitted, "agreement: notices/school/<urn> is for school/<urn> or who acts for it"}          },
        {"the police, who caused it",
         "police/31",                                  to_school,
         Level::opened,
         {Reason::not_permitted, "agreement: notices/school/<urn> is for school/<urn> or who acts for it"}          },
        {"nobody's notice",
         "school/900001",                              Id16{1},
         Level::opened,
         {Reason::unknown_message, "receipt.notice"}                                                                },
        {"stored is for the session",
         "school/900001",                              to_school,
         Level::stored,
         {Reason::invalid_value, "receipt.level"}                                                                   },
        {"no such level",             "school/900001", to_school, Level(7), {Reason::invalid_value, "receipt.level"}},
    }));
    CAPTURE(why);
    CHECK(refusal(world.receipt(who, notice, level)) == wanted);
    CHECK(world.kinds() == std::vector{LeafKind::refused});
    CHECK(world.exchange.open_obligations().size() == 2);
}

TEST_CASE("what was done is said by a code, so that no leaf can hold words about a child", "[exchange]") {
    const auto [outcome, permitted] = GENERATE(table<const char*, bool>({
        {"contacted",               true },
        {"not_this_child",          true },
        {"",                        false},
        {"Amelia was seen at home", false},
        {"Contacted",               false},
        {"called;rang",             false},
    }));
    CAPTURE(outcome);
    County world;
    world.send(incident_with(child_a, "NP-1"));
    const auto notice = id16(world.told_county().notice);
    const auto reply = world.receipt("social-care/E10000024", notice, Level::recorded, outcome);
    CHECK(confirmed(reply) == permitted);
    if (!permitted) CHECK(refusal(reply) == Refusal{Reason::invalid_value, "receipt.outcome"});
}

TEST_CASE("who acts for a school answers for it", "[exchange]") {
    County world;
    world.send(abuse_with(child_b, "NP-4"));
    const auto notices = world.delivered<schemas::SchoolNotice>("notices/school/900002");
    REQUIRE(notices.size() == 1);
    CHECK(confirmed(world.receipt("trust/north", id16(notices[0].notice), Level::opened)));
    CHECK(std::ranges::none_of(world.exchange.open_obligations(),
                               [](const auto& owed) { return owed.recipient == "school/900002"; }));
    check_recovery(world);
}

TEST_CASE("the same commands make the same notices, to the byte", "[exchange]") {
    County one, other;
    one.send(abuse_with(child_a, "NP-3"));
    other.send(abuse_with(child_a, "NP-3"));
    CHECK(one.last.records == other.last.records);
    CHECK(one.records == other.records);
}

TEST_CASE("a reference that people read aloud has no letters that look like digits", "[exchange]") {
    County world;
    for (int i = 0; i < 20; ++i) {
        world.send(incident_with(child_a, "NP-" + std::to_string(i)));
        const auto reference = world.told_county().reference;
        CHECK(reference[2] == '-');
        CHECK(reference[7] == '-');
        CHECK(reference.substr(3).find_first_of("ILOU") == std::string::npos);
    }
}
