#include "broker/app/certificates.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

#include "broker/crypto/handles.h"

namespace flagpost::app {
namespace {

using Bio = std::unique_ptr<BIO, crypto::FreeWith<BIO_free_all>>;
using RevocationList = std::unique_ptr<X509_CRL, crypto::FreeWith<X509_CRL_free>>;
using Integer = std::unique_ptr<ASN1_INTEGER, crypto::FreeWith<ASN1_INTEGER_free>>;

}  // namespace

std::uint64_t read_crl_number(const std::filesystem::path& file) {
    const Bio bio{BIO_new_file(file.c_str(), "r")};
    const RevocationList list{bio ? PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr) : nullptr};
    if (!list) throw std::runtime_error{file.string() + ": holds no revocation list"};
    const Integer number{
        static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(list.get(), NID_crl_number, nullptr, nullptr))};
    std::uint64_t value = 0;
    if (!number || ASN1_INTEGER_get_uint64(&value, number.get()) != 1)
        throw std::runtime_error{file.string() + ": the revocation list has no usable number"};
    return value;
}

}  // namespace flagpost::app
