#include "broker/router/store_thread.h"

#include <poll.h>

#include <atomic>
#include <condition_variable>
#include <future>

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
        return {std::make_unique<MemoryStore>(disk), [this] { return std::make_unique<MemoryReader>(disk); },
                std::make_unique<log::Signer>(
                    crypto::NoteKey::from_seed({9}), last,
                    [this](const log::Checkpoint& head) { remembered.push_back(head); })};
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
        if (auto news = next_news(thread); !news.committed.empty()) return news.committed.front();
}

/// A store on a disk without room for all but commits, until there is some.
class FullStore final : public MemoryStore {
public:
    FullStore(std::shared_ptr<MemoryDisk> disk, const std::atomic<bool>& room)
        : MemoryStore{std::move(disk)}, room_{room} {}
    void relieve() override { need_room(); }
    bool tidy() override {
        need_room();
        return MemoryStore::tidy();
    }

private:
    void need_room() const {
        if (!room_) throw store::NoRoom{"no room"};
    }
    const std::atomic<bool>& room_;
};

/// Syncs only when told to, each time once.
class GatedStore final : public MemoryStore {
public:
    struct Gate {
        std::mutex mutex;
        std::condition_variable changed;
        int may = 0;      // syncs let through
        int asked = 0;    // syncs begun
        int written = 0;  // batches
        bool broken = false;
        void let(int more) {
            const std::lock_guard lock{mutex};
            may += more;
            changed.notify_all();
        }
        template <class Condition> void await(Condition condition) {
            std::unique_lock lock{mutex};
            REQUIRE(changed.wait_for(lock, std::chrono::seconds{20}, condition));
        }
    };

    GatedStore(std::shared_ptr<MemoryDisk> disk, Gate& gate) : MemoryStore{std::move(disk)}, gate_{gate} {}
    store::Committed write(store::Batch batch) override {
        auto committed = MemoryStore::write(std::move(batch));
        const std::lock_guard lock{gate_.mutex};
        ++gate_.written;
        gate_.changed.notify_all();
        return committed;
    }
    void sync() override {
        std::unique_lock lock{gate_.mutex};
        ++gate_.asked;
        gate_.changed.notify_all();
        gate_.changed.wait(lock, [&] { return gate_.may > 0 || gate_.broken; });
        if (gate_.broken) throw store::StorageFailure{"the disk is broken"};
        --gate_.may;
    }

private:
    Gate& gate_;
};

struct GatedWorld : World {
    GatedStore::Gate gate;
    StoreThread::Setting gated() {
        auto made = setting();
        made.store = std::make_unique<GatedStore>(disk, gate);
        return made;
    }
};

/// Relieves itself for as long as a test wants.
class BusyStore final : public store::Store {
public:
    BusyStore(std::shared_ptr<MemoryDisk> disk, std::future<void> go_on)
        : store_{std::move(disk)}, go_on_{std::move(go_on)} {}
    store::Committed write(store::Batch batch) override { return store_.write(std::move(batch)); }
    void sync() override { store_.sync(); }
    void relieve() override { go_on_.wait_for(std::chrono::seconds{10}); }
    void reload(const std::function<void(std::uint64_t, log::LeafKind, Bytes)>& each) override {
        store_.reload(each);
    }
    std::uint64_t size() const override { return store_.size(); }
    Digest root() const override { return store_.root(); }
    void save_checkpoint(std::string_view note) override { store_.save_checkpoint(note); }
    std::optional<std::string> checkpoint() const override { return store_.checkpoint(); }
    void save_cosigned(std::string_view note) override { store_.save_cosigned(note); }
    std::optional<std::string> cosigned() const override { return store_.cosigned(); }
    bool tidy() override { return store_.tidy(); }
    std::uint64_t rewraps_left() const override { return store_.rewraps_left(); }

private:
    MemoryStore store_;
    std::future<void> go_on_;
};

}  // namespace

TEST_CASE("the head is signed before anything else, so that there is one to welcome with", "[store-thread]") {
    World world;
    StoreThread thread{world.setting()};
    const auto news = next_news(thread);
    REQUIRE(news.heads.size() == 1);
    CHECK(log::open_checkpoint(news.heads[0], world.vkey)->size == 0);
}

