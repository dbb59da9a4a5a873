// Conflict lists: an agency names a person who may neither see nor decide on one of its cases.
#include "broker/register/register.h"
#include "tests/unit/exchange/world.h"

using namespace flagpost;
using namespace flagpost::exchange;
using namespace flagpost::exchange::testing;
using namespace std::chrono_literals;
using log::LeafKind;
using schemas::Level;
using schemas::OrderDoes;
using schemas::Verdict;

namespace {

const std::string care = "social-care/E10000024", first = "school/900001", duty = "operator/duty";
const std::string flag_1 = "flag/E10000024/1", incident_1 = "incident/31/NP-1";
const std::string desk = "reviews/E10000024", school_box = "notices/school/900001",
                  care_box = "notices/social-care/E10000024";

/// A flagged child with a worker, on the roll of a school with two contacts.
struct Case : World {
    Case() {
        load_schools(*this);
        Load flags;
        auto value = flag_at(child_a, "1", home_a);
        value.worker = std::make_unique<schemas::WorkerValue>();
        value.worker->name = "Sam Patel";
        value.duty_contact = "Duty desk";
        flags.items = {
            wire::pack<schemas::Flag>(value),
            wire::pack<schemas::Flag>(flag_at({"Zoe", "Elsewhere", "2014-11-09"}, "2", 100031234999))};
        load(flags);
        load(first_roll());
    }
    Reply conflict(const std::string& agency, const std::string& subject, const std::string& person,
                   const std::string& reference = "CON-1", const std::string& controller = "",
                   const std::string& works_for = care) {
        schemas::RecordOrderValue value;
        value.does = OrderDoes::conflict;
        value.subject = subject;
        value.person = person;
        value.works_for = works_for;
        value.reference = reference;
        value.controller = controller;
        return order(agency, std::move(value));
    }
    std::string pupil_1() const { return registry::text(registry::key_of(pupil(child_a, 900001))); }
};

template <class Table> std::vector<std::string> addressed(const World& world, const std::string& topic) {
    std::vector<std::string> all;
    for (const auto& notice : world.delivered<Table>(topic)) all.push_back(notice.addressed_to);
    return all;
}

bool says(const schemas::ReviewItemValue& item, const char* words) {
    return std::ranges::any_of(item.why,
                               [&](const auto& why) { return why.find(words) != std::string::npos; });
}

}  // namespace

TEST_CASE(
    "whoever is on a case's conflict list is not asked: another person decides, then the next in line is",
    "[exchange]") {
    Case world;
    SECTION("a school's contact, named by the school") {
        REQUIRE(confirmed(world.conflict(first, world.pupil_1(), "Alice First", "CON-1", "", first)));
        world.send(abuse_with(child_a, "NP-1"));
        CHECK(addressed<schemas::SocialCareNotice>(world, care_box) == std::vector<std::string>{"Sam Patel"});
        CHECK(world.delivered<schemas::SchoolNotice>(school_box).empty());
        const auto items = world.delivered<schemas::ReviewItem>(desk);
        REQUIRE(items.size() == 1);
        CHECK(says(items[0], "A contact of the school is on the conflict list"));
        REQUIRE(confirmed(world.decide_review(id16(items[0].review), Verdict::permit)));
        CHECK(addressed<schemas::SchoolNotice>(world, school_box) == std::vector<std::string>{"B. Second"});
        world.tick(2h);  // stored by nobody, it comes again, and not to the first contact either
        CHECK(addressed<schemas::SchoolNotice>(world, school_box) == std::vector<std::string>{"B. Second"});
    }
    SECTION("the same by social care, who know more: of the child's flag") {
        REQUIRE(confirmed(world.conflict(care, flag_1, "a.first", "CON-1", "", first)));
        world.send(abuse_with(child_a, "NP-1"));
        CHECK(world.delivered<schemas::SchoolNotice>(school_box).empty());
    }
    SECTION("the allocated worker, by police of the incident") {
        REQUIRE(confirmed(world.conflict("police/31", incident_1, "S. Patel")));
        world.send(abuse_with(child_a, "NP-1"));
        CHECK(world.delivered<schemas::SocialCareNotice>(care_box).empty());
        CHECK(addressed<schemas::SchoolNotice>(world, school_box) == std::vector<std::string>{"A. First"});
        const auto items = world.delivered<schemas::ReviewItem>(desk);
        REQUIRE(items.size() == 1);
        CHECK(says(items[0], "The allocated worker is on the conflict list"));
        REQUIRE(confirmed(world.decide_review(id16(items[0].review), Verdict::permit)));
        CHECK(addressed<schemas::SocialCareNotice>(world, care_box) == std::vector<std::string>{"Duty desk"});
    }
    SECTION("another case, another name, or somebody of that name elsewhere changes nothing") {
        REQUIRE(confirmed(world.conflict("police/31", "incident/31/NP-2", "Sam Patel")));
        REQUIRE(confirmed(world.conflict(care, "flag/E10000024/2", "Sam Patel")));
        REQUIRE(confirmed(world.conflict(care, flag_1, "Sandra Patelson", "CON-2")));
        REQUIRE(confirmed(world.conflict(care, flag_1, "Sam Patel", "CON-3", "", "social-care/E06000018")));
        REQUIRE(confirmed(world.conflict(care, flag_1, "A. First", "CON-4", "", "school/900002")));
        world.send(abuse_with(child_a, "NP-1"));
        CHECK(world.delivered<schemas::ReviewItem>(desk).empty());
        CHECK(addressed<schemas::SocialCareNotice>(world, care_box) == std::vector<std::string>{"Sam Patel"});
        CHECK(addressed<schemas::SchoolNotice>(world, school_box) == std::vector<std::string>{"A. First"});
    }
    check_recovery(world);
}

