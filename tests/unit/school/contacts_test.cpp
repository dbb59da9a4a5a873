#include "adapters/school/contacts.h"

#include "adapters/desk/fields.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::school;

namespace {

const Instant now = *desk::parse_instant("2026-01-11T08:12:00Z");

client::CsvRow row(const std::map<std::string, std::string>& cells) { return {2, cells}; }

std::map<std::string, std::string> with(std::map<std::string, std::string> cells, const char* name,
                                        const char* value) {
    cells[name] = value;
    return cells;
}

}  // namespace

TEST_CASE("a contact has a name, a way to be reached and a check not long ago", "[school]") {
    const std::map<std::string, std::string> good{
        {"Name",       "Jo Wren"     },
        {"Role",       "DSL"         },
        {"Telephone",  "01632 960301"},
        {"Email",      ""            },
        {"VerifiedOn", "2026-01-10"  }
    };
    const auto mailed = with(with(good, "Telephone", ""), "Email", "jo@oak.example");
    struct Row {
        const char* why;
        std::map<std::string, std::string> cells;
        bool usable;
    };
    const std::vector<Row> rows{
        {"whole",         good,        true                           },
        {"checked today", with(good,   "VerifiedOn",                    "2026-01-11"), true},
        {"90 days ago",           with(good,                      "VerifiedOn",                                         "2025-10-13"), true},
        {"91 days ago",   with(good,"VerifiedOn","2025-10-12"), false},
        {"in the future",   with(good,   "VerifiedOn",                                           "2026-01-14"), false},
        {"never",          with(good,                     "VerifiedOn",                                      ""), false},
        {"no date",   with(good,"VerifiedOn","10 January"), false},
        {"no name",         with(good,  "Name", " "), false},
        {"not to be reached",          with(good,                     "Telephone",                                            ""), false},
        {"by e-mail alone",   mailed,   true                                              },
    };
    for (const Row& each : rows) {
        CAPTURE(each.why);
        desk::Findings findings;
        const auto contact = read_contact(row(each.cells), now, findings);
        CHECK(findings.usable() == each.usable);
        if (each.usable) CHECK(contact.name == "Jo Wren");
    }
}

TEST_CASE("a list wants two people, checked within 60 days", "[school]") {
    const Contact jo{"Jo Wren", "DSL", "1", "", "2026-01-02"},
        kit{"Kit Bell", "Deputy", "2", "", "2025-11-12"};
    CHECK(wanting({}, now) == "Nobody was named yet whom police may ask for here.");
    CHECK(wanting({jo}, now) == "At least two people must be named whom police may ask for here.");
    CHECK(wanting({jo, kit}, now).empty());
    CHECK(wanting({jo, kit}, now + std::chrono::hours{24}) ==
          "Your contacts were last checked more than 60 days ago. Say on the page Contacts that they are "
          "still right.");
    CHECK(wanting({jo, kit}, now + std::chrono::hours{24}, true) ==
          "Your contacts were last checked more than 60 days ago. Say below that they are still right.");
    CHECK(checked_today({jo, kit}, "Kit Bell", now)->at(1).verified_on == "2026-01-11");
    CHECK_FALSE(checked_today({jo, kit}, "Nobody", now));
}

TEST_CASE("between two terms the school is closed until the next begins", "[school]") {
    const auto term = [](const char* first, const char* last, bool closed) {
        schemas::TermPeriodValue made;
        made.first_day = first;
        made.last_day = last;
        made.closed = closed;
        made.day_starts = "08:40";
        return made;
    };
    std::vector<schemas::TermPeriodValue> terms;
    terms.push_back(term("2026-02-23", "2026-03-27", false));
    terms.push_back(term("2026-01-05", "2026-02-13", false));
    terms.push_back(term("2026-02-16", "2026-02-17", true));
    const auto on = [&](const char* day) { return closed_in_words(terms, *desk::parse_instant(day)); };
    const std::string february =
        "Your school is closed until Monday 23 February 2026. Notices still arrive; the next must be read by "
        "8:40am that "
        "day.";
    CHECK(on("2025-12-28T09:00:00Z").starts_with("Your school is closed until Monday 5 January 2026."));
    CHECK(on("2026-01-05T00:00:00Z").empty());
    CHECK(on("2026-02-13T23:00:00Z").empty());
    CHECK(on("2026-02-14T09:00:00Z") == february);
    CHECK(on("2026-02-16T09:00:00Z") == february);  // a closure is no term
    CHECK(on("2026-03-28T09:00:00Z").empty());      // what comes next is not known here
    CHECK(closed_in_words({}, now).empty());
}

TEST_CASE("a term has two days in order and a time at which it begins", "[school]") {
    const std::map<std::string, std::string> good{
        {"FirstDay",  "2026-01-05"},
        {"LastDay",   "2026-02-13"},
        {"Closed",    ""          },
        {"DayStarts", "08:40"     }
    };
    struct Row {
        const char* why;
        std::map<std::string, std::string> cells;
        bool usable;
    };
    const std::vector<Row> rows{
        {"whole",      good,        true },
        { "an INSET day",      with(good,         "Closed",  "yes"), true},
        { "no time",           with(good,         "DayStarts",  ""), true},
        { "no first day",      with(good,          "FirstDay", ""), false},
        { "no last day",       with(good,           "LastDay", ""), false},
        { "the wrong way",     with(good, "LastDay", "2026-01-04"), false},
        { "no time of day",    with(good,   "DayStarts", "8:40am"), false},
        { "past midnight",     with(good,    "DayStarts", "24:00"), false},
        { "neither yes or no", with(good,     "Closed", "perhaps"), false},
    };
    for (const Row& each : rows) {
        CAPTURE(each.why);
        desk::Findings findings;
        const auto term = read_term(row(each.cells), 900001, findings);
        CHECK(findings.usable() == each.usable);
        if (each.usable) CHECK(term.closed == (std::string_view{each.why} == "an INSET day"));
    }
}
