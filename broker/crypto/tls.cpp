#include "broker/crypto/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "broker/crypto/digest.h"
#include "broker/crypto/private_file.h"
#include "broker/crypto/revocation.h"

namespace flagpost::crypto {
namespace {

constexpr const char* cipher_suites =
    "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* signature_algorithms =
    "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ed25519:rsa_pss_rsae_sha256";
constexpr const char* groups_with_kem = "X25519MLKEM768:X25519:P-256:P-384";
constexpr const char* groups_classic = "X25519:P-256:P-384";
constexpr std::string_view protocol = "flagpost/1";
constexpr int chain_depth_max = 3;
constexpr std::size_t read_ahead_bytes = 32 * 1024;  // two TLS records

using Bio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using Names = std::unique_ptr<GENERAL_NAMES, FreeWith<GENERAL_NAMES_free>>;
using BigNumber = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;

void require(bool done, const std::string& what) {
    if (!done) throw CryptoFailure{what};
}

Bio open_pem(const std::filesystem::path& file) {
    Bio bio{BIO_new_file(file.c_str(), "r")};
    require(bio != nullptr, file.string() + ": cannot be opened");
    return bio;
}

/// Every item of a PEM file, at least one. The end of the file is an error in OpenSSL's eyes: its queue is emptied.
template <class Handle, auto Read> std::vector<Handle> read_all(const std::filesystem::path& file) {
    const Bio bio = open_pem(file);
    std::vector<Handle> items;
    while (Handle item{Read(bio.get(), nullptr, nullptr, nullptr)}) items.push_back(std::move(item));
    const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    require(at_end && !items.empty(), file.string() + ": not the PEM file it should be");
    ERR_clear_error();
    return items;
}

void set_protocol(SSL_CTX* context) {
    require(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
                SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1,
            "TLS 1.3 is not available");
    require(SSL_CTX_set_ciphersuites(context, cipher_suites) == 1, "TLS cipher suites");
    require(SSL_CTX_set1_groups_list(context, tls_groups()) == 1, "TLS groups");
    require(SSL_CTX_set1_sigalgs_list(context, signature_algorithms) == 1, "TLS signature algorithms");
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(context,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                         SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                         // The other end has the CA: sending it too would cost both at each handshake.
                         SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    require(SSL_CTX_set_num_tickets(context, 0) == 1, "TLS without tickets");
    require(SSL_CTX_set_max_early_data(context, 0) == 1 && SSL_CTX_set_recv_max_early_data(context, 0) == 1,
            "TLS without early data");
}

void set_identity(SSL_CTX* context, const TlsFiles& files) {
    const PKey key = read_private_key(files.key);
    require(SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) == 1,
            files.certificate.string() + ": not a certificate chain in PEM");
    require(SSL_CTX_use_PrivateKey(context, key.get()) == 1 && SSL_CTX_check_private_key(context) == 1,
            files.key.string() + ": not the key of " + files.certificate.string());
}

/// Revocation lists whose signature has been verified, each with the CA that made it.
using VerifiedLists = std::vector<std::pair<const X509_CRL*, Certificate>>;

void free_verified_lists(void*, void* lists, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<VerifiedLists*>(lists);
}

int verified_lists_place() {
    static const int place = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_X509_STORE, 0, nullptr, nullptr, nullptr,
                                                     free_verified_lists);
    return place;
}

/// OpenSSL's own check of a revocation list.
X509_STORE_CTX_check_crl_fn check_list_whole() {
    static const X509_STORE_CTX_check_crl_fn check = [] {
        const std::unique_ptr<X509_STORE_CTX, FreeWith<X509_STORE_CTX_free>> trial{X509_STORE_CTX_new()};
        require(trial && X509_STORE_CTX_init(trial.get(), nullptr, nullptr, nullptr) == 1,
                "no memory to verify certificates");
        return X509_STORE_CTX_get_check_crl(trial.get());
    }();
    return check;
}

/// The list is in force by the clock; OpenSSL has found already that it is the right one.
bool in_force(const X509_CRL* list) {
    const ASN1_TIME* next = X509_CRL_get0_nextUpdate(list);
    return X509_cmp_current_time(X509_CRL_get0_lastUpdate(list)) < 0 && next != nullptr &&
           X509_cmp_current_time(next) > 0;
}

/// OpenSSL would verify the list's signature at each handshake, once for each certificate of the chain: a fifth of
/// the work of a handshake. What was verified when it was read is left out; whatever is unusual goes the long way.
int check_list(X509_STORE_CTX* verification, X509_CRL* list) {
    const auto* lists = static_cast<const VerifiedLists*>(
        X509_STORE_get_ex_data(X509_STORE_CTX_get0_store(verification), verified_lists_place()));
    const X509* issuer = X509_STORE_CTX_get0_current_issuer(verification);
    if (lists != nullptr && issuer != nullptr && in_force(list))
        for (const auto& [verified, ca] : *lists)
            if (verified == list && X509_cmp(issuer, ca.get()) == 0) return 1;
    return check_list_whole()(verification, list);
}

/// A plain list of everything its CA has revoked, well signed: none of one reason only, no additions to another.
bool verified_list_of(X509_CRL* list, X509* ca) {
    for (const int unusual : {NID_issuing_distribution_point, NID_delta_crl})
        if (X509_CRL_get_ext_by_NID(list, unusual, -1) >= 0) return false;
    return X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_subject_name(ca)) == 0 &&
           (X509_get_key_usage(ca) & KU_CRL_SIGN) != 0 && X509_CRL_verify(list, X509_get0_pubkey(ca)) == 1;
}

