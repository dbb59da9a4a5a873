/// What a Confirm says of the log, and whether the signed log keeps it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "broker/core/result.h"
#include "broker/log/note.h"

namespace flagpost::client {

/// Unsigned, as it came: the broker is held to it by the heads it signs.
struct Promise {
    std::uint64_t index;  // of the leaf that records the message
    Digest leaf;          // its RFC 6962 hash
    std::uint64_t size;   // of the log after the commit that holds it
    Digest root;          // at that size

    /// One line, for the box and as evidence: numbers in decimal, hashes in base64.
    std::string text() const;
    static std::optional<Promise> parse(std::string_view text);
    friend bool operator==(const Promise&, const Promise&) = default;
};

/// A tree that was shown: a signed head's, or one a Confirm named.
struct Tree {
    std::uint64_t size;
    Digest root;
};

/// Why a promise made after `earlier` was shown cannot be true of one log; nothing if it can. Costs no question: a log does not shrink,
/// and has one root at each size.
const char* contradiction(const Promise& promise, const Tree& earlier);
/// Likewise of a head shown after the promise was made.
const char* contradiction(const Tree& later, const Promise& promise);

/// The two items of the answer to a query `proof`: a `.tlog-proof` and the leaf it proves. Malformed if there are not two.
Result<std::pair<std::string, Bytes>> read_proof_answer(BytesView content);

enum class Kept {
    yes,
    other_head,  // it is proven under another head than `head`, which may be on another history
    no,
};
/// Whether this answer proves the promised leaf to be at its index in the tree of `head`, a head found good before.
Kept judge(const Promise& promise, BytesView answer, const log::Checkpoint& head,
           const log::VerifierKey& log);

}  // namespace flagpost::client
