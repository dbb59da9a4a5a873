#include "broker/router/broker.h"

#include <openssl/crypto.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <bit>

#include "broker/core/wall_time.h"
#include "broker/log/reference.h"
#include "broker/router/answers.h"
#include "broker/standing/thresholds.h"
#include "order_generated.h"

namespace flagpost::router {
namespace {

namespace fabric = wire::fabric;

// Of one session, consumed and not yet granted anew: from there on its gate is told at once.
constexpr std::uint32_t frames_ungranted_max = limits::frames_granted / 4;
constexpr std::size_t bytes_ungranted_max = limits::fabric_window_bytes / 16;

// With which certificates the broker's keys are written down: those of gates that come within this time of its start.
constexpr auto gates_awaited = std::chrono::seconds{10};

std::uint32_t in_milliseconds(std::chrono::milliseconds duration) {
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
        case schemas::QueryKind::dead_letters:
            return "dead_letters";
        case schemas::QueryKind::proof:
            return "proof";
        case schemas::QueryKind::witnesses:
            return "witnesses";
        case schemas::QueryKind::keys:
            return "keys";
        case schemas::QueryKind::reading:
            return "reading";
        case schemas::QueryKind::standing:
            return "standing";
        case schemas::QueryKind::delivered:
            return "delivered";
    }
    return "unknown";
}

/// An agency that asks what is owed to itself reads nobody else's records: nothing to permit or to write down.
bool asks_about_itself(const Ask& ask, const AgencyId& agency) {
    return ask.kind == schemas::QueryKind::obligations && agency.kind() != "operator" &&
           agency.kind() != "auditor";
}

/// Whether a consumer may have ended because of what it was sent.
Ending ending_of(Reason reason) {
    switch (reason) {
        case Reason::displaced:
        case Reason::shutting_down:
        case Reason::revoked:
        case Reason::lease_over:
            return Ending::ours;
        case Reason::idle:
            return Ending::silence;
        default:
            return Ending::hung_up;
    }
}

/// How far and why, where a question has to say so.
Result<std::optional<exchange::Terms>> terms_of(const Ask& ask) {
    if (ask.kind == schemas::QueryKind::delivered) {
        if (!ask.id) return refuse(Reason::invalid_value, "query.id");
        if (ask.reason.empty()) return refuse(Reason::invalid_value, "query.reason");
        return exchange::Terms{to_hex(*ask.id), ask.reason, std::nullopt};
    }
    const bool is_keys = ask.kind == schemas::QueryKind::keys;
    if (!is_keys && ask.kind != schemas::QueryKind::reading) return std::nullopt;
    if (is_keys ? !log::Scope::parse(ask.scope) : !log::are_references(ask.scope))
        return refuse(Reason::invalid_value, "query.scope");
    if (!log::is_reference(ask.reason))
        return refuse(Reason::invalid_value,
                      "query.reason: the number of a case or a code, no words: the log shows it");
    if (!is_keys) return exchange::Terms{ask.scope, ask.reason, std::nullopt};
    if (!ask.key) return refuse(Reason::invalid_value, "query.key");
    return exchange::Terms{ask.scope, ask.reason, crypto::sha256(*ask.key)};
}

}  // namespace

Broker::Broker(BrokerSetting setting, Now now)
    : setting_{std::move(setting)},
      now_{now.wall},
      running_{now.running},
      heads_{setting_.log_key, setting_.log_key_previous},
      // The exchange takes no id that is further ahead than this of the time it is recorded at.
      // Where the clock was once far ahead, later ids than the newest leaf's may be stored: each is looked up.
      recent_{WallTime::credible(now_, setting_.newest_stored)
                  ? setting_.newest_stored + limits::clock_ahead_max
                  : Instant::max()},
      attendance_{std::move(setting_.peers)},
      started_{now_},
      gates_awaited_until_{running_ + gates_awaited},
      size_{setting_.size},
      root_{setting_.root} {
    if (setting_.cosigned) heads_.restore(*setting_.cosigned, now_);
    decide(exchange::Started{in_force(), std::move(setting_.erased_again)}, Id16{}, Nothing{});
}

// --- From the gates

void Broker::from_gate(const GateName& name, bool trusted, BytesView bytes, Now now) {
    home_.check();
    go_on(now);
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
}

