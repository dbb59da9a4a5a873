/// The broker's symmetric keys, each its own file, and the system's random source.
#pragma once

#include <filesystem>

#include "broker/core/clock.h"
#include "broker/crypto/digest.h"

namespace flagpost::crypto {

/// 32 bytes as 64 hexadecimal characters in a file of mode 0600 or stricter. Throws CryptoFailure
/// naming the file otherwise. Whoever can read `master` can read every body not yet erased.
SymmetricKey load_symmetric_key(const std::filesystem::path& file);

/// Throws CryptoFailure if anybody but the owner may read the file.
void require_private_mode(const std::filesystem::path& file);

/// contracts.md, Identity and keys. Files in one directory: master.key, seed.key, digest.key, dedup.key.
struct BrokerKeys {
    SymmetricKey master;  // wraps body keys
    SymmetricKey seed;    // makes notice ids
    SymmetricKey digest;  // HMACs of subjects and state keys
    SymmetricKey dedup;   // HMACs of received bytes
    static BrokerKeys load(const std::filesystem::path& directory);
};

/// OpenSSL's generator.
class SystemRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> out) override;
};

}  // namespace flagpost::crypto
