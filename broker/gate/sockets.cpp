#include "broker/gate/sockets.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <stdexcept>
#include <system_error>

#include "broker/core/limits.h"

namespace flagpost::gate {
namespace {

constexpr int backlog = 1024;
constexpr int idle_s = 20, probe_s = 5, probes_max = 3;  // keepalive of a connection nobody uses

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error{errno, std::generic_category(), what};
}

void set_option(int socket, int level, int option, int value) {
    if (::setsockopt(socket, level, option, &value, sizeof value) != 0) fail("setsockopt");
}

struct FreeAddresses {
    void operator()(addrinfo* first) const { ::freeaddrinfo(first); }
};

std::unique_ptr<addrinfo, FreeAddresses> resolve(const std::string& host, std::uint16_t port) {
    addrinfo wanted{};
    wanted.ai_family = AF_UNSPEC;
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
    if (error != 0) throw std::runtime_error{"listen " + host + ": " + ::gai_strerror(error)};
    return std::unique_ptr<addrinfo, FreeAddresses>{found};
}

std::uint16_t bound_port(int socket) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0) fail("getsockname");
    if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
    return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

Source source_of(const sockaddr_storage& address) {
    Source source{};
    if (address.ss_family == AF_INET6) {
        const auto* bytes = reinterpret_cast<const sockaddr_in6&>(address).sin6_addr.s6_addr;
        const bool mapped = IN6_IS_ADDR_V4MAPPED(&reinterpret_cast<const sockaddr_in6&>(address).sin6_addr);
        std::copy_n(bytes, mapped ? 16 : 8, source.begin());
    } else {
        const auto& v4 = reinterpret_cast<const sockaddr_in&>(address).sin_addr;
        source[10] = source[11] = 0xff;
        std::copy_n(reinterpret_cast<const std::uint8_t*>(&v4), 4, source.begin() + 12);
    }
    return source;
}

std::string text_of(const sockaddr_storage& address) {
    std::array<char, INET6_ADDRSTRLEN> name{};
    if (address.ss_family == AF_INET6) {
        const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
        ::inet_ntop(AF_INET6, &v6.sin6_addr, name.data(), name.size());
        return '[' + std::string{name.data()} + "]:" + std::to_string(ntohs(v6.sin6_port));
    }
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, name.data(), name.size());
    return std::string{name.data()} + ':' + std::to_string(ntohs(v4.sin_port));
}

// A peer that is gone already makes these fail; the first read will say so.
void tune(int socket) {
    const auto set = [&](int level, int option, int value) {
        ::setsockopt(socket, level, option, &value, sizeof value);
    };
    set(IPPROTO_TCP, TCP_NODELAY, 1);
    set(IPPROTO_TCP, TCP_USER_TIMEOUT,
        static_cast<int>(std::chrono::milliseconds{limits::unacknowledged_max}.count()));
    set(SOL_SOCKET, SO_KEEPALIVE, 1);
    set(IPPROTO_TCP, TCP_KEEPIDLE, idle_s);
    set(IPPROTO_TCP, TCP_KEEPINTVL, probe_s);
    set(IPPROTO_TCP, TCP_KEEPCNT, probes_max);
}

Descriptor listen_on(const std::string& host, std::uint16_t port) {
    const auto address = resolve(host, port);
    Descriptor socket{::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
    if (socket.get() < 0) fail("socket");
    set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (address->ai_family == AF_INET6) set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (::bind(socket.get(), address->ai_addr, address->ai_addrlen) != 0)
        fail("listen " + host + ":" + std::to_string(port));
    if (::listen(socket.get(), backlog) != 0) fail("listen");
    return socket;
}

}  // namespace

Listener::Listener(const std::string& host, std::uint16_t port)
    : socket_{listen_on(host, port)}, port_{bound_port(socket_.get())} {}

std::optional<Accepted> Listener::accept() {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    exhausted_ = false;
    const int value =
        ::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (value < 0) {
        exhausted_ = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
        return std::nullopt;
    }
    tune(value);
    return Accepted{Descriptor{value}, source_of(address), text_of(address)};
}

std::size_t raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) fail("getrlimit");
    const rlimit raised{limit.rlim_max, limit.rlim_max};
    if (limit.rlim_cur < limit.rlim_max && ::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
    return static_cast<std::size_t>(limit.rlim_cur);
}

}  // namespace flagpost::gate
