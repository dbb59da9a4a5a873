#include "broker/match/names.h"

#include <random>

#include "broker/match/text.h"
#include "tests/support/catch.h"
#include "tests/support/people.h"

using namespace flagpost;
using namespace flagpost::tests;
using registry::Word;

namespace {

/// Few letters, so that words are often alike.
std::string word(std::mt19937& random) {
    std::string out(1 + random() % 9, ' ');
    for (char& c : out) c = "AEILNRST"[random() % 8];
    return out;
}

registry::PersonForm somebody(std::mt19937& random) {
    const auto given = word(random) + (random() % 3 == 0 ? " " + word(random) : "");
    auto made = person(given, random() % 9 == 0 ? given : word(random), "2015-06-22");
    if (random() % 4 == 0) {
        auto other = std::make_unique<schemas::NameValue>();
        other->family = word(random);
        made->also_known_as.push_back(std::move(other));
    }
    return registry::person_form(*made);
}

bool same(const match::NameComparison& a, const match::NameComparison& b) {
    return a.given == b.given && a.family == b.family && a.swapped == b.swapped &&
           a.other_name == b.other_name && a.look_alike == b.look_alike && a.given_weight == b.given_weight &&
           a.family_weight == b.family_weight;
}

}  // namespace

TEST_CASE("the quick look at lengths and letters never hides a likeness that counts", "[match]") {
    std::mt19937 random{11};
    for (int i = 0; i < 200'000; ++i) {
        const Word a{word(random)}, b{word(random)};
        const int whole = match::jaro_winkler(a.text, b.text);
        const int quick = match::likeness(a, b);
        CAPTURE(a.text, b.text);
        if (whole >= 7500)
            REQUIRE(quick == whole);
        else
            REQUIRE(quick < 7500);
    }
}

TEST_CASE("how names compare does not depend on whose were compared before", "[match]") {
    std::mt19937 random{12};
    registry::Pool pool;
    std::vector<std::uint32_t> rows;
    for (int i = 0; i < 600; ++i) {
        registry::Row row;
        row.person = somebody(random);
        rows.push_back(pool.add(std::move(row)));
    }
    for (int i = 0; i < 40; ++i) {
        const auto ours = somebody(random);
        match::NameComparer busy{ours, pool, 1};  // little room, so that parts take each other's place
        for (const auto row : rows) {
            match::NameComparer fresh{ours, pool, rows.size()};
            REQUIRE(same(busy.best(pool.row(row).person), fresh.best(pool.row(row).person)));
        }
    }
}
