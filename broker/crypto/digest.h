/// SHA-256 and HMAC-SHA-256.
#pragma once

#include <initializer_list>

#include "broker/core/bytes.h"
#include "broker/core/secret.h"

namespace flagpost::crypto {

/// SHA-256 of the parts one after another (FIPS 180-4).
Digest sha256(std::initializer_list<BytesView> parts);
inline Digest sha256(BytesView bytes) { return sha256({bytes}); }

using SymmetricKey = Secret<std::array<std::uint8_t, 32>>;

/// HMAC-SHA-256 (RFC 2104) of the parts one after another.
Digest hmac_sha256(const SymmetricKey& key, std::initializer_list<BytesView> parts);

/// The first 16 bytes of the HMAC: subject references, state keys, ids made from seeds.
Id16 hmac16(const SymmetricKey& key, std::initializer_list<BytesView> parts);

}  // namespace flagpost::crypto