/// A gate may send as many more frames as were consumed. That is told with what goes there anyway, at the latest with the next
/// tick: alone it would wake the gate's thread once for each message of a publisher that waits for its confirm. Whoever
/// has used a good part of its window is told at once.
void Broker::grant_anew(const GateName& name, Gate& gate) {
    for (const Id16& id : std::exchange(gate.touched, {})) {
        Session* session = find(id);
        if (session == nullptr) continue;
        session->bytes_taken = 0;
        fabric::append(output_[name], fabric::ItemKind::window, id,
                       fabric::write_window(std::exchange(session->frames_taken, 0)));
    }
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
        case fabric::ItemKind::credentials:
            return take_credentials(gate, item);
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
    auto& of_agency = sessions_of_[facts->id.agency()];
    if (sessions_.size() >= limits::sessions_max || of_agency >= limits::sessions_per_agency_max) {
        fabric::append(output_[name], fabric::ItemKind::kick, item.session,
                       fabric::write_ending(Reason::busy, "sessions"));
        return;
    }
    SessionMachine machine{
        facts->id, setting_.parties, facts->not_after, {now_, running_}
    };
    sessions_.try_emplace(item.session, Session{name, std::move(*facts), std::move(machine), Subscription{}});
    look_again(item.session);
    gate.sessions.insert(item.session);
    ++of_agency;
    fabric::append(output_[name], fabric::ItemKind::window, item.session,
                   fabric::write_window(limits::frames_granted));
}

void Broker::take_frame(const fabric::Item& item) {
    Session* session = find(item.session);
    if (session == nullptr) return;  // ended on our side; the gate has not heard yet
    Gate& gate = gates_.at(session->gate);
    if (session->frames_taken++ == 0) gate.touched.push_back(item.session);
    session->bytes_taken += item.content.size();
    if (session->frames_taken >= frames_ungranted_max || session->bytes_taken >= bytes_ungranted_max)
        grant_anew(session->gate, gate);
    act(item.session, session->machine.receive(item.content, {now_, running_}));
}

// Gates read their files, each for itself: what each begins to show and to judge by is written down. One with an older list than
// another had is a gate whose file was not brought up to date.
void Broker::take_credentials(Gate& gate, const fabric::Item& item) {
    const auto told = fabric::read_credentials(item.content);
    if (!told) {
        spdlog::error("a gate does not name its credentials: {}", told.error().where);
        return;
    }
    auto& known = setting_.in_force;
    if (told->number < known.crl_number)
        spdlog::error("a gate judges by revocation list {}, another has had {}", told->number,
                      known.crl_number);
    known.crl = told->lists;
    known.crl_number = told->number;
    gate.credentials = {told->certificate, told->certificate_ends, told->lists_end};
    // Of those that are here: what only a gate showed that has gone is in use no more. It is not taken out as it goes, or each restart
    // of one of two gates would be two changes.
    certificates_.emplace();
    for (const auto& [name, each] : gates_)
        if (each.credentials) certificates_->insert(each.credentials->certificate);
    note_endings();
    decide(exchange::Reloaded{in_force()}, Id16{}, Nothing{});
}

/// What ends first of what gates told. The last to go leaves what it had: whoever has to act is still called.
void Broker::note_endings() {
    std::optional<Instant> certificate, lists;
    for (const auto& [name, gate] : gates_) {
        if (!gate.credentials) continue;
        const auto& told = *gate.credentials;
        certificate = std::min(certificate.value_or(told.certificate_ends), told.certificate_ends);
        if (told.lists_end) lists = std::min(lists.value_or(*told.lists_end), *told.lists_end);
    }
    if (!certificate) return;
    certificate_ends_ = certificate;
    lists_end_ = lists;
}

/// The broker's keys are one text with the certificates that its gates show, so they are in force once a gate has told its own. Gates
/// do so before anybody comes through them.
exchange::InForce Broker::in_force() const {
    auto texts = setting_.in_force;
    if (texts.keys.empty()) return texts;
    if (!certificates_) {
        texts.keys.clear();
        return texts;
    }
    std::string all;
    for (const Digest& each : *certificates_) all += (all.empty() ? "\"" : ", \"") + to_hex(each) + "\"";
    texts.keys += "tls_certificates = [" + all + "]\n";
    return texts;
}

