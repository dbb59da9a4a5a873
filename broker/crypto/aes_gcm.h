/// AES-256-GCM (NIST SP 800-38D) over buffers of the caller's, with 12-byte nonces and 16-byte tags.
#pragma once

#include <array>
#include <span>

#include "broker/core/bytes.h"

namespace flagpost::crypto {

inline constexpr std::size_t aes_key_size = 32;
inline constexpr std::size_t gcm_nonce_size = 12;
inline constexpr std::size_t gcm_tag_size = 16;

using AesKey = std::span<const std::uint8_t, aes_key_size>;
using GcmNonce = std::span<const std::uint8_t, gcm_nonce_size>;

/// Writes ciphertext || tag. A nonce is used once under a key.
///
/// out     as long as `plain`, and 16 bytes more
/// throws  CryptoFailure if the library cannot
void gcm_encrypt(std::span<std::uint8_t> out, AesKey key, GcmNonce nonce, BytesView associated,
                 BytesView plain);

/// Reads ciphertext || tag into `plain`, 16 bytes shorter than `sealed`; false, and what `plain` holds is to be thrown
/// away, if key, nonce, associated data or a byte is not what was encrypted.
bool gcm_decrypt(std::span<std::uint8_t> plain, AesKey key, GcmNonce nonce, BytesView associated,
                 BytesView sealed);

}  // namespace flagpost::crypto
