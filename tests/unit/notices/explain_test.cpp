#include "broker/notices/explain.h"

#include <fstream>
#include <sstream>

#include "tests/support/catch.h"
#include "tests/support/people.h"

using namespace flagpost;
using namespace flagpost::tests;
using notices::Case;
using notices::Standing;

namespace {

agreement::Agreement county() {
    std::ifstream file{TEST_SOURCE_DIR "/broker/agreement/README.md"};
    std::stringstream page;
    page << file.rdbuf();
    const std::string text = page.str();
    const auto from = text.find("```toml\n") + 8;
    return agreement::Agreement::parse(text.substr(from, text.find("```", from) - from)).value();
}

Case abuse() {
    Case of;
    of.force = "31";
    of.la = "E10000024";
    of.urn = 900001;
    of.domestic_abuse = true;
    return of;
}

std::string explained(const Case& of, const char* only = nullptr) {
    return notices::explain(county(), of, at("2025-03-04T21:10Z"), date::locate_zone("Europe/London"),
                            only ? std::optional{AgencyId::parse(only).value()} : std::nullopt);
}

}  // namespace

TEST_CASE("what would be told is explained by rule, purpose, legal basis, time and fields", "[notices]") {
    const auto words = explained(abuse());
    CHECK_THAT(words,
               Catch::Contains(
                   "school/900001 gets a school_notice in notices/school/900001, under rule SCH-1\n"
                   "    why: purpose safeguarding; legal basis CA2004-s10, DAA2021-s49A, DPA2018-Sch8-4\n"
                   "    kept: 90 days, by RET-2\n"
                   "    by when: Wed 05 Mar 2025, 08:40, the start of the school's next day"));
    CHECK_THAT(words, Catch::Contains("social-care/E10000024 gets a social_care_notice") &&
                          Catch::Contains("under rule SC-1") &&
                          Catch::Contains("24 hours after the incident"));
    const auto shielded = [] {
        auto of = abuse();
        of.shield = schemas::Shield::refuge;
        return explained(of);
    }();
    CHECK_THAT(
        shielded,
        Catch::Contains("two people must decide alike\n    if it is permitted:\n      school/900001 gets"));
}

TEST_CASE("where the child lives, a list that is old and a register of children not in school are explained",
          "[notices]") {
    std::ifstream file{TEST_SOURCE_DIR "/broker/agreement/README.md"};
    std::stringstream page;
    page << file.rdbuf();
    std::string text = page.str();
    const auto from = text.find("```toml\n") + 8;
    text = text.substr(from, text.find("```", from) - from);
    const std::string force = "name = \"Nottinghamshire Police\"\n";
    text.insert(text.find(force) + force.size(), "areas = [\"E10000024\"]\n");
    text += "[[party]]\nagency = \"police/30\"\nname = \"Derbyshire\"\nareas = [\"E10000007\"]\n";
    for (const auto* to : {"police", "education"})
        text += std::string{"[[share]]\nid = \"TO-"} + to +
                "\"\nwhat = \"school_notice\"\nfrom = \"police\"\nto = \"" + to +
                "\"\npurpose = \"safeguarding\"\nlegal_basis = [\"DAA2021-s49A\"]\nfields = [\"child\"]\n"
                "respond_within = \"12h\"\nretention = \"notice\"\n";
    const auto by = agreement::Agreement::parse(text).value();
    const auto said = [&](const Case& of, const char* only = nullptr) {
        return notices::explain(by, of, at("2025-03-04T21:10Z"), date::locate_zone("Europe/London"),
                                only ? std::optional{AgencyId::parse(only).value()} : std::nullopt);
    };
    auto away = abuse();
    away.lives_in = "E10000007";
    CHECK_THAT(
        said(away),
        Catch::Contains("and lives in the area of E10000007.\n") && Catch::Contains("Told at once:\n") &&
            Catch::Contains("police/30 gets a school_notice in notices/police/30, under rule TO-police") &&
            Catch::Contains("school/900001 gets a school_notice"));
    CHECK_THAT(said(abuse(), "police/30"), Catch::Contains("police/30: The child lives where it happened"));
    away.domestic_abuse = false;
    CHECK_THAT(said(away),
               Catch::Contains("police/30: The force of residence is told of domestic abuse only."));
    away = abuse();
    away.lives_in = "E10000999";
    CHECK_THAT(said(away), Catch::Contains("no force of the agreement has that area") &&
                               Catch::Contains("nothing can be sent, whatever is decided"));

    auto old = abuse();
    old.is_list_old = true;
    CHECK_THAT(said(old), Catch::Contains("why a person looks: The roll has not been confirmed") &&
                              Catch::Contains("if it is permitted:\n      school/900001 gets"));

    auto home = abuse();
    home.urn = 0;
    CHECK_THAT(said(home, "education/E10000024"),
               Catch::Contains("A person at social-care/E10000024 looks first."));
    home.not_in_school = true;
    CHECK_THAT(said(home), Catch::Contains("on education/E10000024's register of children not in school") &&
                               Catch::Contains("Told at once:\n") &&
                               Catch::Contains("education/E10000024 gets a school_notice in "
                                               "notices/education/E10000024, under rule TO-education"));
    CHECK_THAT(said(abuse(), "education/E10000024"),
               Catch::Contains("The child is not on the authority's register of children not in school."));
}

