#include <algorithm>

#include "broker/match/match.h"
#include "broker/match/related.h"
#include "tests/support/catch.h"
#include "tests/support/people.h"

using namespace flagpost;
using namespace flagpost::tests;
using match::Related;
using match::Through;
using registry::Register;
using schemas::Outcome;
using schemas::Role;

namespace {

const Instant now = at("2025-03-04T22:00Z");

std::unique_ptr<schemas::PersonValue> ava() { return person("Ava", "Zielinska", "2015-06-22", "F"); }

Register rolls() {
    Register known;
    known.set_school(school(900001, "Oak Primary School"));
    known.set_school(school(900002, "Elm Primary School"));
    known.set_pupil(pupil(900001, ava()), now, "la:E10000024");
    known.set_pupil(pupil(900001, person("Jan", "Zielinski", "2017-02-02", "M")), now, "la:E10000024");
    return known;
}

/// A victim and a suspect; the child is added by each test.
schemas::IncidentValue quarrel() {
    auto made = incident();
    add_person(made, Role::victim, person("Ewa", "Nowak", "1987-04-12", "F"));
    add_person(made, Role::suspect, person("Piotr", "Wilk", "1985-09-17", "M"));
    return made;
}

}  // namespace

TEST_CASE("a child is related to an adult, is not, or nobody said", "[match]") {
    using Row = std::tuple<const char*, int, const char*, const char*, const char*, Related>;
    const auto [why, to, relation, home, adults_home, related] =
        GENERATE(table<const char*, int, const char*, const char*, const char*, Related>({
            Row{"child of the victim",       0,  "child",       "",           "",            Related::yes    },
            Row{"child of the suspect",      1,  "step-child",  "",           "",            Related::yes    },
            Row{"a word we do not know",     0,  "ward",        "",           "",            Related::yes    },
            Row{"a friend's child",          0,  "friend",      "",           "",            Related::no     },
            Row{"in capitals, with a space", 0,  " NEIGHBOUR ", "",           "",            Related::no     },
            Row{"not said, same home",       -1, "",            "14 Oak Rd",  "14 Oak Road", Related::yes    },
            Row{"not said, other home",      -1, "",            "9 Elm Road", "14 Oak Road", Related::no     },
            Row{"not said, home unknown",    -1, "",            "",           "14 Oak Road", Related::unclear},
            Row{"not said, adults' unknown", -1, "",            "14 Oak Rd",  "",            Related::unclear},
    }));
    CAPTURE(why);
    auto about = quarrel();
    auto& child = add_person(about, Role::child, ava());
    if (to >= 0) relate(child, static_cast<std::uint16_t>(to), relation);
    if (*home) child.home = place(home, "NG7 2RD");
    if (*adults_home) {
        about.people[0]->home = place(adults_home, "NG7 2RD");
        about.people[1]->home = place(adults_home, "NG7 2RD");
    }
    CHECK(match::relations(about).to_adult[2] == related);
}

TEST_CASE("kinship is read off either row, and siblings share it", "[match]") {
    auto about = quarrel();
    add_person(about, Role::child, ava());
    relate(*about.people[0], 2, "mother");
    relate(add_person(about, Role::child, person("Jan", "Zielinski", "2017-02-02")), 2, "brother");
    const auto relations = match::relations(about);
    CHECK(relations.to_adult[2] == Related::yes);
    CHECK(relations.to_adult[3] == Related::yes);
}

TEST_CASE("an under-age witness is a child; an under-age party is a party", "[match]") {
    auto about = quarrel();
    add_person(about, Role::witness, ava());
    about.people[1]->person->date_of_birth = "2008-05-05";
    const auto relations = match::relations(about);
    CHECK(relations.is_child[2]);
    CHECK_FALSE(relations.is_child[1]);
    CHECK(relations.is_adult[1]);
}

TEST_CASE("a victim who is a child is found on the roll, and where nobody said whose it is a person looks",
          "[match]") {
    const auto [why, born, relation, outcome] =
        GENERATE(table<const char*, const char*, const char*, Outcome>({
            {"a child of the suspect", "2015-06-22", "child",  Outcome::match    },
            {"nobody said",            "2015-06-22", "",       Outcome::potential},
            {"a friend's child",       "2015-06-22", "friend", Outcome::potential},
            {"grown up",               "2007-01-02", "child",  Outcome::none     },
    }));
    CAPTURE(why);
    auto known = rolls();
    known.set_pupil(pupil(900001, person("Ava", "Zielinska", born, "F")), now, "la:E10000024");
    auto about = incident();
    add_person(about, Role::suspect, person("Piotr", "Wilk", "1985-09-17", "M"));
    auto& victim = add_person(about, Role::victim, person("Ava", "Zielinska", born, "F"));
    victim.home = place("14 Oak Rd", "NG7 2RD");
    if (*relation) relate(victim, 0, relation);
    const auto decision = match::decide(known, about, now);
    CHECK(decision.pupils.size() == (outcome == Outcome::none ? 0 : 1));
    if (!decision.pupils.empty()) CHECK(decision.pupils[0].outcome == outcome);
}

TEST_CASE("a related child is found on the roll, present or not", "[match]") {
    auto about = quarrel();
    relate(add_person(about, Role::child, ava()), 0, "child");
    about.people[2]->present = GENERATE(true, false);
    const auto decision = match::decide(rolls(), about, now);
    REQUIRE(decision.pupils.size() == 1);
    CHECK(decision.pupils[0].outcome == Outcome::match);
    CHECK(decision.pupils[0].pupil.urn == 900001);
    CHECK(decision.pupils[0].through == Through::named);
    CHECK(decision.unplaced.empty());
}

