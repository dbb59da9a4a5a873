#include "broker/gate/fabric_link.h"

#include <signal.h>

#include "tests/unit/gate/fake_broker.h"

using namespace flagpost;
using namespace flagpost::test;
using namespace std::chrono_literals;

namespace {

crypto::SymmetricKey fabric_key() {
    return crypto::SymmetricKey{
        std::array<std::uint8_t, 32>{1, 2, 3}
    };
}

Digest proof_of(BytesView nonce) {
    return crypto::hmac_sha256(fabric_key(), {view(fabric::attach_label), nonce});
}

/// The other side of the challenge, as the broker plays it.
void attach_gate(FakeBroker& broker) {
    REQUIRE(broker.next(ItemKind::attach).content.empty());
    const Bytes nonce(fabric::nonce_size, 9);
    broker.say(ItemKind::challenge, Id16{}, nonce);
    Bytes answer;
    while (answer.empty()) answer = broker.next(ItemKind::attach).content;
    CHECK(answer == copy(proof_of(nonce)));
}

/// A gate whose broker is, or might be, another process.
struct DistantFixture {
    TemporaryDirectory directory;
    std::string endpoint = "ipc://" + (directory.path() / "fabric").string();
    zmq::context_t gates_context, brokers_context;
    ManualClock clock{
        std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now())};
    crypto::SystemRandom random;
    gate::GateThread gate{
        {.tls = pki().broker(),
         .partnership = PracticePki::partnership,
         .fabric_endpoint = endpoint,
         .fabric_key = fabric_key(),
         .connections_max = 100},
        gates_context,
        clock,
        random
    };
};

}  // namespace

TEST_CASE("a gate in its own process proves that it holds the fabric key, then serves", "[gate]") {
    DistantFixture world;
    TlsClient client{world.gate.port()};  // the kernel's queue has it
    FakeBroker broker{world.brokers_context, world.endpoint};
    CHECK(world.gate.counters().accepted.value() == 0);
    attach_gate(broker);
    REQUIRE(client.handshake(pki().client("police-31")));
    REQUIRE(client.send_greeting());
    const Id16 session = broker.next_session();
    CHECK(broker.kept(ItemKind::credentials) == 1);
    broker.say(ItemKind::frame, session, Bytes{1, 2});
    CHECK(client.next_message() == Bytes{1, 2});
}

TEST_CASE("when the broker is gone all sessions end, and new ones begin when it is back", "[gate]") {
    DistantFixture world;
    auto broker = std::make_unique<FakeBroker>(world.brokers_context, world.endpoint);
    attach_gate(*broker);
    TlsClient client{world.gate.port()};
    REQUIRE(client.handshake(pki().client("police-31")));
    REQUIRE(client.send_greeting());
    broker->next_session();
    broker.reset();
    CHECK(goodbye(client.next_message()) == "shutting_down the broker is not there");
    CHECK(client.ended());

    FakeBroker again{world.brokers_context, world.endpoint};
    attach_gate(again);
    again.next(ItemKind::credentials);  // nor by which lists peers are judged: it is told anew
    TlsClient newcomer{world.gate.port()};
    REQUIRE(newcomer.handshake(pki().client("police-31")));
    REQUIRE(newcomer.send_greeting());
    again.next_session();
    CHECK(again.kept(ItemKind::close) == 0);  // of the sessions of before it knows nothing
}

TEST_CASE("a gate as a process reloads on SIGHUP and says goodbye on SIGTERM", "[gate]") {
    const TemporaryDirectory directory;
    const std::string endpoint = "ipc://" + (directory.path() / "fabric").string();
    zmq::context_t context;
    crypto::SystemRandom random;
    SystemClock clock;
    FakeBroker broker{context, endpoint};
    const auto free_port = gate::Listener{"127.0.0.1", 0}.port();
    std::thread process{[&] {
        gate::run_gate({.port = free_port,
                        .tls = pki().broker(),
                        .partnership = PracticePki::partnership,
                        .fabric_endpoint = endpoint,
                        .fabric_key = fabric_key()},
                       clock, random);
    }};
    attach_gate(broker);
    TlsClient client{free_port};
    REQUIRE(client.handshake(pki().client("police-31")));
    REQUIRE(client.send_greeting());
    const Id16 session = broker.next_session();
    ::pthread_kill(process.native_handle(), SIGHUP);
    broker.say(ItemKind::frame, session, Bytes{1});
    CHECK(client.next_message() == Bytes{1});
    ::pthread_kill(process.native_handle(), SIGTERM);
    CHECK(goodbye(client.next_message()) == "shutting_down ");
    process.join();
}

TEST_CASE("a gate over ipc without a fabric key does not start", "[gate]") {
    zmq::context_t context;
    CHECK_THROWS_AS((gate::FabricLink{context, "ipc:///nowhere", std::nullopt}), std::invalid_argument);
}

TEST_CASE("a broker of this process that goes away ends all sessions", "[gate]") {
    zmq::context_t context;
    ManualClock clock{
        std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now())};
    crypto::SystemRandom random;
    auto broker = std::make_unique<FakeBroker>(context, "inproc://fabric");
    gate::GateThread gate{
        {.tls = pki().broker(),
         .partnership = PracticePki::partnership,
         .fabric_endpoint = "inproc://fabric",
         .connections_max = 100},
        context,
        clock,
        random
    };
    TlsClient client{gate.port()};
    REQUIRE(client.handshake(pki().client("police-31")));
    REQUIRE(client.send_greeting());
    broker->next_session();
    broker.reset();
    while (gate.counters().sessions.value() > 0) {  // libzmq closes a socket when it finds time to
        clock.advance(1s);
        gate.wake();
    }
    CHECK(goodbye(client.next_message()) == "shutting_down the broker is not there");
}
