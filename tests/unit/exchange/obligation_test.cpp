#include "tests/unit/exchange/world.h"

using namespace flagpost;
using namespace flagpost::exchange;
using namespace flagpost::exchange::testing;
using namespace std::chrono_literals;
using log::LeafKind;
using schemas::Level;

namespace {

constexpr const char* school_box = "notices/school/900001";
constexpr const char* education_box = "notices/education/E10000024";
constexpr const char* force_box = "reports/police/31";

std::unique_ptr<World> county() {
    auto world = std::make_unique<World>();
    load_schools(*world);
    world->load(first_roll());
    return world;
}

void load_flags(World& world) {
    Load flags;
    flags.items = {wire::pack<schemas::Flag>(flag_at(child_a, "1", home_a))};
    world.load(flags);
}

/// Wednesday 5 March, 9:00: the school has until Thursday morning. Returns the notice.
Id16 owe_school(World& world) {
    world.send(abuse_with(child_a, "NP-1"));
    const auto notices = world.delivered<schemas::SchoolNotice>(school_box);
    REQUIRE(notices.size() == 1);
    CHECK(notices[0].addressed_to == "A. First");
    return id16(notices[0].notice);
}

OpenObligation open_one(const World& world, const Id16& notice) {
    for (const auto& open : world.exchange.open_obligations())
        if (open.notice == notice) return open;
    throw std::runtime_error{"it is not open"};
}

bool is_open(const World& world, const Id16& notice) {
    return std::ranges::any_of(world.exchange.open_obligations(),
                               [&](const auto& open) { return open.notice == notice; });
}

std::vector<std::string> reports_of(const World& world, const std::string& topic) {
    std::vector<std::string> all;
    for (const auto& report : world.delivered<schemas::Report>(topic))
        all.push_back(std::string{schemas::EnumNameReportOf(report.what)} + " " + report.recipient + " " +
                      report.to);
    return all;
}

void acknowledge_all(World& world, const std::string& agency, const std::string& topic) {
    while (const auto next = world.exchange.next_pending(topic, 0))
        world.acknowledge(agency, topic, {next->first});
}

Reply operate(World& world, schemas::OperatorDoes does, const std::string& topic = "",
              std::uint64_t number = 0) {
    schemas::OperatorActionValue action;
    action.does = does;
    action.topic = topic;
    action.number = number;
    action.by = "O. Perator";
    action.reason = "consumer_mended";
    return world.send("operator/duty", schemas::Kind::operator_action, "operations/duty",
                      wire::pack<schemas::OperatorAction>(action));
}

}  // namespace

TEST_CASE("a notice nobody answers goes up its ladder, rung by rung, and ends nowhere", "[exchange]") {
    auto world = county();
    const auto notice = owe_school(*world);
    const auto due = open_one(*world, notice).due;

    world->tick(2h - 1us);
    CHECK(world->last.records.empty());
    world->tick(1us);  // nobody has even stored it
    auto again = world->delivered<schemas::SchoolNotice>(school_box);
    REQUIRE(again.size() == 1);
    CHECK(again[0].addressed_to == "B. Second");
    CHECK(id16(again[0].notice) == notice);
    CHECK(reports_of(*world, force_box) == std::vector<std::string>{"escalated school school"});

    world->now = due - 3h;
    world->tick(0us);
    const auto education = world->delivered<schemas::SchoolNotice>(education_box);
    REQUIRE(education.size() == 1);
    CHECK(id16(education[0].notice) == notice);
    CHECK(education[0].child_family_name == "Ravenscroft");
    CHECK(education[0].upn.empty());  // their rule does not list what the school's does
    CHECK(open_one(*world, notice).with == "education/E10000024");
    CHECK(reports_of(*world, force_box) == std::vector<std::string>{"escalated school education"});

    world->now = due - 1h;
    world->tick(0us);
    CHECK(reports_of(*world, force_box) == std::vector<std::string>{"escalated school/900001 police"});
    CHECK(open_one(*world, notice).with == "police/31");
    CHECK_FALSE(open_one(*world, notice).overdue);

    world->now = due;
    world->tick(0us);
    CHECK(world->kinds() == std::vector{LeafKind::overdue, LeafKind::reported});
    CHECK(reports_of(*world, force_box) == std::vector<std::string>{"overdue school "});
    CHECK(open_one(*world, notice).overdue);

    world->tick(24h * 30);
    CHECK(is_open(*world, notice));
    check_recovery(*world);
}

