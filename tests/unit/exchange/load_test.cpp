#include "tests/unit/exchange/world.h"

using namespace flagpost;
using namespace flagpost::exchange;
using namespace flagpost::exchange::testing;
using log::LeafKind;
using schemas::FileCode;
using schemas::LoadMode;
using schemas::LoadOf;

namespace {

template <class Table> Bytes item(const typename Table::NativeTableType& value) {
    return wire::pack<Table>(value);
}

Load flags(std::uint64_t sequence, std::vector<schemas::FlagValue> values) {
    Load load;
    load.sequence = sequence;
    for (const auto& value : values) load.items.push_back(item<schemas::Flag>(value));
    return load;
}

std::optional<schemas::LoadResultValue> result(const World& world,
                                               const std::string& agency = "social-care/E10000024") {
    auto results = world.delivered<schemas::LoadResult>("results/" + agency);
    if (results.empty()) return std::nullopt;
    return std::move(results.back());
}

std::size_t count(const World& world, LeafKind kind) {
    const auto kinds = world.kinds();
    return static_cast<std::size_t>(std::ranges::count(kinds, kind));
}

Load empty_roll_of_authority() {
    Load load;
    load.agency = "education/E10000024";
    load.topic = "rolls/E10000024";
    load.scope = "la:E10000024";
    load.of = LoadOf::rolls;
    load.none = true;
    return load;
}

std::vector<schemas::FlagValue> two_flags() {
    std::vector<schemas::FlagValue> values;
    values.push_back(flag(child_a, "1"));
    values.push_back(flag(child_b, "2"));
    return values;
}

}  // namespace

TEST_CASE("a load is in parts, applied at once, and answered", "[exchange]") {
    World world;
    auto load = flags(1, two_flags());
    load.part_size = 1;
    REQUIRE(confirmed(world.load(load)));
    CHECK(world.kinds() == std::vector{LeafKind::published, LeafKind::record_set, LeafKind::record_set,
                                       LeafKind::load_applied});
    const auto answer = result(world);
    REQUIRE(answer);
    CHECK(answer->code == FileCode::all_loaded);
    CHECK(answer->accepted == 2);
    CHECK(answer->rejected == 0);
    CHECK(answer->sequence == 1);
    CHECK(answer->of == LoadOf::flags);
    CHECK(answer->results.empty());

    const auto& applied = world.last.records.back();
    CHECK(applied.leaf.outcome == "all_loaded");
    CHECK(applied.leaf.recipient == "social-care/E10000024");
    CHECK(applied.leaf.number == 1);
    CHECK(applied.shreds.size() == 3);  // begin and two parts
    const auto& set = world.last.records[1];
    CHECK(set.leaf.operation == log::Operation::collection);
    CHECK(set.controller == "social-care/E10000024");
    CHECK(set.retention == "flag");
    CHECK(set.subjects == std::vector<std::string>{"flag/E10000024/1"});
    CHECK(set.sets == std::vector<log::StateKey>{
                          {"flag/E10000024/1", true}
    });
    check_recovery(world);
}

TEST_CASE("a full load says what is new, what changed, what is the same and what is gone", "[exchange]") {
    World world;
    world.load(flags(1, two_flags()));
    auto next = two_flags();
    next[1].category = "NEG";
    next.erase(next.begin());
    next.push_back(flag(stranger, "3"));
    world.load(flags(2, std::move(next)));
    REQUIRE(world.kinds() == std::vector{LeafKind::published, LeafKind::record_set, LeafKind::record_set,
                                         LeafKind::record_removed, LeafKind::load_applied});
    CHECK(world.last.records[1].leaf.operation == log::Operation::alteration);
    CHECK(world.last.records[2].leaf.operation == log::Operation::collection);
    CHECK(world.last.records[3].drops == std::vector<log::StateKey>{
                                             {"flag/E10000024/1", true}
    });
    check_recovery(world);
}

