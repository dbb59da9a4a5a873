/// What passes between a gate and the broker over ZeroMQ: sessions opened, frames, closings.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/core/clock.h"
#include "broker/core/ids.h"
#include "broker/core/result.h"

namespace flagpost::wire::fabric {

// One ZeroMQ message is a sequence of items, each a header of 24 bytes and its content, padded with zeros to a
// multiple of 8 so that a FlatBuffer inside can be read where it lies: u8 kind, 3 zero bytes, u32be length,
// 16 bytes session. Attach, challenge, refused and credentials belong to no session: 16 zero bytes.
//
// A gate in its own process asks to be let in with an empty Attach, is given a Challenge and answers with an
// Attach of 32 bytes; until that one is right the broker ignores everything else it says. In-process gates
// start at once.
//
// Before its first Open, and whenever it took others, a gate says which certificate it shows its peers and by which revocation
// lists it judges them.
//
// A session may send nothing before the broker's first Window, and then as many frames as its Windows add up to.
// The broker returns the frames of a batch once it has consumed that batch, without waiting for more: the gate
// also bounds the bytes not yet returned. Every Open is followed by exactly one Close.

enum class ItemKind : std::uint8_t {
    attach = 1,     // gate -> broker: empty, or HMAC-SHA-256(fabric key, attach_label || nonce)
    challenge = 2,  // broker -> gate: nonce of nonce_size bytes
    open = 3,       // gate -> broker: the peer's certificate facts, see Opening
    frame = 4,      // both ways: one whole session frame
    close = 5,      // gate -> broker: the connection is gone; content: Ending, its text always empty
    kick = 6,       // broker -> gate: end it once what was queued is sent; content: Ending
    window = 7,     // broker -> gate: u32be more frames the gate may send for this session
    refused = 8,    // gate -> broker: a connection refused before it had a session; UTF-8 cause, for counting
    credentials = 9,  // gate -> broker: what is in force there from here on, see Credentials
};

inline constexpr std::size_t header_size = 24;
inline constexpr std::size_t nonce_size = 32;
inline constexpr std::size_t lists_size_max =
    16 * 1024 * 1024;  // of the text: some 300,000 certificates revoked
inline constexpr std::string_view attach_label = "flagpost-fabric/2\n";

struct Item {
    ItemKind kind;
    Id16 session;
    BytesView content;  // into the batch
};

/// Appends one item to a batch being built.
void append(Bytes& batch, ItemKind kind, const Id16& session, BytesView content);

/// All items of a batch, or a refusal: a gate is trusted, its bytes are still checked.
Result<std::vector<Item>> read_batch(BytesView batch);

/// Content of `open`.
struct Opening {
    SpiffeId id;
    Digest certificate;
    Instant not_after;
    std::string remote;  // address and port, for the operator's log
};
Bytes write_opening(const Opening& opening);
Result<Opening> read_opening(BytesView content);

/// Content of `close` and `kick`: u16be reason, then text. A kick with a reason becomes a Goodbye of that reason
/// and text; one with Reason::none adds nothing to what the broker has already sent.
struct Ending {
    Reason reason;
    std::string text;
};
Bytes write_ending(Reason reason, std::string_view text = {});
Result<Ending> read_ending(BytesView content);

/// Content of `credentials`: 32 bytes certificate, u64be each when that ends, when the lists end (microseconds since 1970; 0: they
/// do not say) and the number, then the file of lists as the gate read it.
struct Credentials {
    Digest certificate;  // SHA-256 of the DER of the one it shows its peers
    Instant certificate_ends;
    std::optional<Instant> lists_end;  // the first of them that goes out of date
    std::uint64_t number;              // the first list's
    std::string_view lists;            // PEM, not empty; into the batch
};
Bytes write_credentials(const Credentials& credentials);
Result<Credentials> read_credentials(BytesView content);

/// Content of `window`.
Bytes write_window(std::uint32_t frames);
Result<std::uint32_t> read_window(BytesView content);

}  // namespace flagpost::wire::fabric