TEST_CASE("a batch handed over is committed, and only then does the thread take another", "[store-thread]") {
    World world;
    StoreThread thread{world.setting()};
    CHECK(thread.takes());
    thread.hand_over(batch_of(0, 3));
    CHECK_FALSE(thread.takes());
    CHECK_THROWS_AS(thread.hand_over(batch_of(3, 1)), std::logic_error);
    const auto committed = await_commit(thread);
    CHECK(thread.takes());
    CHECK(committed.first_index == 0);
    CHECK(committed.leaves.size() == 3);
    CHECK(committed.root == world.disk->tree.root());
}

TEST_CASE("after a thousand leaves a head does not wait for its second, and it is of what is committed",
          "[store-thread]") {
    World world;
    const auto start = std::chrono::steady_clock::now();
    StoreThread thread{world.setting()};
    std::uint64_t signed_size = 0;
    std::chrono::milliseconds::rep heads = 0;
    for (std::uint64_t index = 0; signed_size < limits::checkpoint_leaves; index += 250) {
        REQUIRE(index < 200 * limits::checkpoint_leaves);  // takes far less than a second
        thread.hand_over(batch_of(index, 250));
        while (!thread.takes()) {
            for (const auto& head : next_news(thread).heads) {
                signed_size = log::open_checkpoint(head, world.vkey)->size;
                ++heads;
            }
        }
    }
    CHECK(signed_size >= limits::checkpoint_leaves);
    // However fast the leaves come: one head at the start, then one each spacing.
    const auto elapsed = std::chrono::steady_clock::now() - start;
    CHECK(heads <=
          1 + std::chrono::duration_cast<std::chrono::milliseconds>(elapsed) / limits::checkpoint_spacing);
    thread.finish();
    CHECK(world.remembered.back().size == world.disk->tree.size());
}

TEST_CASE("a head somebody waits for comes at once, and not twice", "[store-thread]") {
    World world;
    StoreThread thread{world.setting()};
    next_news(thread);
    thread.hand_over(batch_of(0, 1));
    await_commit(thread);
    // The head of the empty log was signed just now, so that by itself the next comes a second later.
    const auto asked = std::chrono::steady_clock::now();
    thread.sign_soon();
    std::vector<std::string> heads;
    while (heads.empty() && std::chrono::steady_clock::now() < asked + std::chrono::seconds{10})
        heads = next_news(thread).heads;
    CHECK(std::chrono::steady_clock::now() - asked < std::chrono::milliseconds{700});
    REQUIRE(heads.size() == 1);
    CHECK(log::open_checkpoint(heads[0], world.vkey)->size == 1);
    thread.sign_soon();
    thread.finish();
    CHECK(world.remembered.back().size == 1);
}

TEST_CASE("without room for heads and tidying batches are committed still, and heads come once there is room",
          "[store-thread]") {
    World world;
    std::atomic<bool> room = true;
    auto setting = world.setting();
    setting.store = std::make_unique<FullStore>(world.disk, room);
    setting.signer = std::make_unique<log::Signer>(crypto::NoteKey::from_seed({9}),
                                                   log::Signer::new_log("county.example/log"),
                                                   [&](const log::Checkpoint&) {
                                                       if (!room) throw store::NoRoom{"no room"};
                                                   });
    StoreThread thread{std::move(setting)};
    CHECK(next_news(thread).heads.size() == 1);
    room = false;
    for (std::uint64_t index = 0; index < 3 * limits::checkpoint_leaves; index += 250) {
        thread.hand_over(batch_of(index, 250));
        while (!thread.takes()) CHECK(next_news(thread).heads.empty());
    }
    room = true;
    std::vector<std::string> heads;
    while (heads.empty()) heads = next_news(thread).heads;
    CHECK(log::open_checkpoint(heads.back(), world.vkey)->size == 3 * limits::checkpoint_leaves);
    CHECK_NOTHROW(thread.finish());
}

TEST_CASE("whoever waits for a commit is told before the store moves its WAL", "[store-thread]") {
    World world;
    std::promise<void> told;
    auto setting = world.setting();
    setting.store = std::make_unique<BusyStore>(world.disk, told.get_future());
    StoreThread thread{std::move(setting)};
    thread.hand_over(batch_of(0, 1));
    const auto start = std::chrono::steady_clock::now();
    await_commit(thread);
    CHECK(std::chrono::steady_clock::now() - start <
          std::chrono::seconds{10});  // else it waited for the store
    told.set_value();
    thread.finish();
}

