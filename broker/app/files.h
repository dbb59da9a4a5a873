/// Text files, for what is small and read at start.
#pragma once

#include <filesystem>
#include <string>

#include "broker/log/note.h"

namespace flagpost::app {

/// Throws std::runtime_error naming the file if it cannot be read.
std::string read_text(const std::filesystem::path& file);

/// A verifier key alone in a file, such as log.vkey. Throws likewise, or if it is none.
log::VerifierKey load_vkey(const std::filesystem::path& file);

}  // namespace flagpost::app
