/// One thread, many connections: epoll, TLS without blocking, ZMTP inside, whole session frames out.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "broker/crypto/tls.h"
#include "broker/store/disk.h"
#include "broker/wire/frames.h"
#include "broker/wire/zmtp.h"

namespace flagpost::bench {

class Loop;

/// One connection to the broker, from TCP connect to the session's frames.
class Peer {
public:
    enum class State { idle, connecting, handshake, greeting, open, closed };

    Peer(Loop& loop, std::size_t number, SSL_CTX* tls) : loop_{loop}, number_{number}, tls_context_{tls} {}
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer() { close(""); }

    /// source   address to connect from, so that one machine can stand for several; empty: the system's choice
    void connect(const std::string& source);
    /// Takes the frame; it goes out with the next flush.
    void send(BytesView frame);
    void flush();
    void close(const std::string& why);

    std::size_t number() const { return number_; }
    State state() const { return state_; }
    bool open() const { return state_ == State::open; }
    const std::string& why() const { return why_; }  // of having closed
    std::int64_t sent_ns() const { return sent_ns_; }

private:
    friend class Loop;
    void on_event(std::uint32_t events);
    void handshake();
    void read();
    void on_message(BytesView content);
    void watch(std::uint32_t events);
    std::string tls_problem(int result) const;

    Loop& loop_;
    std::size_t number_;
    SSL_CTX* tls_context_;
    State state_ = State::idle;
    std::unique_ptr<store::Descriptor> socket_;
    crypto::TlsConnection tls_;
    std::unique_ptr<wire::zmtp::Parser> parser_;
    Bytes out_;
    std::size_t out_begin_ = 0;
    std::uint32_t watched_ = 0;
    std::int64_t sent_ns_ = 0;
    std::string why_;
};

/// What a mode does with its connections. Called on the loop's thread; a peer may be written to at once.
class Handler {
public:
    virtual ~Handler() = default;
    virtual void on_open(Peer& peer, const schemas::Welcome& welcome) = 0;
    virtual void on_frame(Peer& peer, const schemas::Frame& frame) = 0;
    virtual void on_closed(Peer& peer) = 0;
};

class Loop {
public:
    Loop(std::string host, std::uint16_t port, Handler& handler);
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Adds a connection; it begins once fewer handshakes are under way than the broker allows a source.
    Peer& add(SSL_CTX* tls);
    /// Connects again, at once and however many do, as adapters that know nothing of each other. Only for one that has
    /// closed, and not from within its own callback; the peer it was is gone.
    void come_again(std::size_t number);
    /// Waits at most until `deadline_ns` and handles what has happened.
    void turn(std::int64_t deadline_ns);
    /// Turns until `done`, or until the deadline; whether it was done.
    bool until(std::int64_t deadline_ns, const std::function<bool()>& done);

    const std::vector<std::unique_ptr<Peer>>& peers() const { return peers_; }
    std::size_t open_count() const { return open_; }
    std::size_t closed_count() const { return closed_; }

private:
    friend class Peer;
    void begin_more();
    void send_heartbeats();
    void forget_handshake(Peer& peer);
    std::string source_of(std::size_t number) const;

    std::string host_;
    std::uint16_t port_;
    Handler& handler_;
    store::Descriptor epoll_;
    std::vector<std::unique_ptr<Peer>> peers_;
    std::size_t next_to_begin_ = 0;
    std::set<std::size_t> under_way_;  // connections between connect and Welcome
    std::size_t open_ = 0;
    std::size_t closed_ = 0;
    std::int64_t heartbeats_due_ns_ = 0;
    Bytes buffer_;  // what was read last, for all connections
};

}  // namespace flagpost::bench
