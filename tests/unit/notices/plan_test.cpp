#include "broker/notices/plan.h"

#include <random>

#include "broker/notices/calendar.h"
#include "broker/notices/scrub.h"
#include "broker/wire/frames.h"
#include "tests/support/catch.h"
#include "tests/support/people.h"

using namespace flagpost;
using namespace flagpost::tests;
using agreement::Agreement;
using notices::Plan;
using registry::Register;
using schemas::Kind;
using schemas::Outcome;

namespace {

constexpr const char* parties = R"(
partnership = "nottinghamshire.example"
[[party]]
agency = "police/31"
name = "Nottinghamshire Police"
[[party]]
agency = "social-care/E10000024"
name = "County"
[[party]]
agency = "social-care/E06000018"
name = "City"
review_desk = "social-care/E10000024"
[[party]]
agency = "education/E10000024"
name = "Education"
[[party]]
agency = "school/900001"
name = "St Hugh's"
[[party]]
agency = "trust/north"
name = "North"
acts_for = ["school/900002", "school/900003"]
)";

std::string share(const char* id, const char* what, const char* to, const std::string& fields,
                  const char* within) {
    return std::string{"[[share]]\nid = \""} + id + "\"\nwhat = \"" + what +
           "\"\nfrom = \"police\"\nto = \"" + to +
           "\"\npurpose = \"safeguarding\"\nlegal_basis = [\"CA2004-s10\"]\nfields = [" + fields +
           "]\nrespond_within = \"" + within + "\"\nretention = \"notice\"\n";
}

const std::string everything_social =
    R"("child","flag","reasons","incident","place","category","circumstances","assessment","risk","children",)"
    R"("voice_of_child","adults","referral","worker","police_contact")";
const std::string everything_school =
    R"("child","upn","incident","child_present","voice_of_child","circumstances","police_contact")";

Agreement agree(const std::string& social = everything_social,
                const std::string& school_fields = everything_school) {
    auto read = Agreement::parse(parties + share("SC-1", "social_care_notice", "social-care", social, "24h") +
                                 share("SCH-1", "school_notice", "school", school_fields, "16h") +
                                 share("REV-1", "review_item", "social-care", R"("incident","why")", "4h"));
    if (!read) throw std::logic_error{read.error().where};
    return *read;
}

const date::time_zone* london() { return date::locate_zone("Europe/London"); }
const Instant now = at("2025-03-04T22:00Z");

std::unique_ptr<schemas::PersonValue> ava() {
    auto child = person("Ava", "Example", "2015-06-02", "F");
    child->upn = "H243278544154";
    return child;
}

Register county() {
    Register known;
    for (const std::uint32_t urn : {900001u, 900002u, 900003u, 900004u}) {
        known.set_school(school(urn, "School " + std::to_string(urn)));
    }
    auto held = flag("1", ava());
    held.places.push_back(dated(place("14 Oak Road", "NG7 2RD", 10001)));
    held.worker = std::make_unique<schemas::WorkerValue>();
    held.worker->name = "Sam Patel";
    held.team = "North";
    add_adult(held, person("Paul", "Sample", "1985-03-17", "M"), "father");
    known.set_flag(std::move(held), at("2025-03-01T06:00Z"));
    known.set_feed("E10000024", at("2025-03-03T06:00Z"));
    known.set_pupil(pupil(900001, ava()), at("2025-03-01T06:00Z"), "la:E10000024");
    return known;
}

/// Domestic abuse between Ava's parents, in a street that is not theirs.
schemas::IncidentValue row() {
    auto made = incident();
    made.place = place("2 Elm Close", "NG1 1AA");
    made.circumstances = "Police were called to a verbal argument between two adults.";
    made.assessment = "Officer was concerned.";
    made.risk = std::make_unique<schemas::RiskGradeValue>();
    made.risk->tool = "DARA";
    made.risk->grade = "medium";
    made.police_contact = "Public protection desk, 01632 960101";
    add_person(made, schemas::Role::victim, person("Mary", "Example", "1987-01-30", "F"));
    add_person(made, schemas::Role::suspect, person("Paul", "Sample", "1985-03-17", "M"));
    auto& child = add_person(made, schemas::Role::child, person("Ava", "Example", "2015-06-02", "F"));
    child.present = true;
    child.voice_of_child = "I heard shouting.";
    relate(child, 0, "child");
    return made;
}

Plan planned(const Register& known, const schemas::IncidentValue& about, const Agreement& by = agree()) {
    return notices::plan(by, known, about, match::decide(known, about, now), now, london());
}

std::vector<const notices::Planned*> of_kind(const Plan& plan, Kind kind) {
    std::vector<const notices::Planned*> found;
    for (const auto& each : plan.planned)
        if (each.kind == kind) found.push_back(&each);
    return found;
}

const schemas::SchoolNoticeValue& school_notice(const Plan& plan) {
    const auto found = of_kind(plan, Kind::school_notice);
    REQUIRE(found.size() == 1);
    return std::get<schemas::SchoolNoticeValue>(found[0]->payload);
}

const schemas::SocialCareNoticeValue& social_notice(const Plan& plan) {
    const auto found = of_kind(plan, Kind::social_care_notice);
    REQUIRE(found.size() == 1);
    return std::get<schemas::SocialCareNoticeValue>(found[0]->payload);
}

