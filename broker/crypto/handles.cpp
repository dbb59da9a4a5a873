#include "broker/crypto/handles.h"

#include <openssl/err.h>

#include <array>

namespace flagpost::crypto {
namespace {

std::string with_reasons(std::string what) {
    while (const unsigned long code = ERR_get_error()) {
        std::array<char, 256> reason{};
        ERR_error_string_n(code, reason.data(), reason.size());
        what += "; ";
        what += reason.data();
    }
    return what;
}

}  // namespace

CryptoFailure::CryptoFailure(const std::string& what) : std::runtime_error{with_reasons(what)} {}

}  // namespace flagpost::crypto
