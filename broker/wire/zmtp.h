/// ZMTP 3.1 (RFC 37) as spoken with a DEALER over TLS: greeting, READY, PING/PONG, one frame a message.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "broker/core/bytes.h"
#include "broker/core/result.h"

namespace flagpost::wire::zmtp {

inline constexpr std::size_t greeting_size = 64;

/// Our 64 bytes, sent whole at once: version 3.1, mechanism NULL, not a server. libzmq 4.3.4 waits for the
/// version before it sends its own, so a greeting sent in steps would stall both ends.
std::array<std::uint8_t, greeting_size> greeting();

/// The READY command of this socket type ("ROUTER" at the gate), framed.
Bytes ready_command(std::string_view socket_type);

/// One message frame around `content`: short or long form, MORE never set. Appends to `out`.
void append_message(Bytes& out, BytesView content);

struct Ready {};  // the peer's READY was accepted
struct Message {
    BytesView content;  // in the bytes fed or in the parser; lives until the next call
};
struct Ping {
    Bytes pong;  // answer to send, framed, context echoed
};
using Event = std::variant<Ready, Message, Ping>;

/// Bytes in, events out. Bounded: keeps at most one partial message of limits::frame_size_max, and grows with
/// what has arrived, not with the length a peer announces.
///
/// Refuses (and then takes no more): a mechanism other than NULL, a version other than 3.x, a socket type other
/// than the one expected, MORE, reserved flag bits, commands other than READY (once), PING, PONG and ERROR,
/// lengths over the limits. Bytes 1 to 8 of the signature are ignored (libzmq puts the routing-id length there).
class Parser {
public:
    /// expected_type   "DEALER" at the gate, "ROUTER" in a client's tests
    explicit Parser(std::string expected_type) : expected_type_{std::move(expected_type)} {}

    /// The next event, taking the bytes it needs from the front of `bytes`; nothing once all are taken.
    /// After a refusal the connection must end.
    Result<std::optional<Event>> next(BytesView& bytes);

    /// Consumes all of `bytes`; `each` is called with every event in order.
    template <class Each> Result<void> feed(BytesView bytes, Each&& each) {
        while (true) {
            auto event = next(bytes);
            if (!event) return tl::unexpected<Refusal>{std::move(event.error())};
            if (!*event) return {};
            each(std::move(**event));
        }
    }

    bool ready() const { return state_ == State::traffic; }
    /// A frame has begun and not ended: the slow-peer timer runs.
    bool inside_frame() const { return header_taken_ > 0; }
    /// Bytes kept of a frame that has not ended.
    std::size_t buffered() const { return partial_.size(); }

private:
    enum class State { greeting, handshake, traffic, refused };

    Result<std::optional<Event>> advance(BytesView& bytes);
    void drop_spent();
    std::optional<Refusal> take_greeting(BytesView& bytes);
    std::optional<Refusal> take_header(BytesView& bytes);
    std::optional<Refusal> check_flags() const;
    std::optional<BytesView> take_body(BytesView& bytes);
    bool header_whole() const;
    std::uint64_t body_size() const;
    Result<std::optional<Event>> handle(BytesView body);
    Result<std::optional<Event>> handle_command(BytesView body);
    std::optional<Refusal> check_ready(BytesView metadata) const;

    std::string expected_type_;
    State state_ = State::greeting;
    std::size_t greeting_taken_ = 0;
    std::array<std::uint8_t, 9> header_{};  // flags, then a length of 1 or 8 bytes
    std::size_t header_taken_ = 0;
    Bytes partial_;               // the body so far, when it did not come in one piece
    bool partial_spent_ = false;  // its view has been handed out; clear it at the next call
};

}  // namespace flagpost::wire::zmtp