TEST_CASE("a delta says nothing of what it does not name", "[exchange]") {
    World world;
    world.load(flags(1, two_flags()));
    std::vector<schemas::FlagValue> one;
    one.push_back(flag(stranger, "3"));
    auto load = flags(2, std::move(one));
    load.mode = LoadMode::delta;
    world.load(load);
    CHECK(count(world, LeafKind::record_set) == 1);
    CHECK(count(world, LeafKind::record_removed) == 0);
    check_recovery(world);
}

TEST_CASE("what is loaded again unchanged leaves no record of itself", "[exchange]") {
    World world;
    world.load(flags(1, two_flags()));
    world.load(flags(2, two_flags()));
    CHECK(world.kinds() == std::vector{LeafKind::published, LeafKind::load_applied});
    CHECK(result(world)->accepted == 2);
    check_recovery(world);
}

TEST_CASE("one authority's full load leaves another's flags alone", "[exchange]") {
    World world;
    world.load(flags(1, two_flags()));
    Load city;
    city.agency = "social-care/E06000018";
    city.topic = "flags/E06000018";
    city.items.push_back(item<schemas::Flag>(flag(child_a, "1", "E06000018")));
    world.load(city);
    CHECK(count(world, LeafKind::record_removed) == 0);
    world.load(flags(2, two_flags()));
    CHECK(count(world, LeafKind::record_removed) == 0);
    check_recovery(world);
}

TEST_CASE("a record that is wrong is reported, and the others stand", "[exchange]") {
    const auto [why, spoil, where] = GENERATE(table<const char*, void (*)(schemas::FlagValue&), const char*>({
        {"another authority's",    [](auto& f) { f.la = "E06000018"; },                    "flag.la"         },
        {"no id",                  [](auto& f) { f.la_child_id.clear(); },                 "flag.la_child_id"},
        {"no kind known",          [](auto& f) { f.kind = schemas::FlagKind(9); },         "flag.kind"       },
        {"nobody",                 [](auto& f) { f.child = person({}); },                  "flag.child"      },
        {"no start",               [](auto& f) { f.start_date.clear(); },                  "flag.start_date" },
        {"a start that is no day", [](auto& f) { f.start_date = "2024-13-01"; },           "flag.start_date" },
        {"half a start",           [](auto& f) { f.start_date = "2024-01-00"; },           "flag.start_date" },
        {"ended before it began",  [](auto& f) { f.end_date = "2024-01-09"; },             "flag.end_date"   },
        {"a birth that is no day", [](auto& f) { f.child->date_of_birth = "2015-04-31"; }, "flag.child"      },
        {"no UTF-8",               [](auto& f) { f.team = "\xff"; },                       "flag.team"       },
        {"the first one again",    [](auto& f) { f.la_child_id = "1"; },                   "duplicate"       },
    }));
    CAPTURE(why);
    World world;
    auto values = two_flags();
    spoil(values[1]);
    REQUIRE(confirmed(world.load(flags(1, std::move(values)))));
    const auto answer = result(world);
    REQUIRE(answer);
    CHECK(answer->code == FileCode::some_loaded);
    CHECK(answer->accepted == 1);
    CHECK(answer->rejected == 1);
    REQUIRE(answer->results.size() == 1);
    CHECK(answer->results[0]->number == 2);
    CHECK(answer->results[0]->where == where);
    CHECK(count(world, LeafKind::record_set) == 1);
    check_recovery(world);
}

TEST_CASE("an unborn child needs no name, and no date of birth", "[exchange]") {
    World world;
    auto unborn = flag({}, "9");
    unborn.kind = schemas::FlagKind::unborn_child_protection_plan;
    unborn.expected_date_of_birth = "2025-07-01";
    std::vector<schemas::FlagValue> values;
    values.push_back(std::move(unborn));
    world.load(flags(1, std::move(values)));
    CHECK(result(world)->code == FileCode::all_loaded);
}

