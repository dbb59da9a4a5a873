#include <SQLiteCpp/SQLiteCpp.h>

#include "tests/support/catch.h"
#include "world.h"

using namespace flagpost;
using namespace flagpost::test;
using Catch::Matchers::Contains;
using store::StorageFailure;

namespace {

constexpr std::uint64_t entries = 300;  // more than one tile, so that there is a full one

void fill(World& world) {
    const auto store = world.open();
    store::Batch batch;
    for (std::uint64_t i = 0; i < entries; ++i) {
        auto made = record(i, "body number " + std::to_string(i));
        made.sets = {
            {"clear/key/" + std::to_string(i), false},
            {"personal/" + std::to_string(i)                               }
        };
        made.subjects = {"subject/" + std::to_string(i)};
        batch.records.push_back(made);
        const Id16 message{static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)};
        batch.receipts.push_back({AgencyId::parse("police/31").value(), message, Digest{}, i});
    }
    store->commit(batch);
    store->save_checkpoint(checkpoint_note(store->size(), store->root()));
    store->tidy();
}

/// Flips one bit of this value where it lies in the file. A long value lies in two places; its end is in one.
void flip(const World& world, const std::string& select) {
    constexpr int in_one_place = 1000;
    Bytes value;
    {
        SQLite::Database database{world.file().string(), SQLite::OPEN_READONLY};
        SQLite::Statement row{database, select};
        REQUIRE(row.executeStep());
        const auto column = row.getColumn(0);
        const auto* start = static_cast<const std::uint8_t*>(column.getBlob());
        value.assign(start + std::max(0, column.getBytes() - in_one_place), start + column.getBytes());
    }
    auto bytes = bytes_of(world.file());
    const auto at = std::search(bytes.begin(), bytes.end(), value.begin(), value.end());
    REQUIRE(at != bytes.end());
    *(at + static_cast<std::ptrdiff_t>(value.size() / 2)) ^= 1;
    std::ofstream{world.file(), std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()),
                                                        static_cast<std::streamsize>(bytes.size()));
}

void run_sql(const World& world, const std::string& sql) {
    SQLite::Database database{world.file().string(), SQLite::OPEN_READWRITE};
    REQUIRE(database.exec(sql) > 0);
}

std::string all(const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) text += line + "\n";
    return text;
}

}  // namespace

TEST_CASE("an undamaged store checks clean and counts what it holds", "[store]") {
    World world;
    fill(world);
    const auto report = world.check();
    CHECK(all(report.named) == "");
    CHECK(report.sound());
    CHECK(report.entries == entries);
    CHECK(report.bodies == entries);
    CHECK(report.live == 2 * entries);
    CHECK(report.receipts == entries);
    CHECK(report.tiles == 2);  // one full tile of level 0, one partial of level 1
    CHECK(report.root == world.open()->root());
}

TEST_CASE("a receipt leads to the leaf that published its message, or to one about another thing",
          "[store]") {
    const Id16 received{1}, notice{2};
    const auto named = [&](log::LeafKind kind) {
        World world;
        const auto store = world.open();
        auto made = record(0, "body");
        made.leaf.kind = kind;
        made.leaf.message = notice;
        store->commit({{made}, {{AgencyId::parse("social-care/E10000024").value(), received, Digest{}, 0}}});
        return all(world.check().named);
    };
    CHECK(named(log::LeafKind::opened) == "");
    CHECK_THAT(named(log::LeafKind::published), Contains("receipt of entry 0: of another message"));
}

TEST_CASE("one flipped bit is found by the check and named", "[store]") {
    struct Row {
        const char* where;
        const char* select;
        const char* named;
    };
    const auto row = GENERATE(values<Row>({
        {"a leaf's bytes",      "SELECT leaf FROM entry WHERE idx = 17",                        "entry 17: leaf"                    },
        {"a leaf's hash",       "SELECT hash FROM entry WHERE idx = 290",                       "entry 290: leaf does not have"     },
        {"a ciphertext",        "SELECT body FROM entry WHERE idx = 17",                        "entry 17: body"                    },
        {"a wrapped key",       "SELECT wrap FROM entry WHERE idx = 299",                       "entry 299: wrap does not open"     },
        {"what a record sets",  "SELECT keys FROM entry WHERE idx = 18",                        "missing"                           },
        {"a full tile",         "SELECT hashes FROM tile WHERE level = 0",                      "tile 0/0: not what the leaves make"},
        {"the partial tile up", "SELECT hashes FROM tile WHERE level = 1",
         "tile 1/0: not what the leaves make"                                                                                       },
        {"a personal key",      "SELECT key FROM live WHERE substr(key, 1, 1) = x'02' LIMIT 1", "live 02"                           },
        {"a subject's HMAC",    "SELECT mac FROM subject WHERE idx = 20",                       "entry 20"                          },
        {"a receipt's digest",  "SELECT bytes FROM receipt WHERE idx = 17",
         "receipt of entry 17: not as it was"                                                                                       },
        {"a receipt's message", "SELECT message FROM receipt WHERE idx = 17",
         "receipt of entry 17: not as it was"                                                                                       },
        {"the checkpoint",      "SELECT value FROM meta WHERE key = 'checkpoint'",              "checkpoint"                        },
    }));
    World world;
    fill(world);
    flip(world, row.select);
    CAPTURE(row.where);
    const auto report = world.check();
    CHECK_FALSE(report.sound());
    CHECK_THAT(all(report.named), Contains(row.named));
}

