#include "broker/router/broker.h"

#include <openssl/crypto.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "broker/router/answers.h"

namespace flagpost::router {
namespace {

namespace fabric = wire::fabric;

constexpr std::size_t record_overhead = 512;  // leaf, keys and rows: for bounding a batch, not for accounting

std::size_t size_of(const std::vector<log::Record>& records) {
    std::size_t size = 0;
    for (const auto& record : records) size += record.body.size() + record_overhead;
    return size;
}

std::uint32_t milliseconds(std::chrono::milliseconds duration) {
    return static_cast<std::uint32_t>(duration.count());
}

bool same(BytesView a, BytesView b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

/// How the exchange, which permits it and has it written down, is told of a query.
std::string what_is_asked(schemas::QueryKind kind) {
    switch (kind) {
        case schemas::QueryKind::checkpoint:
            return "checkpoint";
        case schemas::QueryKind::tile:
            return "tile";
        case schemas::QueryKind::entries:
            return "entries";
        case schemas::QueryKind::bodies:
            return "bodies";
        case schemas::QueryKind::status:
            return "status";
        case schemas::QueryKind::obligations:
            return "obligations";
        case schemas::QueryKind::policies:
            return "policies";
    }
    return "unknown";
}

/// An agency that asks what is owed to itself reads nobody else's records: nothing to permit or to write down.
bool asks_about_itself(const Ask& ask, const AgencyId& agency) {
    return ask.kind == schemas::QueryKind::obligations && agency.kind() != "operator" &&
           agency.kind() != "auditor";
}

template <class HighWaterOf> std::vector<std::unique_ptr<schemas::HighWaterValue>> high_water_of(
    const std::map<std::string, std::uint64_t>& topics, HighWaterOf&& high) {
    std::vector<std::unique_ptr<schemas::HighWaterValue>> marks;
    for (const auto& [topic, sent] : topics) {
        marks.push_back(std::make_unique<schemas::HighWaterValue>());
        marks.back()->topic = topic;
        marks.back()->number = high(topic);
    }
    return marks;
}

}  // namespace

Broker::Broker(BrokerSetting setting, Instant now)
    : setting_{std::move(setting)},
      now_{now},
      heads_{setting_.log_key},
      // The exchange takes no id that is further ahead than this of the time it is recorded at.
      recent_{setting_.newest_stored + limits::clock_ahead_max},
      size_{setting_.size},
      root_{setting_.root} {
    decide(exchange::Started{setting_.parties.digest, setting_.crl_number}, Id16{}, Nothing{});
}

// --- From the gates

void Broker::from_gate(const GateName& name, bool trusted, BytesView bytes, Instant now) {
    home_.check();
    now_ = now;
    const auto items = fabric::read_batch(bytes);
    if (!items) {
        spdlog::error("fabric batch refused: {} {}", flagpost::name(items.error().reason),
                      items.error().where);
        return gate_lost(name, now);
    }
    if (!gates_.contains(name) && gates_.size() >= limits::gates_max) {
        spdlog::error("more than {} gates: one more is ignored", limits::gates_max);
        return;
    }
    Gate& gate = gates_[name];
    gate.attached |= trusted;
    for (const auto& item : *items) take_item(name, gate, item);

    // The gate may send as many more frames as we have now consumed.
    for (const Id16& id : touched_) {
        Session* session = find(id);
        if (session == nullptr) continue;
        fabric::append(output_[session->gate], fabric::ItemKind::window, id,
                       fabric::write_window(std::exchange(session->frames_taken, 0)));
    }
    touched_.clear();
}

void Broker::take_item(const GateName& name, Gate& gate, const fabric::Item& item) {
    if (item.kind == fabric::ItemKind::attach) return take_attach(name, gate, item.content);
    if (!gate.attached) return;  // it has not proved yet that it is one of ours
    switch (item.kind) {
        case fabric::ItemKind::open:
            return take_opening(name, gate, item);
        case fabric::ItemKind::frame:
            return take_frame(item);
        case fabric::ItemKind::close:
            return take_close(item);
        case fabric::ItemKind::refused:
            ++figures_.turned_away;
            return;
        default:
            spdlog::error("fabric item of kind {} is not for the broker", static_cast<int>(item.kind));
    }
}

void Broker::take_attach(const GateName& name, Gate& gate, BytesView content) {
    if (!setting_.fabric) return;
    if (content.empty()) {
        // Asked again before the answer: the same challenge, or the answer to the first would no longer be right.
        if (!gate.nonce) gate.nonce = setting_.random.bytes<fabric::nonce_size>();
        fabric::append(output_[name], fabric::ItemKind::challenge, Id16{}, *gate.nonce);
        return;
    }
    if (!gate.nonce) return;
    const Digest expected = crypto::hmac_sha256(*setting_.fabric, {view(fabric::attach_label), *gate.nonce});
    gate.attached = same(expected, content);
    gate.nonce.reset();  // one try a challenge
    if (gate.attached)
        spdlog::info("gate attached");
    else
        spdlog::error("a gate answered the challenge wrongly");
}

void Broker::take_opening(const GateName& name, Gate& gate, const fabric::Item& item) {
    auto facts = fabric::read_opening(item.content);
    if (!facts || sessions_.contains(item.session)) {
        spdlog::error("gate opened a session that cannot be");
        return;
    }
    if (sessions_.size() >= limits::sessions_max) {
        fabric::append(output_[name], fabric::ItemKind::kick, item.session,
                       fabric::write_ending(Reason::busy, "sessions"));
        return;
    }
    SessionMachine machine{facts->id, setting_.parties, facts->not_after, now_};
    sessions_.try_emplace(item.session, Session{name, std::move(*facts), std::move(machine), Subscription{}});
    gate.sessions.insert(item.session);
    fabric::append(output_[name], fabric::ItemKind::window, item.session,
                   fabric::write_window(limits::frames_granted));
}

void Broker::take_frame(const fabric::Item& item) {
    Session* session = find(item.session);
    if (session == nullptr) return;  // ended on our side; the gate has not heard yet
    if (session->frames_taken++ == 0) touched_.push_back(item.session);
    act(item.session, session->machine.receive(item.content, now_));
}

void Broker::take_close(const fabric::Item& item) {
    const auto ending = fabric::read_ending(item.content);
    forget_session(item.session, {ending ? ending->reason : Reason::malformed, "connection closed"});
}

void Broker::gate_lost(const GateName& name, Instant now) {
    home_.check();
    now_ = now;
    const auto gate = gates_.find(name);
    if (gate == gates_.end()) return;
    const std::set<Id16> sessions = std::move(gate->second.sessions);
    gates_.erase(gate);
    output_.erase(name);
    for (const Id16& id : sessions) forget_session(id, {Reason::idle, "gate lost"});
    spdlog::error("gate lost with {} sessions", sessions.size());
}

void Broker::tick(Instant now) {
    home_.check();
    now_ = now;
    decide(exchange::Tick{}, Id16{}, Nothing{});
    std::vector<Id16> due;
    for (const auto& [id, session] : sessions_)
        if (session.machine.due() <= now) due.push_back(id);
    for (const Id16& id : due)
        if (Session* session = find(id)) act(id, session->machine.tick(now));
}

void Broker::files_changed(std::uint64_t crl_number, std::string policies, Instant now) {
    home_.check();
    now_ = now;
    setting_.policies = std::move(policies);
    decide(exchange::Reloaded{setting_.parties.digest, crl_number}, Id16{}, Nothing{});
}

void Broker::shut_down(Instant now) {
    home_.check();
    now_ = now;
    shutting_down_ = true;
    while (!sessions_.empty()) end_session(sessions_.begin()->first, {Reason::shutting_down, "broker"}, {});
}

// --- What a session's machine asks for

void Broker::act(const Id16& id, std::vector<Action> actions) {
    for (auto& action : actions) {
        Session* session = find(id);
        if (session == nullptr) return;
        std::visit([&](auto& what) { act(id, *session, what); }, action);
    }
}

void Broker::act(const Id16& id, Session& session, Send& frame) {
    ++figures_.refused;  // all a machine sends by itself are refusals
    send(id, session, frame.frame);
}

void Broker::act(const Id16& id, Session& session, Open& open) {
    const auto welcomes = welcome_for(open.checkpoint);
    if (!welcomes) {
        // A head we never signed, or history that is not ours: somebody's copy of the log is wrong, perhaps ours.
        spdlog::critical("session of {}: last head seen refused: {} {}", session.machine.peer().text(),
                         name(welcomes.error().reason), welcomes.error().where);
        WriteDown refusal{welcomes.error(), {}, std::nullopt};
        act(id, session, refusal);
        return end_session(id, welcomes.error(), {});
    }
    session.recorded = true;
    decide(
        exchange::SessionOpened{
            {session.machine.peer(), id},
            session.facts.certificate
    },
        id, *welcomes);
}

Result<Broker::Welcomes> Broker::welcome_for(const std::string& seen) {
    if (seen.empty()) return Welcomes{0, false};
    const auto head = log::open_checkpoint(seen, heads_.log());
    if (!head) return refuse(Reason::bad_signature, "hello.checkpoint");
    if (heads_.empty() || head->size > heads_.newest_size())
        return refuse(Reason::not_consistent, "hello.checkpoint: newer than the log");
    const auto root = log::root_at(head->size, [&](log::TileId tile) { return setting_.reader.tile(tile); });
    if (root != head->root) return refuse(Reason::not_consistent, "hello.checkpoint: another history");
    return Welcomes{head->size, true};
}

void Broker::act(const Id16& id, Session& session, Publish& publish) {
    const AgencyId& agency = session.machine.peer().agency();
    if (const auto refusal = admit()) {
        const auto retry = refusal->reason == Reason::busy ? milliseconds(limits::busy_retry_after)
                                                           : milliseconds(limits::storage_low_retry_after);
        ++figures_.refused;
        session.machine.settled();
        return send(id, session, wire::refuse_frame(*refusal, publish.id, 0, retry));
    }
    const Digest bytes = crypto::hmac_sha256(setting_.dedup, {publish.envelope});
    auto known = earlier(agency, publish, bytes);
    const bool first = !known;
    decide(
        exchange::Published{
            {session.machine.peer(), id},
            std::move(publish.envelope),
            std::move(publish.origin),
            std::move(known)
    },
        id, Confirms{publish.id}, false,
        first ? std::optional{store::Receipt{agency, publish.id, bytes, 0}} : std::nullopt);
}

// Refused before anything is decided, so that acknowledgements, which are never refused here, always fit.
std::optional<Refusal> Broker::admit() {
    if (pending_bytes_ >= limits::pending_bytes_max) return Refusal{Reason::busy, "publish"};
    if (!setting_.has_room()) return Refusal{Reason::storage_low, "publish"};
    return std::nullopt;
}

std::optional<exchange::Earlier> Broker::earlier(const AgencyId& agency, const Publish& publish,
                                                 const Digest& bytes) {
    if (const auto seen = recent_.find(agency, publish.id))
        return exchange::Earlier{seen->index, seen->bytes == bytes};
    if (!recent_.may_be_stored(publish.id)) return std::nullopt;
    const auto receipt = setting_.reader.receipt(agency, publish.id);
    if (!receipt) return std::nullopt;
    return exchange::Earlier{receipt->index, receipt->bytes == bytes};
}

void Broker::act(const Id16& id, Session& session, Attach& attach) {
    exchange::Subscribe command{
        {session.machine.peer(), id},
        attach.topics
    };
    decide(command, id, Attaches{std::move(attach)});
}

void Broker::act(const Id16& id, Session& session, Grant& grant) {
    session.subscription.credit.grant(grant.messages, grant.bytes);
    if (!session.subscription.durable.empty()) hungry_.insert(id);
}

void Broker::act(const Id16& id, Session& session, Acknowledge& acknowledge) {
    // Only what this session was sent can be stored by it.
    const auto place = session.subscription.sent.find(acknowledge.topic);
    const bool sent = place != session.subscription.sent.end() &&
                      std::ranges::all_of(acknowledge.numbers, [&](std::uint64_t number) {
                          return number >= 1 && number <= place->second;
                      });
    if (!sent) {
        ++figures_.refused;
        return send(id, session, wire::refuse_frame({Reason::unknown_message, "acknowledge.numbers"}));
    }
    decide(
        exchange::Acknowledged{
            {session.machine.peer(), id},
            std::move(acknowledge.topic), std::move(acknowledge.numbers)
    },
        id, Acknowledges{}, true);
}

void Broker::act(const Id16& id, Session& session, Ask& ask) {
    const AgencyId& agency = session.machine.peer().agency();
    const bool about_itself = asks_about_itself(ask, agency);
    Answers answers{ask, {}};
    if (ask.kind == schemas::QueryKind::obligations) {
        // Read now, told after the commit: by then all that is in it is on disk.
        auto open = setting_.exchange.open_obligations();
        if (about_itself)
            std::erase_if(open, [&](const auto& each) { return each.recipient != agency.text(); });
        answers.page = obligations_page(ask, open);
    }
    if (about_itself)
        return hold(Held{{}, {}, id, std::move(answers), exchange::Permitted{}, {}, 0, false, now_});
    decide(
        exchange::Consult{
            {session.machine.peer(), id},
            what_is_asked(ask.kind)
    },
        id, std::move(answers));
}

void Broker::act(const Id16& id, Session& session, Cosign& cosign) {
    const PartyKeys* keys = setting_.parties.of(session.machine.peer().agency());
    const Result<void> added = keys == nullptr ? refuse(Reason::unknown_sender, "parties: no witness key")
                                               : heads_.cosign(cosign.checkpoint, *keys, now_);
    if (added) return;
    ++figures_.refused;
    send(id, session, wire::refuse_frame(added.error()));
}

void Broker::act(const Id16& id, Session& session, WriteDown& refusal) {
    decide(
        exchange::Turned{
            {session.machine.peer(), id},
            refusal.refusal, refusal.topic, refusal.message
    },
        id, Nothing{});
}

void Broker::act(const Id16& id, Session& session, Beat&) {
    schemas::HeartbeatValue beat;
    beat.high_water = high_water_of(session.subscription.sent,
                                    [&](const std::string& topic) { return committed_high(topic); });
    send(id, session, wire::pack_frame(std::move(beat)));
}

void Broker::act(const Id16& id, Session&, End& end) { end_session(id, end.why, end.goodbye); }

/// goodbye   the last frame, already built; empty: the gate makes it from the reason
void Broker::end_session(const Id16& id, const Refusal& why, const Bytes& goodbye) {
    Session* session = find(id);
    if (session == nullptr) return;
    if (!goodbye.empty()) send(id, *session, goodbye);
    fabric::append(
        output_[session->gate], fabric::ItemKind::kick, id,
        goodbye.empty() ? fabric::write_ending(why.reason, why.where) : fabric::write_ending(Reason::none));
    forget_session(id, why);
}

void Broker::forget_session(const Id16& id, const Refusal& why) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return;
    Session& session = found->second;
    detach(id, session);
    if (const auto gate = gates_.find(session.gate); gate != gates_.end()) gate->second.sessions.erase(id);
    const exchange::Actor actor{session.machine.peer(), id};
    const bool recorded = session.recorded;
    spdlog::info("session ended agency={} reason={} where={}", actor.id.agency().text(), name(why.reason),
                 why.where);
    sessions_.erase(found);
    if (recorded) decide(exchange::SessionClosed{actor, why.reason}, id, Nothing{}, true);
}

// --- Deciding and holding

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
    const std::size_t bytes = size_of(outcome.records);
    hold(Held{std::move(outcome.records), std::move(receipt), session, std::move(then),
              std::move(outcome.reply), std::move(outcome.deliveries), bytes, can_wait, now_});
}

