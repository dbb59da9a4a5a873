#include "broker/core/ids.h"

#include "tests/support/catch.h"

using namespace flagpost;

TEST_CASE("a SPIFFE id is taken byte for byte or not at all", "[core]") {
    const auto [why, text, accepted] = GENERATE(table<const char*, const char*, bool>({
        {"agency",                 "spiffe://notts.example/police/31",         true },
        {"agency and service",     "spiffe://notts.example/school/122802/dsl", true },
        {"another scheme",         "https://notts.example/police/31",          false},
        {"upper-case scheme",      "SPIFFE://notts.example/police/31",         false},
        {"upper-case partnership", "spiffe://Notts.example/police/31",         false},
        {"port",                   "spiffe://notts.example:8443/police/31",    false},
        {"user-info",              "spiffe://eve@notts.example/police/31",     false},
        {"percent",                "spiffe://notts.example/police/3%31",       false},
        {"dot segment",            "spiffe://notts.example/police/..",         false},
        {"empty segment",          "spiffe://notts.example//31",               false},
        {"trailing slash",         "spiffe://notts.example/police/31/",        false},
        {"too many segments",      "spiffe://notts.example/police/31/a/b",     false},
        {"query",                  "spiffe://notts.example/police/31?x=1",     false},
        {"fragment",               "spiffe://notts.example/police/31#x",       false},
        {"no path",                "spiffe://notts.example",                   false},
        {"unknown kind",           "spiffe://notts.example/army/31",           false},
        {"no code",                "spiffe://notts.example/police",            false},
    }));
    CAPTURE(why, text);
    CHECK(SpiffeId::parse(text).has_value() == accepted);
}

TEST_CASE("the parts of a SPIFFE id are what its text says", "[core]") {
    const auto id = SpiffeId::parse("spiffe://notts.example/social-care/E10000024/inbox");
    REQUIRE(id);
    CHECK(id->partnership() == "notts.example");
    CHECK(id->agency().text() == "social-care/E10000024");
    CHECK(id->agency().kind() == "social-care");
    CHECK(id->agency().code() == "E10000024");
    CHECK(id->service() == "inbox");
}

TEST_CASE("a UPN is valid only with its own check letter", "[core]") {
    const auto [why, upn, valid] = GENERATE(table<const char*, const char*, bool>({
        {"domain 4.4 vector",                 "B801200005001", true },
        {"domain 4.4 vector",                 "H243278544154", true },
        {"domain 4.4 vector",                 "R674123101121", true },
        {"domain 4.4 vector",                 "A950000178301", true },
        {"temporary",                         "M80120000500A", true },
        {"the vendors' wrong worked example", "Q207000016049", false},
        {"the same with the right letter",    "P207000016049", true },
        {"letters never used: I, O, S",       "M80120000500I", false},
        {"short",                             "B80120000500",  false},
        {"lower case",                        "b801200005001", false},
    }));
    CAPTURE(why, upn);
    CHECK(valid_upn(upn) == valid);
}

TEST_CASE("an NHS number is valid only with its own check digit", "[core]") {
    const auto [number, valid] = GENERATE(table<const char*, bool>({
        {"9434765919",   true },
        {"9434765870",   true },
        {"4010232137",   true },
        {"9434765918",   false},
        {"943 476 5919", false},
        {"94347659",     false},
        {"",             false},
    }));
    CAPTURE(number);
    CHECK(valid_nhs_number(number) == valid);
}

TEST_CASE("a postcode is written one way", "[core]") {
    CHECK(normal_postcode("ng72rd") == "NG7 2RD");
    CHECK(normal_postcode(" S80 1AB ") == "S80 1AB");
    CHECK(normal_postcode("GIR 0AA") == "GIR 0AA");
    CHECK_FALSE(normal_postcode("Nottingham"));
    CHECK_FALSE(normal_postcode(""));
}

TEST_CASE("a UPRN has one to twelve digits and is never zero", "[core]") {
    CHECK(parse_uprn("000100031234567") == std::nullopt);
    CHECK(parse_uprn("010003123456") == 10003123456u);
    CHECK(parse_uprn("999999999999") == 999999999999u);
    CHECK_FALSE(parse_uprn("0"));
    CHECK_FALSE(parse_uprn("1.0E+11"));
}

TEST_CASE("base64 has one text for one value", "[core]") {
    CHECK(to_base64(view("flag")) == "ZmxhZw==");
    CHECK(from_base64("ZmxhZw==") == copy(view("flag")));
    CHECK_FALSE(from_base64("ZmxhZx=="));
    CHECK_FALSE(from_base64("ZmxhZw="));
    CHECK_FALSE(from_base64("Zm=hZw=="));
    CHECK(from_base64("") == Bytes{});
}
