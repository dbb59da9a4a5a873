// Mode fanout: one publisher, many durable subscribers of its topic, each acknowledging what it gets.
#include <algorithm>
#include <iostream>
#include <limits>

#include "tools/bench/modes.h"
#include "tools/bench/publisher.h"
#include "tools/bench/subscriber.h"

namespace flagpost::bench {
namespace {

constexpr std::int64_t fanout_connect_ns_max = 120'000'000'000;
constexpr std::int64_t fanout_settle_ns_max = 10'000'000'000;

std::uint64_t number_at(BytesView bytes) {
    std::uint64_t number = 0;
    for (const auto byte : bytes.first(8)) number = number << 8 | byte;
    return number;
}

/// The publisher is connection 0. The last `slow` subscribers take one message and then nothing: they must cost the
/// others nothing.
class FanoutRun final : public Handler {
public:
    explicit FanoutRun(const Options& options)
        : options_{options},
          agency_{std::move(load_bench_agencies(options.certs, agencies_max).back())},
          publisher_{options},
          subscribers_(options.conns),
          took_(options.conns),
          loop_{options.host, options.port, *this} {}

    int run();

    void on_open(Peer& peer, const schemas::Welcome& welcome) override {
        if (peer.number() == 0) {
            publisher_.set_window(std::min<std::size_t>(options_.window, welcome.publish_window()));
            return;
        }
        const auto name = "bench-fanout-" + std::to_string(peer.number());
        const auto place = place_of(peer);
        subscribers_[place].subscribe(peer, name, {"bench/" + agency_.code},
                                      place < fast() ? limits::credit_messages_max : 1);
    }
    void on_frame(Peer& peer, const schemas::Frame& frame) override {
        if (peer.number() == 0) {
            if (const auto* confirm = frame.body_as_Confirm()) publisher_.on_confirm(peer, *confirm);
            if (const auto* refuse = frame.body_as_Refuse()) publisher_.on_refuse(peer, *refuse);
            if (started_) publisher_.fill(peer);
            return;
        }
        auto& subscriber = subscribers_[place_of(peer)];
        if (const auto* subscribed = frame.body_as_Subscribed()) {
            subscriber.on_subscribed(*subscribed);
            ++attached_;
        }
        if (const auto* deliver = frame.body_as_Deliver()) take(peer, subscriber, *deliver);
    }
    void on_closed(Peer& peer) override {
        std::cerr << "connection " << peer.number() << ": " << peer.why() << "\n";
    }

private:
    static constexpr std::size_t agencies_max = 64;

    static std::size_t place_of(const Peer& peer) { return peer.number() - 1; }
    std::size_t fast() const { return options_.conns - std::min(options_.slow, options_.conns); }
    void take(Peer& peer, Subscriber& subscriber, const schemas::Deliver& deliver);
    void turn_for(double seconds);
    void turn(std::int64_t deadline_ns);
    bool all_delivered() const;
    void report(double seconds, std::uint64_t received, std::uint64_t published, double cores);

