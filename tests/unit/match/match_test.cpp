#include "broker/match/match.h"

#include <algorithm>
#include <random>

#include "tests/support/catch.h"
#include "tests/support/people.h"

using namespace flagpost;
using namespace flagpost::tests;
using match::Decision;
using registry::Register;
using schemas::HitKind;
using schemas::Outcome;
using schemas::Role;

namespace {

const Instant now = at("2025-03-04T22:00Z");

/// A child on a plan at 14 Oak Road, who moved there from 3 Elm Close in November, and the child's father.
schemas::FlagValue ava() {
    auto held = flag("ava", person("Ava Grace", "Zielinska", "2015-06-22", "F"));
    held.places.push_back(dated(place("14 Oak Road", "NG7 2RD", 10001), "2024-11-01"));
    held.places.push_back(dated(place("3 Elm Close", "NG5 1AA", 10002), "2020-01-01", "2024-10-31"));
    held.places.push_back(dated(place("8 Ash Lane", "NG6 3BB", 10003), "2016-01-01", "2019-12-31"));
    add_adult(held, person("Marek", "Zielinski", "1985-09-17", "M"), "father");
    return held;
}

/// Other people, so that names have a frequency and lists more than one entry.
void add_others(Register& known, int count) {
    static constexpr const char* given[] = {"Olivia", "Jack",  "Amelia", "Noah",  "Isla",
                                            "Leo",    "Grace", "Oscar",  "Freya", "Arthur"};
    static constexpr const char* family[] = {"Smith", "Jones", "Taylor", "Brown",  "Khan",
                                             "Patel", "Evans", "Walker", "Wright", "Green"};
    std::mt19937 random{7};
    for (int i = 0; i < count; ++i) {
        char born[11];
        std::snprintf(born, sizeof born, "20%02lu-%02lu-%02lu", 8 + random() % 14, 1 + random() % 12,
                      1 + random() % 28);
        auto held =
            flag("other-" + std::to_string(i), person(given[random() % 10], family[random() % 10], born));
        held.places.push_back(dated(place(std::to_string(1 + random() % 90) + " Long Street", "NG3 4CC")));
        known.set_flag(std::move(held), now);
    }
}

const Register& county() {
    static const Register known = [] {
        Register made;
        made.set_flag(ava(), now);
        add_others(made, 1500);
        return made;
    }();
    return known;
}

schemas::IncidentValue with(std::unique_ptr<schemas::PersonValue> who,
                            std::unique_ptr<schemas::PlaceValue> home = {}) {
    auto made = incident();
    made.domestic_abuse = false;
    add_person(made, Role::other, std::move(who)).home = std::move(home);
    return made;
}

Outcome outcome_for(const Decision& decision, const std::string& child) {
    for (const auto& hit : decision.flags)
        if (hit.flag.la_child_id == child) return hit.outcome;
    return Outcome::none;
}

const match::Hit& hit_on(const Decision& decision, const std::string& child) {
    const auto found = std::find_if(decision.flags.begin(), decision.flags.end(),
                                    [&](const match::Hit& hit) { return hit.flag.la_child_id == child; });
    REQUIRE(found != decision.flags.end());
    return *found;
}

bool says(const std::vector<std::string>& reasons, const char* words) {
    return std::any_of(reasons.begin(), reasons.end(),
                       [&](const std::string& reason) { return reason.find(words) != std::string::npos; });
}

}  // namespace