TEST_CASE("whoever is on a case's conflict list neither decides nor answers, until they are taken off",
          "[exchange]") {
    Case world;
    auto value = abuse_with(child_a, "NP-1");
    value.qualifiers = {"hold_for_person"};
    world.send(value);
    const auto review = id16(world.delivered<schemas::ReviewItem>(desk).at(0).review);
    const auto notice = id16(world.delivered<schemas::SocialCareNotice>(care_box).at(0).notice);
    REQUIRE(confirmed(world.conflict(care, flag_1, "R. Viewer")));
    REQUIRE(confirmed(world.conflict(care, flag_1, "Jo Worker", "CON-2")));
    REQUIRE(confirmed(world.conflict(care, flag_1, "Olga Other", "CON-3", "", first)));  // not the reviewer
    const auto open = world.exchange.open_obligations().size();

    for (const auto verdict : {Verdict::permit, Verdict::deny, Verdict::unsure}) {
        const auto refused = refusal(world.decide_review(review, verdict, "Robert Viewer"));
        REQUIRE(refused);
        CHECK(refused->reason == Reason::not_permitted);
        CHECK(refused->where ==
              "review_decision.by: on the conflict list of this case; another person must decide");
    }
    CHECK(world.kinds() == std::vector{LeafKind::refused});
    for (const auto level : {Level::opened, Level::recorded})  // by J. Worker
        CHECK(refusal(world.receipt(care, notice, level))->where ==
              "receipt.by: on the conflict list of this case; another person must answer");
    CHECK(world.exchange.open_obligations().size() == open);
    CHECK(confirmed(world.decide_review(review, Verdict::permit, "Olga Other")));

    REQUIRE(confirmed(world.order(care, OrderDoes::lift, flag_1, "", "CON-2")));
    CHECK(confirmed(world.receipt(care, notice, Level::recorded)));
    CHECK(reason(world.order(care, OrderDoes::lift, flag_1, "", "CON-2")) == Reason::not_found);
    check_recovery(world);
}

TEST_CASE("who is on a case's conflict list may neither see nor answer what a force is asked about it",
          "[exchange]") {
    Case world;
    world.send(abuse_with(child_a, "NP-1"));
    const auto notice = id16(world.delivered<schemas::SocialCareNotice>(care_box).at(0).notice);
    const auto told = [&] {
        std::vector<std::string> all;
        for (const auto& report : world.delivered<schemas::Report>("reports/police/31"))
            if (!report.person.empty())
                all.push_back(std::string{schemas::EnumNameReportOf(report.what)} + " " + report.person +
                              " " + to_hex({report.notice.data(), report.notice.size()}));
        return all;
    };
    const auto listed = [&] { return world.conflict(care, flag_1, "P. Officer", "CON-1", "", "police/31"); };
    const bool before = GENERATE(true, false);
    if (before) REQUIRE(confirmed(listed()));
    REQUIRE(confirmed(world.ask(care, notice, "NP-1")));
    const auto question = id16(world.delivered<schemas::Question>("questions/31").at(0).question);
    if (!before) REQUIRE(confirmed(listed()));
    CHECK(told() == std::vector<std::string>{"kept_from P. Officer " + to_hex(question)});

    CHECK(refusal(world.answer(question))->where ==
          "answer.by: on the conflict list of this case; another person must answer");
    CHECK(world.exchange.owed_to(*AgencyId::parse("police/31"), question));
    REQUIRE(confirmed(world.order(care, OrderDoes::lift, flag_1, "", "CON-1")));
    CHECK(told() == std::vector<std::string>{"not_kept_from P. Officer " + to_hex(question)});
    CHECK(confirmed(world.answer(question)));
    check_recovery(world);
}

