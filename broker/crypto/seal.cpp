#include "broker/crypto/seal.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <limits>

#include "broker/crypto/aes_gcm.h"
#include "broker/crypto/handles.h"

namespace flagpost::crypto {
namespace {

constexpr std::size_t salt_size = 16;
constexpr std::size_t wrap_size = salt_size + gcm_nonce_size + aes_key_size + gcm_tag_size;
constexpr std::size_t body_size_max = std::numeric_limits<int>::max() - 1024;  // OpenSSL counts in int

using Key = std::array<std::uint8_t, aes_key_size>;

void append_counted(Bytes& out, std::string_view text) {
    append_be(out, text.size(), 8);
    out.insert(out.end(), text.begin(), text.end());
}

/// What a layer is bound to: its own name first, so that one layer never opens as the other.
Bytes associated_data(std::string_view layer, const SealLabel& label) {
    Bytes out;
    out.reserve(layer.size() + label.controller.size() + label.retention.size() + 24);
    out.insert(out.end(), layer.begin(), layer.end());
    append_counted(out, label.controller);
    append_counted(out, label.retention);
    append_be(out, label.index, 8);
    return out;
}
Bytes wrap_data(const SealLabel& label) { return associated_data("flagpost-wrap/1\n", label); }
Bytes body_data(const SealLabel& label) { return associated_data("flagpost-body/1\n", label); }

/// Writes nonce || ciphertext || tag behind what `out` holds.
void encrypt(Bytes& out, const Key& key, BytesView nonce, BytesView associated, BytesView plain) {
    const std::size_t start = out.size() + gcm_nonce_size;
    out.insert(out.end(), nonce.begin(), nonce.end());
    out.resize(start + plain.size() + gcm_tag_size);
    gcm_encrypt(std::span{out}.subspan(start), key, nonce.first<gcm_nonce_size>(), associated, plain);
}

/// Reads nonce || ciphertext || tag into `plain`, which has room for exactly the ciphertext.
bool decrypt(std::span<std::uint8_t> plain, const Key& key, BytesView sealed, BytesView associated) {
    return gcm_decrypt(plain, key, sealed.first<gcm_nonce_size>(), associated,
                       sealed.subspan(gcm_nonce_size));
}

/// A wrapping key of its own for every salt: however many records, no key meets the same nonce twice.
Key wrapping_key(const SymmetricKey& master, BytesView salt) {
    return hmac_sha256(master, {view("flagpost-wrapping-key/1\n"), salt});
}

bool unwrap(Key& body_key, const SymmetricKey& master, BytesView wrap, const SealLabel& label) {
    Key wrapping = wrapping_key(master, wrap.first(salt_size));
    const bool opened = decrypt(body_key, wrapping, wrap.subspan(salt_size), wrap_data(label));
    OPENSSL_cleanse(wrapping.data(), wrapping.size());
    return opened;
}

bool unwrap(Key& body_key, const MasterKeys& masters, BytesView wrap, const SealLabel& label) {
    return unwrap(body_key, masters.current, wrap, label) ||
           (masters.previous && unwrap(body_key, *masters.previous, wrap, label));
}

}  // namespace

SealedBody Sealer::seal(BytesView body, const SealLabel& label) {
    if (body.size() > body_size_max) throw CryptoFailure{"a body too large to seal"};
    std::array<std::uint8_t, salt_size + aes_key_size + 2 * gcm_nonce_size> fresh;
    random_.fill(fresh);
    const BytesView all{fresh};
    const BytesView salt = all.first(salt_size);
    Key body_key;
    std::copy_n(fresh.begin() + salt_size, aes_key_size, body_key.begin());
    Key wrapping = wrapping_key(masters_.current, salt);

    SealedBody sealed{};
    sealed.wrap.reserve(wrap_size);
    sealed.wrap.assign(salt.begin(), salt.end());
    encrypt(sealed.wrap, wrapping, all.subspan(salt_size + aes_key_size, gcm_nonce_size), wrap_data(label),
            body_key);
    sealed.ciphertext.reserve(gcm_nonce_size + body.size() + gcm_tag_size);
    encrypt(sealed.ciphertext, body_key, all.last(gcm_nonce_size), body_data(label), body);
    sealed.digest = sha256({salt, sealed.ciphertext});

    OPENSSL_cleanse(fresh.data(), fresh.size());
    OPENSSL_cleanse(body_key.data(), body_key.size());
    OPENSSL_cleanse(wrapping.data(), wrapping.size());
    return sealed;
}

std::optional<Bytes> Sealer::open(BytesView wrap, BytesView ciphertext, const SealLabel& label) const {
    const auto key = body_key(wrap, label);
    if (!key) return std::nullopt;
    return open_body(*key, ciphertext, label);
}

std::optional<SymmetricKey> Sealer::body_key(BytesView wrap, const SealLabel& label) const {
    if (wrap.size() != wrap_size) return std::nullopt;
    Key raw{};
    if (!unwrap(raw, masters_, wrap, label)) return std::nullopt;
    SymmetricKey key{raw};
    OPENSSL_cleanse(raw.data(), raw.size());
    return key;
}

std::optional<Bytes> open_body(const SymmetricKey& key, BytesView ciphertext, const SealLabel& label) {
    if (ciphertext.size() < gcm_nonce_size + gcm_tag_size || ciphertext.size() > body_size_max)
        return std::nullopt;
    Bytes body(ciphertext.size() - gcm_nonce_size - gcm_tag_size);
    if (!decrypt(body, key.reveal(), ciphertext, body_data(label))) return std::nullopt;
    return body;
}

std::optional<Bytes> Sealer::rewrap(BytesView wrap, const SealLabel& label) {
    if (wrap.size() != wrap_size) return std::nullopt;
    Key body_key{};
    if (unwrap(body_key, masters_.current, wrap, label)) {
        OPENSSL_cleanse(body_key.data(), body_key.size());
        return copy(wrap);
    }
    if (!masters_.previous || !unwrap(body_key, *masters_.previous, wrap, label)) return std::nullopt;
    const BytesView salt = wrap.first(salt_size);
    std::array<std::uint8_t, gcm_nonce_size> nonce;
    random_.fill(nonce);
    Key wrapping = wrapping_key(masters_.current, salt);
    Bytes fresh;
    fresh.reserve(wrap_size);
    fresh.assign(salt.begin(), salt.end());
    encrypt(fresh, wrapping, nonce, wrap_data(label), body_key);
    OPENSSL_cleanse(body_key.data(), body_key.size());
    OPENSSL_cleanse(wrapping.data(), wrapping.size());
    return fresh;
}

std::optional<Digest> body_digest(BytesView wrap, BytesView ciphertext) {
    if (wrap.size() < salt_size) return std::nullopt;
    return sha256({wrap.first(salt_size), ciphertext});
}

}  // namespace flagpost::crypto
