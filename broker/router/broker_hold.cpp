// Deciding, holding until the commit, and releasing: broker.h says the rule.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "broker/router/answers.h"
#include "broker/router/broker.h"
#include "broker/router/proofs.h"
#include "broker/router/status.h"

namespace flagpost::router {
namespace {

constexpr std::size_t record_overhead = 512;  // leaf, keys and rows: for bounding a batch, not for accounting

std::size_t size_of(const std::vector<log::Record>& records) {
    std::size_t size = 0;
    for (const auto& record : records) size += record.body.size() + record_overhead;
    return size;
}

}  // namespace

void Broker::decide(const exchange::Command& command, const Id16& session, Then then, bool can_wait,
                    std::optional<store::Receipt> receipt) {
    auto outcome = setting_.exchange.decide(command, now_);
    if (receipt) {
        const auto* confirmed = std::get_if<exchange::Confirmed>(&outcome.reply);
        if (confirmed != nullptr && !confirmed->already) {
            // From here on a repeat is known, although neither it nor this one is committed.
            receipt->index = confirmed->index;
            recent_.remember(receipt->agency, receipt->message, {receipt->bytes, receipt->index});
        } else {
            receipt.reset();
        }
    }
    const bool nothing_to_tell = std::holds_alternative<Nothing>(then) && outcome.deliveries.empty();
    if (outcome.records.empty() && nothing_to_tell) return;
    count_flows(outcome.records);
    const std::size_t bytes = size_of(outcome.records);
    hold(Held{std::move(outcome.records), std::move(receipt), session, std::move(then),
              std::move(outcome.reply), std::move(outcome.deliveries), bytes, can_wait, now_});
}

/// What nobody would miss until a child is: counted when decided, a commit later it is on disk.
void Broker::count_flows(const std::vector<log::Record>& records) {
    for (const auto& record : records) {
        const auto& leaf = record.leaf;
        if (leaf.kind == log::LeafKind::published && leaf.topic.starts_with("incidents/"))
            ++flows_[leaf.topic];
        else if (leaf.kind == log::LeafKind::notice_issued && leaf.recipient.starts_with("social-care/"))
            ++flows_["notices/" + leaf.recipient];
    }
}

/// A message waits twice: in the record, and as each recipient will get it.
std::size_t Broker::memory_of(const Held& held) {
    std::size_t bytes = held.bytes;
    for (const auto& delivery : held.deliveries) bytes += delivery.envelope.size();
    return bytes;
}

void Broker::hold(Held held) {
    for (const auto& delivery : held.deliveries) ++undisclosed_[delivery.topic];
    pending_bytes_ += memory_of(held);
    if (!held.can_wait) ++urgent_;
    pending_.push_back(std::move(held));
}

Broker::Held Broker::take_pending() {
    Held held = std::move(pending_.front());
    pending_.pop_front();
    pending_bytes_ -= memory_of(held);
    if (!held.can_wait) --urgent_;
    return held;
}

std::optional<store::Batch> Broker::next_batch(Now now) {
    home_.check();
    go_on(now);
    release_recordless();
    if (pending_.empty()) return std::nullopt;
    const bool waited = now_ >= pending_.front().since + limits::acknowledgements_wait_max;
    if (urgent_ == 0 && !waited && !shutting_down_ && pending_.size() < limits::batch_records_max)
        return std::nullopt;

    store::Batch batch;
    batch.records.reserve(std::min(pending_.size(), limits::batch_records_max));
    batch.receipts.reserve(batch.records.capacity());
    auto& held_back = in_flight_.emplace_back();
    std::size_t bytes = 0;
    while (!pending_.empty() && batch.records.size() < limits::batch_records_max &&
           bytes < limits::batch_bytes_max) {
        Held held = take_pending();
        bytes += held.bytes;
        std::move(held.records.begin(), held.records.end(), std::back_inserter(batch.records));
        held.records.clear();
        if (held.receipt) batch.receipts.push_back(*held.receipt);
        held_back.push_back(std::move(held));
    }
    return batch;
}

void Broker::committed(const store::Committed& committed, Now now) {
    home_.check();
    go_on(now);
    if (in_flight_.empty() || committed.first_index != size_)
        throw std::logic_error{"the store is at another index than the exchange"};
    ++figures_.commits;
    figures_.records += committed.leaves.size();
    committed_at_ = now_;
    if (!unsigned_since_) unsigned_since_ = now_;
    size_ = committed.size;
    root_ = committed.root;
    first_index_ = committed.first_index;
    leaves_ = committed.leaves;
    auto done = std::move(in_flight_.front());
    in_flight_.pop_front();
    for (auto& held : done) release(held);
    release_recordless();
}

// An outcome without records waits only for what was decided before it.
void Broker::release_recordless() {
    while (in_flight_.empty() && !pending_.empty() && pending_.front().records.empty()) {
        Held held = take_pending();
        release(held);
    }
}

void Broker::release(Held& held) {
    if (Session* session = find(held.session))
        std::visit([&](const auto& then) { release(held, *session, then); }, held.then);
    publish_deliveries(held.deliveries);
}

void Broker::release(Held&, Session&, const Nothing&) {}

void Broker::release(Held& held, Session& session, const Welcomes& welcomes) {
    if (const auto* refusal = std::get_if<Refusal>(&held.reply))
        return end_session(held.session, *refusal, {});
    schemas::WelcomeValue welcome;
    welcome.session.assign(held.session.begin(), held.session.end());
    welcome.agency = session.machine.peer().agency().text();
    welcome.frame_size_max = limits::frame_size_max;
    welcome.publish_window = limits::publish_window;
    welcome.heartbeat_ms =
        static_cast<std::uint32_t>(std::chrono::milliseconds{limits::heartbeat_interval}.count());
    welcome.time_us = to_us(now_);
    welcome.checkpoint = heads_.newest();
    if (welcomes.seen) welcome.consistency = consistency(welcomes.seen_size, heads_.newest_size());
    session.shown = heads_.newest_size();
    send(held.session, session, wire::pack_frame(std::move(welcome)));
    session.machine.welcomed(running_);
    session.welcomed = true;
    attendance_.came(session.machine.peer().agency(), session.facts.not_after, now_);
    spdlog::info("session opened agency={} remote={}", session.machine.peer().agency().text(),
                 session.facts.remote);
}

void Broker::release(Held& held, Session& session, const Confirms& confirms) {
    session.machine.settled();
    if (const auto* refusal = std::get_if<Refusal>(&held.reply)) {
        ++figures_.refused;
        return send(held.session, session, wire::refuse_frame(*refusal, confirms.id));
    }
    const auto& confirmed = std::get<exchange::Confirmed>(held.reply);
    ++(confirmed.already ? figures_.repeated : figures_.published);
    send(held.session, session,
         wire::confirm_frame(confirms.id, confirmed.already, confirmed.index, leaf_of(confirmed.index), size_,
                             root_));
}

Digest Broker::leaf_of(std::uint64_t index) {
    if (index >= first_index_ && index - first_index_ < leaves_.size()) return leaves_[index - first_index_];
    const auto leaf = setting_.reader.leaf(index);
    if (!leaf) throw store::StorageFailure{"leaf " + std::to_string(index) + " is missing"};
    return log::leaf_hash(*leaf);
}

void Broker::release(Held& held, Session& session, const Attaches& attaches) {
    if (const auto* refusal = std::get_if<Refusal>(&held.reply)) {
        ++figures_.refused;
        return send(held.session, session, wire::refuse_frame(*refusal));
    }
    attach(held.session, session, attaches.attach);
}

void Broker::release(Held& held, Session& session, const Acknowledges&) {
    const auto* refusal = std::get_if<Refusal>(&held.reply);
    if (refusal == nullptr) return;
    ++figures_.refused;
    send(held.session, session, wire::refuse_frame(*refusal));
}

void Broker::release(Held& held, Session& session, const Answers& answers) {
    const Ask& ask = answers.ask;
    const auto page = [&]() -> Result<Page> {
        if (const auto* refusal = std::get_if<Refusal>(&held.reply)) return tl::unexpected{*refusal};
        switch (ask.kind) {
            case schemas::QueryKind::checkpoint: {
                if (ask.from > heads_.newest_size()) {
                    head_wanted_ |= ask.from <= size_;
                    return refuse(Reason::not_found, "query.from: no head covers so many entries yet");
                }
                if (ask.from > 0) show_newest(held.session, session);
                const auto head = heads_.cosigned_by(ask.level);
                if (!head) return refuse(Reason::not_found, "query: no head so many have cosigned");
                return Page{copy(view(*head)), false};
            }
            case schemas::QueryKind::tile:
                return tile_page(ask, setting_.reader);
            case schemas::QueryKind::entries:
                return entries_page(ask, setting_.reader, size_);
            case schemas::QueryKind::bodies:
                return bodies_page(ask, setting_.reader, size_);
            case schemas::QueryKind::status:
                return status_page(ask, session.machine.peer().agency(), setting_.reader, size_);
            case schemas::QueryKind::obligations:
            case schemas::QueryKind::dead_letters:
                return answers.page;
            case schemas::QueryKind::policies:
                if (ask.from > 0) return setting_page(ask, setting_.reader);
                return Page{copy(view(policies_json(in_force()))), false};
            case schemas::QueryKind::standing:
                return Page{copy(view(setting_.standing_report())), false};
            case schemas::QueryKind::keys:
                session.granted = exchange::Terms{ask.scope, ask.reason, crypto::sha256(*ask.key)};
                return keys_page(ask, *log::Scope::parse(ask.scope), setting_.reader, size_);
            case schemas::QueryKind::reading:
                return Page{};
            case schemas::QueryKind::delivered:
                return delivered_page(answers.owed, setting_.reader);
            case schemas::QueryKind::proof:
                return proof_page(ask, session.machine.peer().agency(), heads_, setting_.reader);
            case schemas::QueryKind::witnesses:
                return witnesses_page(heads_, setting_.parties.quorum, now_);
        }
        return refuse(Reason::invalid_value, "query.kind");
    }();
    if (!page) ++figures_.refused;
    send(held.session, session,
         page ? answer_frame(ask.request, *page) : wire::refuse_frame(page.error(), {}, ask.request));
}

}  // namespace flagpost::router
