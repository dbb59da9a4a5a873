#include "broker/store/erasure_list.h"

#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using flagpost::store::ErasureList;

TEST_CASE("what was listed is there after a stop, and a line cut short is not counted", "[store]") {
    const test::TemporaryDirectory directory;
    const auto file = directory.path() / "store-erased";
    CHECK(ErasureList{file}.size() == 0);
    ErasureList list{file};
    const std::vector<ErasureList::Line> lines{
        {7,             Digest{1}},
        {1'000'000'000, Digest{2}},
        {8,             Digest{3}}
    };
    list.append({lines[0], lines[1]});
    list.append({lines[2]});
    CHECK(ErasureList{file}.from(0) == lines);
    CHECK(ErasureList{file}.from(2) == std::vector{lines[2]});
    CHECK(ErasureList{file}.from(3).empty());

    std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
    ErasureList cut{file};
    CHECK(cut.size() == 2);
    cut.append({lines[2]});
    CHECK(ErasureList{file}.from(0) == lines);
    cut.clear();
    CHECK(ErasureList{file}.size() == 0);
}
