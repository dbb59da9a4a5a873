/// A peer of the gate that waits for each answer: TLS, then ZMTP, as well or as badly as a test wants.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <optional>
#include <stdexcept>

#include "broker/crypto/tls.h"
#include "broker/wire/zmtp.h"

namespace flagpost::test {

/// A connection to this port of the loopback, on which nobody waits longer than ten seconds.
inline int connect_loopback(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::signal(SIGPIPE, SIG_IGN);  // a gate that has hung up is an answer, not the end of the test
    const timeval patience{10, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const int at_once = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error{"nobody listens"};
    return socket;
}

class TlsClient {
public:
    explicit TlsClient(std::uint16_t port) : socket_{connect_loopback(port)} {}
    TlsClient(const TlsClient&) = delete;
    TlsClient& operator=(const TlsClient&) = delete;
    ~TlsClient() { ::close(socket_); }

    /// Our side of the handshake. With TLS 1.3 a refusal of our certificate shows only at the next read.
    bool handshake(SSL_CTX* context) {
        tls_ = crypto::begin_client(context, "localhost");
        SSL_set_fd(tls_.get(), socket_);
        const bool done = SSL_do_handshake(tls_.get()) == 1;
        ERR_clear_error();
        return done;
    }
    bool handshake(const crypto::TlsFiles& files) {
        return handshake(crypto::make_client_context(files).get());
    }

    void send_plain(BytesView bytes) {
        if (::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0)
            throw std::runtime_error{"cannot send"};
    }

    /// False once the connection is broken.
    bool send(BytesView bytes) {
        while (!bytes.empty()) {
            const int sent = SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
            ERR_clear_error();
            if (sent <= 0) return false;
            bytes = bytes.subspan(static_cast<std::size_t>(sent));
        }
        return true;
    }
    bool send_message(BytesView content) {
        Bytes bytes;
        wire::zmtp::append_message(bytes, content);
        return send(bytes);
    }
    /// Greeting and READY of a DEALER.
    bool send_greeting() { return send(wire::zmtp::greeting()) && send(wire::zmtp::ready_command("DEALER")); }

    /// What comes next; nothing once the connection has ended, or nobody has said anything for ten seconds.
    std::optional<Bytes> read() {
        Bytes bytes(64 * 1024);
        const int got = SSL_read(tls_.get(), bytes.data(), static_cast<int>(bytes.size()));
        ended_ = got <= 0 && SSL_get_error(tls_.get(), got) != SSL_ERROR_WANT_READ;
        ERR_clear_error();
        if (got <= 0) return std::nullopt;
        bytes.resize(static_cast<std::size_t>(got));
        return bytes;
    }

    /// The next message; the gate's greeting and READY are accepted on the way.
    std::optional<Bytes> next_message() {
        while (true) {
            BytesView rest{unread_};
            const auto event = parser_.next(rest);
            if (!event) throw std::runtime_error{"the gate broke the protocol: " + event.error().where};
            std::optional<Bytes> message;
            if (*event)
                if (const auto* found = std::get_if<wire::zmtp::Message>(&**event))
                    message = copy(found->content);
            unread_ = copy(rest);
            if (message) return message;
            if (*event) continue;
            auto more = read();
            if (!more) return std::nullopt;
            unread_ = std::move(*more);
        }
    }

    /// Reads to the end; false if there is none.
    bool ended() {
        while (read()) {
        }
        return ended_;
    }

    int descriptor() const { return socket_; }
    SSL* tls() const { return tls_.get(); }

private:
    int socket_;
    crypto::TlsConnection tls_;
    wire::zmtp::Parser parser_{"ROUTER"};
    Bytes unread_;
    bool ended_ = false;
};

}  // namespace flagpost::test
