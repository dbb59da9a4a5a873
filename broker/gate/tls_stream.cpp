#include "broker/gate/tls_stream.h"

#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>

#include "broker/core/limits.h"

namespace flagpost::gate {
namespace {

constexpr std::size_t record_size = 16 * 1024;         // the most one TLS record holds
constexpr std::size_t flush_at_once_max = 256 * 1024;  // then others have their turn
constexpr std::size_t sent_kept_max = 64 * 1024;       // sent bytes still in front of the queue

}  // namespace

void OutputQueue::sent(std::size_t size) {
    sent_ += size;
    if (empty()) {
        clear();
    } else if (sent_ > sent_kept_max && sent_ > bytes_.size() / 2) {
        bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(sent_));
        sent_ = 0;
    }
}

void OutputQueue::clear() {
    bytes_.clear();
    sent_ = 0;
}

void TlsStream::begin(SSL_CTX* context) {
    tls_.reset(SSL_new(context));
    if (!tls_ || SSL_set_fd(tls_.get(), socket_.get()) != 1)
        throw crypto::CryptoFailure{"no memory for a connection"};
    SSL_set_accept_state(tls_.get());
    SSL_set_max_cert_list(tls_.get(), static_cast<long>(limits::handshake_bytes_max));
    SSL_set_msg_callback(tls_.get(), see_message);
    SSL_set_msg_callback_arg(tls_.get(), this);
}

void TlsStream::see_message(int write, int, int type, const void* bytes, std::size_t size, SSL*,
                            void* stream) {
    if (write != 0 || type != SSL3_RT_HANDSHAKE || size == 0) return;
    if (*static_cast<const std::uint8_t*>(bytes) == SSL3_MT_KEY_UPDATE)
        ++static_cast<TlsStream*>(stream)->key_updates_;
}

TlsStream::Progress TlsStream::handshake() {
    ERR_clear_error();
    wants_write_ = false;
    const int result = SSL_do_handshake(tls_.get());
    if (result == 1) return Progress::done;
    const int error = SSL_get_error(tls_.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        wants_write_ = error == SSL_ERROR_WANT_WRITE;
        if (BIO_number_read(SSL_get_rbio(tls_.get())) <= limits::handshake_bytes_max)
            return Progress::waiting;
        cause_ = Cause::handshake_size;
    } else {
        cause_ = error == SSL_ERROR_SSL ? cause_of_failure() : Cause::hung_up;
    }
    ERR_clear_error();
    return Progress::failed;
}

Cause TlsStream::cause_of_failure() const {
    switch (ERR_GET_REASON(ERR_peek_error())) {
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            break;
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            return Cause::no_certificate;
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_VERSION_TOO_LOW:
        case SSL_R_WRONG_SSL_VERSION:
            return Cause::tls_version;
        case SSL_R_NO_APPLICATION_PROTOCOL:
            return Cause::protocol;
        case SSL_R_HTTP_REQUEST:
        case SSL_R_HTTPS_PROXY_REQUEST:
        case SSL_R_WRONG_VERSION_NUMBER:
        case SSL_R_PACKET_LENGTH_TOO_LONG:
            return Cause::not_tls;
        case SSL_R_UNEXPECTED_EOF_WHILE_READING:
            return Cause::hung_up;
        case SSL_R_EXCESSIVE_MESSAGE_SIZE:
            return Cause::handshake_size;
        default:
            return Cause::tls;
    }
    switch (SSL_get_verify_result(tls_.get())) {
        case X509_V_ERR_CERT_REVOKED:
            return Cause::revoked;
        case X509_V_ERR_CERT_HAS_EXPIRED:
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return Cause::outside_validity;
        case X509_V_ERR_UNABLE_TO_GET_CRL:
        case X509_V_ERR_CRL_HAS_EXPIRED:
        case X509_V_ERR_CRL_NOT_YET_VALID:
            return Cause::revocation_list;
        case X509_V_ERR_INVALID_PURPOSE:
        case X509_V_ERR_INVALID_CA:
            return Cause::certificate;
        default:
            return Cause::untrusted;
    }
}

TlsStream::Got TlsStream::read(std::span<std::uint8_t> buffer) {
    Got got{0, false, false};
    ERR_clear_error();
    while (got.size < buffer.size()) {
        const int result =
            SSL_read(tls_.get(), buffer.data() + got.size, static_cast<int>(buffer.size() - got.size));
        if (result <= 0) {
            const int error = SSL_get_error(tls_.get(), result);
            wants_write_ = wants_write_ || error == SSL_ERROR_WANT_WRITE;
            got.ended = error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE;
            ERR_clear_error();
            return got;
        }
        got.size += static_cast<std::size_t>(result);
        // Another SSL_read would only ask the socket for what epoll will announce.
        if (SSL_has_pending(tls_.get()) == 0) return got;
    }
    got.more = true;
    return got;
}

bool TlsStream::flush() {
    ERR_clear_error();
    wants_write_ = false;
    std::size_t flushed = 0;
    while (!output_.empty()) {
        if (flushed >= flush_at_once_max) {
            wants_write_ = true;
            return true;
        }
        const auto next = output_.waiting();
        const int result =
            SSL_write(tls_.get(), next.data(), static_cast<int>(std::min(next.size(), record_size)));
        if (result <= 0) {
            const int error = SSL_get_error(tls_.get(), result);
            wants_write_ = error == SSL_ERROR_WANT_WRITE;
            ERR_clear_error();
            return error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ;
        }
        output_.sent(static_cast<std::size_t>(result));
        flushed += static_cast<std::size_t>(result);
    }
    return true;
}

void TlsStream::finish() {
    ERR_clear_error();
    if (tls_ && SSL_is_init_finished(tls_.get()) == 1) SSL_shutdown(tls_.get());
    ERR_clear_error();
    ::shutdown(socket_.get(), SHUT_WR);
    wants_write_ = false;
}

bool TlsStream::discard(std::span<std::uint8_t> buffer) {
    const auto got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR));
}

}  // namespace flagpost::gate