void Broker::take_close(const fabric::Item& item) {
    const auto ending = fabric::read_ending(item.content);
    forget_session(item.session, {ending ? ending->reason : Reason::malformed, "connection closed"});
}

void Broker::gate_lost(const GateName& name, Now now) {
    home_.check();
    go_on(now);
    const auto gate = gates_.find(name);
    if (gate == gates_.end()) return;
    const std::set<Id16> sessions = std::move(gate->second.sessions);
    gates_.erase(gate);
    output_.erase(name);
    note_endings();
    for (const Id16& id : sessions) forget_session(id, {Reason::idle, "gate lost"}, Ending::ours);
    spdlog::error("gate lost with {} sessions", sessions.size());
}

void Broker::gate_stuck(const GateName& name, Now now) {
    ++figures_.gates_stuck;
    gate_lost(name, now);
}

void Broker::tick(Now now, bool ahead) {
    home_.check();
    go_on(now);
    if (setting_.exchange.clock_is_held() && setting_.clock_synchronised())
        decide(exchange::ClockSynchronised{}, Id16{}, Nothing{});
    decide(exchange::Tick{ahead}, Id16{}, Nothing{});
    if (!certificates_ && running_ >= gates_awaited_until_) {
        certificates_.emplace();  // no gate: nobody is shown any
        decide(exchange::Reloaded{in_force()}, Id16{}, Nothing{});
    }
    expire_some(ahead);
    heads_.propose(setting_.parties.quorum, now_);
    watch_quorum();
    for (auto& [name, gate] : gates_) grant_anew(name, gate);
    while (!due_.empty() && due_.top().first <= running_) {
        const Id16 id = due_.top().second;
        due_.pop();
        const Session* session = find(id);
        if (session == nullptr) continue;
        act(id, find(id)->machine.tick(now));
        look_again(id);
    }
}

/// A few entries at a time, oldest first; from the first body that is still kept once all were looked at. What is kept
/// beyond its time (on hold, or still needed) is met again then.
void Broker::expire_some(bool ahead) {
    const auto before = setting_.exchange.expires_before(now_);
    if (!before || ahead || now_ < expiry_at_ || !setting_.has_room()) return;
    const auto to = std::min(expiry_next_ + limits::expiry_rows_per_tick, size_);
    auto kept = setting_.reader.kept(expiry_next_, to);
    if (!expiry_from_ && !kept.empty()) expiry_from_ = kept.front().index;
    const bool done = to == size_ || (!kept.empty() && kept.back().time > *before);
    if (!kept.empty()) decide(exchange::Expire{std::move(kept), ahead}, Id16{}, Nothing{});
    expiry_next_ = to;
    if (!done) return;
    expiry_next_ = expiry_from_.value_or(to);
    expiry_from_.reset();
    expiry_at_ = now_ + limits::expiry_pause;
}

/// A machine that is welcomed meanwhile asks for an earlier look, but for none within a heartbeat; and with each heartbeat
/// its certificate may have ended.
void Broker::look_again(const Id16& id) {
    const Session* session = find(id);
    if (session == nullptr) return;
    const Running latest = running_ + limits::heartbeat_interval;
    due_.emplace(std::clamp(session->machine.due(), running_ + std::chrono::milliseconds{1}, latest), id);
}

void Broker::files_changed(exchange::InForce texts, Now now) {
    home_.check();
    go_on(now);
    if (texts.crl.empty()) {
        texts.crl = std::move(setting_.in_force.crl);
        texts.crl_number = setting_.in_force.crl_number;
    }
    setting_.in_force = std::move(texts);
    decide(exchange::Reloaded{in_force()}, Id16{}, Nothing{});
}

void Broker::clock_stepped(Instant::duration by, Now now) {
    home_.check();
    go_on(now);
    spdlog::error("the clock stepped by {} us", by.count());
    decide(exchange::ClockStepped{by}, Id16{}, Nothing{});
}

