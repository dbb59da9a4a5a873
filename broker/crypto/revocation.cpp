#include "broker/crypto/revocation.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <fstream>
#include <iterator>

namespace flagpost::crypto {
namespace {

using Memory = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using Integer = std::unique_ptr<ASN1_INTEGER, FreeWith<ASN1_INTEGER_free>>;
using KeyIdentifier = std::unique_ptr<AUTHORITY_KEYID, FreeWith<AUTHORITY_KEYID_free>>;

Integer integer_of(const X509_CRL* list) {
    return Integer{static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(list, NID_crl_number, nullptr, nullptr))};
}

/// Two lists of one issuer: its name and, since names are reused, its key.
bool same_issuer(const X509_CRL* a, const X509_CRL* b) {
    if (X509_NAME_cmp(X509_CRL_get_issuer(a), X509_CRL_get_issuer(b)) != 0) return false;
    const auto key_of = [](const X509_CRL* list) {
        return KeyIdentifier{static_cast<AUTHORITY_KEYID*>(
            X509_CRL_get_ext_d2i(list, NID_authority_key_identifier, nullptr, nullptr))};
    };
    const KeyIdentifier key_a = key_of(a), key_b = key_of(b);
    if (!key_a || !key_b || key_a->keyid == nullptr || key_b->keyid == nullptr) return true;
    return ASN1_OCTET_STRING_cmp(key_a->keyid, key_b->keyid) == 0;
}

}  // namespace

std::vector<RevocationList> revocation_lists_in(std::string_view pem, const std::filesystem::path& file) {
    ERR_clear_error();
    const Memory in{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    std::vector<RevocationList> lists;
    while (in) {
        RevocationList list{PEM_read_bio_X509_CRL(in.get(), nullptr, nullptr, nullptr)};
        if (!list) break;
        lists.push_back(std::move(list));
    }
    // The end of the text is an error in OpenSSL's eyes, and the only one that is none.
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE || lists.empty())
        throw CryptoFailure{file.string() +
                            ": no revocation list can be read from it, or one of them is damaged"};
    ERR_clear_error();
    return lists;
}

std::vector<RevocationList> read_revocation_lists(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    const std::string pem{std::istreambuf_iterator<char>{in}, {}};
    if (!in.is_open() || in.bad()) throw CryptoFailure{file.string() + ": cannot be read"};
    return revocation_lists_in(pem, file);
}

std::optional<std::uint64_t> number_of(const X509_CRL* list) {
    const Integer number = integer_of(list);
    std::uint64_t value = 0;
    if (!number || ASN1_INTEGER_get_uint64(&value, number.get()) != 1) return std::nullopt;
    return value;
}

void refuse_older(const std::vector<const X509_CRL*>& fresh, const std::vector<const X509_CRL*>& held) {
    for (const X509_CRL* list : fresh)
        for (const X509_CRL* other : held) {
            if (!same_issuer(list, other)) continue;
            const Integer number = integer_of(list), before = integer_of(other);
            if (number && before && ASN1_INTEGER_cmp(number.get(), before.get()) < 0)
                throw CryptoFailure{"the revocation list is older than the one in force"};
        }
}

}  // namespace flagpost::crypto