TEST_CASE("a delivery is found again for whom it is owed to, as long as it is owed", "[exchange]") {
    auto world = county();
    const auto notice = owe_school(*world);
    const auto school = *AgencyId::parse("school/900001");
    acknowledge_all(*world, "school/900001", school_box);
    const auto owed = world->exchange.owed_to(school, notice);
    REQUIRE(owed);
    CHECK(owed->topic == school_box);
    CHECK(owed->number == 1);
    CHECK_FALSE(world->exchange.owed_to(*AgencyId::parse("police/31"), notice));
    CHECK_FALSE(world->exchange.owed_to(*AgencyId::parse("education/E10000024"), notice));
    CHECK_FALSE(world->exchange.owed_to(school, Id16{}));
    SECTION("not once somebody has recorded what was done") {
        REQUIRE(confirmed(world->receipt("school/900001", notice, Level::recorded)));
    }
    SECTION("not once it was recalled") {
        auto withdrawn = incident("NP-1", 2);
        withdrawn.status = schemas::IncidentStatus::withdrawn;
        world->send(withdrawn);
    }
    CHECK_FALSE(world->exchange.owed_to(school, notice));
}

TEST_CASE("whoever it was escalated to may answer, and everybody asked hears that it is settled",
          "[exchange]") {
    auto world = county();
    const auto notice = owe_school(*world);
    CHECK(reason(world->receipt("education/E10000024", notice, Level::opened)) == Reason::not_permitted);
    world->now = open_one(*world, notice).due - 3h;
    world->tick(0us);
    CHECK(reason(world->receipt("social-care/E10000024", notice, Level::opened)) == Reason::not_permitted);

    REQUIRE(confirmed(world->receipt("education/E10000024", notice, Level::opened)));
    CHECK_FALSE(is_open(*world, notice));
    CHECK(reports_of(*world, force_box) == std::vector<std::string>{"closed school "});
    CHECK(world->exchange.next_pending(school_box, 0));  // the school still gets what it was sent
    check_recovery(*world);
    world->tick(48h);
    CHECK_FALSE(is_open(*world, notice));
    CHECK(confirmed(world->receipt("school/900001", notice, Level::opened)));
    CHECK(confirmed(world->receipt("education/E10000024", notice, Level::recorded)));
    acknowledge_all(*world, "school/900001", school_box);
    check_recovery(*world);
    world->tick(24h * 91);
    check_recovery(*world);
}

TEST_CASE("a rung is passed over once what it waits for has happened", "[exchange]") {
    auto world = county();
    const auto notice = owe_school(*world);
    acknowledge_all(*world, "school/900001", school_box);
    CHECK(open_one(*world, notice).state == "stored");
    world->tick(2h);
    CHECK(world->last.deliveries.empty());  // "again, unless stored"
    world->now = open_one(*world, notice).due - 3h;
    world->tick(0us);
    CHECK(world->delivered<schemas::SchoolNotice>(education_box).size() == 1);
    acknowledge_all(*world, "education/E10000024", education_box);

    REQUIRE(confirmed(world->receipt("school/900001", notice, Level::opened)));
    CHECK(reports_of(*world, "reports/education/E10000024") == std::vector<std::string>{"closed school "});
    CHECK(reports_of(*world, force_box) == std::vector<std::string>{"closed school "});
    check_recovery(*world);
}