TEST_CASE("no school is looked for without domestic abuse", "[match]") {
    auto about = quarrel();
    about.domestic_abuse = false;
    relate(add_person(about, Role::child, ava()), 0, "child");
    CHECK(match::decide(rolls(), about, now).pupils.empty());
}

TEST_CASE("a child nobody said is related goes no further than review", "[match]") {
    auto about = quarrel();
    add_person(about, Role::child, ava());
    const auto decision = match::decide(rolls(), about, now);
    REQUIRE(decision.pupils.size() == 1);
    CHECK(decision.pupils[0].outcome == Outcome::potential);
}

TEST_CASE("each registration of a pupil counts; a former one does not", "[match]") {
    auto known = rolls();
    known.set_pupil(pupil(900002, ava(), "S"), now, "la:E10000024");
    auto about = quarrel();
    relate(add_person(about, Role::child, ava()), 0, "child");
    auto decision = match::decide(known, about, now);
    REQUIRE(decision.pupils.size() == 2);
    CHECK(decision.pupils[0].outcome == Outcome::match);
    CHECK(decision.pupils[1].outcome == Outcome::match);

    auto left = pupil(900001, ava());
    left.left_on = "2025-02-14";
    known.set_pupil(std::move(left), now, "la:E10000024");
    decision = match::decide(known, about, now);
    REQUIRE(decision.pupils.size() == 1);
    CHECK(decision.pupils[0].pupil.urn == 900002);
}

TEST_CASE("twins on one roll are not mixed up", "[match]") {
    auto known = rolls();
    known.set_pupil(pupil(900001, person("Ewa", "Zielinska", "2015-06-22", "F")), now, "la:E10000024");
    auto about = quarrel();
    relate(add_person(about, Role::child, ava()), 0, "child");
    const auto decision = match::decide(known, about, now);
    for (const auto& hit : decision.pupils) {
        CHECK((hit.outcome == Outcome::match) == (hit.pupil.key.find("|Ava|") != std::string::npos));
    }
}

TEST_CASE("a twin the roll does not have is not taken for the one it has", "[match]") {
    auto about = quarrel();
    relate(add_person(about, Role::child, person("Ewa", "Zielinska", "2015-06-22", "F")), 0, "child");
    for (const auto& hit : match::decide(rolls(), about, now).pupils) CHECK(hit.outcome < Outcome::match);
}

TEST_CASE("a related child on no roll is unplaced, if of school age", "[match]") {
    const auto [why, born, unplaced] = GENERATE(table<const char*, const char*, bool>({
        {"seven",     "2018-02-02", true },
        {"four",      "2021-03-01", true },
        {"three",     "2021-06-01", false},
        {"a baby",    "2024-10-01", false},
        {"seventeen", "2007-06-01", true },
        {"eighteen",  "2007-01-01", false},
        {"not known", "",           true },
    }));
    CAPTURE(why);
    auto about = quarrel();
    relate(add_person(about, Role::child, person("Tom", "Fisher", born)), 0, "child");
    CHECK(match::decide(rolls(), about, now).unplaced.size() == (unplaced ? 1 : 0));
}

TEST_CASE("a flagged child whose linked adult is a party is told of to the school, named or not", "[match]") {
    auto known = rolls();
    auto held = flag("ava", ava());
    add_adult(held, person("Piotr", "Wilk", "1985-09-17", "M"), "mother's partner");
    known.set_flag(std::move(held), now);
    auto decision = match::decide(known, quarrel(), now);
    REQUIRE(decision.pupils.size() == 1);
    CHECK(decision.pupils[0].outcome == Outcome::match);
    CHECK(decision.pupils[0].through == Through::flag);

    auto unsure = quarrel();
    unsure.people[1]->person->date_of_birth = "1985-09-18";
    decision = match::decide(known, unsure, now);
    REQUIRE(decision.pupils.size() == 1);
    CHECK(decision.pupils[0].outcome < Outcome::match);
}

TEST_CASE("a linked adult who is only a witness makes no school notice", "[match]") {
    auto known = rolls();
    auto held = flag("ava", ava());
    add_adult(held, person("Piotr", "Wilk", "1985-09-17", "M"), "father");
    known.set_flag(std::move(held), now);
    auto about = quarrel();
    about.people[1]->role = Role::witness;
    CHECK(match::decide(known, about, now).pupils.empty());
}

TEST_CASE("what a roll says of parents is for a person to look at", "[match]") {
    auto known = rolls();
    auto child = pupil(900002, person("Tom", "Fisher", "2016-08-08"));
    auto contact = std::make_unique<schemas::PupilContactValue>();
    contact->person = person("Ewa", "Nowak", "1987-04-12", "F");
    contact->relation = "mother";
    child.contacts.push_back(std::move(contact));
    known.set_pupil(std::move(child), now, "la:E10000024");
    const auto decision = match::decide(known, quarrel(), now);
    REQUIRE(decision.pupils.size() == 1);
    CHECK(decision.pupils[0].through == Through::contact);
    CHECK(decision.pupils[0].outcome == Outcome::potential);
}

TEST_CASE("the school police were told of speaks for a pupil, by number or by name", "[match]") {
    auto known = rolls();
    const bool by_number = GENERATE(true, false);
    auto about = quarrel();
    auto& child = add_person(about, Role::child, ava());
    relate(child, 0, "child");
    if (by_number)
        child.school_urn = 900001;
    else
        child.school_name = "oak primary school";
    const auto decision = match::decide(known, about, now);
    REQUIRE(decision.pupils.size() == 1);
    CHECK(decision.pupils[0].reasons.back() == "It is the school that police were told of.");
}
