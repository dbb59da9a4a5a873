#include "broker/exchange/mailbox.h"

#include <random>

#include "tests/unit/exchange/world.h"

using namespace flagpost;
using namespace flagpost::exchange;
using namespace flagpost::exchange::testing;

namespace {

struct BenchWorld : World {
    explicit BenchWorld(std::size_t messages) {
        for (std::size_t i = 0; i < messages; ++i)
            send("bench/1", schemas::Kind::opaque, "bench/1", Bytes(64, 1));
    }
};

std::vector<std::pair<std::uint64_t, std::uint64_t>> pairs(const std::vector<NumberRange>& ranges) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> all;
    for (const auto& range : ranges) all.emplace_back(range.first(), range.last());
    return all;
}

}  // namespace

TEST_CASE("an acknowledgement takes exactly what it names out of the mailbox", "[exchange]") {
    BenchWorld world{6};
    CHECK(std::holds_alternative<Permitted>(world.acknowledge("bench/1", "bench/1", {5, 2, 2})));
    REQUIRE(world.last.records.size() == 1);
    const auto& record = world.last.records[0];
    CHECK(record.leaf.kind == log::LeafKind::stored);
    CHECK(record.leaf.number == 5);
    CHECK(record.drops.size() == 2);
    const auto* body = schemas::GetRecordBody(record.body.data());
    CHECK(body->mailbox()->high_water() == 6);
    CHECK(body->mailbox()->pending()->size() == 3);  // 1, 3 to 4, 6

    std::vector<std::uint64_t> left;
    std::uint64_t after = 0;
    while (const auto next = world.exchange.next_pending("bench/1", after))
        left.push_back(after = next->first);
    CHECK(left == std::vector<std::uint64_t>{1, 3, 4, 6});
    CHECK(world.exchange.high_water("bench/1") == 6);
    check_recovery(world);
}

TEST_CASE("acknowledging again is no news and no record", "[exchange]") {
    BenchWorld world{2};
    world.acknowledge("bench/1", "bench/1", {1});
    CHECK(std::holds_alternative<Permitted>(world.acknowledge("bench/1", "bench/1", {1})));
    CHECK(world.last.records.empty());
    CHECK(std::holds_alternative<Permitted>(world.acknowledge("bench/1", "bench/1", {1, 2})));
    CHECK(world.last.records.size() == 1);
    CHECK(std::holds_alternative<Permitted>(world.acknowledge("bench/1", "bench/1", {})));
    check_recovery(world);
}

TEST_CASE("an emptied mailbox goes on counting, after a restart too", "[exchange]") {
    BenchWorld world{3};
    world.acknowledge("bench/1", "bench/1", {1, 2, 3});
    check_recovery(world);
    world.send("bench/1", schemas::Kind::opaque, "bench/1", {});
    CHECK(world.last.deliveries.at(0).number == 4);
    check_recovery(world);
}

TEST_CASE("an acknowledgement that cannot be is refused and changes nothing", "[exchange]") {
    const auto [why, who, topic, numbers, wanted] =
        GENERATE(table<const char*, const char*, const char*, std::vector<std::uint64_t>, Reason>({
            {"another's mailbox",             "bench/2", "bench/1",               {1},    Reason::not_permitted  },
            {"not yet delivered",             "bench/1", "bench/1",               {4},    Reason::unknown_message},
            {"one of them not yet",           "bench/1", "bench/1",               {1, 4}, Reason::unknown_message},
            {"number 0",                      "bench/1", "bench/1",               {0},    Reason::unknown_message},
            {"a mailbox that is still empty",
             "school/900001",                            "notices/school/900001",
             {1},
             Reason::unknown_message                                                                             },
            {"no mailbox",                    "bench/1", "gossip",                {1},    Reason::unknown_topic  },
    }));
    CAPTURE(why);
    BenchWorld world{3};
    const auto before = world.exchange.state_digest();
    CHECK(reason(world.acknowledge(who, topic, numbers)) == wanted);
    CHECK(world.kinds() == std::vector{log::LeafKind::refused});
    CHECK(world.exchange.state_digest() == before);
}

TEST_CASE("what is acknowledged out of order stays bounded", "[exchange]") {
    BenchWorld world{2 * limits::mailbox_gaps_max + 4};
    std::vector<std::uint64_t> even;
    for (std::uint64_t number = 2; number <= 2 * limits::mailbox_gaps_max + 2; number += 2)
        even.push_back(number);
    CHECK(reason(world.acknowledge("bench/1", "bench/1", even)) == Reason::window_exceeded);
    even.pop_back();
    even.pop_back();
    CHECK(std::holds_alternative<Permitted>(world.acknowledge("bench/1", "bench/1", even)));
}

TEST_CASE("ranges say what a set of numbers says", "[exchange]") {
    // Against the plainest possible account of the same thing.
    for (unsigned seed = 1; seed <= 50; ++seed) {
        CAPTURE(seed);
        std::mt19937 random{seed};
        Mailbox mailbox;
        std::set<std::uint64_t> plain;
        for (std::uint64_t number = 1; number <= 200; ++number) {
            mailbox.add(number, number * 10);
            plain.insert(number);
            std::vector<std::uint64_t> gone;
            for (const auto pending : plain)
                if (random() % 20 == 0) gone.push_back(pending);
            const auto foretold = mailbox.ranges_without(gone);
            for (const auto one : gone) {
                mailbox.acknowledge(one);
                plain.erase(one);
            }
            const std::vector<std::uint64_t> left(plain.begin(), plain.end());
            REQUIRE(pairs(mailbox.ranges()) == pairs(to_ranges(left)));
            REQUIRE(pairs(foretold) == pairs(to_ranges(left)));
        }
        // A mailbox that was given only what still matters settles to the same.
        Mailbox recovered;
        for (std::uint64_t number = 1; number <= 200; ++number)
            if (plain.contains(number) || random() % 4 == 0) recovered.add(number, number * 10);
        recovered.settle(mailbox.high_water(), mailbox.ranges());
        CHECK(recovered.pending() == mailbox.pending());
        CHECK(pairs(recovered.ranges()) == pairs(mailbox.ranges()));
        CHECK(recovered.high_water() == 200);
    }
}