void add_lists(X509_STORE* store, const TlsFiles& files, const std::vector<Certificate>& cas) {
    auto verified = std::make_unique<VerifiedLists>();
    for (const RevocationList& list : read_revocation_lists(files.crl)) {
        require(X509_STORE_add_crl(store, list.get()) == 1, files.crl.string() + ": a list is refused");
        for (const Certificate& ca : cas) {
            if (!verified_list_of(list.get(), ca.get())) continue;
            X509_up_ref(ca.get());
            verified->emplace_back(list.get(), ca.get());
        }
    }
    ERR_clear_error();  // a list of another CA is no error here
    require(X509_STORE_set_ex_data(store, verified_lists_place(), verified.get()) == 1,
            "no memory for revocation lists");
    (void)verified.release();  // the store owns it now
    check_list_whole();
    X509_STORE_set_check_crl(store, check_list);
}

void set_trust(SSL_CTX* context, const TlsFiles& files, int purpose) {
    X509_STORE* store = SSL_CTX_get_cert_store(context);
    const auto cas = read_all<Certificate, PEM_read_bio_X509>(files.ca);
    for (const Certificate& ca : cas)
        require(X509_STORE_add_cert(store, ca.get()) == 1, files.ca.string() + ": a certificate is refused");
    unsigned long flags = X509_V_FLAG_X509_STRICT;
    if (!files.crl.empty()) {
        add_lists(store, files, cas);
        flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
    }
    X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(context);
    require(
        X509_VERIFY_PARAM_set_flags(rules, flags) == 1 && X509_VERIFY_PARAM_set_purpose(rules, purpose) == 1,
        "TLS verification rules");
    SSL_CTX_set_verify_depth(context, chain_depth_max);
}

TlsContext new_context(const SSL_METHOD* method, const TlsFiles& files, int purpose) {
    TlsContext context{SSL_CTX_new(method)};
    require(context != nullptr, "no memory for a TLS context");
    set_protocol(context.get());
    set_identity(context.get(), files);
    set_trust(context.get(), files, purpose);
    return context;
}

/// Our one protocol, or a fatal alert: no other may be spoken over a certificate of the partnership.
int select_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
    for (unsigned int at = 0; at < offered_size; at += 1u + offered[at]) {
        const unsigned int size = offered[at];
        if (size > offered_size - at - 1) break;
        if (text({offered + at + 1, size}) != protocol) continue;
        *out = offered + at + 1;
        *out_size = static_cast<unsigned char>(size);
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

Bytes protocol_offer() {
    Bytes offer{static_cast<std::uint8_t>(protocol.size())};
    offer.insert(offer.end(), protocol.begin(), protocol.end());
    return offer;
}

bool is_ip_address(const std::string& host) {
    std::array<std::uint8_t, 16> address;
    return ::inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

Result<SpiffeId> read_uri(X509* leaf) {
    const Names names{
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr))};
    if (!names) return refuse(Reason::malformed, "certificate: no subject alternative name");
    const ASN1_IA5STRING* uri = nullptr;
    for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
        const GENERAL_NAME* entry = sk_GENERAL_NAME_value(names.get(), i);
        if (entry->type != GEN_URI) continue;
        if (uri != nullptr) return refuse(Reason::malformed, "certificate: more than one URI");
        uri = entry->d.uniformResourceIdentifier;
    }
    if (uri == nullptr) return refuse(Reason::malformed, "certificate: no URI");
    return SpiffeId::parse(
        text({ASN1_STRING_get0_data(uri), static_cast<std::size_t>(ASN1_STRING_length(uri))}));
}

Result<void> check_key_usage(X509* leaf) {
    const int place = X509_get_ext_by_NID(leaf, NID_key_usage, -1);
    if (place < 0) return refuse(Reason::malformed, "certificate: no key usage");
    if (X509_EXTENSION_get_critical(X509_get_ext(leaf, place)) != 1)
        return refuse(Reason::malformed, "certificate: key usage not critical");
    const std::uint32_t usage = X509_get_key_usage(leaf);
    if ((usage & KU_DIGITAL_SIGNATURE) == 0)
        return refuse(Reason::malformed, "certificate: key usage without digitalSignature");
    if ((usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN)) != 0)
        return refuse(Reason::malformed, "certificate: key usage of a CA");
    return {};
}

