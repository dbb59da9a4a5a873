#include "broker/gate/gate.h"

#include "tests/unit/gate/fake_broker.h"

using namespace flagpost;
using namespace flagpost::test;

namespace {

Bytes bytes_of(std::string_view text) { return copy(view(text)); }

}  // namespace

TEST_CASE("a peer of the partnership speaks with the broker through the gate", "[gate]") {
    GateFixture fixture;
    TlsClient client{fixture.gate.port()};
    REQUIRE(client.handshake(pki().client("police-31")));
    REQUIRE(client.send_greeting());

    const auto open = fixture.broker.next(ItemKind::open);
    const auto opening = fabric::read_opening(open.content);
    REQUIRE(opening);
    CHECK(opening->id.text() == "spiffe://county.example/police/31");
    CHECK(opening->remote.starts_with("127.0.0.1:"));
    CHECK(opening->not_after > fixture.clock.now());

    fixture.broker.say(ItemKind::window, open.session, fabric::write_window(10));
    REQUIRE(client.send_message(bytes_of("to the broker")));
    const auto frame = fixture.broker.next(ItemKind::frame);
    CHECK(frame.session == open.session);
    CHECK(text(frame.content) == "to the broker");

    fixture.broker.say(ItemKind::frame, open.session, bytes_of("to the peer"));
    CHECK(client.next_message() == bytes_of("to the peer"));
    CHECK(fixture.counters().sessions.value() == 1);
    CHECK(fixture.counters().handshakes.value() == 0);
}

TEST_CASE("the gate answers PING with its context, in order with messages", "[gate]") {
    GateFixture fixture;
    Peer peer{fixture};
    REQUIRE(peer.client.send(Bytes{4, 9, 4, 'P', 'I', 'N', 'G', 0, 0, 'x', 'y'}));
    Bytes answer;
    const Bytes pong{4, 7, 4, 'P', 'O', 'N', 'G', 'x', 'y'};
    while (answer.size() < pong.size() ||
           !std::equal(pong.begin(), pong.end(), answer.end() - static_cast<std::ptrdiff_t>(pong.size()))) {
        const auto more = peer.client.read();
        REQUIRE(more);
        answer.insert(answer.end(), more->begin(), more->end());
    }
}

TEST_CASE("sessions are told apart, and one's frames never reach another", "[gate]") {
    GateFixture fixture;
    Peer police{fixture}, school{fixture, "school-122802"};
    CHECK(police.session != school.session);
    REQUIRE(school.client.send_message(bytes_of("from the school")));
    CHECK(fixture.broker.next(ItemKind::frame).session == school.session);
    fixture.broker.say(ItemKind::frame, school.session, bytes_of("to the school"));
    fixture.broker.say(ItemKind::frame, police.session, bytes_of("to the police"));
    CHECK(police.client.next_message() == bytes_of("to the police"));
    CHECK(school.client.next_message() == bytes_of("to the school"));
}

TEST_CASE("many messages in one write arrive whole and in order", "[gate]") {
    GateFixture fixture;
    Peer peer{fixture, "police-31", 5000};
    Bytes bytes;
    for (int i = 0; i < 3000; ++i) wire::zmtp::append_message(bytes, bytes_of(std::to_string(i)));
    REQUIRE(peer.client.send(bytes));
    for (int i = 0; i < 3000; ++i)
        REQUIRE(text(fixture.broker.next(ItemKind::frame).content) == std::to_string(i));
}

TEST_CASE("a message of the largest size passes both ways", "[gate]") {
    GateFixture fixture;
    Peer peer{fixture};
    Bytes large(limits::frame_size_max);
    for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::uint8_t>(i * 31);
    REQUIRE(peer.client.send_message(large));
    CHECK(fixture.broker.next(ItemKind::frame).content == large);
    fixture.broker.say(ItemKind::frame, peer.session, large);
    CHECK(peer.client.next_message() == large);
    CHECK(fixture.eventually([&] { return fixture.counters().input_bytes.value() == 0; }));
    CHECK(fixture.eventually([&] { return fixture.counters().output_bytes.value() == 0; }));
}

TEST_CASE("a session that ends is reported once, with its reason", "[gate]") {
    GateFixture fixture;
    auto peer = std::make_unique<Peer>(fixture);
    const Id16 session = peer->session;
    peer.reset();
    const auto close = fixture.broker.next(ItemKind::close);
    CHECK(close.session == session);
    CHECK(fabric::read_ending(close.content)->reason == Reason::none);
    CHECK(fixture.eventually([&] { return fixture.counters().connections.value() == 0; }));
    fixture.broker.look();
    CHECK(fixture.broker.kept(ItemKind::close) == 0);
}

TEST_CASE("a kick sends what was queued, then a Goodbye, then ends", "[gate]") {
    GateFixture fixture;
    Peer peer{fixture};
    fixture.broker.say(ItemKind::frame, peer.session, bytes_of("last words"));
    fixture.broker.say(ItemKind::kick, peer.session, fabric::write_ending(Reason::displaced, "durable"));
    CHECK(peer.client.next_message() == bytes_of("last words"));
    CHECK(goodbye(peer.client.next_message()) == "displaced durable");
    CHECK(peer.client.ended());
    CHECK(fixture.broker.next(ItemKind::close).session == peer.session);
}

TEST_CASE("a kick without a reason adds nothing to what the broker has said", "[gate]") {
    GateFixture fixture;
    Peer peer{fixture};
    fixture.broker.say(ItemKind::frame, peer.session, bytes_of("its own goodbye"));
    fixture.broker.say(ItemKind::kick, peer.session, fabric::write_ending(Reason::none));
    CHECK(peer.client.next_message() == bytes_of("its own goodbye"));
    CHECK_FALSE(peer.client.next_message());
    CHECK(peer.client.ended());
}

TEST_CASE("a peer kicked while it writes still reads its Goodbye", "[gate]") {
    GateFixture fixture;
    Peer peer{fixture, "police-31", 0};  // no window: what it writes stays unread
    REQUIRE(peer.client.send_message(Bytes(200'000, 1)));
    fixture.broker.say(ItemKind::kick, peer.session, fabric::write_ending(Reason::not_permitted, "x"));
    CHECK(goodbye(peer.client.next_message()) == "not_permitted x");
}

TEST_CASE("frames for a session that has ended are nobody's", "[gate]") {
    GateFixture fixture;
    Peer stays{fixture};
    auto leaves = std::make_unique<Peer>(fixture);
    const Id16 gone = leaves->session;
    leaves.reset();
    fixture.broker.next(ItemKind::close);
    fixture.broker.say(ItemKind::frame, gone, bytes_of("too late"));
    fixture.broker.say(ItemKind::frame, stays.session, bytes_of("in time"));
    CHECK(stays.client.next_message() == bytes_of("in time"));
}

TEST_CASE("sessions are told when the gate stops", "[gate]") {
    GateFixture fixture;
    Peer peer{fixture};
    fixture.gate.stop();
    CHECK(goodbye(peer.client.next_message()) == "shutting_down ");
    CHECK(peer.client.ended());
}
