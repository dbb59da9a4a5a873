#include <SQLiteCpp/SQLiteCpp.h>

#include "broker/store/sqlite/keys.h"
#include "tests/support/catch.h"
#include "world.h"

using namespace flagpost;
using namespace flagpost::test;

namespace {

constexpr std::size_t tell_tale = 24;  // bytes enough to recognise a value by

log::Record kept(std::uint64_t index, const std::string& key, const std::string& body) {
    auto made = record(index, body);
    made.sets = {{key}};
    made.subjects = {"subject of " + key};
    return made;
}

}  // namespace

TEST_CASE("an erased body and its key are nowhere in the files, and its leaf still proves", "[store]") {
    World world;
    const auto store = world.open();
    const std::string long_body(40'000, 'b');  // on pages of its own
    store->commit({
        {kept(0,         "a", "short body"), kept(1, "b", long_body), kept(2, "c", "stays")},
        {          }
    });
    store->tidy();

    const auto reader = world.reader();
    std::vector<Bytes> must_go;
    for (const std::uint64_t index : {0ul, 1ul}) {
        const auto sealed = reader->sealed(index).value();
        must_go.push_back(copy(sealed.salt));
        must_go.push_back(copy(BytesView{sealed.ciphertext}.first(tell_tale)));
        must_go.push_back(copy(BytesView{sealed.ciphertext}.last(tell_tale)));
    }
    const auto stays = reader->sealed(2).value();
    for (const auto& value : must_go) CHECK(contains(world.raw(), value));

    const auto leaf = reader->leaf(0);
    auto erasing = record(3);
    erasing.leaf.kind = log::LeafKind::erased;
    erasing.shreds = {{"a"}, {"b"}};
    const auto committed = store->commit({{erasing}, {}});
    CHECK_FALSE(reader->body(0));
    CHECK_FALSE(reader->sealed(1));
    store->tidy();

    const auto raw = world.raw();
    for (const auto& value : must_go) CHECK_FALSE(contains(raw, value));
    CHECK(contains(raw, stays.ciphertext));
    CHECK(reader->leaf(0) == leaf);
    const log::ReadTile read = [&](log::TileId id) { return reader->tile(id); };
    CHECK(log::verify_inclusion(0, committed.size, log::leaf_hash(leaf.value()),
                                log::inclusion_proof(0, committed.size, read), committed.root));
    CHECK(text(reader->body(2).value()) == "stays");
    const auto report = world.check();
    CHECK(report.named == std::vector<std::string>{});
    CHECK(report.erased == 2);
}

TEST_CASE("a body erased in the batch that brought it never comes back", "[store]") {
    World world;
    {
        const auto store = world.open();
        auto erasing = record(1, "the redacted version");
        erasing.shreds = {{"a"}};
        erasing.sets = {{"a"}};
        store->commit({
            {kept(0,        "a", "too much"), erasing},
            {}
        });
    }
    const auto store = world.open();
    std::vector<std::string> bodies;
    store->reload([&](std::uint64_t, log::LeafKind, Bytes body) { bodies.emplace_back(text(body)); });
    CHECK(bodies == std::vector<std::string>{"the redacted version"});
    CHECK(world.check().named == std::vector<std::string>{});
}

TEST_CASE("a stop between an erasure and its tidying leaves nothing after the next start", "[store]") {
    World world;
    World after_power_cut;
    const auto store = world.open();
    store->commit({{kept(0, "a", "short body")}, {}});
    const auto sealed = world.reader()->sealed(0).value();
    auto erasing = record(1);
    erasing.shreds = {{"a"}};
    store->commit({{erasing}, {}});
    world.copy_to(after_power_cut);
    CHECK(contains(after_power_cut.raw(), sealed.ciphertext));
    const auto recovered = after_power_cut.open();
    CHECK_FALSE(contains(after_power_cut.raw(), sealed.ciphertext));
    CHECK_FALSE(contains(after_power_cut.raw(), sealed.salt));
}

TEST_CASE("a reader in the middle of reading only delays the emptying of the WAL", "[store]") {
    World world;
    const auto store = world.open();
    store->commit({{kept(0, "a", "short body")}, {}});
    const auto sealed = world.reader()->sealed(0).value();
    auto erasing = record(1);
    erasing.shreds = {{"a"}};
    {
        SQLite::Database slow{world.file().string()};
        SQLite::Statement reading{slow, "SELECT idx FROM entry"};
        REQUIRE(reading.executeStep());
        store->commit({{erasing}, {}});
        store->tidy();
        CHECK(contains(world.raw(), sealed.ciphertext));
    }
    store->tidy();
    CHECK_FALSE(contains(world.raw(), sealed.ciphertext));
}

TEST_CASE("an erased record no longer answers to its subjects", "[store]") {
    World world;
    const auto store = world.open();
    store->commit({{kept(0, "a", "body")}, {}});
    const auto count = [&] {
        SQLite::Database database{world.file().string()};
        return database.execAndGet("SELECT count(*) FROM subject").getInt();
    };
    CHECK(count() == 1);
    auto erasing = record(1);
    erasing.shreds = {{"a"}};
    store->commit({{erasing}, {}});
    CHECK(count() == 0);
}

TEST_CASE("a leaf names the leaves whose bodies it destroyed", "[store]") {
    World world;
    const auto store = world.open();
    store->commit({
        {kept(0, "a", "1"), kept(1, "b", "2"), kept(2, "c", "3"), kept(3, "d", "4"), record(4)},
        {  }
    });
    auto erasing = record(5);
    erasing.shreds = {{"d"}, {"a"}, {"nothing rests on this"}};
    erasing.erases = {1, 1, 4};  // 4 never had a body
    store->commit({{erasing}, {}});
    auto again = record(6);
    again.erases = {0, 2};  // 0 is gone already
    store->commit({{again}, {}});
    const auto reader = world.reader();
    CHECK(log::decode_leaf(reader->leaf(5).value())->erased == std::vector<log::IndexRange>{
                                                                   {0, 1},
                                                                   {3, 3}
    });
    CHECK(log::decode_leaf(reader->leaf(6).value())->erased == std::vector<log::IndexRange>{
                                                                   {2, 2}
    });
    CHECK(log::decode_leaf(reader->leaf(0).value())->erased.empty());
    store->tidy();
    const auto report = world.check();
    CHECK(report.named == std::vector<std::string>{});
    CHECK(report.erased == 4);
}

TEST_CASE("an older copy put back does not bring back what was erased since", "[store]") {
    World world;
    World backup;
    {
        const auto store = world.open();
        store->commit({
            {kept(0,               "a", "a body to forget"), kept(1, "b", "stays")},
            {                }
        });
        store->tidy();
        world.copy_to(backup);
        auto erasing = record(2);
        erasing.shreds = {{"a"}};
        store->commit({{erasing}, {}});
        const bool listed =
            GENERATE(true, false);  // a kill before the list was written: the next start writes it
        if (listed) store->tidy();
    }
    world.open().reset();
    const auto secret = backup.reader()->sealed(0).value();
    backup.copy_to(world);  // last week's file; the list beside it is this week's
    world.forget_wal_unless_copied(backup);

    const auto store = world.open();
    CHECK(store->size() == 2);
    CHECK_FALSE(world.reader()->sealed(0));
    CHECK_FALSE(contains(world.raw(), secret.ciphertext));
    CHECK_FALSE(contains(world.raw(), secret.salt));
    CHECK(text(world.reader()->body(1).value()) == "stays");
    CHECK(world.check().named == std::vector<std::string>{});
}

TEST_CASE("what a restore erases again is remembered until a leaf says so", "[store]") {
    World world;
    World backup;
    {
        const auto store = world.open();
        store->commit({
            {kept(0,               "a", "a body to forget"), kept(1, "b", "another"), kept(2, "c", "stays")},
            {                }
        });
        store->tidy();
        world.copy_to(backup);
        auto erasing = record(3);
        erasing.shreds = {{"a"}, {"b"}};
        store->commit({{erasing}, {}});
        store->tidy();
        CHECK(store->erased_unlogged().empty());
    }
    CHECK(world.open()->erased_unlogged().empty());  // its own leaf is there
    backup.copy_to(world);
    world.forget_wal_unless_copied(backup);

    world.open().reset();  // killed before it could log anything
    auto store = world.open();
    CHECK(store->erased_unlogged() == std::vector<std::uint64_t>{0, 1});
    auto half = record(3);
    half.leaf.kind = log::LeafKind::erased;
    half.leaf.erased = {
        {1, 1}
    };
    store->commit({{half}, {}});
    store.reset();
    store = world.open();
    CHECK(store->erased_unlogged() == std::vector<std::uint64_t>{0});
    auto rest = record(4);
    rest.leaf.kind = log::LeafKind::erased;
    rest.leaf.erased = {
        {0, 0}
    };
    rest.erases = {2};  // and something else besides
    store->commit({{rest}, {}});
    CHECK(store->erased_unlogged().empty());
    CHECK(log::decode_leaf(world.reader()->leaf(4).value())->erased == std::vector<log::IndexRange>{
                                                                           {0, 0},
                                                                           {2, 2}
    });
    auto false_claim = record(5);
    false_claim.leaf.erased = {
        {1, 1}
    };
    CHECK_THROWS_WITH(store->commit({{false_claim}, {}}), Catch::Contains("said to be erased"));
    store.reset();
    std::filesystem::remove(world.file().string() + "-erased");
    CHECK(world.open()->erased_unlogged().empty());
    const auto report = world.check();
    CHECK(report.named == std::vector<std::string>{});
    CHECK(report.erased == 3);
}

TEST_CASE("a reader says what is kept, about whom, and what rests on it", "[store]") {
    World world;
    const auto store = world.open();
    auto second = kept(1, "b", "two");
    second.sets.push_back({"delivery/x/7", false});
    second.controller = "school/900001";
    second.retention = "notice";
    store->commit({
        {kept(0,     "a", "one"), second, record(2), kept(3, "d", "four")},
        {}
    });
    auto later = record(4, "five");
    later.drops = {{"a"}};
    later.sets = {{"b"}};
    store->commit({{later}, {}});
    const auto reader = world.reader();
    auto all = reader->kept(0, 100);
    REQUIRE(all.size() == 4);  // 2 never had a body
    CHECK(all[0].rests.empty());
    CHECK(all[1].index == 1);
    CHECK(all[1].rests == std::vector<std::string>{"delivery/x/7"});
    CHECK(all[1].controller == "school/900001");
    CHECK(all[1].retention == "notice");
    CHECK(all[1].time == second.leaf.time);
    CHECK(all[1].subjects ==
          std::vector{store::sqlite::Pseudonyms{key_of(digest_byte)}.subject("subject of b")});
    CHECK(all[2].rests ==
          std::vector<std::string>{""});  // personal: that it rests is known, not by which name
    CHECK(reader->kept(1, 3).size() == 1);
    auto erasing = record(5);
    erasing.erases = {0};
    store->commit({{erasing}, {}});
    CHECK(reader->kept(0, 1).empty());
    CHECK(reader->about("subject of b", 9) == std::vector<std::uint64_t>{1});
}

TEST_CASE("a list of erasures that is lost is made again, and one of another log is refused", "[store]") {
    World world;
    auto store = world.open();
    store->commit({
        {kept(0, "a", "1"), kept(1, "b", "2")},
        {  }
    });
    auto erasing = record(2);
    erasing.shreds = {{"a"}};
    store->commit({{erasing}, {}});
    store->tidy();
    store.reset();
    const auto list = world.file().string() + "-erased";
    const auto content = bytes_of(list);
    CHECK(content.size() == 40);
    std::filesystem::remove(list);
    world.open().reset();
    CHECK(bytes_of(list) == content);

    auto foreign = content;
    foreign.insert(foreign.end(), content.begin(), content.end());
    foreign.back() ^= 1;
    std::ofstream{list, std::ios::binary}.write(reinterpret_cast<const char*>(foreign.data()),
                                                static_cast<std::streamsize>(foreign.size()));
    CHECK_THROWS_WITH(world.open(), Catch::Contains("not of this log"));
}
