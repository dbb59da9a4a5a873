#include <map>

#include "faulty_disk.h"
#include "tests/support/catch.h"
#include "world.h"

using namespace flagpost;
using namespace flagpost::test;
using Fault = FaultyDisk::Fault;
using store::StorageFailure;

namespace {

store::Batch batch_of(std::uint64_t first, std::uint64_t count) {
    store::Batch batch;
    for (std::uint64_t i = first; i < first + count; ++i) {
        auto made = record(i, "body " + std::to_string(i));
        made.sets = {
            {"key/" + std::to_string(i), false}
        };
        batch.records.push_back(made);
    }
    return batch;
}

constexpr std::uint64_t first_batch = 20;
constexpr std::uint64_t second_batch = 30;

/// Opens a store with one batch committed, makes the disk fail at one operation of `step`, and looks at what
/// a restart finds. False when `step` ran through without meeting the fault.
template <class Step> bool survives(int good_operations, Fault fault, Step step) {
    World world;
    World after;
    Digest root_before{};
    bool reported = false;
    {
        FaultyDisk disk;
        auto store = world.open();
        root_before = store->commit(batch_of(0, first_batch)).root;
        disk.fail_after(good_operations, fault);
        try {
            step(*store);
        } catch (const StorageFailure&) {
            reported = true;
        }
        if (!disk.failed()) return false;
        // The process ends here: what is on disk now is all there will be.
        world.copy_to(after);
        store.reset();
    }
    INFO("after " << good_operations << " good operations");
    const auto recovered = after.open();
    const auto size = recovered->size();
    CHECK((size == first_batch || size == first_batch + second_batch));
    if (size == first_batch) CHECK(recovered->root() == root_before);
    if (!reported && size == first_batch) CHECK_FALSE("a commit that returned is missing");
    CHECK(after.check().named == std::vector<std::string>{});
    return true;
}

}  // namespace

TEST_CASE("a disk that fails anywhere in a commit costs no confirmed batch and tears none", "[store]") {
    const auto fault = GENERATE(Fault::lost, Fault::kept, Fault::torn);
    int operations = 0;
    while (survives(operations, fault,
                    [](store::Store& store) { store.commit(batch_of(first_batch, second_batch)); }))
        ++operations;
    CHECK(operations > 3);
}

TEST_CASE("a disk that fails anywhere in tidying after an erasure costs no confirmed batch", "[store]") {
    const auto fault = GENERATE(Fault::lost, Fault::kept, Fault::torn);
    int operations = 0;
    const auto erase_and_tidy = [](store::Store& store) {
        auto batch = batch_of(first_batch, second_batch);
        batch.records.back().shreds = {
            {"key/3", false}
        };
        store.commit(batch);
        store.tidy();
    };
    while (survives(operations, fault, erase_and_tidy)) ++operations;
    CHECK(operations > 6);
}

TEST_CASE("the reserve lets one more batch through when the disk is full, then the store fails", "[store]") {
    World world;
    const auto reserve = std::filesystem::path{world.file().string() + "-reserve"};
    FaultyDisk disk;
    const auto store = world.open();
    CHECK(std::filesystem::exists(reserve));
    const auto note = checkpoint_note(0, store->root());
    store->save_checkpoint(note);
    disk.fail_after(2, Fault::full);
    // Giving the reserve back makes room: mended as soon as it is gone.
    disk.mend_once_gone(reserve);
    const auto committed = store->commit(batch_of(0, first_batch));
    CHECK(committed.size == first_batch);
    CHECK_FALSE(std::filesystem::exists(reserve));
    CHECK(world.check().named == std::vector<std::string>{});

    disk.fail_after(2, Fault::full);
    CHECK_THROWS_AS(store->commit(batch_of(first_batch, second_batch)), StorageFailure);
    CHECK(store->size() == first_batch);
}

TEST_CASE("a disk that is full just where the WAL's index has to grow is full, not broken", "[store]") {
    World world;
    const auto reserve = std::filesystem::path{world.file().string() + "-reserve"};
    FaultyDisk disk;
    const auto store = world.open();
    disk.fail_after(0, Fault::index);
    disk.mend_once_gone(reserve);
    std::uint64_t size = 0;
    const auto commit = [&] {
        store->commit(batch_of(size, 1));
        ++size;
    };
    while (std::filesystem::exists(reserve) && size < 5000) commit();
    CHECK(disk.failed());
    CHECK_FALSE(std::filesystem::exists(reserve));

    disk.fail_after(0, Fault::index);
    const auto refused = [&] {
        try {
            while (size < 10'000) commit();
        } catch (const store::NoRoom&) {
            return true;
        }
        return false;
    };
    CHECK(refused());
    CHECK(store->size() == size);
    disk.mend();
    commit();
    CHECK(world.check().named == std::vector<std::string>{});
}

TEST_CASE("what tidying leaves for want of room is done once there is some", "[store]") {
    int operations = 0;
    for (bool met = true; met; ++operations) {
        World world;
        FaultyDisk disk;
        auto store = world.open();
        auto batch = batch_of(0, first_batch);
        batch.records[4].body = copy(view("what is to be forgotten"));
        store->commit(std::move(batch));
        auto erasing = batch_of(first_batch, 1);
        erasing.records[0].shreds = {
            {"key/4", false}
        };
        const auto root = store->commit(std::move(erasing)).root;
        const auto note = checkpoint_note(first_batch + 1, root);
        store->save_checkpoint(note);

        INFO("after " << operations << " good operations");
        disk.fail_after(operations, Fault::full);
        try {
            store->tidy();
        } catch (const store::NoRoom&) {
            CHECK(disk.failed());
        }
        met = disk.failed();
        disk.mend();
        store->tidy();
        CHECK(store->size() == first_batch + 1);
        CHECK(store->checkpoint() == note);
        CHECK(std::filesystem::file_size(world.wal()) == 0);
        store.reset();
        CHECK_NOTHROW(world.open(log::Checkpoint{log_name, first_batch + 1, root}));
        CHECK(world.check().named == std::vector<std::string>{});
    }
    CHECK(operations > 6);
}
