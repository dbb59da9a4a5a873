#include "broker/register/normal.h"

#include "broker/register/address.h"
#include "broker/register/given_names.h"
#include "tests/support/catch.h"
#include "tests/support/people.h"

using namespace flagpost;
using registry::name_forms;
using registry::place_form;

namespace {

std::vector<std::string> texts(const registry::NamePart& part) {
    std::vector<std::string> out;
    for (const auto& word : part.words) out.push_back(word.text);
    return out;
}

}  // namespace

TEST_CASE("names that people take for one are written one way", "[register]") {
    const auto [why, a, b] = GENERATE(table<const char*, const char*, const char*>({
        {"case",                   "smith",            "SMITH"      },
        {"accents",                "Núñez",          "Nunez"      },
        {"letters without parts",  "Łukasz",          "Lukasz"     },
        {"slashed o",              "Sørensen",        "Sorensen"   },
        {"sharp s",                "Groß",            "Gross"      },
        {"dotless i",              "Yıldız",         "Yildiz"     },
        {"apostrophe",             "O'Neil",           "ONeil"      },
        {"typographic apostrophe", "O’Neil",         "O'Neil"     },
        {"O apart",                "O Neil",           "O'Neil"     },
        {"Mc apart",               "Mc Donald",        "McDonald"   },
        {"Mac and Mc",             "MacDonald",        "McDonald"   },
        {"Arabic article",         "Al-Khatib",        "Al Khatib"  },
        {"article joined",         "AlKhatib",         "Al-Khatib"  },
        {"son of, in Welsh",       "ap Rhys",          "ApRhys"     },
        {"hyphen or space",        "Smith-Jones",      "Smith Jones"},
        {"Cyrillic",               "Шевченко", "Sevcenko"   },
        {"spaces around",          "  Smith ",         "Smith"      },
    }));
    CAPTURE(why, a, b);
    REQUIRE(name_forms("Ann", a).size() == 1);
    CHECK(name_forms("Ann", a) == name_forms("Ann", b));
}

TEST_CASE("a whole name in one field is read in every way it can be split", "[register]") {
    const auto forms = name_forms("Maria Garcia Lopez", "");
    REQUIRE(forms.size() == 3);
    CHECK(texts(*forms[1].given) == std::vector<std::string>{"MARIA"});
    CHECK(texts(*forms[1].family) == std::vector<std::string>{"GARCIA", "LOPEZ"});
    CHECK(texts(*forms[2].family) == std::vector<std::string>{"LOPEZ"});
}

TEST_CASE("a placeholder is no name", "[register]") {
    const auto [given] =
        GENERATE(table<const char*>({"Baby", "UNBORN", "Unknown", "Not known", "Refused details"}));
    CAPTURE(given);
    const auto forms = name_forms(given, "Smith");
    REQUIRE(forms.size() == 1);
    CHECK(forms[0].given->words.empty());
    CHECK(forms[0].family->joined.text == "SMITH");
}

