/// One accepted socket and the TLS on it: bytes in, bytes out, never waiting.
#pragma once

#include <span>

#include "broker/crypto/tls.h"
#include "broker/gate/counters.h"
#include "broker/gate/sockets.h"

namespace flagpost::gate {

/// Bytes for a peer, in order, until its socket takes them.
class OutputQueue {
public:
    /// Where to append; nothing else of it may be changed.
    Bytes& tail() { return bytes_; }
    BytesView waiting() const { return BytesView{bytes_}.subspan(sent_); }
    bool empty() const { return sent_ == bytes_.size(); }
    std::size_t size() const { return bytes_.size() - sent_; }
    void sent(std::size_t size);
    void clear();
    /// Gives memory back that an idle connection does not need.
    void shrink() {
        if (empty()) Bytes{}.swap(bytes_);
    }

private:
    Bytes bytes_;
    std::size_t sent_ = 0;
};

class TlsStream {
public:
    explicit TlsStream(Descriptor socket) : socket_{std::move(socket)} {}
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;

    int descriptor() const { return socket_.get(); }
    SSL* tls() const { return tls_.get(); }
    OutputQueue& output() { return output_; }

    /// Starts the server's side of a handshake. Throws CryptoFailure if memory is short.
    void begin(SSL_CTX* context);

    enum class Progress { done, waiting, failed };
    /// As far as the bytes that have come allow. On failure, `cause` says why.
    Progress handshake();
    Cause cause() const { return cause_; }

    struct Got {
        std::size_t size;  // bytes read, also when the connection has ended
        bool more;         // TLS holds more that no event of the socket will announce
        bool ended;
    };
    /// Fills the buffer as far as it goes without waiting.
    Got read(std::span<std::uint8_t> buffer);

    /// Hands the queue to the socket as far as it goes; false if the connection has broken.
    bool flush();
    /// The socket would not take more, or TLS itself has something to say: watch for writability.
    bool wants_write() const { return wants_write_; }

    /// Says that nothing more will come, and keeps the socket for what the peer has under way: closing with
    /// bytes unread would make the kernel throw away our last ones.
    void finish();
    /// Reads and forgets; false once the peer has closed.
    bool discard(std::span<std::uint8_t> buffer);

    /// Key updates the peer has sent since the last call.
    std::size_t take_key_updates() { return std::exchange(key_updates_, 0); }

private:
    static void see_message(int write, int version, int type, const void* bytes, std::size_t size, SSL*,
                            void* stream);
    Cause cause_of_failure() const;

    Descriptor socket_;
    crypto::TlsConnection tls_;
    OutputQueue output_;
    Cause cause_ = Cause::hung_up;
    bool wants_write_ = false;
    std::size_t key_updates_ = 0;
};

}  // namespace flagpost::gate
