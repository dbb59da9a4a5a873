#include "tools/bench/loop.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "tools/bench/measure.h"

namespace flagpost::bench {
namespace {

constexpr std::size_t read_size = 64 * 1024;
constexpr std::size_t write_size = 16 * 1024;  // one full TLS record
constexpr std::size_t sources = 8;             // loopback addresses connected from
constexpr std::int64_t heartbeat_ns = 4'000'000'000;
constexpr int events_at_once = 256;

sockaddr_in resolve(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_family = AF_INET;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0)
        throw std::runtime_error{"cannot resolve " + host};
    const std::unique_ptr<addrinfo, crypto::FreeWith<::freeaddrinfo>> owned{found};
    sockaddr_in address{};
    std::memcpy(&address, found->ai_addr, sizeof address);
    address.sin_port = htons(port);
    return address;
}

bool is_loopback(const sockaddr_in& address) { return ntohl(address.sin_addr.s_addr) >> 24 == 127; }

void bind_source(int fd, const std::string& source) {
    sockaddr_in from{};
    from.sin_family = AF_INET;
    ::inet_pton(AF_INET, source.c_str(), &from.sin_addr);
    const int on = 1;
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0)
        throw std::runtime_error{"cannot connect from " + source};
}

Bytes hello() {
    schemas::HelloValue hello;
    hello.version = 1;
    hello.software = "flagpost-bench";
    return wire::pack_frame(std::move(hello));
}

}  // namespace

