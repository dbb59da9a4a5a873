#include "broker/gate/fabric_link.h"

#include <array>
#include <atomic>
#include <cstring>
#include <stdexcept>

namespace flagpost::gate {
namespace {

constexpr int event_kinds = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED;
constexpr int retry_first_ms = 100, retry_max_ms = 2000;

std::string monitor_endpoint() {
    static std::atomic<unsigned> count{0};  // endpoints are one namespace in a context
    return "inproc://gate-monitor-" + std::to_string(++count);
}

zmq::socket_t watch_socket(zmq::context_t& context, zmq::socket_t& socket) {
    const std::string endpoint = monitor_endpoint();
    if (zmq_socket_monitor(socket.handle(), endpoint.c_str(), event_kinds) != 0) throw zmq::error_t{};
    zmq::socket_t monitor{context, zmq::socket_type::pair};
    monitor.set(zmq::sockopt::linger, 0);
    monitor.connect(endpoint);
    return monitor;
}

// The socket's own limits are off: windows bound what is under way (limits::fabric_bytes_max).
void configure(zmq::socket_t& socket) {
    socket.set(zmq::sockopt::sndhwm, 0);
    socket.set(zmq::sockopt::rcvhwm, 0);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::reconnect_ivl, retry_first_ms);
    socket.set(zmq::sockopt::reconnect_ivl_max, retry_max_ms);
}

}  // namespace

FabricLink::FabricLink(zmq::context_t& context, const std::string& endpoint,
                       std::optional<crypto::SymmetricKey> key)
    : socket_{context, zmq::socket_type::dealer}, key_{std::move(key)}, attached_{!key_} {
    const bool same_process = endpoint.starts_with("inproc://");
    if (!same_process && !key_) throw std::invalid_argument{"fabric: " + endpoint + " needs a fabric key"};
    configure(socket_);
    if (!same_process) {
        socket_.set(zmq::sockopt::immediate, true);  // nothing is kept for a broker that is away
        monitor_ = watch_socket(context, socket_);
    }
    socket_.connect(endpoint);
    ask();
}

int FabricLink::descriptor() const { return socket_.get(zmq::sockopt::fd); }

std::optional<int> FabricLink::monitor_descriptor() const {
    if (!monitor_) return std::nullopt;
    return monitor_->get(zmq::sockopt::fd);
}

// A pipe that has just come or gone is only seen when the socket's commands are read, which asking for events does.
bool FabricLink::reachable() { return (socket_.get(zmq::sockopt::events) & ZMQ_POLLOUT) != 0; }

// Only a broker of another process comes and goes. To one in this process sending is enough of a look, and half the system calls.
bool FabricLink::send(BytesView batch) {
    if (monitor_ && !reachable()) return false;
    return socket_.send(zmq::buffer(batch.data(), batch.size()), zmq::send_flags::dontwait).has_value();
}

bool FabricLink::flush() {
    if (batch_.empty()) return true;
    const bool taken = attached_ && send(batch_);
    batch_.clear();
    return taken;
}

std::optional<zmq::message_t> FabricLink::receive() {
    zmq::message_t message;
    if (!socket_.recv(message, zmq::recv_flags::dontwait)) return std::nullopt;
    return message;
}

void FabricLink::ask() {
    if (attached_) return;
    Bytes request;
    wire::fabric::append(request, wire::fabric::ItemKind::attach, no_session, {});
    send(request);
}

void FabricLink::answer(BytesView nonce) {
    if (!key_ || nonce.size() != wire::fabric::nonce_size) return;
    const auto proof = crypto::hmac_sha256(*key_, {view(wire::fabric::attach_label), nonce});
    Bytes attach;
    wire::fabric::append(attach, wire::fabric::ItemKind::attach, no_session, proof);
    attached_ = send(attach);
}

bool FabricLink::watch() {
    bool gone = attached_ && !reachable();
    zmq::message_t event, address;
    while (monitor_ && monitor_->recv(event, zmq::recv_flags::dontwait)) {
        static_cast<void>(monitor_->recv(address));
        std::uint16_t kind = 0;
        std::memcpy(&kind, event.data(), sizeof kind);
        if (kind == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
            ask();
        } else {
            gone = gone || attached_;
            attached_ = false;
        }
    }
    return gone;
}

}  // namespace flagpost::gate
