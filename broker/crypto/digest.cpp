#include "broker/crypto/digest.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <algorithm>

#include "broker/crypto/handles.h"

namespace flagpost::crypto {
namespace {

/// Fetching an algorithm costs more in OpenSSL 3 than hashing a short message, so it happens once, and each
/// thread keeps one context.
const EVP_MD* sha256_algorithm() {
    static const std::unique_ptr<EVP_MD, FreeWith<EVP_MD_free>> algorithm{
        EVP_MD_fetch(nullptr, "SHA256", nullptr)};
    if (!algorithm) throw CryptoFailure{"SHA-256 is not available"};
    return algorithm.get();
}

class Sha256 {
public:
    void begin() { check(EVP_DigestInit_ex2(context_.get(), sha256_algorithm(), nullptr)); }
    void add(BytesView bytes) { check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size())); }
    Digest end() {
        Digest digest;
        check(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr));
        return digest;
    }
    static Sha256& of_this_thread() {
        thread_local Sha256 hash;
        return hash;
    }

private:
    static void check(int done) {
        if (done != 1) throw CryptoFailure{"SHA-256"};
    }
    MdContext context_{EVP_MD_CTX_new()};
};

using Mac = std::unique_ptr<EVP_MAC, FreeWith<EVP_MAC_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, FreeWith<EVP_MAC_CTX_free>>;

MacContext new_hmac() {
    static const Mac algorithm{EVP_MAC_fetch(nullptr, OSSL_MAC_NAME_HMAC, nullptr)};
    MacContext context{algorithm ? EVP_MAC_CTX_new(algorithm.get()) : nullptr};
    std::string digest = "SHA256";
    const std::array<OSSL_PARAM, 2> settings{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), digest.size()),
        OSSL_PARAM_construct_end()};
    if (!context || EVP_MAC_CTX_set_params(context.get(), settings.data()) != 1)
        throw CryptoFailure{"HMAC-SHA-256 is not available"};
    return context;
}

}  // namespace

Digest sha256(std::initializer_list<BytesView> parts) {
    Sha256& hash = Sha256::of_this_thread();
    hash.begin();
    for (const BytesView part : parts) hash.add(part);
    return hash.end();
}

Digest hmac_sha256(const SymmetricKey& key, std::initializer_list<BytesView> parts) {
    thread_local const MacContext context = new_hmac();
    bool done = EVP_MAC_init(context.get(), key.reveal().data(), key.reveal().size(), nullptr) == 1;
    for (const BytesView part : parts)
        done = done && EVP_MAC_update(context.get(), part.data(), part.size()) == 1;
    Digest digest;
    std::size_t size = 0;
    if (!done || EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) != 1)
        throw CryptoFailure{"HMAC-SHA-256"};
    return digest;
}

Id16 hmac16(const SymmetricKey& key, std::initializer_list<BytesView> parts) {
    const Digest whole = hmac_sha256(key, parts);
    Id16 half;
    std::copy_n(whole.begin(), half.size(), half.begin());
    return half;
}

}  // namespace flagpost::crypto
