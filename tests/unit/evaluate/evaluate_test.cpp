#include <algorithm>
#include <random>
#include <sstream>

#include "tests/support/catch.h"
#include "tools/evaluate/answers.h"

using namespace flagpost;
using evaluate::Sheet;
using schemas::Outcome;

namespace {

Result<Sheet> read(const std::string& text, const char* id_column = "flag_id") {
    const auto csv = client::CsvFile::parse(text);
    REQUIRE(csv);
    return evaluate::sheet_of(*csv, "register.csv", id_column);
}

Sheet sheet(const std::string& text, const char* id_column = "flag_id") {
    auto made = read(text, id_column);
    REQUIRE(made);
    return std::move(*made);
}

std::string predictions(const Sheet& known, const Sheet& queries) {
    std::ostringstream out;
    evaluate::write_predictions(evaluate::answer(known, queries), out);
    return out.str();
}

const char* const people =
    "flag_id,given_name,family_name,date_of_birth,sex,address_1,postcode,other_id\n"
    "F1,Ava,Zielinska,2015-06-22,F,14 Oak Road,NG7 2RD,\n"
    "F2,Eva,Zielinska,2015-06-22,F,14 Oak Road,NG7 2RD,\n"
    "F3,Noah,Brown,2011-03-09,M,3 Elm Close,NG5 1AA,7953368\n"
    "F4,Isla,Khan,2012-10-12,F,8 Ash Lane,NG6 3BB,\n";

}  // namespace

TEST_CASE("a set that cannot be read is refused with line and column, never with content", "[evaluate]") {
    const auto [why, text, reason, where] = GENERATE(table<const char*, const char*, Reason, const char*>({
        {"no id column",                 "given_name\nAva\n",                      Reason::malformed,
         "register.csv line 1, column flag_id: is missing"                         },
        {"a row without id",             "flag_id,given_name\nF1,Ava\n,Eva\n",     Reason::malformed,
         "register.csv line 3, column flag_id: is empty"                           },
        {"two rows of one id",           "flag_id,given_name\nF1,Ava\nF1,Eva\n",   Reason::conflict,
         "register.csv line 3, column flag_id: stands in two rows"                 },
        {"a date as people write it",    "flag_id,date_of_birth\nF1,22/06/2015\n", Reason::invalid_value,
         "register.csv line 2, column date_of_birth: is not YYYY-MM-DD"            },
        {"a property number of letters", "flag_id,uprn\nF1,12A\n",                 Reason::invalid_value,
         "register.csv line 2, column uprn: is not 1 to 12 digits"                 },
        {"a role nobody has",            "flag_id,role\nF1,uncle\n",               Reason::invalid_value,
         "register.csv line 2, column role: is none of child, linked_adult, person"},
        {"a cell too few",               "flag_id,given_name\nF1\n",               Reason::malformed,
         "register.csv line 2: 1 cells where the header has 2"                     },
    }));
    CAPTURE(why);
    const auto read_as = read(text);
    REQUIRE_FALSE(read_as);
    CHECK(read_as.error() == Refusal{reason, where});
}

TEST_CASE("dates that never were and unknown parts are read as recorded", "[evaluate]") {
    const char* date = GENERATE("", "0000-00-00", "2015-00-00", "2015-22-06", "-0050-01-0");
    CHECK(
        sheet(std::string{"flag_id,date_of_birth\nF1,"} + date + "\n").entries.front().person.date_of_birth ==
        date);
}

TEST_CASE("one person is looked up among the flags, and the right answer is not read", "[evaluate]") {
    const auto known = sheet(people);
    const auto queries = sheet(
        "query_id,given_name,family_name,date_of_birth,sex,address_1,postcode,other_id,true_flag_id,kind\n"
        "Q1,Isla,Khan,2012-10-12,F,,,,F1,decoy\n"
        "Q2,N.,Browne,2011-03-09,M,,,7953368,,\n"
        "Q3,Somebody,Else,1990-01-30,M,,,,F3,decoy\n",
        "query_id");
    const auto answers = evaluate::answer(known, queries);
    REQUIRE(answers.size() == 2);
    CHECK(answers[0].flag_id == "F4");
    CHECK(answers[0].outcome == Outcome::match);
    CHECK(answers[1].flag_id == "F3");
    CHECK(answers[1].query_id == "Q2");
}

TEST_CASE("an address alone finds the flag held there", "[evaluate]") {
    const auto known = sheet("flag_id,address_1,postcode\nF1,14 Oak Road,NG7 2RD\nF2,16 Oak Road,NG7 2RD\n");
    const auto queries = sheet("query_id,address_1,postcode\nQ1,14 Oak Rd,ng72rd\n", "query_id");
    CHECK(predictions(known, queries) == "query_id,flag_id,score,decision\nQ1,F1,12000,auto\n");
}

TEST_CASE("the rows of one incident are decided together", "[evaluate]") {
    const auto known = sheet(
        "flag_id,role,given_name,family_name,date_of_birth,address_1,postcode\n"
        "F1,child,Ava,Zielinska,2015-06-22,14 Oak Road,NG7 2RD\n"
        "F1,linked_adult,Marek,Zielinski,1985-09-17,14 Oak Road,NG7 2RD\n");
    const auto queries = sheet(
        "query_id,role,given_name,family_name,date_of_birth,address_1,postcode\n"
        "Q1,person,Somebody,Else,1970-05-05,1 High Street,NG1 1AA\n"
        "Q1,person,Marek,Zielinski,1985-09-17,1 High Street,NG1 1AA\n",
        "query_id");
    const auto answers = evaluate::answer(known, queries);
    REQUIRE(answers.size() == 1);
    CHECK(answers.front().outcome == Outcome::match);
}

TEST_CASE("the order of the register changes nothing", "[evaluate]") {
    auto known = sheet(people);
    const auto queries = sheet(
        "query_id,given_name,family_name,date_of_birth,address_1,postcode\n"
        "Q1,Ava,Zielinska,2015-06-22,14 Oak Road,NG7 2RD\n"
        "Q2,Eve,Zielinska,2015-06-22,,\n"
        "Q3,Noah,Brown,2011-09-03,3 Elm Close,NG5 1AA\n",
        "query_id");
    const auto first = predictions(known, queries);
    CHECK(predictions(known, queries) == first);
    std::mt19937 random{11};
    for (int i = 0; i < 10; ++i) {
        for (std::size_t last = known.entries.size() - 1; last > 0; --last)
            std::swap(known.entries[last], known.entries[random() % (last + 1)]);
        CHECK(predictions(known, queries) == first);
    }
}

TEST_CASE("an explanation says what agreed and what each counted for", "[evaluate]") {
    const auto known = sheet(people);
    const auto queries =
        sheet("query_id,given_name,family_name,date_of_birth\nQ1,Isla,Khan,2012-10-12\n", "query_id");
    std::ostringstream out;
    evaluate::write_explanation(evaluate::answer(known, queries), "Q1", out);
    CHECK(out.str().find("F4: match") == 0);
    CHECK(out.str().find("Date of birth agrees.") != std::string::npos);
    CHECK(out.str().find("date_of_birth.exact 12200") != std::string::npos);
}
