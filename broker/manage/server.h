/// The management address: HTTP for operators' own tools on this machine. It only reads what is on the board.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "broker/manage/board.h"

namespace flagpost::manage {

// Longer than limits would say nothing here: nobody but this machine's own users reaches it.
inline constexpr std::size_t threads = 4;
inline constexpr auto time_max = std::chrono::seconds{2};  // of one read or write
inline constexpr std::size_t requests_per_connection = 100;
inline constexpr auto statistics_shown = std::chrono::days{35};
inline constexpr auto sheet_age_max = std::chrono::seconds{15};  // older: the broker thread is stuck

/// Whether `host` names this machine alone.
bool is_loopback(const std::string& host);

/// Answers GET and HEAD of
///   /healthz      200 `ok`, or 503 if the broker thread has not said anything for sheet_age_max: only then does
///                 starting it anew help. A full disk is no such case
///   /status       the same as a page (page.h), and /status.css
///   /status.json  the report (broker/standing/report.h)
///   /metrics      Prometheus text (metrics.h)
///   /statistics.csv  what happened, counted by hour over statistics_shown: from the events table, never from the log
/// on threads of its own, without TLS or sign-in, and therefore on a loopback address only. A Host header that names
/// no loopback address is refused, so that no web page can have its reader's browser fetch it (DNS rebinding).
class Server {
public:
    /// port  0: one of the system's choice
    /// Throws std::runtime_error if it is no loopback address, or taken.
    /// statistics  what /statistics.csv says; called on the server's threads, may throw
    Server(const std::string& host, std::uint16_t port, const Board& board,
           std::function<std::string()> statistics);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    std::uint16_t port() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace flagpost::manage
