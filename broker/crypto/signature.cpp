#include "broker/crypto/signature.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>

#include "broker/crypto/digest.h"
#include "broker/crypto/private_file.h"

namespace flagpost::crypto {
namespace {

constexpr std::size_t p256_public_der_size =
    91;  // named curve, uncompressed point: the one encoding accepted

bool is_p256(const EVP_PKEY* key) {
    if (EVP_PKEY_is_a(key, "EC") != 1) return false;
    std::array<char, 64> group{};
    std::size_t length = 0;
    return EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(),
                                          &length) == 1 &&
           std::string_view{group.data(), length} == "prime256v1";
}

MdContext new_context() {
    MdContext context{EVP_MD_CTX_new()};
    if (!context) throw CryptoFailure{"no memory for a signature"};
    return context;
}

using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;

// P-256 over a hash of our own: EVP_DigestSign and EVP_DigestVerify look up SHA-256 and what belongs to it by name each
// time, a seventh of what a verification takes.
KeyContext new_context(EVP_PKEY* key) {
    KeyContext context{EVP_PKEY_CTX_new_from_pkey(nullptr, key, nullptr)};
    if (!context) throw CryptoFailure{"no memory for a signature"};
    return context;
}

Bytes sign_ed25519(EVP_PKEY* key, BytesView message) {
    const MdContext context = new_context();
    std::size_t size = 0;
    if (EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key, nullptr) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) != 1)
        throw CryptoFailure{"starting to sign"};
    Bytes signature(size);
    if (EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) != 1)
        throw CryptoFailure{"signing"};
    signature.resize(size);
    return signature;
}

/// Reasons of a refusal are dropped: left in OpenSSL's queue they would be taken for those of the next TLS read.
bool and_forget_why_not(bool good) {
    if (!good) ERR_clear_error();
    return good;
}

}  // namespace

OriginKey OriginKey::load(const std::filesystem::path& file) {
    PKey key = read_private_key(file);
    if (!is_p256(key.get())) throw CryptoFailure{file.string() + ": not a P-256 key"};
    return OriginKey{std::move(key)};
}

OriginKey OriginKey::generate() {
    PKey key{EVP_EC_gen("P-256")};
    if (!key) throw CryptoFailure{"making a P-256 key"};
    return OriginKey{std::move(key)};
}

Bytes OriginKey::sign(BytesView message) const {
    const Digest digest = sha256(message);
    const KeyContext context = new_context(key_.get());
    std::size_t size = 0;
    if (EVP_PKEY_sign_init(context.get()) != 1 ||
        EVP_PKEY_sign(context.get(), nullptr, &size, digest.data(), digest.size()) != 1)
        throw CryptoFailure{"starting to sign"};
    Bytes signature(size);
    if (EVP_PKEY_sign(context.get(), signature.data(), &size, digest.data(), digest.size()) != 1)
        throw CryptoFailure{"signing"};
    signature.resize(size);
    return signature;
}

Bytes OriginKey::public_der() const {
    std::uint8_t* encoded = nullptr;
    const int size = i2d_PUBKEY(key_.get(), &encoded);
    if (size <= 0) throw CryptoFailure{"encoding a public key"};
    Bytes der{encoded, encoded + size};
    OPENSSL_free(encoded);
    return der;
}

Result<OriginVerifier> OriginVerifier::parse(BytesView public_der) {
    if (public_der.size() != p256_public_der_size) return refuse(Reason::malformed, "origin key: size");
    const std::uint8_t* at = public_der.data();
    PKey key{d2i_PUBKEY(nullptr, &at, static_cast<long>(public_der.size()))};
    const bool whole = at == public_der.data() + public_der.size();
    if (!key || !whole || !is_p256(key.get())) {
        ERR_clear_error();
        return refuse(Reason::malformed, "origin key: not P-256");
    }
    return OriginVerifier{std::move(key)};
}

bool OriginVerifier::verify(BytesView message, BytesView signature) const {
    const Digest digest = sha256(message);
    const KeyContext context = new_context(key_.get());
    return and_forget_why_not(EVP_PKEY_verify_init(context.get()) == 1 &&
                              EVP_PKEY_verify(context.get(), signature.data(), signature.size(),
                                              digest.data(), digest.size()) == 1);
}

NoteKey NoteKey::load(const std::filesystem::path& file) {
    PKey key = read_private_key(file);
    if (EVP_PKEY_is_a(key.get(), "ED25519") != 1) throw CryptoFailure{file.string() + ": not an Ed25519 key"};
    return NoteKey{std::move(key)};
}

NoteKey NoteKey::from_seed(const std::array<std::uint8_t, 32>& seed) {
    PKey key{EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size())};
    if (!key) throw CryptoFailure{"making an Ed25519 key"};
    return NoteKey{std::move(key)};
}

std::array<std::uint8_t, 64> NoteKey::sign(BytesView message) const {
    const auto signature = exactly<64>(sign_ed25519(key_.get(), message));
    if (!signature) throw CryptoFailure{"an Ed25519 signature of another size"};
    return *signature;
}

std::array<std::uint8_t, 32> NoteKey::public_key() const {
    std::array<std::uint8_t, 32> key;
    std::size_t size = key.size();
    if (EVP_PKEY_get_raw_public_key(key_.get(), key.data(), &size) != 1 || size != key.size())
        throw CryptoFailure{"reading an Ed25519 public key"};
    return key;
}

bool verify_ed25519(const std::array<std::uint8_t, 32>& public_key, BytesView message, BytesView signature) {
    const PKey key{
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, public_key.data(), public_key.size())};
    if (!key) {
        ERR_clear_error();
        return false;
    }
    const MdContext context = new_context();
    return and_forget_why_not(
        EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, key.get(), nullptr) == 1 &&
        EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) ==
            1);
}

}  // namespace flagpost::crypto
