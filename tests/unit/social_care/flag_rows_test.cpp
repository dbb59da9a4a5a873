#include "adapters/social_care/flag_rows.h"

#include <functional>

#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::social_care;

namespace {

client::CsvRow good() {
    return {
        2,
        {{"LAchildID", "CY100001"},
          {"GivenNames", "James Lee"},
          {"FamilyName", "Morbury"},
          {"AlsoKnownAs", "Jim Morbury; Jim Bond"},
          {"PersonBirthDate", "2021-07-29"},
          {"ExpectedPersonBirthDate", ""},
          {"Sex", "M"},
          {"UPN", "B801200005001"},
          {"NHSNumber", "9434765919"},
          {"FlagKind", "child_protection_plan"},
          {"LatestCategoryOfAbuse", "EMO"},
          {"CPPstartDate", "2026-06-19"},
          {"CPPendDate", ""},
          {"DeleteDate", ""},
          {"Addresses",
          R"([{"uprn": "999000014352", "line_1": "166 Regent Lane", "from": "2025-03-12", "to": ""},
                            {"uprn": "999000015123", "from": "2024-08-11", "to": "2025-03-12"}])"},
          {"LinkedAdults",
          R"([{"given_names": "Beth", "family_name": "Hatherland", "date_of_birth": "1979-07-18",
                                "relation": "mother", "addresses": [{"uprn": "999000014352"}]}])"},
          {"AllocatedWorker", "Stephen Halman"},
          {"WorkerContact", "01632 960098"},
          {"AllocatedTeam", "Trent"},
          {"DutyContact", "01632 960100"},
          {"OutOfHoursContact", "01632 960999"}}
    };
}

struct Read {
    desk::Findings findings;
    schemas::FlagValue flag;
};
Read read(const client::CsvRow& row) {
    Read result;
    result.flag = read_flag(row, "E06000018", result.findings);
    return result;
}

using Cells = std::map<std::string, std::string>;

}  // namespace

TEST_CASE("a flag is what its row says", "[social_care]") {
    const auto [findings, flag] = read(good());
    REQUIRE(findings.faults().empty());
    CHECK(findings.details_left_out().empty());
    CHECK(flag.la == "E06000018");
    CHECK(flag.la_child_id == "CY100001");
    CHECK(flag.kind == schemas::FlagKind::child_protection_plan);
    CHECK(flag.child->given_names == "James Lee");
    CHECK(flag.child->upn == "B801200005001");
    REQUIRE(flag.child->also_known_as.size() == 2);
    CHECK(flag.child->also_known_as[1]->family == "Bond");
    CHECK(flag.category == "EMO");
    CHECK(flag.start_date == "2026-06-19");
    CHECK(flag.end_date.empty());
    REQUIRE(flag.places.size() == 2);
    CHECK(flag.places[0]->to.empty());
    CHECK(flag.places[1]->to == "2025-03-12");
    REQUIRE(flag.linked_adults.size() == 1);
    CHECK(flag.linked_adults[0]->relation == "mother");
    CHECK(flag.linked_adults[0]->places.at(0)->place->uprn == 999'000'014'352u);
    CHECK(flag.worker->contact == "01632 960098");
    CHECK(flag.team == "Trent");
    CHECK(flag.out_of_hours_contact == "01632 960999");
}

TEST_CASE("a flag with one thing wrong is refused by the name of that thing", "[social_care]") {
    const auto [fault, spoil] = GENERATE(table<const char*, std::function<void(Cells&)>>({
        {"LAchildID: is missing", [](Cells& c) { c["LAchildID"] = ""; }},
        {"LAchildID: longer than 64", [](Cells& c) { c["LAchildID"] = std::string(65, 'x'); }},
        {"FlagKind: should be one of", [](Cells& c) { c["FlagKind"] = "CPP"; }},
        {"FamilyName: no name", [](Cells& c) { c["FamilyName"] = c["GivenNames"] = ""; }},
        {"PersonBirthDate: should be a date", [](Cells& c) { c["PersonBirthDate"] = "29/07/2021"; }},
        {"CPPstartDate: is missing", [](Cells& c) { c.erase("CPPstartDate"); }},
        {"CPPstartDate: should be a date", [](Cells& c) { c["CPPstartDate"] = "2026-06-00"; }},
        {"CPPendDate: lies before the start", [](Cells& c) { c["CPPendDate"] = "2026-06-18"; }},
        {"DeleteDate: should be a date", [](Cells& c) { c["DeleteDate"] = "yes"; }},
        {"Addresses: should be JSON", [](Cells& c) { c["Addresses"] = "14 Oak Road"; }},
        {"Addresses: should be a list", [](Cells& c) { c["Addresses"] = "{}"; }},
        {"LinkedAdults[0].relation: is missing", [](Cells& c) { c["LinkedAdults"] = R"([{"family_name": "X"}])"; }},
        {"LinkedAdults[0].date_of_birth: should", [](Cells& c) { c["LinkedAdults"] = R"([{"date_of_birth": "x"}])"; }},
        {"ExpectedPersonBirthDate: is needed",
         [](Cells& c) {
             c["FlagKind"] = "unborn_child_protection_plan";
             c["PersonBirthDate"] = "";
         }},
    }));
    CAPTURE(fault);
    auto row = good();
    spoil(row.cells);
    const auto [findings, flag] = read(row);
    REQUIRE_FALSE(findings.usable());
    CHECK(findings.faults()[0].starts_with(fault));
}

TEST_CASE("a detail that cannot be used does not stand in the way of a flag", "[social_care]") {
    const auto [note, spoil] = GENERATE(table<const char*, std::function<void(Cells&)>>({
        {"UPN: not a valid UPN",           [](Cells& c) { c["UPN"] = "B801200005002"; }        },
        {"NHSNumber: not a valid",         [](Cells& c) { c["NHSNumber"] = "0"; }              },
        {"Sex: not M, F or U",             [](Cells& c) { c["Sex"] = "1"; }                    },
        {"LatestCategoryOfAbuse: not NEG", [](Cells& c) { c["LatestCategoryOfAbuse"] = "ABC"; }},
        {"Addresses[0].uprn: not a valid",
         [](Cells& c) { c["Addresses"] = R"([{"uprn": "1E+11", "town": "X"}])"; }              },
        {"Addresses[0].from: not a whole",
         [](Cells& c) { c["Addresses"] = R"([{"town": "X", "from": "2020-00-00"}])"; }         },
    }));
    CAPTURE(note);
    auto row = good();
    spoil(row.cells);
    const auto [findings, flag] = read(row);
    CHECK(findings.faults().empty());
    REQUIRE(findings.details_left_out().size() == 1);
    CHECK(findings.details_left_out()[0].starts_with(note));
}

TEST_CASE("an unborn child needs neither a name nor a date of birth", "[social_care]") {
    auto row = good();
    row.cells["FlagKind"] = "unborn_child_protection_plan";
    row.cells["GivenNames"] = row.cells["FamilyName"] = row.cells["PersonBirthDate"] = row.cells["UPN"] = "";
    row.cells["ExpectedPersonBirthDate"] = "2027-02-15";
    const auto [findings, flag] = read(row);
    CHECK(findings.faults().empty());
    CHECK(flag.expected_date_of_birth == "2027-02-15");
}
