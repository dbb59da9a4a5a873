#include "adapters/school/roll_rows.h"

#include <functional>

#include "adapters/school/school.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::school;

namespace {

client::CsvRow good() {
    return {
        2,
        {{"URN", "900039"},
          {"UPN", "B801200005001"},
          {"Surname", "Wiśniewska"},
          {"Forename", "Olivia"},
          {"DOB", "2013-09-29"},
          {"Sex", "F"},
          {"EnrolStatus", "C"},
          {"AddressLine1", "188 Cromwell Drive"},
          {"Town", "Castle Meadows"},
          {"Postcode", "XN31 1ZB"},
          {"UPRN", "999000000068"},
          {"Contacts", R"([{"given_names": "Sophie", "family_name": "Ashcombe", "relation": "parent"}])"}}
    };
}

using Cells = std::map<std::string, std::string>;

}  // namespace

TEST_CASE("a registration is what its row says", "[school]") {
    desk::Findings findings;
    const auto pupil = read_pupil(good(), std::nullopt, findings);
    REQUIRE(findings.faults().empty());
    CHECK(findings.details_left_out().empty());
    CHECK(pupil.urn == 900'039u);
    CHECK(pupil.child->family_name == "Wiśniewska");
    CHECK(pupil.child->upn == "B801200005001");
    CHECK(pupil.enrolment == "C");
    CHECK(pupil.home->uprn == 999'000'000'068u);
    REQUIRE(pupil.contacts.size() == 1);
    CHECK(pupil.contacts[0]->relation == "parent");
    CHECK(pupil.left_on.empty());
}

TEST_CASE("a registration with one thing wrong is refused by the name of that thing", "[school]") {
    const auto [fault, spoil] = GENERATE(table<const char*, std::function<void(Cells&)>>({
        {"URN: is missing",                  [](Cells& c) { c["URN"] = ""; }                    },
        {"URN: is missing or no URN",        [](Cells& c) { c["URN"] = "Oak"; }                 },
        {"URN: is another school's",         [](Cells& c) { c["URN"] = "900040"; }              },
        {"Surname: no name",                 [](Cells& c) { c["Surname"] = c["Forename"] = ""; }},
        {"DOB: should be a date",            [](Cells& c) { c["DOB"] = "29/09/2013"; }          },
        {"LeftOn: should be a date",         [](Cells& c) { c["LeftOn"] = "July"; }             },
        {"Contacts: should be JSON",         [](Cells& c) { c["Contacts"] = "mum"; }            },
        {"Contacts[0]: should be an object", [](Cells& c) { c["Contacts"] = "[7]"; }            },
    }));
    CAPTURE(fault);
    auto row = good();
    spoil(row.cells);
    desk::Findings findings;
    (void)read_pupil(row, 900'039u, findings);
    REQUIRE_FALSE(findings.usable());
    CHECK(findings.faults()[0].starts_with(fault));
}

TEST_CASE("a detail that cannot be used does not stand in the way of a registration", "[school]") {
    const auto [note, spoil] = GENERATE(table<const char*, std::function<void(Cells&)>>({
        {"UPN: not a valid UPN",               [](Cells& c) { c["UPN"] = "A801200005001"; }               },
        {"EnrolStatus: not C",                 [](Cells& c) { c["EnrolStatus"] = "X"; }                   },
        {"UPRN: not a valid",                  [](Cells& c) { c["UPRN"] = "none"; }                       },
        {"Contacts[0].shoe_size: not a known", [](Cells& c) { c["Contacts"] = R"([{"shoe_size": "7"}])"; }},
    }));
    CAPTURE(note);
    auto row = good();
    spoil(row.cells);
    desk::Findings findings;
    (void)read_pupil(row, 900'039u, findings);
    CHECK(findings.faults().empty());
    REQUIRE(findings.details_left_out().size() == 1);
    CHECK(findings.details_left_out()[0].starts_with(note));
}

TEST_CASE("a child not in school is a row without a school, of the authority whose register it is",
          "[school]") {
    auto row = good();
    row.cells.erase("URN");
    desk::Findings findings;
    const auto child = read_registered(row, "E10000024", findings);
    CHECK(findings.usable());
    CHECK(child.urn == 0);
    CHECK(child.la == "E10000024");
    CHECK(child.enrolment.empty());
    CHECK(child.child->upn == "B801200005001");
    CHECK(child.home->postcode == "XN31 1ZB");

    desk::Findings at_school;
    (void)read_registered(good(), "E10000024", at_school);
    REQUIRE_FALSE(at_school.usable());
    CHECK(at_school.faults()[0].starts_with("URN: names a school"));
}

TEST_CASE("a roll goes where its agency may put it", "[school]") {
    const auto [agency, la, not_in_school, topic, scope] =
        GENERATE(table<const char*, const char*, bool, const char*, const char*>({
            {"school/122802",       "",          false, "rolls/school/122802",           "urn:122802"             },
            {"school/122802",       "E10000024", false, "rolls/school/122802",           "urn:122802"             },
            {"education/E10000024", "",          false, "rolls/E10000024",               "la:E10000024"           },
            {"trust/forest",        "E10000024", false, "rolls/E10000024",               "la:E10000024"           },
            {"trust/forest",        "",          false, nullptr,                         "--la"                   },
            {"trust/forest",        "Norham",    false, nullptr,                         "--la"                   },
            {"education/E10000024", "",          true,  "rolls/not-in-school/E10000024", "not-in-school:E10000024"},
            {"trust/forest",        "",          true,  nullptr,                         "--la"                   },
            {"school/122802",       "",          true,  nullptr,                         "--not-in-school"        },
    }));
    CAPTURE(agency, la, not_in_school);
    const auto id = AgencyId::parse(agency);
    REQUIRE(id);
    if (topic == nullptr) {
        CHECK_THROWS_WITH(roll_destination(*id, {la, "", std::nullopt, not_in_school}),
                          Catch::Contains(scope));
        return;
    }
    const auto to = roll_destination(*id, {la, "", std::nullopt, not_in_school});
    CHECK(to.topic == topic);
    CHECK(to.scope == scope);
}
