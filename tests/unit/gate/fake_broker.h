/// A broker's end of the fabric, as small as the gate's tests allow, and a gate with one behind it.
#pragma once

#include <map>
#include <zmq.hpp>

#include "broker/core/limits.h"
#include "broker/crypto/keys.h"
#include "broker/gate/gate.h"
#include "broker/wire/fabric.h"
#include "broker/wire/frames.h"
#include "tests/support/catch.h"
#include "tests/support/manual_clock.h"
#include "tests/support/practice_pki.h"
#include "tests/support/tls_client.h"

namespace flagpost::test {

namespace fabric = wire::fabric;
using fabric::ItemKind;

/// What a gate said, in order. Waiting is bounded, so that a missing item fails a test instead of hanging it.
class FakeBroker {
public:
    struct Item {
        ItemKind kind;
        Id16 session;
        Bytes content;
    };

    FakeBroker(zmq::context_t& context, const std::string& endpoint)
        : socket_{context, zmq::socket_type::router} {
        socket_.set(zmq::sockopt::linger, 0);
        socket_.set(zmq::sockopt::rcvhwm, 0);
        socket_.set(zmq::sockopt::sndhwm, 0);
        socket_.set(zmq::sockopt::rcvtimeo, 10'000);
        socket_.bind(endpoint);
    }

    /// The next item of this kind; others before it are kept for later.
    Item next(ItemKind kind) {
        while (true) {
            for (auto at = items_.begin(); at != items_.end(); ++at) {
                if (at->kind != kind) continue;
                Item item = std::move(*at);
                items_.erase(at);
                return item;
            }
            if (!receive()) throw std::runtime_error{"the gate has said nothing of that kind"};
        }
    }

    /// Opens the next session's window.
    Id16 next_session(std::uint32_t window = 1000) {
        const Id16 session = next(ItemKind::open).session;
        if (window > 0) say(ItemKind::window, session, fabric::write_window(window));
        return session;
    }

    /// Items of this kind received so far and not yet taken.
    std::size_t kept(ItemKind kind) const {
        return static_cast<std::size_t>(
            std::count_if(items_.begin(), items_.end(), [&](const Item& item) { return item.kind == kind; }));
    }

    void say(ItemKind kind, const Id16& session, BytesView content) {
        Bytes batch;
        fabric::append(batch, kind, session, content);
        socket_.send(zmq::buffer(gate_), zmq::send_flags::sndmore);
        socket_.send(zmq::buffer(batch.data(), batch.size()), zmq::send_flags::none);
    }

    /// Takes what has come without waiting longer.
    void look() {
        socket_.set(zmq::sockopt::rcvtimeo, 0);
        while (receive()) {
        }
        socket_.set(zmq::sockopt::rcvtimeo, 10'000);
    }

private:
    bool receive() {
        zmq::message_t gate, batch;
        if (!socket_.recv(gate)) return false;
        static_cast<void>(socket_.recv(batch));
        gate_ = gate.to_string();
        const auto items = fabric::read_batch({static_cast<const std::uint8_t*>(batch.data()), batch.size()});
        if (!items) throw std::runtime_error{"a batch of the gate cannot be read"};
        for (const auto& item : *items) items_.push_back({item.kind, item.session, copy(item.content)});
        return true;
    }

    zmq::socket_t socket_;
    std::string gate_;
    std::vector<Item> items_;
};

/// One practice partnership for all tests of this program: making keys is slow.
inline const PracticePki& pki() {
    static const PracticePki made{"--agency police/31 --agency school/122802 --zoo"};
    return made;
}

/// A gate on the loopback, a broker behind it, and a clock that stands still.
struct GateFixture {
    GateFixture() : GateFixture{pki().broker()} {}
    explicit GateFixture(crypto::TlsFiles files, std::size_t connections_max = 1000)
        : gate{
              {.tls = std::move(files),
               .partnership = PracticePki::partnership,
               .fabric_endpoint = "inproc://fabric",
               .connections_max = connections_max},
              context,
              clock,
              random
    } {}

    /// Lets time pass for the gate, and waits until it has done what is due. The first look after may still have
    /// read the old time, the second has not, and the third says that the turn of the second is over.
    void pass(std::chrono::microseconds time) {
        clock.advance(time);
        const std::uint64_t seen = clock.looks() + 3;
        eventually([&] {
            gate.wake();
            return clock.looks() >= seen;
        });
    }
    const gate::Counters& counters() const { return gate.counters(); }

    /// Until something other than this thread has made it true; ten seconds at most.
    template <class Condition> bool eventually(Condition condition) const {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds{10};
        while (!condition()) {
            if (std::chrono::steady_clock::now() > end) return false;
            std::this_thread::yield();
        }
        return true;
    }

    zmq::context_t context;
    ManualClock clock{
        std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now())};
    crypto::SystemRandom random;
    FakeBroker broker{context, "inproc://fabric"};
    gate::GateThread gate;
};

/// A client whose session the broker has opened.
struct Peer {
    explicit Peer(GateFixture& fixture, const std::string& party = "police-31", std::uint32_t window = 1000)
        : client{fixture.gate.port()} {
        if (!client.handshake(pki().client(party)) || !client.send_greeting())
            throw std::runtime_error{"no handshake"};
        session = fixture.broker.next_session(window);
    }
    TlsClient client;
    Id16 session;
};

/// The Goodbye in these bytes, as "reason where"; empty if they are none.
inline std::string goodbye(const std::optional<Bytes>& bytes) {
    if (!bytes) return {};
    const auto frame = wire::read_frame(*bytes);
    if (!frame || (*frame)->body_type() != schemas::Body::Goodbye) return {};
    const auto* body = (*frame)->body_as_Goodbye();
    const std::string where = body->where() == nullptr ? "" : body->where()->str();
    return std::string{name(static_cast<Reason>(body->reason()))} + ' ' + where;
}

}  // namespace flagpost::test