const schemas::ReviewItemValue& review_item(const Plan& plan) {
    const auto found = of_kind(plan, Kind::review_item);
    REQUIRE(found.size() == 1);
    return std::get<schemas::ReviewItemValue>(found[0]->payload);
}

}  // namespace

TEST_CASE("the authority and the school are each told, of the same child, what they may know", "[notices]") {
    const auto plan = planned(county(), row());
    CHECK(plan.withheld.empty());
    REQUIRE(plan.planned.size() == 2);

    const auto& care = plan.planned[0];
    CHECK(care.recipient == "social-care/E10000024");
    CHECK(care.topic == "notices/social-care/E10000024");
    CHECK(care.rule == "SC-1");
    CHECK(care.subjects == std::vector<std::string>{"flag/E10000024/1"});
    CHECK(care.due == now + std::chrono::hours{24});
    const auto& notice = social_notice(plan);
    CHECK(notice.not_a_referral ==
          "This is information, not a referral. It does not replace a police referral.");
    CHECK(notice.outcome == Outcome::match);
    CHECK(notice.child->given_names == "Ava");
    CHECK(notice.force == "31");
    CHECK(notice.place == "2 Elm Close, NG1 1AA");
    CHECK(notice.worker->name == "Sam Patel");
    CHECK(notice.feed_age_hours == 40);
    CHECK(notice.children_named == 1);
    CHECK(notice.child_present);
    REQUIRE(notice.adults.size() == 2);
    CHECK(notice.adults[0]->relation == "parent");
    CHECK_FALSE(notice.reasons.empty());

    const auto& school = plan.planned[1];
    CHECK(school.recipient == "school/900001");
    CHECK(school.topic == "notices/school/900001");
    CHECK(school.due == at("2025-03-05T08:40Z"));
    const auto& told = school_notice(plan);
    CHECK(told.child_given_names == "Ava");
    CHECK(told.read_by_us == to_us(school.due));
    CHECK(told.voice_of_child == "I heard shouting.");
    CHECK(told.handling.size() == 2);
    CHECK(told.handling[0].find("Do not approach parents or carers") == 0);
}

TEST_CASE("a flag whose list nobody has confirmed for five weeks is told of as possible, and why is said",
          "[notices]") {
    const auto [why, fed, outcome] = GENERATE(table<const char*, const char*, Outcome>({
        {"yesterday",              "2025-03-03T06:00Z", Outcome::match    },
        {"five weeks ago",         "2025-01-28T22:00Z", Outcome::match    },
        {"an hour more than that", "2025-01-28T21:00Z", Outcome::potential},
        {"last year",              "2024-03-03T06:00Z", Outcome::potential},
    }));
    CAPTURE(why);
    auto known = county();
    known.set_feed("E10000024", at(fed));
    const auto plan = planned(known, row());
    const auto& care = social_notice(plan);
    CHECK(care.outcome == outcome);
    CHECK((care.reasons.front().find("not been confirmed") != std::string::npos) ==
          (outcome == Outcome::potential));
    CHECK(of_kind(plan, Kind::school_notice).size() ==
          1);  // a roll has the pupil, whatever becomes of the flag
}

TEST_CASE(
    "of a pupil whose roll nobody has confirmed for five weeks a person looks before the school is told",
    "[notices]") {
    const auto [why, loaded, told] = GENERATE(table<const char*, const char*, bool>({
        {"yesterday",                                       "2025-03-03T06:00Z", true },
        {"five weeks ago",                                  "2025-01-28T22:00Z", true },
        {"an hour more than that: the child may have left", "2025-01-28T21:00Z", false},
        {"last year",                                       "2024-03-03T06:00Z", false},
    }));
    CAPTURE(why);
    auto known = county();
    known.set_roll("la:E10000024", at(loaded));
    const auto plan = planned(known, row());
    const auto items = of_kind(plan, Kind::review_item);
    CHECK(of_kind(plan, Kind::school_notice).size() == (told ? 1 : 0));
    REQUIRE(items.size() == (told ? 0 : 1));
    CHECK(social_notice(plan).outcome == Outcome::match);  // a flag stands, whatever becomes of the roll
    if (told) return;
    const auto& item = std::get<schemas::ReviewItemValue>(items[0]->payload);
    CHECK(item.bound_for == "school/900001");
    CHECK(item.why.front().find("roll has not been confirmed") != std::string::npos);
    CHECK(items[0]->due <= now + std::chrono::hours{4});
    REQUIRE(items[0]->held);
    CHECK(items[0]->held->recipient == "school/900001");
    CHECK_FALSE(item.will_be_told.empty());
}