TEST_CASE("a person is matched as surely as the details allow", "[match]") {
    using Row = std::tuple<const char*, const char*, const char*, const char*, const char*, Outcome, Outcome>;
    const auto [why, given, family, born, home, least,
                most] = GENERATE(table<const char*, const char*, const char*, const char*, const char*,
                                       Outcome, Outcome>({
        Row{"name and date of birth",              "Ava",           "Zielinska",  "2015-06-22", "",            Outcome::match,     Outcome::match    },
        Row{"all given names",                     "Ava Grace",     "Zielinska",  "2015-06-22", "",            Outcome::match,     Outcome::match    },
        Row{"and the address",                     "Ava",           "Zielinska",  "2015-06-22", "14 Oak Road", Outcome::match,
            Outcome::match                                                                                                                           },
        Row{"moved",                               "Ava",           "Zielinska",  "2015-06-22", "1 New Road",  Outcome::match,     Outcome::match    },
        Row{"typo in the family name",             "Ava",           "Zielnska",   "2015-06-22", "",            Outcome::potential,
            Outcome::match                                                                                                                           },
        Row{"typo in the given name",              "Avaa",          "Zielinska",  "2015-06-22", "",            Outcome::low,       Outcome::match    },
        Row{"other spelling",                      "Ava",           "Zielińska", "2015-06-22", "",            Outcome::match,     Outcome::match    },
        Row{"family name as the father's",         "Ava",           "Zielinski",  "2015-06-22", "",            Outcome::potential,
            Outcome::match                                                                                                                           },
 // Of a name few bear: nobody else's date is its own turned round.
        Row{"day and month swapped",               "Ava",           "Zielinska",  "2015-22-06", "",            Outcome::match,     Outcome::match    },
        Row{"the same of one who lives elsewhere", "Ava",           "Zielinska",  "2015-22-06", "1 New Road",
            Outcome::potential,                                                                                                    Outcome::potential},
        Row{"the same of a name many bear",        "Ava",           "Smith",      "2015-22-06", "",            Outcome::none,
            Outcome::potential                                                                                                                       },
 // Thirty dates are a digit off.
        Row{"one digit wrong",                     "Ava",           "Zielinska",  "2015-06-23", "",            Outcome::potential, Outcome::potential},
        Row{"one digit, at the address",           "Ava",           "Zielinska",  "2015-06-23", "14 Oak Road", Outcome::potential,
            Outcome::match                                                                                                                           },
        Row{"year only, at the address",           "Ava",           "Zielinska",  "2015-00-00", "14 Oak Road", Outcome::low,
            Outcome::match                                                                                                                           },
        Row{"middle name used",                    "Grace",         "Zielinska",  "2015-06-22", "",            Outcome::low,       Outcome::match    },
        Row{"names swapped",                       "Zielinska",     "Ava",        "2015-06-22", "",            Outcome::potential, Outcome::match    },
        Row{"one field for the name",              "Ava Zielinska", "",           "2015-06-22", "",            Outcome::potential,
            Outcome::match                                                                                                                           },
        Row{"both names misspelt",                 "Eva",           "Zielenski",  "2015-06-22", "",            Outcome::low,       Outcome::potential},
        Row{"short form, family name misspelt",    "Avie",          "Zielinka",   "2015-06-22", "",            Outcome::low,
            Outcome::potential                                                                                                                       },
        Row{"name alone",                          "Ava",           "Zielinska",  "",           "",            Outcome::none,      Outcome::low      },
        Row{"a twin",                              "Eva",           "Zielinska",  "2015-06-22", "14 Oak Road", Outcome::low,       Outcome::potential},
        Row{"a twin of quite another name",        "Roza",          "Zielinska",  "2015-06-22", "14 Oak Road", Outcome::none,
            Outcome::potential                                                                                                                       },
        Row{"a brother",                           "Jan",           "Zielinski",  "2013-02-11", "14 Oak Road", Outcome::none,      Outcome::none     },
        Row{"a namesake",                          "Ava",           "Zielinska",  "1990-11-03", "",            Outcome::none,      Outcome::potential},
        Row{"a namesake of the household",         "Ava",           "Zielinska",  "1990-11-03", "14 Oak Road", Outcome::none,
            Outcome::potential                                                                                                                       },
        Row{"somebody else of that date",          "Holly",         "Marsh",      "2015-06-22", "",            Outcome::none,      Outcome::none     },
        Row{"somebody else altogether",            "Holly",         "Marsh",      "2011-01-30", "",            Outcome::none,      Outcome::none     },
    }));
    CAPTURE(why);
    auto about = with(person(given, family, born),
                      *home ? place(home, *home == '1' && home[1] == '4' ? "NG7 2RD" : "NG16 9XY") : nullptr);
    const auto decision = match::decide(county(), about, now);
    const auto outcome = outcome_for(decision, "ava");
    CAPTURE(decision.flags.empty()
                ? ""
                : Catch::Detail::stringify(hit_on(decision, decision.flags[0].flag.la_child_id).reasons));
    CHECK(outcome >= least);
    CHECK(outcome <= most);
}

