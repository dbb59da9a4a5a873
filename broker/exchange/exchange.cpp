#include "broker/exchange/exchange.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "broker/core/limits.h"
#include "broker/crypto/digest.h"
#include "broker/exchange/decider.h"

namespace flagpost::exchange {

using log::LeafKind;
using log::Operation;

Decider::Decider(Setting setting)
    : setting_{std::move(setting)},
      engine_{crypto::sha256({view("flagpost-engine/3\n"), view(match::engine_digest_input())})} {}

Outcome Decider::decide(const Command& command, Instant now) {
    now_ = now;
    outcome_ = {};
    outcome_.reply = std::visit([this](const auto& one) { return take(one); }, command);
    return std::move(outcome_);
}

// --- Records

namespace {

// A leaf's texts are bounded. Our own fit; what names a stranger's fault is cut rather than lost.
void clip(std::string& text) {
    if (text.size() > limits::leaf_text_size_max) text.resize(limits::leaf_text_size_max);
}

}  // namespace

std::uint64_t Decider::emit(log::Record record) {
    record.leaf.index = next_index;
    record.leaf.time = now_;
    clip(record.leaf.outcome);
    clip(record.leaf.rule);
    if (record.subjects.size() > limits::leaf_subjects_max) record.subjects.resize(limits::leaf_subjects_max);
    if (!rehearsing_) state.apply(next_index, record.leaf.kind, record.body);
    outcome_.records.push_back(std::move(record));
    return next_index++;
}

log::Record Decider::record_by(const Actor& actor, LeafKind kind, Operation operation) const {
    log::Record record;
    record.leaf.kind = kind;
    record.leaf.operation = operation;
    record.leaf.actor = actor.id.text();
    record.leaf.session = actor.session;
    return record;
}

log::Record Decider::record_by_broker(LeafKind kind, Operation operation) const {
    log::Record record;
    record.leaf.kind = kind;
    record.leaf.operation = operation;
    record.leaf.actor = setting_.self.text();
    return record;
}

Refusal Decider::refused(const Actor& actor, Refusal refusal, std::string_view topic,
                         const std::optional<Id16>& message) {
    auto record = record_by(actor, LeafKind::refused, Operation::none);
    record.leaf.topic = topic.substr(0, limits::topic_size_max);
    record.leaf.message = message;
    record.leaf.agreement = setting_.agreement.digest();
    record.leaf.outcome = name(refusal.reason);
    record.leaf.rule = refusal.where;
    emit(std::move(record));
    return refusal;
}

std::uint64_t Decider::next_number(const std::string& topic) const {
    const auto mailbox = state.mailboxes.find(topic);
    const auto next = mailbox == state.mailboxes.end() ? 1 : mailbox->second.high_water() + 1;
    // What is only rehearsed has not reached the mailbox.
    return !rehearsing_ ? next
                        : next + static_cast<std::uint64_t>(
                                     std::ranges::count(outcome_.deliveries, topic, &Delivery::topic));
}

schemas::MailboxStateValue Decider::mailbox_after(const std::string& topic,
                                                  const std::vector<std::uint64_t>& numbers) const {
    const auto& mailbox = state.mailboxes.find(topic)->second;
    schemas::MailboxStateValue facts;
    facts.topic = topic;
    facts.high_water = mailbox.high_water();
    facts.acknowledged = to_ranges(numbers);
    facts.pending = mailbox.ranges_without(numbers);
    return facts;
}

// --- The session

Reply Decider::take(const Started& started) {
    emit(record_by_broker(LeafKind::recovered, Operation::none));
    note_settings(started.in_force);
    log_erased_again(started.erased_again);
    if (!state.incidents.empty()) reconsider_from_ = state.incidents.begin()->first;
    return {};
}

Reply Decider::take(const Reloaded& reloaded) {
    note_settings(reloaded.in_force);
    return {};
}

// Who is named anew has as long as anybody had at first; who was named before is not forgiven by another agreement.
std::map<std::string, Instant> Decider::sources_now() const {
    std::map<std::string, Instant> sources;
    for (const auto& agency : setting_.agreement.sources()) {
        const auto known = state.sources.find(agency);
        sources.emplace(agency, known == state.sources.end() ? now_ : known->second);
    }
    return sources;
}

// One leaf for each that is not what it was.
void Decider::note_settings(const InForce& in_force) {
    const auto sources = sources_now();
    const auto set = [&](LeafKind kind, const char* key, const Digest& digest, const std::string& text,
                         std::uint64_t number = 0) {
        auto record = record_by_broker(kind, Operation::none);
        (kind == LeafKind::agreement_set ? record.leaf.agreement : record.leaf.setting) = digest;
        record.leaf.number = number;
        schemas::RecordBodyValue body;
        body.at_us = to_us(now_);
        body.setting = std::make_unique<schemas::SettingFactsValue>();
        body.setting->digest.assign(digest.begin(), digest.end());
        body.setting->number = number;
        body.setting->text = text;
        if (kind == LeafKind::agreement_set)
            for (const auto& [agency, since] : sources) {
                auto source = std::make_unique<schemas::SourceFactsValue>();
                source->agency = agency;
                source->since_us = to_us(since);
                body.setting->sources.push_back(std::move(source));
            }
        record.body = pack_body(body);
        record.controller = setting_.self.agency().text();
        record.retention = "setting";
        record.sets.push_back({key, false});
        emit(std::move(record));
    };
    const auto digest_of = [](const std::string& text) { return crypto::sha256(view(text)); };
    const auto agreement = setting_.agreement.digest();
    if (state.agreement != agreement || state.sources != sources)
        set(LeafKind::agreement_set, "agreement", agreement, in_force.agreement);
    if (const auto parties = digest_of(in_force.parties); state.parties != parties)
        set(LeafKind::parties_set, "parties", parties, in_force.parties);
    if (const auto keys = digest_of(in_force.keys); !in_force.keys.empty() && state.keys != keys)
        set(LeafKind::keys_set, "keys", keys, in_force.keys);
    if (const auto crl = digest_of(in_force.crl); !in_force.crl.empty() && state.crl != crl)
        set(LeafKind::crl_set, "crl", crl, in_force.crl, in_force.crl_number);
}

Reply Decider::take(const SessionOpened& opened) {
    auto record = record_by(opened.actor, LeafKind::session_opened, Operation::none);
    record.leaf.certificate = opened.certificate;
    emit(std::move(record));
    return Permitted{};
}

Reply Decider::take(const SessionClosed& closed) {
    auto record = record_by(closed.actor, LeafKind::session_closed, Operation::none);
    record.leaf.outcome = name(closed.reason);
    emit(std::move(record));
    return {};
}

Reply Decider::take(const Turned& turned) {
    return refused(turned.actor, turned.refusal, turned.topic, turned.message);
}

Reply Decider::take(const Subscribe& subscribe) {
    std::optional<Refusal> first;
    std::size_t logged = 0;
    for (const auto& topic : subscribe.topics) {
        const auto permitted = setting_.agreement.may_subscribe(subscribe.actor.id.agency(), topic);
        if (permitted) continue;
        if (!first) first = permitted.error();
        if (logged++ < limits::refusals_logged_max)
            refused(subscribe.actor, permitted.error(), topic, std::nullopt);
    }
    if (first) return *first;
    return Permitted{};
}

// The incidents whose notices are among these deliveries: their senders may ask how they fare.
std::vector<std::string> Decider::incidents_of(const std::string& topic,
                                               const std::vector<std::uint64_t>& numbers) const {
    std::set<std::string> subjects;
    for (const auto number : numbers)
        if (const auto item = state.items.find({topic, number}); item != state.items.end())
            subjects.insert(incident_subject(state.obligations.at(item->second)));
    return {subjects.begin(), subjects.end()};
}

Reply Decider::take(const Acknowledged& acknowledged) {
    const auto& [actor, topic, named] = acknowledged;
    if (const auto permitted = setting_.agreement.may_subscribe(actor.id.agency(), topic); !permitted)
        return refused(actor, permitted.error(), topic, std::nullopt);

    const auto mailbox = state.mailboxes.find(topic);
    const auto high_water = mailbox == state.mailboxes.end() ? 0 : mailbox->second.high_water();
    std::vector<std::uint64_t> numbers;
    for (const auto number : named) {
        if (number == 0 || number > high_water)
            return refused(actor, {Reason::unknown_message, "acknowledge.numbers"}, topic, std::nullopt);
        if (mailbox->second.holds(number)) numbers.push_back(number);
    }
    // What is acknowledged already was acknowledged before a lost connection: no news, and no record.
    if (numbers.empty()) return Permitted{};
    std::ranges::sort(numbers);
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());