TEST_CASE("a misprint in a full list takes no child off it", "[exchange]") {
    World world;
    world.load(flags(1, two_flags()));
    auto values = two_flags();
    values[1].start_date = "yesterday";
    world.load(flags(2, std::move(values)));
    CHECK(count(world, LeafKind::record_removed) == 0);

    // Where a row cannot even be told apart, nothing is taken to be gone.
    std::vector<schemas::FlagValue> one;
    one.push_back(flag(child_a, "1"));
    auto load = flags(3, std::move(one));
    load.items.push_back(Bytes(24, 0xff));
    world.load(load);
    CHECK(result(world)->code == FileCode::some_loaded);
    CHECK(result(world)->results.at(0)->where == "flag");
    CHECK(count(world, LeafKind::record_removed) == 0);

    // Nor where nothing was right.
    std::vector<schemas::FlagValue> wrong;
    wrong.push_back(flag(stranger, "3", "E06000018"));
    world.load(flags(4, std::move(wrong)));
    CHECK(result(world)->code == FileCode::none_loaded);
    CHECK(count(world, LeafKind::record_removed) == 0);
    check_recovery(world);
}

TEST_CASE("a load that is not what it was announced to be changes nothing and is answered by its code",
          "[exchange]") {
    World world;
    world.load(flags(1, two_flags()));
    const auto before = world.exchange.next_pending("results/social-care/E10000024", 0);
    std::vector<schemas::FlagValue> other;
    other.push_back(flag(stranger, "3"));
    const auto load = flags(2, std::move(other));
    const auto id = world.next_id();
    FileCode wanted{};
    SECTION("fewer records than announced") {
        world.begin(load, id, 2);
        world.commit(load, id, world.send_parts(load, id));
        wanted = FileCode::wrong_count;
    }
    SECTION("more") {
        auto longer = flags(2, two_flags());
        world.begin(longer, id, 1);
        world.commit(longer, id, world.send_parts(longer, id));
        wanted = FileCode::wrong_count;
    }
    SECTION("a part missing") {
        world.begin(load, id);
        world.commit(load, id, world.send_parts(load, id) + 1);
        wanted = FileCode::wrong_count;
    }
    SECTION("other bytes") {
        world.begin(load, id, {}, Digest{1});
        world.commit(load, id, world.send_parts(load, id));
        wanted = FileCode::malformed;
    }
    SECTION("a sequence number left out") {
        auto later = load;
        later.sequence = 3;
        world.begin(later, id);
        wanted = FileCode::sequence_gap;
        CHECK(result(world)->results.at(0)->where == "load_begin.sequence: 2 is due");
    }
    SECTION("a sequence number again") {
        auto again = load;
        again.sequence = 1;
        world.begin(again, id);
        wanted = FileCode::sequence_gap;
    }
    SECTION("never committed") {
        world.begin(load, id);
        world.send_parts(load, id);
        world.tick(limits::load_open_max - std::chrono::seconds{1});
        CHECK(world.last.records.empty());
        world.tick(std::chrono::seconds{1});
        wanted = FileCode::abandoned;
    }
    SECTION("begun anew") {
        world.begin(load, id);
        world.send_parts(load, id);
        world.begin(load, world.next_id());
        wanted = FileCode::abandoned;
    }
    const auto answer = result(world);
    REQUIRE(answer);
    CHECK(answer->code == wanted);
    CHECK(answer->accepted == 0);
    CHECK(id16(answer->load) == id);
    for (const auto& record : world.last.records) {
        CHECK(record.leaf.kind != LeafKind::record_set);
        CHECK(record.leaf.kind != LeafKind::record_removed);
    }
    CHECK(before == world.exchange.next_pending("results/social-care/E10000024", 0));
    check_recovery(world);

    // And the sender can simply try again with the number that is due.
    REQUIRE(confirmed(world.load(load)));
    CHECK(result(world)->code == FileCode::all_loaded);
    check_recovery(world);
}