void Broker::shut_down(Now now) {
    home_.check();
    go_on(now);
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
        return end_session(id, welcomes.error(), both_histories(open.checkpoint, welcomes.error()));
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
    const auto head = heads_.open(seen);
    if (!head) return refuse(Reason::bad_signature, "hello.checkpoint");
    if (heads_.empty() || head->size > heads_.newest_size())
        return refuse(Reason::not_consistent, "hello.checkpoint: newer than the log");
    const auto root = log::root_at(head->size, [&](log::TileId tile) { return setting_.reader.tile(tile); });
    if (root != head->root) return refuse(Reason::not_consistent, "hello.checkpoint: another history");
    return Welcomes{head->size, true};
}

/// To whoever was shown another history: our head, and what our tree was at the size of theirs, so that both signatures prove the
/// contradiction to anybody. Empty where there is none to be proven.
Bytes Broker::both_histories(const std::string& seen, const Refusal& why) {
    const auto theirs = heads_.open(seen);
    if (why.reason != Reason::not_consistent || heads_.empty() || !theirs) return {};
    schemas::GoodbyeValue goodbye;
    goodbye.reason = static_cast<schemas::Reason>(why.reason);
    goodbye.where = why.where;
    goodbye.checkpoint = heads_.newest();
    if (theirs->size > 0 && theirs->size <= heads_.newest_size()) {
        goodbye.consistency = consistency(theirs->size, heads_.newest_size());
        if (std::has_single_bit(theirs->size)) {  // which such a proof leaves out
            const auto root =
                log::root_at(theirs->size, [&](log::TileId tile) { return setting_.reader.tile(tile); });
            auto hash = std::make_unique<schemas::HashValue>();
            hash->bytes.assign(root.begin(), root.end());
            goodbye.consistency.insert(goodbye.consistency.begin(), std::move(hash));
        }
    }
    return wire::pack_frame(std::move(goodbye));
}

void Broker::act(const Id16& id, Session& session, Publish& publish) {
    const AgencyId& agency = session.machine.peer().agency();
    if (const auto refusal = admit()) {
        const auto retry = refusal->reason == Reason::busy ? in_milliseconds(limits::busy_retry_after)
                                                           : in_milliseconds(limits::storage_low_retry_after);
        ++figures_.refused;
        session.machine.settled();
        return send(id, session, wire::refuse_frame(*refusal, publish.id, 0, retry));
    }
    const Digest bytes = crypto::hmac_sha256(setting_.dedup, {publish.envelope});
    auto known = earlier(agency, publish, bytes);
    const bool first = !known;
    const bool is_order = publish.kind == schemas::Kind::record_order;
    auto concerned = first && is_order ? concerned_by(publish.envelope) : std::vector<log::Kept>{};
    decide(
        exchange::Published{
            {session.machine.peer(), id},
            std::move(publish.envelope),
            std::move(publish.origin),
            std::move(known),
            std::move(concerned)
    },
        id, Confirms{publish.id}, false,
        first ? std::optional{store::Receipt{agency, publish.id, bytes, 0}} : std::nullopt);
}

/// What an order to erase is about, as committed: what comes now is not what it means. Whether the order is sound, and
/// its sender's to give, is for the exchange.
std::vector<log::Kept> Broker::concerned_by(BytesView bytes) {
    const auto envelope = wire::read_envelope(bytes);
    if (!envelope) return {};
    const auto order = wire::read_table<schemas::RecordOrder>(envelope->payload, "envelope.payload");
    if (!order || (*order)->does() != schemas::OrderDoes::erase) return {};
    const auto kept_of = [&](std::uint64_t index) { return setting_.reader.kept(index, index + 1); };
    if ((*order)->record() < size_) return kept_of((*order)->record());
    std::vector<log::Kept> concerned;
    if ((*order)->subject() == nullptr) return concerned;
    for (const auto index :
         setting_.reader.about((*order)->subject()->string_view(), limits::erased_by_order_max + 1))
        std::ranges::move(kept_of(index), std::back_inserter(concerned));
    return concerned;
}

