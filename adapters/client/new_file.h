/// What is written once and never over something else: evidence, proofs.
#pragma once

#include <filesystem>

#include "broker/core/bytes.h"

namespace flagpost::client {

/// A new file of its owner alone, durable on return. Throws std::runtime_error where one is there, which stays as it is.
void write_new(const std::filesystem::path& file, BytesView content);

}  // namespace flagpost::client
