#include <map>

#include "broker/core/limits.h"
#include "tests/support/catch.h"
#include "world.h"

using namespace flagpost;
using namespace flagpost::test;
using store::StorageFailure;

namespace {

std::map<std::uint64_t, std::string> reloaded(store::Store& store) {
    std::map<std::uint64_t, std::string> found;
    std::uint64_t next = 0;
    store.reload([&](std::uint64_t index, log::LeafKind kind, Bytes body) {
        CHECK(kind == log::LeafKind::record_set);
        CHECK(index >= next);
        next = index + 1;
        found[index] = text(body);
    });
    return found;
}

const auto police = AgencyId::parse("police/31").value();

}  // namespace

TEST_CASE("what a state key rests on comes back after a restart, and nothing else", "[store]") {
    World world;
    {
        const auto store = world.open();
        auto a = record(0, "first version");
        a.sets = {{"flag/E10000024/1"}};
        auto b = record(1, "second version");
        b.sets = {
            {"flag/E10000024/1"},
            { "also/here",             false}
        };
        auto c = record(2, "nobody rests on this");
        auto d = record(3, "dropped in the next batch");
        d.sets = {
            {"delivery/x/1", false}
        };
        store->commit({
            {a,             b, c, d},
            {}
        });
        auto e = record(4);
        e.drops = {
            {"delivery/x/1", false}
        };
        auto f = record(5, "kept");
        f.sets = {
            {"delivery/x/2", false}
        };
        store->commit({
            {e,             f},
            {             }
        });
    }
    const auto store = world.open();
    CHECK(store->size() == 6);
    CHECK(reloaded(*store) == std::map<std::uint64_t, std::string>{
                                  {1, "second version"},
                                  {5, "kept"          }
    });
}

TEST_CASE("a key set and dropped within one batch rests on nothing", "[store]") {
    World world;
    const auto store = world.open();
    auto a = record(0, "short lived");
    a.sets = {
        {"key", false}
    };
    auto b = record(1);
    b.drops = {
        {"key", false}
    };
    store->commit({
        {a,         b},
        {         }
    });
    CHECK(reloaded(*store).empty());
    CHECK(world.check().named == std::vector<std::string>{});
}

TEST_CASE("a commit says the leaf hashes, the size and the root that a reader can prove", "[store]") {
    World world;
    const auto store = world.open();
    std::vector<Digest> leaves;
    store::Committed last{};
    // Past two full tiles of level 0, in batches of uneven sizes.
    for (std::uint64_t batch_size = 1; leaves.size() < 600; batch_size = batch_size * 2 % 97) {
        store::Batch batch;
        for (std::uint64_t i = 0; i < batch_size; ++i)
            batch.records.push_back(record(leaves.size() + i, "body"));
        last = store->commit(batch);
        CHECK(last.first_index == leaves.size());
        leaves.insert(leaves.end(), last.leaves.begin(), last.leaves.end());
        CHECK(last.size == leaves.size());
    }
    const auto reader = world.reader();
    CHECK(reader->size() == leaves.size());
    const log::ReadTile read = [&](log::TileId id) { return reader->tile(id); };
    CHECK(log::root_at(last.size, read) == last.root);
    for (const std::uint64_t index : {0ul, 255ul, 256ul, 511ul, 512ul, leaves.size() - 1}) {
        CAPTURE(index);
        CHECK(log::leaf_hash(reader->leaf(index).value()) == leaves[index]);
        CHECK(log::verify_inclusion(index, last.size, leaves[index],
                                    log::inclusion_proof(index, last.size, read), last.root));
    }
    CHECK_FALSE(reader->leaf(leaves.size()));
    CHECK(reader->tile({0, 99}).empty());
}

TEST_CASE("a tree goes on after a restart as if there had been none", "[store]") {
    World whole;
    World restarted;
    const auto sizes = {1u, 255u, 1u, 300u, 211u, 1u};
    const auto uninterrupted = whole.open();
    log::Frontier expected;
    for (const auto size : sizes) {
        store::Batch batch;
        for (std::uint64_t i = 0; i < size; ++i) batch.records.push_back(record(uninterrupted->size() + i));
        const auto left = uninterrupted->commit(batch);
        const auto right = restarted.open()->commit(batch);
        CHECK(left.root == right.root);
        for (const auto& leaf : left.leaves) expected.append(leaf, {});
        CHECK(left.root == expected.root());
    }
    CHECK(restarted.check().named == std::vector<std::string>{});
}