void Peer::connect(const std::string& source) {
    const auto address = resolve(loop_.host_, loop_.port_);
    socket_ =
        std::make_unique<store::Descriptor>(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (socket_->get() < 0) return close("socket: " + std::string{std::strerror(errno)});
    const int on = 1;
    ::setsockopt(socket_->get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (!source.empty() && is_loopback(address)) bind_source(socket_->get(), source);
    tls_ = crypto::begin_client(tls_context_, loop_.host_);
    SSL_set_fd(tls_.get(), socket_->get());
    SSL_set_mode(tls_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                 SSL_MODE_RELEASE_BUFFERS);
    state_ = State::connecting;
    epoll_event event{};
    event.events = watched_ = EPOLLOUT;
    event.data.ptr = this;
    ::epoll_ctl(loop_.epoll_.get(), EPOLL_CTL_ADD, socket_->get(), &event);
    if (::connect(socket_->get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
        errno != EINPROGRESS)
        close("connect: " + std::string{std::strerror(errno)});
}

void Peer::watch(std::uint32_t events) {
    if (events == watched_) return;
    epoll_event event{};
    event.events = watched_ = events;
    event.data.ptr = this;
    ::epoll_ctl(loop_.epoll_.get(), EPOLL_CTL_MOD, socket_->get(), &event);
}

void Peer::on_event(std::uint32_t events) {
    if (state_ == State::connecting) {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(socket_->get(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) return close("connect: " + std::string{std::strerror(error)});
        state_ = State::handshake;
    }
    if (state_ == State::handshake) handshake();
    if ((state_ == State::greeting || state_ == State::open) &&
        (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        read();
    if (state_ == State::greeting || state_ == State::open) flush();
}

void Peer::handshake() {
    const int result = SSL_do_handshake(tls_.get());
    if (result == 1) {
        state_ = State::greeting;
        parser_ = std::make_unique<wire::zmtp::Parser>("ROUTER");
        const auto greeting = wire::zmtp::greeting();
        out_.assign(greeting.begin(), greeting.end());
        const auto ready = wire::zmtp::ready_command("DEALER");
        out_.insert(out_.end(), ready.begin(), ready.end());
        send(hello());
        return;
    }
    const int problem = SSL_get_error(tls_.get(), result);
    if (problem == SSL_ERROR_WANT_READ)
        watch(EPOLLIN);
    else if (problem == SSL_ERROR_WANT_WRITE)
        watch(EPOLLOUT);
    else
        close("handshake: " + tls_problem(result));
}

std::string Peer::tls_problem(int result) const {
    const int problem = SSL_get_error(tls_.get(), result);
    if (problem == SSL_ERROR_ZERO_RETURN) return "closed by the broker";
    const auto code = ERR_peek_last_error();
    std::string why = code != 0 ? ERR_reason_error_string(code) : "connection lost";
    ERR_clear_error();
    return why;
}

void Peer::read() {
    while (state_ == State::greeting || state_ == State::open) {
        const int got = SSL_read(tls_.get(), loop_.buffer_.data(), static_cast<int>(loop_.buffer_.size()));
        if (got <= 0) {
            const int problem = SSL_get_error(tls_.get(), got);
            if (problem != SSL_ERROR_WANT_READ && problem != SSL_ERROR_WANT_WRITE)
                close("read: " + tls_problem(got));
            return;
        }
        const auto fed = parser_->feed(BytesView{loop_.buffer_}.first(static_cast<std::size_t>(got)),
                                       [this](const wire::zmtp::Event& event) {
                                           if (const auto* message = std::get_if<wire::zmtp::Message>(&event))
                                               on_message(message->content);
                                           if (const auto* ping = std::get_if<wire::zmtp::Ping>(&event))
                                               out_.insert(out_.end(), ping->pong.begin(), ping->pong.end());
                                       });
        if (!fed) return close("zmtp: " + fed.error().where);
        if (!tls_ || SSL_has_pending(tls_.get()) == 0) return;  // answering may have found the broker gone
    }
}

void Peer::on_message(BytesView content) {
    if (state_ != State::greeting && state_ != State::open) return;
    const auto frame = wire::read_frame(content);
    if (!frame) return close("frame: " + frame.error().where);
    if (const auto* goodbye = (*frame)->body_as_Goodbye()) {
        const auto* where = goodbye->where();
        return close("goodbye: " + std::string{name(static_cast<Reason>(goodbye->reason()))} +
                     (where == nullptr ? "" : " " + where->str()));
    }
    if (state_ == State::open) return loop_.handler_.on_frame(*this, **frame);
    if (const auto* welcome = (*frame)->body_as_Welcome()) {
        state_ = State::open;
        ++loop_.open_;
        loop_.forget_handshake(*this);
        loop_.handler_.on_open(*this, *welcome);
    } else {
        close("refused before Welcome");
    }
}

void Peer::send(BytesView frame) { wire::zmtp::append_message(out_, frame); }

void Peer::flush() {
    if (state_ != State::greeting && state_ != State::open) return;
    while (out_begin_ < out_.size()) {
        const auto size = std::min(write_size, out_.size() - out_begin_);
        const int sent = SSL_write(tls_.get(), out_.data() + out_begin_, static_cast<int>(size));
        if (sent <= 0) {
            const int problem = SSL_get_error(tls_.get(), sent);
            if (problem == SSL_ERROR_WANT_WRITE || problem == SSL_ERROR_WANT_READ)
                return watch(EPOLLIN | EPOLLOUT);
            return close("write: " + tls_problem(sent));
        }
        out_begin_ += static_cast<std::size_t>(sent);
        sent_ns_ = now_ns();
    }
    out_begin_ = 0;
    out_.clear();
    if (out_.capacity() > write_size * 16) out_.shrink_to_fit();
    watch(EPOLLIN);
}

void Peer::close(const std::string& why) {
    if (state_ == State::closed) return;
    const bool told = state_ != State::idle && !why.empty();
    if (state_ == State::open) --loop_.open_;
    state_ = State::closed;
    why_ = why;
    socket_.reset();
    tls_.reset();
    if (!told) return;
    ++loop_.closed_;
    loop_.forget_handshake(*this);
    loop_.handler_.on_closed(*this);
}

Loop::Loop(std::string host, std::uint16_t port, Handler& handler)
    : host_{std::move(host)},
      port_{port},
      handler_{handler},
      epoll_{::epoll_create1(EPOLL_CLOEXEC)},
      buffer_(read_size) {}

Peer& Loop::add(SSL_CTX* tls) {
    peers_.push_back(std::make_unique<Peer>(*this, peers_.size(), tls));
    return *peers_.back();
}

void Loop::come_again(std::size_t number) {
    auto& peer = peers_[number];
    peer = std::make_unique<Peer>(*this, number, peer->tls_context_);
    --closed_;
    peer->connect(source_of(number));
}

std::string Loop::source_of(std::size_t number) const {
    return "127.0.0." + std::to_string(1 + number % sources);
}

void Loop::begin_more() {
    while (next_to_begin_ < peers_.size() &&
           under_way_.size() <
               std::min(limits::handshakes_at_once_max, sources * limits::handshakes_per_source_max)) {
        const auto number = next_to_begin_++;
        under_way_.insert(number);
        peers_[number]->connect(source_of(number));
    }
}

void Loop::forget_handshake(Peer& peer) { under_way_.erase(peer.number()); }

void Loop::send_heartbeats() {
    const auto now = now_ns();
    if (now < heartbeats_due_ns_) return;
    heartbeats_due_ns_ = now + heartbeat_ns / 8;
    static const Bytes heartbeat = wire::pack_frame(schemas::HeartbeatValue{});
    for (const auto& peer : peers_) {
        if (!peer->open() || now - peer->sent_ns() < heartbeat_ns) continue;
        peer->send(heartbeat);
        peer->flush();
    }
}

void Loop::turn(std::int64_t deadline_ns) {
    begin_more();
    send_heartbeats();
    const auto wait = std::clamp<std::int64_t>(deadline_ns - now_ns(), 0, heartbeat_ns / 8);
    const timespec timeout{static_cast<time_t>(wait / 1'000'000'000),
                           static_cast<long>(wait % 1'000'000'000)};
    std::array<epoll_event, events_at_once> events;
    const int count = ::epoll_pwait2(epoll_.get(), events.data(), events_at_once, &timeout, nullptr);
    for (int i = 0; i < count; ++i)
        static_cast<Peer*>(events[static_cast<std::size_t>(i)].data.ptr)
            ->on_event(events[static_cast<std::size_t>(i)].events);
}

bool Loop::until(std::int64_t deadline_ns, const std::function<bool()>& done) {
    while (!done()) {
        if (now_ns() >= deadline_ns) return false;
        turn(deadline_ns);
    }
    return true;
}

}  // namespace flagpost::bench
