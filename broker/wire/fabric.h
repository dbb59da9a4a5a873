/// What passes between a gate and the broker over ZeroMQ: sessions opened, frames, closings.
#pragma once

#include <string>
#include <vector>

#include "broker/core/clock.h"
#include "broker/core/ids.h"
#include "broker/core/result.h"

namespace flagpost::wire::fabric {

// One ZeroMQ message is a sequence of items, each: u8 kind, 16 bytes session, u32be length, content.
// A gate in its own process starts with Attach; in-process gates need none.

enum class ItemKind : std::uint8_t {
    attach = 1,     // gate -> broker: HMAC over the broker's nonce under the fabric key
    challenge = 2,  // broker -> gate: nonce
    open = 3,       // gate -> broker: the peer's certificate facts
    frame = 4,      // both ways: one whole session frame
    close = 5,      // gate -> broker: the connection is gone; content: u16be reason
    kick = 6,       // broker -> gate: end it; content: u16be reason, then text
    window = 7,     // broker -> gate: u32be more frames the gate may send for this session
    refused =
        8,  // gate -> broker: a connection refused before it had a session; content: UTF-8 cause, for counting
};

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

}  // namespace flagpost::wire::fabric
