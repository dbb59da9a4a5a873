/// The TLS edge: strangers' connections in, verified peers' whole frames out to the broker, and back.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "broker/core/clock.h"
#include "broker/crypto/tls.h"
#include "broker/gate/admission.h"
#include "broker/gate/connection.h"
#include "broker/gate/counters.h"
#include "broker/gate/fabric_link.h"
#include "broker/gate/trust.h"

namespace flagpost::gate {

struct GateConfig {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;   // 0: one the system chooses, see Gate::port
    crypto::TlsFiles tls;     // with a revocation list
    std::string partnership;  // trust domain of every peer
    std::string fabric_endpoint = "inproc://flagpost-fabric";
    std::optional<crypto::SymmetricKey> fabric_key{};  // needed for ipc://
    std::size_t connections_max =
        0;  // 0: limits::descriptors_used_max of the descriptors this process may have
};

/// One thread's loop over all its connections. Built anywhere; run() belongs to one thread; what says so may be
/// called from any. broker/gate/README.md tells a connection's life.
class Gate {
public:
    /// Listens from here on, so that port() is known; nobody is answered before run().
    ///
    /// fabric   the context the broker's ROUTER lives in, for inproc://
    /// clock    wall clock; a step back stretches waits by nothing more than one turn
    /// random   session ids; used on the thread of run()
    /// throws   CryptoFailure, std::system_error, std::runtime_error: bad files or address
    /// Raises the process's soft limit of descriptors to its hard one.
    Gate(GateConfig config, zmq::context_t& fabric, Clock& clock, Random& random);
    Gate(const Gate&) = delete;
    Gate& operator=(const Gate&) = delete;

    std::uint16_t port() const { return listener_.port(); }
    const Counters& counters() const { return counters_; }  // any thread

    /// Until stop(). Sessions are then told that the broker is shutting down.
    void run();

    // From any thread, and from a signal handler.
    void stop();
    void reload();  // reads certificates and revocation list anew, though their files look unchanged
    void wake();    // looks at the clock at once

private:
    // The loop: gate.cpp
    void turn();
    void on_ready(void* source, std::uint32_t events);
    void tick();
    void sweep();
    void sweep_some();
    void sweep(Connection& connection);
    void report_refusals();
    void reload_trust();
    void judge_anew();
    void reap();

    // From accept to session: gate_handshakes.cpp
    bool may_accept() const;
    void watch_listener();
    void accept_waiting();
    void start_tls(Connection& connection);
    void promote_waiting();
    void shake_hands(Connection& connection);
    void greet(Connection& connection);
    void open_session(Connection& connection);
    void leave_handshake(Connection& connection);
    void refuse(Connection& connection, Cause cause);

    // Bytes in and out: gate_traffic.cpp
    void on_event(Connection& connection, std::uint32_t events);
    void read(Connection& connection);
    void take(Connection& connection, BytesView bytes);
    void take_event(Connection& connection, const wire::zmtp::Event& event);
    void take_message(Connection& connection, BytesView content);
    void note_partial(Connection& connection);
    void check_key_updates(Connection& connection);
    bool may_take(const Connection& connection) const;
    bool may_read(const Connection& connection) const;
    void resume(Connection& connection);
    void read_resumed();
    void queue(Connection& connection, BytesView bytes);
    void queue_message(Connection& connection, BytesView content);
    void queued(Connection& connection, std::size_t size_before);
    void flush(Connection& connection);
    void flush_all();
    void watch(Connection& connection);

    // Endings, from the politest to the shortest: gate_endings.cpp
    void say_goodbye(Connection& connection, Reason reason, std::string_view text);
    void fail(Connection& connection, const Refusal& refusal);
    void close(Connection& connection, Reason reason);
    void drain(Connection& connection);
    void drop(Connection& connection);
    void end_session(Connection& connection, Reason reason);

    // The broker: gate_fabric.cpp
    void exchange_with_broker();
    bool receive_batches();
    void take_batch(BytesView batch);
    void take_item(const wire::fabric::Item& item);
    void grant(Connection& connection, BytesView content);
    void relieve();
    void hand_over();
    void lose_broker();
    void tell_credentials();

    GateConfig config_;
    Clock& clock_;
    Random& random_;
    Counters counters_;
    Listener listener_;
    Trust trust_;
    FabricLink link_;
    Descriptor epoll_, wake_;
    std::atomic<bool> stopping_{false}, reload_asked_{false};

    // The thread of run() owns everything below.
    Running started_;
    Instant wall_;
    Elapsed now_{0}, swept_{0};
    bool connections_limited_ = false;  // by the descriptors this process may have
    std::size_t to_sweep_ = 0;          // connections, from the front, still to be looked at in this sweep
    bool listening_ = false;            // the listener is being watched
    bool rest_accept_ = false;          // the system had nothing to give: until the next sweep
    bool look_ = true;                  // the broker may have said something
    bool full_ = false;                 // bytes of all sessions together have reached their limit
    int handshake_steps_ = 0;           // taken in this turn
    Admission admission_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::deque<Connection*> waiting_;
    struct SessionHash {
        std::size_t operator()(const Id16& id) const;
    };
    std::unordered_map<Id16, Connection*, SessionHash> sessions_;
    std::vector<Connection*> to_flush_, to_read_, over_;
    std::vector<Id16> to_judge_;  // sessions not yet verified against the newest context
    std::vector<std::uint8_t>
        buffer_;  // one for all connections: a copy buffer each cost more memory than TLS
    std::array<std::uint64_t, cause_count> reported_{};
};

/// A gate on a thread of its own, for a broker in the same process. An error its loop cannot answer ends the
/// process: a supervisor starts it anew.
class GateThread {
public:
    GateThread(GateConfig config, zmq::context_t& fabric, Clock& clock, Random& random);
    ~GateThread();  // stops and waits

    std::uint16_t port() const { return gate_.port(); }
    const Counters& counters() const { return gate_.counters(); }
    void reload() { gate_.reload(); }
    void wake() { gate_.wake(); }
    void stop();

private:
    Gate gate_;
    std::thread thread_;
};

/// A gate as a process: until SIGTERM or SIGINT; SIGHUP reloads. Call it before any other thread exists.
void run_gate(GateConfig config, Clock& clock, Random& random);

}  // namespace flagpost::gate
