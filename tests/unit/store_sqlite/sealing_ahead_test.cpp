#include "broker/store/sqlite/sealing_ahead.h"

#include "tests/support/catch.h"
#include "world.h"

using namespace flagpost;
using namespace flagpost::test;
using store::sqlite::SealingAhead;

namespace {

const crypto::MasterKeys masters{crypto::SymmetricKey{{1}}};

std::vector<log::Record> records_with_bodies(std::size_t count) {
    std::vector<log::Record> records(count);
    for (std::size_t i = 0; i < count; ++i) {
        records[i].leaf.index = 100 + i;
        records[i].controller = "bench/1";
        records[i].retention = "bench";
        records[i].body = Bytes(1 + i * 7 % 2000, static_cast<std::uint8_t>(i));
    }
    return records;
}

}  // namespace

TEST_CASE("bodies sealed ahead are those that would have been sealed in turn", "[store]") {
    CountingRandom random, same_random;
    SealingAhead sealing{masters, random};
    crypto::Sealer in_turn{masters, same_random};
    for (const std::size_t count : {256u, 1u, 15u, 16u, 255u, 256u, 0u, 64u, 256u}) {
        const auto records = records_with_bodies(count);
        sealing.begin(records);
        for (std::size_t i = 0; i < count; ++i) {
            const auto& record = records[i];
            const auto expected =
                in_turn.seal(record.body, {record.controller, record.retention, record.leaf.index});
            const auto sealed = sealing.take(i);
            REQUIRE(sealed.wrap == expected.wrap);
            REQUIRE(sealed.ciphertext == expected.ciphertext);
            REQUIRE(sealed.digest == expected.digest);
        }
        sealing.end();
    }
}

TEST_CASE("a batch may be left in the middle, and records without a body are passed over", "[store]") {
    CountingRandom random;
    SealingAhead sealing{masters, random};
    crypto::Sealer opening{masters, random};
    for (int round = 0; round < 200; ++round) {
        auto records = records_with_bodies(64);
        for (std::size_t i = 0; i < records.size(); i += 3) records[i].body.clear();
        sealing.begin(records);
        const auto leave_at = static_cast<std::size_t>(round % 64);
        for (std::size_t i = 0; i < leave_at; ++i) {
            if (records[i].body.empty()) continue;
            const auto sealed = sealing.take(i);
            REQUIRE(opening.open(sealed.wrap, sealed.ciphertext, {"bench/1", "bench", 100 + i}) ==
                    records[i].body);
        }
        sealing.end();
    }
}
