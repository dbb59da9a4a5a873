// Mode storm: subscribers whose broker goes and comes, and who come back as adapters do.
#include <algorithm>
#include <iostream>
#include <map>

#include "adapters/client/backoff.h"
#include "broker/crypto/keys.h"
#include "tools/bench/agencies.h"
#include "tools/bench/loop.h"
#include "tools/bench/measure.h"
#include "tools/bench/modes.h"
#include "tools/bench/subscriber.h"

namespace flagpost::bench {
namespace {

constexpr std::int64_t slot_ns = 100'000'000;

class StormRun final : public Handler {
public:
    explicit StormRun(const Options& options)
        : options_{options},
          agencies_{load_bench_agencies(options.certs, 64)},
          loop_{options.host, options.port, *this} {}

    int run() {
        for (std::size_t i = 0; i < options_.conns; ++i) {
            loop_.add(agencies_[i % agencies_.size()].tls.get());
            backoffs_.emplace_back(random_);
        }
        if (!turn_until([&] { return up_.size() == options_.conns; })) {
            std::cerr << "only " << up_.size() << " of " << options_.conns << " are connected: " << why_
                      << "\n";
            return 1;
        }
        attempts_.clear();
        print({
            {"mode",  "storm"       },
            {"phase", "connected"   },
            {"conns", options_.conns}
        });
        const bool all = turn_until([&] { return gone_ns_ != 0 && up_.size() == options_.conns; });
        report();
        return all ? 0 : 1;
    }

    void on_open(Peer& peer, const schemas::Welcome&) override { attach_quietly(peer, "storm-", agencies_); }
    void on_frame(Peer& peer, const schemas::Frame& frame) override {
        close_if_refused(peer, frame);
        if (frame.body_as_Subscribed() == nullptr) return;
        up_.insert(peer.number());
        backoffs_[peer.number()].succeeded();
        if (gone_ns_ != 0) back_ns_.push_back(now_ns());
    }
    void on_closed(Peer& peer) override {
        why_ = peer.why();
        if (up_.size() == options_.conns && gone_ns_ == 0) gone_ns_ = now_ns();
        up_.erase(peer.number());
        const auto delay = std::chrono::nanoseconds{backoffs_[peer.number()].next()};
        due_.emplace(now_ns() + delay.count(), peer.number());
    }

private:
    bool turn_until(const std::function<bool()>& done) {
        const auto latest = now_ns() + static_cast<std::int64_t>(options_.limit * 1e9);
        while (!done() && now_ns() < latest) {
            const auto next = due_.empty() ? latest : std::min(latest, due_.begin()->first);
            loop_.turn(next);
            for (; !due_.empty() && due_.begin()->first <= now_ns(); due_.erase(due_.begin())) {
                attempts_.push_back(now_ns());
                loop_.come_again(due_.begin()->second);
            }
        }
        return done();
    }

    /// The most attempts that fell into 100 ms.
    std::size_t busiest() const {
        std::map<std::int64_t, std::size_t> slots;
        std::size_t most = 0;
        for (const auto at : attempts_) most = std::max(most, ++slots[at / slot_ns]);
        return most;
    }

    double seconds_until(double share) const {
        const auto number = static_cast<std::size_t>(share * static_cast<double>(options_.conns) + 0.5);
        if (number == 0 || back_ns_.size() < number) return -1;
        return rounded(static_cast<double>(back_ns_[number - 1] - gone_ns_) / 1e9);
    }

    void report() const {
        print({
            {"mode",           "storm"                                                         },
            {"phase",          "back"                                                          },
            {"conns",          options_.conns                                                  },
            {"back",           up_.size()                                                      },
            {"why",            why_                                                            },
            {"attempts",       attempts_.size()                                                },
            {"busiest_100_ms", busiest()                                                       },
            {"first_back_s",
             back_ns_.empty() ? -1 : rounded(static_cast<double>(back_ns_[0] - gone_ns_) / 1e9)},
            {"half_back_s",    seconds_until(0.5)                                              },
            {"99_in_100_s",    seconds_until(0.99)                                             },
            {"all_back_s",     seconds_until(1)                                                }
        });
    }

    const Options& options_;
    std::vector<Agency> agencies_;
    Loop loop_;
    crypto::SystemRandom random_;
    std::vector<client::Backoff> backoffs_;         // by connection
    std::multimap<std::int64_t, std::size_t> due_;  // when which connection tries again
    std::vector<std::int64_t> attempts_, back_ns_;  // times
    std::set<std::size_t> up_;                      // subscribed now
    std::int64_t gone_ns_ = 0;                      // when the first noticed
    std::string why_;
};

}  // namespace

int run_storm(const Options& options) { return StormRun{options}.run(); }

}  // namespace flagpost::bench
