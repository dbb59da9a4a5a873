#include "broker/router/store_thread.h"

#include <poll.h>

#include "tests/support/catch.h"
#include "tests/support/memory_store.h"
#include "tests/unit/router/peer.h"

using namespace flagpost;
using namespace flagpost::router;
using namespace flagpost::test;

namespace {

struct World {
    std::shared_ptr<MemoryDisk> disk = std::make_shared<MemoryDisk>();
    std::vector<log::Checkpoint> remembered;
    crypto::NoteKey log_key = crypto::NoteKey::from_seed({9});
    log::VerifierKey vkey{"county.example/log", log::VerifierKey::Type::note, log_key.public_key()};

    StoreThread::Setting setting(const log::Checkpoint& last = log::Signer::new_log("county.example/log")) {
        return {
            std::make_unique<MemoryStore>(disk), [this] { return std::make_unique<MemoryReader>(disk);                                                                  },
            log::Signer{ crypto::NoteKey::from_seed({9}), last,
                                                         [this](const log::Checkpoint& head) { remembered.push_back(head); }}
        };
    }
};

store::Batch batch_of(std::uint64_t index, std::size_t count) {
    store::Batch batch;
    for (std::size_t i = 0; i < count; ++i) {
        log::Record record;
        record.leaf.kind = log::LeafKind::published;
        record.leaf.index = index + i;
        batch.records.push_back(std::move(record));
    }
    return batch;
}

StoreThread::News next_news(StoreThread& thread) {
    pollfd wake{thread.wake_fd(), POLLIN, 0};
    poll(&wake, 1, 10'000);
    return thread.take();
}

/// News gathered until there is a commit among them.
store::Committed await_commit(StoreThread& thread) {
    for (;;)
        if (auto news = next_news(thread); news.committed) return *news.committed;
}

}  // namespace

TEST_CASE("the head is signed before anything else, so that there is one to welcome with", "[store-thread]") {
    World world;
    StoreThread thread{world.setting()};
    const auto news = next_news(thread);
    REQUIRE(news.heads.size() == 1);
    CHECK(log::open_checkpoint(news.heads[0], world.vkey)->size == 0);
}

TEST_CASE("a batch handed over is committed, and only then is the thread idle again", "[store-thread]") {
    World world;
    StoreThread thread{world.setting()};
    CHECK(thread.idle());
    thread.hand_over(batch_of(0, 3));
    CHECK_FALSE(thread.idle());
    CHECK_THROWS_AS(thread.hand_over(batch_of(3, 1)), std::logic_error);
    const auto committed = await_commit(thread);
    CHECK(thread.idle());
    CHECK(committed.first_index == 0);
    CHECK(committed.leaves.size() == 3);
    CHECK(committed.root == world.disk->tree.root());
}

TEST_CASE("after a thousand leaves a head is signed at once, and it is of what is committed",
          "[store-thread]") {
    World world;
    StoreThread thread{world.setting()};
    std::uint64_t signed_size = 0;
    for (std::uint64_t index = 0; signed_size < limits::checkpoint_leaves; index += 250) {
        REQUIRE(index < 10 * limits::checkpoint_leaves);
        thread.hand_over(batch_of(index, 250));
        while (!thread.idle()) {
            for (const auto& head : next_news(thread).heads)
                signed_size = log::open_checkpoint(head, world.vkey)->size;
        }
    }
    CHECK(signed_size >= limits::checkpoint_leaves);
    thread.finish();
    CHECK(world.remembered.back().size == world.disk->tree.size());
}

TEST_CASE("finishing signs the last head and saves it", "[store-thread]") {
    World world;
    StoreThread thread{world.setting()};
    thread.hand_over(batch_of(0, 5));
    await_commit(thread);
    thread.finish();
    CHECK(world.remembered.back() == log::Checkpoint{"county.example/log", 5, world.disk->tree.root()});
    CHECK(log::open_checkpoint(world.disk->checkpoint, world.vkey)->size == 5);
}

TEST_CASE("a failed commit reaches the broker thread, which can then only stop", "[store-thread]") {
    World world;
    StoreThread thread{world.setting()};
    next_news(thread);
    world.disk->broken = true;
    thread.hand_over(batch_of(0, 1));
    CHECK_THROWS_AS(next_news(thread), store::StorageFailure);
    CHECK_THROWS_AS(thread.finish(), store::StorageFailure);
}

TEST_CASE("a store that is not the one that was signed is not served", "[store-thread]") {
    const auto [why, size, root] = GENERATE(table<const char*, std::uint64_t, std::uint8_t>({
        {"larger than this store",      9, 0},
        {"as large, with another root", 3, 1},
    }));
    CAPTURE(why);
    World world;
    MemoryStore{world.disk}.commit(batch_of(0, 3));
    StoreThread thread{world.setting({"county.example/log", size, Digest{root}})};
    CHECK_THROWS_AS(next_news(thread), store::StorageFailure);
}
