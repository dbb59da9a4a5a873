#include "adapters/police/mapping.h"

#include <fstream>
#include <sstream>

#include "adapters/client/load.h"
#include "adapters/police/csv_record.h"
#include "adapters/police/incident_file.h"
#include "adapters/police/police.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::police;
using nlohmann::json;

namespace {

const Instant today = *desk::parse_instant("2026-11-28T12:00:00Z");

const std::string head = "format = \"csv\"\n";
const std::string least = head +
                          "[incident]\n"
                          "reference = \"Ref\"\n"
                          "occurred = \"When\"\n"
                          "domestic_abuse = \"DA\"\n";

/// A row that has what every incident needs, and these cells.
client::CsvRow row_of(std::map<std::string, std::string> cells) {
    cells.insert({
        {"Ref",  "NP-1"                },
        {"When", "2026-01-10T21:40:00Z"},
        {"DA",   "no"                  }
    });
    return {2, std::move(cells)};
}

struct Made {
    json incident;
    desk::Findings findings;
};
Made made_of(const std::string& mapping, const std::vector<client::CsvRow>& rows) {
    const auto read = Mapping::parse(mapping, "m.toml");
    Made result;
    std::vector<json> parts;
    std::size_t people = 0;
    for (const auto& row : rows) {
        parts.push_back(read.part(CsvRecord{row}, people, result.findings));
        people += parts.back()["people"].size();
    }
    result.incident = read.whole(std::move(parts), result.findings);
    return result;
}
Made made(const std::string& mapping, std::map<std::string, std::string> cells) {
    return made_of(mapping, {row_of(std::move(cells))});
}

std::filesystem::path example(const std::string& name) {
    return std::filesystem::path{TEST_SOURCE_DIR} / "adapters" / "police" / "mappings" / name;
}

std::vector<schemas::IncidentValue> incidents_of(const IncidentFile& file) {
    std::vector<schemas::IncidentValue> values;
    for (const auto& handed : file.incidents()) {
        const auto table = wire::read_table<schemas::Incident>(handed.payload, "payload");
        values.emplace_back();
        (*table)->UnPackTo(&values.back());
    }
    return values;
}

std::string reasons(const IncidentFile& file) {
    std::string all;
    for (const auto& reject : file.rejects())
        all += std::to_string(reject.line) + (reject.used ? " used: " : ": ") + reject.reason + "\n";
    return all;
}

}  // namespace

TEST_CASE("a mistake in a mapping is named by file, line and key", "[police]") {
    const auto [text, wanted] = GENERATE(table<std::string, const char*>({
        {"",                                                                            "m.toml: format: is missing: csv or xml"                     },
        {"format = \"csv\"\nformat = 1",                                                "m.toml:2: "                                                 },
        {"format = \"pdf\"",                                                            "m.toml:1: format: should be one of: csv, xml"               },
        {head + "colour = 1",                                                           "m.toml:2: colour: no such setting"                          },
        {head + "zone = \"Europe/Norham\"",                                             "m.toml:2: zone: no such time zone"                          },
        {head + "twice_shown = \"both\"",                                               "m.toml:2: twice_shown: should be one of"                    },
        {head + "record = \"//a\"",                                                     "m.toml:2: record: is for XML"                               },
        {head + "ignore = [1]",                                                         "m.toml:2: ignore: should be a list of texts"                },
        {head,                                                                          "m.toml: incident: is missing"                               },
        {head + "[incident]\nreference = \"Ref\"",                                      "m.toml:2: incident.occurred: is missing"                    },
        {least + "colour = \"C\"",                                                      "m.toml:6: incident.colour: no such field"                   },
        {least + "category = 1",                                                        "m.toml:6: incident.category: should be the name of a column"},
        {least + "category = {}",                                                       "m.toml:6: incident.category: says neither"                  },
        {least + "category = { from = \"C\", first = \"D\" }",                          "m.toml:6: incident.category: has both"                      },
        {least + "category = { from = \"C\", codes = \"none\" }",
         "m.toml:6: incident.category.codes: there is no [codes.none]"                                                                               },
        {least + "category = { from = \"C\", part = 1 }",                               "m.toml:6: incident.category.part: needs split"              },
        {least + "category = { from = \"C\", split = \",\", part = 0 }",
         "m.toml:6: incident.category.part: should be"                                                                                               },
        {least + "category = { from = \"C\", format = \"%Y\" }",
         "m.toml:6: incident.category.format: is for dates"                                                                                          },
        {least + "recorded = { from = \"C\", format = \"%d/%m/%y\" }",
         "m.toml:6: incident.recorded.format: has %y"                                                                                                },
        {least + "category = { value = \"C\", split = \",\" }",
         "m.toml:6: incident.category: has a value only"                                                                                             },
        {least + "[[people]]\nage = \"A\"",                                             "m.toml:7: people.age: no such field"                        },
        {least + "[[people]]\neach = \"A\"",                                            "m.toml:7: people.each: is for XML"                          },
        {least + "[[people]]\nname = { from = \"N\", order = \"any\" }",                "m.toml:7: order: should be one of"                          },
        {least + "[[people]]\ndate_of_birth = { from = \"B\", year_only = \"01-01\" }",
         "m.toml:7: people.date_of_birth.year_only: needs"                                                                                           },
        {least + "[[people]]\nhome = { colour = \"B\" }",                               "m.toml:7: people.home.colour: no such field"                },
        {least + "[[people]]\nrelated = [{ to = \"victim\" }]",                         "m.toml:7: people.related: needs to"                         },
        {least + "[codes.x]\n\"a\" = 1",                                                "m.toml:7: codes.x.a: should be a text"                      },
        {"format = \"xml\"",                                                            "m.toml: record: is missing"                                 },
        {"format = \"xml\"\nrecord = \"//[\"",                                          "m.toml:2: record: is no XPath"                              },
    }));
    CAPTURE(text);
    CHECK_THROWS_WITH(Mapping::parse(text, "m.toml"), Catch::StartsWith(wanted));
}

