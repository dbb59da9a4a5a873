#include "broker/app/reference.h"

#include <cstdlib>

#include "broker/wire/frames.h"
#include "school_generated.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::app;
using test::TemporaryDirectory;

namespace {

template <class Table> typename Table::NativeTableType value_of(const Bytes& record) {
    typename Table::NativeTableType value;
    wire::read_table<Table>(record, "record").value()->UnPackTo(&value);
    return value;
}

constexpr const char* gias_header =
    "\"URN\",\"LA (code)\",\"EstablishmentNumber\",\"EstablishmentName\",\"TypeOfEstablishment (name)\","
    "\"EstablishmentTypeGroup (name)\",\"EstablishmentStatus "
    "(code)\",\"OpenDate\",\"CloseDate\",\"StatutoryLowAge\","
    "\"StatutoryHighAge\",\"Street\",\"Locality\",\"Town\",\"Postcode\",\"TelephoneNum\",\"GSSLACode "
    "(name)\",\"UPRN\"\r\n";

/// Where the published files lie, or nothing: they are not part of the source.
std::optional<std::filesystem::path> published(const std::string& name) {
    const char* shared = std::getenv("FLAGPOST_SHARED");
    const auto file =
        std::filesystem::path{shared != nullptr ? shared : TEST_SOURCE_DIR "/../shared"} / "data" / name;
    if (std::filesystem::exists(file)) return file;
    WARN("skipped: " << name << " is not here; set FLAGPOST_SHARED to the folder that holds data/" << name);
    return std::nullopt;
}

}  // namespace

TEST_CASE("dates are read as GIAS and gov.uk write them", "[reference]") {
    const auto [why, text, day] = GENERATE(table<const char*, const char*, const char*>({
        {"GIAS",               "31-08-2019", "2019-08-31"},
        {"GIAS through Excel", "29/05/1993", "1993-05-29"},
        {"ISO",                "2024-02-29", "2024-02-29"},
        {"none given",         "",           ""          },
    }));
    CAPTURE(why);
    CHECK(day_of(text) == day);
}

TEST_CASE("what is no date is none", "[reference]") {
    const auto text = GENERATE("31-02-2019", "2019-13-01", "1-1-2019", "31-08/2019", "2019-08-3a",
                               "08-31-2019", "today", "-1-08-2019");
    CAPTURE(text);
    CHECK_FALSE(day_of(text));
}

TEST_CASE("a school is read by the names of the columns, in Windows-1252", "[reference]") {
    const TemporaryDirectory folder;
    const auto file = folder.write(
        "gias.csv",
        std::string{gias_header} +
            "900001,\"891\",\"2001\",\"St Hugh\x92s Primary\",\"Community school\",\"LA maintained schools\","
            "\"1\",\"01-09-1998\",\"\",\"3\",\"11\",\"Main Street\",\"\",\"Worksop\",\"S80 "
            "1AA\",\"01632960001\","
            "\"E10000024\",\"10003000001\"\r\n");
    const auto reference = read_reference(file, std::nullopt);
    REQUIRE(reference);
    CHECK(reference->of == schemas::LoadOf::schools);
    CHECK(reference->topic == "reference/gias");
    REQUIRE(reference->records.size() == 1);
    const auto school = value_of<schemas::School>(reference->records[0]);
    CHECK(school.urn == 900001);
    CHECK(school.name == "St Hugh\u2019s Primary");
    CHECK(school.la == "E10000024");
    CHECK(school.la_code == "891");
    CHECK(school.status == 1);
    CHECK(school.open_date == "1998-09-01");
    CHECK(school.close_date.empty());
    CHECK(school.high_age == 11);
    CHECK(school.place->uprn == 10003000001);
    CHECK(school.place->postcode == "S80 1AA");
}

TEST_CASE("a row that cannot be used is left out and listed with its line", "[reference]") {
    const auto row = [](const char* urn, const char* name, const char* status, const char* opened) {
        return std::string{"\""} + urn + "\",891,1,\"" + name + "\",a,b,\"" + status + "\",\"" + opened +
               "\",,3,11,s,,t,p,0,E10000024,\r\n";
    };
    const TemporaryDirectory folder;
    const auto file = folder.write(
        "gias.csv", gias_header + row("900001", "A", "1", "01-09-1998") + row("x", "B", "1", "") +
                        row("900003", "", "1", "") + row("900004", "D", "9", "") +
                        row("900005", "E", "1", "31-02-2000") + "900006,too,few\r\n");
    const auto reference = read_reference(file, std::nullopt);
    REQUIRE(reference);
    CHECK(reference->records.size() == 1);
    REQUIRE(reference->rejected.size() == 5);
    const std::vector<std::pair<std::uint64_t, std::string>> expected{
        {3, "URN"                       },
        {4, "EstablishmentName"         },
        {5, "EstablishmentStatus (code)"},
        {6, "OpenDate"                  },
        {7, "3 cells"                   }
    };
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CHECK(reference->rejected[i].line == expected[i].first);
        CHECK(reference->rejected[i].why.substr(0, expected[i].second.size()) == expected[i].second);
    }
}

