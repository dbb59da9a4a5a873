#include "broker/app/certificates.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <stdexcept>

#include "broker/crypto/handles.h"

namespace flagpost::app {
namespace {

using Bio = std::unique_ptr<BIO, crypto::FreeWith<BIO_free_all>>;
using RevocationList = std::unique_ptr<X509_CRL, crypto::FreeWith<X509_CRL_free>>;
using Certificate = std::unique_ptr<X509, crypto::FreeWith<X509_free>>;

Instant instant_of(const ASN1_TIME* time, const std::filesystem::path& file) {
    tm broken_down{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &broken_down) != 1)
        throw std::runtime_error{file.string() + ": a time in it cannot be read"};
    return Instant{std::chrono::seconds{timegm(&broken_down)}};
}

Certificate first_certificate(const std::filesystem::path& file) {
    const Bio bio{BIO_new_file(file.c_str(), "r")};
    Certificate leaf{bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr};
    if (!leaf) throw std::runtime_error{file.string() + ": holds no certificate"};
    return leaf;
}

}  // namespace

Instant read_certificate_end(const std::filesystem::path& file) {
    return instant_of(X509_get0_notAfter(first_certificate(file).get()), file);
}

Digest read_certificate_digest(const std::filesystem::path& file) {
    Digest digest;
    unsigned size = digest.size();
    if (X509_digest(first_certificate(file).get(), EVP_sha256(), digest.data(), &size) != 1)
        throw std::runtime_error{file.string() + ": its certificate has no digest"};
    return digest;
}

std::optional<Instant> read_revocation_list_end(const std::filesystem::path& file) {
    const Bio bio{BIO_new_file(file.c_str(), "r")};
    std::optional<Instant> first;
    bool any = false;
    while (bio) {
        const RevocationList list{PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr)};
        if (!list) break;
        any = true;
        const auto* next = X509_CRL_get0_nextUpdate(list.get());
        if (next == nullptr) continue;
        const Instant end = instant_of(next, file);
        first = std::min(first.value_or(end), end);
    }
    ERR_clear_error();  // the end of the file is one
    if (!any) throw std::runtime_error{file.string() + ": holds no revocation list"};
    return first;
}

}  // namespace flagpost::app