TEST_CASE(
    "a child no school has on its roll goes to the authority's education officer, and to that school no more",
    "[exchange]") {
    auto world = county();
    const auto notice = owe_school(*world);
    REQUIRE(confirmed(world->receipt("school/900001", notice, Level::opened)));
    REQUIRE(confirmed(world->receipt("school/900001", notice, Level::recorded, "not_on_roll")));
    CHECK(world->kinds() ==
          std::vector{LeafKind::recorded, LeafKind::reviewed, LeafKind::decided, LeafKind::notice_issued});
    const auto told = world->delivered<schemas::SchoolNotice>(education_box);
    REQUIRE(told.size() == 1);
    CHECK(told[0].child_family_name == child_a.family);
    CHECK(told[0].urn == 900001);  // where the roll still has the child
    CHECK(told[0].upn.empty());    // by the officer's own rule
    const auto& issued = world->last.records.back().leaf;
    CHECK(issued.rule == "SCH-2");
    CHECK(issued.recipient == "education/E10000024");
    CHECK(is_open(*world, id16(told[0].notice)));
    check_recovery(*world);

    world->receipt("school/900001", notice, Level::recorded, "not_on_roll");
    CHECK(world->last.deliveries.empty());
    // A later version goes to the officer, and the school is not told again, nor is anything recalled.
    auto news = abuse_with(child_a, "NP-1", 2);
    news.people[1]->present = false;
    news.circumstances = "Something else.";
    world->send(news);
    CHECK(world->delivered<schemas::SchoolNotice>(school_box).empty());
    CHECK(world->delivered<schemas::Recall>(school_box).empty());
    check_recovery(*world);
    // What police take back, they take back from both.
    news = abuse_with(child_a, "NP-1", 3);
    news.status = schemas::IncidentStatus::withdrawn;
    world->send(news);
    CHECK(world->delivered<schemas::Recall>(school_box).size() == 1);
    CHECK(world->delivered<schemas::Recall>(education_box).size() == 1);
    check_recovery(*world);
}

TEST_CASE("where the roll says another school by now, that one is told and no officer", "[exchange]") {
    auto world = county();
    const auto notice = owe_school(*world);
    Load roll;
    roll.agency = "education/E10000024";
    roll.topic = "rolls/E10000024";
    roll.of = schemas::LoadOf::rolls;
    roll.scope = "la:E10000024";
    roll.items = {wire::pack<schemas::Pupil>(pupil(child_a, 900002))};
    world->load(roll);
    REQUIRE(confirmed(world->receipt("school/900001", notice, Level::recorded, "not_on_roll")));
    CHECK(world->delivered<schemas::SchoolNotice>("notices/school/900002").size() == 1);
    CHECK(world->delivered<schemas::SchoolNotice>(education_box).empty());
    check_recovery(*world);
    // And that one does not have the child either.
    const auto next = id16(world->delivered<schemas::SchoolNotice>("notices/school/900002")[0].notice);
    REQUIRE(confirmed(world->receipt("trust/north", next, Level::recorded, "not_on_roll")));
    CHECK(world->delivered<schemas::SchoolNotice>(education_box).size() == 1);
    check_recovery(*world);
}

TEST_CASE("a child given back goes through a person where the school's notice would have", "[exchange]") {
    auto world = county();
    auto held = abuse_with(child_a, "NP-1");
    held.qualifiers = {"hold_for_person"};
    world->send(held);
    const auto reviews = world->delivered<schemas::ReviewItem>("reviews/E10000024");
    REQUIRE(reviews.size() == 1);
    world->decide_review(id16(reviews[0].review), schemas::Verdict::permit);
    const auto told = world->delivered<schemas::SchoolNotice>(school_box);
    REQUIRE(told.size() == 1);
    REQUIRE(confirmed(world->receipt("school/900001", id16(told[0].notice), Level::recorded, "not_on_roll")));
    CHECK(world->delivered<schemas::SchoolNotice>(education_box).empty());
    const auto again = world->delivered<schemas::ReviewItem>("reviews/E10000024");
    REQUIRE(again.size() == 1);
    CHECK(again[0].bound_for == "education/E10000024");
    CHECK(again[0].why.at(0) == "The school says that the child is not on its roll.");
    check_recovery(*world);
}

