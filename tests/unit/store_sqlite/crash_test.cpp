#include <map>

#include "tests/support/catch.h"
#include "world.h"

using namespace flagpost;
using namespace flagpost::test;

namespace {

/// Ten batches of growing size, a checkpoint saved after each; tells each size and root there ever was.
std::map<std::uint64_t, Digest> live_through(store::Store& store) {
    std::map<std::uint64_t, Digest> heads{
        {0, store.root()}
    };
    for (std::uint64_t batch_number = 1; batch_number <= 10; ++batch_number) {
        store::Batch batch;
        for (std::uint64_t i = 0; i < batch_number * 5; ++i) {
            auto made = record(store.size() + i, "body " + std::to_string(i));
            made.sets = {
                {"key/" + std::to_string(i), i % 2 == 0}
            };
            batch.records.push_back(made);
        }
        batch.receipts.push_back({AgencyId::parse("police/31").value(),
                                  Id16{static_cast<std::uint8_t>(batch_number)}, Digest{}, store.size()});
        const auto committed = store.commit(batch);
        heads[committed.size] = committed.root;
        store.save_checkpoint(checkpoint_note(committed.size, committed.root));
    }
    return heads;
}

}  // namespace

TEST_CASE("a batch is whole on disk when its commit returns", "[store]") {
    World world;
    const auto store = world.open();
    for (std::uint64_t i = 0; i < 20; ++i) {
        auto made = record(i, "body " + std::to_string(i));
        made.sets = {{"key/" + std::to_string(i)}};
        const auto committed = store->commit({{made}, {}});
        World after_power_cut;
        world.copy_to(after_power_cut);
        const auto recovered = after_power_cut.open();
        CHECK(recovered->size() == committed.size);
        CHECK(recovered->root() == committed.root);
        std::uint64_t count = 0;
        recovered->reload([&](std::uint64_t, log::LeafKind, Bytes) { ++count; });
        CHECK(count == i + 1);
    }
}

TEST_CASE("a WAL cut anywhere leaves a prefix of whole batches", "[store]") {
    World world;
    const auto store = world.open();
    const auto heads = live_through(*store);
    const auto wal_size = std::filesystem::file_size(world.wal());
    std::set<std::uint64_t> sizes_seen;
    // Every 23 kilobytes and a byte, so that cuts fall inside frames, at their heads and between them.
    for (std::uintmax_t cut = 0; cut <= wal_size; cut += 23 * 1024 + 1) {
        CAPTURE(cut);
        World after_power_cut;
        world.copy_to(after_power_cut);
        std::filesystem::resize_file(after_power_cut.wal(), cut);
        const auto recovered = after_power_cut.open();
        const auto head = heads.find(recovered->size());
        REQUIRE(head != heads.end());
        CHECK(recovered->root() == head->second);
        CHECK(after_power_cut.check().named == std::vector<std::string>{});
        sizes_seen.insert(recovered->size());
    }
    CHECK(sizes_seen.size() > heads.size() / 2);
}

TEST_CASE("a flipped byte in the WAL never yields a torn batch", "[store]") {
    World world;
    const auto store = world.open();
    const auto heads = live_through(*store);
    const auto wal_size = std::filesystem::file_size(world.wal());
    for (std::uintmax_t at = 100; at < wal_size; at += 53'777) {
        CAPTURE(at);
        World damaged;
        world.copy_to(damaged);
        auto bytes = bytes_of(damaged.wal());
        bytes[at] ^= 1;
        std::ofstream{damaged.wal(), std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()),
                                                             static_cast<std::streamsize>(bytes.size()));
        const auto recovered = damaged.open();
        const auto head = heads.find(recovered->size());
        REQUIRE(head != heads.end());
        CHECK(recovered->root() == head->second);
    }
}
