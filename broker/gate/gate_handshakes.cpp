#include <spdlog/spdlog.h>
#include <sys/epoll.h>

#include <algorithm>

#include "broker/gate/gate.h"

namespace flagpost::gate {
namespace {

using wire::fabric::ItemKind;

constexpr int accepts_at_once = 64;
constexpr int handshake_steps_at_once = 8;  // up to a millisecond each, and sessions wait meanwhile

bool our_doing(Cause cause) { return cause != Cause::hung_up; }

/// A peer that is still there and has heard TLS from us is given time to read the alert.
bool worth_draining(Cause cause) {
    return cause != Cause::hung_up && cause != Cause::slow_handshake && cause != Cause::source_busy;
}

}  // namespace

bool Gate::may_accept() const {
    return link_.attached() && !rest_accept_ && !admission_.full() &&
           connections_.size() < config_.connections_max;
}

void Gate::watch_listener() {
    if (may_accept() == listening_) return;
    listening_ = !listening_;
    epoll_event event{EPOLLIN, {.ptr = &listener_}};
    ::epoll_ctl(epoll_.get(), listening_ ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listener_.descriptor(), &event);
}

void Gate::accept_waiting() {
    for (int i = 0; i < accepts_at_once && may_accept(); ++i) {
        auto accepted = listener_.accept();
        if (!accepted) {
            rest_accept_ = listener_.exhausted();
            return;
        }
        counters_.accepted.add(1);
        counters_.connections.add(1);
        connections_.push_back(std::make_unique<Connection>(std::move(*accepted), now_));
        Connection& connection = *connections_.back();
        connection.place = connections_.size() - 1;
        if (admission_.begin(connection.source))
            start_tls(connection);
        else if (waiting_.size() < limits::connections_waiting_max)
            waiting_.push_back(&connection);
        else
            refuse(connection, Cause::source_busy);
    }
}

void Gate::start_tls(Connection& connection) {
    counters_.handshakes.add(1);
    connection.stream.begin(trust_.context());
    connection.stage = Stage::tls;
    watch(connection);
}

void Gate::promote_waiting() {
    for (auto next = waiting_.begin(); next != waiting_.end() && !admission_.full();) {
        if (!admission_.begin((*next)->source)) {
            ++next;
            continue;
        }
        start_tls(**next);
        next = waiting_.erase(next);
    }
}

void Gate::leave_handshake(Connection& connection) {
    if (connection.stage == Stage::waiting) {
        std::erase(waiting_, &connection);
        return;
    }
    if (!connection.handshaking()) return;
    admission_.end(connection.source);
    counters_.handshakes.subtract(1);
    promote_waiting();
}

void Gate::shake_hands(Connection& connection) {
    if (handshake_steps_ >= handshake_steps_at_once) return;  // epoll says it again
    ++handshake_steps_;
    switch (connection.stream.handshake()) {
        case TlsStream::Progress::waiting:
            return;
        case TlsStream::Progress::failed:
            return refuse(connection, connection.stream.cause());
        case TlsStream::Progress::done:
            return greet(connection);
    }
}

void Gate::greet(Connection& connection) {
    X509* leaf = SSL_get0_peer_certificate(connection.stream.tls());
    const auto peer = crypto::read_peer(leaf, config_.partnership, crypto::Purpose::client);
    if (!peer) {
        const bool stranger = peer.error().reason == Reason::unknown_sender;
        return refuse(connection, stranger ? Cause::other_partnership : Cause::certificate);
    }
    connection.not_after = peer->not_after;
    connection.opening =
        wire::fabric::write_opening({peer->id, peer->fingerprint, peer->not_after, connection.remote});
    connection.stage = Stage::zmtp;
    queue(connection, wire::zmtp::greeting());
    queue(connection, wire::zmtp::ready_command("ROUTER"));
    read(connection);  // what came with the end of the handshake, epoll does not announce
}

void Gate::open_session(Connection& connection) {
    SSL* tls = connection.stream.tls();
    if (SSL_get_SSL_CTX(tls) != trust_.context() && !trust_.still_trusted(tls))
        return refuse(connection, Cause::revoked);
    leave_handshake(connection);
    connection.stage = Stage::session;
    connection.session = random_.bytes<16>();
    sessions_.emplace(connection.session, &connection);
    link_.add(ItemKind::open, connection.session, connection.opening);
    Bytes{}.swap(connection.opening);
    counters_.opened.add(1);
    counters_.sessions.add(1);
}

void Gate::refuse(Connection& connection, Cause cause) {
    counters_.refused[static_cast<std::size_t>(cause)].add(1);
    if (our_doing(cause)) link_.add(ItemKind::refused, no_session, view(name(cause)));
    if (!connection.handshaking() || !worth_draining(cause)) return drop(connection);
    leave_handshake(connection);
    connection.stage = Stage::farewell;
    connection.since = now_;
    flush(connection);
    watch(connection);
}

}  // namespace flagpost::gate
