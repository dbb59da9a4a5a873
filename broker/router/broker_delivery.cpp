// Who is sent what, in which order, and no more than it asked for.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "broker/router/broker.h"

namespace flagpost::router {

std::vector<std::unique_ptr<schemas::HighWaterValue>> Broker::high_water(const Session& session) const {
    std::vector<std::unique_ptr<schemas::HighWaterValue>> marks;
    for (const auto& [topic, sent] : session.subscription.sent) {
        marks.push_back(std::make_unique<schemas::HighWaterValue>());
        marks.back()->topic = topic;
        marks.back()->number = committed_high(topic);
    }
    return marks;
}

std::uint64_t Broker::committed_high(const std::string& topic) const {
    const auto waiting = undisclosed_.find(topic);
    return setting_.exchange.high_water(topic) - (waiting == undisclosed_.end() ? 0 : waiting->second);
}

void Broker::attach(const Id16& id, Session& session, const Attach& wanted) {
    const std::pair consumer{session.machine.peer().agency().text(), wanted.durable};
    if (const auto other = consumers_.find(consumer); other != consumers_.end() && other->second != id)
        end_session(other->second, {Reason::displaced, "subscribe.durable"}, {});
    detach(id, session);
    consumers_[consumer] = id;

    Subscription& subscription = session.subscription;
    subscription.durable = wanted.durable;
    subscription.credit.set(wanted.credit_messages, wanted.credit_bytes);
    const auto attempts = attempts_.find(consumer);
    for (const auto& topic : wanted.topics) {
        const std::uint64_t high = committed_high(topic);
        const auto oldest = setting_.exchange.next_pending(topic, 0);
        const std::uint64_t begin = oldest && oldest->first <= high ? oldest->first : high + 1;
        subscription.sent[topic] = begin - 1;
        subscribers_[topic].insert(id);
        if (attempts != attempts_.end()) attempts->second[topic].begin(begin);
    }
    hungry_.insert(id);

    schemas::SubscribedValue subscribed;
    subscribed.topics = high_water(session);
    send(id, session, wire::pack_frame(std::move(subscribed)));
}

void Broker::detach(const Id16& id, Session& session) {
    Subscription& subscription = session.subscription;
    hungry_.erase(id);
    if (subscription.durable.empty()) return;
    const std::pair consumer{session.machine.peer().agency().text(), subscription.durable};
    if (const auto found = consumers_.find(consumer); found != consumers_.end() && found->second == id)
        consumers_.erase(found);
    for (const auto& [topic, sent] : subscription.sent) {
        if (const auto found = subscribers_.find(topic); found != subscribers_.end()) {
            found->second.erase(id);
            if (found->second.empty()) subscribers_.erase(found);
        }
        // Remembered only where something was sent and is still open: the next attach sends it again.
        const auto oldest = setting_.exchange.next_pending(topic, 0);
        if (oldest && oldest->first <= sent && attempts_.size() < limits::consumers_remembered_max)
            attempts_[consumer][topic].reached(sent);
    }
    subscription = Subscription{};
}

/// The consumer is gone. The oldest item it was sent and did not store may be what it cannot store: after so many
/// sessions in a row that ended at the same one, that one goes out of the way of those behind it. A session that hung up
/// counts for much, one that fell silent for little: docs/decisions/0009. Counted since the broker started: a restart
/// gives an item as many attempts again, and nothing worse.
void Broker::blame(const Session& session, Ending how) {
    const Subscription& subscription = session.subscription;
    if (subscription.durable.empty() || attempts_.size() >= limits::consumers_remembered_max) return;
    const std::pair consumer{session.machine.peer().agency().text(), subscription.durable};
    for (const auto& [topic, sent] : subscription.sent) {
        const auto oldest = setting_.exchange.next_pending(topic, 0);
        if (!oldest || oldest->first > sent) continue;
        Attempts& tried = attempts_[consumer][topic];
        const auto attempts = tried.stuck_at(oldest->first, how);
        if (!tried.is_in_the_way()) continue;
        auto envelope = stored_envelope(oldest->second);
        if (!envelope) continue;
        spdlog::error("delivery {} of {} could not be stored in {} attempts: now a dead letter",
                      oldest->first, topic, attempts);
        decide(exchange::GaveUp{topic, oldest->first, attempts, std::move(*envelope)}, Id16{}, Nothing{});
    }
}

void Broker::publish_deliveries(std::vector<exchange::Delivery>& deliveries) {
    for (auto& delivery : deliveries) {
        if (const auto waiting = undisclosed_.find(delivery.topic); --waiting->second == 0)
            undisclosed_.erase(waiting);
        const auto subscribers = subscribers_.find(delivery.topic);
        if (subscribers == subscribers_.end()) continue;
        bool somebody_later = false;
        for (const Id16& id : subscribers->second) {
            Session& session = *find(id);
            const std::uint64_t sent = session.subscription.sent.at(delivery.topic);
            if (sent + 1 == delivery.number && session.subscription.credit.enough()) {
                deliver(id, session, delivery.topic, delivery.number, delivery.index, delivery.envelope);
            } else {
                somebody_later = true;
                if (session.subscription.credit.enough()) hungry_.insert(id);
            }
        }
        if (somebody_later) remember_envelope(delivery.index, std::move(delivery.envelope));
    }
}

void Broker::deliver(const Id16& id, Session& session, const std::string& topic, std::uint64_t number,
                     std::uint64_t index, BytesView envelope) {
    const auto consumer =
        attempts_.find(std::pair{session.machine.peer().agency().text(), session.subscription.durable});
    std::uint32_t attempt = 1;
    if (consumer != attempts_.end())
        if (const auto found = consumer->second.find(topic); found != consumer->second.end())
            attempt = found->second.of(number);
    const Bytes frame = wire::deliver_frame(topic, number, attempt, index, envelope);
    session.subscription.sent[topic] = number;
    session.subscription.credit.spend(frame.size());
    ++figures_.delivered;
    send(id, session, frame);
}

void Broker::deliver_backlog() {
    home_.check();
    std::size_t left = limits::backlog_per_turn_max;
    // Each in turn: one that has been away for a week does not keep the others waiting.
    for (std::set<Id16> turn = std::exchange(hungry_, {}); !turn.empty();) {
        const Id16 id = *turn.begin();
        turn.erase(turn.begin());
        Session* session = find(id);
        if (session == nullptr) continue;
        const std::size_t share = std::max<std::size_t>(1, left / (turn.size() + 1));
        const std::size_t sent = deliver_stored(id, *session, share);
        if (sent == share) hungry_.insert(id);
        left -= std::min(left, sent);
        if (left == 0) {
            hungry_.merge(turn);
            return;
        }
    }
}

/// Sends what is stored and pending, oldest first, within credit; at most `most`. Returns how many.
std::size_t Broker::deliver_stored(const Id16& id, Session& session, std::size_t most) {
    std::size_t sent = 0;
    for (auto& [topic, reached] : session.subscription.sent) {
        const std::uint64_t high = committed_high(topic);
        while (reached < high) {
            if (sent == most || !session.subscription.credit.enough()) return sent;
            const auto next = setting_.exchange.next_pending(topic, reached);
            if (!next || next->first > high) {
                reached = high;  // the rest is acknowledged: what comes next is new
                break;
            }
            const auto [number, index] = *next;
            const auto envelope = stored_envelope(index);
            if (envelope) deliver(id, session, topic, number, index, *envelope);
            reached = number;
            ++sent;
        }
    }
    return sent;
}

std::optional<Bytes> Broker::stored_envelope(std::uint64_t index) {
    if (const auto cached = envelopes_.find(index); cached != envelopes_.end()) return cached->second;
    const auto body = setting_.reader.body(index);
    auto envelope = body ? exchange::envelope_in(*body) : std::nullopt;
    if (!envelope) spdlog::error("delivery of leaf {} holds no envelope any more", index);
    return envelope;
}

void Broker::remember_envelope(std::uint64_t index, Bytes envelope) {
    envelopes_bytes_ += envelope.size();
    envelopes_.emplace(index, std::move(envelope));
    while (envelopes_bytes_ > limits::envelope_cache_bytes_max) {
        envelopes_bytes_ -= envelopes_.begin()->second.size();
        envelopes_.erase(envelopes_.begin());
    }
}

}  // namespace flagpost::router
