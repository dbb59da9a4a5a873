#include "adapters/police/incident_rows.h"

#include <functional>

#include "broker/core/limits.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::police;
using nlohmann::json;

namespace {

json good() {
    return json::parse(R"({
        "reference": "NP-20261117-00750", "version": 2, "status": "closed", "occurred": "2026-11-17T12:00:00Z",
        "recorded": "2026-11-17T13:20:00+01:00", "category": "Domestic", "qualifiers": ["alcohol", "child at address"],
        "domestic_abuse": true, "uprn": "999000007523", "line_1": "197 Quarry Crescent", "line_2": "",
        "town": "Castle Meadows", "postcode": "XN76 1QQ", "unidentified_children": 1, "circumstances": "Police were called.",
        "assessment": "Officer was worried.", "risk_tool": "DARA", "risk_version": "2", "risk_grade": "medium",
        "referral": "made", "referral_reference": "R1", "police_contact": "PPU, 01632 960101",
        "people": [
            {"given_names": "Jo", "family_name": "Example", "date_of_birth": "1990-01-02", "sex": "F", "role": "victim",
             "present": true, "home": {"uprn": "999000007523"}},
            {"given_names": "Ava", "family_name": "Example", "date_of_birth": "2019-03-00", "role": "child", "present": true,
             "relationships": [{"to": 0, "relation": "child"}], "upn": "B801200005001", "school_urn": 122802,
             "school_name": "Oak", "voice_of_child": "I heard them."}]})");
}

struct Read {
    desk::Findings findings;
    schemas::IncidentValue incident;
};
Read read(const json& object) {
    Read result;
    result.incident = read_incident(object, "31", result.findings);
    return result;
}

}  // namespace

