// The kinds of pairs on which matching goes wrong, each with why it must come out as it does.
#include "broker/match/match.h"
#include "broker/match/place.h"
#include "tests/support/catch.h"
#include "tests/support/people.h"

using namespace flagpost;
using namespace flagpost::tests;
using match::AddressHit;
using schemas::Outcome;

namespace {

const Instant now = at("2025-03-04T22:00Z");

struct Who {
    const char *given, *family, *born, *home;  // home: "line, postcode" or empty
    const char* nhs_number = "";
    const char* sex = "";
};

std::unique_ptr<schemas::PersonValue> person_of(const Who& who) {
    auto made = person(who.given, who.family, who.born, who.sex);
    made->nhs_number = who.nhs_number;
    return made;
}

std::unique_ptr<schemas::PlaceValue> home_of(const Who& who) {
    const std::string text = who.home;
    if (text.empty()) return nullptr;
    const auto comma = text.rfind(", ");
    return place(text.substr(0, comma), text.substr(comma + 2));
}

/// What becomes of `heard` where `flagged` is the one child on the register among 1,500 others.
Outcome outcome(const Who& flagged, const Who& heard) {
    registry::Register known;
    auto held = flag("the-child", person_of(flagged));
    if (auto home = home_of(flagged)) held.places.push_back(dated(std::move(home)));
    known.set_flag(std::move(held), now);
    for (int i = 0; i < 1500; ++i) {
        const std::string number = std::to_string(i);
        char born[11];
        std::snprintf(born, sizeof born, "20%02d-%02d-%02d", 8 + i % 15, 1 + i % 12, 1 + i % 28);
        known.set_flag(flag("other-" + number,
                            person(i % 3 == 0 ? "Oliver" : "Amelia", i % 2 == 0 ? "Smith" : "Khan", born)),
                       now);
    }
    auto about = incident();
    about.domestic_abuse = false;
    add_person(about, schemas::Role::other, person_of(heard)).home = home_of(heard);
    for (const auto& hit : match::decide(known, about, now).flags)
        if (hit.flag.la_child_id == "the-child") return hit.outcome;
    return Outcome::none;
}

AddressHit addresses(const char* one, const char* other, const char* postcode = "NG7 2RD",
                     const char* their_postcode = "NG7 2RD") {
    return match::compare_addresses(registry::place_form(*place(one, postcode)),
                                    registry::place_form(*place(other, their_postcode)));
}

}  // namespace