TEST_CASE("each file is known by its header, and may be named", "[reference]") {
    struct Row {
        const char* text;
        ReferenceKind kind;
        schemas::LoadOf of;
        const char* topic;
    };
    const std::vector<Row> rows{
        {"URN,LinkURN,LinkName,LinkType,LinkEstablishedDate\n900001,900002,B,Successor,01-09-2019\n",
         ReferenceKind::links,                                                                                                    schemas::LoadOf::school_links,  "reference/links"        },
        {"la,urn,first_day,last_day,closed,day_starts\nE10000024,0,2025-09-01,2025-10-24,false,08:40\n",
         ReferenceKind::terms,                                                                                                    schemas::LoadOf::terms,         "reference/terms"        },
        {"urn,name,role,telephone,email,verified_on\n900001,Jo "
         "Wren,DSL,01632960300,dsl@example.org,2026-01-01\n",                                   ReferenceKind::contacts, schemas::LoadOf::contacts,      "reference/contacts"     },
        {"{\"england-and-wales\":{\"events\":[{\"title\":\"Good Friday\",\"date\":\"2026-04-03\"}]}}",
         ReferenceKind::bank_holidays,                                                                                            schemas::LoadOf::bank_holidays, "reference/bank-holidays"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.topic);
        const TemporaryDirectory folder;
        const auto file = folder.write("file", row.text);
        for (const auto as : {std::optional<ReferenceKind>{}, std::optional{row.kind}}) {
            const auto reference = read_reference(file, as);
            REQUIRE(reference);
            CHECK(reference->of == row.of);
            CHECK(reference->topic == row.topic);
            CHECK(reference->records.size() == 1);
            CHECK(reference->rejected.empty());
        }
        CHECK(reference_kind(name(row.kind)) == row.kind);
    }
}

TEST_CASE("a file that is none of these is refused", "[reference]") {
    const auto [why, text, as] = GENERATE(table<const char*, const char*, std::optional<ReferenceKind>>({
        {"another CSV",                    "a,b\n1,2\n",                             std::nullopt                },
        {"another JSON",                   "{\"scotland\":{}}",                      std::nullopt                },
        {"broken JSON",                    "{\"england-and-wales\":",                std::nullopt                },
        {"events that are no list",        "{\"england-and-wales\":{\"events\":1}}", std::nullopt                },
        {"not what it is said to be",      "a,b\n1,2\n",                             ReferenceKind::gias         },
        {"a CSV said to be bank holidays", "a,b\n1,2\n",                             ReferenceKind::bank_holidays},
        {"nothing in it",                  "",                                       std::nullopt                },
    }));
    CAPTURE(why);
    const TemporaryDirectory folder;
    CHECK_FALSE(read_reference(folder.write("file", text), as));
}

TEST_CASE("the published GIAS files are read whole", "[reference][published]") {
    struct Row {
        const char* file;
        std::size_t records;
        std::size_t rejected;
    };
    for (const auto& row : {
             Row{"gias/edubasealldata-2018-sample.csv",            4,    0},
             Row{"gias/edubasealldata-2024-header-anonymised.csv", 60,   0},
             Row{"gias/links_edubasealldata20240717-extract.csv",  2960, 0}
    }) {
        const auto file = published(row.file);
        if (!file) continue;
        CAPTURE(row.file);
        const auto reference = read_reference(*file, std::nullopt);
        REQUIRE(reference);
        CHECK(reference->records.size() == row.records);
        CHECK(reference->rejected.size() == row.rejected);
    }
}

TEST_CASE("a published school says what GIAS says of it", "[reference][published]") {
    const auto file = published("gias/edubasealldata-2018-sample.csv");
    if (!file) return;
    const auto reference = read_reference(*file, std::nullopt);
    REQUIRE(reference);
    const auto school = value_of<schemas::School>(reference->records.at(0));
    CHECK(school.urn == 100492);
    CHECK(school.name == "St Thomas' CofE Primary School");
    CHECK(school.la == "E09000020");
    CHECK(school.place->postcode == "W10 5EF");
    CHECK(school.low_age == 3);
}

TEST_CASE("the published bank holidays are read whole", "[reference][published]") {
    const auto file = published("bank-holidays/bank-holidays.json");
    if (!file) return;
    const auto reference = read_reference(*file, std::nullopt);
    REQUIRE(reference);
    CHECK(reference->records.size() == 32);
    const auto first = value_of<schemas::BankHoliday>(reference->records[0]);
    CHECK(first.date == "2024-01-01");
    CHECK(first.title == "New Year\u2019s Day");
}
