#include "tests/unit/gate/fake_broker.h"

using namespace flagpost;
using namespace flagpost::test;
using namespace std::chrono_literals;
using gate::Cause;

TEST_CASE("a handshake that dawdles is given up, wherever it stands; a session is not", "[gate]") {
    GateFixture fixture;
    Peer good{fixture};
    TlsClient client{fixture.gate.port()};
    SECTION("nothing is said") {
        REQUIRE(fixture.eventually([&] { return fixture.counters().handshakes.value() == 1; }));
    }
    SECTION("TLS has begun") {
        client.send_plain(Bytes{22, 3, 1});
        REQUIRE(fixture.eventually([&] { return fixture.counters().handshakes.value() == 1; }));
    }
    SECTION("TLS is done, ZMTP is not said") { REQUIRE(client.handshake(pki().client("police-31"))); }
    SECTION("half a greeting") {
        REQUIRE(client.handshake(pki().client("police-31")));
        REQUIRE(client.send(BytesView{wire::zmtp::greeting()}.first(32)));
    }
    fixture.pass(limits::handshake_time_max);
    CHECK(fixture.counters().refused_for(Cause::slow_handshake) == 0);  // to the second, it is in time
    fixture.pass(1s);
    CHECK(text(fixture.broker.next(ItemKind::refused).content) == "slow_handshake");
    CHECK(fixture.counters().refused_for(Cause::slow_handshake) == 1);
    CHECK(fixture.eventually([&] { return fixture.counters().connections.value() == 1; }));
    REQUIRE(good.client.send_message(Bytes{1}));
    fixture.broker.next(ItemKind::frame);
}

TEST_CASE("a message begun must end within its time, however it dribbles", "[gate]") {
    GateFixture fixture;
    Peer peer{fixture}, idle{fixture, "school-122802"};
    REQUIRE(peer.client.send(Bytes{0, 100, 'a'}));
    REQUIRE(fixture.eventually([&] { return fixture.counters().input_bytes.value() == 1; }));
    for (std::uint64_t i = 2; i <= 6; ++i) {
        fixture.pass(2s);
        REQUIRE(peer.client.send(Bytes{'b'}));
        REQUIRE(fixture.eventually([&] { return fixture.counters().input_bytes.value() == i; }));
    }
    fixture.pass(2s);
    CHECK(goodbye(peer.client.next_message()) == "idle zmtp.message: not ended in time");
    CHECK(fixture.broker.next(ItemKind::close).session == peer.session);
    CHECK(fixture.counters().sessions.value() == 1);
    REQUIRE(idle.client.send_message(Bytes{1}));
    CHECK(fixture.broker.next(ItemKind::frame).session == idle.session);
}

TEST_CASE("a message after a message begins its own time", "[gate]") {
    GateFixture fixture;
    Peer peer{fixture};
    REQUIRE(peer.client.send(Bytes{0, 1}));
    for (std::uint8_t i = 0; i < 10; ++i) {
        fixture.pass(4s);
        REQUIRE(peer.client.send(Bytes{i, 0, 1}));  // ends one and begins the next
        CHECK(fixture.broker.next(ItemKind::frame).content == Bytes{i});
    }
    CHECK(fixture.counters().sessions.value() == 1);
}

