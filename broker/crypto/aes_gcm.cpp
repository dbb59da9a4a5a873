#include "broker/crypto/aes_gcm.h"

#include <openssl/err.h>

#include <algorithm>

#include "broker/crypto/handles.h"

namespace flagpost::crypto {
namespace {

using Cipher = std::unique_ptr<EVP_CIPHER, FreeWith<EVP_CIPHER_free>>;

CipherContext new_cipher() {
    static const Cipher cipher{EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)};
    CipherContext context{EVP_CIPHER_CTX_new()};
    if (!cipher || !context ||
        EVP_EncryptInit_ex2(context.get(), cipher.get(), nullptr, nullptr, nullptr) != 1)
        throw CryptoFailure{"AES-256-GCM is not available"};
    return context;
}

/// Naming the cipher again at each use would make OpenSSL free and build its tables anew.
EVP_CIPHER_CTX* context_of_this_thread() {
    thread_local const CipherContext context = new_cipher();
    return context.get();
}

}  // namespace

void gcm_encrypt(std::span<std::uint8_t> out, AesKey key, GcmNonce nonce, BytesView associated,
                 BytesView plain) {
    EVP_CIPHER_CTX* context = context_of_this_thread();
    std::uint8_t* const tag = out.data() + plain.size();
    int written = 0;
    const bool done =
        EVP_EncryptInit_ex2(context, nullptr, key.data(), nonce.data(), nullptr) == 1 &&
        EVP_EncryptUpdate(context, nullptr, &written, associated.data(),
                          static_cast<int>(associated.size())) == 1 &&
        EVP_EncryptUpdate(context, out.data(), &written, plain.data(), static_cast<int>(plain.size())) == 1 &&
        EVP_EncryptFinal_ex(context, tag, &written) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, gcm_tag_size, tag) == 1;
    if (!done) throw CryptoFailure{"encrypting"};
}

bool gcm_decrypt(std::span<std::uint8_t> plain, AesKey key, GcmNonce nonce, BytesView associated,
                 BytesView sealed) {
    EVP_CIPHER_CTX* context = context_of_this_thread();
    std::array<std::uint8_t, gcm_tag_size> tag;  // OpenSSL takes it by a pointer to non-const
    std::ranges::copy(sealed.last(gcm_tag_size), tag.begin());
    int written = 0;
    const bool done = EVP_DecryptInit_ex2(context, nullptr, key.data(), nonce.data(), nullptr) == 1 &&
                      EVP_DecryptUpdate(context, nullptr, &written, associated.data(),
                                        static_cast<int>(associated.size())) == 1 &&
                      EVP_DecryptUpdate(context, plain.data(), &written, sealed.data(),
                                        static_cast<int>(plain.size())) == 1 &&
                      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, gcm_tag_size, tag.data()) == 1 &&
                      EVP_DecryptFinal_ex(context, plain.data() + plain.size(), &written) == 1;
    if (!done) ERR_clear_error();
    return done;
}

}  // namespace flagpost::crypto
