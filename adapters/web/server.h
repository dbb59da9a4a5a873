/// Listens for browsers and hands their requests to a Site: bounded in connections, sizes and waits.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "adapters/web/http.h"

namespace flagpost::web {

class Site;

inline constexpr std::size_t web_connections_max = 512;  // open at once, each with a thread that mostly waits
inline constexpr std::size_t web_requests_max = 24;      // answered at once
inline constexpr std::size_t connections_waiting_max = 64;  // accepted, not served yet; then accept waits
inline constexpr auto web_patience = std::chrono::seconds{5};

struct ListenSettings {
    std::string host;
    int port = 0;                            // 0: one of the system's choice
    std::filesystem::path certificate, key;  // empty: plain HTTP, on a loopback address only
};

class Server {
public:
    /// Binds at once. Throws std::runtime_error, also for plain HTTP on an address others can reach.
    Server(Site& site, const ListenSettings& settings);
    ~Server();

    int port() const;
    /// Serves until stop() is called from another thread.
    void run();
    void stop();

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace flagpost::web