TEST_CASE("whoever was told of a case hears who must not see it, at once and with each later notice",
          "[exchange]") {
    Case world;
    const auto kept = [&](const std::string& agency) {
        std::vector<std::string> all;
        for (const auto& report : world.delivered<schemas::Report>("reports/" + agency)) {
            if (report.person.empty()) continue;
            all.push_back(std::string{schemas::EnumNameReportOf(report.what)} + " " + report.person + " " +
                          to_hex({report.notice.data(), report.notice.size()}));
        }
        std::ranges::sort(all);
        return all;
    };
    using Lines = std::vector<std::string>;
    world.send(abuse_with(child_a, "NP-1"));
    const auto to_care = to_hex(id16(world.delivered<schemas::SocialCareNotice>(care_box).at(0).notice));
    const auto to_school = to_hex(id16(world.delivered<schemas::SchoolNotice>(school_box).at(0).notice));
    const std::string city = "social-care/E06000018";

    SECTION("what is stored already, by a list of the flag, of the pupil or of the incident") {
        const auto [agency, subject] = GENERATE_COPY(table<std::string, std::string>({
            {care,        flag_1    },
            {first,       ""        },
            {"police/31", incident_1}
        }));
        const auto about = subject.empty() ? world.pupil_1() : subject;
        REQUIRE(confirmed(world.conflict(agency, about, "Sam Patel")));
        CHECK(kept(care) == Lines{"kept_from Sam Patel " + to_care});
        CHECK(kept(first).empty());
        REQUIRE(confirmed(world.conflict(agency, about, "A. First", "CON-2", "", first)));
        CHECK(kept(care).empty());
        CHECK(kept(first) == Lines{"kept_from A. First " + to_school});
        CHECK(kept(city).empty());
        CHECK(kept("police/31").empty());
    }
    SECTION("also when the incident's window is long over, and nothing is owed of it") {
        REQUIRE(confirmed(world.receipt(
            care, id16(world.delivered<schemas::SocialCareNotice>(care_box).at(0).notice), Level::recorded)));
        world.tick(24h * 8);
        REQUIRE(confirmed(world.conflict(care, flag_1, "Sam Patel")));
        CHECK(kept(care) == Lines{"kept_from Sam Patel " + to_care});
        REQUIRE(confirmed(world.conflict(first, world.pupil_1(), "A. First", "CON-1", "", first)));
        CHECK(kept(first).size() == 1);
    }
    SECTION("also once the flag and the registration are gone") {
        Load shorter;
        shorter.items = {
            wire::pack<schemas::Flag>(flag_at({"Zoe", "Elsewhere", "2014-11-09"}, "2", 100031234999))};
        shorter.sequence = 2;
        REQUIRE(confirmed(world.load(shorter)));
        REQUIRE(confirmed(world.conflict(care, flag_1, "Sam Patel")));
        CHECK(kept(care) == Lines{"kept_from Sam Patel " + to_care});
    }
    SECTION("another case's list is nobody's business here") {
        REQUIRE(confirmed(world.conflict(care, "flag/E10000024/2", "Sam Patel")));
        REQUIRE(confirmed(world.conflict("police/31", "incident/31/NP-10", "Sam Patel")));
        CHECK(kept(care).empty());
        CHECK(kept(first).empty());
    }
    SECTION("what comes later, and whoever it goes on to") {
        const std::string education = "education/E10000024";
        REQUIRE(confirmed(world.conflict(first, world.pupil_1(), "Kim Other", "CON-1", "", first)));
        REQUIRE(confirmed(world.conflict(first, world.pupil_1(), "Lou Officer", "CON-2", "", education)));
        world.send(abuse_with(child_a, "NP-2"));
        const auto later = to_hex(id16(world.delivered<schemas::SchoolNotice>(school_box).at(0).notice));
        CHECK(kept(first) == Lines{"kept_from Kim Other " + later});
        CHECK(kept(care).empty());
        world.tick(24h);  // nobody has opened either: the education team is told
        const auto& reports = kept(education);
        CHECK(std::ranges::find(reports, "kept_from Lou Officer " + later) != reports.end());
        CHECK(std::ranges::none_of(reports, [](const auto& line) { return line.find("Kim") != line.npos; }));
    }
    SECTION("who is taken off the list, unless another entry still stands") {
        REQUIRE(confirmed(world.conflict(care, flag_1, "Sam Patel")));
        REQUIRE(confirmed(world.conflict("police/31", incident_1, "Sam Patel", "CON-2")));
        REQUIRE(confirmed(world.order(care, OrderDoes::lift, flag_1, "", "CON-1")));
        CHECK(kept(care) == Lines{"kept_from Sam Patel " + to_care});
        REQUIRE(confirmed(world.order("police/31", OrderDoes::lift, incident_1, "", "CON-2")));
        CHECK(kept(care) == Lines{"not_kept_from Sam Patel " + to_care});
    }
    SECTION(
        "who is taken off one of two lists that both keep them from it: a trust's person, listed at a school "
        "too") {
        auto second = first_roll();
        second.agency = "trust/north";
        second.topic = "rolls/school/900002";
        second.scope = "urn:900002";
        second.items = {wire::pack<schemas::Pupil>(pupil(child_b, 900002))};
        REQUIRE(confirmed(world.load(second)));
        const auto pupil_2 = registry::text(registry::key_of(pupil(child_b, 900002)));
        world.send(abuse_with(child_b, "NP-2"));
        const auto to_trust =
            to_hex(id16(world.delivered<schemas::SchoolNotice>("notices/school/900002").at(0).notice));
        const std::string at = "school/900002", trust = "trust/north";
        REQUIRE(confirmed(world.conflict(trust, pupil_2, "Toni Head", "CON-1", at, at)));
        CHECK(kept(trust) == Lines{"kept_from Toni Head " + to_trust});
        REQUIRE(confirmed(world.conflict(trust, pupil_2, "Toni Head", "CON-2", at, trust)));
        REQUIRE(confirmed(world.order(trust, OrderDoes::lift, pupil_2, at, "CON-1")));
        CHECK(kept(trust) == Lines{"kept_from Toni Head " + to_trust});
        REQUIRE(confirmed(world.order(trust, OrderDoes::lift, pupil_2, at, "CON-2")));
        CHECK(kept(trust) == Lines{"not_kept_from Toni Head " + to_trust});
    }
    check_recovery(world);
}

