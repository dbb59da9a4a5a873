#include "adapters/client/tunnel.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <thread>

#include "broker/core/limits.h"

namespace flagpost::client {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr int unacknowledged_max_ms =
    static_cast<int>(std::chrono::milliseconds{limits::unacknowledged_max}.count());
constexpr std::size_t read_step = 64 * 1024;

class Fd {
public:
    explicit Fd(int fd = -1) : fd_{fd} {}
    Fd(Fd&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
    Fd& operator=(Fd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Fd() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }

private:
    int fd_;
};

[[noreturn]] void fail_with_errno(const std::string& what) {
    throw std::system_error{errno, std::generic_category(), what};
}

/// A connection that is over, and why. Never leaves this file: it ends the relay.
struct Ended {
    std::string why;
};

std::string in_words(int error) { return std::generic_category().message(error); }

/// A directory of mode 0700 with a name nobody can foresee, gone with its contents.
class PrivateDirectory {
public:
    PrivateDirectory() {
        std::string path = (std::filesystem::temp_directory_path() / "flagpost-XXXXXX").string();
        if (::mkdtemp(path.data()) == nullptr) fail_with_errno("cannot make a private directory");
        path_ = path;
    }
    PrivateDirectory(const PrivateDirectory&) = delete;
    PrivateDirectory& operator=(const PrivateDirectory&) = delete;
    ~PrivateDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

Fd listen_at(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        throw std::runtime_error{"the temporary directory's name is too long"};
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    Fd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(fd.get(), 1) != 0)
        fail_with_errno("cannot listen on a private socket");
    return fd;
}

std::string tls_problem(const char* what) {
    const unsigned long code = ERR_peek_last_error();
    ERR_clear_error();
    std::string text = what;
    if (code != 0)
        if (const char* reason = ERR_reason_error_string(code)) text += std::string{": "} + reason;
    return text;
}

/// Bytes on their way, first in first out, bounded.
class Pipe {
public:
    bool empty() const { return begin_ == bytes_.size(); }
    bool full() const { return bytes_.size() - begin_ >= tunnel_buffer_max; }
    BytesView waiting() const { return BytesView{bytes_}.subspan(begin_); }
    void took(std::size_t count) {
        begin_ += count;
        if (empty()) {
            bytes_.clear();
            begin_ = 0;
        }
    }
    void add(BytesView more) {
        if (begin_ > tunnel_buffer_max) {
            bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(begin_));
            begin_ = 0;
        }
        bytes_.insert(bytes_.end(), more.begin(), more.end());
    }

private:
    Bytes bytes_;
    std::size_t begin_ = 0;
};

}  // namespace

class Tunnel::Impl {
public:
    Impl(zmq::context_t& context, SSL_CTX* tls, TunnelTarget target)
        : tls_{tls},
          target_{std::move(target)},
          endpoint_{"ipc://" + (directory_.path() / "dealer").string()},
          listener_{listen_at((directory_.path() / "dealer").string())},
          ended_{context, zmq::socket_type::pair},
          report_{context, zmq::socket_type::pair} {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) fail_with_errno("cannot make a pipe");
        stop_read_ = Fd{ends[0]};
        stop_write_ = Fd{ends[1]};
        const std::string inproc = "inproc://" + directory_.path().filename().string();
        ended_.set(zmq::sockopt::linger, 0);
        report_.set(zmq::sockopt::linger, 0);
        ended_.bind(inproc);
        report_.connect(inproc);
        thread_ = std::thread{[this] { run(); }};
    }

    ~Impl() {
        stop_write_ = Fd{};
        thread_.join();
    }

    const std::string& endpoint() const { return endpoint_; }
    zmq::socket_t& ended() { return ended_; }