TEST_CASE(
    "of a child on an authority's register of children not in school its officer is told as a school would "
    "be",
    "[notices]") {
    struct Row {
        const char* why;
        bool on_roll, on_register;
        const char* loaded;  // the register
        const char* qualifier;
        schemas::Shield shield;
        bool with_rule;
        const char* born;                // on the register
        std::vector<std::string> told;   // directly, in order
        std::vector<std::string> asked;  // whom a person decides about; "!": nothing can be sent
    };
    using Shield = schemas::Shield;
    const std::string oak = "school/900001", officer = "education/E10000024";
    const char* fresh = "2025-03-03T06:00Z";
    const std::vector<Row> rows{
        {"on the register only: nobody has to find out where the child is",
         false, true,
         fresh,               "",
         Shield::none,
         true,  "2015-06-02",
         {officer},
         {}             },
        {"at a school for some days, at home for others: each is told",
         true,  true,
         fresh,               "",
         Shield::none,
         true,  "2015-06-02",
         {officer, oak},
         {}             },
        {"on neither: a person finds out",
         false, false,
         fresh,               "",
         Shield::none,
         true,  "2015-06-02",
         {},
         {officer}      },
        {"the register is old: the child may be at a school by now",
         false, true,
         "2025-01-01T06:00Z", "",
         Shield::none,
         true,  "2015-06-02",
         {},
         {officer}      },
        {"police ask that a person looks",
         false, true,
         fresh,               "hold_for_person",
         Shield::none,
         true,  "2015-06-02",
         {},
         {officer}      },
        {"a shielded child: two people, as for a school",
         false, true,
         fresh,               "",
         Shield::refuge,
         true,  "2015-06-02",
         {},
         {officer}      },
        {"nothing is agreed with the officer: a person has to see to it",
         false, true,
         fresh,               "",
         Shield::none,
         false, "2015-06-02",
         {},
         {"!" + officer}},
        {"another child of the name: the date of birth differs by years",
         false, true,
         fresh,               "",
         Shield::none,
         true,  "2009-11-23",
         {},
         {officer}      },
    };
    for (const auto& [why, on_roll, on_register, loaded, qualifier, shield, with_rule, born, told, asked] :
         rows) {
        CAPTURE(why);
        auto known = county();
        if (!on_roll) known.remove_pupil({900001, "H243278544154"});
        schemas::PupilValue registered;
        registered.la = "E10000024";
        registered.child = person("Ava", "Example", born, "F");
        registered.shield = shield;
        if (on_register) known.set_pupil(std::move(registered), at(fresh), "not-in-school:E10000024");
        known.set_roll("not-in-school:E10000024", at(loaded));
        auto about = row();
        if (*qualifier != '\0') about.qualifiers = {qualifier};
        const auto by =
            Agreement::parse(
                parties + share("SCH-1", "school_notice", "school", R"("child","incident")", "16h") +
                (with_rule ? share("SCH-2", "school_notice", "education", R"("child","incident")", "12h")
                           : "") +
                share("REV-1", "review_item", "social-care", R"("why")", "4h"))
                .value();
        const auto plan = planned(known, about, by);
        std::vector<std::string> is_told, is_asked;
        for (const auto* each : of_kind(plan, Kind::school_notice)) {
            is_told.push_back(each->recipient);
            if (each->recipient != officer) continue;
            const auto& notice = std::get<schemas::SchoolNoticeValue>(each->payload);
            CHECK(each->topic == "notices/education/E10000024");
            CHECK(each->rule == "SCH-2");
            CHECK(each->due == now + std::chrono::hours{12});
            CHECK(each->subjects == std::vector<std::string>{"pupil/0/E10000024/Example|Ava|2015-06-02"});
            CHECK(notice.child_given_names == "Ava");
            CHECK(notice.urn == 0);
            CHECK(notice.voice_of_child.empty());  // no rule allows it
        }
        for (const auto* each : of_kind(plan, Kind::review_item)) {
            const auto& item = std::get<schemas::ReviewItemValue>(each->payload);
            CHECK(each->two_people == (shield != Shield::none));
            is_asked.push_back((each->held ? "" : "!") + item.bound_for);
        }
        std::ranges::sort(is_told);
        CHECK(is_told == told);
        CHECK(is_asked == asked);
    }
}

TEST_CASE("a field the rule does not list is not sent", "[notices]") {
    const auto plan = planned(county(), row(), agree(R"("incident")", R"("incident")"));
    const auto& care = social_notice(plan);
    CHECK(care.child->given_names == "Ava");
    CHECK(care.child->family_name == "Example");
    CHECK(care.child->date_of_birth.empty());
    CHECK(care.child->upn.empty());
    CHECK(care.place.empty());
    CHECK(care.category.empty());
    CHECK(care.circumstances.empty());
    CHECK(care.assessment.empty());
    CHECK(care.risk == nullptr);
    CHECK(care.reasons.empty());
    CHECK(care.adults.empty());
    CHECK(care.worker == nullptr);
    CHECK(care.team.empty());
    CHECK(care.police_contact.empty());
    CHECK(care.voice_of_child.empty());
    CHECK(care.children_named == 0);
    CHECK(care.outcome == Outcome::match);  // never left out: a possible match must be seen to be one
    const auto& told = school_notice(plan);
    CHECK(told.child_given_names == "Ava");
    CHECK(told.child_date_of_birth.empty());
    CHECK(told.upn.empty());
    CHECK(told.circumstances.empty());
    CHECK(told.voice_of_child.empty());
    CHECK(told.police_contact.empty());
    CHECK_FALSE(told.child_present);
    CHECK_FALSE(told.handling.empty());
}