TEST_CASE("once nobody can be found any more, the force hears that the school has no such child",
          "[exchange]") {
    auto world = county();
    const auto notice = owe_school(*world);
    world->receipt("school/900001", notice, Level::opened);
    world->tick(80h);  // the incident itself is not kept any more
    world->tick(1s);
    CHECK(reason(world->receipt("school/900002", notice, Level::recorded, "not_on_roll")) ==
          Reason::not_permitted);
    REQUIRE(confirmed(world->receipt("school/900001", notice, Level::recorded, "not_on_roll")));
    CHECK(reports_of(*world, force_box) == std::vector<std::string>{"not_theirs school "});
    check_recovery(*world);
}

TEST_CASE("social care's clock runs until somebody records what was done", "[exchange]") {
    auto world = county();
    load_flags(*world);
    world->send(incident_with(child_a, "NP-2"));
    const auto notices = world->delivered<schemas::SocialCareNotice>("notices/social-care/E10000024");
    REQUIRE(notices.size() == 1);
    const auto notice = id16(notices[0].notice);
    world->receipt("social-care/E10000024", notice, Level::opened);
    world->tick(5h);
    CHECK(world->last.deliveries.empty());
    world->tick(19h);
    CHECK(reports_of(*world, force_box) == std::vector<std::string>{"overdue social-care "});
    world->tick(6h);
    CHECK(reports_of(*world, force_box) ==
          std::vector<std::string>{"escalated social-care/E10000024 police"});
    world->receipt("social-care/E10000024", notice, Level::recorded);
    CHECK(reports_of(*world, force_box) == std::vector<std::string>{"closed social-care "});
    check_recovery(*world);
}

TEST_CASE("what no consumer can store gets out of the way, into an operator's hands, and is still owed",
          "[exchange]") {
    auto world = county();
    const auto notice = owe_school(*world);
    const auto envelope = world->last.deliveries.front().envelope;
    world->give(GaveUp{school_box, 7, 8, envelope});
    CHECK(world->last.records.empty());  // no such delivery

    world->give(GaveUp{school_box, 1, 8, envelope});
    CHECK(world->kinds() == std::vector{LeafKind::dead_lettered, LeafKind::reported});
    CHECK(reports_of(*world, force_box) == std::vector<std::string>{"dead_letter school "});
    CHECK_FALSE(world->exchange.next_pending(school_box, 0));
    const auto dead = world->exchange.dead_letters();
    REQUIRE(dead.size() == 1);
    CHECK(dead[0].owner == "operator/duty");
    CHECK(dead[0].attempts == 8);
    CHECK(dead[0].notice == notice);
    CHECK(open_one(*world, notice).state == "dead_letter");
    check_recovery(*world);

    world->tick(1us);  // the next in line at once, although its hours are not over
    CHECK(reports_of(*world, force_box) == std::vector<std::string>{"escalated school school"});

    CHECK(reason(operate(*world, schemas::OperatorDoes::reinsert, school_box, 9)) == Reason::not_found);
    REQUIRE(confirmed(operate(*world, schemas::OperatorDoes::reinsert, school_box, 1)));
    REQUIRE(world->last.deliveries.size() == 1);
    CHECK(world->last.deliveries[0].number == 3);
    CHECK(world->last.deliveries[0].envelope == envelope);
    CHECK(world->last.records.back().user == "O. Perator");
    CHECK(world->exchange.dead_letters().empty());
    CHECK(open_one(*world, notice).state == "sent");
    check_recovery(*world);
    acknowledge_all(*world, "school/900001", school_box);
    CHECK(open_one(*world, notice).state == "stored");
    world->receipt("school/900001", notice, Level::opened);
    CHECK_FALSE(is_open(*world, notice));
    check_recovery(*world);
}

