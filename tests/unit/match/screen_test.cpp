#include "broker/match/screen.h"

#include <random>

#include "tests/support/catch.h"
#include "tests/support/people.h"

using namespace flagpost;
using namespace flagpost::tests;

namespace {

struct Drawn {
    std::mt19937 random;
    bool once_in(unsigned times) { return random() % times == 0; }

    /// Names of the table and others of few letters, so that many are alike, a letter or two changed in some.
    std::string word() {
        static constexpr const char* known[] = {"Jack",      "John",  "Mohammed", "Muhammad", "Kate",
                                                "Katherine", "Emma",  "Amy",      "Leo",      "Jo",
                                                "Smith",     "Smyth", "Khan",     "O'Neil"};
        std::string out =
            once_in(2) ? known[random() % std::size(known)] : std::string(1 + random() % 9, ' ');
        for (char& c : out)
            if (c == ' ' || once_in(9)) c = "aeilnrsthm"[random() % 10];
        return out;
    }
    std::string words() { return once_in(12) ? "" : word() + (once_in(4) ? " " + word() : ""); }
    std::string date() {
        if (once_in(9)) return "";
        char text[16];
        std::snprintf(text, sizeof text, "%04u-%02u-%02u", unsigned(2014 + random() % 3),
                      unsigned(random() % (once_in(5) ? 1 : 12) + 1),
                      unsigned(random() % (once_in(5) ? 1 : 28) + 1));
        return text;
    }
    registry::DatedPlaceForm place() {
        schemas::PlaceValue made;
        static constexpr const char* postcodes[] = {"NG7 2RD", "NG7 2RF", "NG7 3RD", "NG8 2RD",
                                                    "DE1 5AA", "2217",    "2271",    ""};
        made.postcode = postcodes[random() % std::size(postcodes)];
        static constexpr const char* towns[] = {"Derby", "Nottingham", "Notingham", ""};
        made.town = towns[random() % std::size(towns)];
        if (!once_in(5))
            made.line_1 = std::to_string(1 + random() % 3) + (once_in(2) ? " Oak Road" : " Elm Street");
        if (once_in(4)) made.uprn = 100 + random() % 3;
        return {std::make_shared<const registry::PlaceForm>(registry::place_form(made)), INT_MIN, INT_MAX};
    }
    registry::PersonForm somebody() {
        auto made = person(words(), words(), date());
        static constexpr const char* sexes[] = {"M", "F", ""};
        made->sex = sexes[random() % 3];
        if (once_in(6)) made->nhs_number = once_in(2) ? "9434765919" : "9434765870";
        if (once_in(6)) {
            auto other = std::make_unique<schemas::NameValue>();
            other->family = word();
            made->also_known_as.push_back(std::move(other));
        }
        auto form = registry::person_form(*made);
        for (auto places = random() % 3; places > 0; --places) form.places.push_back(place());
        return form;
    }
};

}  // namespace

TEST_CASE("whom a search leaves out at first sight could not have been found", "[match]") {
    Drawn drawn{std::mt19937{7}};
    registry::Pool pool;
    std::vector<std::uint32_t> rows;
    const auto add = [&] {
        registry::Row row;
        row.person = drawn.somebody();
        rows.push_back(pool.add(std::move(row)));
    };
    for (int i = 0; i < 1500; ++i) add();
    // Numbers of names and rows are given out again.
    for (std::size_t i = 0; i < 300; ++i) pool.remove(rows[i]);
    rows.erase(rows.begin(), rows.begin() + 300);
    for (int i = 0; i < 300; ++i) add();
    std::size_t left_out = 0, kept = 0;
    for (int i = 0; i < 300; ++i) {
        const auto ours = drawn.somebody();
        const auto attended = drawn.once_in(3) ? *drawn.place().place : registry::PlaceForm{};
        const match::Millibits prior = -6000 - static_cast<match::Millibits>(drawn.random() % 20'000);
        const match::Query query{&ours, nullptr, false, &attended};
        const match::Screen screen{query, pool, prior};
        match::NameComparer names{ours, pool, rows.size()};
        for (const auto row : rows) {
            const auto& theirs = pool.row(row).person;
            auto compared = match::compare(ours, theirs, names);
            match::compare_homes(compared, ours, theirs, pool);
            match::add_attended(compared, attended, theirs);
            const auto score = match::score(compared, prior);
            const bool looked_at = screen.may_be_found(pool.brief(row));
            ++(looked_at ? kept : left_out);
            if (looked_at || score < match::low_from) continue;
            CAPTURE(i, row, score, match::in_words(compared));
            FAIL("left out");
        }
    }
    CHECK(left_out > kept);
}
