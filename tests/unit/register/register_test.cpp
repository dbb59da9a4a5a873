#include "broker/register/register.h"

#include "broker/register/person_index.h"
#include "tests/support/catch.h"
#include "tests/support/people.h"

using namespace flagpost;
using namespace flagpost::tests;
using registry::Register;

namespace {

std::size_t candidates(const Register& known, const schemas::PersonValue& who) {
    registry::Found found;
    known.index()
        .pool(registry::RowKind::flagged_child)
        .find(registry::query_keys(registry::person_form(who)), found);
    return found.rows.size();
}

schemas::SchoolLinkValue link(std::uint32_t from, std::uint32_t to, const char* type) {
    schemas::SchoolLinkValue made;
    made.urn = from;
    made.link_urn = to;
    made.link_type = type;
    return made;
}

}  // namespace

TEST_CASE("a record set again replaces the one its key held, and its index entries", "[register]") {
    Register known;
    known.set_flag(flag("1", person("Ava", "Smith", "2015-06-01")), at("2025-01-01T00:00Z"));
    known.set_flag(flag("1", person("Zoe", "Brown", "2016-07-02")), at("2025-01-02T00:00Z"));
    CHECK(known.flags().size() == 1);
    CHECK(known.flag({"E10000024", "1"})->value.child->given_names == "Zoe");
    CHECK(candidates(known, *person("Ava", "Smith", "2015-06-01")) == 0);
    CHECK(candidates(known, *person("Zoe", "Brown", "2016-07-02")) == 1);
}

TEST_CASE("a removed record is found no more, and removing it again does nothing", "[register]") {
    Register known;
    known.set_flag(flag("1", person("Ava", "Smith", "2015-06-01")), at("2025-01-01T00:00Z"));
    const auto& key = known.flags().begin()->first;  // the register's own key must be safe to hand back
    known.remove_flag(key);
    known.remove_flag({"E10000024", "1"});
    CHECK(known.flags().empty());
    CHECK(candidates(known, *person("Ava", "Smith", "2015-06-01")) == 0);
    CHECK(known.index().pool(registry::RowKind::flagged_child).size() == 0);
}

TEST_CASE("two authorities' flags on one child are two flags", "[register]") {
    Register known;
    known.set_flag(flag("1", person("Ava", "Smith", "2015-06-01")), at("2025-01-01T00:00Z"));
    known.set_flag(flag("1", person("Ava", "Smith", "2015-06-01"), "E06000018"), at("2025-01-01T00:00Z"));
    CHECK(known.flags_of("E10000024").size() == 1);
    CHECK(known.flags_of("E06000018").size() == 1);
    CHECK(known.flags_of("E0600001").empty());
    CHECK(candidates(known, *person("Ava", "Smith", "2015-06-01")) == 2);
}

TEST_CASE("a spoilt field still finds the person", "[register]") {
    Register known;
    auto held = flag("1", person("Katarzyna", "Zielinska", "2015-06-01"));
    held.places.push_back(dated(place("14 Oak Road", "NG7 2RD")));
    known.set_flag(std::move(held), at("2025-01-01T00:00Z"));
    const auto [why, given, family, born] =
        GENERATE(table<const char*, const char*, const char*, const char*>({
            {"nothing spoilt",          "Katarzyna",           "Zielinska",  "2015-06-01"},
            {"typo in the given name",  "Katarzina",           "Zielinska",  "2015-06-01"},
            {"typo in the family name", "Katarzyna",           "Zelinska",   "2015-06-01"},
            {"both typed by ear",       "Catarzina",           "Sielinska",  "2015-06-01"},
            {"day and month swapped",   "Katarzyna",           "Zielinska",  "2015-01-06"},
            {"swapped, and a typo",     "Katarzyna",           "Zielinsska", "2015-01-06"},
            {"names swapped",           "Zielinska",           "Katarzyna",  "2015-06-01"},
            {"other family name",       "Katarzyna",           "Brown",      "2015-06-01"},
            {"other given name",        "Kasia",               "Zielinska",  "2015-06-01"},
            {"no date",                 "Katarzyna",           "Zielinska",  ""          },
            {"year only",               "Katarzyna",           "Zielinska",  "2015-00-00"},
            {"wrong year",              "Katarzyna",           "Zielinska",  "2013-06-01"},
            {"one field for all",       "Katarzyna Zielinska", "",           "2015-06-01"},
    }));
    CAPTURE(why);
    CHECK(candidates(known, *person(given, family, born)) == 1);
}

TEST_CASE("a list of candidates that is too long is left out and counted", "[register]") {
    Register known;
    for (int i = 0; i < 2100; ++i) {
        known.set_flag(flag(std::to_string(i), person("Ann", "Smith", "")), at("2025-01-01T00:00Z"));
    }
    registry::Found found;
    known.index()
        .pool(registry::RowKind::flagged_child)
        .find(registry::query_keys(registry::person_form(*person("Ann", "Smith", ""))), found);
    CHECK(found.rows.empty());
    CHECK(found.dropped >= 2100);
}

TEST_CASE("a pupil's key is the number where it is valid, else what the roll says", "[register]") {
    auto child = person("Ava", "Smith", "2015-06-01");
    child->upn = "H243278544154";
    CHECK(registry::key_of(pupil(900001, std::move(child))).key == "H243278544154");
    child = person("Ava", "Smith", "2015-06-01");
    child->upn = "Q207000016049";  // wrong check letter
    CHECK(registry::key_of(pupil(900001, std::move(child))).key == "Smith|Ava|2015-06-01");
}

TEST_CASE("successors are followed to schools that are open", "[register]") {
    Register known;
    for (const std::uint32_t urn : {1u, 2u, 3u, 4u, 5u}) known.set_school(school(urn, "School"));
    const auto close = [&](std::uint32_t urn) {
        auto closed = school(urn, "School");
        closed.status = 2;
        known.set_school(std::move(closed));
    };
    close(1);
    close(2);
    known.set_link(link(1, 2, "Successor"));
    known.set_link(link(2, 3, "Successor - merged"));
    known.set_link(link(2, 1, "Predecessor"));
    known.set_link(link(4, 5, "Sixth Form Centre Link"));
    CHECK(known.successors(1) == std::set<std::uint32_t>{3});
    CHECK(known.successors(4).empty());
    known.set_link(link(2, 4, "Successor - Split School"));
    CHECK(known.successors(1) == std::set<std::uint32_t>{3, 4});
    known.remove_link({2, 4, "Successor - Split School"});
    known.set_link(link(2, 1, "Successor"));  // a circle ends
    CHECK(known.successors(1) == std::set<std::uint32_t>{3});
}

TEST_CASE("terms of a school are its own and those of its authority", "[register]") {
    Register known;
    known.set_school(school(1, "School"));
    const auto term = [](const char* la, std::uint32_t urn, const char* first) {
        schemas::TermPeriodValue made;
        made.la = la;
        made.urn = urn;
        made.first_day = first;
        made.last_day = "2025-04-04";
        return made;
    };
    known.set_term(term("E10000024", 0, "2025-01-06"));
    known.set_term(term("E10000024", 1, "2025-01-07"));
    known.set_term(term("E10000024", 2, "2025-01-08"));
    known.set_term(term("E06000018", 0, "2025-01-09"));
    CHECK(known.terms_of(*known.school(1)).size() == 2);
    known.remove_term({"E10000024", 1, "2025-01-07", false});
    CHECK(known.terms_of(*known.school(1)).size() == 1);
}
