/// The broker's symmetric keys, each its own file, and the system's random source.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "broker/core/clock.h"
#include "broker/crypto/digest.h"
#include "broker/crypto/seal.h"

namespace flagpost::crypto {

/// 32 bytes as 64 hexadecimal characters in a file of mode 0600 or stricter. Throws CryptoFailure
/// naming the file otherwise. Whoever can read `master` can read every body not yet erased.
SymmetricKey load_symmetric_key(const std::filesystem::path& file);

/// Where a key comes from: "env:NAME", "credential:NAME" (a file of that name in $CREDENTIALS_DIRECTORY, where systemd
/// puts what LoadCredential= or LoadCredentialEncrypted= names), otherwise the path of a file as above. A variable is
/// wiped from the environment as it is read, so that neither children nor /proc show it. Throws CryptoFailure naming
/// the source, never what it holds. To be called before other threads exist.
SymmetricKey load_symmetric_key_from(const std::string& source);

/// Throws CryptoFailure if anybody but the owner may read the file.
void require_private_mode(const std::filesystem::path& file);

/// The broker's own secrets. Files in one directory: master.key, seed.key, digest.key, dedup.key.
struct BrokerKeys {
    MasterKeys master;    // wrap body keys
    SymmetricKey seed;    // makes notice ids
    SymmetricKey digest;  // HMACs of subjects and state keys
    SymmetricKey dedup;   // HMACs of received bytes
    /// Sources of the master key where it is not master.key of the directory, and of the one before it while wraps are
    /// moved to the new one.
    struct MasterSources {
        std::optional<std::string> current, previous;
    };
    static BrokerKeys load(const std::filesystem::path& directory, const MasterSources& masters = {});
};

/// OpenSSL's generator.
class SystemRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> out) override;
};

}  // namespace flagpost::crypto
