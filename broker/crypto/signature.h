/// Signing and verifying: P-256 for what agencies publish, Ed25519 for log heads.
#pragma once

#include <filesystem>

#include "broker/core/bytes.h"
#include "broker/core/result.h"
#include "broker/crypto/handles.h"

namespace flagpost::crypto {

/// ECDSA P-256 with SHA-256, signatures in DER. An agency's origin key.
class OriginKey {
public:
    /// PKCS#8 PEM file, mode 0600 or stricter. Throws CryptoFailure.
    static OriginKey load(const std::filesystem::path& file);
    static OriginKey generate();
    Bytes sign(BytesView message) const;
    Bytes public_der() const;  // SubjectPublicKeyInfo

private:
    explicit OriginKey(PKey key) : key_{std::move(key)} {}
    PKey key_;
};

class OriginVerifier {
public:
    /// SubjectPublicKeyInfo DER of a P-256 key; anything else is refused.
    static Result<OriginVerifier> parse(BytesView public_der);
    bool verify(BytesView message, BytesView signature) const;

private:
    explicit OriginVerifier(PKey key) : key_{std::move(key)} {}
    PKey key_;
};

/// Ed25519 (RFC 8032): log heads and witness cosignatures.
class NoteKey {
public:
    static NoteKey load(const std::filesystem::path& file);  // PKCS#8 PEM, mode 0600 or stricter
    static NoteKey from_seed(const std::array<std::uint8_t, 32>& seed);
    std::array<std::uint8_t, 64> sign(BytesView message) const;
    std::array<std::uint8_t, 32> public_key() const;

private:
    explicit NoteKey(PKey key) : key_{std::move(key)} {}
    PKey key_;
};

bool verify_ed25519(const std::array<std::uint8_t, 32>& public_key, BytesView message, BytesView signature);

}  // namespace flagpost::crypto