// Refused before anything is decided, so that acknowledgements, which are never refused here, always fit.
std::optional<Refusal> Broker::admit() {
    if (pending_bytes_ >= limits::pending_bytes_max) return Refusal{Reason::busy, "publish"};
    if (!setting_.has_room() || wal_bytes_ >= limits::wal_bytes_max)
        return Refusal{Reason::storage_low, "publish"};
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
    Answers answers{ask, {}, {}};
    const auto terms = terms_of(ask);
    if (!terms) return send(id, session, wire::refuse_frame(terms.error(), {}, ask.request));
    if (ask.kind == schemas::QueryKind::obligations) {
        // Read now, told after the commit: by then all that is in it is on disk.
        auto open = setting_.exchange.open_obligations();
        if (about_itself)
            std::erase_if(open, [&](const auto& each) { return each.recipient != agency.text(); });
        answers.page = obligations_page(ask, open);
    }
    if (ask.kind == schemas::QueryKind::dead_letters)
        answers.page = dead_letters_page(ask, setting_.exchange.dead_letters());
    if (ask.kind == schemas::QueryKind::delivered) answers.owed = setting_.exchange.owed_to(agency, *ask.id);
    // One export is one disclosure, however many pages it takes.
    const bool is_granted = ask.kind == schemas::QueryKind::keys && session.granted == *terms;
    if (about_itself || is_granted)
        return hold(Held{{}, {}, id, std::move(answers), exchange::Permitted{}, {}, 0, false, now_});
    decide(
        exchange::Consult{
            {session.machine.peer(), id},
            what_is_asked(ask.kind), *terms
    },
        id, std::move(answers));
}

void Broker::act(const Id16& id, Session& session, Cosign& cosign) {
    const auto& agency = session.machine.peer().agency();
    const auto witnesses = setting_.parties.witnesses_for(agency);
    const Result<Heads::Added> added =
        witnesses.empty() ? refuse(Reason::unknown_sender, "parties: no witness key")
                          : heads_.cosign(cosign.checkpoint, witnesses, setting_.parties.quorum, now_);
    if (!added) {
        ++figures_.refused;
        return send(id, session, wire::refuse_frame(added.error()));
    }
    if (added->has_quorum) cosigned_ = heads_.cosigned_by(setting_.parties.quorum);
    if (std::ranges::count(added->parties, agency.text()) > 0) attendance_.cosigned(agency, now_);
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
    beat.high_water = high_water(session);
    show_head(session, beat);
    send(id, session, wire::pack_frame(std::move(beat)));
}

void Broker::act(const Id16& id, Session&, End& end) { end_session(id, end.why, end.goodbye); }

/// goodbye   the last frame, already built; empty: the gate makes it from the reason
void Broker::end_session(Id16 id, const Refusal& why, const Bytes& goodbye) {
    Session* session = find(id);
    if (session == nullptr) return;
    if (!goodbye.empty()) send(id, *session, goodbye);
    fabric::append(
        output_[session->gate], fabric::ItemKind::kick, id,
        goodbye.empty() ? fabric::write_ending(why.reason, why.where) : fabric::write_ending(Reason::none));
    forget_session(id, why);
}

void Broker::forget_session(Id16 id, const Refusal& why) { forget_session(id, why, ending_of(why.reason)); }

void Broker::forget_session(Id16 id, const Refusal& why, Ending how) {
    const auto found = sessions_.find(id);
    if (found == sessions_.end()) return;
    Session& session = found->second;
    if (how != Ending::ours) blame(session, how);
    detach(id, session);
    if (const auto gate = gates_.find(session.gate); gate != gates_.end()) gate->second.sessions.erase(id);
    const exchange::Actor actor{session.machine.peer(), id};
    const bool recorded = session.recorded;
    if (session.welcomed) attendance_.left(actor.id.agency(), now_);
    --sessions_of_[actor.id.agency()];
    spdlog::info("session ended agency={} reason={} where={}", actor.id.agency().text(), name(why.reason),
                 why.where);
    sessions_.erase(found);
    if (recorded) decide(exchange::SessionClosed{actor, why.reason}, id, Nothing{}, true);
}

// --- Out

void Broker::send(const Id16& id, const Session& session, BytesView frame) {
    fabric::append(output_[session.gate], fabric::ItemKind::frame, id, frame);
}

Broker::Session* Broker::find(const Id16& id) {
    const auto found = sessions_.find(id);
    return found == sessions_.end() ? nullptr : &found->second;
}

std::map<GateName, Bytes> Broker::take_output() {
    for (const auto& [name, batch] : output_)
        if (const auto gate = gates_.find(name); gate != gates_.end()) grant_anew(name, gate->second);
    return std::exchange(output_, {});
}