TEST_CASE("an incident is what its row says", "[police]") {
    const auto [findings, incident] = read(good());
    REQUIRE(findings.faults().empty());
    CHECK(findings.details_left_out().empty());
    CHECK(incident.force == "31");
    CHECK(incident.reference == "NP-20261117-00750");
    CHECK(incident.version == 2);
    CHECK(incident.status == schemas::IncidentStatus::closed);
    CHECK(incident.occurred_us == 1'794'916'800'000'000);
    CHECK(incident.recorded_us == incident.occurred_us + 20 * 60 * 1'000'000ll);
    CHECK(incident.domestic_abuse);
    CHECK(incident.qualifiers == std::vector<std::string>{"alcohol", "child at address"});
    REQUIRE(incident.place);
    CHECK(incident.place->uprn == 999'000'007'523u);
    REQUIRE(incident.people.size() == 2);
    CHECK(incident.people[0]->role == schemas::Role::victim);
    CHECK(incident.people[0]->home->uprn == 999'000'007'523u);
    CHECK(incident.people[1]->relationships.at(0)->to == 0);
    CHECK(incident.people[1]->relationships.at(0)->relation == "child");
    CHECK(incident.people[1]->school_urn == 122802);
    CHECK(incident.people[1]->voice_of_child == "I heard them.");
    REQUIRE(incident.risk);
    CHECK(incident.risk->tool_version == "2");
    CHECK(incident.referral == schemas::ReferralStatus::made);
    CHECK(incident.unidentified_children == 1);
}

TEST_CASE("an incident with one thing wrong is refused by the name of that thing", "[police]") {
    const auto [fault, spoil] = GENERATE(table<const char*, std::function<void(json&)>>({
        {"reference: is missing",                            [](json& i) { i.erase("reference"); }                         },
        {"reference: longer than 64 bytes",                  [](json& i) { i["reference"] = std::string(65, 'x'); }        },
        {"version: must be 1 or more",                       [](json& i) { i["version"] = 0u; }                            },
        {"version: must be 1 or more",                       [](json& i) { i.erase("version"); }                           },
        {"version: should be a whole number",                [](json& i) { i["version"] = -1; }                            },
        {"status: should be one of",                         [](json& i) { i["status"] = "Closed?"; }                      },
        {"occurred: is missing or no time",                  [](json& i) { i["occurred"] = ""; }                           },
        {"occurred: should be a time with its offset",
         [](json& i) { i["occurred"] = "2026-11-17T12:00:00"; }                                                            },
        {"occurred: lies before 1970",                       [](json& i) { i["occurred"] = "1900-01-01T00:00:00Z"; }       },
        {"recorded: should be a time with its offset",       [](json& i) { i["recorded"] = "yesterday"; }                  },
        {"domestic_abuse: must say yes or no",               [](json& i) { i.erase("domestic_abuse"); }                    },
        {"domestic_abuse: should be yes or no",              [](json& i) { i["domestic_abuse"] = "perhaps"; }              },
        {"referral: should be one of",                       [](json& i) { i["referral"] = "soon"; }                       },
        {"unidentified_children: should be a whole number",
         [](json& i) { i["unidentified_children"] = 70'000u; }                                                             },
        {"circumstances: longer than",                       [](json& i) { i["circumstances"] = std::string(20'000, 'x'); }},
        {"circumstances: has characters",                    [](json& i) { i["circumstances"] = "a\u0001b"; }              },
        {"people: should be a list",                         [](json& i) { i["people"] = json::object(); }                 },
        {"people: has more than 100 entries",                [](json& i) { i["people"] = json(101, json::object()); }      },
        {"people[1]: should be an object",                   [](json& i) { i["people"][1] = "Ava"; }                       },
        {"people[0].given_names: should be a text",
         [](json& i) { i["people"][0]["given_names"] = json::array(); }                                                    },
        {"people[0].date_of_birth: should be a date",
         [](json& i) { i["people"][0]["date_of_birth"] = "2/1/90"; }                                                       },
        {"people[0].role: should be one of",                 [](json& i) { i["people"][0]["role"] = "bystander"; }         },
        {"people[0].present: should be yes or no",           [](json& i) { i["people"][0]["present"] = 1; }                },
        {"people[0].home: should be an object",              [](json& i) { i["people"][0]["home"] = "14 Oak Road"; }       },
        {"people[1].school_urn: should be a whole number",
         [](json& i) { i["people"][1]["school_urn"] = "Oak"; }                                                             },
        {"people[1].relationships[0].to: names no other",
         [](json& i) { i["people"][1]["relationships"][0]["to"] = 2u; }                                                    },
        {"people[1].relationships[0].to: names no other",
         [](json& i) { i["people"][1]["relationships"][0]["to"] = 1u; }                                                    },
        {"people[1].relationships[0].to: should be a whole",
         [](json& i) { i["people"][1]["relationships"][0]["to"] = -1; }                                                    },
        {"people[1].relationships[0].relation: is missing",
         [](json& i) { i["people"][1]["relationships"][0].erase("relation"); }                                             },
    }));
    CAPTURE(fault);
    json object = good();
    spoil(object);
    const auto [findings, incident] = read(object);
    REQUIRE_FALSE(findings.usable());
    CHECK(std::ranges::any_of(findings.faults(),
                              [&, wanted = fault](const auto& one) { return one.starts_with(wanted); }));
}

TEST_CASE("a detail that cannot be used is left out and the incident still published", "[police]") {
    const auto [note, spoil] = GENERATE(table<const char*, std::function<void(json&)>>({
        {"uprn: not a valid UPRN",                       [](json& i) { i["uprn"] = "unknown"; }                  },
        {"people[1].upn: not a valid UPN",               [](json& i) { i["people"][1]["upn"] = "B801200005002"; }},
        {"people[1].nhs_number: not a valid NHS number", [](json& i) { i["people"][1]["nhs_number"] = "1"; }     },
        {"people[0].home.uprn: not a valid UPRN",        [](json& i) { i["people"][0]["home"]["uprn"] = "0"; }   },
        {"people[0].sex: not M, F or U",                 [](json& i) { i["people"][0]["sex"] = "female"; }       },
        {"risk_grade: a grade and its tool go together", [](json& i) { i["risk_tool"] = ""; }                    },
        {"people[0].rellationships: not a known field",
         [](json& i) { i["people"][0]["rellationships"] = json::array({1}); }                                    },
        {"colour: not a known field",                    [](json& i) { i["colour"] = "blue"; }                   },
    }));
    CAPTURE(note);
    json object = good();
    spoil(object);
    const auto [findings, incident] = read(object);
    CHECK(findings.faults().empty());
    REQUIRE(findings.details_left_out().size() == 1);
    CHECK(findings.details_left_out()[0].starts_with(note));
    CHECK(incident.people.size() == 2);
}

TEST_CASE("a CSV row and an NDJSON line of one incident are one incident", "[police]") {
    const json object = good();
    client::CsvRow row{2, {}};
    for (const auto& [name, value] : object.items()) {
        if (name == "people")
            row.cells[name] = value.dump();
        else if (name == "qualifiers")
            row.cells[name] = "alcohol; child at address";
        else if (value.is_boolean())
            row.cells[name] = value.get<bool>() ? "yes" : "no";
        else
            row.cells[name] = value.is_string() ? value.get<std::string>() : value.dump();
    }
    desk::Findings findings;
    const auto from_csv = read_incident(desk::object_of(row, {"people"}, findings), "31", findings);
    CHECK(findings.faults().empty());
    const auto from_json = read(object);
    CHECK(wire::pack<schemas::Incident>(from_csv) == wire::pack<schemas::Incident>(from_json.incident));
}