    auto facts = mailbox_after(topic, numbers);
    if (facts.pending.size() > limits::mailbox_gaps_max)
        return refused(actor, {Reason::window_exceeded, "acknowledge: too many gaps"}, topic, std::nullopt);
    auto record = record_by(actor, LeafKind::stored, Operation::none);
    record.leaf.topic = topic;
    record.leaf.number = numbers.back();
    record.leaf.outcome = "stored";
    schemas::RecordBodyValue body;
    body.at_us = to_us(now_);
    body.agency = actor.id.agency().text();
    body.mailbox = std::make_unique<schemas::MailboxStateValue>(std::move(facts));
    record.body = pack_body(body);
    record.subjects = incidents_of(topic, numbers);
    record.controller = actor.id.agency().text();
    record.retention = "mailbox";
    record.sets.push_back(mailbox_key(topic));
    for (const auto number : numbers) record.drops.push_back(delivery_key(topic, number));
    emit(std::move(record));
    return Permitted{};
}

namespace {

// Who may ask what. What holds other agencies' facts is logged as a consultation.
struct ConsultRow {
    std::string_view what;
    bool everybody;
    bool operators;
    bool consultation;
};
constexpr std::array consult_rows{
    ConsultRow{"checkpoint",   true,  true,  false},
    ConsultRow{"tile",         true,  true,  false},
    ConsultRow{"status",       true,  true,  false},
    ConsultRow{"proof",        true,  true,  false},
    ConsultRow{"witnesses",    false, true,  false},
    ConsultRow{"policies",     true,  true,  false},
    ConsultRow{"obligations",  false, true,  true },
    ConsultRow{"dead_letters", false, true,  true },
    ConsultRow{"standing",     false, true,  false},
    ConsultRow{"entries",      false, false, true },
    ConsultRow{"bodies",       false, false, true },
    ConsultRow{"keys",         false, false, true },
    ConsultRow{"reading",      false, false, true },
    ConsultRow{"delivered",    true,  false, true },
};

}  // namespace