TEST_CASE("the first load may begin at any number, and each list counts for itself", "[exchange]") {
    World world;
    world.load(flags(41, two_flags()));
    CHECK(result(world)->code == FileCode::all_loaded);
    Load roll;
    roll.agency = "trust/north";
    roll.topic = "rolls/school/900002";
    roll.of = LoadOf::rolls;
    roll.scope = "urn:900002";
    roll.items.push_back(item<schemas::Pupil>(pupil(child_a, 900002)));
    world.load(roll);
    CHECK(result(world, "trust/north")->code == FileCode::all_loaded);
    roll.topic = "rolls/school/900003";
    roll.scope = "urn:900003";
    roll.items[0] = item<schemas::Pupil>(pupil(child_b, 900003));
    world.load(roll);
    CHECK(result(world, "trust/north")->code == FileCode::all_loaded);
    check_recovery(world);
}

TEST_CASE("a list on which nobody is takes all off it and counts as confirmed, if it says so", "[exchange]") {
    World world;
    const auto [agency, topic, scope] = GENERATE(table<std::string, std::string, std::string>({
        {"education/E10000024", "rolls/not-in-school/E10000024", "not-in-school:E10000024"},
        {"school/900001",       "rolls/school/900001",           "urn:900001"             },
    }));
    CAPTURE(topic);
    Load list;
    list.agency = agency;
    list.topic = topic;
    list.scope = scope;
    list.of = LoadOf::rolls;
    const auto confirmed_at = [&] { return world.exchange.rolls().at(scope); };
    SECTION("the first ever, so that nobody is asked for it") {
        list.none = true;
        world.load(list);
        REQUIRE(result(world, agency));
        CHECK(result(world, agency)->code == FileCode::all_loaded);
        CHECK(result(world, agency)->accepted == 0);
        CHECK(confirmed_at() == world.now);
        CHECK_FALSE(world.exchange.awaited().contains(agency));
    }
    SECTION("after one with somebody on it") {
        auto child = pupil(child_a, topic.starts_with("rolls/school") ? 900001 : 0);
        if (child.urn == 0) child.la = "E10000024", child.enrolment.clear();
        list.items.push_back(item<schemas::Pupil>(child));
        REQUIRE(confirmed(world.load(list)));
        REQUIRE(count(world, LeafKind::record_set) == 1);
        const auto first = world.now;
        world.tick(std::chrono::hours{1});
        list.sequence = 2;
        list.items.clear();
        // Not by accident: an empty file looks just so.
        CHECK(refusal(world.begin(list, world.next_id())) ==
              Refusal{Reason::invalid_value, "load_begin.count"});
        CHECK(confirmed_at() == first);

        list.none = true;
        world.load(list);
        CHECK(result(world, agency)->code == FileCode::all_loaded);
        CHECK(count(world, LeafKind::record_removed) == 1);
        CHECK(confirmed_at() == world.now);
        list.sequence = 3;
        list.none = false;
        list.items.push_back(item<schemas::Pupil>(child));
        world.load(list);
        CHECK(result(world, agency)->code == FileCode::all_loaded);
        CHECK(count(world, LeafKind::record_set) == 1);
    }
    SECTION("but not if a part follows all the same, or its number is not due") {
        list.sequence = 5;
        list.none = true;
        world.load(list);
        list.sequence = 6;
        const auto id = world.next_id();
        world.tick(std::chrono::hours{1});
        world.begin(list, id);
        auto more = list;
        more.items.push_back(item<schemas::Pupil>(pupil(child_a, 900001)));
        world.commit(list, id, world.send_parts(more, id));
        CHECK(result(world, agency)->code == FileCode::wrong_count);
        list.sequence = 9;
        world.load(list);
        CHECK(confirmed_at() == world.now - std::chrono::hours{1});
    }
    check_recovery(world);
}