TEST_CASE("no agency is told whom another keeps from a case", "[exchange]") {
    Case world;
    const std::string education = "education/E10000024";
    const std::vector<std::pair<std::string, std::string>> listed{
        {care,        "Zelda Carew"     },
        {first,       "Yorick Schooler" },
        {education,   "Xanthe Official" },
        {"police/31", "Walburga Dickson"},
    };
    // All that goes into a mailbox, by the agencies that read it.
    std::map<std::string, std::string> read;
    const auto agreement = test_setting().agreement;
    const auto note = [&] {
        for (const auto& delivery : world.last.deliveries)
            for (const auto& [agency, party] : agreement.parties())
                if (agreement.may_subscribe(agency, delivery.topic))
                    read[agency.text()].append(delivery.envelope.begin(), delivery.envelope.end());
    };
    const auto list = [&](const std::string& reference, OrderDoes does) {
        std::size_t number = 0;
        for (const auto& [agency, name] : listed) {
            const auto each = reference + std::to_string(++number);
            if (does == OrderDoes::conflict)
                REQUIRE(confirmed(world.conflict("police/31", incident_1, name, each, "", agency)));
            else
                REQUIRE(confirmed(world.order("police/31", does, incident_1, "", each)));
            note();
        }
    };
    // Listed before and after it is told, through a review, a new version and the whole ladder, and taken off again.
    auto value = abuse_with(child_a, "NP-1");
    value.qualifiers = {"hold_for_person"};
    list("A", OrderDoes::conflict);
    world.send(value);
    note();
    world.decide_review(id16(world.delivered<schemas::ReviewItem>(desk).at(0).review), Verdict::permit,
                        "Olga Other");
    note();
    list("B", OrderDoes::conflict);
    value.version = 2;
    value.circumstances = "Called by a neighbour, who saw more.";
    world.send(value);
    note();
    world.tick(48h);
    note();
    list("A", OrderDoes::lift);
    list("B", OrderDoes::lift);
    for (const auto& [agency, name] : listed) {
        const auto family = name.substr(name.find(' ') + 1);
        for (const auto& [reader, all] : read) {
            CAPTURE(reader, name);
            const bool is_told = all.find(family) != std::string::npos;
            // Nothing of this case is ever in the force's own mailboxes.
            CHECK(is_told == (reader == agency && agency != "police/31"));
        }
    }
    check_recovery(world);
}