Reply Decider::take(const Consult& consult) {
    const auto& agency = consult.actor.id.agency();
    const auto row = std::ranges::find(consult_rows, consult.what, &ConsultRow::what);
    if (row == consult_rows.end())
        return refused(consult.actor, {Reason::invalid_value, "query.kind"}, "", std::nullopt);
    const bool permitted =
        setting_.agreement.party(agency) != nullptr &&
        (row->everybody || agency.kind() == "auditor" || (row->operators && agency.kind() == "operator"));
    if (!permitted)
        return refused(consult.actor, {Reason::not_permitted, "query: " + std::string{row->what}}, "",
                       std::nullopt);
    if (row->consultation) {
        auto record = record_by(consult.actor, LeafKind::consulted, Operation::consultation);
        record.leaf.agreement = setting_.agreement.digest();
        record.leaf.outcome = row->what;
        if (consult.terms) {
            record.leaf.outcome += ": " + consult.terms->scope;
            record.leaf.purpose = consult.terms->reason;
        }
        const auto consulted = emit(std::move(record));
        if (consult.terms && consult.terms->key) disclose(consult, consulted);
    }
    return Permitted{};
}

void Decider::disclose(const Consult& consult, std::uint64_t consulted) {
    auto record = record_by_broker(LeafKind::disclosed, Operation::disclosure);
    record.leaf.recipient = consult.actor.id.agency().text();
    record.leaf.agreement = setting_.agreement.digest();
    record.leaf.outcome = consult.terms->scope;
    record.leaf.purpose = consult.terms->reason;
    record.leaf.certificate = consult.terms->key;
    record.leaf.related = consulted;
    emit(std::move(record));
}

Reply Decider::take(const Tick& tick) {
    if (!state.clock_held && !tick.ahead) {
        fire_clocks();
        abandon_loads();
        close_windows();
    }
    reconsider_some();
    return {};
}

std::string incident_subject(std::string_view sender, std::string_view reference) {
    return "incident/" + std::string{sender.substr(sender.find('/') + 1)} + "/" + std::string{reference};
}

std::string human_reference(std::string_view prefix, const Id16& id) {
    static constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < 5; ++i) bits = bits << 8 | id[i];
    std::string text{prefix};
    for (int group = 1; group >= 0; --group) {
        text += '-';
        for (int place = 3; place >= 0; --place) text += alphabet[bits >> (group * 20 + place * 5) & 31];
    }
    return text;
}

// --- The interface

class Exchange::Impl : public Decider {
public:
    using Decider::Decider;
};

Exchange::Exchange(Setting setting) : impl_{std::make_unique<Impl>(std::move(setting))} {}
Exchange::~Exchange() = default;

Outcome Exchange::decide(const Command& command, Instant now) { return impl_->decide(command, now); }

void Exchange::apply(std::uint64_t index, LeafKind kind, BytesView body) {
    impl_->state.apply(index, kind, body);
    impl_->next_index = index + 1;
}

std::vector<log::Record> Exchange::rehearse(std::uint64_t index, BytesView body, bool late, Instant now) {
    return impl_->rehearse(index, body, late, now);
}

void Exchange::put_in_force(agreement::Agreement agreement) { impl_->put_in_force(std::move(agreement)); }

void Exchange::set_next_index(std::uint64_t index) { impl_->next_index = index; }
std::uint64_t Exchange::next_index() const { return impl_->next_index; }

