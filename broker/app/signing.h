/// The log's key and what was signed with it last, from their files.
#pragma once

#include <filesystem>

#include "broker/log/signer.h"

namespace flagpost::app {

struct LogKeys {
    std::filesystem::path key, vkey;
};

/// A signer whose memory is the file `state`, made when it first signs. Throws std::runtime_error for a key that is
/// not the one of `vkey`, StorageFailure for a memory that cannot be read.
log::Signer load_signer(const LogKeys& keys, const std::filesystem::path& state);

}  // namespace flagpost::app
