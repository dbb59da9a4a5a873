/// Where secrets lie: files that nobody but their owner can read, and the memory of a program that has read them.
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

/// A program that ends by a fault leaves no core file: it would hold keys, and children, in clear. To be called first of all.
void forbid_core_files();

}  // namespace flagpost::crypto