TEST_CASE("an authority of whose children none is flagged says so, and its list counts as fresh",
          "[exchange]") {
    World world{marker_rule};
    auto list = flags(1, two_flags());
    REQUIRE(confirmed(world.load(list)));
    world.tick(std::chrono::hours{1});
    list.sequence = 2;
    list.items.clear();
    CHECK(refusal(world.begin(list, world.next_id())) == Refusal{Reason::invalid_value, "load_begin.count"});
    CHECK(count(world, LeafKind::record_removed) == 0);

    list.none = true;
    REQUIRE(confirmed(world.load(list)));
    CHECK(result(world)->code == FileCode::all_loaded);
    CHECK(count(world, LeafKind::record_removed) == 2);
    CHECK(world.exchange.feeds().at("E10000024") == world.now);
    const auto markers = world.delivered<schemas::Markers>("markers/31");
    REQUIRE_FALSE(markers.empty());
    CHECK(markers.back().changes.size() == 2);  // a force's gazetteer is told that they are gone
    check_recovery(world);
}

TEST_CASE("one thing wrong with a message of a load refuses it", "[exchange]") {
    World world;
    auto load = flags(1, two_flags());
    load.part_size = 1;
    const auto id = world.next_id();
    SECTION("a beginning") {
        const auto [why, spoil, where] = GENERATE(table<const char*, void (*)(Load&), const char*>({
            {"another list than the topic's",        [](auto& l) { l.of = LoadOf::rolls; },
             "load_begin.of: not on this topic"                                                                                                      },
            {"a scope where there is none",          [](auto& l) { l.scope = "la:E10000024"; },
             "load_begin.scope: not on this topic"                                                                                                   },
            {"an empty list",                        [](auto& l) { l.items.clear(); },                                          "load_begin.count"   },
            {"an empty list of what is never empty", [](auto& l) { l = empty_roll_of_authority(); },
             "load_begin.none: not of this list"                                                                                                     },
            {"said to be none, and not",             [](auto& l) { l.none = true; },                                            "load_begin.count"   },
            {"none to be added",                     [](auto& l) { l.items.clear(), l.none = true, l.mode = LoadMode::delta; },
             "load_begin.mode"                                                                                                                       },
            {"no number",                            [](auto& l) { l.sequence = 0; },                                           "load_begin.sequence"},
        }));
        CAPTURE(why);
        spoil(load);
        CHECK(refusal(world.begin(load, id)) == Refusal{Reason::invalid_value, where});
    }
    SECTION("a part of nothing") {
        CHECK(refusal(world.send_part(load, id, 0, 0)) ==
              Refusal{Reason::not_found, "load_part.load: not open"});
    }
    SECTION("a part of another load") {
        world.begin(load, id);
        CHECK(reason(world.send_part(load, world.next_id(), 0, 0)) == Reason::not_found);
    }
    SECTION("a part out of turn") {
        world.begin(load, id);
        CHECK(refusal(world.send_part(load, id, 1, 0)) == Refusal{Reason::out_of_order, "load_part.part"});
        CHECK(confirmed(world.send_part(load, id, 0, 0)));
        CHECK(reason(world.send_part(load, id, 0, 0)) == Reason::out_of_order);
    }
    SECTION("an empty part") {
        world.begin(load, id);
        CHECK(refusal(world.send_part(load, id, 0, 99)) ==
              Refusal{Reason::invalid_value, "load_part.records"});
    }
    SECTION("the end of nothing") { CHECK(reason(world.commit(load, id, 0)) == Reason::not_found); }
    SECTION("a school list by a school") {
        load.agency = "school/900001";
        load.topic = "reference/gias";
        CHECK(reason(world.begin(load, id)) == Reason::not_permitted);
    }
    SECTION("a code that is none") {
        load.agency = "trust/north";
        load.topic = "rolls/school/none";
        CHECK(reason(world.begin(load, id)) == Reason::not_permitted);
    }
    check_recovery(world);
}

