#include "broker/manage/server.h"

// Debian compiles the library with three features; the flags that say so come from pkg-config. Without them the classes
// here would be of other sizes than there.
#include <arpa/inet.h>
#include <httplib.h>

#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include "broker/manage/metrics.h"
#include "broker/manage/page.h"

namespace flagpost::manage {
namespace {

/// A fixed number of threads and nobody in between: while all are busy, accepting waits.
class Threads final : public httplib::TaskQueue {
public:
    Threads() {
        for (auto& thread : threads_) thread = std::thread{[this] { work(); }};
    }

    void enqueue(std::function<void()> task) override {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return !next_; });
        next_ = std::move(task);
        changed_.notify_all();
    }
    /// What was taken on is still answered.
    void shutdown() override {
        {
            const std::lock_guard lock{mutex_};
            over_ = true;
        }
        changed_.notify_all();
        for (auto& thread : threads_) thread.join();
    }

private:
    void work() {
        for (;;) {
            std::function<void()> task;
            {
                std::unique_lock lock{mutex_};
                changed_.wait(lock, [this] { return next_ || over_; });
                if (!next_) return;
                task = *std::exchange(next_, std::nullopt);
                changed_.notify_all();
            }
            task();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::optional<std::function<void()>> next_;
    bool over_ = false;
    std::array<std::thread, threads> threads_;
};

/// "[::1]:9110" and "localhost:9110" without their port.
std::string without_port(const std::string& host) {
    if (host.starts_with('[')) return host.substr(1, host.find(']') - 1);
    return host.substr(0, host.find(':'));
}

void say(httplib::Response& to, int status, const std::string& body, const char* type) {
    to.status = status;
    to.set_header("Cache-Control", "no-store");
    to.set_header("X-Content-Type-Options", "nosniff");
    to.set_content(body, type);
}

}  // namespace

bool is_loopback(const std::string& host) {
    in_addr address{};
    const bool is_v4 = inet_pton(AF_INET, host.c_str(), &address) == 1;  // "127.example.org" is none
    return host == "localhost" || host == "::1" || (is_v4 && (ntohl(address.s_addr) >> 24) == 127);
}

class Server::Impl {
public:
    Impl(const std::string& host, std::uint16_t port, const Board& board,
         std::function<std::string()> statistics)
        : board_{board}, statistics_{std::move(statistics)} {
        if (!is_loopback(host))
            throw std::runtime_error{"management: " + host + " is not this machine alone"};
        server_.new_task_queue = [] { return new Threads; };
        server_.set_socket_options([](socket_t socket) {
            // The library's own choice is SO_REUSEPORT, with which a second process gets half of the questions.
            const int yes = 1;
            setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
        });
        server_.set_payload_max_length(0);
        server_.set_read_timeout(time_max);
        server_.set_write_timeout(time_max);
        server_.set_keep_alive_max_count(requests_per_connection);
        server_.set_keep_alive_timeout(time_max.count());
        server_.set_pre_routing_handler([this](const httplib::Request& from, httplib::Response& to) {
            answer(from, to);
            return httplib::Server::HandlerResponse::Handled;
        });
        port_ = port;
        if (port == 0) {
            const int bound = server_.bind_to_any_port(host);
            if (bound < 0) throw std::runtime_error{"management: cannot listen on " + host};
            port_ = static_cast<std::uint16_t>(bound);
        } else if (!server_.bind_to_port(host, port)) {
            throw std::runtime_error{"management: cannot listen on " + host + ":" + std::to_string(port)};
        }
        thread_ = std::thread{[this] { server_.listen_after_bind(); }};
        while (!server_.is_running()) std::this_thread::yield();  // or stop() would come before what it stops
    }
    ~Impl() {
        server_.stop();
        thread_.join();
    }

    std::uint16_t port() const { return port_; }

private:
    void answer(const httplib::Request& from, httplib::Response& to) const {
        constexpr const char* plain = "text/plain; charset=utf-8";
        if (!is_loopback(without_port(from.get_header_value("Host"))))
            return say(to, 421, "not this host\n", plain);
        if (from.method != "GET" && from.method != "HEAD") return say(to, 405, "only read\n", plain);
        const auto sheet = board_.newest();
        const bool alive = sheet && std::chrono::steady_clock::now() - sheet->hung_up < sheet_age_max;
        if (from.path == "/healthz")
            return alive ? say(to, 200, "ok\n", plain)
                         : say(to, 503, "the broker thread says nothing\n", plain);
        if (!sheet) return say(to, 503, "not yet\n", plain);
        if (from.path == "/status") {
            to.set_header("Content-Security-Policy",
                          "default-src 'none'; style-src 'self'; form-action 'none'; frame-ancestors 'none'; "
                          "base-uri 'none'");
            to.set_header("Referrer-Policy", "same-origin");
            return say(to, 200, status_page(sheet->standing, sheet->alarms, alive),
                       "text/html; charset=utf-8");
        }
        if (from.path == "/status.css")
            return say(to, 200, std::string{status_styles}, "text/css; charset=utf-8");
        if (from.path == "/status.json") return say(to, 200, sheet->report, "application/json");
        if (from.path == "/metrics")
            return say(to, 200, metrics(sheet->standing, sheet->alarms),
                       "text/plain; version=0.0.4; charset=utf-8");
        if (from.path == "/statistics.csv") return say_statistics(to);
        say(to, 404, "nothing here\n", plain);
    }

    void say_statistics(httplib::Response& to) const {
        try {
            say(to, 200, statistics_(), "text/csv; charset=utf-8");
        } catch (const std::exception&) {
            say(to, 503, "the statistics cannot be read now\n", "text/plain; charset=utf-8");
        }
    }

    const Board& board_;
    std::function<std::string()> statistics_;
    httplib::Server server_;
    std::uint16_t port_ = 0;
    std::thread thread_;
};

Server::Server(const std::string& host, std::uint16_t port, const Board& board,
               std::function<std::string()> statistics)
    : impl_{std::make_unique<Impl>(host, port, board, std::move(statistics))} {}
Server::~Server() = default;
std::uint16_t Server::port() const { return impl_->port(); }

}  // namespace flagpost::manage
