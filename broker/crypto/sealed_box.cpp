#include "broker/crypto/sealed_box.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/pem.h>

#include <algorithm>

#include "broker/crypto/aes_gcm.h"
#include "broker/crypto/private_file.h"

namespace flagpost::crypto {
namespace {

constexpr std::size_t overhead = sizeof(BoxPublicKey) + gcm_tag_size;
constexpr std::size_t message_size_max = 64 * 1024 * 1024;
constexpr std::string_view salt = "flagpost-sealed-box/1\n";

using Secrets = std::array<std::uint8_t, aes_key_size + gcm_nonce_size>;
using Derivation = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using Kdf = std::unique_ptr<EVP_KDF, FreeWith<EVP_KDF_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, FreeWith<EVP_KDF_CTX_free>>;
using Bio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;

bool is_x25519(const PKey& key) { return key && EVP_PKEY_is_a(key.get(), "X25519") == 1; }

PKey new_key() {
    PKey key{EVP_PKEY_Q_keygen(nullptr, nullptr, "X25519")};
    if (!key) throw CryptoFailure{"making an X25519 key"};
    return key;
}

BoxPublicKey public_of(const PKey& key) {
    BoxPublicKey raw;
    std::size_t size = raw.size();
    if (EVP_PKEY_get_raw_public_key(key.get(), raw.data(), &size) != 1 || size != raw.size())
        throw CryptoFailure{"reading an X25519 public key"};
    return raw;
}

/// The X25519 secret of ours and theirs; nothing for a point of small order, which OpenSSL refuses.
std::optional<std::array<std::uint8_t, 32>> agree(const PKey& ours, const BoxPublicKey& theirs) {
    const PKey peer{EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, theirs.data(), theirs.size())};
    const Derivation context{EVP_PKEY_CTX_new(ours.get(), nullptr)};
    std::array<std::uint8_t, 32> secret{};
    std::size_t size = secret.size();
    if (!peer || !context || EVP_PKEY_derive_init(context.get()) != 1 ||
        EVP_PKEY_derive_set_peer(context.get(), peer.get()) != 1 ||
        EVP_PKEY_derive(context.get(), secret.data(), &size) != 1 || size != secret.size()) {
        ERR_clear_error();
        return std::nullopt;
    }
    return secret;
}

std::optional<Secrets> secrets_of(const PKey& ours, const BoxPublicKey& theirs, const BoxPublicKey& ephemeral,
                                  const BoxPublicKey& recipient, BytesView context) {
    auto shared = agree(ours, theirs);
    if (!shared) return std::nullopt;
    Bytes info{ephemeral.begin(), ephemeral.end()};
    info.insert(info.end(), recipient.begin(), recipient.end());
    info.insert(info.end(), context.begin(), context.end());
    const Kdf kdf{EVP_KDF_fetch(nullptr, "HKDF", nullptr)};
    const KdfContext hkdf{kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr};
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, shared->data(), shared->size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, const_cast<char*>(salt.data()), salt.size()),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
        OSSL_PARAM_construct_end(),
    };
    Secrets secrets{};
    const bool done = hkdf && EVP_KDF_derive(hkdf.get(), secrets.data(), secrets.size(), parameters) == 1;
    OPENSSL_cleanse(shared->data(), shared->size());
    if (!done) throw CryptoFailure{"HKDF-SHA-256"};
    return secrets;
}

}  // namespace

BoxPublicKey load_box_public_key(const std::filesystem::path& file) {
    const Bio in{BIO_new_file(file.c_str(), "rb")};
    const PKey key{in ? PEM_read_bio_PUBKEY(in.get(), nullptr, nullptr, nullptr) : nullptr};
    if (!is_x25519(key)) throw CryptoFailure{file.string() + ": not an X25519 public key in PEM"};
    return public_of(key);
}

Bytes seal_to(const BoxPublicKey& recipient, BytesView context, BytesView message) {
    if (message.size() > message_size_max) throw CryptoFailure{"a message too large for a box"};
    const PKey ephemeral = new_key();
    const auto own = public_of(ephemeral);
    auto secrets = secrets_of(ephemeral, recipient, own, recipient, context);
    if (!secrets) throw CryptoFailure{"a recipient's X25519 key that agrees with no other"};
    Bytes box{own.begin(), own.end()};
    box.resize(own.size() + message.size() + gcm_tag_size);
    const std::span<const std::uint8_t, std::tuple_size_v<Secrets>> key_and_nonce{*secrets};
    gcm_encrypt(std::span{box}.subspan(own.size()), key_and_nonce.first<aes_key_size>(),
                key_and_nonce.last<gcm_nonce_size>(), {}, message);
    OPENSSL_cleanse(secrets->data(), secrets->size());
    return box;
}

BoxKey BoxKey::load(const std::filesystem::path& file) {
    PKey key = read_private_key(file);
    if (!is_x25519(key)) throw CryptoFailure{file.string() + ": not an X25519 key"};
    return BoxKey{std::move(key)};
}

BoxKey BoxKey::generate() { return BoxKey{new_key()}; }

BoxPublicKey BoxKey::public_key() const { return public_of(key_); }

std::optional<Bytes> BoxKey::open(BytesView context, BytesView box) const {
    if (box.size() < overhead || box.size() > message_size_max + overhead) return std::nullopt;
    const auto ephemeral = *exactly<32>(box.first(32));
    auto secrets = secrets_of(key_, ephemeral, ephemeral, public_key(), context);
    if (!secrets) return std::nullopt;
    const std::span<const std::uint8_t, std::tuple_size_v<Secrets>> key_and_nonce{*secrets};
    Bytes message(box.size() - overhead);
    const bool done = gcm_decrypt(message, key_and_nonce.first<aes_key_size>(),
                                  key_and_nonce.last<gcm_nonce_size>(), {}, box.subspan(ephemeral.size()));
    OPENSSL_cleanse(secrets->data(), secrets->size());
    if (!done) return std::nullopt;
    return message;
}

}  // namespace flagpost::crypto