TEST_CASE("a school's roll holds its own pupils only", "[exchange]") {
    World world;
    Load roll;
    roll.agency = "school/900001";
    roll.topic = "rolls/school/900001";
    roll.of = LoadOf::rolls;
    roll.scope = "urn:900001";
    roll.items = {item<schemas::Pupil>(pupil(child_a, 900001)), item<schemas::Pupil>(pupil(child_b, 900002))};
    world.load(roll);
    const auto answer = result(world, "school/900001");
    REQUIRE(answer);
    CHECK(answer->accepted == 1);
    CHECK(answer->results.at(0)->where == "pupil.urn");
    check_recovery(world);
}

TEST_CASE("a register of children not in school is its authority's, and a child on it is at no school",
          "[exchange]") {
    World world;
    Load list;
    list.agency = "education/E10000024";
    list.topic = "rolls/not-in-school/E10000024";
    list.of = LoadOf::rolls;
    list.scope = "not-in-school:E10000024";
    const auto registered = [](const Who& who, std::uint32_t urn, const char* la) {
        auto value = pupil(who, urn);
        value.la = la;
        return item<schemas::Pupil>(value);
    };
    list.items = {registered(child_a, 0, "E10000024"), registered(child_b, 900002, "E10000024"),
                  registered(child_b, 900002, ""),     registered(child_b, 0, "E06000018"),
                  registered(child_a, 0, "E10000024"), registered(child_b, 0, "")};
    world.load(list);
    const auto answer = result(world, list.agency);
    REQUIRE(answer);
    CHECK(answer->code == FileCode::some_loaded);
    CHECK(answer->accepted == 1);
    std::vector<std::string> faults;
    for (const auto& each : answer->results) faults.push_back(each->where);
    CHECK(faults == std::vector<std::string>{"pupil.urn", "pupil.urn", "pupil.la", "duplicate", "pupil.la"});
    const auto& set = world.last.records[1];
    CHECK(set.controller == "education/E10000024");
    CHECK(set.retention == "roll");
    CHECK(set.subjects == std::vector<std::string>{"pupil/0/E10000024/Ravenscroft|Amelia Rose|2015-04-17"});
    check_recovery(world);

    SECTION("a roll of schools takes nobody who is at none") {
        list.topic = "rolls/E10000024";
        list.scope = "la:E10000024";
        list.items = {registered(child_a, 0, "E10000024"), registered(child_b, 900002, "")};
        world.load(list);
        CHECK(result(world, list.agency)->code == FileCode::some_loaded);
        CHECK(result(world, list.agency)->results.at(0)->where == "pupil.urn");
    }
    SECTION("another list's scope") {
        list.sequence = 2;
        list.scope = "la:E10000024";
        CHECK(refusal(world.begin(list, world.next_id())) ==
              Refusal{Reason::invalid_value, "load_begin.scope: not on this topic"});
    }
    SECTION("its officer is told at once of a child on it, and of nobody taken off it") {
        world.send(abuse_with(child_a, "NP-REG"));
        const auto told = world.delivered<schemas::SchoolNotice>("notices/education/E10000024");
        REQUIRE(told.size() == 1);
        CHECK(told[0].child_given_names == child_a.given);
        list.sequence = 2;
        list.items = {registered(child_b, 0, "E10000024")};
        world.load(list);
        world.send(abuse_with(child_a, "NP-OFF"));
        CHECK(world.delivered<schemas::SchoolNotice>("notices/education/E10000024").empty());
        CHECK(world.delivered<schemas::ReviewItem>("reviews/E06000018").size() == 1);  // nobody knows whose
    }
    check_recovery(world);
}

