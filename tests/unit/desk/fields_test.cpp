#include "adapters/desk/fields.h"

#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::desk;
using nlohmann::json;

TEST_CASE("a date is a day that exists; a partial one may leave parts unknown", "[desk]") {
    const auto [text, whole, partial] = GENERATE(table<const char*, bool, bool>({
        {"2019-03-04",  true,  true },
        {"2020-02-29",  true,  true },
        {"2019-02-29",  false, false},
        {"2019-13-01",  false, false},
        {"2019-04-31",  false, false},
        {"2019-00-00",  false, true },
        {"2019-03-00",  false, true },
        {"0000-03-04",  false, true },
        {"0000-02-29",  false, true },
        {"0000-00-00",  false, true },
        {"0019-03-04",  false, false},
        {"9999-03-04",  false, false},
        {"2019-3-4",    false, false},
        {"04/03/2019",  false, false},
        {"20190304",    false, false},
        {"2019-03-04T", false, false},
        {"",            false, false},
    }));
    CAPTURE(text);
    CHECK(is_date(text) == whole);
    CHECK(is_partial_date(text) == partial);
}

TEST_CASE("an instant is read to the microsecond and never without its offset", "[desk]") {
    const auto [text, us] = GENERATE(table<const char*, std::optional<std::int64_t>>({
        {"1970-01-01T00:00:00Z",          0                    },
        {"1970-01-01T01:00:00+01:00",     0                    },
        {"1969-12-31T19:30:00-0430",      0                    },
        {"1970-01-01 00:00Z",             0                    },
        {"1970-01-01T00:00:00.25Z",       250'000              },
        {"1970-01-01T00:00:00.1234567Z",  123'456              },
        {"2026-01-10T21:40:00Z",          1'768'081'200'000'000},
        {"2026-01-10T21:40:00",           {}                   },
        {"2026-01-10",                    {}                   },
        {"2026-01-10T24:00:00Z",          {}                   },
        {"2026-01-10T21:60:00Z",          {}                   },
        {"2026-02-30T21:40:00Z",          {}                   },
        {"2026-01-10T21:40:00+25:00",     {}                   },
        {"2026-01-10T21:40:00Z and more", {}                   },
        {"2026-01-10T21:40:00.Z",         {}                   },
        {"2026-01-10T21:40Europe/London", {}                   },
        {"",                              {}                   },
    }));
    CAPTURE(text);
    const auto instant = parse_instant(text);
    CHECK(instant.has_value() == us.has_value());
    if (instant && us) CHECK(to_us(*instant) == *us);
}

TEST_CASE("a field is what its kind allows, and the fault names the field but not what it said", "[desk]") {
    const json object = json::parse(R"({
        "text": "  kept  ", "number": 7, "digits": "12", "negative": -1, "half": 0.5, "yes": "yes", "true": true,
        "list": ["a", "b"], "mixed": ["a", 1], "object": {"inner": "x"}, "null": null, "empty": "  ",
        "secret": "Ava\u0000Example", "bell": "\u0007", "long": "@"})");
    json with_long = object;
    with_long["long"] = std::string(300, 'x');
    Findings findings;
    const Fields fields{with_long, "row.", findings};

    CHECK(fields.text("text") == "kept");
    CHECK(fields.text("absent").empty());
    CHECK(fields.text("null").empty());
    CHECK(fields.text("empty").empty());
    CHECK(fields.number("number", 10) == 7u);
    CHECK(fields.number("digits", 12) == 12u);
    CHECK(fields.truth("yes") == true);
    CHECK(fields.truth("true") == true);
    CHECK(fields.texts("list") == std::vector<std::string>{"a", "b"});
    CHECK(fields.object("object").text("inner") == "x");
    CHECK(fields.object("absent").text("inner").empty());
    REQUIRE(findings.usable());

    CHECK_FALSE(fields.number("digits", 11));
    CHECK_FALSE(fields.number("negative", 11));
    CHECK_FALSE(fields.number("half", 11));
    CHECK_FALSE(fields.truth("number"));
    CHECK(fields.texts("mixed").empty());
    CHECK(fields.text("object").empty());
    CHECK(fields.text("secret").empty());
    CHECK(fields.text("bell").empty());
    CHECK(fields.text("long").empty());
    CHECK(fields.required_text("empty").empty());
    CHECK(fields.objects("object").empty());
    CHECK(fields.objects("list").empty());
    CHECK(findings.faults().size() == 13);
    for (const auto& fault : findings.faults()) {
        CAPTURE(fault);
        CHECK(fault.starts_with("row."));
        for (const char* content : {"Ava", "Example", "xxx", "0.5"})
            CHECK(fault.find(content) == std::string::npos);
    }
}

TEST_CASE("an identifier that fails its check is absent, and the person is still a person", "[desk]") {
    const json object =
        json::parse(R"({"given_names": "Ava", "family_name": "Example", "date_of_birth": "2019-03-00",
        "sex": "female", "upn": "B80120000500X", "nhs_number": "943 476 5918",
        "also_known_as": [{"given": "Eva", "family": "Sample"}]})");
    Findings findings;
    const auto person = read_person(Fields{object, "", findings});
    CHECK(findings.usable());
    CHECK(findings.details_left_out() ==
          std::vector<std::string>{"sex: not M, F or U, left out", "upn: not a valid UPN, left out",
                                   "nhs_number: not a valid NHS number, left out"});
    CHECK(person.upn.empty());
    CHECK(person.nhs_number.empty());
    CHECK(person.sex.empty());
    CHECK(person.family_name == "Example");
    CHECK(person.date_of_birth == "2019-03-00");
    REQUIRE(person.also_known_as.size() == 1);
    CHECK(person.also_known_as[0]->family == "Sample");
}

TEST_CASE("valid identifiers are kept in their plain form", "[desk]") {
    const json object =
        json::parse(R"({"upn": "B801200005001", "nhs_number": "943 476 5919", "uprn": "010003123456"})");
    Findings findings;
    const Fields fields{object, "", findings};
    CHECK(read_upn(fields, "upn") == "B801200005001");
    CHECK(read_nhs_number(fields, "nhs_number") == "9434765919");
    CHECK(read_uprn(fields, "uprn") == 10'003'123'456u);
    CHECK(findings.details_left_out().empty());
}

TEST_CASE("a place nobody wrote anything about is no place", "[desk]") {
    Findings findings;
    const json nothing = json::object();
    CHECK(read_place(Fields{nothing, "", findings}) == nullptr);
    const json wrong = json::parse(R"({"uprn": "1.0E+11", "town": "Worksop"})");
    const auto place = read_place(Fields{wrong, "home.", findings});
    REQUIRE(place);
    CHECK(place->uprn == 0);
    CHECK(place->town == "Worksop");
    CHECK(findings.details_left_out() == std::vector<std::string>{"home.uprn: not a valid UPRN, left out"});
}

TEST_CASE("the last word of an alias is its family name", "[desk]") {
    const auto names = read_names({"Mary Ann Example", "Sample"});
    REQUIRE(names.size() == 2);
    CHECK(names[0]->given == "Mary Ann");
    CHECK(names[0]->family == "Example");
    CHECK(names[1]->given.empty());
    CHECK(names[1]->family == "Sample");
}

TEST_CASE("a cell that should hold JSON and does not is a fault of its row", "[desk]") {
    const auto [cell, usable] = GENERATE(table<const char*, bool>({
        {"",                 true },
        {"[]",               true },
        {"[{\"a\": \"b\"}]", true },
        {"[{]",              false},
        {"not JSON",         false},
        {"[] []",            false},
    }));
    CAPTURE(cell);
    Findings findings;
    const client::CsvRow row{
        7, {{"people", cell}, {"plain", "[{]"}}
    };
    const json object = object_of(row, {"people"}, findings);
    CHECK(findings.usable() == usable);
    CHECK(object["plain"] == "[{]");
}

TEST_CASE("a name nobody knows is noted, since it may be a misspelt one", "[desk]") {
    const json object = json::parse(R"({"known": "a", "unknwon": "b", "absent": ""})");
    Findings findings;
    Fields{object, "people[2].", findings}.only({"known"});
    CHECK(findings.usable());
    CHECK(findings.details_left_out() == std::vector<std::string>{"people[2].unknwon: not a known field"});
}
