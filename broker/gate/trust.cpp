#include "broker/gate/trust.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <vector>

#include "broker/crypto/revocation.h"

namespace flagpost::gate {
namespace {

using crypto::CryptoFailure;
using crypto::FreeWith;
using Verification = std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>>;

std::vector<const X509_CRL*> lists_of(const SSL_CTX* context) {
    std::vector<const X509_CRL*> lists;
    const STACK_OF(X509_OBJECT)* objects = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
    for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i)
        if (const X509_CRL* list = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(objects, i)))
            lists.push_back(list);
    return lists;
}

/// Our own certificate must be one a client would accept. Its dates are left to the clients: an old certificate
/// here is no reason to ignore a new revocation list.
void test_own_certificate(SSL_CTX* context) {
    const Verification verification{X509_STORE_CTX_new()};
    STACK_OF(X509)* intermediates = nullptr;
    SSL_CTX_get0_chain_certs(context, &intermediates);
    if (!verification || X509_STORE_CTX_init(verification.get(), SSL_CTX_get_cert_store(context),
                                             SSL_CTX_get0_certificate(context), intermediates) != 1)
        throw CryptoFailure{"no memory to verify the broker's certificate"};
    X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(verification.get());
    X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_X509_STRICT | X509_V_FLAG_NO_CHECK_TIME);
    X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_SERVER);
    if (X509_verify_cert(verification.get()) != 1)
        throw CryptoFailure{std::string{"the broker's own certificate: "} +
                            X509_verify_cert_error_string(X509_STORE_CTX_get_error(verification.get()))};
}

/// At most one byte more than may be told to the broker; empty where there is no such file.
std::string text_of(const std::filesystem::path& file) {
    std::error_code none;
    const auto size = std::filesystem::file_size(file, none);
    std::string text(none ? 0 : std::min<std::uintmax_t>(size, wire::fabric::lists_size_max + 1), '\0');
    std::ifstream in{file, std::ios::binary};
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    return text;
}

std::uint64_t first_number_in(const std::string& text, const std::filesystem::path& file) {
    if (text.size() > wire::fabric::lists_size_max)
        throw CryptoFailure{file.string() + ": longer than revocation lists may be"};
    const auto number = crypto::number_of(crypto::revocation_lists_in(text, file).front().get());
    if (!number) throw CryptoFailure{file.string() + ": the revocation list has no usable number"};
    return *number;
}

std::optional<Instant> instant_of(const ASN1_TIME* time) {
    std::tm broken_down{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &broken_down) != 1) return std::nullopt;
    return Instant{std::chrono::seconds{::timegm(&broken_down)}};
}

Digest fingerprint_of(const X509* certificate) {
    Digest digest;
    unsigned size = digest.size();
    if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1)
        throw CryptoFailure{"the broker's certificate has no digest"};
    return digest;
}

crypto::TlsContext tried_context(const crypto::TlsFiles& files) {
    auto context = crypto::make_server_context(files);
    test_own_certificate(context.get());
    return context;
}

}  // namespace

Trust::Trust(crypto::TlsFiles files) : files_{std::move(files)}, read_{stamps()}, trusted_{read(files_)} {}

// The context's lists and this text must be the same: the log names the text.
Trust::Trusted Trust::read(const crypto::TlsFiles& files) {
    std::string text = text_of(files.crl);
    auto context = tried_context(files);
    if (text != text_of(files.crl)) throw CryptoFailure{files.crl.string() + ": changed while it was read"};
    const auto number = first_number_in(text, files.crl);
    const X509* own = SSL_CTX_get0_certificate(context.get());
    const auto ends = instant_of(X509_get0_notAfter(own));
    if (!ends) throw CryptoFailure{files.certificate.string() + ": when it ends cannot be read"};
    const auto certificate = fingerprint_of(own);
    return {std::move(context), std::move(text), number, certificate, *ends};
}

Trust::Stamp Trust::stamp_of(const std::filesystem::path& file) {
    struct stat facts {};
    if (::stat(file.c_str(), &facts) != 0) return {};
    return {facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec, facts.st_size, facts.st_ino};
}

Trust::Stamps Trust::stamps() const {
    return {stamp_of(files_.certificate), stamp_of(files_.key), stamp_of(files_.ca), stamp_of(files_.crl)};
}

bool Trust::changed_on_disk() const { return stamps() != read_; }

void Trust::reload() {
    read_ = stamps();  // before reading: a change while we read is seen next time
    auto fresh = read(files_);
    crypto::refuse_older(lists_of(fresh.context.get()), lists_of(context()));
    trusted_ = std::move(fresh);
}

bool Trust::revoked(SSL* connection) const {
    X509* leaf = SSL_get0_peer_certificate(connection);
    for (const X509_CRL* list : lists_of(context())) {
        if (X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_issuer_name(leaf)) != 0) continue;
        X509_REVOKED* entry = nullptr;
        // It sorts the list at its first search, under a lock of its own.
        if (X509_CRL_get0_by_cert(const_cast<X509_CRL*>(list), &entry, leaf) == 1) return true;
    }
    return false;
}

bool Trust::still_trusted(SSL* connection) const {
    const Verification verification{X509_STORE_CTX_new()};
    if (!verification ||
        X509_STORE_CTX_init(verification.get(), SSL_CTX_get_cert_store(context()),
                            SSL_get0_peer_certificate(connection), SSL_get_peer_cert_chain(connection)) != 1)
        throw CryptoFailure{"no memory to verify a peer's certificate"};
    X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(verification.get()), SSL_CTX_get0_param(context()));
    return X509_verify_cert(verification.get()) == 1;
}

wire::fabric::Credentials Trust::credentials() const {
    std::optional<Instant> first;
    for (const X509_CRL* list : lists_of(context()))
        if (const auto end = instant_of(X509_CRL_get0_nextUpdate(list)))
            first = std::min(first.value_or(*end), *end);
    return {trusted_.certificate, trusted_.certificate_ends, first, trusted_.lists_number, trusted_.lists};
}

}  // namespace flagpost::gate