TEST_CASE("who has to load a list of children and never did is known, since an agreement named them",
          "[exchange]") {
    World world;
    const auto awaited = [&] {
        std::vector<std::string> names;
        for (const auto& [agency, since] : world.exchange.awaited()) names.push_back(agency);
        return names;
    };
    world.give(Started{texts(1, 1)});
    const auto named = world.now;
    CHECK(awaited() == std::vector<std::string>{"school/900001", "school/900002", "school/900003",
                                                "social-care/E06000018", "social-care/E10000024"});
    world.now += std::chrono::hours{30};
    world.load(flags(1, two_flags()));
    world.load(first_roll());
    Load county;
    county.agency = "education/E10000024";
    county.topic = "rolls/E10000024";
    county.of = LoadOf::rolls;
    county.scope = "la:E10000024";
    county.items = {item<schemas::Pupil>(pupil(child_b, 900002))};
    world.load(county);
    CHECK(awaited() == std::vector<std::string>{"school/900003", "social-care/E06000018"});
    CHECK(world.exchange.awaited().at("school/900003") == named);
    const auto loaded = world.now;
    CHECK(world.exchange.rolls() == std::map<std::string, Instant>{
                                        {"la:E10000024", loaded},
                                        {"urn:900001",   loaded}
    });

    // The same list again is no record, but it was confirmed.
    world.now += std::chrono::hours{30};
    county.sequence = 2;
    world.load(county);
    CHECK(world.exchange.rolls().at("la:E10000024") > loaded);
    CHECK(world.exchange.rolls().at("urn:900001") == loaded);

    // Neither a restart nor another agreement that names them still begins their time anew.
    world.give(Started{texts(1, 1)});
    CHECK(world.exchange.awaited().at("school/900003") == named);
    check_recovery(world);
    const auto text =
        std::string{agreement_text} + "[[party]]\nagency = \"school/900005\"\nname = \"Fifth school\"\n";
    world.exchange.put_in_force(agreement::Agreement::parse(text).value());
    auto other = texts(1, 1);
    other.agreement = text;
    world.give(Started{other});
    CHECK(world.exchange.awaited().at("school/900003") == named);
    CHECK(world.exchange.awaited().at("school/900005") == world.now);
}

TEST_CASE("whoever loaded a pupil last decides whether the pupil is still there", "[exchange]") {
    World world;
    Load authority;
    authority.agency = "education/E10000024";
    authority.topic = "rolls/E10000024";
    authority.of = LoadOf::rolls;
    authority.scope = "la:E10000024";
    authority.items = {item<schemas::Pupil>(pupil(child_a, 900001)),
                       item<schemas::Pupil>(pupil(child_b, 900002))};
    world.load(authority);
    Load school = first_roll();
    world.load(school);
    CHECK(count(world, LeafKind::record_set) == 1);  // the same bytes, and now the school's word
    authority.sequence = 2;
    authority.items.erase(authority.items.begin());
    world.load(authority);
    CHECK(count(world, LeafKind::record_removed) == 0);
    school.sequence = 2;
    school.items = {item<schemas::Pupil>(pupil(child_b, 900001))};
    world.load(school);
    CHECK(count(world, LeafKind::record_removed) == 1);
    check_recovery(world);
}

