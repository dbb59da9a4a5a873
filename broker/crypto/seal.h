/// Bodies under one key each, so that destroying a key erases a record (contracts.md, Erasure).
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

struct SealedBody {
    Bytes wrap;  // salt(16) || AES-256-GCM of the body key under the master key; layout in store/README.md
    Bytes ciphertext;  // nonce(12) || ciphertext || tag(16)
    Digest digest;     // SHA-256(salt || ciphertext field): what the leaf carries
};

class Sealer {
public:
    Sealer(SymmetricKey master, Random& random) : master_{std::move(master)}, random_{random} {}
    SealedBody seal(BytesView body, const SealLabel& label);
    /// The body, or nothing if wrap, ciphertext or label is not what was sealed.
    std::optional<Bytes> open(BytesView wrap, BytesView ciphertext, const SealLabel& label) const;

private:
    SymmetricKey master_;
    Random& random_;
};

/// What the leaf must carry for this wrap and ciphertext; nothing if the wrap is too short to hold a salt.
std::optional<Digest> body_digest(BytesView wrap, BytesView ciphertext);

}  // namespace flagpost::crypto