TEST_CASE("nothing to read gives no name, whatever bytes it is made of", "[register]") {
    CHECK(name_forms("", "").empty());
    CHECK(name_forms("123 !?", "--").empty());
    CHECK(name_forms("\xff\xfe\x80", "\xc3").size() <= 1);
    CHECK(name_forms(std::string(100'000, 'a'), "b").front().given->joined.text.size() <= 512);
}

TEST_CASE("names that sound alike have one sound", "[register]") {
    const auto [a, b] = GENERATE(table<const char*, const char*>({
        {"CATHERINE", "KATHRYN"},
        {"YUSUF",     "JUSEF"  },
        {"STEPHEN",   "STEVEN" },
        {"PHILIP",    "FILIP"  },
        {"MOHAMMED",  "MUHAMAD"},
    }));
    CAPTURE(a, b);
    CHECK(registry::sound(a) == registry::sound(b));
}

TEST_CASE("short forms are forms of the same name, other names are not", "[register]") {
    const auto [a, b, same] = GENERATE(table<const char*, const char*, bool>({
        {"ELIZABETH", "LIZZIE",   true },
        {"MOHAMMED",  "MUHAMMAD", true },
        {"MUHAMMAD",  "MOHAMED",  true },
        {"JOSEPH",    "JOSHUA",   false},
        {"JAYDEN",    "HAYDEN",   false},
        {"QUENTIN",   "QUENTIN",  true },
        {"JACK",      "SEAN",     false},
        {"JACK",      "JOHN",     true },
    }));
    CAPTURE(a, b);
    CHECK(registry::same_given_name(registry::Word{a}, registry::Word{b}) == same);
}

TEST_CASE("a date keeps the parts it has", "[register]") {
    CHECK(registry::date_form("2019-03-04") == registry::DateForm{2019, 3, 4});
    CHECK(registry::date_form("2019-00-00") == registry::DateForm{2019, 0, 0});
    CHECK(registry::date_form("").empty());
    CHECK(registry::date_form("04/03/2019").empty());
    CHECK(registry::date_form("2019-3-4").empty());
    CHECK_FALSE(registry::day_number({2019, 2, 30}));
    CHECK(registry::day_number({1970, 1, 2}) == 1);
}

TEST_CASE("an address is taken apart the same way however it is typed", "[register]") {
    const auto [why, line_1, line_2, flat, number, number_to, street] =
        GENERATE(table<const char*, const char*, const char*, const char*, int, int, const char*>({
            {"plain",                "14 Oak Road",         "",            "",             14, 0,  "OAK ROAD"                },
            {"abbreviated",          "14 Oak Rd.",          "",            "",             14, 0,  "OAK ROAD"                },
            {"comma",                "14, Oak Road",        "",            "",             14, 0,  "OAK ROAD"                },
            {"No",                   "No 14 Oak Road",      "",            "",             14, 0,  "OAK ROAD"                },
            {"flat first",           "Flat 2, 14 Oak Road", "",            "2",            14, 0,  "OAK ROAD"                },
            {"flat on its own line", "Flat 2",              "14 Oak Road", "2",            14, 0,  "OAK ROAD"                },
            {"flat run together",    "Flat2 14 Oak Road",   "",            "2",            14, 0,  "OAK ROAD"                },
            {"letter",               "14A Oak Road",        "",            "A",            14, 0,  "OAK ROAD"                },
            {"letter as flat",       "Flat A, 14 Oak Road", "",            "A",            14, 0,  "OAK ROAD"                },
            {"range",                "12-14 Oak Road",      "",            "",             12, 14, "OAK ROAD"                },
            {"Scottish flat",        "14/2 Oak Road",       "",            "2",            14, 0,  "OAK ROAD"                },
            {"floor",                "Ground Floor Flat",   "14 Oak Road", "GROUND FLOOR", 14, 0,  "OAK ROAD"                },
            {"named house",          "Rose Cottage",        "Church Lane", "",             0,  0,  "ROSE COTTAGE CHURCH LANE"},
            {"building and flat",    "Flat 7 Trent Court",  "3 River St",  "7",            3,  0,  "RIVER STREET"            },
            {"flat cut short",       "Flt 31",              "28 Ash Rd",   "31",           28, 0,  "ASH ROAD"                },
            {"letter of a house",    "D Norfolk House",     "9 River St",  "D",            9,  0,  "RIVER STREET"            },
            {"saint, not street",    "3 St Anns Hill",      "",            "",             3,  0,  "ST ANNS HILL"            },
    }));
    CAPTURE(why, line_1, line_2);
    const auto form = place_form(*tests::place(line_1, "NG7 2RD", 0, line_2));
    CHECK(form.flat == flat);
    CHECK(form.number == number);
    CHECK(form.number_to == number_to);
    CHECK(form.street == street);
}
