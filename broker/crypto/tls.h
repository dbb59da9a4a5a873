/// TLS 1.3 with certificates on both sides, and who a certificate says its bearer is.
#pragma once

#include <filesystem>

#include "broker/core/clock.h"
#include "broker/core/ids.h"
#include "broker/crypto/handles.h"

namespace flagpost::crypto {

/// Files of one end of a connection, PEM.
struct TlsFiles {
    std::filesystem::path certificate;  // leaf first, then intermediates
    std::filesystem::path key;          // mode 0600 or stricter
    std::filesystem::path ca;           // the partnership's CA
    std::filesystem::path crl;          // its revocation list; clients may leave it empty
};

/// Server side: anchors d.2 whole. Client certificate required, CRL checked, no tickets, no early data,
/// ALPN `flagpost/1` when offered. No argument relaxes any of it. Throws CryptoFailure.
///
/// OpenSSL reads ahead, so readable bytes may be inside the connection and not in the socket: read until
/// SSL_read wants more or SSL_has_pending (not SSL_pending) says 0 before waiting for the socket again.
TlsContext make_server_context(const TlsFiles& files);

/// Client side; checks the broker's certificate against the CA and `host` against its DNS SAN at
/// connect (see begin_client).
TlsContext make_client_context(const TlsFiles& files);

/// A client connection that will only accept a certificate for `host`.
TlsConnection begin_client(SSL_CTX* context, const std::string& host);

/// The key exchange groups offered, for the start-up log: with X25519MLKEM768 where this OpenSSL has it (3.5).
const char* tls_groups();

/// What the gate passes on about a peer.
struct PeerCertificate {
    SpiffeId id;
    Digest fingerprint;  // SHA-256 of the DER
    std::string serial;  // hexadecimal
    Instant not_after;
};

/// SPIFFE X.509-SVID rules for a leaf: exactly one URI SAN, in `partnership`, not a CA, keyUsage critical with
/// digitalSignature and without keyCertSign or cRLSign, clientAuth in EKU for agencies, serverAuth for the
/// broker. The chain itself has been verified by the handshake.
enum class Purpose { client, server };
Result<PeerCertificate> read_peer(X509* leaf, std::string_view partnership, Purpose purpose);

/// RFC 9266 tls-exporter: 32 bytes both ends share and no other connection has.
Digest channel_binding(SSL* connection);

}  // namespace flagpost::crypto
