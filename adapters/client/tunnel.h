/// One TLS connection to the broker that a plain ZeroMQ DEALER talks through, as it would through stunnel.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <zmq.hpp>

#include "broker/crypto/tls.h"

namespace flagpost::client {

inline constexpr std::size_t tunnel_buffer_max = 256 * 1024;  // bytes waiting, each way

struct TunnelTarget {
    std::string host;  // also the name the broker's certificate must carry
    std::uint16_t port;
    std::string partnership;
};

/// Serves exactly one connection, then is used up. A thread of its own relays; it owns both sockets and the TLS state.
///
/// The broker is who its certificate says: signed by the partnership's CA, for this host, with the SPIFFE identity
/// of a broker of this partnership. That the TLS handshake succeeded does not mean the broker took *our*
/// certificate: in TLS 1.3 that shows later, so only its Welcome counts.
class Tunnel {
public:
    Tunnel(zmq::context_t& context, SSL_CTX* tls, TunnelTarget target);
    ~Tunnel();

    /// Where the DEALER connects: ipc:// in a directory that only this user can enter.
    const std::string& endpoint() const;
    /// Receives one message when the connection has ended: why, in words without personal data.
    zmq::socket_t& ended();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace flagpost::client
