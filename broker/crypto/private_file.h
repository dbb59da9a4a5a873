/// Files that hold a secret: read only when nobody but their owner can.
#pragma once

#include <filesystem>
#include <string>

#include "broker/crypto/handles.h"

namespace flagpost::crypto {

/// The whole text of a file of at most 64 KiB and mode 0600 or stricter, checked on the open file so that it
/// cannot be exchanged in between. Throws CryptoFailure naming the file otherwise.
std::string read_private_file(const std::filesystem::path& file);

/// The private key of such a file, PKCS#8 PEM without a passphrase. Throws CryptoFailure.
PKey read_private_key(const std::filesystem::path& file);

}  // namespace flagpost::crypto
