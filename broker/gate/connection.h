/// One peer of the gate, from accept to the last byte: its stream, its parser and what it has under way.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "broker/core/clock.h"
#include "broker/core/limits.h"
#include "broker/gate/tls_stream.h"
#include "broker/wire/zmtp.h"

namespace flagpost::gate {

/// Time since the gate began. It never goes back, whatever the clock does.
using Elapsed = std::chrono::microseconds;

/// Sizes of the frames handed to the broker and not yet returned, oldest first.
class InFlight {
public:
    void add(std::size_t size);
    /// The broker has consumed this many frames, oldest first; returns their bytes. More than there are counts
    /// as all of them: that is how the broker opens a window.
    std::size_t take(std::uint32_t frames);
    std::size_t bytes() const { return bytes_; }
    void shrink() {
        if (first_ == sizes_.size()) clear();
    }

private:
    void clear() {
        std::vector<std::uint32_t>{}.swap(sizes_);
        first_ = 0;
    }
    std::vector<std::uint32_t> sizes_;
    std::size_t first_ = 0;
    std::size_t bytes_ = 0;
};

enum class Stage {
    waiting,   // for a place among the handshakes
    tls,       // handshake of TLS
    zmtp,      // handshake of ZMTP
    session,   // the broker knows it
    farewell,  // no longer a session: what was queued goes out
    draining,  // all is said: what the peer has under way is thrown away, so that our last bytes reach it
    over,      // to be removed at the end of the turn
};

struct Connection {
    Connection(Accepted accepted, Elapsed now)
        : stream{std::move(accepted.socket)},
          source{accepted.source},
          remote{std::move(accepted.remote)},
          since{now} {}

    TlsStream stream;
    Source source;
    std::string remote;
    Stage stage = Stage::waiting;
    Elapsed since;              // accept; from farewell on: its beginning
    std::size_t place = 0;      // in the gate's list
    std::uint32_t watched = 0;  // epoll events asked for
    bool registered = false;    // with epoll
    bool to_flush = false;      // on the list of those with something to send
    bool to_read = false;       // on the list of those TLS holds bytes of

    wire::zmtp::Parser parser{"DEALER"};
    Bytes opening;  // what the broker will be told, until it is
    Id16 session{};
    Instant not_after;         // of the certificate
    std::uint64_t window = 0;  // frames the broker will take
    InFlight in_flight;
    Bytes held;                           // read, and beyond the window
    bool paused = false;                  // not read from, since something of the broker's is used up
    std::size_t buffered = 0;             // bytes in parser and held, as counted in Counters::input_bytes
    std::optional<Elapsed> frame_since;   // a frame has begun and not ended
    std::optional<Elapsed> output_since;  // since then the socket has taken nothing of what waits
    std::optional<Elapsed> rekeyed;       // last key update of the peer

    bool handshaking() const { return stage == Stage::tls || stage == Stage::zmtp; }
};

}  // namespace flagpost::gate
