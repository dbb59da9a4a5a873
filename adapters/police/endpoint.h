/// POST /incidents: a force's own program hands incidents over and is told that they are kept, or exactly why not.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "adapters/police/intake.h"

namespace flagpost::police {

inline constexpr std::size_t endpoint_body_max = 4 * 1024 * 1024;  // bytes
inline constexpr std::size_t endpoint_incidents_max = 500;         // of one call
inline constexpr std::size_t endpoint_depth_max = 16;              // of JSON
inline constexpr std::size_t endpoint_connections_max =
    256;                                              // open at once, each with a thread that mostly waits
inline constexpr std::size_t endpoint_calls_max = 4;  // read and answered at once
inline constexpr std::chrono::seconds endpoint_patience{5};  // for others to be served first
inline constexpr std::chrono::seconds endpoint_retry_after{30};

/// A call and its answer as values, so that the rules need no socket.
struct Call {
    std::string method, path, content_type, authorization, body;
};
struct Reply {
    int status;
    nlohmann::json body;
    std::vector<std::pair<std::string, std::string>> headers;
};

/// To a body above endpoint_body_max.
Reply too_large();

/// Safe for several threads.
class Endpoint {
public:
    /// `token`: what callers must bear; empty where a certificate is asked for instead. `waiting_max`: with so many
    /// incidents not yet confirmed nothing more is taken.
    Endpoint(Intake& intake, std::string token, std::uint64_t waiting_max);

    /// 202 and all of it is on disk: {"incidents": [{"reference","version","result","message"}], "notes": [...]}, where
    /// `result` is "queued" or "known"; 200 if all are known. Otherwise nothing is taken: {"error", "problems": [{"index",
    /// "field","why"}]} with 400 (no JSON), 401, 404, 405, 409 (another content of a version taken before), 413, 415, 422 (a
    /// field), 503 with Retry-After (too much waits, or the disk does not take it).
    Reply answer(const Call& call);
    /// Of those what is known without the body: 401, 404, 405 or 415.
    std::optional<Reply> refusal_of(const Call& head) const;

private:
    Reply take(const std::string& body);

    Intake& intake_;
    const std::string token_;
    const std::uint64_t waiting_max_;
};

struct EndpointSettings {
    std::string host;
    int port = 0;  // 0: one of the system's choice
    std::filesystem::path certificate, key;
    std::filesystem::path client_ca;  // callers need a certificate of this CA
    std::filesystem::path
        client_crl;  // with client_ca: its revocation lists, read again whenever the file changes
};

/// Serves in threads of its own, for as long as it lives.
class EndpointServer {
public:
    /// Binds at once. Throws std::runtime_error, also for plain HTTP on an address others can reach.
    EndpointServer(Endpoint& endpoint, const EndpointSettings& settings);
    ~EndpointServer();
    int port() const;
    /// Throws if it serves no longer.
    void check() const;

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace flagpost::police