TEST_CASE("every list of reference data can be loaded, replaced and shortened", "[exchange]") {
    schemas::SchoolValue school;
    school.urn = 900001;
    school.la = "E10000024";
    school.name = "First school";
    school.status = 1;
    auto closed = school;
    closed.urn = 900009;
    closed.status = 2;
    schemas::SchoolLinkValue link;
    link.urn = 900009;
    link.link_urn = 900001;
    link.link_type = "Successor";
    auto link_back = link;
    std::swap(link_back.urn, link_back.link_urn);
    schemas::BankHolidayValue day;
    day.division = "england-and-wales";
    day.date = "2025-04-18";
    auto next_day = day;
    next_day.date = "2025-04-21";
    schemas::TermPeriodValue term;
    term.la = "E10000024";
    term.first_day = "2025-01-06";
    term.last_day = "2025-04-04";
    auto inset = term;
    inset.urn = 900001;
    inset.closed = true;
    inset.last_day = inset.first_day;
    schemas::SchoolContactValue contact;
    contact.urn = 900001;
    contact.name = "A/B Person";
    auto second = contact;
    second.name = "C. Other";

    const std::vector<std::tuple<const char*, LoadOf, std::vector<Bytes>>> lists{
        {"reference/gias",          LoadOf::schools, {item<schemas::School>(school), item<schemas::School>(closed)}},
        {"reference/links",
         LoadOf::school_links,
         {item<schemas::SchoolLink>(link), item<schemas::SchoolLink>(link_back)}                                   },
        {"reference/bank-holidays",
         LoadOf::bank_holidays,
         {item<schemas::BankHoliday>(day), item<schemas::BankHoliday>(next_day)}                                   },
        {"reference/terms",
         LoadOf::terms,
         {item<schemas::TermPeriod>(term), item<schemas::TermPeriod>(inset)}                                       },
        {"reference/contacts",
         LoadOf::contacts,
         {item<schemas::SchoolContact>(contact), item<schemas::SchoolContact>(second)}                             },
    };
    World world;
    for (const auto& [topic, of, both] : lists) {
        CAPTURE(topic);
        Load load;
        load.agency = "operator/duty";
        load.topic = topic;
        load.of = of;
        load.items = both;
        world.load(load);
        CHECK(result(world, "operator/duty")->code == FileCode::all_loaded);
        CHECK(count(world, LeafKind::record_set) == 2);
        load.sequence = 2;
        load.items.pop_back();
        world.load(load);
        CHECK(count(world, LeafKind::record_set) == 0);
        CHECK(count(world, LeafKind::record_removed) == 1);
        check_recovery(world);
    }
}

TEST_CASE("each force hears how flags change, without a name, and of shielded children nothing",
          "[exchange]") {
    World world{marker_rule};
    auto ends = flag_at(child_b, "2", 3);
    ends.end_date = "2024-06-01";
    auto hidden = flag_at(stranger, "3", 4);
    hidden.shield = schemas::Shield::refuge;
    auto plain = flag_at(child_a, "1", home_a);
    plain.duty_contact = "Duty desk, 01632 960200";
    Load load;
    load.items = {wire::pack<schemas::Flag>(plain), wire::pack<schemas::Flag>(ends),
                  wire::pack<schemas::Flag>(hidden)};
    world.load(load);
    const auto told = world.delivered<schemas::Markers>("markers/31");
    REQUIRE(told.size() == 1);
    CHECK(told[0].la == "E10000024");
    CHECK(told[0].as_of_us == to_us(world.now));
    REQUIRE(told[0].changes.size() == 3);
    CHECK_FALSE(told[0].changes[0]->removed);
    CHECK(told[0].changes[0]->places.at(0)->place->uprn == home_a);
    CHECK(told[0].changes[0]->contact == "Duty desk, 01632 960200");
    CHECK(told[0].changes[1]->removed);
    CHECK(told[0].changes[2]->removed);
    CHECK(told[0].changes[2]->places.empty());
    CHECK(world.delivered<schemas::Markers>("markers/32").size() == 1);
    const auto marked = std::ranges::find(world.last.records, LeafKind::marked,
                                          [](const log::Record& record) { return record.leaf.kind; });
    REQUIRE(marked != world.last.records.end());
    CHECK(marked->leaf.rule == "MRK-1");
    CHECK(marked->subjects.size() == 3);
    for (const auto& delivery : world.last.deliveries)
        if (delivery.topic.starts_with("markers/"))
            CHECK(text(delivery.envelope).find("Ravenscroft") == std::string_view::npos);

    // The same list again: nothing changed, and it is fresh.
    load.sequence = 2;
    world.load(load);
    CHECK(world.delivered<schemas::Markers>("markers/31").at(0).changes.empty());

    load.sequence = 3;
    load.items.erase(load.items.begin());
    world.load(load);
    const auto gone = world.delivered<schemas::Markers>("markers/31");
    REQUIRE(gone.at(0).changes.size() == 1);
    CHECK(gone[0].changes[0]->removed);
    CHECK(gone[0].changes[0]->marker == told[0].changes[0]->marker);
}