TEST_CASE("a dead letter may be discarded by name and with a reason, and its notice stays owed",
          "[exchange]") {
    auto world = county();
    const auto notice = owe_school(*world);
    world->give(GaveUp{school_box, 1, 8, world->last.deliveries.front().envelope});
    REQUIRE(confirmed(operate(*world, schemas::OperatorDoes::discard, school_box, 1)));
    CHECK(world->exchange.dead_letters().empty());
    CHECK(open_one(*world, notice).state == "dead_letter");
    check_recovery(*world);
    world->receipt("school/900001", notice, Level::opened);
    CHECK_FALSE(is_open(*world, notice));
    check_recovery(*world);
}

TEST_CASE("what operators do is checked before anything is done", "[exchange]") {
    World world;
    schemas::OperatorActionValue good;
    good.does = schemas::OperatorDoes::confirm_clock;
    good.by = "O. Perator";
    good.reason = "looked_at";
    const auto [why, spoil,
                expected] = GENERATE(table<const char*, void (*)(schemas::OperatorActionValue&), Reason>({
        {"nothing waits",          [](auto&) {},                                                              Reason::not_found    },
        {"nobody's name",          [](auto& action) { action.by = ""; },                                      Reason::invalid_value},
        {"a reason in prose",      [](auto& action) { action.reason = "As I say"; },                          Reason::invalid_value},
        {"an unknown thing to do", [](auto& action) { action.does = static_cast<schemas::OperatorDoes>(9); },
         Reason::invalid_value                                                                                                     },
    }));
    CAPTURE(why);
    spoil(good);
    const auto payload = wire::pack<schemas::OperatorAction>(good);
    CHECK(reason(world.send("operator/duty", schemas::Kind::operator_action, "operations/duty", payload)) ==
          expected);
    CHECK(reason(world.send("police/31", schemas::Kind::operator_action, "operations/duty", payload)) ==
          Reason::not_permitted);
}

TEST_CASE("after a jump of the clock nothing expires or escalates until the new time is confirmed",
          "[exchange]") {
    const auto [why, by, holds] = GENERATE(table<const char*, std::chrono::microseconds, bool>({
        {"a few seconds ahead",  3s,             false},
        {"just below the limit", 5min - 1us,     false},
        {"an hour ahead",        1h,             true },
        {"a day ahead",          24h,            true },
        {"to 2038",              24h * 365 * 13, true },
        {"an hour back",         -1h,            false},
        {"a day back",           -24h,           false},
    }));
    CAPTURE(why);
    auto world = county();
    load_flags(*world);
    const auto notice = owe_school(*world);
    world->give(ClockStepped{by});
    CHECK(world->kinds() == std::vector{LeafKind::clock_step});
    CHECK(world->exchange.clock_is_held() == holds);
    check_recovery(*world);
    if (by > 0us) world->now += by;  // the shell's time never goes back
    world->tick(1us);
    CHECK(world->last.records.empty());
    world->send(incident_with(child_a, "NP-9"));
    CHECK_FALSE(world->last.deliveries.empty());  // sending is never held
    if (!holds) return;

    world->tick(1h);
    CHECK(world->last.records.empty());
    const bool by_operator = GENERATE(true, false);
    if (by_operator)
        REQUIRE(confirmed(operate(*world, schemas::OperatorDoes::confirm_clock)));
    else
        world->give(ClockSynchronised{});
    CHECK_FALSE(world->exchange.clock_is_held());
    check_recovery(*world);
    world->tick(1us);
    CHECK_FALSE(world->last.records.empty());  // by now two hours have passed, jump included
    CHECK(is_open(*world, notice));
    world->give(ClockSynchronised{});
    CHECK(world->last.records.empty());
}

TEST_CASE("nothing expires by a time that is ahead of the clock, whoever has confirmed it", "[exchange]") {
    auto world = county();
    const auto notice = owe_school(*world);
    world->give(ClockStepped{25h});
    world->now += 25h;
    world->give(ClockStepped{-25h});
    REQUIRE(confirmed(operate(*world, schemas::OperatorDoes::confirm_clock)));
    world->give(Tick{true});
    CHECK(world->last.records.empty());
    CHECK_FALSE(open_one(*world, notice).overdue);
    world->give(Tick{false});  // the clock has caught up
    CHECK_FALSE(world->last.records.empty());
}
