#include <SQLiteCpp/SQLiteCpp.h>

#include <chrono>
#include <thread>

#include "tests/support/catch.h"
#include "world.h"

using namespace flagpost;
using namespace flagpost::test;
using Catch::Matchers::Contains;

namespace {

void run_sql(const World& world, const std::string& sql) {
    SQLite::Database database{world.file().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
    database.exec(sql);
}

}  // namespace

TEST_CASE("a second owner of the same store is refused while the first lives", "[store]") {
    World world;
    auto first = world.open();
    CHECK_THROWS_WITH(world.open(), Contains("another process owns this store"));
    first.reset();
    CHECK_NOTHROW(world.open());
}

TEST_CASE("another program's short hold of the database delays a commit and does not end the store",
          "[store]") {
    World world;
    const auto store = world.open();
    SQLite::Database other{world.file().string(), SQLite::OPEN_READWRITE};
    other.exec("BEGIN IMMEDIATE");
    std::thread letting_go{[&] {
        std::this_thread::sleep_for(std::chrono::milliseconds{50});  // how long it is held: the load itself
        other.exec("ROLLBACK");
    }};
    CHECK_NOTHROW(store->commit({{record(0)}, {}}));
    letting_go.join();
    CHECK(world.reader()->size() == 1);
}

TEST_CASE("a file that is not a store of this format is refused", "[store]") {
    World world;
    world.open();
    SECTION("a later format") {
        run_sql(world, "PRAGMA user_version=3");
        CHECK_THROWS_WITH(world.open(), Contains("user_version is 3, not 2"));
        CHECK_THROWS_WITH(world.reader(), Contains("user_version is 3, not 2"));
    }
    SECTION("another application's file") {
        run_sql(world, "PRAGMA application_id=1");
        CHECK_THROWS_WITH(world.open(), Contains("application_id"));
    }
}

TEST_CASE("a database with somebody else's tables is left alone", "[store]") {
    World world;
    run_sql(world, "CREATE TABLE theirs(x)");
    CHECK_THROWS_AS(world.open(), store::StorageFailure);
    SQLite::Database database{world.file().string()};
    CHECK_FALSE(database.tableExists("entry"));
}

TEST_CASE("garbage in place of the file is refused", "[store]") {
    World world;
    std::ofstream{world.file()} << std::string(40'000, 'x');
    CHECK_THROWS_AS(world.open(), store::StorageFailure);
}

TEST_CASE("an older copy of the store does not start against a newer signed head", "[store]") {
    World world;
    World backup;
    const auto store = world.open();
    store->commit({
        {record(0), record(1)},
        {         }
    });
    world.copy_to(backup);
    const auto newer = store->commit({{record(2)}, {}});
    const log::Checkpoint signed_head{"county.example/log", newer.size, newer.root};
    CHECK_THROWS_WITH(backup.open(signed_head), Contains("older copy of the store"));
    SECTION("nor when it has since grown another way") {
        auto other = record(2);
        other.leaf.outcome = "another";
        backup.open()->commit({{other}, {}});
        CHECK_THROWS_WITH(backup.open(signed_head), Contains("another root"));
    }
}

TEST_CASE("a tree behind the checkpoint it keeps does not start", "[store]") {
    World world;
    {
        const auto store = world.open();
        const auto committed = store->commit({
            {record(0),     record(1)},
            {             }
        });
        store->save_checkpoint(checkpoint_note(committed.size, committed.root));
        store->tidy();
    }
    run_sql(world, "DELETE FROM entry WHERE idx = 1");
    CHECK_THROWS_WITH(world.open(), Contains("older copy of the store"));
}

TEST_CASE("a store opened with another key does not start", "[store]") {
    World world;
    world.open()->commit({{record(0, "body")}, {}});
    CHECK_THROWS_WITH(world.open_with(master_byte, 1), Contains("digest key"));
    CHECK_THROWS_WITH(world.open_with(1, digest_byte),
                      Contains("the master key is not the one this store was made with"));
}

TEST_CASE("nobody but the owner can read the store's files", "[store]") {
    World world;
    const auto store = world.open();
    store->commit({{record(0)}, {}});
    for (const auto& entry : std::filesystem::directory_iterator{world.file().parent_path()}) {
        CAPTURE(entry.path().filename().string());
        CHECK((entry.status().permissions() & std::filesystem::perms{0077}) == std::filesystem::perms::none);
    }
}