TEST_CASE("a peer that does not read loses its connection, and only its own", "[gate]") {
    GateFixture fixture;
    Peer deaf{fixture}, good{fixture, "school-122802"};
    const Bytes large(limits::frame_size_max, 5);
    SECTION("when its queue is full") {
        for (std::size_t queued = 0; queued <= 3 * limits::output_queue_max; queued += large.size())
            fixture.broker.say(ItemKind::frame, deaf.session, large);
    }
    SECTION("when it takes nothing for too long") {
        for (int i = 0; i < 8; ++i) fixture.broker.say(ItemKind::frame, deaf.session, large);
        // What the sockets' own buffers take is taken first; then nothing moves any more.
        std::uint64_t before = 0;
        REQUIRE(fixture.eventually([&] {
            const auto now = fixture.counters().output_bytes.value();
            return now > 0 && now == std::exchange(before, now) && fixture.counters().frames_out.value() == 8;
        }));
        fixture.pass(limits::output_stalled_max + 1s);
    }
    const auto close = fixture.broker.next(ItemKind::close);
    CHECK(close.session == deaf.session);
    CHECK(fabric::read_ending(close.content)->reason == Reason::idle);
    fixture.broker.say(ItemKind::frame, good.session, Bytes{1});
    CHECK(good.client.next_message() == Bytes{1});
    CHECK(fixture.eventually([&] { return fixture.counters().output_bytes.value() == 0; }));
}

TEST_CASE("one source has only so many handshakes at once; the others wait, then are served", "[gate]") {
    GateFixture fixture;
    std::vector<std::unique_ptr<TlsClient>> silent;
    for (std::size_t i = 0; i < limits::handshakes_per_source_max; ++i)
        silent.push_back(std::make_unique<TlsClient>(fixture.gate.port()));
    REQUIRE(fixture.eventually(
        [&] { return fixture.counters().handshakes.value() == limits::handshakes_per_source_max; }));

    TlsClient waits{fixture.gate.port()};
    REQUIRE(fixture.eventually([&] { return fixture.counters().connections.value() == 9; }));
    CHECK(fixture.counters().handshakes.value() == limits::handshakes_per_source_max);

    silent.pop_back();
    REQUIRE(waits.handshake(pki().client("police-31")));
    REQUIRE(waits.send_greeting());
    fixture.broker.next_session();
}

TEST_CASE("more than may wait from one source are turned away", "[gate]") {
    GateFixture fixture;
    const std::size_t served = limits::handshakes_per_source_max + limits::connections_waiting_max;
    std::vector<std::unique_ptr<TlsClient>> silent;
    for (std::size_t i = 0; i < served + 5; ++i)
        silent.push_back(std::make_unique<TlsClient>(fixture.gate.port()));
    CHECK(fixture.eventually([&] { return fixture.counters().refused_for(Cause::source_busy) == 5; }));
    CHECK(fixture.counters().handshakes.value() == limits::handshakes_per_source_max);
    fixture.pass(limits::handshake_time_max + 1s);
    CHECK(
        fixture.eventually([&] { return fixture.counters().refused_for(Cause::slow_handshake) == served; }));
    CHECK(fixture.eventually([&] { return fixture.counters().connections.value() == 0; }));
}

TEST_CASE("at the limit of connections accept waits until one has gone", "[gate]") {
    GateFixture fixture{pki().broker(), 2};
    auto first = std::make_unique<Peer>(fixture);
    Peer second{fixture};
    TlsClient third{fixture.gate.port()};  // the kernel's queue has it
    fixture.broker.say(ItemKind::frame, second.session, Bytes{1});
    REQUIRE(second.client.next_message());
    CHECK(fixture.counters().accepted.value() == 2);
    first.reset();
    REQUIRE(third.handshake(pki().client("police-31")));
    CHECK(fixture.counters().accepted.value() == 3);
}

TEST_CASE("a clock set back or forward neither ends a handshake early nor lets it go on for ever", "[gate]") {
    const auto hour = GENERATE(std::chrono::hours{-1}, std::chrono::hours{1});
    GateFixture fixture;
    TlsClient client{fixture.gate.port()};
    REQUIRE(fixture.eventually([&] { return fixture.counters().handshakes.value() == 1; }));
    fixture.pass(3s);
    fixture.clock.set_by(hour);
    fixture.pass(1s);
    CHECK(fixture.counters().refused_for(Cause::slow_handshake) == 0);
    fixture.pass(10s);
    CHECK(fixture.eventually([&] {
        fixture.pass(0s);
        return fixture.counters().refused_for(Cause::slow_handshake) == 1;
    }));
}