TEST_CASE("hard kinds of people come out as safely as they must", "[match]") {
    const char* const oak = "14 Oak Road, NG7 2RD";
    const char* const far = "9 Pine Walk, LE1 4CD";
    struct Row {
        const char* why;
        Who flagged, heard;
        Outcome least, most;
    };
    const auto row = GENERATE_COPY(values<Row>({
        {"twins share all but the first name",
         {"Jakub", "Nowak", "2015-06-22", oak},
         {"Zofia", "Nowak", "2015-06-22", oak},
         Outcome::none,
         Outcome::potential},
        {"twins are often named alike",
         {"Ella", "Nowak", "2015-06-22", oak},
         {"Ellie", "Nowak", "2015-06-22", oak},
         Outcome::none,
         Outcome::potential},
        {"a boy named after his father",
         {"Omar", "Farouk", "2015-06-22", oak},
         {"Omar", "Farouk", "1984-02-09", oak},
         Outcome::none,
         Outcome::potential},
        {"the father's date differs only in the year",
         {"Omar", "Farouk", "2015-06-22", oak},
         {"Omar", "Farouk", "1985-06-22", oak},
         Outcome::none,
         Outcome::potential},
        {"Joseph is not Joshua misspelt",
         {"Joseph", "Penhaligon", "2015-06-22", oak},
         {"Joshua", "Penhaligon", "2015-06-22", oak},
         Outcome::none,
         Outcome::potential},
        {"1 January stands for an unknown day",
         {"Omar", "Farouk", "2015-01-01", oak},
         {"Omar", "Farouk", "2015-01-01", ""},
         Outcome::potential,
         Outcome::potential},
        {"but at the child's home it is enough",
         {"Omar", "Farouk", "2015-01-01", oak},
         {"Omar", "Farouk", "2015-01-01", oak},
         Outcome::match,
         Outcome::match    },
        {"day and month swapped, at home",
         {"Omar", "Farouk", "2015-06-02", oak},
         {"Omar", "Farouk", "2015-02-06", oak},
         Outcome::match,
         Outcome::match    },
        {"day and month swapped, elsewhere",
         {"Omar", "Farouk", "2015-06-02", oak},
         {"Omar", "Farouk", "2015-02-06", far},
         Outcome::low,
         Outcome::potential},
        {"half of a double-barrelled name",
         {"Ava", "Lightfoot-Penhaligon", "2015-06-22", oak},
         {"Ava", "Penhaligon", "2015-06-22", oak},
         Outcome::match,
         Outcome::match    },
        {"both halves, the other way round",
         {"Ava", "Lightfoot-Penhaligon", "2015-06-22", oak},
         {"Ava", "Penhaligon Lightfoot", "2015-06-22", oak},
         Outcome::match,
         Outcome::match    },
        {"a patronymic among the given names",
         {"Ivan", "Tarasenko", "2015-06-22", oak},
         {"Ivan Petrovych", "Tarasenko", "2015-06-22", oak},
         Outcome::match,
         Outcome::match    },
        {"a daughter's ending",
         {"Ewa", "Kowalski", "2015-06-22", oak},
         {"Ewa", "Kowalska", "2015-06-22", oak},
         Outcome::match,
         Outcome::match    },
        {"marks are lost on the way",
         {"Zoë", "Łukasiński", "2015-06-22", oak},
         {"Zoe", "Lukasinski", "2015-06-22", ""},
         Outcome::match,
         Outcome::match    },
        {"a particle apart or joined",
         {"Sinead", "O'Hanlon", "2015-06-22", oak},
         {"Sinead", "Ohanlon", "2015-06-22", ""},
         Outcome::match,
         Outcome::match    },
        {"another alphabet",
         {"Oleksandr", "Tarasenko", "2015-06-22", oak},
         {"Олександр", "Тарасенко", "2015-06-22", oak},
         Outcome::match,
         Outcome::match    },
        {"a nickname, at home",
         {"William", "Penhaligon", "2015-06-22", oak},
         {"Billy", "Penhaligon", "2015-06-22", oak},
         Outcome::match,
         Outcome::match    },
        {"names in each other's field",
         {"Ivan", "Tarasenko", "2015-06-22", oak},
         {"Tarasenko", "Ivan", "2015-06-22", oak},
         Outcome::match,
         Outcome::match    },
        {"a placeholder is no first name",
         {"Baby", "Penhaligon", "2015-06-22", oak},
         {"Ava", "Penhaligon", "2015-06-22", oak},
         Outcome::low,
         Outcome::potential},
        {"an NHS number that fails its check says nothing",
         {"Ava", "Penhaligon", "2015-06-22", oak, "9434765918"},
         {"Ava", "Penhaligon", "2015-06-22", oak, "9434765919"},
         Outcome::match,
         Outcome::match    },
        {"two valid numbers are two children",
         {"Ava", "Smith", "2015-06-22", oak, "9434765919"},
         {"Ava", "Smith", "2015-06-22", far, "9434765870"},
         Outcome::none,
         Outcome::potential},
        {"two numbers, all else agrees: one was replaced",
         {"Ava", "Penhaligon", "2015-06-22", oak, "9434765919"},
         {"Ava", "Penhaligon", "2015-06-22", oak, "9434765870"},
         Outcome::match,
         Outcome::match    },
        {"two numbers and a name misspelt may be twins named alike",
         {"Amara", "Penhaligon", "2015-06-22", oak, "9434765919"},
         {"Amarra", "Penhaligon", "2015-06-22", oak, "9434765870"},
         Outcome::none,
         Outcome::potential},
        {"one number, and the sibling's name and date: copied from the wrong form",
         {"Ava", "Penhaligon", "2015-06-22", oak, "9434765919"},
         {"Jacob", "Penhaligon", "2012-11-03", oak, "9434765919"},
         Outcome::none,
         Outcome::potential},
        {"one number and one name: the date was wrong",
         {"Ava", "Penhaligon", "2015-06-22", oak, "9434765919"},
         {"Ava", "Penhaligon", "2011-11-03", oak, "9434765919"},
         Outcome::match,
         Outcome::match    },
        {"capitals misread by hand or machine",
         {"Muhammad", "Penhaligon", "2015-06-22", oak},
         {"Huhahhad", "Penhaligon", "2015-06-22", oak},
         Outcome::match,
         Outcome::match    },
        {"names misread into one another are still two names",
         {"Joan", "Penhaligon", "2015-06-22", oak},
         {"John", "Penhaligon", "2015-06-22", oak},
         Outcome::none,
         Outcome::potential},
        {"a digit within a name is a slip",
         {"George", "Penhaligon", "2015-06-22", oak},
         {"Ge0rge", "Penha1igon", "2015-06-22", oak},
         Outcome::match,
         Outcome::match    },
        {"only the first letter, at home: twins seldom share it",
         {"George", "Penhaligon", "2015-06-22", oak},
         {"G", "Penhaligon", "2015-06-22", oak},
         Outcome::match,
         Outcome::match    },
        {"only the first letter, elsewhere",
         {"George", "Penhaligon", "2015-06-22", oak},
         {"G", "Penhaligon", "2015-06-22", far},
         Outcome::none,
         Outcome::potential},
        {"an estimated date, a year off, at home",
         {"Omar", "Farouk", "2015-06-22", oak},
         {"Omar", "Farouk", "2014-01-01", oak},
         Outcome::match,
         Outcome::match    },
        {"an estimated date elsewhere, where many share it",
         {"Omar", "Farouk", "2015-06-22", oak},
         {"Omar", "Farouk", "2014-01-01", far},
         Outcome::none,
         Outcome::potential},
        {"two digits of the year exchanged, at home",
         {"Omar", "Farouk", "1998-06-22", oak},
         {"Omar", "Farouk", "1989-06-22", oak},
         Outcome::match,
         Outcome::match    },
        {"no first name: a child may be the twin",
         {"Omar", "Penhaligon", "2015-06-22", oak},
         {"", "Penhaligon", "2015-06-22", oak},
         Outcome::low,
         Outcome::potential},
        {"no first name, but so old that twins have homes of their own",
         {"Omar", "Penhaligon", "1985-06-22", oak},
         {"", "Penhaligon", "1985-06-22", oak},
         Outcome::match,
         Outcome::match    },
        {"Mr is no first name",
         {"Omar", "Penhaligon", "1985-06-22", oak},
         {"Mr", "Penhaligon", "1985-06-22", oak},
         Outcome::match,
         Outcome::match    },
        {"the same at another house",
         {"Omar", "Penhaligon", "1985-06-22", oak},
         {"Mr", "Penhaligon", "1985-06-22", far},
         Outcome::none,
         Outcome::potential},
        {"at that age Marvin may be Martin misheard",
         {"Martin", "Penhaligon", "1985-06-22", oak},
         {"Marvin", "Penhaligon", "1985-06-22", oak},
         Outcome::match,
         Outcome::match    },
        {"another first name is another person all the same",
         {"Joseph", "Penhaligon", "1985-06-22", oak},
         {"Peter", "Penhaligon", "1985-06-22", oak},
         Outcome::none,
         Outcome::potential},
        {"one name in the other's place, the other unlike: seen, never matched",
         {"Raquel", "Penhaligon", "2015-06-22", oak},
         {"Watkins", "Raquel", "2015-06-22", oak},
         Outcome::low,
         Outcome::potential},
        {"without a date, by name and the very house",
         {"William", "Penhaligon", "2015-06-22", oak},
         {"William", "Penhaligon", "", oak},
         Outcome::potential,
         Outcome::match    },
        {"without a date, a flat of a house by its name, whose street is left out",
         {"William", "Penhaligon", "2015-06-22", "Flat 47 Beech Tower, 44 Essex Place, NG7 2RD", "", "M"},
         {"William", "Penhaligon", "", "Flat 47 Beech Tower, NG7 2RD", "", "M"},
         Outcome::match,
         Outcome::match    },
        {"the same, another flat of it",
         {"William", "Penhaligon", "2015-06-22", "Flat 47 Beech Tower, 44 Essex Place, NG7 2RD", "", "M"},
         {"William", "Penhaligon", "", "Flat 46 Beech Tower, NG7 2RD", "", "M"},
         Outcome::none,
         Outcome::potential},
        {"the year agrees, the month does not, the day is not known, at home",
         {"Omar", "Farouk", "2015-06-22", oak},
         {"Omar", "Farouk", "2015-08-00", oak},
         Outcome::match,
         Outcome::match    },
        {"the same elsewhere",
         {"Omar", "Farouk", "2015-06-22", oak},
         {"Omar", "Farouk", "2015-08-00", far},
         Outcome::none,
         Outcome::potential},
        {"a day agrees and the month does not; the year, by which a parent is told, is not known",
         {"Omar", "Farouk", "2015-06-22", oak},
         {"Omar", "Farouk", "0000-08-22", oak},
         Outcome::none,
         Outcome::potential},
        {"month and year a little off in the very house: brothers are not called alike",
         {"Omar", "Farouk", "2015-06-22", oak, "", "M"},
         {"Omar", "Farouk", "2014-08-22", oak, "", "M"},
         Outcome::match,
         Outcome::match    },
        {"the same of another first name is a brother",
         {"Omar", "Farouk", "2015-06-22", oak, "", "M"},
         {"Adam", "Farouk", "2014-08-22", oak},
         Outcome::none,
         Outcome::none     },
        {"the same elsewhere is a namesake",
         {"Omar", "Farouk", "2015-06-22", oak, "", "M"},
         {"Omar", "Farouk", "2014-08-22", far, "", "M"},
         Outcome::none,
         Outcome::potential},
        {"a parent of that name and day in the house",
         {"Omar", "Farouk", "2015-06-22", oak, "", "M"},
         {"Omar", "Farouk", "1984-08-22", oak, "", "M"},
         Outcome::none,
         Outcome::potential},
        {"a lone name may be the family name",
         {"Ava", "Penhaligon", "2015-06-22", oak},
         {"Penhaligon", "", "2015-06-22", oak},
         Outcome::low,
         Outcome::potential},
        {"without a date, by name and neighbourhood",
         {"William", "Penhaligon", "2015-06-22", oak},
         {"Bill", "Penhaligon", "", "2 Elm Close, NG7 2RP"},
         Outcome::low,
         Outcome::potential},
    }));
    CAPTURE(row.why);
    const auto came_out = outcome(row.flagged, row.heard);
    CHECK(came_out >= row.least);
    CHECK(came_out <= row.most);
}

