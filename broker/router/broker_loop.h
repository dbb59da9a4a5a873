/// The broker thread: the sockets to the gates, the clock, the store thread's answers, and the Broker between them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <zmq.hpp>

#include "broker/core/clock.h"
#include "broker/core/wall_time.h"
#include "broker/router/broker.h"
#include "broker/router/store_thread.h"

namespace flagpost::router {

/// How often operators are shown anew how things stand.
inline constexpr auto standing_interval = std::chrono::seconds{2};

struct LoopSetting {
    zmq::context_t& context;  // shared with gates in this process
    std::string inproc;       // endpoint for them
    std::optional<std::string>
        ipc;  // endpoint for gates in processes of their own; its folder keeps others out
    Clock& clock;
    /// Readable when `control` is to be called; control answers whether to go on.
    int control_fd;
    std::function<bool()> control;
    /// Told every standing_interval how things stand.
    std::function<void(standing::Standing)> tell_standing = [](const standing::Standing&) {};
};

/// Belongs to the thread that makes it and calls run().
class BrokerLoop {
public:
    /// Binds the sockets. The broker's own first records are committed before any gate is served.
    BrokerLoop(LoopSetting setting, BrokerSetting broker, StoreThread& store);

    /// Serves until control says stop; then says goodbye, commits what is pending and has the last head signed.
    /// Throws what the store thread throws: after that nothing may be promised any more.
    void run();

    /// Parties, whose object the caller has changed in place, revocation list or keys are other than before. For `control`.
    void files_changed(exchange::InForce in_force);

private:
    Now now();
    void await_first_commit();
    void tell_standing();
    void turn(std::chrono::milliseconds longest);
    std::chrono::milliseconds patience() const;
    /// A socket gates come to. libzmq makes its descriptor readable when something changes and not while something waits, and
    /// whatever is done with the socket may take that signal: from then on it is to be looked at until it has nothing more.
    struct Door {
        zmq::socket_t socket;
        char prefix;
        bool look = true;
    };

    void take_news();
    void take_batches(Door& door);
    void hand_over();
    void flush();
    void shut_down();
    Door& door_of(const GateName& gate) { return gate.front() == inproc_.prefix ? inproc_ : ipc_; }

    LoopSetting setting_;
    WallTime time_;
    Door inproc_, ipc_;
    StoreThread& store_;
    Broker broker_;
    Running next_tick_, next_standing_;
    bool stopping_ = false;
};

}  // namespace flagpost::router
