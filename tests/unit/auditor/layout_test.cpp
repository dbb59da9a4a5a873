#include "adapters/auditor/layout.h"

#include "adapters/auditor/items.h"
#include "adapters/auditor/wire_source.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::auditor;

namespace {

const auto unknown = [](std::size_t, BytesView) { return Verdict::unknown; };

std::vector<std::string> texts(const Items& items) {
    std::vector<std::string> all;
    for (const auto item : items.items) all.emplace_back(text(item));
    return all;
}

}  // namespace

TEST_CASE("a piece lies where C2SP tlog-tiles puts it, and is found there", "[auditor]") {
    const std::vector<std::pair<Piece, std::string>> rows{
        {{Piece::Of::hashes, 0, 0, 256},       "tile/0/000"                },
        {{Piece::Of::hashes, 0, 0, 1},         "tile/0/000.p/1"            },
        {{Piece::Of::hashes, 3, 999, 256},     "tile/3/999"                },
        {{Piece::Of::hashes, 0, 1000, 256},    "tile/0/x001/000"           },
        {{Piece::Of::hashes, 7, 1234067, 255}, "tile/7/x001/x234/067.p/255"},
        {{Piece::Of::entries, 0, 67, 256},     "tile/entries/067"          },
        {{Piece::Of::bodies, 0, 1067, 8},      "bodies/x001/067.p/8"       },
    };
    for (const auto& [piece, path] : rows) {
        CAPTURE(path);
        CHECK(path_of(piece) == path);
        CHECK(piece_at(path) == piece);
    }
    for (const auto* path : {"", "tile", "tile/0", "tile/0/0", "tile/8/000", "tile/00/000", "tile/0/000.p/0",
                             "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/x000/000", "tile/0/1000",
                             "bodies/x01/000", "tile/entries/000/", "bodies/000.p/", "bodies/-01",
                             "entries/000", "tile/0/x999999999/x999/x999/x999/x999/x999/x999/999"}) {
        CAPTURE(path);
        CHECK_FALSE(piece_at(path));
    }
}

TEST_CASE("a tree of a size has these tiles and no others", "[auditor]") {
    CHECK(levels_of(0) == 0);
    CHECK(levels_of(255) == 1);
    CHECK(levels_of(256) == 2);
    CHECK(levels_of(65'536) == 3);
    CHECK(levels_of(~std::uint64_t{0}) == 8);
    CHECK(belongs({Piece::Of::hashes, 0, 1, 44}, 300));
    CHECK_FALSE(belongs({Piece::Of::hashes, 0, 1, 43}, 300));
    CHECK_FALSE(belongs({Piece::Of::hashes, 0, 2, 1}, 300));
    CHECK(belongs({Piece::Of::hashes, 1, 0, 1}, 300));
    CHECK_FALSE(belongs({Piece::Of::hashes, 2, 0, 1}, 300));
    CHECK(belongs({Piece::Of::bodies, 0, 0, 256}, 256));
    CHECK_FALSE(belongs({Piece::Of::bodies, 0, 1, 0}, 256));
}

TEST_CASE("items are found behind their lengths", "[auditor]") {
    Bytes file;
    for (const auto* item : {"one", "", "three"}) append_item(file, Prefix::entry, view(item));
    const auto found = items_of(file, Prefix::entry, 3, unknown);
    CHECK(texts(found) == std::vector<std::string>{"one", "", "three"});
    CHECK_FALSE(found.damaged_length);
    CHECK_FALSE(found.runs_on);
    CHECK(items_of(file, Prefix::entry, 2, unknown).runs_on);
    CHECK(items_of(file, Prefix::entry, 4, unknown).items.size() == 3);
    CHECK(items_of({}, Prefix::body, 0, unknown).items.empty());
    CHECK_THROWS(append_item(file, Prefix::entry, Bytes(65536)));
}

TEST_CASE("one damaged length is put right, whichever byte of whichever item", "[auditor]") {
    const std::vector<std::string> items{"one", "", "three", "four", "", "six"};
    Bytes file;
    std::vector<std::size_t> starts;
    for (const auto& item : items) {
        starts.push_back(file.size());
        append_item(file, Prefix::body, view(item));
    }
    const auto judge = [&](std::size_t place, BytesView item) {
        if (item.empty() && !items[place].empty()) return Verdict::unknown;  // it may have been erased
        return text(item) == items[place] ? Verdict::right : Verdict::wrong;
    };
    for (std::size_t place = 0; place < items.size(); ++place)
        for (std::size_t byte = 0; byte < 4; ++byte)
            for (int mask = 1; mask < 256; ++mask) {
                CAPTURE(place, byte, mask);
                auto damaged = file;
                damaged[starts[place] + byte] ^= static_cast<std::uint8_t>(mask);
                const auto found = items_of(damaged, Prefix::body, items.size(), judge);
                REQUIRE(texts(found) == items);
                REQUIRE(found.damaged_length == place);
            }
}

TEST_CASE("an answer's items must fit their lengths", "[auditor]") {
    const auto bytes = [](std::initializer_list<int> values) {
        Bytes all;
        for (const int value : values) all.push_back(static_cast<std::uint8_t>(value));
        return all;
    };
    CHECK(items_in(bytes({0, 0, 0, 1, 7, 0, 0, 0, 0}), 10) == std::vector<Bytes>{{7}, {}});
    CHECK(items_in(bytes({0, 0, 0, 1, 7, 0, 0, 0, 0}), 1) == std::vector<Bytes>{{7}});
    CHECK(items_in({}, 10).empty());
    CHECK_THROWS(items_in(bytes({0, 0, 0}), 10));
    CHECK_THROWS(items_in(bytes({0, 0, 0, 2, 7}), 10));
    CHECK_THROWS(items_in(bytes({255, 255, 255, 255}), 10));
}