private:
    // Everything below runs on the tunnel's own thread.

    void run() {
        sigset_t broken_pipe;
        sigemptyset(&broken_pipe);
        sigaddset(&broken_pipe, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
        std::string why;
        try {
            const SteadyClock::time_point deadline = SteadyClock::now() + limits::handshake_time_max;
            connect(deadline);
            shake_hands(deadline);
            check_broker();
            accept(deadline);
            relay();
        } catch (const Ended& end) {
            why = end.why;
        } catch (const std::exception& problem) {
            why = problem.what();
        }
        // The dealer's end stays open as long as the tunnel: libzmq drops what its owner has not read yet, the broker's
        // last words among it, as soon as it sees that end close.
        connection_.reset();
        socket_ = Fd{};
        report_.send(zmq::buffer(why), zmq::send_flags::dontwait);
    }

    /// Waits until `fd` is ready for `events`; ends when told to stop or at the deadline.
    void await(int fd, short events, SteadyClock::time_point deadline, const char* what) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now());
        std::array<pollfd, 2> fds{
            {{fd, events, 0}, {stop_read_.get(), POLLIN, 0}}
        };
        const int ready =
            ::poll(fds.data(), fds.size(), static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        if (ready < 0 && errno != EINTR) fail_with_errno("poll");
        if (fds[1].revents != 0) throw Ended{"stopped"};
        if (ready == 0) throw Ended{std::string{what} + ": no answer in time"};
    }

    void connect(SteadyClock::time_point deadline) {
        addrinfo hints{};
        hints.ai_socktype = SOCK_STREAM;
        addrinfo* found = nullptr;
        if (const int error =
                ::getaddrinfo(target_.host.c_str(), std::to_string(target_.port).c_str(), &hints, &found))
            throw Ended{std::string{"the broker's name cannot be resolved: "} + ::gai_strerror(error)};
        const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses{found, ::freeaddrinfo};
        std::string why = "no address";
        for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
            const int error = connect_to(*address, deadline);
            if (error == 0) return;
            why = in_words(error);
        }
        throw Ended{"the broker cannot be reached: " + why};
    }

    /// 0, or the errno of the attempt.
    int connect_to(const addrinfo& address, SteadyClock::time_point deadline) {
        socket_ = Fd{::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                              address.ai_protocol)};
        if (!socket_) return errno;
        const int on = 1;
        ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
        ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_max_ms,
                     sizeof unacknowledged_max_ms);
        if (::connect(socket_.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
        if (errno != EINPROGRESS) return errno;
        await(socket_.get(), POLLOUT, deadline, "connecting");
        int error = 0;
        socklen_t size = sizeof error;
        return ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
    }

    void shake_hands(SteadyClock::time_point deadline) {
        connection_ = crypto::begin_client(tls_, target_.host);
        if (SSL_set_fd(connection_.get(), socket_.get()) != 1) throw crypto::CryptoFailure{"TLS on a socket"};
        for (;;) {
            ERR_clear_error();
            const int done = SSL_connect(connection_.get());
            if (done == 1) return;
            const int error = SSL_get_error(connection_.get(), done);
            if (error == SSL_ERROR_WANT_READ)
                await(socket_.get(), POLLIN, deadline, "TLS handshake");
            else if (error == SSL_ERROR_WANT_WRITE)
                await(socket_.get(), POLLOUT, deadline, "TLS handshake");
            else
                throw Ended{handshake_problem()};
        }
    }

    std::string handshake_problem() const {
        const long verified = SSL_get_verify_result(connection_.get());
        if (verified != X509_V_OK)
            return std::string{"the broker's certificate is not valid: "} +
                   X509_verify_cert_error_string(verified);
        return tls_problem("the TLS handshake failed");
    }

    void check_broker() const {
        const crypto::Certificate leaf{SSL_get1_peer_certificate(connection_.get())};
        if (!leaf) throw Ended{"the broker showed no certificate"};
        const auto peer = crypto::read_peer(leaf.get(), target_.partnership, crypto::Purpose::server);
        if (!peer) throw Ended{"the broker's certificate is not a broker's: " + peer.error().where};
        if (peer->id.agency().kind() != "broker") throw Ended{"the peer's certificate is not a broker's"};
    }

    void accept(SteadyClock::time_point deadline) {
        await(listener_.get(), POLLIN, deadline, "private socket");
        dealer_ = Fd{::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
        if (!dealer_) fail_with_errno("accept on a private socket");
        listener_ = Fd{};
    }

    void relay() {
        for (;;) {
            // Each step is tried in every round, whatever the one before it did.
            bool moved = read_dealer();
            moved = write_broker() || moved;
            moved = read_broker() || moved;
            moved = write_dealer() || moved;
            if (dealer_over_ && outward_.empty()) {
                SSL_shutdown(connection_.get());
                throw Ended{"closed"};
            }
            if (!broker_over_.empty() && inward_.empty()) throw Ended{broker_over_};
            poll_all(moved);
        }
    }

    /// Sleeps until something can be done; only looks whether to stop if something just was.
    void poll_all(bool moved) {
        short broker = 0;
        if (!inward_.full() || tls_wants_read_) broker |= POLLIN;
        if (tls_wants_write_) broker |= POLLOUT;
        short dealer = 0;
        if (!outward_.full() && !dealer_over_) dealer |= POLLIN;
        if (!inward_.empty()) dealer |= POLLOUT;
        std::array<pollfd, 3> fds{
            {{stop_read_.get(), POLLIN, 0}, {socket_.get(), broker, 0}, {dealer_.get(), dealer, 0}}
        };
        // An end that has hung up would wake poll for ever while the last bytes wait for the other.
        if (broker == 0 || !broker_over_.empty()) fds[1].fd = -1;
        if (dealer == 0) fds[2].fd = -1;
        if (::poll(fds.data(), fds.size(), moved ? 0 : -1) < 0 && errno != EINTR) fail_with_errno("poll");
        if (fds[0].revents != 0) throw Ended{"stopped"};
    }

    bool read_dealer() {
        if (dealer_over_ || outward_.full()) return false;
        const ssize_t count = ::recv(dealer_.get(), step_.data(), step_.size(), 0);
        if (count > 0) {
            outward_.add(BytesView{step_}.first(static_cast<std::size_t>(count)));
            return true;
        }
        if (count < 0 && (errno == EAGAIN || errno == EINTR)) return false;
        dealer_over_ = true;
        return true;
    }

    bool write_broker() {
        tls_wants_write_ = false;
        tls_wants_read_ = false;
        if (outward_.empty()) return false;
        ERR_clear_error();
        std::size_t written = 0;
        const BytesView waiting = outward_.waiting();
        const int done = SSL_write_ex(connection_.get(), waiting.data(), waiting.size(), &written);
        if (done == 1) {
            outward_.took(written);
            return true;
        }
        note(SSL_get_error(connection_.get(), done));
        return false;
    }

    bool read_broker() {
        if (inward_.full() || !broker_over_.empty()) return false;
        ERR_clear_error();
        std::size_t count = 0;
        const int done = SSL_read_ex(connection_.get(), step_.data(), step_.size(), &count);
        if (done == 1) {
            inward_.add(BytesView{step_}.first(count));
            return true;
        }
        note(SSL_get_error(connection_.get(), done));
        return false;
    }

    /// What a call that moved nothing waits for, or that the broker is gone. Bytes already read still go inward.
    void note(int error) {
        if (error == SSL_ERROR_WANT_WRITE) {
            tls_wants_write_ = true;
        } else if (error == SSL_ERROR_WANT_READ) {
            tls_wants_read_ = true;
        } else if (broker_over_.empty()) {
            broker_over_ = error == SSL_ERROR_ZERO_RETURN ? "the broker closed the connection"
                                                          : tls_problem("the connection to the broker broke");
            outward_.took(outward_.waiting().size());
        }
    }

    bool write_dealer() {
        if (inward_.empty()) return false;
        const BytesView waiting = inward_.waiting();
        const ssize_t count = ::send(dealer_.get(), waiting.data(), waiting.size(), MSG_NOSIGNAL);
        if (count > 0) {
            inward_.took(static_cast<std::size_t>(count));
            return true;
        }
        if (errno == EAGAIN || errno == EINTR) return false;
        dealer_over_ = true;
        inward_.took(waiting.size());
        return true;
    }

    SSL_CTX* tls_;
    TunnelTarget target_;
    PrivateDirectory directory_;
    std::string endpoint_;
    Fd listener_;
    Fd stop_read_, stop_write_;
    zmq::socket_t ended_;   // the owner's end
    zmq::socket_t report_;  // the thread's end

    Fd socket_;
    crypto::TlsConnection connection_;
    Fd dealer_;
    Pipe outward_, inward_;
    bool dealer_over_ = false;
    std::string broker_over_;  // why, once it is
    bool tls_wants_read_ = false;
    bool tls_wants_write_ = false;
    Bytes step_ = Bytes(read_step);

    std::thread thread_;
};

Tunnel::Tunnel(zmq::context_t& context, SSL_CTX* tls, TunnelTarget target)
    : impl_{std::make_unique<Impl>(context, tls, std::move(target))} {}
Tunnel::~Tunnel() = default;
const std::string& Tunnel::endpoint() const { return impl_->endpoint(); }
zmq::socket_t& Tunnel::ended() { return impl_->ended(); }

}  // namespace flagpost::client
