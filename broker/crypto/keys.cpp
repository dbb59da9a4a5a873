#include "broker/crypto/keys.h"

#include <openssl/rand.h>
#include <sys/stat.h>

#include "broker/crypto/handles.h"
#include "broker/crypto/private_file.h"

namespace flagpost::crypto {

void require_private_mode(const std::filesystem::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) throw CryptoFailure{file.string() + ": cannot be examined"};
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        throw CryptoFailure{file.string() + ": others than its owner may use it; run chmod 0600 on it"};
}

SymmetricKey load_symmetric_key(const std::filesystem::path& file) {
    std::string text = read_private_file(file);
    if (text.ends_with('\n')) text.pop_back();
    const auto bytes = from_hex(text);
    const auto key = bytes ? exactly<32>(*bytes) : std::nullopt;
    if (!key) throw CryptoFailure{file.string() + ": not 64 hexadecimal characters"};
    return SymmetricKey{*key};
}

BrokerKeys BrokerKeys::load(const std::filesystem::path& directory) {
    return {load_symmetric_key(directory / "master.key"), load_symmetric_key(directory / "seed.key"),
            load_symmetric_key(directory / "digest.key"), load_symmetric_key(directory / "dedup.key")};
}

void SystemRandom::fill(std::span<std::uint8_t> out) {
    if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) throw CryptoFailure{"random bytes"};
}

}  // namespace flagpost::crypto
