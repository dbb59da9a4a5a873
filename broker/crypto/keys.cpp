#include "broker/crypto/keys.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <sys/stat.h>

#include <cstdlib>

#include "broker/crypto/handles.h"
#include "broker/crypto/private_file.h"

namespace flagpost::crypto {

void require_private_mode(const std::filesystem::path& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) throw CryptoFailure{file.string() + ": cannot be examined"};
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        throw CryptoFailure{file.string() + ": others than its owner may use it; run chmod 0600 on it"};
}

namespace {

SymmetricKey symmetric_key(std::string text, const std::string& source) {
    if (text.ends_with('\n')) text.pop_back();
    const auto bytes = from_hex(text);
    OPENSSL_cleanse(text.data(), text.size());
    const auto key = bytes ? exactly<32>(*bytes) : std::nullopt;
    if (!key) throw CryptoFailure{source + ": not 64 hexadecimal characters"};
    return SymmetricKey{*key};
}

SymmetricKey key_of_environment(const std::string& name) {
    char* const value = std::getenv(name.c_str());
    if (value == nullptr) throw CryptoFailure{"env:" + name + ": there is no such variable"};
    std::string text{value};
    OPENSSL_cleanse(value, text.size());
    unsetenv(name.c_str());
    return symmetric_key(std::move(text), "env:" + name);
}

SymmetricKey key_of_credential(const std::string& name) {
    const char* const directory = std::getenv("CREDENTIALS_DIRECTORY");
    if (directory == nullptr) throw CryptoFailure{"credential:" + name + ": systemd has handed none over"};
    if (name.empty() || name.find('/') != std::string::npos || name.starts_with('.'))
        throw CryptoFailure{"credential:" + name + ": not the name of a credential"};
    return load_symmetric_key(std::filesystem::path{directory} / name);
}

}  // namespace

SymmetricKey load_symmetric_key(const std::filesystem::path& file) {
    return symmetric_key(read_private_file(file), file.string());
}

SymmetricKey load_symmetric_key_from(const std::string& source) {
    static constexpr std::string_view environment = "env:";
    static constexpr std::string_view credential = "credential:";
    if (source.starts_with(environment)) return key_of_environment(source.substr(environment.size()));
    if (source.starts_with(credential)) return key_of_credential(source.substr(credential.size()));
    return load_symmetric_key(std::filesystem::path{source});
}

BrokerKeys BrokerKeys::load(const std::filesystem::path& directory, const MasterSources& masters) {
    MasterKeys master{masters.current ? load_symmetric_key_from(*masters.current)
                                      : load_symmetric_key(directory / "master.key")};
    if (masters.previous) master.previous = load_symmetric_key_from(*masters.previous);
    return {std::move(master), load_symmetric_key(directory / "seed.key"),
            load_symmetric_key(directory / "digest.key"), load_symmetric_key(directory / "dedup.key")};
}

void SystemRandom::fill(std::span<std::uint8_t> out) {
    if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1) throw CryptoFailure{"random bytes"};
}

}  // namespace flagpost::crypto