TEST_CASE("columns are joined, cut, chosen and translated", "[police]") {
    const std::string mapping = least +
                                "category = { first = [\"Closing\", \"Opening\"], codes = \"c\" }\n"
                                "qualifiers = { from = [\"Q1\", \"Q2\"], split = \"/\", codes = \"q\" }\n"
                                "circumstances = { from = [\"A\", \"B\"], join = \" - \" }\n"
                                "risk_grade = { from = \"R\", split = \":\", part = -1 }\n"
                                "assessment = { from = \"None\", value = \"not assessed\" }\n"
                                "[codes.c]\n\"1\" = \"one\"\n\"2\" = \"two\"\n"
                                "[codes.q]\n\"D\" = \"domestic\"\n\"-\" = \"\"\n\"*\" = \"other\"\n";
    const auto [incident, findings] = made(mapping, {
                                                        {"Closing", ""           },
                                                        {"Opening", "2"          },
                                                        {"Q1",      "D / X / -/D"},
                                                        {"Q2",      "Y"          },
                                                        {"A",       "first"      },
                                                        {"B",       "second"     },
                                                        {"R",       "DARA: high" }
    });
    REQUIRE(findings.usable());
    CHECK(incident["category"] == "two");
    CHECK(incident["qualifiers"] == json::array({"domestic", "other"}));
    CHECK(incident["circumstances"] == "first - second");
    CHECK(incident["risk_grade"] == "high");
    CHECK(incident["assessment"] == "not assessed");
    const auto unknown = made(mapping, {
                                           {"Closing", "9"}
    });
    CHECK(
        unknown.findings.faults() ==
        std::vector<std::string>{"category: a code that the mapping does not know (from Closing, Opening)"});
}

TEST_CASE("domestic abuse is what any of its columns says, and nobody's silence is a no", "[police]") {
    const std::string mapping =
        head +
        "[incident]\nreference = \"Ref\"\noccurred = \"When\"\n"
        "domestic_abuse = { from = [\"Code\", \"Flag\"], codes = \"da\" }\n"
        "[codes.da]\n\"DOM\" = \"yes\"\n\"Y\" = \"yes\"\n\"N\" = \"no\"\n\"CFS\" = \"no\"\n";
    const auto answer = [&](const std::string& code, const std::string& flag) {
        return made(mapping,
                    {
                        {"Code", code},
                        {"Flag", flag}
        })
            .incident.value("domestic_abuse", json());
    };
    CHECK(answer("DOM", "N") == true);
    CHECK(answer("CFS", "Y") == true);
    CHECK(answer("CFS", "N") == false);
    CHECK(answer("CFS", "") == false);
    CHECK(answer("", "").is_null());
    CHECK_FALSE(made(mapping,
                     {
                         {"Code", "XYZ"}
    })
                    .findings.usable());
    CHECK(made(least,
               {
                   {"DA", "maybe"}
    })
              .findings.faults() == std::vector<std::string>{"domestic_abuse: neither yes nor no (from DA)"});
}