TEST_CASE("an uncertain match goes to social care marked, and never to a school", "[notices]") {
    auto about = row();
    about.people[2]->person->given_names = "Eve";  // a twin, as far as anybody can see
    about.people[1]->person = person("Nobody", "Known", "1970-01-05", "M");
    const auto plan = planned(county(), about);
    CHECK(of_kind(plan, Kind::school_notice).empty());
    for (const auto* care : of_kind(plan, Kind::social_care_notice)) {
        CHECK(std::get<schemas::SocialCareNoticeValue>(care->payload).outcome == Outcome::potential);
    }
    bool for_school = false;
    for (const auto* item : of_kind(plan, Kind::review_item)) {
        const auto& value = std::get<schemas::ReviewItemValue>(item->payload);
        for_school = for_school || value.bound_for == "school/900001";
        CHECK(item->topic == "reviews/E10000024");
        CHECK(item->due <= at("2025-03-05T08:40Z"));
    }
    CHECK(for_school);
}

TEST_CASE(
    "a reviewer sees whom police named and what each comparison counted for, only where the rule lists it",
    "[notices]") {
    const auto with = [](const char* fields) {
        return Agreement::parse(parties + share("SCH-1", "school_notice", "school", R"("child")", "16h") +
                                share("REV-1", "review_item", "social-care", fields, "4h"))
            .value();
    };
    auto about = row();
    about.qualifiers = {"hold_for_person"};
    const auto listed = planned(county(), about, with(R"("incident","compared","weights")"));
    const auto& item = review_item(listed);
    CHECK(item.person == 3);
    REQUIRE(item.weighed.size() == 7);
    std::int64_t sum = 0;
    for (const auto& each : item.weighed) sum += each->weight;
    CHECK(item.score <= sum);
    CHECK(item.score > 6000);
    CHECK(item.weighed[0]->detail == "To begin with");
    CHECK(item.weighed[0]->weight < 0);
    CHECK(item.weighed[3]->detail == "Date of birth");
    CHECK(item.weighed[3]->found == "Date of birth agrees.");
    CHECK(item.weighed[3]->weight == 12200);
    CHECK(item.weighed_by.starts_with("SCH-1, agreement "));
    CHECK(item.weighed_by.size() == std::string_view{"SCH-1, agreement "}.size() + 12);

    const auto silent = planned(county(), about, with(R"("compared")"));
    const auto& without = review_item(silent);
    CHECK(without.person == 0);
    CHECK(without.weighed.empty());
    CHECK(without.score == 0);
    CHECK(without.weighed_by.empty());
    // Whoever has decided is not asked again because a name has become more common.
    const auto found = [](const Plan& plan) { return of_kind(plan, Kind::review_item)[0]->fingerprint; };
    auto more = county();
    for (int i = 0; i < 18; ++i) {
        auto other = person("Ava", "Another" + std::string(1, static_cast<char>('a' + i)),
                            "2009-01-0" + std::to_string(1 + i % 9), "F");
        more.set_pupil(pupil(900002, std::move(other)), at("2025-03-01T06:00Z"), "la:E10000024");
    }
    const auto later = planned(more, about, with(R"("incident","compared","weights")"));
    CHECK(review_item(later).weighed[1]->weight != item.weighed[1]->weight);
    CHECK(found(later) == found(listed));
}

TEST_CASE("a dually registered pupil has a notice at each school", "[notices]") {
    auto known = county();
    known.set_pupil(pupil(900002, ava(), "S"), at("2025-03-01T06:00Z"), "la:E10000024");
    const auto schools = of_kind(planned(known, row()), Kind::school_notice);
    CHECK(schools.size() == 2);
}

TEST_CASE("a closed school's notice follows its one successor, and waits for a person when there are two",
          "[notices]") {
    auto known = county();
    auto closed = school(900001, "School 900001");
    closed.status = 2;
    known.set_school(std::move(closed));
    schemas::SchoolLinkValue link;
    link.urn = 900001;
    link.link_type = "Successor";
    link.link_urn = 900002;
    known.set_link(link);
    CHECK(school_notice(planned(known, row())).urn == 900002);

    link.link_urn = 900003;
    known.set_link(link);
    const auto plan = planned(known, row());
    CHECK(of_kind(plan, Kind::school_notice).empty());
    const auto& item = review_item(plan);
    CHECK(item.subject == "H243278544154");
    CHECK(item.why.front().find("closed") != std::string::npos);
}

TEST_CASE("a school that takes no part is left to a person", "[notices]") {
    auto known = county();
    known.remove_pupil({900001, "H243278544154"});
    known.set_pupil(pupil(900004, ava()), at("2025-03-01T06:00Z"), "la:E10000024");
    const auto plan = planned(known, row());
    CHECK(of_kind(plan, Kind::school_notice).empty());
    CHECK(review_item(plan).bound_for == "school/900004");
    CHECK(review_item(plan).bound_for_name == "School 900004");
    CHECK(review_item(plan).force_name == "Nottinghamshire Police");
}

TEST_CASE("a related child on no roll is left to a person, and nobody's name is in the item", "[notices]") {
    auto known = county();
    known.remove_pupil({900001, "H243278544154"});
    const auto plan = planned(known, row());
    const auto& item = review_item(plan);
    CHECK(item.bound_for == "education/E10000024");
    CHECK(item.bound_for_name == "Education");
    CHECK(item.subject == "person 3");
    for (const auto& why : item.why) CHECK(why.find("Ava") == std::string::npos);
}