std::uint64_t Exchange::high_water(const std::string& topic) const {
    const auto mailbox = impl_->state.mailboxes.find(topic);
    return mailbox == impl_->state.mailboxes.end() ? 0 : mailbox->second.high_water();
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> Exchange::next_pending(const std::string& topic,
                                                                              std::uint64_t after) const {
    const auto mailbox = impl_->state.mailboxes.find(topic);
    if (mailbox == impl_->state.mailboxes.end()) return std::nullopt;
    return mailbox->second.next(after);
}

bool Exchange::pending(const std::string& topic, std::uint64_t number) const {
    const auto mailbox = impl_->state.mailboxes.find(topic);
    return mailbox != impl_->state.mailboxes.end() && mailbox->second.holds(number);
}

std::vector<OpenObligation> Exchange::open_obligations() const {
    std::vector<OpenObligation> open;
    for (const auto& [notice, owed] : impl_->state.obligations) {
        const std::string* with = &owed.recipient;
        for (std::size_t rung = 0; rung < owed.fired; ++rung)
            with = owed.rungs[rung].recipient.empty() ? &owed.sender : &owed.rungs[rung].recipient;
        open.push_back(
            {notice, owed.recipient, owed.topic, owed.since, owed.due, owed.stage(), *with, owed.overdue});
    }
    std::ranges::stable_sort(open, {}, &OpenObligation::owed_since);
    return open;
}

std::optional<OwedDelivery> Exchange::owed_to(const AgencyId& recipient, const Id16& notice) const {
    const auto owed = impl_->state.obligations.find(notice);
    if (owed == impl_->state.obligations.end() || owed->second.recipient != recipient.text())
        return std::nullopt;
    return OwedDelivery{owed->second.topic, owed->second.number, owed->second.index};
}

std::vector<DeadLetter> Exchange::dead_letters() const {
    std::vector<DeadLetter> all;
    for (const auto& [item, dead] : impl_->state.dead_letters)
        all.push_back({item.first, item.second, dead.attempts, dead_after_attempts, dead.owner, dead.since,
                       dead.notice});
    return all;
}

OwedCounts Exchange::owed_counts(Instant now, Instant soon) const {
    OwedCounts counts;
    counts.open = impl_->state.obligations.size();
    for (const auto& [notice, owed] : impl_->state.obligations) {
        if (owed.due > soon) continue;
        if (owed.due >= now) {
            ++counts.due_soon;
            continue;
        }
        ++counts.overdue;
        counts.overdue_since = std::min(counts.overdue_since.value_or(owed.due), owed.due);
    }
    return counts;
}

std::map<std::string, Instant> Exchange::feeds() const { return impl_->state.known.feeds(); }

std::map<std::string, Instant> Exchange::rolls() const {
    std::map<std::string, Instant> rolls;
    for (const auto& [scope, roll] : impl_->state.known.rolls())
        if ((roll.pupils > 0 || impl_->state.empty_rolls.contains(scope)) && roll.confirmed)
            rolls.emplace(scope, *roll.confirmed);
    return rolls;
}

std::map<std::string, Instant> Exchange::awaited() const {
    const auto& known = impl_->state.known;
    std::map<std::string, Instant> awaited;
    for (const auto& [agency, since] : impl_->state.sources) {
        const auto slash = agency.find('/');
        const auto code = agency.substr(slash + 1);
        const auto urn = parse_urn(code);
        const bool came = agency.starts_with("school/") ? (urn && known.has_roll_of(*urn)) ||
                                                              impl_->state.empty_rolls.contains("urn:" + code)
                                                        : known.feed(code).has_value();
        if (!came) awaited.emplace(agency, since);
    }
    return awaited;
}

std::set<std::string> Exchange::bank_holidays() const {
    std::set<std::string> days;
    for (const auto& [key, holiday] : impl_->state.known.bank_holidays())
        if (holiday.division == "england-and-wales") days.insert(holiday.date);
    return days;
}

std::optional<Instant> Exchange::expires_before(Instant now) const { return impl_->expires_before(now); }

bool Exchange::clock_is_held() const { return impl_->state.clock_held; }

Digest Exchange::state_digest() const { return impl_->state.digest(); }
Digest Exchange::engine_digest() const { return impl_->engine(); }

std::optional<std::string> incident_reference_in(BytesView body) {
    const auto* incident = read_body(body).incident();
    if (incident == nullptr) return std::nullopt;
    return incident->reference()->str();
}

std::optional<Bytes> envelope_in(BytesView body) {
    const auto envelope = bytes_of(read_body(body).envelope());
    if (envelope.empty()) return std::nullopt;
    return copy(envelope);
}

}  // namespace flagpost::exchange