    const Options& options_;
    Agency agency_;
    Publisher publisher_;
    std::vector<Subscriber> subscribers_;
    std::vector<Durations> took_;  // of each fast subscriber
    std::vector<Peer*> to_acknowledge_;
    Loop loop_;
    bool started_ = false;
    std::size_t attached_ = 0;
    std::int64_t measured_from_ns_ = std::numeric_limits<std::int64_t>::max();
    std::uint64_t received_ = 0;  // by fast ones, of this run
};

void FanoutRun::take(Peer& peer, Subscriber& subscriber, const schemas::Deliver& deliver) {
    const bool first = subscriber.on_deliver(deliver);
    const auto place = place_of(peer);
    if (place >= fast()) return;
    if (to_acknowledge_.empty() || to_acknowledge_.back() != &peer) to_acknowledge_.push_back(&peer);
    const auto envelope = wire::read_envelope({deliver.envelope()->data(), deliver.envelope()->size()});
    if (!first || !envelope || envelope->payload.size() < 8) return;
    ++received_;
    const auto scheduled = static_cast<std::int64_t>(number_at(envelope->payload));
    if (scheduled >= measured_from_ns_) took_[place].add(now_ns() - scheduled);
}

void FanoutRun::turn(std::int64_t deadline_ns) {
    loop_.turn(std::min(deadline_ns, publisher_.next_due_ns()));
    for (auto* peer : std::exchange(to_acknowledge_, {})) subscribers_[place_of(*peer)].acknowledge(*peer);
    publisher_.fill_due(loop_);
}

void FanoutRun::turn_for(double seconds) {
    const auto end = now_ns() + static_cast<std::int64_t>(seconds * 1e9);
    while (now_ns() < end && loop_.closed_count() == 0) turn(end);
}

bool FanoutRun::all_delivered() const {
    return publisher_.outstanding() == 0 && received_ >= publisher_.confirmed() * fast();
}

int FanoutRun::run() {
    publisher_.add_connection(agency_);
    for (std::size_t i = 0; i <= options_.conns; ++i) loop_.add(agency_.tls.get());
    const auto connect_by = now_ns() + fanout_connect_ns_max;
    const auto ready = [&] {
        return attached_ == options_.conns && loop_.open_count() == options_.conns + 1 &&
               std::all_of(subscribers_.begin(), subscribers_.begin() + static_cast<std::ptrdiff_t>(fast()),
                           [](const Subscriber& each) { return each.caught_up(); });
    };
    while (!ready() && now_ns() < connect_by && loop_.closed_count() == 0)
        turn(now_ns() + Subscriber::quiet_ns / 8);
    if (!ready()) throw std::runtime_error{"not all connected and subscribed"};

    received_ = 0;
    started_ = true;
    publisher_.fill(*loop_.peers()[0]);
    turn_for(options_.warmup);
    measured_from_ns_ = now_ns();
    const auto received = received_;
    const auto published = publisher_.confirmed();
    const CpuUse cpu;
    turn_for(options_.seconds);
    const auto seconds = static_cast<double>(now_ns() - measured_from_ns_) / 1e9;
    const auto cores = cpu.cores();
    const auto received_then = received_ - received, published_then = publisher_.confirmed() - published;
    publisher_.stop();
    const auto settle_by = now_ns() + fanout_settle_ns_max;
    while (!all_delivered() && now_ns() < settle_by && loop_.closed_count() == 0)
        turn(now_ns() + fanout_settle_ns_max / 100);
    report(seconds, received_then, published_then, cores);
    return all_delivered() && loop_.closed_count() == 0 ? 0 : 1;
}

void FanoutRun::report(double seconds, std::uint64_t received, std::uint64_t published, double cores) {
    Durations medians, tails;  // over the subscribers, in nanoseconds as any Durations
    double worst = 0;
    std::uint64_t duplicates = 0;
    for (std::size_t i = 0; i < fast(); ++i) {
        medians.add(static_cast<std::int64_t>(took_[i].us_at(0.5) * 1000));
        tails.add(static_cast<std::int64_t>(took_[i].us_at(0.99) * 1000));
        worst = std::max(worst, took_[i].us_at(0.99));
        duplicates += subscribers_[i].duplicates();
    }
    print({
        {"mode",         "fanout"                                            },
        {"subscribers",  options_.conns                                      },
        {"slow",         options_.conns - fast()                             },
        {"window",       options_.window                                     },
        {"size",         options_.size                                       },
        {"rate",         std::round(static_cast<double>(received) / seconds) },
        {"publish_rate", std::round(static_cast<double>(published) / seconds)},
        {"missing",      publisher_.confirmed() * fast() - std::min(received_, publisher_.confirmed() * fast())},
        {"dups",              duplicates                                                            },
        {"e2e_p50_us",              medians.us_at(0.5)},
        {"e2e_p99_us",              tails.us_at(0.5)                                                            },
        {"worst_p99_us",              worst},
        {"client_cpu",              cores                                                              }
    });
}

}  // namespace

int run_fanout(const Options& options) { return FanoutRun{options}.run(); }

}  // namespace flagpost::bench
