/// The log's key and what was signed with it last, from their files.
#pragma once

#include <filesystem>
#include <optional>

#include "broker/log/signer.h"

namespace flagpost::app {

struct LogKeys {
    std::filesystem::path key, vkey;
    /// Of the key before: its private half only while heads are signed by both.
    std::optional<std::filesystem::path> key_previous = {}, vkey_previous = {};
};

/// The verifier key before this one, if there was one. Throws std::runtime_error if it is of a log of another name.
std::optional<log::VerifierKey> load_vkey_previous(const LogKeys& keys);

/// A signer whose memory is the file `state`, made when it first signs. Throws std::runtime_error for a key that is
/// not the one of its vkey, StorageFailure for a memory that cannot be read.
log::Signer load_signer(const LogKeys& keys, const std::filesystem::path& state);

}  // namespace flagpost::app
