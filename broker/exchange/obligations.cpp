// What happens to a notice nobody answers: whose turn it is next, who is told, and what no consumer could store.
#include <algorithm>

#include "broker/core/limits.h"
#include "broker/exchange/checks.h"
#include "broker/exchange/decider.h"

namespace flagpost::exchange {

using log::LeafKind;
using log::Operation;
using schemas::Kind;
using schemas::ReportOf;

namespace {

std::vector<std::string> subjects_of(const Obligation& owed) {
    auto subjects = owed.subjects;
    subjects.push_back(incident_subject(owed));
    return subjects;
}

std::string kind_of(std::string_view agency) { return std::string{agency.substr(0, agency.find('/'))}; }

std::unique_ptr<schemas::EscalationFactsValue> escalation_facts(const Id16& notice, std::size_t rung) {
    auto facts = std::make_unique<schemas::EscalationFactsValue>();
    facts->notice.assign(notice.begin(), notice.end());
    facts->rung = static_cast<std::uint32_t>(rung);
    return facts;
}

}  // namespace

std::unique_ptr<schemas::MailboxItemValue> item_facts(const std::string& topic, std::uint64_t number) {
    auto item = std::make_unique<schemas::MailboxItemValue>();
    item->topic = topic;
    item->number = number;
    return item;
}

// Ordered by time and then by notice, so that the same state and time always give the same records.
void Decider::fire_clocks() {
    for (std::size_t looked = 0; looked < limits::clocks_per_tick_max; ++looked) {
        if (state.clocks.empty() || state.clocks.begin()->first > now_) return;
        const Id16 notice = state.clocks.begin()->second;
        const auto& owed = state.obligations.at(notice);
        const auto rung = owed.next_rung();
        const bool is_turn = rung < owed.rungs.size() && owed.hurried.value_or(owed.rungs[rung].at) <= now_;
        if (is_turn)
            escalate(notice, rung);
        else
            note_overdue(notice);
    }
}

// The next in line is told, under their own rule; and the sender hears that it came to this.
void Decider::escalate(const Id16& notice, std::size_t rung) {
    const Obligation owed = state.obligations.at(notice);  // a copy: applying the record changes it
    const Rung& next = owed.rungs[rung];
    const bool sender_steps_in = next.recipient.empty();

    auto record =
        record_by_broker(LeafKind::escalated, sender_steps_in ? Operation::none : Operation::disclosure);
    record.leaf.message = notice;
    record.leaf.outcome = owed.stage();
    record.since = owed.since;
    record.leaf.related = owed.index;
    record.leaf.agreement = setting_.agreement.digest();
    record.leaf.recipient = sender_steps_in ? owed.sender : next.recipient;
    record.subjects = subjects_of(owed);
    schemas::RecordBodyValue body;
    body.at_us = to_us(now_);
    body.escalation = escalation_facts(notice, rung);
    Bytes envelope;
    std::uint64_t number = 0;
    if (!sender_steps_in) {
        number = next_number(next.topic);
        const std::string seed = to_hex(notice) + "|" + std::to_string(rung);
        const wire::Draft draft{owed.kind,        next.topic, owed.reference, next.purpose,
                                next.legal_basis, notice,     next.payload};
        envelope = wire::make_envelope(draft, setting_.make_id("rung|" + seed),
                                       setting_.make_id("rung-salt|" + seed), now_);
        body.envelope = envelope;
        body.item = item_facts(next.topic, number);
        record.leaf.topic = next.topic;
        record.leaf.number = number;
        record.leaf.rule = next.rule;
        record.leaf.purpose = next.purpose;
        record.leaf.legal_basis = next.legal_basis;
        record.sets.push_back(delivery_key(next.topic, number));
    }
    record.body = pack_body(body);
    record.controller = sender_steps_in ? owed.sender : next.recipient;
    record.retention = next.retention.empty() ? "notice" : next.retention;
    record.sets.push_back(escalated_key(notice, static_cast<std::uint32_t>(rung)));
    const auto index = emit(std::move(record));
    if (!sender_steps_in) {
        outcome_.deliveries.push_back({next.topic, number, index, std::move(envelope)});
        tell_kept_from(incident_of(owed), notice, owed.kind, next.topic);
    }
    report({notice, owed, ReportOf::escalated, owed.sender,
            kind_of(sender_steps_in ? owed.sender : next.recipient), sender_steps_in});
}

// Its time is over, and it is still open: it stays so, and says so.
void Decider::note_overdue(const Id16& notice) {
    const Obligation owed = state.obligations.at(notice);
    auto record = record_by_broker(LeafKind::overdue, Operation::none);
    record.leaf.message = notice;
    record.leaf.recipient = owed.recipient;
    record.leaf.outcome = owed.stage();
    record.since = owed.since;
    record.leaf.related = owed.index;
    record.subjects = subjects_of(owed);
    schemas::RecordBodyValue body;
    body.at_us = to_us(now_);
    body.escalation = escalation_facts(notice, 0);
    record.body = pack_body(body);
    record.controller = owed.recipient;
    record.retention = "notice";
    record.sets.push_back(overdue_key(notice));
    emit(std::move(record));
    report({notice, owed, ReportOf::overdue, owed.sender, "", false});
}

// A message in the mailbox of whoever has to know how a notice fares. Says who it was for only by kind, unless the
// agreement has the reader step in: a force need not learn which school a child goes to because nobody there answered.
void Decider::report(const Reporting& what) {
    const auto reader = AgencyId::parse(what.to);
    if (!reader || setting_.agreement.party(*reader) == nullptr) return;
    const std::string topic = "reports/" + what.to;
    const auto number = next_number(topic);

    schemas::ReportValue value;
    value.notice.assign(what.notice.begin(), what.notice.end());
    value.reference = what.owed.reference;
    value.what = what.of;
    value.about = what.owed.about;
    value.recipient = what.names_recipient ? what.owed.recipient : kind_of(what.owed.recipient);
    value.to = what.turn;
    value.reached = what.owed.stage();
    value.owed_since_us = to_us(what.owed.since);
    value.due_us = to_us(what.owed.due);
    value.at_us = to_us(now_);
    value.person = what.person;
    const wire::Draft draft{
        Kind::report, topic, what.owed.about, "", {}, what.notice, wire::pack<schemas::Report>(value)};
    const std::string seed = to_hex(what.notice) + "|" + topic + "|" + std::to_string(number);
    auto envelope = wire::make_envelope(draft, setting_.make_id("report|" + seed),
                                        setting_.make_id("report-salt|" + seed), now_);

    auto record = record_by_broker(LeafKind::reported, Operation::none);
    record.leaf.message = what.notice;
    record.leaf.recipient = what.to;
    record.leaf.topic = topic;
    record.leaf.number = number;
    record.leaf.outcome = schemas::EnumNameReportOf(what.of);
    record.subjects = {incident_subject(what.owed)};
    record.leaf.related = what.owed.index;
    schemas::RecordBodyValue body;
    body.at_us = to_us(now_);
    body.envelope = envelope;
    body.item = item_facts(topic, number);
    record.body = pack_body(body);
    record.controller = what.to;
    record.retention = "report";
    record.sets.push_back(delivery_key(topic, number));
    const auto index = emit(std::move(record));
    outcome_.deliveries.push_back({topic, number, index, std::move(envelope)});
}

// Everybody the notice went to besides the one who answered, and a sender who was told that it was late, hear that it
// is settled.
void Decider::report_closed(const Id16& notice, const Obligation& owed, const std::string& by) {
    std::set<std::string> readers;
    if (const auto others = state.escalated.find(notice); others != state.escalated.end())
        for (const auto& [rung, item] : others->second)
            if (!item.first.empty()) readers.insert(item.first.substr(item.first.find('/') + 1));
    readers.erase(owed.recipient);
    if (owed.fired > 0 || owed.overdue || owed.dead) readers.insert(owed.sender);
    readers.erase(by);
    for (const auto& reader : readers) report({notice, owed, ReportOf::closed, reader, "", false});
}

// --- What no consumer could store

// Out of the way of what stands behind it, and into the hands of an operator: the notice stays owed, and it is the
// next one's turn at once.
Reply Decider::take(const GaveUp& gave_up) {
    const ItemName item{gave_up.topic, gave_up.number};
    const auto mailbox = state.mailboxes.find(gave_up.topic);
    if (mailbox == state.mailboxes.end() || !mailbox->second.holds(gave_up.number)) return {};
    if (state.dead_letters.size() >= limits::dead_letters_max) return {};
    const auto owed_item = state.items.find(item);
    const auto notice = owed_item == state.items.end() ? std::nullopt : std::optional{owed_item->second};

    auto record = record_by_broker(LeafKind::dead_lettered, Operation::none);
    if (notice) record.subjects = {incident_subject(state.obligations.at(*notice))};
    record.leaf.topic = gave_up.topic;
    record.leaf.number = gave_up.number;
    record.leaf.message = notice;
    record.leaf.outcome = dead_after_attempts;
    record.leaf.candidates = gave_up.attempts;
    record.leaf.recipient = setting_.agreement.dead_letter_owner();
    schemas::RecordBodyValue body;
    body.at_us = to_us(now_);
    body.envelope = gave_up.envelope;
    body.mailbox =
        std::make_unique<schemas::MailboxStateValue>(mailbox_after(gave_up.topic, {gave_up.number}));
    body.dead_letter = dead_letter_facts(item, notice);
    body.dead_letter->attempts = gave_up.attempts;
    body.dead_letter->owner = record.leaf.recipient;
    record.body = pack_body(body);
    record.controller = setting_.self.agency().text();
    record.retention = "dead-letter";
    record.sets.push_back(mailbox_key(gave_up.topic));
    record.sets.push_back(dead_letter_key(item));
    record.drops.push_back(delivery_key(gave_up.topic, gave_up.number));
    emit(std::move(record));
    if (notice) {
        const Obligation owed = state.obligations.at(*notice);
        report({*notice, owed, ReportOf::dead_letter, owed.sender, "", false});
    }
    return {};
}

std::unique_ptr<schemas::DeadLetterFactsValue> Decider::dead_letter_facts(
    const ItemName& item, const std::optional<Id16>& notice) const {
    auto facts = std::make_unique<schemas::DeadLetterFactsValue>();
    facts->topic = item.first;
    facts->number = item.second;
    if (notice) facts->notice.assign(notice->begin(), notice->end());
    return facts;
}

// --- What operators do, each by name and with a reason

Reply Decider::take_operator_action(const Message& message) {
    const auto table = payload<schemas::OperatorAction>(message);
    if (!table) return table.error();
    const auto& action = **table;
    if (auto sound = check(action); !sound) return sound.error();
    if (action.does() == schemas::OperatorDoes::confirm_clock) {
        if (!state.clock_held) return Refusal{Reason::not_found, "action: no clock step is waiting"};
        const auto index = emit_action(message);
        release_clock("confirmed", action.by()->str());
        return Confirmed{index, false};
    }
    const ItemName item{action.topic() == nullptr ? "" : action.topic()->str(), action.number()};
    if (!state.dead_letters.contains(item)) return Refusal{Reason::not_found, "action: dead letter"};
    const auto index = emit_action(message);
    end_dead_letter(item, action, message.command.actor);
    return Confirmed{index, false};
}

std::uint64_t Decider::emit_action(const Message& message) {
    auto record = published(message);
    record.body = received_other(message.received(), {});
    record.retention = "operation";
    return emit(std::move(record));
}

void Decider::end_dead_letter(const ItemName& item, const schemas::OperatorAction& action,
                              const Actor& actor) {
    const DeadItem dead = state.dead_letters.at(item);
    const bool back = action.does() == schemas::OperatorDoes::reinsert;
    const auto& topic = item.first;

    auto record = record_by(actor, back ? LeafKind::reinserted : LeafKind::discarded, Operation::none);
    record.user = action.by()->str();
    record.leaf.topic = topic;
    record.leaf.message = dead.notice;
    record.leaf.outcome = action.reason()->str();
    record.leaf.related = dead.index;
    schemas::RecordBodyValue body;
    body.at_us = to_us(now_);
    body.dead_letter = dead_letter_facts(item, dead.notice);
    // With the mailbox as it stands, so that the record that took the item out of it is of no more use.
    auto mailbox = mailbox_after(topic, {});
    const auto number = next_number(topic);
    if (back) {
        body.envelope = dead.envelope;
        body.item = item_facts(topic, number);
        record.leaf.number = number;
        mailbox.high_water = number;
        mailbox.pending.emplace_back(number, number);
        record.sets.push_back(delivery_key(topic, number));
    }
    body.mailbox = std::make_unique<schemas::MailboxStateValue>(std::move(mailbox));
    record.body = pack_body(body);
    record.controller = setting_.self.agency().text();
    record.retention = "dead-letter";
    record.sets.push_back(mailbox_key(topic));
    record.drops.push_back(dead_letter_key(item));
    if (dead.notice && state.obligations.contains(*dead.notice))
        record.sets.push_back(revived_key(*dead.notice));
    const auto done = emit(std::move(record));
    if (back) outcome_.deliveries.push_back({topic, number, done, dead.envelope});
}

// --- The clock

// A jump ahead would make everything due at once. Until somebody says that the new time is right, nothing ends and
// nothing is escalated; what comes is still sent.
Reply Decider::take(const ClockStepped& stepped) {
    const bool holds = stepped.by >= limits::clock_hold_min;
    auto record = clock_record(stepped.by.count() < 0 ? "back"
                               : holds                ? "forward: held"
                                                      : "forward",
                               state.clock_held || holds);
    record.leaf.number = static_cast<std::uint64_t>(std::abs(stepped.by.count()));
    emit(std::move(record));
    return {};
}

Reply Decider::take(const ClockSynchronised&) {
    if (state.clock_held) release_clock("synchronised", "");
    return {};
}

void Decider::release_clock(const char* why, const std::string& by) {
    auto record = clock_record(why, false);
    record.user = by;
    emit(std::move(record));
}

log::Record Decider::clock_record(const char* outcome, bool held) const {
    auto record = record_by_broker(LeafKind::clock_step, Operation::none);
    record.leaf.outcome = outcome;
    schemas::RecordBodyValue body;
    body.at_us = to_us(now_);
    body.setting = std::make_unique<schemas::SettingFactsValue>();
    body.setting->number = held ? 1 : 0;
    record.body = pack_body(body);
    record.controller = setting_.self.agency().text();
    record.retention = "setting";
    record.sets.push_back({"clock", false});
    return record;
}

}  // namespace flagpost::exchange