TEST_CASE("a damaged entry is handed to an auditor as it lies, and never to the exchange", "[store]") {
    const auto [where, select, key_opens] = GENERATE(table<const char*, const char*, bool>({
        {"a leaf's bytes", "SELECT leaf FROM entry WHERE idx = 17", true },
        {"a ciphertext",   "SELECT body FROM entry WHERE idx = 17", true },
        {"a wrapped key",  "SELECT wrap FROM entry WHERE idx = 17", false},
    }));
    World world;
    fill(world);
    flip(world, select);
    CAPTURE(where);
    const auto reader = world.reader();
    CHECK_THROWS_AS(reader->body(17), StorageFailure);
    CHECK(reader->leaf(17));
    CHECK(reader->sealed(17));
    CHECK(reader->body_key(17).has_value() == key_opens);
}

TEST_CASE("a row changed, taken away or added is found by the check and named", "[store]") {
    struct Row {
        const char* where;
        const char* sql;
        const char* named;
    };
    const auto row = GENERATE(values<Row>({
        {"a key moved to another entry", "UPDATE live SET idx = 3 WHERE idx = 4",                   "rests on another entry"     },
        {"a key lost",                   "DELETE FROM live WHERE idx = 4",                          "live clear/key/4: missing"  },
        {"a key invented",               "INSERT INTO live VALUES(x'017a', 4)",                     "live z: no entry sets it"   },
        {"an entry lost",                "DELETE FROM entry WHERE idx = 5",                         "entry 5: missing"           },
        {"a body lost",                  "UPDATE entry SET wrap = NULL, body = NULL WHERE idx = 5",
         "entry 5: body gone without an"                                                                                         },
        {"a wrap lost",                  "UPDATE entry SET wrap = NULL WHERE idx = 5",              "entry 5: wrap without body" },
        {"two bodies swapped",
         "UPDATE entry SET body = (SELECT body FROM entry WHERE idx = 6), "
         "wrap = (SELECT wrap FROM entry WHERE idx = 6) WHERE idx = 5",                             "entry 5: body does not have"},
        {"another's label",
         "INSERT INTO label VALUES(9, 'police/32', 'incident'); "
         "UPDATE entry SET label = 9 WHERE idx = 5",                                                "entry 5: wrap does not open"},
        {"a receipt of no entry",        "UPDATE receipt SET idx = 900 WHERE idx = 7",
         "receipt of entry 900: no such"                                                                                         },
        {"a subject lost",               "DELETE FROM subject WHERE idx = 8",                       "does not lead to entry 8"   },
        {"a subject invented",           "INSERT INTO subject VALUES(zeroblob(16), 8)",             "subject: more of them"      },
        {"a tile lost",                  "DELETE FROM tile WHERE level = 0",                        "tile 0/0: missing"          },
        {"a tile invented",              "INSERT INTO tile VALUES(0, 5, zeroblob(32))",             "tile: more of them"         },
    }));
    World world;
    fill(world);
    run_sql(world, row.sql);
    CAPTURE(row.where);
    const auto report = world.check();
    CHECK_FALSE(report.sound());
    CHECK_THAT(all(report.named), Contains(row.named));
}

TEST_CASE("a reader gives out no damaged body, leaf or tile", "[store]") {
    World world;
    fill(world);
    flip(world, GENERATE("SELECT leaf FROM entry WHERE idx = 17", "SELECT body FROM entry WHERE idx = 17",
                         "SELECT wrap FROM entry WHERE idx = 17"));
    const auto reader = world.reader();
    CHECK_THROWS_AS(reader->body(17), StorageFailure);
    CHECK_NOTHROW(reader->body(18));
}

TEST_CASE("a store damaged among its newest entries does not start", "[store]") {
    World world;
    fill(world);
    SECTION("leaf") {
        flip(world, "SELECT leaf FROM entry WHERE idx = 17");
        CHECK_THROWS_WITH(world.open(), Contains("entry 17: leaf"));
    }
    SECTION("body") {
        flip(world, "SELECT body FROM entry WHERE idx = 17");
        CHECK_THROWS_WITH(world.open(), Contains("entry 17: body"));
    }
    SECTION("wrap") {
        flip(world, "SELECT wrap FROM entry WHERE idx = 17");
        CHECK_THROWS_WITH(world.open(), Contains("entry 17: wrap"));
    }
    SECTION("hash of the right edge, which the signed checkpoint covers") {
        flip(world, "SELECT hash FROM entry WHERE idx = 290");
        CHECK_THROWS_WITH(world.open(), Contains("another root"));
    }
    SECTION("tile of the right edge") {
        flip(world, "SELECT hashes FROM tile WHERE level = 1");
        CHECK_THROWS_WITH(world.open(), Contains("another root"));
    }
    SECTION("an entry gone") {
        run_sql(world, "DELETE FROM entry WHERE idx = 200");
        CHECK_THROWS_WITH(world.open(), Contains("entry 200 is missing"));
    }
}
