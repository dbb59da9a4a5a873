#include "broker/match/text.h"

#include "tests/support/catch.h"

using namespace flagpost;

TEST_CASE("Jaro-Winkler gives the published values, in whole numbers", "[match]") {
    const auto [a, b, value] = GENERATE(table<const char*, const char*, int>({
        {"MARTHA", "MARHTA",   9611 },
        {"DIXON",  "DICKSONX", 8133 },
        {"DWAYNE", "DUANE",    8400 },
        {"SAME",   "SAME",     10000},
        {"ABC",    "XYZ",      0    },
        {"",       "ABC",      0    },
    }));
    CAPTURE(a, b);
    CHECK(std::abs(match::jaro_winkler(a, b) - value) <= 2);
    CHECK(match::jaro_winkler(a, b) == match::jaro_winkler(b, a));
}

TEST_CASE("one edit is one letter more, less, other or out of place", "[match]") {
    const auto [why, a, b, one] = GENERATE(table<const char*, const char*, const char*, bool>({
        {"equal",           "GRACE", "GRACE",   true },
        {"changed",         "GRACE", "GRECE",   true },
        {"lost",            "GRACE", "GACE",    true },
        {"lost at the end", "GRACE", "GRAC",    true },
        {"added",           "GRACE", "GGRACE",  true },
        {"swapped",         "GRACE", "GRCAE",   true },
        {"two changed",     "GRACE", "GLECE",   false},
        {"two added",       "GRACE", "GRACEXY", false},
        {"swapped apart",   "GRACE", "ERACG",   false},
    }));
    CAPTURE(why);
    CHECK(match::within_one_edit(a, b) == one);
    CHECK(match::within_one_edit(b, a) == one);
}

TEST_CASE("logarithms of whole numbers are right to a thousandth of a bit or two", "[match]") {
    CHECK(match::log2_millibits(1, 1) == 0);
    CHECK(match::log2_millibits(8, 1) == 3000);
    CHECK(match::log2_millibits(1, 8) == -3000);
    CHECK(std::abs(match::log2_millibits(10, 1) - 3322) <= 1);
    CHECK(std::abs(match::log2_millibits(1'000'000, 7) - 17124) <= 1);
}

TEST_CASE("words that look alike on a form", "[match]") {
    CHECK(match::written_alike("EHHA", "EMMA"));
    CHECK(match::written_alike("CUUK", "COOK"));
    CHECK(match::written_alike("FARKER", "PARKER"));
    CHECK_FALSE(match::written_alike("EMMA", "EMMA"));
    CHECK_FALSE(match::written_alike("EMMA", "EMILY"));
    CHECK_FALSE(match::written_alike("JOSH", "JACK"));
    CHECK_FALSE(match::written_alike("1MMA", "EMMA"));
}
