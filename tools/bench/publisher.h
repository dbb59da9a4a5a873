/// The publishing half of a bench: fills each connection's window, signs in batches, times the confirms.
#pragma once

#include <fstream>

#include "broker/crypto/keys.h"
#include "tools/bench/agencies.h"
#include "tools/bench/loop.h"
#include "tools/bench/measure.h"

namespace flagpost::bench {

/// What came of the messages of one phase.
struct Tally {
    std::uint64_t sent = 0;
    std::uint64_t confirmed = 0;
    std::uint64_t refused = 0;
    std::string refusal;  // of the last one refused
    Durations acknowledged;
};

class Publisher {
public:
    /// How long messages wait for company under one signature.
    static constexpr std::int64_t linger_ns = 2'000'000;

    explicit Publisher(const Options& options);

    /// Connection `number` publishes as this agency from now on.
    void add_connection(const Agency& agency);
    /// Takes over up to `window` unconfirmed; throws if the broker's window is smaller.
    void set_window(std::size_t window) { window_ = window; }

    /// Sends as many as the window has room for, once they are worth a signature or have waited long enough.
    void fill(Peer& peer);
    /// Sends these now, whatever the window says: for an open loop.
    void send(Peer& peer, const std::vector<std::int64_t>& scheduled_ns);
    /// When the first waiting message has waited long enough; far ahead if none waits.
    std::int64_t next_due_ns() const;
    void fill_due(Loop& loop);
    void stop() { stopped_ = true; }

    void on_confirm(const Peer& peer, const schemas::Confirm& confirm);
    void on_refuse(const Peer& peer, const schemas::Refuse& refuse);

    Tally& tally() { return tally_; }
    std::uint64_t confirmed() const { return tally_.confirmed; }
    std::uint64_t outstanding() const { return outstanding_; }

private:
    struct Connection {
        const Agency* agency;
        std::vector<std::int64_t> sent_ns;  // by sequence; 0 once answered
        std::uint64_t outstanding = 0;
        std::int64_t waiting_since_ns = 0;
    };
    std::optional<std::int64_t> answered(const Peer& peer, BytesView id);

    std::size_t window_;
    crypto::SystemRandom random_;
    Ids ids_;
    Payloads payloads_;
    std::vector<Connection> connections_;
    std::uint64_t outstanding_ = 0;
    bool stopped_ = false;
    Tally tally_;
    std::ofstream log_;
};

}  // namespace flagpost::bench