TEST_CASE("hard kinds of addresses come out as safely as they must", "[match]") {
    const auto [why, one, other, how] = GENERATE(table<const char*, const char*, const char*, AddressHit>({
        {"39A is flat A of 39",                            "Flat A 39 Oak Road",             "39A Oak Road",                 AddressHit::full           },
        {"two flats of one house",                         "Flat 1 39 Oak Road",             "Flat 2 39 Oak Road",           AddressHit::none           },
        {"one side calls it 2, the other B",               "Flat 2 39 Oak Road",             "Flat B 39 Oak Road",
         AddressHit::flat_missing                                                                                                                       },
        {"a flat on one side only",                        "Flat 2 39 Oak Road",             "39 Oak Road",                  AddressHit::flat_missing   },
        {"a floor said in either order",                   "Basement Flat 39 Oak Road",      "Flat Basement 39 Oak Road",
         AddressHit::full                                                                                                                               },
        {"a number inside a range",                        "34 Oak Road",                    "32-36 Oak Road",               AddressHit::number_range   },
        {"a named house whose number one side leaves out", "Copthorne Wear View",            "Copthorne 1 Wear View",
         AddressHit::number_left_out                                                                                                                    },
        {"two houses that begin with The",                 "The Screes Pump Lane",           "The Old Forge Pump Lane",
         AddressHit::none                                                                                                                               },
        {"one house, the article left out",                "The Old Farm West Newton",       "Old Farm West Newton Road",
         AddressHit::full                                                                                                                               },
        {"what stands at a house is not the house",        "Annexe at 14 Oak Road",          "14 Oak Road",
         AddressHit::street_unclear                                                                                                                     },
        {"the numbers of all flats within the name",       "25 Old Lofts Whingate Leeds",
         "25 Old Lofts 1 67 Whingate Leeds",                                                                                 AddressHit::full           },
        {"the street after a house's name left out",       "The Spindles Tonge Melbourne",
         "The Spindles Moor Lane Tonge",                                                                                     AddressHit::street_left_out},
        {"Mill Tonge may be another than Mill House",      "The Mill Tonge Melbourne",
         "Mill House Moor Lane Tonge",                                                                                       AddressHit::street_unclear },
        {"one house's name in two streets",                "The Spindles Pump Lane Tonge",   "The Spindles Moor Lane Tonge",
         AddressHit::street_unclear                                                                                                                     },
        {"a digit too many",                               "117 Oak Road",                   "17 Oak Road",                  AddressHit::near_number    },
        {"one of the two numbers of a building",           "36 Oak Road",                    "34-36 Oak Road",               AddressHit::range_end      },
        {"another range that overlaps",                    "34-36 Oak Road",                 "34-38 Oak Road",               AddressHit::number_range   },
        {"a house's name beside its number",               "The Meads 14 Oak Road",          "14 Oak Road",
         AddressHit::name_left_out                                                                                                                      },
        {"two named houses of one number",                 "The Meads 14 Oak Road",          "The Limes 14 Oak Road",
         AddressHit::street_unclear                                                                                                                     },
        {"the floor beside the letter",                    "Ground Floor Flat 39A Oak Road", "39A Oak Road",
         AddressHit::name_left_out                                                                                                                      },
        {"a number said twice",                            "10 B 10 Oak Road",               "10B Oak Road",                 AddressHit::full           },
        {"a letter that went with the number",             "The Gables 176A Oak Road",       "The Gables Oak Road",
         AddressHit::number_left_out                                                                                                                    },
        {"a flat written as a number",                     "46 Ellison House",               "Flat 46 Ellison House",        AddressHit::flat_missing   },
        {"neighbours differ in a digit",                   "19 Oak Road",                    "18 Oak Road",                  AddressHit::none           },
        {"low numbers are neighbours too",                 "1 Oak Road",                     "11 Oak Road",                  AddressHit::none           },
    }));
    CAPTURE(why);
    CHECK(addresses(one, other) == how);
    CHECK(addresses(other, one) == how);
}

