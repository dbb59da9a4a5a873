/// What one consumer is sent: where it stands in each mailbox, and how much more it has asked for. Pure values.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "broker/core/limits.h"

namespace flagpost::router {

/// Messages and bytes a consumer is ready for. The last message may overdraw the bytes, or one larger than what a
/// consumer ever grants could never be sent.
class CreditLine {
public:
    /// What goes beyond the limits is forgotten: they bound what may wait in the gate for one peer.
    void grant(std::uint32_t messages, std::uint64_t bytes) {
        messages_ = std::min<std::uint64_t>(std::uint64_t{messages_} + messages, limits::credit_messages_max);
        bytes_ = std::min<std::int64_t>(bytes_ + static_cast<std::int64_t>(std::min(bytes, bytes_max)),
                                        static_cast<std::int64_t>(bytes_max));
    }
    void set(std::uint32_t messages, std::uint64_t bytes) {
        messages_ = 0;
        bytes_ = 0;
        grant(messages, bytes);
    }
    bool enough() const { return messages_ > 0 && bytes_ > 0; }
    void spend(std::size_t bytes) {
        --messages_;
        bytes_ -= static_cast<std::int64_t>(bytes);
    }

private:
    static constexpr std::uint64_t bytes_max = limits::credit_bytes_max;
    static_assert(bytes_max + limits::frame_size_max < limits::output_queue_max,
                  "or the gate drops who has credit");
    std::uint64_t messages_ = 0;
    std::int64_t bytes_ = 0;
};

/// A session's place in each of its mailboxes: the last number sent.
struct Subscription {
    std::string durable;  // empty: not subscribed to anything
    std::map<std::string, std::uint64_t> sent;
    CreditLine credit;
};

/// How a session came to its end, as far as that says something about what it was sent.
enum class Ending : std::uint8_t {
    ours,     // we or a rule ended it
    silence,  // nothing was heard: the network is cut, its machine is gone, or it hangs
    hung_up,  // its process ended, perhaps of what it was sent
};

/// How many sessions in a row of either ending one item may be the oldest of, before it is put aside. Silence is mostly
/// the network's, and a message is not to blame for that; but what a consumer hangs at must get out of the way too.
inline constexpr std::uint32_t stuck_sessions_max = 8 * limits::delivery_attempts_max;

/// How often each delivery has been tried, without remembering deliveries: an attach sends everything pending in
/// order, so a number was tried once in each earlier attach that got that far.
class Attempts {
public:
    /// An attach is over; this is how far it got.
    void reached(std::uint64_t number) {
        reached_.push_back(number);
        if (reached_.size() > limits::attaches_remembered_max) reached_.erase(reached_.begin());
    }
    /// A new one begins at this number: attaches that did not get there say nothing about what is sent now.
    void begin(std::uint64_t oldest) {
        std::erase_if(reached_, [&](std::uint64_t number) { return number < oldest; });
    }
    std::uint32_t of(std::uint64_t number) const {
        return 1 + static_cast<std::uint32_t>(
                       std::ranges::count_if(reached_, [&](std::uint64_t far) { return far >= number; }));
    }

    /// A session is over, and this is the oldest item it was sent and did not store. How many sessions in a row it was
    /// the same one: items are stored in order, so this one is what stands in the way.
    std::uint32_t stuck_at(std::uint64_t oldest, Ending how) {
        if (oldest != stuck_) sessions_stuck_ = hung_up_ = 0;
        stuck_ = oldest;
        if (how == Ending::hung_up) ++hung_up_;
        return ++sessions_stuck_;
    }
    /// Whether it was that often that it goes out of the way of those behind it.
    bool is_in_the_way() const {
        return hung_up_ >= limits::delivery_attempts_max || sessions_stuck_ >= stuck_sessions_max;
    }

private:
    std::vector<std::uint64_t> reached_;
    std::uint64_t stuck_ = 0;
    std::uint32_t sessions_stuck_ = 0;
    std::uint32_t hung_up_ = 0;  // of these
};

}  // namespace flagpost::router
