/// The subscribing half of a bench: attaches to mailboxes, acknowledges what comes, keeps the credit up.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/bench/agencies.h"
#include "tools/bench/loop.h"

namespace flagpost::bench {

/// Subscribes without credit: what it costs the broker is its connection and its place in the mailbox.
void attach_quietly(Peer& peer, const std::string& prefix, const std::vector<Agency>& agencies);
/// A connection the broker refuses something has no further use here.
void close_if_refused(Peer& peer, const schemas::Frame& frame);

class Subscriber {
public:
    static constexpr std::int64_t quiet_ns = 2'000'000'000;

    void subscribe(Peer& peer, const std::string& durable, const std::vector<std::string>& topics,
                   std::uint32_t messages = limits::credit_messages_max);
    void on_subscribed(const schemas::Subscribed& subscribed);
    /// Notes a delivery, to be acknowledged by the next call of acknowledge. Whether it is the first of its
    /// number.
    bool on_deliver(const schemas::Deliver& deliver);
    void acknowledge(Peer& peer);

    bool attached() const { return attached_; }
    /// Whether everything has come that the broker had when we attached, as far as one can tell: what was
    /// acknowledged earlier counts in the high-water mark and never comes, so some quiet is taken for the end
    /// as well.
    bool caught_up() const;
    std::uint64_t received() const { return received_; }
    std::uint64_t duplicates() const { return duplicates_; }

private:
    struct Mailbox {
        std::uint64_t high_water = 0;
        std::uint64_t newest = 0;
        std::vector<std::uint64_t> unacknowledged;
    };
    std::map<std::string, Mailbox> mailboxes_;
    bool attached_ = false;
    std::int64_t last_ns_ = 0;
    std::uint64_t received_ = 0;
    std::uint64_t duplicates_ = 0;
    std::uint32_t credit_used_ = 0;
    std::uint64_t bytes_used_ = 0;
};

}  // namespace flagpost::bench
