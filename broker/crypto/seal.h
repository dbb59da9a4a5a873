/// Bodies under one key each, so that destroying a key erases a record.
#pragma once

#include <optional>

#include "broker/core/bytes.h"
#include "broker/core/clock.h"
#include "broker/crypto/digest.h"

namespace flagpost::crypto {

/// What a body is sealed under. The labels are bound into both layers: a wrap or a ciphertext moved to
/// another record does not open.
struct SealLabel {
    std::string_view controller;  // agency whose record it is
    std::string_view retention;   // class of the retention schedule
    std::uint64_t index;          // leaf of the record
};

/// One body, sealed. Both fields are stored as they are; numbers below are bytes.
///
///     wrap        salt(16) || nonce(12) || body key encrypted(32) || tag(16)             76 in all
///     ciphertext  nonce(12) || body encrypted(as long as the body) || tag(16)
///
/// Both are AES-256-GCM. The body key is 32 fresh random bytes. The wrap's key is
/// HMAC-SHA-256(master, "flagpost-wrapping-key/1\n" || salt). The associated data of the wrap is
/// "flagpost-wrap/1\n", of the body "flagpost-body/1\n", each followed by
/// u64be size || controller || u64be size || retention || u64be index.
/// Erasing a record is destroying its wrap: the body key and the salt go with it, and the leaf's digest says
/// nothing about the body to somebody without the salt.
struct SealedBody {
    Bytes wrap;
    Bytes ciphertext;
    Digest digest;  // SHA-256(salt || ciphertext field): what the leaf carries
};

/// The key that wraps body keys and, until a change of it has reached every wrap, the one before it.
struct MasterKeys {
    MasterKeys(SymmetricKey only) : current{only} {}  // NOLINT: one key is the usual set of them
    MasterKeys(SymmetricKey newest, SymmetricKey before) : current{newest}, previous{before} {}
    SymmetricKey current;
    std::optional<SymmetricKey> previous;
};

class Sealer {
public:
    Sealer(MasterKeys masters, Random& random) : masters_{masters}, random_{random} {}
    SealedBody seal(BytesView body, const SealLabel& label);
    /// The body, or nothing if wrap, ciphertext or label is not what was sealed.
    std::optional<Bytes> open(BytesView wrap, BytesView ciphertext, const SealLabel& label) const;
    /// The same body key and salt under the current master key: the body and the leaf's digest stay as they are.
    /// Nothing if neither master key opens the wrap; the wrap itself if it is under the current one already.
    std::optional<Bytes> rewrap(BytesView wrap, const SealLabel& label);
    /// The body key, for somebody who is to read this one body; nothing if wrap or label is not what was sealed.
    std::optional<SymmetricKey> body_key(BytesView wrap, const SealLabel& label) const;

private:
    MasterKeys masters_;
    Random& random_;
};

/// The body under a body key that was handed over; nothing if key, ciphertext or label is not what was sealed.
std::optional<Bytes> open_body(const SymmetricKey& key, BytesView ciphertext, const SealLabel& label);

/// What the leaf must carry for this wrap and ciphertext; nothing if the wrap is too short to hold a salt.
std::optional<Digest> body_digest(BytesView wrap, BytesView ciphertext);

}  // namespace flagpost::crypto