/// Exactly one purpose: a leaf good for both ends would let a stolen agency key pose as the broker.
Result<void> check_purpose(X509* leaf, Purpose purpose) {
    if ((X509_get_extension_flags(leaf) & EXFLAG_XKUSAGE) == 0)
        return refuse(Reason::malformed, "certificate: no extended key usage");
    const std::uint32_t wanted = purpose == Purpose::client ? XKU_SSL_CLIENT : XKU_SSL_SERVER;
    if (X509_get_extended_key_usage(leaf) != wanted)
        return refuse(Reason::not_permitted, "certificate: extended key usage");
    return {};
}

Result<void> check_profile(X509* leaf, Purpose purpose) {
    if ((X509_get_extension_flags(leaf) & EXFLAG_INVALID) != 0)
        return refuse(Reason::malformed, "certificate: an extension cannot be read");
    if (X509_check_ca(leaf) != 0) return refuse(Reason::malformed, "certificate: a CA");
    return check_key_usage(leaf).and_then([&] { return check_purpose(leaf, purpose); });
}

std::string serial_of(const X509* leaf) {
    const BigNumber number{ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf), nullptr)};
    require(number != nullptr, "a certificate's serial number");
    Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
    BN_bn2bin(number.get(), bytes.data());
    return to_hex(bytes);
}

Result<Instant> not_after_of(const X509* leaf) {
    std::tm broken_down{};
    if (ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &broken_down) != 1) {
        ERR_clear_error();
        return refuse(Reason::malformed, "certificate: end of validity");
    }
    return Instant{std::chrono::seconds{::timegm(&broken_down)}};
}

Digest fingerprint_of(const X509* leaf) {
    std::uint8_t* encoded = nullptr;
    const int size = i2d_X509(leaf, &encoded);
    require(size > 0, "encoding a certificate");
    const Digest digest = sha256({encoded, static_cast<std::size_t>(size)});
    OPENSSL_free(encoded);
    return digest;
}

}  // namespace

const char* tls_groups() {
    static const char* const groups = [] {
        const TlsContext trial{SSL_CTX_new(TLS_method())};
        const bool with_kem = SSL_CTX_set1_groups_list(trial.get(), groups_with_kem) == 1;
        ERR_clear_error();
        return with_kem ? groups_with_kem : groups_classic;
    }();
    return groups;
}

TlsContext make_server_context(const TlsFiles& files) {
    require(!files.crl.empty(), "a server needs a revocation list");
    TlsContext context = new_context(TLS_server_method(), files, X509_PURPOSE_SSL_CLIENT);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    SSL_CTX_set_alpn_select_cb(context.get(), select_protocol, nullptr);
    SSL_CTX_set_read_ahead(context.get(), 1);
    SSL_CTX_set_default_read_buffer_len(context.get(), read_ahead_bytes);
    return context;
}

TlsContext make_client_context(const TlsFiles& files) {
    TlsContext context = new_context(TLS_client_method(), files, X509_PURPOSE_SSL_SERVER);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    const Bytes offer = protocol_offer();
    require(
        SSL_CTX_set_alpn_protos(context.get(), offer.data(), static_cast<unsigned int>(offer.size())) == 0,
        "TLS application protocol");
    return context;
}

TlsConnection begin_client(SSL_CTX* context, const std::string& host) {
    TlsConnection connection{SSL_new(context)};
    require(connection != nullptr, "no memory for a TLS connection");
    SSL_set_hostflags(connection.get(), X509_CHECK_FLAG_NO_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (is_ip_address(host)) {
        require(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection.get()), host.c_str()) == 1,
                "the broker's address");
    } else {
        require(!host.empty() && SSL_set1_host(connection.get(), host.c_str()) == 1 &&
                    SSL_set_tlsext_host_name(connection.get(), host.c_str()) == 1,
                "the broker's host name");
    }
    SSL_set_connect_state(connection.get());
    return connection;
}

Result<PeerCertificate> read_peer(X509* leaf, std::string_view partnership, Purpose purpose) {
    const auto profile = check_profile(leaf, purpose);
    if (!profile) return tl::unexpected{profile.error()};
    auto id = read_uri(leaf);
    if (!id) return tl::unexpected{id.error()};
    if (id->partnership() != partnership)
        return refuse(Reason::unknown_sender, "certificate: of another partnership");
    if (purpose == Purpose::server && id->agency().kind() != "broker")
        return refuse(Reason::unknown_sender, "certificate: not the broker's");
    const auto not_after = not_after_of(leaf);
    if (!not_after) return tl::unexpected{not_after.error()};
    return PeerCertificate{std::move(*id), fingerprint_of(leaf), serial_of(leaf), *not_after};
}

Digest channel_binding(SSL* connection) {
    static constexpr std::string_view label = "EXPORTER-Channel-Binding";
    Digest binding;
    require(SSL_export_keying_material(connection, binding.data(), binding.size(), label.data(), label.size(),
                                       nullptr, 0, 1) == 1,
            "TLS channel binding");
    return binding;
}

}  // namespace flagpost::crypto
