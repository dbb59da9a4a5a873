#include "adapters/desk/rejects.h"

#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::desk;

namespace {
std::string content_of(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>{stream}, {}};
}
}  // namespace

TEST_CASE("a row is found again by its line, whatever its line ends and however many lines it has",
          "[desk]") {
    const std::string text = "header\r\none\r\n\"two\nand a half\"\nfour\rfive";
    const Lines lines{text};
    const auto [line, next, row] = GENERATE(table<std::uint64_t, std::uint64_t, const char*>({
        {1, 2, "header"             },
        {2, 3, "one"                },
        {3, 5, "\"two\nand a half\""},
        {5, 6, "four"               },
        {6, 0, "five"               },
        {6, 9, "five"               },
        {0, 1, ""                   },
        {7, 0, ""                   },
    }));
    CAPTURE(line, next);
    CHECK(lines.from(line, next) == row);
}

TEST_CASE("a rejects file is CSV in the order of lines, for its owner alone", "[desk]") {
    const test::TemporaryDirectory directory;
    const auto file = directory.path() / "day.csv.rejects.csv";
    write_rejects(file, {
                            {9, true,  "upn: left out",       {}          },
                            {2, false, "a \"quoted\" reason", "x,\"y\"\nz"}
    });
    CHECK(content_of(file) ==
          "line,result,reason,row\n"
          "2,rejected,\"a \"\"quoted\"\" reason\",\"x,\"\"y\"\"\nz\"\n"
          "9,used,\"upn: left out\",\"\"\n");
    struct stat status {};
    REQUIRE(::stat(file.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("where nothing is rejected there is no rejects file, not even yesterday's", "[desk]") {
    const test::TemporaryDirectory directory;
    const auto file = directory.write("day.csv.rejects.csv", "of yesterday");
    write_rejects(file, {});
    CHECK_FALSE(std::filesystem::exists(file));
    write_rejects(file, {});
}

TEST_CASE("a file is replaced whole, and leaves nothing beside it", "[desk]") {
    const test::TemporaryDirectory directory;
    const auto file = directory.write("some.csv", "old");
    directory.write(".some.csv.tmp", "half of it, from a crash");
    write_whole(file, "new");
    CHECK(content_of(file) == "new");
    CHECK(std::distance(std::filesystem::directory_iterator{directory.path()}, {}) == 1);
    CHECK_THROWS(write_whole(directory.path() / "absent" / "some.csv", "new"));
}