TEST_CASE("a namesake elsewhere casts no doubt on a child in its own house", "[match]") {
    Register known;
    const auto add = [&](const char* id, const char* born, const char* line, const char* postcode) {
        auto held = flag(id, person("Ava", "Zielinska", born, "F"));
        held.places.push_back(dated(place(line, postcode)));
        known.set_flag(std::move(held), now);
    };
    add("here", "2015-06-22", "14 Oak Road", "NG7 2RD");
    add("there", "2011-02-03", "9 Pine Walk", "LE1 4CD");
    const auto at_home = with(person("Ava", "Zielinska", "", "F"), place("14 Oak Road", "NG7 2RD"));
    auto decision = match::decide(known, at_home, now);
    CHECK(outcome_for(decision, "here") == Outcome::match);
    CHECK(outcome_for(decision, "there") < Outcome::potential);
    // One in the house does.
    add("mother", "1988-02-03", "14 Oak Road", "NG7 2RD");
    decision = match::decide(known, at_home, now);
    CHECK(outcome_for(decision, "here") < Outcome::match);
}

TEST_CASE("a new-year date of birth without an address is looked at by a person", "[match]") {
    Register known;
    known.set_flag(flag("1", person("Ava", "Zielinska", "2015-01-01")), now);
    const auto decision = match::decide(known, with(person("Ava", "Zielinska", "2015-01-01")), now);
    CHECK(hit_on(decision, "1").outcome == Outcome::potential);
    CHECK(says(hit_on(decision, "1").reasons, "1 January"));
}

TEST_CASE("an estimated date of birth is enough nearby where few of those with one are called so",
          "[match]") {
    struct Row {
        const char* why;
        bool newcomers;  // who share names, years and streets
        const char *given, *family, *heard_at;
        Outcome outcome;
    };
    const auto row = GENERATE(values<Row>({
        {"nobody of the hundred is called nearly so", false, "Ava",  "Zielinska", "NG7 2AA", Outcome::match    },
        {"but far away a person looks",               false, "Ava",  "Zielinska", "LE1 4CD", Outcome::potential},
        {"and where no address is given",             false, "Ava",  "Zielinska", "",        Outcome::potential},
        {"a name that many of them bear",             true,  "Omar", "Ahmadi",    "NG7 2AA", Outcome::potential},
    }));
    CAPTURE(row.why);
    Register known;
    const auto add = [&](const std::string& id, const std::string& given, const std::string& family, int year,
                         const char* postcode) {
        auto held = flag(id, person(given, family, std::to_string(year) + "-01-01"));
        held.places.push_back(dated(place("14 Oak Road", postcode)));
        known.set_flag(std::move(held), now);
    };
    static constexpr const char* given[] = {"Omar", "Ali", "Farid", "Hamid", "Yusuf"};
    static constexpr const char* family[] = {"Ahmadi", "Karimi", "Rahimi", "Noori"};
    for (std::size_t i = 0; i < 100; ++i) {
        if (row.newcomers && i % 20 == 0) continue;  // another of the whole name would be a rival
        const auto letters = std::string{static_cast<char>('a' + i % 10), static_cast<char>('a' + i / 10)};
        const auto year = row.newcomers ? 2007 + static_cast<int>(i % 3) : 1920 + static_cast<int>(i);
        add("other-" + std::to_string(i), row.newcomers ? given[i % 5] : "Jo" + letters + "na",
            row.newcomers ? family[i % 4] : "Br" + letters + "ell", year, "DE1 1AA");
    }
    add("the-child", row.given, row.family, 2009, "NG7 2RD");
    auto about = with(person(row.given, row.family, "2009-01-01"),
                      *row.heard_at ? place("3 Pine Walk", row.heard_at) : nullptr);
    CHECK(outcome_for(match::decide(known, about, now), "the-child") == row.outcome);
}

