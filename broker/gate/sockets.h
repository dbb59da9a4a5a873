/// Sockets as the gate uses them: owned, never blocking, dead peers noticed by the kernel.
#pragma once

#include <unistd.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "broker/core/bytes.h"

namespace flagpost::gate {

/// A file descriptor with one owner.
class Descriptor {
public:
    explicit Descriptor(int value) : value_{value} {}
    Descriptor(Descriptor&& other) noexcept : value_{std::exchange(other.value_, -1)} {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(value_, other.value_);
        return *this;
    }
    ~Descriptor() {
        if (value_ >= 0) ::close(value_);
    }
    int get() const { return value_; }

private:
    int value_;
};

/// Who a connection comes from, for counting: an IPv4 address, or the /64 of an IPv6 one.
using Source = std::array<std::uint8_t, 16>;

struct Accepted {
    Descriptor socket;
    Source source;
    std::string remote;  // address and port
};

/// A listening socket on a numeric address or a name of this machine. Throws std::system_error or
/// std::runtime_error if the address is not ours or is taken.
class Listener {
public:
    Listener(const std::string& host, std::uint16_t port);
    int descriptor() const { return socket_.get(); }
    std::uint16_t port() const { return port_; }  // the real one, also when 0 was asked for

    /// The next waiting connection; nothing if there is none, or if the system has none to give just now.
    std::optional<Accepted> accept();
    /// The system had no descriptor or memory for the last accept: try again later, not at once.
    bool exhausted() const { return exhausted_; }

private:
    Descriptor socket_;
    std::uint16_t port_ = 0;
    bool exhausted_ = false;
};

/// Raises this process's soft limit of open descriptors to its hard one; returns what it now is.
std::size_t raise_descriptor_limit();

}  // namespace flagpost::gate
