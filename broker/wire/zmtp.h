/// ZMTP 3.1 (RFC 37) as spoken with a DEALER over TLS: greeting, READY, PING/PONG, one frame a message.
#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "broker/core/bytes.h"
#include "broker/core/result.h"

namespace flagpost::wire::zmtp {

inline constexpr std::size_t greeting_size = 64;

/// Our 64 bytes, sent whole at once: version 3.1, mechanism NULL, not a server.
std::array<std::uint8_t, greeting_size> greeting();

/// The READY command of this socket type ("ROUTER" at the gate), framed.
Bytes ready_command(std::string_view socket_type);

/// One message frame around `content`: short or long form, MORE never set. Appends to `out`.
void append_message(Bytes& out, BytesView content);

struct Ready {};  // the peer's READY was accepted
struct Message {
    BytesView content;
};  // lives until the next call of feed
struct Ping {
    Bytes pong;
};  // answer to send, framed, context echoed
using Event = std::variant<Ready, Message, Ping>;

/// Bytes in, events out. Bounded: keeps at most one partial message of limits::frame_size_max.
///
/// Refuses (and then takes no more): a mechanism other than NULL, versions before 3.0, a socket type other than
/// the one expected, MORE, reserved flag bits, commands other than READY, PING, PONG and ERROR, lengths over
/// the limits. Bytes 1 to 8 of the signature are ignored (libzmq puts the routing-id length there).
class Parser {
public:
    /// expected_type   "DEALER" at the gate, "ROUTER" in a client's tests
    explicit Parser(std::string expected_type) : expected_type_{std::move(expected_type)} {}
    /// Consumes all of `bytes`; `each` is called in order. After a refusal the connection must end.
    template <class Each> Result<void> feed(BytesView bytes, Each&& each);
    bool ready() const { return state_ == State::traffic; }
    bool inside_frame() const;  // a message has begun and not ended: the slow-peer timer runs

private:
    enum class State { greeting, handshake, traffic, refused };
    std::string expected_type_;
    State state_ = State::greeting;
    Bytes partial_;
};

}  // namespace flagpost::wire::zmtp