void Broker::hold(Held held) {
    for (const auto& delivery : held.deliveries) ++undisclosed_[delivery.topic];
    pending_bytes_ += held.bytes;
    if (!held.can_wait) ++urgent_;
    pending_.push_back(std::move(held));
}

Broker::Held Broker::take_pending() {
    Held held = std::move(pending_.front());
    pending_.pop_front();
    pending_bytes_ -= held.bytes;
    if (!held.can_wait) --urgent_;
    return held;
}

std::optional<store::Batch> Broker::next_batch(Instant now) {
    home_.check();
    now_ = now;
    if (!in_flight_.empty()) throw std::logic_error{"a batch is already being committed"};
    release_recordless();
    if (pending_.empty()) return std::nullopt;
    const bool waited = now >= pending_.front().since + limits::acknowledgements_wait_max;
    if (urgent_ == 0 && !waited && !shutting_down_ && pending_.size() < limits::batch_records_max)
        return std::nullopt;

    store::Batch batch;
    std::size_t bytes = 0;
    while (!pending_.empty() && batch.records.size() < limits::batch_records_max &&
           bytes < limits::batch_bytes_max) {
        Held held = take_pending();
        bytes += held.bytes;
        std::move(held.records.begin(), held.records.end(), std::back_inserter(batch.records));
        held.records.clear();
        if (held.receipt) batch.receipts.push_back(*held.receipt);
        in_flight_.push_back(std::move(held));
    }
    return batch;
}