TEST_CASE("a reader sees a body opened, and its sealed form fits the leaf", "[store]") {
    World world;
    const auto store = world.open();
    store->commit({
        {record(0,   "the body"), record(1)},
        {         }
    });
    const auto reader = world.reader();
    CHECK(text(reader->body(0).value()) == "the body");
    CHECK_FALSE(reader->body(1));
    CHECK_FALSE(reader->body(2));
    const auto sealed = reader->sealed(0);
    REQUIRE(sealed);
    const auto leaf = log::decode_leaf(reader->leaf(0).value());
    REQUIRE(leaf);
    CHECK(crypto::sha256({sealed->salt, sealed->ciphertext}) == leaf->body);
    CHECK_FALSE(reader->sealed(1));
    const auto key = reader->body_key(0);
    REQUIRE(key);
    CHECK(crypto::open_body(key->key, sealed->ciphertext, {key->controller, key->retention, 0}) ==
          reader->body(0));
    CHECK_FALSE(reader->body_key(1));
}

TEST_CASE("a reader sees nothing of a batch before its commit and all of it after", "[store]") {
    World world;
    const auto store = world.open();
    const auto reader = world.reader();
    CHECK(reader->size() == 0);
    store->commit({
        {record(0), record(1)},
        {         }
    });
    CHECK(reader->size() == 2);
}

TEST_CASE("a message id is remembered with the bytes it came with", "[store]") {
    World world;
    const auto store = world.open();
    store->commit({{record(0)}, {{police, Id16{9}, Digest{8}, 0}}});
    const auto reader = world.reader();
    const auto receipt = reader->receipt(police, Id16{9});
    REQUIRE(receipt);
    CHECK(receipt->bytes == Digest{8});
    CHECK(receipt->index == 0);
    CHECK_FALSE(reader->receipt(police, Id16{8}));
    CHECK_FALSE(reader->receipt(AgencyId::parse("police/32").value(), Id16{9}));
}

TEST_CASE("a message id is never recorded twice for one agency", "[store]") {
    World world;
    const auto store = world.open();
    store->commit({{record(0)}, {{police, Id16{9}, Digest{8}, 0}}});
    CHECK_THROWS_AS(store->commit({{record(1)}, {{police, Id16{9}, Digest{7}, 1}}}), StorageFailure);
    // Nothing of the refused batch stays, and another agency may use the same id.
    CHECK(store->size() == 1);
    CHECK(world.reader()->size() == 1);
    store->commit({{record(1)}, {{AgencyId::parse("police/32").value(), Id16{9}, Digest{7}, 1}}});
}

TEST_CASE("a record out of its place is not committed", "[store]") {
    World world;
    const auto store = world.open();
    CHECK_THROWS_AS(store->commit({
                        {record(0),                 record(2)},
                        {                         }
    }),
                    StorageFailure);
    CHECK_THROWS_AS(store->commit({{record(1)}, {}}), StorageFailure);
    CHECK(store->size() == 0);
}

TEST_CASE("a saved checkpoint is there after the next commit or tidying, whichever is first", "[store]") {
    const bool committed_again = GENERATE(true, false);
    World world;
    std::string note;
    {
        const auto store = world.open();
        CHECK_FALSE(store->checkpoint());
        note = checkpoint_note(1, store->commit({{record(0)}, {}}).root);
        store->save_checkpoint(note);
        CHECK(store->checkpoint() == note);
        if (committed_again)
            store->commit({{record(1)}, {}});
        else
            store->tidy();
    }
    CHECK(world.open()->checkpoint() == note);
}

TEST_CASE("names of people and personal keys never lie on disk in clear", "[store]") {
    World world;
    const auto store = world.open();
    auto made = record(0, "a body that names Astrid Exampleton");
    made.user = "constable.exampleton";
    made.subjects = {"upn/A000000000001", "nhs/9990000001"};
    made.sets = {
        {"flag/E10000024/child-1234"},
        { "delivery/notices/police/31/7",                      false}
    };
    store->commit({{made}, {}});
    const auto raw = world.raw();
    for (const auto* personal :
         {"Astrid Exampleton", "constable.exampleton", "A000000000001", "9990000001", "child-1234"}) {
        CAPTURE(personal);
        CHECK_FALSE(contains(raw, view(personal)));
    }
    CHECK(contains(raw, view("delivery/notices/police/31/7")));
}

TEST_CASE("rows gather in the WAL until 2 MiB of them are moved together, between two commits", "[store]") {
    World world;
    const auto store = world.open();
    const auto file_size = [&] { return std::filesystem::file_size(world.file()); };
    const auto before = file_size();
    const std::string body(limits::wal_rows_max / 4, 'b');
    for (std::uint64_t index = 0; index < 3; ++index) {
        store->commit({{record(index, body)}, {}});
        store->relieve();
        CHECK(file_size() == before);
    }
    store->commit({{record(3, body)}, {}});
    CHECK(file_size() == before);
    store->relieve();
    CHECK(file_size() >= before + limits::wal_rows_max);
    store->commit({{record(4, body)}, {}});
    const auto after = file_size();
    store->relieve();
    CHECK(file_size() == after);
}
