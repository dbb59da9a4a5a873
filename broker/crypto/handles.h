/// OpenSSL handles, each freed by the type that holds it.
#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace flagpost::crypto {

template <auto Free> struct FreeWith {
    template <class T> void operator()(T* handle) const noexcept { Free(handle); }
};

using PKey = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using MdContext = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeWith<EVP_CIPHER_CTX_free>>;
using Certificate = std::unique_ptr<X509, FreeWith<X509_free>>;
using TlsContext = std::unique_ptr<SSL_CTX, FreeWith<SSL_CTX_free>>;
using TlsConnection = std::unique_ptr<SSL, FreeWith<SSL_free>>;

/// OpenSSL refused something that only a bug, a bad key file or a failing machine can cause.
class CryptoFailure : public std::runtime_error {
public:
    /// what   the step that failed; OpenSSL's own queue of reasons is appended and emptied
    explicit CryptoFailure(const std::string& what);
};

}  // namespace flagpost::crypto
