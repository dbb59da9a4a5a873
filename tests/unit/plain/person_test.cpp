#include "broker/plain/person.h"

#include "tests/support/catch.h"

using namespace flagpost::plain;

TEST_CASE("two names may be one person's by first name or initial and surname, however they are written",
          "[plain]") {
    const auto [why, one, other, may] = GENERATE(table<const char*, const char*, const char*, bool>({
        {"a sign-in",                          "Sam Patel",           "sam.patel",              true },
        {"an address of mail",                 "Sam Patel",           "s.patel@county.example", true },
        {"a number behind it",                 "Sam Patel",           "sam.patel2",             true },
        {"an initial",                         "S. Patel",            "Samir Patel",            true },
        {"capitals and blanks",                "Sam Patel",           " SAM  PATEL ",           true },
        {"surname first",                      "Patel, Sam",          "Sam Patel",              true },
        {"a title",                            "Dr Sam Patel",        "sam_patel",              true },
        {"a middle name",                      "Sam John Patel",      "Sam Patel",              true },
        {"a middle name run in",               "Sam John Patel",      "samjohn.patel",          true },
        {"a double first name",                "Anne-Marie Shaw",     "Anne Shaw",              true },
        {"a double first name run together",   "Anne-Marie Lou Shaw", "annemarie.shaw",         true },
        {"hyphen and apostrophe",              "Siân O'Neil-Reeves", "sian_oneilreeves",       true },
        {"two surnames, without their hyphen", "Sam Patel-Jones",     "Sam Patel Jones",        true },
        {"two surnames run together",          "Sam Patel Jones",     "sam.pateljones",         true },
        {"surnames first",                     "Patel Jones, Sam",    "Sam Patel-Jones",        true },
        {"the first of two surnames",          "Sam Patel-Jones",     "sam.patel",              true },
        {"the second of two surnames",         "Sam Patel-Jones",     "S. Jones",               true },
        {"one of two surnames, Mac and Mc",    "Jo MacDonald-Shaw",   "jo.mcdonald",            true },
        {"other two surnames",                 "Sam Patel-Jones",     "Sam Khan-Smith",         false},
        {"a letter of two surnames",           "Sam A-Jones",         "Sam A-Smith",            false},
        {"Mac and Mc",                         "Jo MacDonald",        "jo.mcdonald",            true },
        {"another first name",                 "Sam Patel",           "Sandra Patel",           false},
        {"another surname",                    "Sam Patel",           "Sam Pater",              false},
        {"a surname only",                     "Sam Patel",           "Patel",                  false},
        {"a title and a surname",              "Sam Patel",           "Mr Patel",               false},
        {"nothing",                            "",                    "",                       false},
        {"no letters",                         ". -",                 ". -",                    false},
    }));
    CAPTURE(why, one, other);
    CHECK(may_be_same_person(one, other) == may);
    CHECK(may_be_same_person(other, one) == may);
}

TEST_CASE("a name is the same with its accents and without, whether its letters decompose or not",
          "[plain]") {
    const auto [why, one, other] = GENERATE(table<const char*, const char*, const char*>({
        {"letters with marks",               "Zoë Núñez",                "zoe.nunez"        },
        {"marks of their own",               "Zoe\u0308 Nu\u0301n\u0303ez", "Zoë Núñez"     },
        {"outside Latin Extended-A",         "Tuyết Nguyễn",            "tuyet.nguyen"     },
        {"with a comma below",               "Ștefan Țîrlea",            "stefan.tirlea"    },
        {"Ł, which does not decompose",     "Łukasz Wałęsa",            "lukasz.walesa"    },
        {"Ø, which does not decompose",     "Bjørn Øverby",              "bjorn.overby"     },
        {"ß, which is two letters",         "Jörg Weiß",                 "JORG WEISS"       },
        {"ẞ, likewise",                    "JÖRG WEIẞ",                "jorg.weiss"       },
        {"İ, whose small letter is plain",  "İpek Yılmaz",               "ipek.yilmaz"      },
        {"Æ and Œ, which are two letters", "Æthel Sacré-Cœur",         "aethel.sacrecoeur"},
        {"Þ and ð",                        "Þóra Guðrún",             "thora.gudrun"     },
        {"Đ, which does not decompose",     "Đorđe Đurić",             "dorde.duric"      },
        {"letters of another script",        "Олена Бондар",     "olena.bondar"     },
    }));
    CAPTURE(why, one, other);
    CHECK(may_be_same_person(one, other));
    CHECK(may_be_same_person(other, one));
}

TEST_CASE("whatever stands in a name, it is compared and does no harm", "[plain]") {
    const std::string long_name(10'000, 'a');
    CHECK_FALSE(may_be_same_person(long_name, "Sam Patel"));
    CHECK_FALSE(may_be_same_person("\xff\xfe \xc3", "Sam Patel"));
    CHECK_FALSE(may_be_same_person("Sam Patel\xc5", "Sam Pater"));
    CHECK(may_be_same_person("Sam Patel\xc5", "Sam Patel"));
}
