// Mode lat: an open loop. Messages go out when they are due, however slow the answers; each delivery is
// acknowledged.
#include <iostream>
#include <limits>

#include "notice_generated.h"
#include "tools/bench/modes.h"
#include "tools/bench/publisher.h"
#include "tools/bench/subscriber.h"

namespace flagpost::bench {
namespace {

constexpr std::size_t publishing = 0;  // numbers of the two connections
constexpr std::size_t subscribing = 1;

std::uint64_t number_at(BytesView bytes, std::size_t at) {
    std::uint64_t number = 0;
    for (const auto byte : bytes.subspan(at, 8)) number = number << 8 | byte;
    return number;
}

class LatencyRun final : public Handler {
public:
    explicit LatencyRun(const Options& options)
        : options_{options},
          publishers_{load_publishers(options, 1)},
          publisher_{options},
          loop_{options.host, options.port, *this} {
        if (options.kind == Kind::incident)
            listener_ = load_agency(options.certs, "social-care", options.authority);
    }

    int run();

    void on_open(Peer& peer, const schemas::Welcome&) override {
        if (peer.number() == subscribing) subscriber_.subscribe(peer, "bench-lat", {topic()});
    }
    void on_frame(Peer& peer, const schemas::Frame& frame) override {
        if (const auto* confirm = frame.body_as_Confirm()) publisher_.on_confirm(peer, *confirm);
        if (const auto* refuse = frame.body_as_Refuse()) publisher_.on_refuse(peer, *refuse);
        if (const auto* subscribed = frame.body_as_Subscribed()) subscriber_.on_subscribed(*subscribed);
        if (const auto* deliver = frame.body_as_Deliver()) {
            if (subscriber_.on_deliver(*deliver)) note(*deliver);
            acknowledge_ = true;
        }
    }
    void on_closed(Peer& peer) override {
        std::cerr << "connection " << peer.number() << ": " << peer.why() << "\n";
    }

private:
    std::string topic() const {
        return options_.kind == Kind::opaque ? "bench/" + publishers_[0].code
                                             : "notices/social-care/" + options_.authority;
    }
    std::optional<std::int64_t> scheduled_of(const schemas::Deliver& deliver) const;
    void note(const schemas::Deliver& deliver);
    void turn(std::int64_t deadline_ns);
    void publish_for(double seconds);
    void send_due(std::int64_t start_ns, std::uint64_t& sent, double interval_ns);

    const Options& options_;
    std::vector<Agency> publishers_;
    std::optional<Agency> listener_;
    Publisher publisher_;
    Subscriber subscriber_;
    Loop loop_;
    bool acknowledge_ = false;
    std::int64_t measured_from_ns_ = std::numeric_limits<std::int64_t>::max();
    std::uint64_t received_ = 0;
    Durations delivered_;
};

/// When the message that caused this delivery was due; nothing for one of another run.
std::optional<std::int64_t> LatencyRun::scheduled_of(const schemas::Deliver& deliver) const {
    const auto envelope = wire::read_envelope({deliver.envelope()->data(), deliver.envelope()->size()});
    if (!envelope) return std::nullopt;
    if (envelope->kind == schemas::Kind::opaque && envelope->payload.size() >= 8)
        return static_cast<std::int64_t>(number_at(envelope->payload, 0));
    if (envelope->kind != schemas::Kind::social_care_notice) return std::nullopt;
    const auto notice = wire::read_table<schemas::SocialCareNotice>(envelope->payload, "notice");
    if (!notice) return std::nullopt;
    const auto reference = (*notice)->incident_reference()->str();
    return std::stoll(reference.substr(reference.rfind('-') + 1));
}

void LatencyRun::note(const schemas::Deliver& deliver) {
    const auto scheduled = scheduled_of(deliver);
    if (!scheduled || *scheduled < measured_from_ns_) return;
    ++received_;
    delivered_.add(now_ns() - *scheduled);
}

void LatencyRun::turn(std::int64_t deadline_ns) {
    loop_.turn(deadline_ns);
    if (std::exchange(acknowledge_, false)) subscriber_.acknowledge(*loop_.peers()[subscribing]);
}

/// Everything that is due by now goes out, under one signature where that is several.
void LatencyRun::send_due(std::int64_t start_ns, std::uint64_t& sent, double interval_ns) {
    const auto due_ns = [&](std::uint64_t number) {
        return start_ns + static_cast<std::int64_t>(static_cast<double>(number) * interval_ns);
    };
    const auto now = now_ns();
    std::vector<std::int64_t> batch;
    while (due_ns(sent) <= now && batch.size() < limits::origin_batch_max) batch.push_back(due_ns(sent++));
    if (batch.empty()) return turn(due_ns(sent));
    auto& peer = *loop_.peers()[publishing];
    publisher_.send(peer, batch);
    peer.flush();
    turn(now);
}

void LatencyRun::publish_for(double seconds) {
    const auto start = now_ns();
    const auto end = start + static_cast<std::int64_t>(seconds * 1e9);
    std::uint64_t sent = 0;
    while (now_ns() < end && loop_.closed_count() == 0) send_due(start, sent, 1e9 / options_.rate);
}

int LatencyRun::run() {
    publisher_.add_connection(publishers_[0]);
    loop_.add(publishers_[0].tls.get());
    loop_.add(listener_ ? listener_->tls.get() : publishers_[0].tls.get());
    const auto connect_by = now_ns() + connect_ns_max;
    while (now_ns() < connect_by && loop_.closed_count() == 0 &&
           !(loop_.open_count() == 2 && subscriber_.caught_up()))
        turn(now_ns() + Subscriber::quiet_ns / 8);
    if (!subscriber_.attached() || loop_.open_count() != 2)
        throw std::runtime_error{"not connected and subscribed"};
    if (!subscriber_.caught_up())
        throw std::runtime_error{
            "what was published before did not come in time: nothing new can be measured behind it"};

    publish_for(options_.warmup);
    measured_from_ns_ = now_ns();
    publisher_.tally().acknowledged.clear();
    const auto sent_before = publisher_.tally().sent;
    const CpuUse cpu;
    publish_for(options_.seconds);
    const auto cores = cpu.cores();
    const auto sent = publisher_.tally().sent - sent_before;
    const auto settle_by = now_ns() + settle_ns_max;
    while (now_ns() < settle_by && loop_.closed_count() == 0 &&
           (publisher_.outstanding() > 0 || (options_.kind == Kind::opaque && received_ < sent)))
        turn(now_ns() + settle_ns_max / 100);
    auto& tally = publisher_.tally();
    Json line{
        {"mode",        "lat"                                                },
        {"kind",        options_.kind == Kind::opaque ? "opaque" : "incident"},
        {"target_rate", options_.rate                                        },
        {"sent",        sent                                                 },
        {"received",    received_                                            },
        {"dups",        subscriber_.duplicates()                             },
        {"e2e_p50_us",  delivered_.us_at(0.5)                                },
        {"e2e_p99_us",  delivered_.us_at(0.99)                               },
        {"e2e_p999_us", delivered_.us_at(0.999)                              },
        {"ack_p50_us",  tally.acknowledged.us_at(0.5)                        },
        {"ack_p99_us",  tally.acknowledged.us_at(0.99)                       },
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

int run_latency(const Options& options) { return LatencyRun{options}.run(); }

}  // namespace flagpost::bench