void Broker::committed(const store::Committed& committed, Instant now) {
    home_.check();
    now_ = now;
    if (committed.first_index != size_)
        throw std::logic_error{"the store is at another index than the exchange"};
    ++figures_.commits;
    figures_.records += committed.leaves.size();
    size_ = committed.size;
    root_ = committed.root;
    first_index_ = committed.first_index;
    leaves_ = committed.leaves;
    std::deque<Held> done = std::exchange(in_flight_, {});
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
    welcome.heartbeat_ms = milliseconds(limits::heartbeat_interval);
    welcome.time_us = to_us(now_);
    welcome.checkpoint = heads_.newest();
    if (welcomes.seen) {
        const auto proof =
            log::consistency_proof(welcomes.seen_size, heads_.newest_size(),
                                   [&](log::TileId tile) { return setting_.reader.tile(tile); });
        for (const Digest& hash : proof) {
            welcome.consistency.push_back(std::make_unique<schemas::HashValue>());
            welcome.consistency.back()->bytes.assign(hash.begin(), hash.end());
        }
    }
    send(held.session, session, wire::pack_frame(std::move(welcome)));
    session.machine.welcomed(now_);
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
    if (!confirmed.already) ++figures_.published;
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
                return status_page(ask, session.machine.peer().agency(), setting_.reader);
            case schemas::QueryKind::obligations:
                return answers.page;
            case schemas::QueryKind::policies:
                return Page{copy(view(setting_.policies)), false};
        }
        return refuse(Reason::invalid_value, "query.kind");
    }();
    if (!page) ++figures_.refused;
    send(held.session, session,
         page ? answer_frame(ask.request, *page) : wire::refuse_frame(page.error(), {}, ask.request));
}