TEST_CASE("an address is a hit as sure as it reads", "[match]") {
    using Row = std::tuple<const char*, const char*, const char*, std::uint64_t, Outcome, HitKind>;
    const auto [why, line, postcode, uprn, outcome, kind] =
        GENERATE(table<const char*, const char*, const char*, std::uint64_t, Outcome, HitKind>({
            Row{"property number",                       "",                   "",        10001, Outcome::match,     HitKind::address},
            Row{"property number, typed otherwise",      "Oak House",          "NG7 2RD", 10001, Outcome::match,
                HitKind::address                                                                                                     },
            Row{"as typed",                              "14 oak rd",          "ng72rd",  0,     Outcome::match,     HitKind::address},
            Row{"misspelt street",                       "14 Oack Road",       "NG7 2RD", 0,     Outcome::match,     HitKind::address},
            Row{"a flat where we know of none",          "Flat 2 14 Oak Road", "NG7 2RD", 0,     Outcome::potential,
                HitKind::shell                                                                                                       },
            Row{"in a range",                            "12-16 Oak Road",     "NG7 2RD", 0,     Outcome::potential, HitKind::shell  },
            Row{"another street of that postcode",       "14 Pine Mews",       "NG7 2RD", 0,     Outcome::potential,
                HitKind::shell                                                                                                       },
            Row{"reads the same, other property number", "14 Oak Road",        "NG7 2RD", 77777, Outcome::potential,
                HitKind::shell                                                                                                       },
 // Nowhere else in the register is there an Oak Road, and few in the country.
            Row{"postcode one letter off",               "14 Oak Road",        "NG7 2RP", 0,     Outcome::match,     HitKind::address},
            Row{"in another sector",                     "14 Oak Road",        "NG7 3RD", 0,     Outcome::low,       HitKind::shell  },
            Row{"next door",                             "16 Oak Road",        "NG7 2RD", 0,     Outcome::none,      HitKind::address},
            Row{"next door by number",                   "16 Oak Road",        "NG7 2RD", 88888, Outcome::none,      HitKind::address},
            Row{"street without number",                 "Oak Road",           "NG7 2RD", 0,     Outcome::none,      HitKind::address},
            Row{"another town's Oak Road",               "14 Oak Road",        "LE1 4CD", 0,     Outcome::none,      HitKind::address},
            Row{"left four months ago",                  "3 Elm Close",        "NG5 1AA", 10002, Outcome::potential,
                HitKind::historic                                                                                                    },
            Row{"left years ago",                        "8 Ash Lane",         "NG6 3BB", 10003, Outcome::none,      HitKind::address},
    }));
    CAPTURE(why);
    auto about = incident();
    about.domestic_abuse = false;
    about.place = place(line, postcode, uprn);
    const auto decision = match::decide(county(), about, now);
    CHECK(outcome_for(decision, "ava") == outcome);
    if (outcome != Outcome::none) CHECK(hit_on(decision, "ava").kind == kind);
}

TEST_CASE("each flat of a building is its own address", "[match]") {
    Register known;
    for (const auto* flat : {"1", "2", "3"}) {
        auto held = flag(flat, person("Ann", "Smith", "2015-06-22"));
        held.places.push_back(dated(place(std::string{"Flat "} + flat + ", 14 Oak Road", "NG7 2RD")));
        known.set_flag(std::move(held), now);
    }
    auto about = incident();
    about.domestic_abuse = false;
    about.place = place("Flat 2, 14 Oak Road", "NG7 2RD");
    const auto decision = match::decide(known, about, now);
    REQUIRE(decision.flags.size() == 1);
    CHECK(decision.flags[0].flag.la_child_id == "2");
}

TEST_CASE("child and address together are one hit of both kinds", "[match]") {
    auto about = with(person("Ava", "Zielinska", "2015-06-22"));
    about.place = place("14 Oak Road", "NG7 2RD", 10001);
    const auto decision = match::decide(county(), about, now);
    REQUIRE(decision.flags.size() == 1);
    CHECK(decision.flags[0].kind == HitKind::both);
    CHECK(decision.flags[0].person == 0);
    CHECK(says(decision.flags[0].reasons, "First name agrees."));
    CHECK(says(decision.flags[0].reasons, "Police attended an address of this child."));
}

