// What becomes of a child's flags over time: who is told of an incident at each moment of it.
#include "tests/unit/exchange/world.h"

using namespace flagpost;
using namespace flagpost::exchange;
using namespace flagpost::exchange::testing;
using schemas::FileCode;
using schemas::HitKind;
using schemas::LoadMode;

namespace {

const std::string county = "E10000024";
const std::string city = "E06000018";

/// Loads the whole list of an authority; the numbers of its loads follow each other.
class Authorities {
public:
    World world;

    FileCode load(const std::string& la, std::vector<schemas::FlagValue> flags,
                  LoadMode mode = LoadMode::full) {
        Load load;
        load.agency = "social-care/" + la;
        load.topic = "flags/" + la;
        load.mode = mode;
        load.sequence = ++numbers_[la];
        for (const auto& flag : flags) load.items.push_back(wire::pack<schemas::Flag>(flag));
        world.load(load);
        const auto results = world.delivered<schemas::LoadResult>("results/" + load.agency);
        REQUIRE(results.size() == 1);
        check_recovery(world);
        world.tick(std::chrono::seconds{1});  // a late match of an earlier incident is not what is asked here
        return results.front().code;
    }

    /// "E10000024 person; E06000018 historic": who is told of a new incident with this person now, and by which hit.
    std::string told_of(const Who& who, schemas::Role role = schemas::Role::child) {
        auto value = incident("NP-" + std::to_string(++incidents_));
        value.occurred_us = to_us(world.now);
        involve(value, who, role);
        world.send(value);
        std::string out;
        for (const auto& la : {city, county})
            for (const auto& notice : world.delivered<schemas::SocialCareNotice>("notices/social-care/" + la))
                out += (out.empty() ? "" : "; ") + la + " " + schemas::EnumNameHitKind(notice.hit);
        return out;
    }

private:
    std::map<std::string, std::uint64_t> numbers_;
    int incidents_ = 0;
};

std::vector<schemas::FlagValue> list(schemas::FlagValue one) {
    std::vector<schemas::FlagValue> all;
    all.push_back(std::move(one));
    return all;
}

schemas::FlagValue changed(schemas::FlagValue flag, void (*change)(schemas::FlagValue&)) {
    change(flag);
    return flag;
}

}  // namespace

TEST_CASE("a child who moves to another authority is told of to both until the first has ended for a year",
          "[exchange]") {
    Authorities all;
    all.load(county, list(flag(child_a, "1")));
    CHECK(all.told_of(child_a) == county + " person");

    // The new authority begins before the old one has ended: no moment without a flag.
    all.load(city, list(flag(child_a, "77", city)));
    CHECK(all.told_of(child_a) == city + " person; " + county + " person");

    all.load(county, list(changed(flag(child_a, "1"), [](auto& flag) { flag.end_date = "2025-03-04"; })));
    CHECK(all.told_of(child_a) == city + " person; " + county + " historic");
    all.world.now += std::chrono::days{365};
    CHECK(all.told_of(child_a) == city + " person; " + county + " historic");
    all.world.now += std::chrono::days{1};
    CHECK(all.told_of(child_a) == city + " person");
}

TEST_CASE("between the end of one authority's plan and the start of another's the first is still told",
          "[exchange]") {
    Authorities all;
    all.load(county, list(changed(flag(child_a, "1"), [](auto& flag) { flag.end_date = "2025-03-01"; })));
    CHECK(all.told_of(child_a) == county + " historic");
    all.load(city, list(flag(child_a, "77", city)));
    CHECK(all.told_of(child_a) == city + " person; " + county + " historic");
}