TEST_CASE("an agency keeps the conflict list of its own cases, and each entry is two leaves without a name",
          "[exchange]") {
    Case world;
    const auto pupil_1 = world.pupil_1();
    using Row = std::tuple<const char*, std::string, std::string, std::string, std::string, Reason>;
    for (const auto& [why, agency, subject, controller, person, wanted] : std::vector<Row>{
             {"its own flag",                      care,                  flag_1,             "",              "Sam Patel", Reason::none         },
             {"another authority's",               care,                  "flag/E06000018/1", "",              "Sam Patel", Reason::not_permitted},
             {"an incident of police",             care,                  incident_1,         "",              "Sam Patel", Reason::not_permitted},
             {"its own incident",                  "police/31",           incident_1,         "",              "Sam Patel", Reason::none         },
             {"another force's",                   "police/32",           incident_1,         "",              "Sam Patel", Reason::not_permitted},
             {"its own pupil",                     first,                 pupil_1,            "",              "Sam Patel", Reason::none         },
             {"another school's",                  "school/900002",       pupil_1,            "",              "Sam Patel", Reason::not_permitted},
             {"who acts for the school",           "trust/north",         "pupil/900003/1",   "school/900003", "Sam Patel",
              Reason::not_found                                                                                                                  },
             {"a pupil of the authority",          "education/E10000024", pupil_1,            "",              "Sam Patel", Reason::none         },
             {"a school nobody knows",             "education/E10000024", "pupil/900777/1",   "",              "Sam Patel",
              Reason::not_permitted                                                                                                              },
             {"a flag nobody has loaded",          care,                  "flag/E10000024/9", "",              "Sam Patel", Reason::not_found    },
             {"a pupil on no roll",                first,                 "pupil/900001/X",   "",              "Sam Patel", Reason::not_found    },
             {"an incident that is still to come", "police/31",           "incident/31/NP-9", "",              "Sam Patel",
              Reason::none                                                                                                                       },
             {"a flag without a number",           duty,                  "flag/E10000024",   "",              "Sam Patel", Reason::not_found    },
             {"no case",                           care,                  "Ava",              "",              "Sam Patel", Reason::not_permitted},
             {"an operator for anybody",           duty,                  flag_1,             "",              "Sam Patel", Reason::none         },
             {"nobody named",                      care,                  flag_1,             "",              "",          Reason::invalid_value},
             {"one word, which is nobody's name",  care,                  flag_1,             "",              "Sam",       Reason::invalid_value},
    }) {
        CAPTURE(why);
        CHECK(reason(world.conflict(agency, subject, person, "CASE-9", controller)) == wanted);
    }
    CHECK(reason(world.conflict(care, flag_1, "Sam Patel", "CASE-9")) == Reason::conflict);
    // Whose person it is must be said, and be somebody who could be told.
    for (const std::string works_for : {"", "school", "school/900777", "Sam's school"}) {
        CAPTURE(works_for);
        const auto refused = refusal(world.conflict(care, flag_1, "Sam Patel", "CASE-10", "", works_for));
        REQUIRE(refused);
        CHECK(refused->reason == Reason::invalid_value);
        CHECK(refused->where.starts_with("order.works_for"));
    }
    CHECK(confirmed(
        world.conflict(care, flag_1, "Sam Patel", "CASE-10", "", "school/900003")));  // by its trust
    schemas::RecordOrderValue hold;
    hold.subject = flag_1;
    hold.works_for = care;
    CHECK(refusal(world.order(care, std::move(hold)))->where == "order.works_for");
    CHECK(reason(world.order(care, OrderDoes::hold, flag_1, "", "CASE-9")) == Reason::conflict);
    CHECK(reason(world.order("police/31", OrderDoes::lift, flag_1, care, "CASE-9")) == Reason::not_permitted);

    REQUIRE(confirmed(world.conflict(care, flag_1, "Olga Other", "CON-3")));
    REQUIRE(world.kinds() == std::vector{LeafKind::published, LeafKind::held});
    const auto& leaf = world.last.records[1].leaf;
    CHECK(leaf.rule == "conflict");
    CHECK(leaf.purpose == "CON-3");
    CHECK(leaf.outcome == "court_order");
    CHECK(world.last.records[1].user == "J. Worker");  // who ordered it, kept as a keyed digest
    REQUIRE(confirmed(world.order(care, OrderDoes::lift, flag_1, "", "CON-3")));
    REQUIRE(world.kinds() == std::vector{LeafKind::published, LeafKind::lifted});
    CHECK(world.last.records[1].leaf.rule == "conflict");

    // It keeps nothing from being erased.
    Load none;
    none.sequence = 2;
    none.items = {wire::pack<schemas::Flag>(flag(child_b, "2"))};
    world.load(none);
    CHECK(reason(world.order(care, OrderDoes::erase, flag_1)) == Reason::none);
    check_recovery(world);
}
