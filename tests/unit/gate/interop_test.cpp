#include <fcntl.h>
#include <poll.h>

#include <filesystem>

#include "tests/unit/gate/fake_broker.h"

using namespace flagpost;
using namespace flagpost::test;

namespace {

/// A stock tunnel as an agency would run one: plain TCP on the loopback in, TLS to the gate out.
class Tunnel {
public:
    explicit Tunnel(std::uint16_t gate_port) : listener_{"127.0.0.1", 0}, client_{gate_port} {
        if (!client_.handshake(pki().client("police-31"))) throw std::runtime_error{"no handshake"};
        thread_ = std::thread{[this] { run(); }};
    }
    ~Tunnel() {
        stopping_ = true;
        thread_.join();
    }
    std::string endpoint() const { return "tcp://127.0.0.1:" + std::to_string(listener_.port()); }

private:
    void run() {
        std::optional<gate::Accepted> plain;
        while (!stopping_ && !(plain = listener_.accept())) wait(listener_.descriptor(), -1);
        if (!plain) return;
        ::fcntl(client_.descriptor(), F_SETFL, O_NONBLOCK);
        while (!stopping_ && up(plain->socket.get()) && down(plain->socket.get()))
            wait(plain->socket.get(), client_.descriptor());
    }
    static void wait(int first, int second) {
        pollfd watched[]{
            {first,  POLLIN, 0},
            {second, POLLIN, 0}
        };
        ::poll(watched, second < 0 ? 1 : 2, 10);
    }
    bool up(int plain) {
        std::uint8_t buffer[16'384];
        ssize_t got = 0;
        while ((got = ::recv(plain, buffer, sizeof buffer, 0)) > 0)
            for (ssize_t done = 0; done < got;) {
                const int sent = SSL_write(client_.tls(), buffer + done, static_cast<int>(got - done));
                if (sent > 0) done += sent;
                if (sent <= 0 && SSL_get_error(client_.tls(), sent) != SSL_ERROR_WANT_WRITE) return false;
            }
        return got < 0;
    }
    bool down(int plain) {
        std::uint8_t buffer[16'384];
        int got = 0;
        while ((got = SSL_read(client_.tls(), buffer, sizeof buffer)) > 0)
            for (ssize_t done = 0; done < got;)
                if (const auto sent = ::send(plain, buffer + done, static_cast<std::size_t>(got - done), 0);
                    sent > 0)
                    done += sent;
        return SSL_get_error(client_.tls(), got) == SSL_ERROR_WANT_READ;
    }

    gate::Listener listener_;
    TlsClient client_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace

TEST_CASE("a stock libzmq DEALER behind a tunnel is a client, whatever it calls itself", "[gate]") {
    const auto* identity = GENERATE("", "imposter");
    GateFixture fixture;
    Tunnel tunnel{fixture.gate.port()};
    zmq::context_t context;
    zmq::socket_t dealer{context, zmq::socket_type::dealer};
    dealer.set(zmq::sockopt::linger, 0);
    dealer.set(zmq::sockopt::rcvtimeo, 10'000);
    dealer.set(zmq::sockopt::heartbeat_ivl, 20);
    dealer.set(zmq::sockopt::heartbeat_timeout, 5'000);
    if (*identity != '\0') dealer.set(zmq::sockopt::routing_id, identity);
    dealer.connect(tunnel.endpoint());

    const Id16 session = fixture.broker.next_session();
    for (const std::size_t size : {0, 1, 255, 256, 65'536, 1'048'576}) {
        CAPTURE(size);
        Bytes content(size, static_cast<std::uint8_t>(size % 251));
        dealer.send(zmq::buffer(content), zmq::send_flags::none);
        const auto frame = fixture.broker.next(ItemKind::frame);
        REQUIRE(frame.session == session);
        REQUIRE(frame.content == content);
        fixture.broker.say(ItemKind::frame, session, content);
        zmq::message_t echo;
        REQUIRE(dealer.recv(echo));
        REQUIRE(echo.size() == size);
        REQUIRE(std::equal(content.begin(), content.end(), echo.data<std::uint8_t>()));
        REQUIRE_FALSE(echo.more());
    }
    // Heartbeats went on meanwhile: a PING of libzmq unanswered would have ended the connection.
    const std::uint64_t before = fixture.counters().bytes_in.value();
    CHECK(fixture.eventually([&] { return fixture.counters().bytes_in.value() > before + 50; }));
    CHECK(fixture.counters().sessions.value() == 1);
    CHECK(fixture.counters().opened.value() == 1);
}

TEST_CASE("a multipart message of libzmq ends its session", "[gate]") {
    GateFixture fixture;
    Tunnel tunnel{fixture.gate.port()};
    zmq::context_t context;
    zmq::socket_t dealer{context, zmq::socket_type::dealer};
    dealer.set(zmq::sockopt::linger, 0);
    dealer.set(zmq::sockopt::rcvtimeo, 10'000);
    dealer.connect(tunnel.endpoint());
    fixture.broker.next_session();
    dealer.send(zmq::str_buffer("one"), zmq::send_flags::sndmore);
    dealer.send(zmq::str_buffer("two"), zmq::send_flags::none);
    zmq::message_t last;
    REQUIRE(dealer.recv(last));
    CHECK(goodbye(Bytes(last.data<std::uint8_t>(), last.data<std::uint8_t>() + last.size())) ==
          "malformed zmtp.more");
    CHECK(fabric::read_ending(fixture.broker.next(ItemKind::close).content)->reason == Reason::malformed);
}