TEST_CASE("an address and a name in one text are cut into theirs", "[police]") {
    const std::string mapping = least +
                                "address = \"Where\"\n"
                                "[[people]]\nname = { from = \"Who\", order = \"family, given\" }\n"
                                "[[people]]\nname = \"Other\"\nhome = { address = \"Home\" }\n";
    const auto place = [&](const std::string& text) {
        auto incident = made(mapping,
                             {
                                 {"Where", text}
        })
                            .incident;
        return incident.value("line_1", "") + "|" + incident.value("line_2", "") + "|" +
               incident.value("town", "") + "|" + incident.value("postcode", "");
    };
    CHECK(place("14 Oak Road, Worksop, S80 1AB") == "14 Oak Road||Worksop|S80 1AB");
    CHECK(place("Flat 2, 14 Oak Road, Worksop s801ab") == "Flat 2|14 Oak Road|Worksop|S80 1AB");
    CHECK(place("14 Oak Road\nWorksop\nS80 1AB") == "14 Oak Road||Worksop|S80 1AB");
    CHECK(place("Oak Road") == "Oak Road|||");
    CHECK(place("S80 1AB") == "|||S80 1AB");
    CHECK(place("") == "|||");
    CHECK(place(" , ,") == "|||");
    const auto person = [&](const std::string& column, const std::string& text, std::size_t which = 0) {
        const auto people = made(mapping,
                                 {
                                     {column, text}
        })
                                .incident["people"];
        REQUIRE(people.size() == which + 1);
        return people[which].value("given_names", "") + "|" + people[which].value("family_name", "");
    };
    CHECK(person("Who", "EXAMPLE, Jo Anne") == "Jo Anne|EXAMPLE");
    CHECK(person("Who", "EXAMPLE") == "|EXAMPLE");
    CHECK(person("Other", "Jo Anne Example") == "Jo Anne|Example");
    CHECK(made(mapping, std::map<std::string, std::string>{}).incident["people"].empty());
}

TEST_CASE("rows of one incident are one incident with the people of all", "[police]") {
    const std::string mapping =
        head +
        "row = \"person\"\n"
        "[incident]\nreference = \"Ref\"\noccurred = \"When\"\ndomestic_abuse = \"DA\"\ncategory = \"Cat\"\n"
        "[[people]]\nfamily_name = \"Name\"\nrole = \"Role\"\n"
        "related = [{ to = \"victim\", relation = \"Rel\" }]\n";
    const auto row = [](const std::string& name, const std::string& role, const std::string& relation,
                        const std::string& category) {
        return row_of({
            {"Name", name    },
            {"Role", role    },
            {"Rel",  relation},
            {"Cat",  category}
        });
    };
    const auto whole = made_of(mapping, {row("Ava", "child", "daughter", "x"), row("Jo", "victim", "", "x"),
                                         row("", "", "", "x"), row("Sam", "suspect", "partner", "x")});
    REQUIRE(whole.findings.usable());
    const json& people = whole.incident["people"];
    REQUIRE(people.size() == 3);
    CHECK(people[0]["relationships"] == json::array({
                                            {{"to", 1}, {"relation", "daughter"}}
    }));
    CHECK(people[2]["relationships"] == json::array({
                                            {{"to", 1}, {"relation", "partner"}}
    }));
    CHECK_FALSE(people[1].contains("relationships"));
    CHECK(made_of(mapping, {row("Ava", "child", "", "x"), row("Jo", "victim", "", "y")}).findings.faults() ==
          std::vector<std::string>{"category: the rows of this incident differ (from Cat)"});
    const auto alone = made_of(mapping, {row("Ava", "child", "daughter", "x")});
    CHECK(alone.findings.usable());
    CHECK(alone.findings.details_left_out() ==
          std::vector<std::string>{
              "people[0].relationships: nobody of that role is in this incident, left out (from Rel)"});
}