TEST_CASE("a postcode one letter off leaves the house to a person", "[match]") {
    CHECK(addresses("14 Oak Road", "14 Oak Rd Lenton", "NG7 2RD", "NG7 2RB") == AddressHit::near_postcode);
    CHECK(addresses("14 Oak Road", "16 Oak Road", "NG7 2RD", "NG7 2RB") == AddressHit::none);
    CHECK(addresses("Homer House Monson Street", "Homer House Monson Street", "NG7 2RZ", "NG7 2SL") ==
          AddressHit::near_postcode);
    CHECK(addresses("Homer House Monson Street", "Homer House Monson Street", "NG7 2RZ", "NG7 4SL") ==
          AddressHit::none);
}

TEST_CASE("what the register leaves out of an address may be anything", "[match]") {
    const auto outcome = [](const char* held_line, const char* attended) {
        registry::Register known;
        auto held = flag("1", person("Ava", "Penhaligon", "2015-06-22"));
        held.places.push_back(dated(place(held_line, "NG7 2RD")));
        known.set_flag(std::move(held), now);
        auto about = incident();
        about.domestic_abuse = false;
        about.place = place(attended, "NG7 2RD");
        return match::decide(known, about, now).flags.at(0).outcome;
    };
    CHECK(outcome("Copthorne 1 Wear View", "Copthorne Wear View") == Outcome::match);
    CHECK(outcome("Copthorne Wear View", "Copthorne 1 Wear View") == Outcome::potential);
    CHECK(outcome("34-36 Oak Road", "36 Oak Road") == Outcome::match);
    CHECK(outcome("36 Oak Road", "34-36 Oak Road") == Outcome::potential);
    CHECK(outcome("The Meads 14 Oak Road", "14 Oak Road") == Outcome::match);
    CHECK(outcome("14 Oak Road", "Natural Nails 14 Oak Road") == Outcome::potential);
}