TEST_CASE("why somebody is not told is said in one sentence", "[notices]") {
    using Change = void (*)(Case&);
    const auto [why, change, agency, says] = GENERATE(table<const char*, Change, const char*, const char*>({
        {"no abuse",                          [](Case& of) { of.domestic_abuse = false; },                     "school/900001",
         "Schools are told of domestic abuse only."                                                                                                                              },
        {"another school's pupil",            [](Case&) {},                                                    "school/900002",         "The child is not on this school's roll."},
        {"a witness",                         [](Case& of) { of.adult = schemas::Role::witness; },             "school/900001",
         "neither victim nor suspect"                                                                                                                                            },
        {"not named, and the flag has ended",
         [](Case& of) {
             of.is_named = false;
             of.flag = Standing::ended;
         },                                                                                                    "school/900001",         "no standing flag links"                 },
        {"a person looks",                    [](Case& of) { of.qualifiers.emplace_back("hold_for_person"); }, "school/900001",
         "A person at social-care/E10000024 looks first."                                                                                                                        },
        {"no party",                          [](Case& of) { of.urn = 900009; },                               "school/900009",
         "A person at social-care/E10000024 looks first."                                                                                                                        },
        {"a stranger",                        [](Case&) {},                                                    "school/900009",         "It takes no part in the agreement."     },
        {"deleted",                           [](Case& of) { of.flag = Standing::deleted; },                   "social-care/E10000024",
         "it should never have been there"                                                                                                                                       },
        {"over a year ago",                   [](Case& of) { of.flag = Standing::ended_long_ago; },            "social-care/E10000024",
         "more than 12 months"                                                                                                                                                   },
        {"never flagged",                     [](Case& of) { of.flag = Standing::unflagged; },                 "social-care/E10000024",
         "no flag of this authority"                                                                                                                                             },
        {"no rule",                           [](Case&) {},                                                    "education/E10000024",
         "No rule shares an incident with agencies of kind education."                                                                                                           },
        {"the force itself",                  [](Case&) {},                                                    "police/31",             "It sent the incident"                   },
        {"an authority that is no party",     [](Case& of) { of.la = "E06000018"; },                           "social-care/E06000018",
         "The agreement stops it: not a party to the agreement."                                                                                                                 },
    }));
    CAPTURE(why);
    Case of = abuse();
    change(of);
    const auto words = explained(of, agency);
    CAPTURE(words);
    CHECK_THAT(words, Catch::Contains("Not told at once:\n  " + std::string{agency} + ": ") &&
                          Catch::Contains(says));
    CHECK(words.find("Told at once") == std::string::npos);
}
