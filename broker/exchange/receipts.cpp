#include "broker/exchange/checks.h"
#include "broker/exchange/decider.h"

namespace flagpost::exchange {

using log::LeafKind;
using log::Operation;

// The publisher says which of its people opened a notice, or what was done about it. Whoever may read the mailbox may
// say so. Saying it twice is no fault: each is written down, the state moves once.
Reply Decider::take_receipt(const Message& message) {
    const auto table = payload<schemas::Receipt>(message);
    if (!table) return table.error();
    const auto& receipt = **table;
    if (auto sound = check(receipt); !sound) return sound.error();
    const auto notice = id_of(receipt.notice());
    const auto owed = state.obligations.find(notice);
    const auto earlier = state.told.find(notice);
    if (owed == state.obligations.end() && earlier == state.told.end())
        return Refusal{Reason::unknown_message, "receipt.notice"};
    const std::string topic = owed != state.obligations.end() ? owed->second.topic : earlier->second;
    if (auto permitted = may_answer(message.command.actor.id.agency(), notice, topic); !permitted)
        return permitted.error();

    const bool is_open = owed != state.obligations.end();
    // Whether it is sent must be said, not left to a word like "done".
    if (is_open && owed->second.kind == schemas::Kind::review_item &&
        receipt.level() == schemas::Level::recorded)
        return Refusal{Reason::invalid_value, "receipt.level: a review is decided"};
    std::optional<Obligation> answered;  // as it was: who else was asked is told that it is settled
    const bool closes = is_open && receipt.level() >= owed->second.closes_on;
    const auto kind = receipt.level() == schemas::Level::opened ? LeafKind::opened : LeafKind::recorded;
    auto record = record_by(message.command.actor, kind, Operation::none);
    record.leaf.topic = message.envelope.topic;
    record.leaf.message = notice;
    if (receipt.outcome() != nullptr) record.leaf.outcome = receipt.outcome()->str();
    record.user = receipt.by()->str();
    record.controller = message.command.actor.id.agency().text();
    record.retention = "receipt";

    schemas::RecordBodyValue body;
    body.receipt = std::make_unique<schemas::ReceiptFactsValue>();
    body.receipt->notice.assign(notice.begin(), notice.end());
    body.receipt->level = receipt.level();
    if (is_open) record.since = owed->second.since;
    if (closes) {
        answered = owed->second;
        close_by(record, body, notice,
                 setting_.agreement.may_subscribe(message.command.actor.id.agency(), topic).has_value());
    } else if (is_open && !owed->second.opened) {
        record.sets.push_back(opened_key(notice));
    }
    if (is_open) record.subjects = {incident_subject(owed->second)};
    record.body = received_other(message.received(), std::move(body));
    const auto index = emit(std::move(record));
    if (answered) report_closed(notice, *answered, message.command.actor.id.agency().text());
    return Confirmed{index, false};
}

// What closing it changes. Not `first_asked`: somebody further up answered.
void Decider::close_by(log::Record& record, schemas::RecordBodyValue& body, const Id16& notice,
                       bool first_asked) const {
    const auto& owed = state.obligations.at(notice);
    body.receipt->closes = true;
    record.leaf.number = owed.number;
    record.drops.push_back(notice_key(notice));
    if (owed.opened) record.drops.push_back(opened_key(notice));
    if (owed.first_verdict) record.drops.push_back(verdict_key(notice));
    if (owed.overdue) record.drops.push_back(overdue_key(notice));
    if (!state.told.contains(notice)) forget_escalations(notice, record);
    if (owed.revived) record.drops.push_back(revived_key(notice));
    // Who has opened it has stored it, although the acknowledgement is not here yet.
    if (!state.mailboxes.find(owed.topic)->second.holds(owed.number)) return;
    if (first_asked) {
        body.mailbox = std::make_unique<schemas::MailboxStateValue>(mailbox_after(owed.topic, {owed.number}));
        record.sets.push_back(mailbox_key(owed.topic));
        record.drops.push_back(delivery_key(owed.topic, owed.number));
    } else {
        // It still waits for the first one, and is not owed again because of it.
        body.receipt->waiting = item_facts(owed.topic, owed.number);
        record.sets.push_back(closed_key(notice));
    }
}

// Whoever may read a mailbox the notice went to.
Result<void> Decider::may_answer(const AgencyId& agency, const Id16& notice, const std::string& topic) const {
    auto permitted = setting_.agreement.may_subscribe(agency, topic);
    if (permitted) return permitted;
    if (const auto others = state.escalated.find(notice); others != state.escalated.end())
        for (const auto& [rung, item] : others->second)
            if (!item.first.empty() && setting_.agreement.may_subscribe(agency, item.first)) return {};
    return permitted;
}

}  // namespace flagpost::exchange