Figures Broker::figures() const {
    Figures figures = figures_;
    figures.sessions = sessions_.size();
    return figures;
}

standing::Standing Broker::stands(Instant now) const {
    standing::Standing standing{now, started_, setting_.operator_owner, figures()};
    standing.peers = attendance_.peers(now);
    for (const auto& [la, at] : setting_.exchange.feeds()) standing.feeds.push_back({la, at});
    for (const auto& [scope, at] : setting_.exchange.rolls()) {
        const auto colon = scope.find(':');
        standing.rolls.push_back(
            {(scope.starts_with("urn:") ? "school/" : "education/") + scope.substr(colon + 1),
             scope.starts_with("not-in-school:"), at});
    }
    for (const auto& [agency, since] : setting_.exchange.awaited())
        standing.awaited.push_back({agency, since});
    for (const auto& [topic, count] : flows_) standing.flows.push_back({topic, count});
    standing.bank_holidays = setting_.exchange.bank_holidays();
    const auto owed = setting_.exchange.owed_counts(now, now + standing::due_soon);
    standing.obligations = {owed.open, owed.due_soon, owed.overdue, owed.overdue_since};
    for (const auto& dead : setting_.exchange.dead_letters()) {
        ++standing.dead_letters.count;
        standing.dead_letters.since = std::min(standing.dead_letters.since.value_or(dead.since), dead.since);
    }
    standing.log = {size_,           heads_.empty() ? 0 : heads_.newest_size(),
                    head_at_,        committed_at_,
                    unsigned_since_, quorum_late_ ? heads_.waiting_since() : std::nullopt};
    standing.wal_bytes = wal_bytes_;
    standing.pending_bytes = pending_bytes_;
    standing.clock_held = setting_.exchange.clock_is_held();
    standing.certificate_ends = certificate_ends_;
    standing.revocation_list_ends = lists_end_;
    return standing;
}

// --- Witnesses

/// To whoever may cosign it, and only what is newer than what that session was shown.
void Broker::show_head(Session& session, schemas::HeartbeatValue& beat) {
    const PartyKeys* keys = setting_.parties.of(session.machine.peer().agency());
    const auto size = heads_.proposed_size();
    if (keys == nullptr || keys->witness.empty() || !size || *size <= session.shown) return;
    beat.checkpoint = heads_.proposed();
    beat.consistency = consistency(session.shown, *size);
    session.shown = *size;
}

/// Out of turn, to whoever asks for a head that covers what they were confirmed: it goes on from what they were shown.
void Broker::show_newest(const Id16& id, Session& session) {
    const auto size = heads_.newest_size();
    if (size <= session.shown) return;
    schemas::HeartbeatValue beat;
    beat.checkpoint = heads_.cosigned_by(0).value_or("");
    beat.consistency = consistency(session.shown, size);
    session.shown = size;
    send(id, session, wire::pack_frame(std::move(beat)));
}

std::vector<std::unique_ptr<schemas::HashValue>> Broker::consistency(std::uint64_t from, std::uint64_t to) {
    const std::pair heads{from, to};
    auto kept = proofs_.find(heads);
    if (kept == proofs_.end()) {
        auto proof =
            log::consistency_proof(from, to, [&](log::TileId tile) { return setting_.reader.tile(tile); });
        if (proofs_.size() >= limits::proofs_kept_max) proofs_.clear();
        kept = proofs_.emplace(heads, std::move(proof)).first;
    }
    std::vector<std::unique_ptr<schemas::HashValue>> hashes;
    for (const Digest& hash : kept->second) {
        hashes.push_back(std::make_unique<schemas::HashValue>());
        hashes.back()->bytes.assign(hash.begin(), hash.end());
    }
    return hashes;
}

void Broker::watch_quorum() {
    const auto since = heads_.waiting_since();
    const bool late = setting_.parties.quorum > 0 && since && now_ >= *since + limits::quorum_late_after;
    if (late == std::exchange(quorum_late_, late)) return;
    if (late)
        spdlog::error("witnesses: no new head has been cosigned by {} of them for {} s: are they connected?",
                      setting_.parties.quorum, std::chrono::seconds{limits::quorum_late_after}.count());
    else
        spdlog::info("witnesses: heads are cosigned again");
}

}  // namespace flagpost::router