TEST_CASE("of a child on no roll the officer for children not in school may be told, if a person permits it",
          "[notices]") {
    auto known = county();
    known.remove_pupil(registry::key_of(pupil(900001, ava())));
    const auto by =
        Agreement::parse(parties +
                         share("SCH-2", "school_notice", "education", R"("child","incident")", "16h") +
                         share("REV-1", "review_item", "social-care", R"("why")", "4h"))
            .value();
    auto plan = planned(known, row(), by);
    CHECK(of_kind(plan, Kind::school_notice).empty());
    const auto items = of_kind(plan, Kind::review_item);
    REQUIRE(items.size() == 1);
    CHECK(std::get<schemas::ReviewItemValue>(items[0]->payload).bound_for == "education/E10000024");
    CHECK_FALSE(items[0]->two_people);
    REQUIRE(items[0]->held);
    CHECK(items[0]->held->topic == "notices/education/E10000024");
    CHECK(items[0]->held->rule == "SCH-2");
    CHECK(items[0]->held->due == now + std::chrono::hours{16});
    const auto& notice = std::get<schemas::SchoolNoticeValue>(items[0]->held->payload);
    CHECK(notice.child_family_name == "Example");
    CHECK(notice.urn == 0);
    CHECK(notice.voice_of_child.empty());  // no rule allows it

    auto shielded = flag("1", ava());
    shielded.shield = schemas::Shield::refuge;
    known.set_flag(std::move(shielded), at("2025-03-01T06:00Z"));
    plan = planned(known, row(), by);
    REQUIRE(of_kind(plan, Kind::review_item).size() == 1);
    CHECK(of_kind(plan, Kind::review_item)[0]->two_people);

    auto nameless = row();
    nameless.people[2]->person->given_names = nameless.people[2]->person->family_name = "";
    plan = planned(known, nameless, by);
    REQUIRE_FALSE(of_kind(plan, Kind::review_item).empty());
    for (const auto* item : of_kind(plan, Kind::review_item)) CHECK_FALSE(item->held);
}

