// OpenSSL's direct interface to SHA-256, which OpenSSL 3 would rather have replaced by EVP. EVP is made for big inputs:
// it takes as long to begin and end a hash as hashing 200 bytes does, an HMAC three times that, and most of ours are
// short. Whether the processor's SHA instructions are used does not depend on it.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "broker/crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>

#include "broker/crypto/handles.h"

namespace flagpost::crypto {
namespace {

class Sha256 {
public:
    Sha256() { check(SHA256_Init(&state_)); }
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;
    ~Sha256() { OPENSSL_cleanse(&state_, sizeof state_); }
    void add(BytesView bytes) { check(SHA256_Update(&state_, bytes.data(), bytes.size())); }
    Digest end() {
        Digest digest;
        check(SHA256_Final(digest.data(), &state_));
        return digest;
    }

private:
    static void check(int done) {
        if (done != 1) throw CryptoFailure{"SHA-256"};
    }
    SHA256_CTX state_;
};

using Block = std::array<std::uint8_t, SHA256_CBLOCK>;

/// The key as HMAC hashes it first: padded with zeros to a block, each byte mixed with `pad`.
Block padded(const SymmetricKey& key, std::uint8_t pad) {
    Block block;
    block.fill(pad);
    const auto& bytes = key.reveal();
    static_assert(std::tuple_size_v<std::remove_cvref_t<decltype(bytes)>> <= SHA256_CBLOCK);
    for (std::size_t i = 0; i < bytes.size(); ++i) block[i] ^= bytes[i];
    return block;
}

}  // namespace

Digest sha256(std::initializer_list<BytesView> parts) {
    Sha256 hash;
    for (const BytesView part : parts) hash.add(part);
    return hash.end();
}

Digest hmac_sha256(const SymmetricKey& key, std::initializer_list<BytesView> parts) {
    Block block = padded(key, 0x36);
    Sha256 inner;
    inner.add(block);
    for (const BytesView part : parts) inner.add(part);
    block = padded(key, 0x5c);
    Sha256 outer;
    outer.add(block);
    OPENSSL_cleanse(block.data(), block.size());
    outer.add(inner.end());
    return outer.end();
}

Id16 hmac16(const SymmetricKey& key, std::initializer_list<BytesView> parts) {
    const Digest whole = hmac_sha256(key, parts);
    Id16 half;
    std::copy_n(whole.begin(), half.size(), half.begin());
    return half;
}

}  // namespace flagpost::crypto
