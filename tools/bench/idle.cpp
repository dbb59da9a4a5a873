// Mode idle: connections that are welcomed and then only keep alive.
#include <poll.h>
#include <unistd.h>

#include <iostream>

#include "tools/bench/agencies.h"
#include "tools/bench/loop.h"
#include "tools/bench/measure.h"
#include "tools/bench/modes.h"
#include "tools/bench/subscriber.h"

namespace flagpost::bench {
namespace {

constexpr std::int64_t stdin_look_ns = 200'000'000;

class IdleRun final : public Handler {
public:
    explicit IdleRun(const Options& options)
        : options_{options},
          agencies_{load_bench_agencies(options.certs, 64)},
          loop_{options.host, options.port, *this} {}

    int run() {
        for (const auto step : options_.steps) {
            reach(step);
            if (!wait_for_line()) return 0;
        }
        return 0;
    }

    void on_open(Peer& peer, const schemas::Welcome&) override { attach_quietly(peer, names_, agencies_); }
    void on_frame(Peer& peer, const schemas::Frame& frame) override {
        if (frame.body_as_Subscribed() != nullptr) ++subscribed_;
        close_if_refused(peer, frame);
    }
    void on_closed(Peer& peer) override { why_ = peer.why(); }

private:
    void reach(std::size_t step) {
        const auto begun = now_ns();
        const auto subscribed_before = subscribed_;
        const auto closed_before = loop_.closed_count();
        const CpuUse cpu;
        for (auto wanted = loop_.peers().size(); wanted < step; ++wanted)
            loop_.add(agencies_[wanted % agencies_.size()].tls.get());
        const auto all = loop_.peers().size();
        loop_.until(begun + static_cast<std::int64_t>(options_.limit * 1e9),
                    [&] { return subscribed_ + loop_.closed_count() >= all; });
        const auto seconds = static_cast<double>(now_ns() - begun) / 1e9;
        print({
            {"mode",           "idle"                                                                 },
            {"asked",          step                                                                   },
            {"conns",          loop_.open_count()                                                     },
            {"failed",         loop_.closed_count() - closed_before                                   },
            {"why",            why_                                                                   },
            {"seconds",        rounded(seconds)                                                       },
            {"connects_per_s", rounded(static_cast<double>(subscribed_ - subscribed_before) / seconds)},
            {"client_cpu",     cpu.cores()                                                            }
        });
    }

    /// Keeps the connections alive until somebody writes a line; false when there is nobody any more.
    bool wait_for_line() {
        for (;;) {
            loop_.turn(now_ns() + stdin_look_ns);
            pollfd input{0, POLLIN, 0};
            if (::poll(&input, 1, 0) <= 0) continue;
            std::string line;
            return static_cast<bool>(std::getline(std::cin, line));
        }
    }

    const Options& options_;
    std::vector<Agency> agencies_;
    Loop loop_;
    /// Its own, so that two such processes can hold more sessions than one of them may have descriptors.
    const std::string names_ = "idle-" + std::to_string(::getpid()) + "-";
    std::size_t subscribed_ = 0;  // of those ever open
    std::string why_;
};

}  // namespace

int run_idle(const Options& options) { return IdleRun{options}.run(); }

}  // namespace flagpost::bench