// --- Delivery

std::uint64_t Broker::committed_high(const std::string& topic) const {
    const auto waiting = undisclosed_.find(topic);
    return setting_.exchange.high_water(topic) - (waiting == undisclosed_.end() ? 0 : waiting->second);
}

void Broker::attach(const Id16& id, Session& session, const Attach& wanted) {
    const std::pair consumer{session.machine.peer().agency().text(), wanted.durable};
    if (const auto other = consumers_.find(consumer); other != consumers_.end() && other->second != id)
        end_session(Id16{other->second}, {Reason::displaced, "subscribe.durable"}, {});
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
    subscribed.topics =
        high_water_of(subscription.sent, [&](const std::string& topic) { return committed_high(topic); });
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

// --- Out

void Broker::send(const Id16& id, const Session& session, BytesView frame) {
    fabric::append(output_[session.gate], fabric::ItemKind::frame, id, frame);
}

Broker::Session* Broker::find(const Id16& id) {
    const auto found = sessions_.find(id);
    return found == sessions_.end() ? nullptr : &found->second;
}

std::map<GateName, Bytes> Broker::take_output() { return std::exchange(output_, {}); }

Figures Broker::figures() const {
    Figures figures = figures_;
    figures.sessions = sessions_.size();
    return figures;
}

}  // namespace flagpost::router
