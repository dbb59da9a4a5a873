#include "order_generated.h"
#include "tests/support/catch.h"
#include "tests/unit/router/world.h"

using namespace flagpost;
using namespace flagpost::test;
using namespace std::chrono_literals;
using log::LeafKind;

namespace {

constexpr const char* an_hour = R"(
[[retention]]
id = "RET-B"
class = "bench"
keep = "1h"
)";

Bytes acknowledgement(const std::string& topic, std::vector<std::uint64_t> numbers) {
    schemas::AcknowledgeValue value;
    value.topic = topic;
    value.numbers = std::move(numbers);
    return wire::pack_frame(std::move(value));
}

/// bench/1 sends itself so many messages; those it acknowledges rest on nothing any more.
struct Retention : World {
    Peer duty{"operator/duty"};
    Id16 session;
    std::uint64_t first = 0;  // leaf of message 1

    explicit Retention(std::uint64_t messages, const std::string& more = an_hour) {
        agreement += more;
        duty.enrol(parties);
        start();
        attach();
        first = disk->tree.size();
        for (std::uint64_t i = 0; i < messages; ++i)
            send(session, bench.publish(bench.envelope("bench/1", now)));
        commit_all();
    }
    void attach() {
        session = open("bench/1");
        send(session, subscribe({"bench/1"}, 1000));
        commit();
        broker->deliver_backlog();
        collect();
    }
    void commit_all() {
        while (commit()) {
        }
    }
    void acknowledge(std::vector<std::uint64_t> numbers) {
        send(session, acknowledgement("bench/1", std::move(numbers)));
        now += 1s;
        commit_all();
    }
    void tick(int times = 1) {
        for (int i = 0; i < times; ++i) {
            now += 200ms;
            broker->tick(at(now));
            commit_all();
        }
    }
    bool is_kept(std::uint64_t number) { return reader.body(first + number - 1).has_value(); }
    std::vector<log::Leaf> erased() {
        std::vector<log::Leaf> leaves;
        for (const auto& entry : disk->entries)
            if (entry.kind == LeafKind::erased) leaves.push_back(*log::decode_leaf(entry.leaf));
        return leaves;
    }
    schemas::Reason order(std::uint64_t record) {
        schemas::RecordOrderValue value;
        value.does = schemas::OrderDoes::erase;
        value.record = record;
        value.controller = "bench/1";
        value.by = "O. Perator";
        value.reason = "court_order";
        value.reference = "CASE-1";
        const auto at = open("operator/duty");
        const wire::Draft draft{schemas::Kind::record_order,
                                "operations/duty",
                                "",
                                "",
                                {},
                                {},
                                wire::pack<schemas::RecordOrder>(value)};
        const auto envelope =
            wire::make_envelope(draft, make_uuid7(now, duty.random), duty.random.bytes<16>(), now);
        send(at, duty.publish(envelope));
        commit_all();
        const auto refused = take<schemas::Refuse>(at);
        return refused.empty() ? schemas::Reason::none : refused[0].reason;
    }
};

}  // namespace

TEST_CASE("bodies whose time is over go as the broker ticks, a few at a time, but for what is needed",
          "[broker]") {
    constexpr std::uint64_t many = 2 * limits::expiry_rows_per_tick + 10;
    Retention world{many};
    std::vector<std::uint64_t> numbers;
    for (std::uint64_t number = 1; number <= many; ++number)
        if (number != 5) numbers.push_back(number);
    world.acknowledge(numbers);
    world.tick(5);
    CHECK(world.erased().empty());

    world.now += 1h;
    world.tick();
    CHECK(world.erased().size() == 1);
    CHECK_FALSE(world.is_kept(1));
    CHECK(world.is_kept(many));
    world.tick(3);
    for (std::uint64_t number = 1; number <= many; ++number) {
        CAPTURE(number);
        CHECK(world.is_kept(number) == (number == 5));
    }
    const auto leaves = world.erased();
    CHECK(leaves.size() == 3);
    for (const auto& leaf : leaves) {
        CHECK(leaf.outcome == "retention");
        CHECK(leaf.rule == "RET-B");
    }
    world.tick(400);
    CHECK(world.erased().size() == 3);  // what is still needed is looked at again, and kept again

    world.attach();  // the session before fell silent long ago
    world.acknowledge({5});
    world.now += limits::expiry_pause;
    world.tick(2);
    CHECK_FALSE(world.is_kept(5));
    CHECK(world.erased().size() == 4);
}

TEST_CASE("a broker that starts anew takes up what was over before", "[broker]") {
    Retention world{3};
    world.acknowledge({1, 2, 3});
    world.now += 2h;
    world.start();
    world.tick(2);
    CHECK_FALSE(world.is_kept(3));
}

TEST_CASE("an agreement without a schedule expires nothing", "[broker]") {
    Retention world{3, ""};
    world.acknowledge({1, 2, 3});
    world.now += 24h * 365;
    world.tick(10);
    CHECK(world.is_kept(1));
    CHECK(world.erased().empty());
}

TEST_CASE("nothing expires by a clock that is ahead", "[broker]") {
    Retention world{3};
    world.acknowledge({1, 2, 3});
    world.now += 2h;
    world.broker->tick(at(world.now), true);
    world.commit_all();
    CHECK(world.is_kept(1));
}

TEST_CASE("an order is decided by what the store has kept of the record it names", "[broker]") {
    Retention world{2, ""};
    CHECK(world.order(world.first) == schemas::Reason::in_use);  // not acknowledged
    CHECK(world.is_kept(1));
    world.acknowledge({1});
    CHECK(world.order(world.first) == schemas::Reason::none);
    CHECK_FALSE(world.is_kept(1));
    CHECK(world.is_kept(2));
    CHECK(world.erased().back().purpose == "CASE-1");
    CHECK(world.order(world.first) == schemas::Reason::not_found);
    CHECK(world.order(1'000'000) == schemas::Reason::not_found);
}

TEST_CASE("what a restore erased again is the first thing the log says", "[broker]") {
    World world;
    const auto before = world.disk->entries.size();
    exchange::Exchange& exchange = *world.exchange;
    const auto outcome = exchange.decide(
        exchange::Started{
            world.texts(), {1, 3, 4}
    },
        world.now);
    REQUIRE(outcome.records.size() == 2);
    const auto& leaf = outcome.records[1].leaf;
    CHECK(leaf.kind == LeafKind::erased);
    CHECK(leaf.outcome == "restored");
    CHECK(leaf.candidates == 3);
    CHECK(leaf.erased == std::vector<log::IndexRange>{
                             {1, 1},
                             {3, 4}
    });
    CHECK(world.disk->entries.size() == before);
}