TEST_CASE("of a child who lives in another force's area that force is told, and the school all the same",
          "[notices]") {
    // 31 has Nottinghamshire and the city, 30 Derbyshire; nobody in the agreement has Leicestershire.
    const auto agreed = [](bool with_rule) {
        std::string text = parties;
        const std::string force = "name = \"Nottinghamshire Police\"\n";
        text.insert(text.find(force) + force.size(), "areas = [\"E10000024\", \"E06000018\"]\n");
        text += "[[party]]\nagency = \"police/30\"\nname = \"Derbyshire\"\nareas = [\"E10000007\"]\n";
        text += share("SCH-1", "school_notice", "school", R"("child","incident")", "16h");
        text += share("SCH-2", "school_notice", "education", R"("child","incident")", "16h");
        text += share("REV-1", "review_item", "social-care", R"("why")", "4h");
        if (with_rule) text += share("RES-1", "school_notice", "police", R"("child","incident")", "12h");
        return Agreement::parse(text).value();
    };
    struct Row {
        const char* why;
        const char* police_were_told;  // postcode of the child's home
        const char* roll;
        bool on_roll, with_rule;
        const char* qualifier;
        schemas::Shield shield;
        std::vector<std::string> told;   // directly, in order
        std::vector<std::string> asked;  // whom a person decides about; "!": nothing can be sent
        const char* words;               // of the last
    };
    using Shield = schemas::Shield;
    const std::string county = "school/900001", derby = "police/30", officer = "education/E10000024";
    const std::vector<Row> rows{
        {"lives in the force's own area",
         "NG7 9ZZ",                                       "NG7 9ZZ",
         true,                                                              true,
         "",                                                                           Shield::none,
         {county},
         {},
         ""                                                                                                                                },
        {"lives across the border",
         "DE1 9ZZ",                                       "DE1 9ZZ",
         true,                                                              true,
         "",                                                                           Shield::none,
         {derby, county},
         {},
         "told directly"                                                                                                                   },
        {"what police were told is newer",
         "DE1 9ZZ",                                       "NG7 9ZZ",
         true,                                                              true,
         "",                                                                           Shield::none,
         {derby, county},
         {},
         ""                                                                                                                                },
        {"and the other way round",           "NG7 9ZZ",  "DE1 9ZZ", true,  true,  "", Shield::none,   {county},        {},              ""},
        {"the roll alone knows",              "",         "DE1 9ZZ", true,  true,  "", Shield::none,   {derby, county}, {},              ""},
        {"nobody knows: as if here",          "",         "",        true,  true,  "", Shield::none,   {county},        {},              ""},
        {"a postcode without a school",       "ZE1 9ZZ",  "",        true,  true,  "", Shield::none,   {county},        {},              ""},
        {"a district of both: as if here",    "NG16 9ZZ", "",        true,  true,  "", Shield::none,   {county},        {},              ""},
        {"a sector of that district",         "NG16 4ZZ", "",        true,  true,  "", Shield::none,   {derby, county}, {},              ""},
        {"on no roll, and across the border",
         "DE1 9ZZ",                                       "",
         false,                                                             true,
         "",                                                                           Shield::none,
         {derby},
         {},
         "No school is told"                                                                                                               },
        {"on no roll, and here",              "NG7 9ZZ",  "",        false, true,  "", Shield::none,   {},              {officer},       ""},
        {"police ask for a person's look",
         "DE1 9ZZ",                                       "",
         true,                                                              true,
         "hold_for_person",                                                            Shield::none,
         {},
         {derby, county},
         ""                                                                                                                                },
        {"shielded: two people",              "DE1 9ZZ",  "",        true,  true,  "", Shield::refuge, {},              {derby, county}, ""},
        {"nothing agreed with that force",
         "DE1 9ZZ",                                       "",
         true,                                                              false,
         "",                                                                           Shield::none,
         {county},
         {"!" + derby},
         ""                                                                                                                                },
        {"a force that takes no part",
         "LE1 9ZZ",                                       "",
         true,                                                              true,
         "",                                                                           Shield::none,
         {county},
         {"!education/E10000018"},
         ""                                                                                                                                },
    };
    for (const auto& [why, told_police, roll, on_roll, with_rule, qualifier, shield, told, asked, words] :
         rows) {
        CAPTURE(why);
        Register known;
        const auto add_school = [&](std::uint32_t urn, const char* la, const char* postcode) {
            auto each = school(urn, "School", la);
            each.place = place("School Lane", postcode);
            known.set_school(std::move(each));
        };
        add_school(900001, "E10000024", "NG7 2RD");
        add_school(900011, "E10000007", "DE1 2AA");
        add_school(900012, "E10000007", "de1 2ab");
        add_school(900013, "E10000007", "NG16 4AA");
        add_school(900014, "E10000024", "NG16 2AA");
        add_school(900015, "E10000018", "LE1 1AA");
        auto on = pupil(900001, ava());
        on.shield = shield;
        if (*roll != '\0') on.home = place("1 High Street", roll);
        if (on_roll) known.set_pupil(std::move(on), now, "la:E10000024");
        auto about = row();
        if (*told_police != '\0') about.people[2]->home = place("1 High Street", told_police);
        if (*qualifier != '\0') about.qualifiers = {qualifier};
        const auto plan = planned(known, about, agreed(with_rule));
        std::vector<std::string> is_told, is_asked;
        std::string last_words;
        for (const auto* each : of_kind(plan, Kind::school_notice)) {
            is_told.push_back(each->recipient);
            if (each->recipient != derby) continue;
            const auto& notice = std::get<schemas::SchoolNoticeValue>(each->payload);
            CHECK(each->topic == "notices/police/30");
            CHECK(each->rule == "RES-1");
            CHECK(each->due == now + std::chrono::hours{12});
            CHECK(notice.child_given_names == "Ava");
            CHECK(notice.urn == (on_roll ? 900001 : 0));
            CHECK(notice.voice_of_child.empty());  // no rule allows it
            REQUIRE(notice.handling.size() == 2);
            CHECK(notice.handling[0].find("your force's duty") != std::string::npos);
            last_words = notice.handling[1];
        }
        for (const auto* each : of_kind(plan, Kind::review_item)) {
            const auto& item = std::get<schemas::ReviewItemValue>(each->payload);
            CHECK(each->topic == "reviews/E10000024");
            CHECK(each->two_people == (shield != Shield::none));
            is_asked.push_back((each->held ? "" : "!") + item.bound_for);
        }
        std::ranges::sort(is_told);
        std::ranges::sort(is_asked);
        CHECK(is_told == told);
        CHECK(is_asked == asked);
        CHECK(last_words.find(words) != std::string::npos);
        CHECK(plan.withheld.empty());
    }
}

TEST_CASE("nobody is asked for by name who may be in the incident", "[notices]") {
    auto known = county();
    for (const auto* name : {"Anna First", "Mary Example", "Zoe Last"}) {
        schemas::SchoolContactValue contact;
        contact.urn = 900001;
        contact.name = name;
        known.set_contact(std::move(contact));
    }
    auto related = flag("1", ava());
    related.worker = std::make_unique<schemas::WorkerValue>();
    related.worker->name = "P. Sample";
    related.duty_contact = "01632 960100";
    known.set_flag(std::move(related), at("2025-03-01T06:00Z"));
    const auto escalating =
        share("SCH-1", "school_notice", "school", R"("child")", "16h") +
        "escalate = [{to = \"again\", after = \"1h\"}, {to = \"again\", after = \"2h\"}]\n";
    const auto by =
        Agreement::parse(parties + escalating +
                         share("SC-1", "social_care_notice", "social-care", R"("worker")", "24h") +
                         share("REV-1", "review_item", "social-care", R"("why")", "4h"))
            .value();
    const auto plan = planned(known, row(), by);
    std::vector<std::string> asked;
    for (const auto* item : of_kind(plan, Kind::review_item)) {
        REQUIRE(item->held);
        if (const auto* notice = std::get_if<schemas::SocialCareNoticeValue>(&item->held->payload)) {
            CHECK(notice->addressed_to == "01632 960100");
            continue;
        }
        asked.push_back(std::get<schemas::SchoolNoticeValue>(item->held->payload).addressed_to);
        for (const auto& rung : item->held->rungs)
            asked.push_back(std::get<schemas::SchoolNoticeValue>(rung.payload).addressed_to);
    }
    CHECK(asked == std::vector<std::string>{"Anna First", "Zoe Last", "Zoe Last"});
    CHECK(plan.planned.size() == 2);
}

