/// What the broker itself, apart from TLS, wants to know of the partnership's certificates.
#pragma once

#include <cstdint>
#include <filesystem>

namespace flagpost::app {

/// The number of a revocation list in PEM (RFC 5280, 5.2.3). Throws std::runtime_error if there is none to be had.
std::uint64_t read_crl_number(const std::filesystem::path& file);

}  // namespace flagpost::app
