// Mode drain: after a crash, whether everything that was confirmed comes back from the mailboxes.
#include <fstream>
#include <iostream>
#include <set>

#include "tools/bench/agencies.h"
#include "tools/bench/measure.h"
#include "tools/bench/modes.h"
#include "tools/bench/subscriber.h"

namespace flagpost::bench {
namespace {

constexpr std::int64_t drain_ns_max = 600'000'000'000;
constexpr std::size_t agencies_max = 64;

using Place = std::pair<std::uint64_t, std::uint64_t>;  // connection, sequence

std::optional<Place> place_of(const schemas::Deliver& deliver) {
    const auto envelope = wire::read_envelope({deliver.envelope()->data(), deliver.envelope()->size()});
    if (!envelope || envelope->kind != schemas::Kind::opaque || envelope->payload.size() < 20)
        return std::nullopt;
    const auto number = [&](std::size_t at, std::size_t size) {
        std::uint64_t value = 0;
        for (const auto byte : envelope->payload.subspan(at, size)) value = value << 8 | byte;
        return value;
    };
    return Place{number(8, 4), number(12, 8)};
}

class DrainRun final : public Handler {
public:
    explicit DrainRun(const Options& options)
        : options_{options},
          agencies_{load_bench_agencies(options.certs, agencies_max)},
          subscribers_(agencies_.size()),
          loop_{options.host, options.port, *this} {}

    int run() {
        for (const auto& agency : agencies_) loop_.add(agency.tls.get());
        loop_.until(now_ns() + drain_ns_max, [&] {
            return loop_.closed_count() > 0 || std::all_of(subscribers_.begin(), subscribers_.end(),
                                                           [](const auto& one) { return one.caught_up(); });
        });
        std::uint64_t confirmed = 0;
        std::uint64_t lost = 0;
        std::ifstream file{options_.log};
        for (Place place; file >> place.first >> place.second; ++confirmed)
            if (!seen_.contains(place)) ++lost;
        print({
            {"mode",           "drain"     },
            {"received",       received_   },
            {"distinct",       seen_.size()},
            {"confirmed",      confirmed   },
            {"confirmed_lost", lost        }
        });
        return lost == 0 && loop_.closed_count() == 0 ? 0 : 1;
    }

    void on_open(Peer& peer, const schemas::Welcome&) override {
        subscribers_[peer.number()].subscribe(peer, "bench-drain",
                                              {"bench/" + agencies_[peer.number()].code});
    }
    void on_frame(Peer& peer, const schemas::Frame& frame) override {
        auto& subscriber = subscribers_[peer.number()];
        if (const auto* subscribed = frame.body_as_Subscribed()) subscriber.on_subscribed(*subscribed);
        if (const auto* refuse = frame.body_as_Refuse())
            std::cerr << "refused: " << name(static_cast<Reason>(refuse->reason())) << "\n";
        const auto* deliver = frame.body_as_Deliver();
        if (deliver == nullptr) return;
        subscriber.on_deliver(*deliver);
        ++received_;
        if (const auto place = place_of(*deliver)) seen_.insert(*place);
        subscriber.acknowledge(peer);
    }
    void on_closed(Peer& peer) override {
        std::cerr << "connection " << peer.number() << ": " << peer.why() << "\n";
    }

private:
    const Options& options_;
    std::vector<Agency> agencies_;
    std::vector<Subscriber> subscribers_;
    Loop loop_;
    std::uint64_t received_ = 0;
    std::set<Place> seen_;
};

}  // namespace

int run_drain(const Options& options) { return DrainRun{options}.run(); }

}  // namespace flagpost::bench
