#include "tools/bench/publisher.h"

#include <algorithm>
#include <limits>

namespace flagpost::bench {

Publisher::Publisher(const Options& options)
    : window_{options.window}, ids_{random_}, payloads_{options, random_} {
    if (!options.log.empty()) log_.open(options.log, std::ios::app);
}

void Publisher::add_connection(const Agency& agency) { connections_.push_back({&agency, {}, 0, 0}); }

void Publisher::fill(Peer& peer) {
    auto& connection = connections_.at(peer.number());
    if (stopped_ || !peer.open() || connection.outstanding >= window_) return;
    auto room = window_ - connection.outstanding;
    const auto worth_signing = std::clamp<std::size_t>(window_ / 2, 1, limits::origin_batch_max);
    const auto now = now_ns();
    if (room < worth_signing) {
        if (connection.waiting_since_ns == 0) connection.waiting_since_ns = now;
        if (now - connection.waiting_since_ns < linger_ns) return;
    }
    connection.waiting_since_ns = 0;
    while (room > 0) {
        const auto batch = std::min(room, limits::origin_batch_max);
        send(peer, std::vector<std::int64_t>(batch, now_ns()));
        room -= batch;
    }
    peer.flush();
}

void Publisher::send(Peer& peer, const std::vector<std::int64_t>& scheduled_ns) {
    auto& connection = connections_.at(peer.number());
    const auto draft_of_agency = payloads_.draft(connection.agency->code);
    Bytes salts(sizeof(Id16) * scheduled_ns.size());
    random_.fill(salts);  // at once: OpenSSL's generator takes as long for 16 bytes as for a thousand
    std::vector<Bytes> envelopes;
    for (const auto scheduled : scheduled_ns) {
        const auto salt = BytesView{salts}.subspan(sizeof(Id16) * envelopes.size(), sizeof(Id16));
        const Numbered message{peer.number(), connection.sent_ns.size(), scheduled};
        auto draft = draft_of_agency;
        draft.payload = payloads_.make(message);
        envelopes.push_back(wire::make_envelope(draft, ids_.make(message.connection, message.sequence),
                                                *exactly<sizeof(Id16)>(salt), SystemClock{}.now()));
        connection.sent_ns.push_back(scheduled);
    }
    for (const auto& frame : publish_frames(*connection.agency->origin, envelopes)) peer.send(frame);
    connection.outstanding += envelopes.size();
    outstanding_ += envelopes.size();
    tally_.sent += envelopes.size();
}

std::int64_t Publisher::next_due_ns() const {
    auto due = std::numeric_limits<std::int64_t>::max();
    for (const auto& connection : connections_)
        if (connection.waiting_since_ns != 0) due = std::min(due, connection.waiting_since_ns + linger_ns);
    return due;
}

void Publisher::fill_due(Loop& loop) {
    const auto now = now_ns();
    for (std::size_t i = 0; i < connections_.size(); ++i)
        if (connections_[i].waiting_since_ns != 0 && now - connections_[i].waiting_since_ns >= linger_ns)
            fill(*loop.peers()[i]);
}

std::optional<std::int64_t> Publisher::answered(const Peer& peer, BytesView id) {
    auto& connection = connections_.at(peer.number());
    const auto sequence = Ids::sequence_of(id);
    if (!sequence || *sequence >= connection.sent_ns.size() || connection.sent_ns[*sequence] == 0)
        return std::nullopt;
    --connection.outstanding;
    --outstanding_;
    return std::exchange(connection.sent_ns[*sequence], 0);
}

void Publisher::on_confirm(const Peer& peer, const schemas::Confirm& confirm) {
    const BytesView id{confirm.id()->data(), confirm.id()->size()};
    const auto sent = answered(peer, id);
    if (!sent) return;
    ++tally_.confirmed;
    tally_.acknowledged.add(now_ns() - *sent);
    if (log_.is_open()) log_ << peer.number() << ' ' << *Ids::sequence_of(id) << '\n';
}

void Publisher::on_refuse(const Peer& peer, const schemas::Refuse& refuse) {
    ++tally_.refused;
    tally_.refusal = std::string{name(static_cast<Reason>(refuse.reason()))} +
                     (refuse.where() == nullptr ? "" : " (" + refuse.where()->str() + ")");
    if (refuse.id() != nullptr) answered(peer, {refuse.id()->data(), refuse.id()->size()});
}

}  // namespace flagpost::bench
