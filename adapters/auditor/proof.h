/// One entry of an export and the proof that it is in the log, as files that need nothing else (C2SP tlog-proof).
#pragma once

#include <filesystem>

#include "broker/log/tlog_proof.h"

namespace flagpost::auditor {

struct Proven {
    log::TlogProof proof;
    Bytes leaf;
};

/// The tiles of an export of this size. They throw std::runtime_error for a file that is missing or of another size.
log::ReadTile tiles_of(const std::filesystem::path& directory, std::uint64_t size);

/// The proof of entry `index` at the head of the export, which is not verified. Throws std::runtime_error for an entry the
/// export does not have, or a file that is missing or damaged.
Proven prove(const std::filesystem::path& directory, std::uint64_t index);

}  // namespace flagpost::auditor
