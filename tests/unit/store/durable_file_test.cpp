#include "broker/store/durable_file.h"

#include "broker/store/disk.h"
#include "broker/store/store.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using store::StorageFailure;

TEST_CASE("a durable file reads back whole, and a newer version replaces it", "[store]") {
    const test::TemporaryDirectory directory;
    const auto file = directory.path() / "state";
    CHECK_FALSE(store::read_whole(file));
    store::write_durably(file, view("first version, the longer one"));
    store::write_durably(file, view("second"));
    CHECK(text(store::read_whole(file).value()) == "second");
    CHECK(std::distance(std::filesystem::directory_iterator{directory.path()}, {}) == 1);
    CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms{0777}) ==
          std::filesystem::perms{0600});
}

TEST_CASE("a durable file that cannot be written is a failure, and the old version stands", "[store]") {
    const test::TemporaryDirectory directory;
    const auto file = directory.path() / "state";
    store::write_durably(file, view("old"));
    std::filesystem::create_directory(directory.path() / "state.new");
    CHECK_THROWS_AS(store::write_durably(file, view("new")), StorageFailure);
    CHECK(text(store::read_whole(file).value()) == "old");
    CHECK_THROWS_AS(store::write_durably(directory.path() / "no" / "directory", {}), StorageFailure);
}

TEST_CASE("a folder is made with those above it, for its owner alone, and stays as it is when it is there",
          "[store]") {
    const test::TemporaryDirectory directory;
    const auto folder = directory.path() / "above" / "data";
    store::make_folder_durably(folder);
    store::write_durably(folder / "state", view("kept"));
    store::make_folder_durably(folder);
    CHECK(text(store::read_whole(folder / "state").value()) == "kept");
    CHECK((std::filesystem::status(folder).permissions() & std::filesystem::perms{0777}) ==
          std::filesystem::perms{0700});
    CHECK_THROWS_AS(store::make_folder_durably(folder / "state" / "below"), StorageFailure);
}

TEST_CASE("a lock has one holder", "[store]") {
    const test::TemporaryDirectory directory;
    const auto file = directory.path() / "lock";
    {
        const store::FileLock held{file};
        CHECK_THROWS_AS(store::FileLock{file}, StorageFailure);
    }
    CHECK_NOTHROW(store::FileLock{file});
}

TEST_CASE("the reserve takes its room and gives it back", "[store]") {
    const test::TemporaryDirectory directory;
    const auto file = directory.path() / "reserve";
    constexpr std::uint64_t size = 1024 * 1024;
    store::Reserve reserve{file, size};
    CHECK(reserve.held());
    CHECK(std::filesystem::file_size(file) == size);
    reserve.release();
    CHECK_FALSE(reserve.held());
    CHECK_FALSE(std::filesystem::exists(file));
    reserve.release();  // a second time changes nothing
}

TEST_CASE("a disk without room for the reserve still starts", "[store]") {
    const test::TemporaryDirectory directory;
    const store::Reserve reserve{directory.path() / "reserve", 1ull << 60};
    CHECK_FALSE(reserve.held());
    CHECK_FALSE(std::filesystem::exists(directory.path() / "reserve"));
}

TEST_CASE("there is room for new work while a tenth of the disk is free besides what is to be kept back",
          "[store]") {
    const auto [why, free, owed, room] = GENERATE(table<const char*, std::uint64_t, std::uint64_t, bool>({
        {"a tenth, to the byte",                           100, 0,  true },
        {"one less",                                       99,  0,  false},
        {"what was kept back is in use: it is owed first", 163, 64, false},
        {"and enough besides",                             164, 64, true },
        {"less than is owed",                              30,  64, false},
    }));
    CAPTURE(why);
    CHECK(store::has_room(store::Space{1000, free}, owed) == room);
}

TEST_CASE("the space of a disk that is not there is no number", "[store]") {
    const auto space = store::space_of("/tmp");
    CHECK(space.free <= space.total);
    CHECK_THROWS_AS(store::space_of("/no/such/place"), StorageFailure);
}