TEST_CASE("the worked example of command and control reads its sample", "[police]") {
    const auto mapping = Mapping::load(example("command-and-control.toml"));
    const auto file = IncidentFile::read(example("command-and-control.sample.csv"), "31", &mapping, today);
    REQUIRE(file);
    const auto incidents = incidents_of(*file);
    REQUIRE(incidents.size() == 2);
    const auto& first = incidents[0];
    CHECK(first.reference == "25/10/2026-0751");
    CHECK(first.category == "Domestic incident");
    CHECK(first.qualifiers == std::vector<std::string>{"alcohol", "child"});
    CHECK(first.domestic_abuse);
    CHECK(first.status == schemas::IncidentStatus::closed);
    CHECK(first.occurred_us == 1'792'888'200'000'000);  // 00:30 UTC: the first half past one that night
    CHECK(first.recorded_us == 1'792'897'800'000'000);  // 03:10 UTC
    REQUIRE(first.people.size() == 2);
    CHECK(first.people[0]->person->date_of_birth == "1990-01-02");
    CHECK(first.people[1]->person->date_of_birth == "2019-00-00");
    CHECK(first.people[1]->person->given_names == "Ava May");
    CHECK(first.people[1]->relationships.at(0)->relation == "child");
    CHECK(first.people[1]->home->postcode == "XN76 1QQ");
    CHECK(incidents[1].place->line_2 == "14 Oak Road");
    CHECK(file->incidents()[0].counted);
    CHECK(reasons(*file) ==
          "2 used: occurred: was twice that night, when clocks went back: the earlier is taken (from Log "
          "date, Log time)\n"
          "4: occurred: never was: clocks went forward over it (from Log date, Log time)\n"
          "6: category: a code that the mapping does not know (from Closing code, Opening code)\n");
}

TEST_CASE("the worked example of data.police.uk reads its sample", "[police]") {
    const auto mapping = Mapping::load(example("data-police-uk-street.toml"));
    const auto file = IncidentFile::read(example("data-police-uk-street.sample.csv"), "31", &mapping, today);
    REQUIRE(file);
    const auto incidents = incidents_of(*file);
    REQUIRE(incidents.size() == 2);
    CHECK(incidents[0].category == "Burglary");
    CHECK(incidents[0].place->line_1 == "Quarry Crescent");
    CHECK(incidents[1].status == schemas::IncidentStatus::closed);
    CHECK(file->rejected() == 3);
    CHECK(reasons(*file).find("4: reference: is missing (from Crime ID)\n") != std::string::npos);
    CHECK(reasons(*file).find("5: occurred: is no time of the form %Y-%m (from Month)") != std::string::npos);
    CHECK(reasons(*file).find("6: category: a code that the mapping does not know (from Crime type)") !=
          std::string::npos);
}

TEST_CASE("a column that the mapping asks for and the file does not have refuses the file", "[police]") {
    const test::TemporaryDirectory directory;
    const auto mapping = Mapping::parse(least, "m.toml");
    const auto file =
        IncidentFile::read(directory.write("day.csv", "Ref,When\n1,2\n"), "31", &mapping, today);
    REQUIRE_FALSE(file);
    CHECK(file.error().where == "header: no column DA");
}

TEST_CASE("rejected rows are kept as a file of the same kind, whole incidents each", "[police]") {
    const test::TemporaryDirectory directory;
    const auto mapping = Mapping::load(example("command-and-control.toml"));
    auto file = IncidentFile::read(example("command-and-control.sample.csv"), "31", &mapping, today);
    REQUIRE(file);
    file->reject(file->incidents()[0], "spoilt");  // of two rows
    file->write_rejects(directory.path(), "day.csv");
    const auto again = IncidentFile::read(directory.path() / "day.again.csv", "31", &mapping, today);
    REQUIRE(again);
    CHECK(again->rejected() == 2);
    REQUIRE(again->incidents().size() == 1);
    CHECK(again->incidents()[0].payload == file->incidents()[0].payload);
}

TEST_CASE("rejected rows that somebody is correcting are never written over", "[police]") {
    const test::TemporaryDirectory directory;
    const auto mapping = Mapping::load(example("command-and-control.toml"));
    const auto import = [&](bool is_spoilt) {
        auto file = IncidentFile::read(example("command-and-control.sample.csv"), "31", &mapping, today);
        REQUIRE(file);
        if (is_spoilt) file->reject(file->incidents()[0], "spoilt");
        file->write_rejects(directory.path(), "day.csv");
    };
    const auto text = [&](const char* name) {
        std::ifstream stream(directory.path() / name);
        return std::string{std::istreambuf_iterator<char>{stream}, {}};
    };
    import(true);
    const auto first = text("day.again.csv");
    import(true);
    CHECK_FALSE(std::filesystem::exists(directory.path() / "day.again.1.csv"));  // nothing had changed
    directory.write("day.again.csv", "corrected by hand\n");
    import(true);
    CHECK(text("day.again.csv") == first);
    CHECK(text("day.again.1.csv") == "corrected by hand\n");
    import(false);
    CHECK(text("day.again.2.csv") == first);
}

TEST_CASE("a mapping tried on a sample says the same in words and in JSON", "[police]") {
    const auto tried = [](bool in_json) {
        std::ostringstream said;
        CHECK(check_mapping(example("command-and-control.toml"), example("command-and-control.sample.csv"), 1,
                            in_json, said) == 1);
        return said.str();
    };
    const json answer = json::parse(tried(true));
    CHECK(answer["incidents"] == 2);
    CHECK(answer["rejected"] == 2);
    REQUIRE(answer["records"].size() == 1);
    CHECK(answer["records"][0]["line"] == 2);
    const json& first = answer["records"][0]["fields"][0];
    CHECK(first == json{
                       {"field", "category"                  },
                       {"value", "Domestic incident"         },
                       {"from",  "Closing code, Opening code"},
                       {"text",  "PSW-DOM"                   }
    });
    const std::string words = tried(false);
    CHECK_THAT(words, Catch::StartsWith(
                          "Line 2\n  category = Domestic incident   <- Closing code, Opening code: PSW-DOM"));
    CHECK_THAT(words, Catch::Contains("2 incidents could be published; 2 records would be rejected."));
    const std::string why = answer["rejects"][0]["reason"].get<std::string>();
    CHECK_THAT(words, Catch::Contains(why));
}
