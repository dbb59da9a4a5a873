/// parties.toml: which keys sign for which party, and from when to when (certs/README.md).
#pragma once

#include <filesystem>

#include "broker/core/bytes.h"
#include "broker/router/parties.h"

namespace flagpost::app {

/// Throws std::runtime_error naming file, line and what is wrong.
router::Parties load_parties(const std::filesystem::path& file);

}  // namespace flagpost::app
