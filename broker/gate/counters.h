/// What a gate has counted. Written by its thread, readable from any other.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "broker/core/result.h"

namespace flagpost::gate {

/// Why a connection did not become a session. Each is counted; the broker is told of each but hung_up.
enum class Cause : std::uint8_t {
    hung_up,            // the peer went away by itself
    source_busy,        // its address has too many handshakes under way, and too many wait already
    slow_handshake,     // not a session within limits::handshake_time_max
    handshake_size,     // more than limits::handshake_bytes_max before the handshake was done
    not_tls,            // the first bytes are no TLS record
    tls_version,        // older than TLS 1.3
    protocol,           // ALPN offered without ours
    no_certificate,     // the peer showed none
    untrusted,          // no chain to the partnership's CA, or a broken one
    revoked,            // on the revocation list
    outside_validity,   // expired, or not yet valid
    revocation_list,    // ours is missing or out of date: everybody is refused until it is renewed
    certificate,        // trusted, but not made as the profile says
    other_partnership,  // trusted, but not of our partnership
    tls,                // any other failure of the handshake
    zmtp,               // not a ZMTP DEALER within our bounds
};
inline constexpr std::size_t cause_count = static_cast<std::size_t>(Cause::zmtp) + 1;
inline constexpr std::size_t reason_count = static_cast<std::size_t>(Reason::in_use) + 1;

/// The cause's name in logs, metrics and fabric items.
std::string_view name(Cause cause);

/// A number with one writing thread.
class Counter {
public:
    void add(std::uint64_t n) { value_.store(value() + n, std::memory_order_relaxed); }
    void subtract(std::uint64_t n) { value_.store(value() - n, std::memory_order_relaxed); }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

struct Counters {
    // Ever growing
    Counter accepted;  // sockets
    Counter opened;    // sessions
    Counter bytes_in, bytes_out, frames_in, frames_out;
    Counter reloads, reloads_failed;
    std::array<Counter, cause_count> refused;  // by Cause
    std::array<Counter, reason_count> ended;   // sessions, by Reason; Reason::none: the peer hung up

    // At this moment
    Counter connections;
    Counter sessions;
    Counter handshakes;
    Counter input_bytes;   // parts of messages that have not ended
    Counter fabric_bytes;  // handed to the broker, not yet consumed
    Counter output_bytes;  // queued for peers

    std::uint64_t refused_for(Cause cause) const { return refused[static_cast<std::size_t>(cause)].value(); }
    std::uint64_t ended_for(Reason reason) const { return ended[static_cast<std::size_t>(reason)].value(); }
};

}  // namespace flagpost::gate
