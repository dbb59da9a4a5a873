#include "tools/bench/subscriber.h"

#include <algorithm>

#include "tools/bench/measure.h"

namespace flagpost::bench {

void attach_quietly(Peer& peer, const std::string& prefix, const std::vector<Agency>& agencies) {
    schemas::SubscribeValue subscribe;
    subscribe.durable = prefix + std::to_string(peer.number());
    subscribe.topics = {"bench/" + agencies[peer.number() % agencies.size()].code};
    peer.send(wire::pack_frame(std::move(subscribe)));
}

void close_if_refused(Peer& peer, const schemas::Frame& frame) {
    if (const auto* refuse = frame.body_as_Refuse())
        peer.close("refused: " + std::string{name(static_cast<Reason>(refuse->reason()))});
}

void Subscriber::subscribe(Peer& peer, const std::string& durable, const std::vector<std::string>& topics,
                           std::uint32_t messages) {
    schemas::SubscribeValue subscribe;
    subscribe.durable = durable;
    subscribe.topics = topics;
    subscribe.credit_messages = messages;
    subscribe.credit_bytes = limits::credit_bytes_max;
    peer.send(wire::pack_frame(std::move(subscribe)));
    peer.flush();
}

void Subscriber::on_subscribed(const schemas::Subscribed& subscribed) {
    attached_ = true;
    last_ns_ = now_ns();
    if (subscribed.topics() == nullptr) return;
    for (const auto* topic : *subscribed.topics())
        mailboxes_[topic->topic()->str()].high_water = topic->number();
}

bool Subscriber::on_deliver(const schemas::Deliver& deliver) {
    last_ns_ = now_ns();
    auto& mailbox = mailboxes_[deliver.topic()->str()];
    mailbox.unacknowledged.push_back(deliver.number());
    ++received_;
    ++credit_used_;
    bytes_used_ += deliver.envelope()->size();
    const bool first = deliver.number() > mailbox.newest;
    if (!first) ++duplicates_;
    mailbox.newest = std::max(mailbox.newest, deliver.number());
    return first;
}

void Subscriber::acknowledge(Peer& peer) {
    for (auto& [topic, mailbox] : mailboxes_) {
        for (std::size_t at = 0; at < mailbox.unacknowledged.size(); at += limits::acknowledged_at_once_max) {
            const auto end = std::min(mailbox.unacknowledged.size(), at + limits::acknowledged_at_once_max);
            peer.send(wire::acknowledge_frame(
                topic, {mailbox.unacknowledged.begin() + static_cast<std::ptrdiff_t>(at),
                        mailbox.unacknowledged.begin() + static_cast<std::ptrdiff_t>(end)}));
        }
        mailbox.unacknowledged.clear();
    }
    if (credit_used_ >= limits::credit_messages_max / 4 || bytes_used_ >= limits::credit_bytes_max / 32) {
        schemas::CreditValue credit;
        credit.messages = std::exchange(credit_used_, 0);
        // Up to the brim, where the broker stops: it counts whole frames, and we have seen only what is in them.
        credit.bytes = limits::credit_bytes_max;
        bytes_used_ = 0;
        peer.send(wire::pack_frame(std::move(credit)));
    }
    peer.flush();
}

bool Subscriber::caught_up() const {
    if (!attached_) return false;
    if (now_ns() - last_ns_ > quiet_ns) return true;
    return std::all_of(mailboxes_.begin(), mailboxes_.end(),
                       [](const auto& entry) { return entry.second.newest >= entry.second.high_water; });
}

}  // namespace flagpost::bench
