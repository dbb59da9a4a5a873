// Mode pub: a closed loop. Every connection keeps its window of publishes unconfirmed.
#include <algorithm>
#include <iostream>

#include "tools/bench/modes.h"
#include "tools/bench/publisher.h"

namespace flagpost::bench {
namespace {

class PublishRun final : public Handler {
public:
    explicit PublishRun(const Options& options)
        : options_{options},
          agencies_{load_publishers(options, options.conns)},
          publisher_{options},
          loop_{options.host, options.port, *this} {}

    int run();

    void on_open(Peer&, const schemas::Welcome& welcome) override {
        if (welcome.publish_window() < options_.window) publisher_.set_window(welcome.publish_window());
    }
    void on_frame(Peer& peer, const schemas::Frame& frame) override {
        if (const auto* confirm = frame.body_as_Confirm()) publisher_.on_confirm(peer, *confirm);
        if (const auto* refuse = frame.body_as_Refuse()) publisher_.on_refuse(peer, *refuse);
        if (started_) publisher_.fill(peer);
    }
    void on_closed(Peer& peer) override {
        std::cerr << "connection " << peer.number() << ": " << peer.why() << "\n";
    }

private:
    void turn_for(double seconds) {
        const auto end = now_ns() + static_cast<std::int64_t>(seconds * 1e9);
        while (now_ns() < end && loop_.closed_count() == 0) {
            loop_.turn(std::min(end, publisher_.next_due_ns()));
            publisher_.fill_due(loop_);
        }
    }

    const Options& options_;
    std::vector<Agency> agencies_;
    Publisher publisher_;
    Loop loop_;
    bool started_ = false;
};

int PublishRun::run() {
    for (std::size_t i = 0; i < options_.conns; ++i) {
        const auto& agency = agencies_[i % agencies_.size()];
        publisher_.add_connection(agency);
        loop_.add(agency.tls.get());
    }
    const bool connected = loop_.until(now_ns() + connect_ns_max, [&] {
        return loop_.open_count() == options_.conns || loop_.closed_count() > 0;
    });
    if (!connected || loop_.closed_count() > 0) throw std::runtime_error{"not all connections came up"};

    started_ = true;
    for (const auto& peer : loop_.peers()) publisher_.fill(*peer);
    turn_for(options_.warmup);
    publisher_.tally().acknowledged.clear();
    const auto before = publisher_.tally().confirmed;
    const auto start = now_ns();
    const CpuUse cpu;
    turn_for(options_.seconds);
    const auto seconds = static_cast<double>(now_ns() - start) / 1e9;
    const auto confirmed = publisher_.tally().confirmed - before;
    const auto cores = cpu.cores();

    publisher_.stop();
    loop_.until(now_ns() + settle_ns_max,
                [&] { return publisher_.outstanding() == 0 || loop_.open_count() == 0; });
    auto& tally = publisher_.tally();
    Json line{
        {"mode",        "pub"                                                },
        {"kind",        options_.kind == Kind::opaque ? "opaque" : "incident"},
        {"conns",       options_.conns                                       },
        {"window",      options_.window                                      },
        {"size",        options_.size                                        },
        {"rate",        std::round(static_cast<double>(confirmed) / seconds) },
        {"confirmed",   tally.confirmed                                      },
        {"unconfirmed", publisher_.outstanding()                             },
        {"ack_p50_us",  tally.acknowledged.us_at(0.5)                        },
        {"ack_p99_us",  tally.acknowledged.us_at(0.99)                       },
        {"ack_p999_us", tally.acknowledged.us_at(0.999)                      },
        {"client_cpu",  cores                                                }
    };
    if (tally.refused > 0) {
        line["refused"] = tally.refused;
        line["refusal"] = tally.refusal;
    }
    print(line);
    return loop_.closed_count() > 0 ? 1 : 0;
}

}  // namespace

int run_publish(const Options& options) { return PublishRun{options}.run(); }

}  // namespace flagpost::bench