TEST_CASE("an uncertain child at a certain address is an address hit", "[match]") {
    auto about = with(person("Roza", "Zielinska", "2015-06-22"));
    about.place = place("14 Oak Road", "NG7 2RD", 10001);
    const auto decision = match::decide(county(), about, now);
    REQUIRE(decision.flags.size() == 1);
    CHECK(decision.flags[0].outcome == Outcome::match);
    CHECK(decision.flags[0].kind == HitKind::address);
}

TEST_CASE("a linked adult leads to the child, and the reason says how they are linked", "[match]") {
    const auto decision = match::decide(county(), with(person("Marek", "Zielinski", "1985-09-17", "M")), now);
    const auto& hit = hit_on(decision, "ava");
    CHECK(hit.outcome == Outcome::match);
    CHECK(hit.kind == HitKind::linked_adult);
    CHECK(hit.linked_adult == 0);
    CHECK(says(hit.reasons, "father"));
}

TEST_CASE("an unborn child is reached through the mother and the address alone", "[match]") {
    Register known;
    auto held = flag("unborn", person("", "Nowak", "", "U"));
    held.kind = schemas::FlagKind::unborn_child_protection_plan;
    held.expected_date_of_birth = "2025-05-01";
    add_adult(held, person("Ewa", "Nowak", "1998-04-12", "F"), "mother");
    known.set_flag(std::move(held), now);
    CHECK(outcome_for(match::decide(known, with(person("Ewa", "Nowak", "1998-04-12", "F")), now), "unborn") ==
          Outcome::match);
    CHECK(outcome_for(match::decide(known, with(person("Baby", "Nowak", "2025-03-01")), now), "unborn") <=
          Outcome::low);
}

TEST_CASE("a postcode that ends differently is a slip only where the street is the one of its name",
          "[match]") {
    struct Row {
        const char* why;
        const char *held, *others, *others_postcode, *heard;
        Outcome outcome;
    };
    const auto row = GENERATE(values<Row>({
        {"the one Amberton Road",                              "135 Amberton Road", "9 Pine Walk",     "NG7 2RD",  "135 Amberton Road",
         Outcome::match                                                                                                                              },
        {"next door",                                          "135 Amberton Road", "9 Pine Walk",     "NG7 2RD",  "137 Amberton Road", Outcome::none},
        {"a long one: the register knows it by two postcodes", "135 Amberton Road", "9 Amberton Road",
         "NG7 2RX",                                                                                                "135 Amberton Road", Outcome::low },
        {"there is one elsewhere",                             "135 Amberton Road", "9 Amberton Road", "NG16 4AB", "135 Amberton Road",
         Outcome::low                                                                                                                                },
        {"every second town has a Station Road",               "135 Station Road",  "9 Pine Walk",     "NG7 2RD",
         "135 Station Road",                                                                                                            Outcome::low },
        {"a flat whose number is the house's",                 "46 Ellison House",  "9 Pine Walk",     "NG7 2RD",
         "Flat 46 Ellison House",                                                                                                       Outcome::low },
    }));
    CAPTURE(row.why);
    Register known;
    const auto add = [&](const char* id, const char* line, const char* postcode) {
        auto held = flag(id, person("Ava", "Zielinska", "2015-06-22"));
        held.places.push_back(dated(place(line, postcode)));
        known.set_flag(std::move(held), now);
    };
    add("ava", row.held, "NG7 2RD");
    add("other", row.others, row.others_postcode);
    auto about = incident();
    about.domestic_abuse = false;
    about.place = place(row.heard, "NG7 2RP");
    CHECK(outcome_for(match::decide(known, about, now), "ava") == row.outcome);
    // Streets are counted out again: without the other one an Amberton Road is the only one of its name.
    known.remove_flag({flag("other", nullptr).la, "other"});
    const auto alone = outcome_for(match::decide(known, about, now), "ava");
    CHECK((alone == Outcome::match) == (std::string_view{row.heard} == "135 Amberton Road"));
}