TEST_CASE("a family of another name at an undated address is perhaps the next to live there", "[match]") {
    registry::Register known;
    auto held = flag("1", person("Ava", "Penhaligon", "2015-06-22"));
    held.places.push_back(dated(place("14 Oak Road", "NG7 2RD")));
    known.set_flag(held, now);
    auto about = incident();
    about.domestic_abuse = false;
    about.place = place("14 Oak Road", "NG7 2RD");
    const auto outcome = [&] { return match::decide(known, about, now).flags.at(0).outcome; };
    add_person(about, schemas::Role::other, person("Joan", "Hargreaves", "1985-03-17"));
    CHECK(outcome() == Outcome::match);  // a visitor
    add_person(about, schemas::Role::other, person("Neil", "Hargreaves", "1983-11-02"));
    CHECK(outcome() == Outcome::potential);
    held.places.front()->from = "2024-11-01";
    known.set_flag(held, now);
    CHECK(outcome() == Outcome::match);  // the authority knows since when
    held.places.front()->from = "";
    known.set_flag(std::move(held), now);
    add_person(about, schemas::Role::other, person("Mark", "Penhaligon", "1984-05-21"));
    CHECK(outcome() == Outcome::match);
}

TEST_CASE("a town says as much as few live in it", "[match]") {
    registry::Register known;
    const auto living = [&](const std::string& id, const char* family, const char* born, const char* town) {
        auto held = flag(id, person("Ava", family, born));
        auto home = std::make_unique<schemas::PlaceValue>();
        home->town = town;
        held.places.push_back(dated(std::move(home)));
        known.set_flag(std::move(held), now);
    };
    living("rare", "Penhaligon", "2015-06-22", "Selston");
    living("common", "Trevithick", "2015-06-22", "Nottingham");
    for (int i = 0; i < 400; ++i)
        living("other-" + std::to_string(i), i % 2 ? "Smith" : "Khan", "2009-03-04", "Nottingham");
    const auto weight = [&](const char* family, const char* town) {
        auto about = incident();
        about.domestic_abuse = false;
        auto home = std::make_unique<schemas::PlaceValue>();
        home->town = town;
        add_person(about, schemas::Role::other, person("Ava", family, "2015-06-22")).home = std::move(home);
        const auto decision = match::decide(known, about, now);
        for (const auto& each : decision.flags.at(0).evidence)
            if (each.field == "place") return each.weight;
        return 0;
    };
    CHECK(weight("Penhaligon", "Selston") > weight("Trevithick", "Nottingham") + 3000);
}

TEST_CASE("a named house that may be either of two is left to a person", "[match]") {
    registry::Register known;
    for (const char* line :
         {"Flat 21 Chelsea Court 19 Abdon Avenue", "Flat 21 Chelsea Court 25 Abdon Avenue"}) {
        auto held = flag(line, person("Ava", "Penhaligon", "2015-06-22"));
        held.places.push_back(dated(place(line, "B29 4NU")));
        known.set_flag(std::move(held), now);
    }
    auto about = incident();
    about.place = place("Flat 21 Chelsea Court Abdon Avenue", "B29 4NU");
    const auto decision = match::decide(known, about, now);
    REQUIRE(decision.flags.size() == 2);
    for (const auto& hit : decision.flags) CHECK(hit.outcome == Outcome::potential);
}