TEST_CASE("no school is told of a pupil who has turned 18; a person sees why", "[notices]") {
    auto known = county();
    auto about = row();
    for (const auto& [born, told] : {
             std::pair{"2007-03-04", false},
             {"2007-03-05", true }
    }) {
        CAPTURE(born);
        auto child = ava();
        child->date_of_birth = born;
        known.set_pupil(pupil(900001, std::move(child)), at("2025-03-01T06:00Z"), "la:E10000024");
        about.people[2]->person->date_of_birth = born;
        const auto plan = planned(known, about);
        CHECK(of_kind(plan, Kind::school_notice).size() == (told ? 1 : 0));
        CHECK(of_kind(plan, Kind::review_item).size() == (told ? 0 : 1));
    }
}

TEST_CASE("a shielded child's school waits for two people, however the flag was found", "[notices]") {
    using Change = void (*)(schemas::FlagValue&);
    const auto [why, change] = GENERATE(table<const char*, Change>({
        {"by the child",                                                            [](schemas::FlagValue&) {}},
        {"the plan has ended, and the father is as sure as the child",
         [](schemas::FlagValue& flag) { flag.end_date = "2024-12-20"; }                                       },
        {"the flag has another birthday than the roll, so only the father is sure",
         [](schemas::FlagValue& flag) {
             flag.child->date_of_birth = "2016-02-06";
             flag.child->upn.clear();
         }                                                                                                    },
        {"the flag has another first name than the roll",
         [](schemas::FlagValue& flag) {
             flag.child->given_names = "Hidden";
             flag.child->upn.clear();
         }                                                                                                    },
        {"the flag has the number alone",
         [](schemas::FlagValue& flag) {
             flag.child->given_names = "H";
             flag.child->date_of_birth.clear();
         }                                                                                                    },
    }));
    CAPTURE(why);
    auto known = county();
    auto shielded = flag("1", ava());
    shielded.shield = schemas::Shield::adoption;
    add_adult(shielded, person("Paul", "Sample", "1985-03-17", "M"), "father");
    change(shielded);
    known.set_flag(std::move(shielded), at("2025-03-01T06:00Z"));
    const auto plan = planned(known, row());
    CHECK(of_kind(plan, Kind::school_notice).empty());
    const auto items = of_kind(plan, Kind::review_item);
    REQUIRE_FALSE(items.empty());
    CHECK(std::ranges::any_of(items, [](const auto* item) { return item->two_people && item->held; }));
}

TEST_CASE("what nobody agreed to is withheld, and why is known", "[notices]") {
    const auto silent = Agreement::parse(parties);
    REQUIRE(silent);
    const auto plan = planned(county(), row(), *silent);
    CHECK(plan.planned.empty());
    REQUIRE(plan.withheld.size() == 2);
    CHECK(plan.withheld[0].why == "no rule: social_care_notice from police to social-care");
    CHECK(plan.withheld[1].why == "no rule: school_notice from police to school");
}

TEST_CASE("an authority that is no party is not told", "[notices]") {
    auto known = county();
    known.remove_flag({"E10000024", "1"});
    known.set_flag(flag("7", ava(), "E10000007"), now);
    const auto plan = planned(known, row());
    CHECK(of_kind(plan, Kind::social_care_notice).empty());
    REQUIRE(plan.withheld.size() == 1);
    CHECK(plan.withheld[0].why == "not a party to the agreement");
}

TEST_CASE("reviews go to the desk the agreement names", "[notices]") {
    auto known = county();
    known.remove_flag({"E10000024", "1"});
    known.remove_pupil({900001, "H243278544154"});
    known.set_flag(flag("7", person("Ava", "Example", ""), "E06000018"), now);
    auto about = row();
    about.domestic_abuse = false;
    const auto plan = planned(known, about);
    const auto found = of_kind(plan, Kind::review_item);
    REQUIRE(found.size() == 1);
    CHECK(found[0]->recipient == "social-care/E10000024");
    CHECK(found[0]->topic == "reviews/E06000018");
}

TEST_CASE("a new version that changes nothing for the recipient leaves the fingerprint as it was",
          "[notices]") {
    const auto known = county();
    auto about = row();
    const auto first = planned(known, about);
    about.version = 2;
    const auto same = planned(known, about);
    about.circumstances = "Police were called to an assault.";
    const auto changed = planned(known, about);
    REQUIRE(first.planned.size() == 2);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(first.planned[i].dedup == same.planned[i].dedup);
        CHECK(first.planned[i].fingerprint == same.planned[i].fingerprint);
        CHECK(first.planned[i].dedup == changed.planned[i].dedup);
        CHECK(first.planned[i].fingerprint != changed.planned[i].fingerprint);
    }
}