TEST_CASE("what waits is written while the disk is waited for, and nothing is committed before it is on disk",
          "[store-thread]") {
    GatedWorld world;
    auto& gate = world.gate;
    StoreThread thread{world.gated()};
    CHECK(next_news(thread).heads.size() == 1);
    thread.more_waits(true);
    thread.hand_over(batch_of(0, 3));
    CHECK(next_news(thread).written);
    gate.await([&] { return gate.asked == 1; });
    thread.hand_over(batch_of(3, 2));
    const auto ahead = next_news(thread);
    CHECK(ahead.written);
    CHECK(ahead.committed.empty());
    CHECK(ahead.heads.empty());
    CHECK(gate.written == 2);
    CHECK(world.disk->tree.size() == 5);

    gate.let(1);
    const auto first = next_news(thread).committed;
    REQUIRE(first.size() == 1);
    CHECK(first[0].size == 3);
    gate.let(1);
    CHECK(await_commit(thread).size == 5);
    gate.let(1);
    thread.finish();
    CHECK(world.remembered.back().size == 5);
}

TEST_CASE("no head covers what is not yet on disk", "[store-thread]") {
    GatedWorld world;
    auto& gate = world.gate;
    StoreThread thread{world.gated()};
    CHECK(next_news(thread).heads.size() == 1);
    thread.more_waits(true);
    thread.hand_over(batch_of(0, limits::checkpoint_leaves));
    CHECK(next_news(thread).written);
    thread.sign_soon();
    gate.await([&] { return gate.asked == 1; });
    // A head that did not wait for the disk would come after a tenth of a second.
    constexpr std::chrono::milliseconds longest = 3 * limits::checkpoint_spacing;
    pollfd wake{thread.wake_fd(), POLLIN, 0};
    CHECK(poll(&wake, 1, static_cast<int>(longest.count())) == 0);
    gate.let(1);
    std::vector<std::string> heads;
    std::size_t committed = 0;
    while (heads.empty()) {
        const auto news = next_news(thread);
        committed += news.committed.size();
        heads = news.heads;
        if (!heads.empty()) CHECK(committed == 1);
    }
    thread.finish();
}

TEST_CASE("a sync that fails ends it, and nothing written ahead is committed", "[store-thread]") {
    GatedWorld world;
    auto& gate = world.gate;
    StoreThread thread{world.gated()};
    next_news(thread);
    thread.more_waits(true);
    thread.hand_over(batch_of(0, 1));
    CHECK(next_news(thread).written);
    thread.hand_over(batch_of(1, 1));
    gate.await([&] { return gate.written == 2; });
    {
        const std::lock_guard lock{gate.mutex};
        gate.broken = true;
        gate.changed.notify_all();
    }
    const auto until_it_ends = [&] {
        for (std::size_t committed = 0; committed == 0;) committed = next_news(thread).committed.size();
    };
    CHECK_THROWS_AS(until_it_ends(), store::StorageFailure);
    CHECK_THROWS_AS(thread.finish(), store::StorageFailure);
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

TEST_CASE("what is committed is counted once, and what never was is not", "[store-thread]") {
    World world;
    auto setting = world.setting();
    store::Tally kept;
    int times = 0;
    setting.keep_statistics = [&](const store::Tally& tally) {
        kept.add(tally);
        ++times;
        return true;
    };
    {
        StoreThread thread{std::move(setting)};
        for (const std::size_t count : {3, 2}) {
            thread.hand_over(batch_of(world.disk->tree.size(), count));
            await_commit(thread);
        }
        thread.finish();
    }
    CHECK(times == 1);
    REQUIRE(kept.counts().size() == 1);
    CHECK(kept.counts().begin()->first.kind == log::LeafKind::published);
    CHECK(kept.counts().begin()->second.count == 5);

    auto broken = world.setting({"county.example/log", 5, world.disk->tree.root()});
    broken.keep_statistics = [&](const store::Tally&) {
        ++times;
        return true;
    };
    StoreThread thread{std::move(broken)};
    next_news(thread);
    world.disk->broken = true;
    thread.hand_over(batch_of(5, 1));
    CHECK_THROWS_AS(next_news(thread), store::StorageFailure);
    CHECK_THROWS_AS(thread.finish(), store::StorageFailure);
    CHECK(times == 1);
}