TEST_CASE("a family name nearly the same is no match of a grown person unless an address agrees", "[match]") {
    Register known;
    auto held = flag("1", person("Ava", "Halmanby", "2015-06-22", "F"));
    add_adult(held, person("Aoife", "Halmanby", "1997-07-04", "F"), "mother");
    held.linked_adults[0]->places.push_back(dated(place("14 Oak Road", "NG7 2RD", 10001)));
    known.set_flag(std::move(held), now);
    using Row = std::tuple<const char*, const char*, const char*, const char*, const char*, Outcome>;
    const auto [why, given, family, born, home, outcome] =
        GENERATE(table<const char*, const char*, const char*, const char*, const char*, Outcome>({
            Row{"the mother",                       "Aoife", "Halmanby",       "1997-07-04", "",            Outcome::match    },
            Row{"many bear nearly her name",        "Aoife", "Halmandby",      "1997-07-04", "",            Outcome::potential},
            Row{"and live elsewhere",               "Aoife", "Halmandby",      "1997-07-04", "3 Elm Close", Outcome::potential},
            Row{"the same at her address",          "Aoife", "Halmandby",      "1997-07-04", "14 Oak Road", Outcome::match    },
            Row{"half of a double-barrelled name",  "Aoife", "Hawman-Hadwood", "1997-07-04", "",
                Outcome::potential                                                                                            },
            Row{"few children are heard of at all", "Ava",   "Halmandby",      "2015-06-22", "",            Outcome::match    },
    }));
    CAPTURE(why);
    auto where = *home == '\0' ? nullptr : place(home, *home == '1' ? "NG7 2RD" : "NG5 1AA");
    const auto decision = match::decide(known, with(person(given, family, born, "F"), std::move(where)), now);
    CHECK(outcome_for(decision, "1") == outcome);
}

TEST_CASE("a flag ends, is deleted, or is told of as historic", "[match]") {
    using Row = std::tuple<const char*, const char*, const char*, Outcome, HitKind>;
    const auto [why, ended, deleted, outcome, kind] =
        GENERATE(table<const char*, const char*, const char*, Outcome, HitKind>({
            Row{"in force",                     "",           "",           Outcome::match, HitKind::person  },
            Row{"ends today",                   "2025-03-04", "",           Outcome::match, HitKind::person  },
            Row{"ended yesterday",              "2025-03-03", "",           Outcome::match, HitKind::historic},
            Row{"ended a year ago",             "2024-03-04", "",           Outcome::match, HitKind::historic},
            Row{"ended long ago",               "2024-01-04", "",           Outcome::none,  HitKind::person  },
            Row{"should never have been there", "",           "2025-01-01", Outcome::none,  HitKind::person  },
    }));
    CAPTURE(why);
    Register known;
    auto held = flag("1", person("Ava", "Zielinska", "2015-06-22"));
    held.end_date = ended;
    held.delete_date = deleted;
    known.set_flag(std::move(held), now);
    const auto decision = match::decide(known, with(person("Ava", "Zielinska", "2015-06-22")), now);
    CHECK(outcome_for(decision, "1") == outcome);
    if (outcome != Outcome::none) CHECK(hit_on(decision, "1").kind == kind);
}

TEST_CASE("two authorities' flags on one child are both matched; two children are left to a person",
          "[match]") {
    Register known;
    known.set_flag(flag("1", person("Ava", "Zielinska", "2015-06-22")), now);
    known.set_flag(flag("9", person("Ava", "Zielinska", "2015-06-22"), "E06000018"), now);
    auto decision = match::decide(known, with(person("Ava", "Zielinska", "2015-06-22")), now);
    REQUIRE(decision.flags.size() == 2);
    CHECK(decision.flags[0].outcome == Outcome::match);
    CHECK(decision.flags[1].outcome == Outcome::match);

    Register twins;  // as their names sound, and as the officer heard them
    auto child = person("Mohammed", "Zielinska", "2015-06-22");
    child->nhs_number = "9434765919";
    twins.set_flag(flag("1", std::move(child)), now);
    child = person("Muhammad", "Zielinska", "2015-06-22");
    child->nhs_number = "9434765870";
    twins.set_flag(flag("2", std::move(child)), now);
    decision = match::decide(twins, with(person("Mohamed", "Zielinska", "2015-06-22")), now);
    REQUIRE(decision.flags.size() == 2);
    CHECK(decision.flags[0].outcome == Outcome::many);
    CHECK(decision.flags[1].outcome == Outcome::many);
}