TEST_CASE("free text reaches a school whole or not at all", "[notices]") {
    auto about = row();
    add_person(about, schemas::Role::child, person("Ben", "Example", "2018-01-02")).home =
        place("9 Beech Grove", "NG5 5AB");
    const auto child = ava();
    const auto [why, text, kept] = GENERATE(table<const char*, const char*, bool>({
        {"plain",                  "Shouting was heard.",             true },
        {"the child's own name",   "Ava said she heard shouting.",    true },
        {"family name, also hers", "The Example family is known.",    true },
        {"a brother",              "Ben was asleep.",                 false},
        {"a brother, in capitals", "BEN was asleep.",                 false},
        {"an adult's name",        "Mr Sample had left.",             false},
        {"the street",             "They ran into Elm Close.",        false},
        {"the home's street",      "She has gone to Beech Grove.",    false},
        {"any postcode",           "She has gone to LE1 6AA.",        false},
        {"any postcode, unspaced", "She has gone to LE16AA.",         false},
        {"the police grade",       "Graded medium.",                  false},
        {"the risk tool",          "See the DARA form.",              false},
        {"a conviction",           "He has convictions for assault.", false},
        {"a refuge",               "Mother is in a refuge.",          false},
        {"an adult's health",      "She had taken an overdose.",      false},
        {"a diagnosis",            "He is bipolar.",                  false},
        {"an unborn child",        "Mother is pregnant.",             false},
        {"a prison",               "He is out of prison.",            false},
        {"nothing",                "",                                true },
    }));
    CAPTURE(why, text);
    CHECK(notices::fit_for_school(text, *child, about) == (kept ? text : ""));
}

namespace {

/// Draws incidents full of what a school must never read.
class Draw {
public:
    explicit Draw(unsigned seed) : random_{seed} {}
    std::size_t below(std::size_t n) { return random_() % n; }
    template <std::size_t N> std::string one_of(const char* const (&list)[N]) { return list[below(N)]; }
    std::string text(const std::vector<std::string>& secrets) {
        static constexpr const char* plain[] = {"Police attended.", "Two adults argued.",
                                                "A neighbour called."};
        std::string out = one_of(plain);
        if (below(2) == 0) out += " " + secrets[below(secrets.size())] + " was noted.";
        return out;
    }

private:
    std::mt19937 random_;
};

std::string all_text(const schemas::SchoolNoticeValue& notice) {
    const Bytes bytes = wire::pack<schemas::SchoolNotice>(notice);
    return std::string{bytes.begin(), bytes.end()};
}

}  // namespace

TEST_CASE("a school notice never holds another child, an address, a conviction, health or a grade",
          "[notices]") {
    auto known = county();
    auto hidden = flag("1", ava());  // where mother and child are hidden now: in the flag alone
    hidden.places.push_back(dated(place("5 Lavender Rise", "LE4 4ZZ", 5151515151)));
    add_adult(hidden, person("Paul", "Sample", "1985-03-17", "M"), "father");
    hidden.linked_adults.back()->places.push_back(dated(place("8 Marigold Yard", "DE2 2YY")));
    known.set_flag(std::move(hidden), at("2025-03-01T06:00Z"));
    const auto by = agree();
    std::size_t told = 0;
    for (unsigned seed = 0; seed < 400; ++seed) {
        CAPTURE(seed);
        Draw draw{seed};
        static constexpr const char* siblings[] = {"Quentin", "Zebedee", "Xanthe"};
        static constexpr const char* streets[] = {"Pelican Way", "Juniper Mews", "Orchid Row"};
        static constexpr const char* grades[] = {"highest", "moderate-plus", "standardised"};
        const std::string sibling = draw.one_of(siblings), street = draw.one_of(streets),
                          grade = draw.one_of(grades);
        const std::vector<std::string> secrets{
            sibling,      street,     grade,           "NG9 9ZZ",         "77 " + street,
            "Sample",     "DARA",     "Lavender Rise", "5 Lavender Rise", "Marigold Yard",
            "5151515151", "LE4 4ZZ",  "convictions",   "prison",          "overdose",
            "HIV",        "pregnant", "refuge",        "intelligence"};
        auto about = row();
        about.place = place("77 " + street, "NG9 9ZZ", 4242424242);
        about.risk->grade = grade;
        about.people[2]->home = place("77 " + street, "NG9 9ZZ");
        about.people[2]->voice_of_child = draw.text(secrets);
        about.circumstances = draw.text(secrets);
        about.assessment = draw.text(secrets);
        auto& other = add_person(about, schemas::Role::child, person(sibling, "Example", "2017-05-05"));
        other.voice_of_child = draw.text(secrets);
        relate(other, 0, "child");
        const auto plan = planned(known, about, by);
        for (const auto* notice : of_kind(plan, Kind::school_notice)) {
            ++told;
            const auto text = all_text(std::get<schemas::SchoolNoticeValue>(notice->payload));
            for (const auto& secret : secrets) {
                CAPTURE(secret);
                REQUIRE(text.find(secret) == std::string::npos);
            }
        }
    }
    CHECK(told == 400);  // the search above looked at something
}

TEST_CASE("whoever may be a grown person of the incident is known by one of two surnames, too", "[notices]") {
    schemas::IncidentValue about;
    add_person(about, schemas::Role::suspect, person("Sam John", "Patel-Jones", "1985-03-17", "M"));
    add_person(about, schemas::Role::child, person("Ava", "Example", "2015-06-02", "F"));
    CHECK(notices::may_be_party(about, "Sam Patel Jones"));
    CHECK(notices::may_be_party(about, "s.patel"));
    CHECK(notices::may_be_party(about, "Jones, Sam"));
    CHECK_FALSE(notices::may_be_party(about, "Ann Patel-Jones"));
    CHECK_FALSE(notices::may_be_party(about, "Ava Example"));
    CHECK_FALSE(notices::may_be_party(about, "Patel"));
}
