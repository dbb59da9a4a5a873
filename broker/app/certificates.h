/// What the broker itself, apart from TLS, wants to know of the partnership's certificates.
#pragma once

#include <filesystem>
#include <optional>

#include "broker/core/bytes.h"
#include "broker/core/clock.h"

namespace flagpost::app {

/// When the first certificate of a PEM file ends. Throws std::runtime_error if it holds none.
Instant read_certificate_end(const std::filesystem::path& file);

/// SHA-256 of the first certificate of a PEM file, DER: what a leaf names a certificate by. Throws likewise.
Digest read_certificate_digest(const std::filesystem::path& file);

/// When the first revocation list of a PEM file to do so goes out of date; nothing if none says. Throws std::runtime_error if it holds
/// none.
std::optional<Instant> read_revocation_list_end(const std::filesystem::path& file);

}  // namespace flagpost::app
