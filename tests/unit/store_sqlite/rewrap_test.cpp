#include <SQLiteCpp/SQLiteCpp.h>

#include "broker/core/limits.h"
#include "faulty_disk.h"
#include "tests/support/catch.h"
#include "world.h"

using namespace flagpost;
using namespace flagpost::test;

namespace {

constexpr std::uint8_t next_byte = 0x4e;
constexpr std::uint64_t many = 2 * limits::rewraps_at_once + 10;

std::unique_ptr<store::Store> open_under(World& world, crypto::MasterKeys masters) {
    static CountingRandom random;
    return store::sqlite::open_store({world.file(), std::move(masters), key_of(digest_byte), random, {}});
}

void fill(store::Store& store, std::uint64_t from, std::uint64_t to) {
    store::Batch batch;
    for (auto index = from; index < to; ++index) {
        batch.records.push_back(record(index, "body " + std::to_string(index)));
        batch.records.back().sets = {{"key/" + std::to_string(index)}};
    }
    store.commit(std::move(batch));
}

crypto::MasterKeys both() { return {key_of(next_byte), key_of(master_byte)}; }

}  // namespace

TEST_CASE("a change of the master key reaches every wrap while the store serves", "[store]") {
    World world;
    auto store = open_under(world, key_of(master_byte));
    fill(*store, 0, many);
    const auto root = store->root();
    const auto sealed = world.reader()->sealed(3).value();
    store.reset();

    store = open_under(world, both());
    CHECK(store->rewraps_left() == many);
    CHECK(store->tidy());
    fill(*store, many, many + 3);  // under the new key at once
    store.reset();                 // a stop in the middle loses nothing but the place of one step at most
    store = open_under(world, both());
    CHECK(store->rewraps_left() == many - limits::rewraps_at_once);
    while (store->tidy()) continue;
    CHECK(store->rewraps_left() == 0);
    store.reset();

    store = open_under(world, key_of(next_byte));
    const auto reader =
        store::sqlite::open_store_reader(world.file(), key_of(next_byte), key_of(digest_byte));
    for (std::uint64_t index = 0; index < many + 3; ++index)
        REQUIRE(text(reader->body(index).value()) == "body " + std::to_string(index));
    CHECK(reader->sealed(3).value().ciphertext == sealed.ciphertext);
    CHECK(reader->sealed(3).value().salt == sealed.salt);
    CHECK(log::root_at(many, [&](log::TileId id) { return reader->tile(id); }) == root);
    CHECK_THROWS_AS(world.reader()->body(3), store::StorageFailure);  // the old key opens nothing any more
}

TEST_CASE("a change of the master key that finds no room goes on where it stopped", "[store]") {
    int operations = 0;
    for (bool met = true; met; ++operations) {
        World world;
        FaultyDisk disk;
        auto store = open_under(world, key_of(master_byte));
        fill(*store, 0, many);
        store.reset();
        store = open_under(world, both());
        INFO("after " << operations << " good operations");
        disk.fail_after(operations, FaultyDisk::Fault::full);
        try {
            store->tidy();
        } catch (const store::NoRoom&) {
            CHECK(disk.failed());
        }
        met = disk.failed();
        disk.mend();
        while (store->tidy()) continue;
        CHECK(store->rewraps_left() == 0);
        store.reset();
        store = open_under(world, key_of(next_byte));
        const auto reader =
            store::sqlite::open_store_reader(world.file(), key_of(next_byte), key_of(digest_byte));
        for (std::uint64_t index = 0; index < many; ++index)
            REQUIRE(text(reader->body(index).value()) == "body " + std::to_string(index));
    }
    CHECK(operations > 1);
}

TEST_CASE("a store is opened under the master keys that fit where its change stands, and no others",
          "[store]") {
    World world;
    open_under(world, key_of(master_byte)).reset();
    auto store = open_under(world, key_of(master_byte));
    fill(*store, 0, many);
    store.reset();

    CHECK_THROWS_WITH(open_under(world, key_of(next_byte)),
                      Catch::Contains("not the one this store was made with"));
    CHECK_THROWS_WITH(open_under(world, {key_of(1), key_of(2)}),
                      Catch::Contains("not the one this store was made with"));
    open_under(world, both()).reset();
    CHECK_THROWS_WITH(open_under(world, key_of(next_byte)), Catch::Contains("needed a while longer"));
    CHECK_THROWS_WITH(open_under(world, {key_of(1), key_of(next_byte)}), Catch::Contains("not finished"));
    CHECK_THROWS_WITH(open_under(world, key_of(master_byte)),
                      Catch::Contains("not the one this store was made with"));
    store = open_under(world, both());
    while (store->tidy()) continue;
    store.reset();
    CHECK_NOTHROW(open_under(world, both()));
    CHECK_NOTHROW(open_under(world, key_of(next_byte)));
}

TEST_CASE("what was erased before a change of the master key stays erased through it", "[store]") {
    World world;
    auto store = open_under(world, key_of(master_byte));
    fill(*store, 0, 3);
    auto erasing = record(3);
    erasing.shreds = {{"key/1"}};
    store->commit({{erasing}, {}});
    store.reset();
    store = open_under(world, both());
    while (store->tidy()) continue;
    const auto reader =
        store::sqlite::open_store_reader(world.file(), key_of(next_byte), key_of(digest_byte));
    CHECK_FALSE(reader->sealed(1));
    CHECK(text(reader->body(2).value()) == "body 2");
}