TEST_CASE("what a flag says decides who is told", "[exchange]") {
    using Change = void (*)(schemas::FlagValue&);
    const auto [why, change, wanted] = GENERATE(table<const char*, Change, const char*>({
        {"a plan that stands",                            [](schemas::FlagValue&) {},                               "E10000024 person"},
        {"looked after is flagged like a plan",
         [](schemas::FlagValue& f) { f.kind = schemas::FlagKind::looked_after; },                                   "E10000024 person"},
        {"it ends today: it still stands",                [](schemas::FlagValue& f) { f.end_date = "2025-03-05"; },
         "E10000024 person"                                                                                                           },
        {"it is to end next month",                       [](schemas::FlagValue& f) { f.end_date = "2025-04-05"; },
         "E10000024 person"                                                                                                           },
        {"it ended yesterday: told of as historic",       [](schemas::FlagValue& f) { f.end_date = "2025-03-04"; },
         "E10000024 historic"                                                                                                         },
        {"it ended more than a year ago",                 [](schemas::FlagValue& f) { f.end_date = "2024-03-01"; }, ""                },
        {"deleted: it should never have been there",
         [](schemas::FlagValue& f) { f.delete_date = "2025-03-04"; },                                               ""                },
        {"deleted counts before ended",
         [](schemas::FlagValue& f) { f.end_date = f.delete_date = "2025-03-04"; },                                  ""                },
        {"a shield keeps nothing from its own authority",
         [](schemas::FlagValue& f) { f.shield = schemas::Shield::refuge; },                                         "E10000024 person"},
    }));
    CAPTURE(why);
    Authorities all;
    auto one = flag(child_a, "1");
    change(one);
    all.load(county, list(std::move(one)));
    CHECK(all.told_of(child_a) == wanted);
}

TEST_CASE("several flags of one authority on one child are several, and each is told of", "[exchange]") {
    Authorities all;
    auto both = list(flag(child_a, "1"));
    both.push_back(
        changed(flag(child_a, "2"), [](auto& flag) { flag.kind = schemas::FlagKind::looked_after; }));
    all.load(county, std::move(both));
    CHECK(all.told_of(child_a) == county + " person; " + county + " person");
}

TEST_CASE("an unborn child is told of through the mother, and once born by name", "[exchange]") {
    Authorities all;
    const auto with_mother = [](schemas::FlagValue value) {
        value.linked_adults.push_back(std::make_unique<schemas::LinkedAdultValue>());
        value.linked_adults.back()->person = person(mother_a);
        value.linked_adults.back()->relation = "mother";
        return value;
    };
    const Who born{"Amelia Rose", "Ravenscroft", "2025-06-01"};
    auto unborn = flag({"", "", ""}, "1");
    unborn.kind = schemas::FlagKind::unborn_child_protection_plan;
    unborn.expected_date_of_birth = "2025-06-10";
    unborn.child->sex = "U";
    CHECK(all.load(county, list(with_mother(std::move(unborn)))) == FileCode::all_loaded);
    CHECK(all.told_of(mother_a, schemas::Role::victim) == county + " linked_adult");
    all.world.now += std::chrono::days{120};
    CHECK(all.told_of(born).empty());

    // The same child of the same authority: the flag is replaced, not added.
    CHECK(all.load(county, list(with_mother(flag(born, "1")))) == FileCode::all_loaded);
    CHECK(all.told_of(born) == county + " person");
    CHECK(all.told_of(mother_a, schemas::Role::victim) == county + " linked_adult");
}

TEST_CASE("a flag stands as long as its authority asserts it: a full list without it takes it off",
          "[exchange]") {
    Authorities all;
    auto both = list(flag(child_a, "1"));
    both.push_back(flag(child_b, "2"));
    all.load(county, std::move(both));
    CHECK(all.world.exchange.feeds().at(county) <= all.world.now);
    all.load(county, list(flag(child_b, "2")));
    CHECK(all.told_of(child_a).empty());
    CHECK(all.told_of(child_b) == county + " person");

    // A delta says nothing of the others, and tells that the list is being looked after.
    const auto fed = all.world.exchange.feeds().at(county);
    all.world.now += std::chrono::hours{30};
    all.load(county, list(flag(child_a, "1")), LoadMode::delta);
    CHECK(all.world.exchange.feeds().at(county) > fed);
    CHECK(all.told_of(child_a) == county + " person");
    CHECK(all.told_of(child_b) == county + " person");
}

TEST_CASE("a notice says how old the list was by which it was decided", "[exchange]") {
    Authorities all;
    all.load(county, list(flag(child_a, "1")));
    all.world.now += std::chrono::hours{50};
    auto value = incident_with(child_a, "NP-OLD");
    all.world.send(value);
    const auto notices = all.world.delivered<schemas::SocialCareNotice>("notices/social-care/" + county);
    REQUIRE(notices.size() == 1);
    CHECK(notices[0].feed_age_hours == 50);
}