TEST_CASE("a decision is the same in whatever order the register was filled", "[match]") {
    std::vector<schemas::FlagValue> flags;
    std::vector<schemas::PupilValue> pupils;
    for (int i = 0; i < 60; ++i) {
        const std::string number = std::to_string(i);
        const std::string born = "2015-06-" + std::to_string(10 + i % 15);
        auto held = flag(number, person(i % 2 ? "Ava" : "Eva", i % 3 ? "Smith" : "Smyth", born));
        held.places.push_back(dated(place(std::to_string(10 + i % 6) + " Oak Road", "NG7 2RD")));
        add_adult(held, person("Paul", "Smith", "1985-03-17"), "father");
        flags.push_back(std::move(held));
        pupils.push_back(
            pupil(900001 + static_cast<std::uint32_t>(i % 4), person(i % 2 ? "Ava" : "Eva", "Smith", born)));
    }
    auto about = incident();
    about.place = place("12 Oak Road", "NG7 2RD");
    add_person(about, Role::suspect, person("Paul", "Smith", "1985-03-17"));
    relate(add_person(about, Role::child, person("Ava", "Smith", "2015-06-13")), 0, "child");

    std::optional<Decision> first;
    std::mt19937 random{1};
    for (int round = 0; round < 6; ++round) {
        Register known;
        for (const auto& each : flags) known.set_flag(each, now);
        for (const auto& each : pupils) known.set_pupil(each, now, "la:E10000024");
        if (round % 2) {  // and in whatever order records came and went
            for (int i = 0; i < 60; i += 2) known.remove_flag({"E10000024", std::to_string(i)});
            for (const auto& each : flags)
                if (std::stoi(each.la_child_id) % 2 == 0) known.set_flag(each, now);
        }
        const auto decision = match::decide(known, about, now);
        CHECK_FALSE(decision.flags.empty());
        CHECK_FALSE(decision.pupils.empty());
        if (!first) first = decision;
        CHECK(decision == *first);
        std::shuffle(flags.begin(), flags.end(), random);
        std::shuffle(pupils.begin(), pupils.end(), random);
    }
}

TEST_CASE("a decision's summary holds counts and no data", "[match]") {
    const auto decision = match::decide(county(), with(person("Ava", "Zielinska", "2015-06-22")), now);
    CHECK(decision.summary().find("match=1 potential=0 many=0 low=0 pupils=0 unplaced=0 candidates=") == 0);
}

TEST_CASE("the engine's digest covers its weights and its nicknames", "[match]") {
    const auto text = match::engine_digest_input();
    CHECK(text.find("flagpost-match/") == 0);
    CHECK(text.find("date_of_birth.exact=") != std::string::npos);
    CHECK(text.find("ELIZABETH LIZ") != std::string::npos);
    CHECK(text == match::engine_digest_input());
}

TEST_CASE("an incident with nothing in it, or with nonsense, decides nothing", "[match]") {
    CHECK(match::decide(county(), schemas::IncidentValue{}, now).flags.empty());
    auto about = incident();
    about.people.push_back(nullptr);
    about.people.push_back(std::make_unique<schemas::IncidentPersonValue>());
    add_person(about, Role::child, person("\xff\xfe", "\x80\x80", "2015-99-99"));
    relate(add_person(about, Role::child, person("", "", "")), 4000, "child");
    about.place = place("", "");
    const auto decision = match::decide(county(), about, now);
    CHECK(decision.flags.empty());
    CHECK(decision.pupils.empty());
}
