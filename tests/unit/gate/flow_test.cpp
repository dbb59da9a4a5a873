#include "tests/unit/gate/fake_broker.h"

using namespace flagpost;
using namespace flagpost::test;

namespace {

Bytes numbered(std::size_t number, std::size_t size = 100) {
    Bytes bytes(size, 0);
    bytes[0] = static_cast<std::uint8_t>(number);
    bytes[1] = static_cast<std::uint8_t>(number >> 8);
    return bytes;
}

}  // namespace

TEST_CASE("a session sends nothing before its window is opened, and never more than it", "[gate]") {
    GateFixture fixture;
    Peer peer{fixture, "police-31", 0};
    Bytes bytes;
    for (std::size_t i = 0; i < 500; ++i) wire::zmtp::append_message(bytes, numbered(i));
    REQUIRE(peer.client.send(bytes));

    Peer other{fixture, "school-122802"};
    REQUIRE(other.client.send_message(Bytes{1}));
    CHECK(fixture.broker.next(ItemKind::frame).session == other.session);

    std::size_t next = 0;
    for (const std::uint32_t window : {1u, 2u, 100u, 397u}) {
        fixture.broker.say(ItemKind::window, peer.session, fabric::write_window(window));
        for (std::uint32_t i = 0; i < window; ++i)
            REQUIRE(fixture.broker.next(ItemKind::frame).content == numbered(next++));
        fixture.broker.look();
        CHECK(fixture.broker.kept(ItemKind::frame) == 0);
    }
}

TEST_CASE("bytes the broker has not consumed stay within the session's bound", "[gate]") {
    GateFixture fixture;
    Peer peer{fixture};
    constexpr std::size_t count = 20, size = 1'000'000;
    std::thread writer{[&] {
        for (std::size_t i = 0; i < count; ++i) peer.client.send_message(numbered(i, size));
    }};
    for (std::size_t i = 0; i < count; ++i) {
        REQUIRE(fixture.broker.next(ItemKind::frame).content == numbered(i, size));
        CHECK(fixture.counters().fabric_bytes.value() < limits::fabric_window_bytes + limits::frame_size_max);
        fixture.broker.look();
        CHECK(fixture.broker.kept(ItemKind::frame) <= limits::fabric_window_bytes / size);
        fixture.broker.say(ItemKind::window, peer.session, fabric::write_window(1));
    }
    writer.join();
    CHECK(fixture.eventually([&] { return fixture.counters().fabric_bytes.value() == 0; }));
}

TEST_CASE("what a closed session had under way no longer counts", "[gate]") {
    GateFixture fixture;
    {
        Peer peer{fixture};
        REQUIRE(peer.client.send_message(numbered(1, 1000)));
        fixture.broker.next(ItemKind::frame);
        CHECK(fixture.counters().fabric_bytes.value() == 1000 + fabric::header_size);
    }
    fixture.broker.next(ItemKind::close);
    CHECK(fixture.eventually([&] { return fixture.counters().fabric_bytes.value() == 0; }));
}

TEST_CASE("the oldest frames are returned first", "[gate]") {
    gate::InFlight in_flight;
    CHECK(in_flight.take(1000) == 0);  // the opening of a window
    for (const std::size_t size : {1, 10, 100, 1000}) in_flight.add(size);
    CHECK(in_flight.bytes() == 1111);
    CHECK(in_flight.take(2) == 11);
    CHECK(in_flight.take(1) == 100);
    CHECK(in_flight.bytes() == 1000);
    CHECK(in_flight.take(5) == 1000);
    CHECK(in_flight.bytes() == 0);
    for (int round = 0; round < 10'000; ++round) {
        in_flight.add(7);
        in_flight.add(8);
        CHECK(in_flight.take(2) == 15);
    }
}

TEST_CASE("a queue for a peer loses nothing, however little its socket takes", "[gate]") {
    gate::OutputQueue queue;
    std::size_t written = 0, sent = 0;
    while (written < 1'000'000) {
        for (int i = 0; i < 1000; ++i) queue.tail().push_back(static_cast<std::uint8_t>(written++ % 251));
        const std::size_t step = std::min<std::size_t>(queue.size(), 700);
        for (std::size_t i = 0; i < step; ++i) REQUIRE(queue.waiting()[i] == (sent + i) % 251);
        queue.sent(step);
        sent += step;
        REQUIRE(queue.size() == written - sent);
    }
    queue.sent(queue.size());
    CHECK(queue.empty());
}
