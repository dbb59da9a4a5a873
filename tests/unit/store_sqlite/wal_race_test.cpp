#include <SQLiteCpp/SQLiteCpp.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "tests/support/catch.h"
#include "tests/support/figures.h"
#include "world.h"

using namespace flagpost;
using namespace flagpost::test;

namespace {

constexpr std::uint64_t kept_back = 64;  // how far behind its commit a body is erased

std::string body_of(std::uint64_t index) { return "body " + std::to_string(index) + std::string(2000, '.'); }

store::Batch next_batch(std::uint64_t first, std::uint64_t count) {
    store::Batch batch;
    for (auto index = first; index < first + count; ++index) {
        auto made = record(index, body_of(index));
        made.sets = {
            {"key/" + std::to_string(index), false}
        };
        batch.records.push_back(std::move(made));
    }
    return batch;
}

/// Opens the store, reads here and there, and closes it, again and again, until told to stop; what it read that was
/// neither what was written nor erased.
std::uint64_t read_until(const World& world, const std::atomic<bool>& stop, std::uint64_t seed) {
    std::uint64_t wrong = 0;
    while (!stop) {
        const auto reader =
            store::sqlite::open_store_reader(world.file(), key_of(master_byte), key_of(digest_byte));
        for (int i = 0; i < 20 && !stop; ++i) {
            const auto size = reader->size();
            if (size == 0) continue;
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            const auto index = (seed >> 33) % size;
            const auto body = reader->body(index);
            if (body && text(*body) != body_of(index)) ++wrong;
            if (!reader->leaf(index)) ++wrong;
        }
    }
    return wrong;
}

/// Keeps the WAL from being moved for some milliseconds, then lets it be begun anew.
void hold_until(const World& world, const std::atomic<bool>& stop) {
    SQLite::Database database{world.file().string(), SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX};
    database.setBusyTimeout(1000);
    while (!stop) {
        database.exec("BEGIN");
        database.execAndGet("SELECT count(*) FROM live");
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
        database.exec("COMMIT");
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
}

}  // namespace

// SQLite before 3.51.3 can lose pages when two connections write and checkpoint at the moment a WAL is begun anew
// (sqlite.org/wal.html#walresetbug). One connection does both here; this is how often that was tried.
TEST_CASE("a WAL begun anew again and again beside readers loses no page", "[store]") {
    const char* asked = std::getenv("FLAGPOST_WAL_ROUNDS");
    const std::uint64_t rounds = asked == nullptr ? 600 : std::strtoull(asked, nullptr, 10);
    World world;
    auto store = world.open();
    std::atomic<bool> stop = false;
    std::atomic<std::uint64_t> wrong = 0;
    std::vector<std::thread> readers;
    for (const std::uint64_t seed : {1, 2})
        readers.emplace_back([&, seed] { wrong += read_until(world, stop, seed); });
    readers.emplace_back([&] { hold_until(world, stop); });

    std::uint64_t begun_anew = 0, erased = 0;
    for (std::uint64_t round = 0; round < rounds; ++round) {
        auto batch = next_batch(store->size(), 1 + round % 7);
        if (round % 4 == 0 && store->size() > kept_back) {
            batch.records.back().shreds = {
                {"key/" + std::to_string(store->size() - kept_back), false}
            };
            ++erased;
        }
        store->commit(std::move(batch));
        store->relieve();
        const auto before = store->wal_bytes();
        store->tidy();
        if (store->wal_bytes() < before) ++begun_anew;
    }
    stop = true;
    for (auto& reader : readers) reader.join();

    CHECK(wrong == 0);
    CHECK(begun_anew > 0);
    const auto root = store->root();
    const auto size = store->size();
    store.reset();
    SQLite::Database database{world.file().string(), SQLite::OPEN_READONLY};
    const std::string integrity = database.execAndGet("PRAGMA integrity_check").getString();
    CHECK(integrity == "ok");
    CHECK(world.check().named == std::vector<std::string>{});
    CHECK_NOTHROW(world.open(log::Checkpoint{log_name, size, root}));
    tests::figure("T9", {
                            {"rounds",           rounds                   },
                            {"wal_begun_anew",   begun_anew               },
                            {"erasures",         erased                   },
                            {"integrity_faults", integrity == "ok" ? 0 : 1}
    });
}
