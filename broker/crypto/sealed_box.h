/// Bytes that only the holder of one X25519 key can read: how bodies' keys leave the broker for an auditor.
#pragma once

#include <filesystem>
#include <optional>

#include "broker/core/bytes.h"
#include "broker/crypto/handles.h"

namespace flagpost::crypto {

using BoxPublicKey = std::array<std::uint8_t, 32>;  // X25519 (RFC 7748)

/// SubjectPublicKeyInfo PEM, as `openssl pkey -pubout` writes it. Throws CryptoFailure naming the file.
BoxPublicKey load_box_public_key(const std::filesystem::path& file);

/// One message to one key. Only who made it knows what is in it besides the recipient, and it does not say who that was:
/// the session it came over and the log do.
///
///     box     ephemeral public key(32) || AES-256-GCM ciphertext || tag(16)
///     key, nonce   the first 32 and the next 12 bytes of HKDF-SHA-256 (RFC 5869) of the X25519 shared secret, with the
///                  salt "flagpost-sealed-box/1\n" and the info ephemeral public key || recipient's || context
///
/// The ephemeral key serves one box, so the nonce does too. `context` is not in the box: whoever opens it must say the
/// same, so that a box cannot be passed off as another one's.
Bytes seal_to(const BoxPublicKey& recipient, BytesView context, BytesView message);

class BoxKey {
public:
    static BoxKey load(
        const std::filesystem::path& file);  // PKCS#8 PEM, mode 0600 or stricter; throws CryptoFailure
    static BoxKey generate();
    BoxPublicKey public_key() const;
    /// The message; nothing if the box is not whole, not for this key, or of another context.
    std::optional<Bytes> open(BytesView context, BytesView box) const;

private:
    explicit BoxKey(PKey key) : key_{std::move(key)} {}
    PKey key_;
};

}  // namespace flagpost::crypto
