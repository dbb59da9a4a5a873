/// Connections that begin a request and do not finish it.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string_view>
#include <vector>

namespace flagpost::test {

class UnfinishedRequests {
public:
    /// `count` of them to a port of 127.0.0.1; they stay open until this ends.
    UnfinishedRequests(int port, int count) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(static_cast<std::uint16_t>(port));
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        constexpr std::string_view begun = "POST / HTTP/1.1\r\nHo";
        for (int i = 0; i < count; ++i) {
            sockets_.push_back(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
            if (connect(sockets_.back(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
                send(sockets_.back(), begun.data(), begun.size(), MSG_NOSIGNAL) !=
                    static_cast<ssize_t>(begun.size()))
                throw std::runtime_error{"a connection could not be opened"};
        }
    }
    ~UnfinishedRequests() {
        for (const int each : sockets_) close(each);
    }
    UnfinishedRequests(const UnfinishedRequests&) = delete;
    UnfinishedRequests& operator=(const UnfinishedRequests&) = delete;

private:
    std::vector<int> sockets_;
};

}  // namespace flagpost::test
