#include "broker/crypto/seal.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <algorithm>
#include <limits>

#include "broker/crypto/handles.h"

namespace flagpost::crypto {
namespace {

constexpr std::size_t salt_size = 16;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t key_size = 32;
constexpr std::size_t tag_size = 16;
constexpr std::size_t wrap_size = salt_size + nonce_size + key_size + tag_size;
constexpr std::size_t body_size_max = std::numeric_limits<int>::max() - 1024;  // OpenSSL counts in int

using Key = std::array<std::uint8_t, key_size>;

using Cipher = std::unique_ptr<EVP_CIPHER, FreeWith<EVP_CIPHER_free>>;

CipherContext new_context() {
    static const Cipher cipher{EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)};
    CipherContext context{EVP_CIPHER_CTX_new()};
    if (!cipher || !context ||
        EVP_EncryptInit_ex2(context.get(), cipher.get(), nullptr, nullptr, nullptr) != 1)
        throw CryptoFailure{"AES-256-GCM is not available"};
    return context;
}

/// Naming the cipher again at each use would make OpenSSL free and build its tables anew.
EVP_CIPHER_CTX* context_of_this_thread() {
    thread_local const CipherContext context = new_context();
    return context.get();
}

void append_number(Bytes& out, std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(number >> shift));
}

void append_counted(Bytes& out, std::string_view text) {
    append_number(out, text.size());
    out.insert(out.end(), text.begin(), text.end());
}

/// What a layer is bound to: its own name first, so that one layer never opens as the other.
Bytes associated_data(std::string_view layer, const SealLabel& label) {
    Bytes out;
    out.reserve(layer.size() + label.controller.size() + label.retention.size() + 24);
    out.insert(out.end(), layer.begin(), layer.end());
    append_counted(out, label.controller);
    append_counted(out, label.retention);
    append_number(out, label.index);
    return out;
}
Bytes wrap_data(const SealLabel& label) { return associated_data("flagpost-wrap/1\n", label); }
Bytes body_data(const SealLabel& label) { return associated_data("flagpost-body/1\n", label); }

/// Writes nonce || ciphertext || tag behind what `out` holds.
void encrypt(Bytes& out, const Key& key, BytesView nonce, BytesView associated, BytesView plain) {
    EVP_CIPHER_CTX* context = context_of_this_thread();
    const std::size_t start = out.size() + nonce_size;
    out.insert(out.end(), nonce.begin(), nonce.end());
    out.resize(start + plain.size() + tag_size);
    int written = 0;
    const bool done =
        EVP_EncryptInit_ex2(context, nullptr, key.data(), nonce.data(), nullptr) == 1 &&
        EVP_EncryptUpdate(context, nullptr, &written, associated.data(),
                          static_cast<int>(associated.size())) == 1 &&
        EVP_EncryptUpdate(context, out.data() + start, &written, plain.data(),
                          static_cast<int>(plain.size())) == 1 &&
        EVP_EncryptFinal_ex(context, out.data() + start + plain.size(), &written) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, tag_size, out.data() + start + plain.size()) == 1;
    if (!done) throw CryptoFailure{"encrypting"};
}

/// Reads nonce || ciphertext || tag into `plain`, which has room for exactly the ciphertext.
bool decrypt(std::span<std::uint8_t> plain, const Key& key, BytesView sealed, BytesView associated) {
    EVP_CIPHER_CTX* context = context_of_this_thread();
    const BytesView ciphertext = sealed.subspan(nonce_size, plain.size());
    std::array<std::uint8_t, tag_size> tag;  // OpenSSL takes it by a pointer to non-const
    std::copy_n(sealed.last(tag_size).begin(), tag_size, tag.begin());
    int written = 0;
    const bool done = EVP_DecryptInit_ex2(context, nullptr, key.data(), sealed.data(), nullptr) == 1 &&
                      EVP_DecryptUpdate(context, nullptr, &written, associated.data(),
                                        static_cast<int>(associated.size())) == 1 &&
                      EVP_DecryptUpdate(context, plain.data(), &written, ciphertext.data(),
                                        static_cast<int>(plain.size())) == 1 &&
                      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()) == 1 &&
                      EVP_DecryptFinal_ex(context, plain.data() + plain.size(), &written) == 1;
    if (!done) ERR_clear_error();
    return done;
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
    std::array<std::uint8_t, salt_size + key_size + 2 * nonce_size> fresh;
    random_.fill(fresh);
    const BytesView all{fresh};
    const BytesView salt = all.first(salt_size);
    Key body_key;
    std::copy_n(fresh.begin() + salt_size, key_size, body_key.begin());
    Key wrapping = wrapping_key(masters_.current, salt);

    SealedBody sealed{};
    sealed.wrap.reserve(wrap_size);
    sealed.wrap.assign(salt.begin(), salt.end());
    encrypt(sealed.wrap, wrapping, all.subspan(salt_size + key_size, nonce_size), wrap_data(label), body_key);
    sealed.ciphertext.reserve(nonce_size + body.size() + tag_size);
    encrypt(sealed.ciphertext, body_key, all.last(nonce_size), body_data(label), body);
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
    if (ciphertext.size() < nonce_size + tag_size || ciphertext.size() > body_size_max) return std::nullopt;
    Bytes body(ciphertext.size() - nonce_size - tag_size);
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
    std::array<std::uint8_t, nonce_size> nonce;
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
