/// One peer's session as a machine without I/O: its frames and the time in, what to do about them out.
///
/// Simulation and the broker run this very class. It checks what a single session can know: order, window,
/// structure, the publisher's signature, silence. What the partnership permits is the exchange's to say.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "broker/core/clock.h"
#include "broker/core/limits.h"
#include "broker/core/wall_time.h"
#include "broker/exchange/exchange.h"
#include "broker/log/merkle.h"
#include "broker/router/parties.h"
#include "broker/wire/frames.h"

namespace flagpost::router {

// What the shell is to do, in this order.

/// Nothing in this frame depends on a commit: send it now.
struct Send {
    Bytes frame;
};
/// The first frame was a good Hello: have the opening recorded, then welcome.
struct Open {
    std::string software;
    std::string checkpoint;  // the last head the client saw; empty at first contact
};
/// Signature and structure are right; whether it is new and permitted is not yet known.
struct Publish {
    Id16 id;
    Bytes envelope;
    Bytes origin;
    schemas::Kind kind;  // of the envelope
};
struct Attach {
    std::string durable;
    std::vector<std::string> topics;
    std::uint32_t credit_messages;
    std::uint64_t credit_bytes;
};
struct Grant {
    std::uint32_t messages;
    std::uint64_t bytes;
};
struct Acknowledge {
    std::string topic;
    std::vector<std::uint64_t> numbers;
};
struct Ask {
    std::uint32_t request;
    schemas::QueryKind kind;
    std::uint8_t level;
    std::uint64_t from;
    std::uint16_t width;
    std::optional<Id16> id;
    std::string reference;
    std::string scope;
    std::string reason;
    std::optional<Digest> key;
};
struct Cosign {
    std::string checkpoint;
};
/// A refusal to be written down: a known peer tried what it may not.
struct WriteDown {
    Refusal refusal;
    std::string topic;
    std::optional<Id16> message;
};
/// Send a heartbeat with the newest number of each topic this session is subscribed to.
struct Beat {};
/// The session is over. `goodbye` is its last frame; empty when the peer said it first.
struct End {
    Refusal why;
    Bytes goodbye;
};
using Action =
    std::variant<Send, Open, Publish, Attach, Grant, Acknowledge, Ask, Cosign, WriteDown, Beat, End>;

class SessionMachine {
public:
    /// parties    outlives the machine
    /// not_after  of the peer's certificate; the session never outlives it
    SessionMachine(SpiffeId peer, const Parties& parties, Instant not_after, Now now);

    /// One whole frame from the peer. After an End nothing more is to be given to this machine.
    std::vector<Action> receive(BytesView frame, Now now);

    /// What is due by now: a heartbeat, or the end of a session that is silent, late or past its lease.
    std::vector<Action> tick(Now now);

    /// When tick has something to do at the earliest; the end of the certificate apart, for which it is to be called with
    /// every heartbeat.
    Running due() const;

    /// The opening is recorded: from here on the session exists and takes more than Hello.
    void welcomed(Running now);

    /// One publish has been confirmed or refused: its place in the window is free again.
    void settled();

    const SpiffeId& peer() const { return peer_; }
    bool open() const { return state_ == State::open; }

private:
    enum class State { fresh, greeted, open, over };

    void take(const schemas::Frame& frame, Instant now, std::vector<Action>& actions);
    void take_hello(const schemas::Hello& hello, std::vector<Action>& actions);
    void take_publish(const schemas::Publish& publish, Instant now, std::vector<Action>& actions);
    void end(Refusal why, std::vector<Action>& actions);
    /// Ends the session and has the reason written down: it was no accident of the network.
    void turn_away(Refusal why, std::vector<Action>& actions);
    Result<void> check_origin(const schemas::Origin& origin, BytesView envelope, Instant now);
    Result<void> check_signature(const PartyKeys& keys, const Digest& root, BytesView signature, Instant now);

    SpiffeId peer_;
    const Parties& parties_;
    State state_ = State::fresh;
    Running heard_;      // last frame from the peer
    Running next_beat_;  // ours
    Running lease_end_;
    Instant not_after_;
    std::size_t unsettled_ = 0;
    struct Checked {
        Bytes signature;
        log::ProvenPath path;
    };
    std::optional<Checked> newest_;  // the origin checked last: most often the next is of the same batch
    std::vector<Digest> verified_;   // SHA-256(root, signature) of batches already checked
    std::size_t next_verified_ = 0;  // whose place the next one takes, once there are enough
};

}  // namespace flagpost::router
