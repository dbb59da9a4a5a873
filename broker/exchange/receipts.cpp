#include <algorithm>

#include "broker/exchange/checks.h"
#include "broker/exchange/decider.h"

namespace flagpost::exchange {

using log::LeafKind;
using log::Operation;

namespace {

/// The outcome by which a school says that a child is none of its pupils.
constexpr std::string_view not_on_roll_code = "not_on_roll";

/// As the digest of a person's name among subjects. Subjects of records have a "/" ("incident/31/OCC-1"): no name an agency
/// chooses may be found as one of them.
std::string subject_of(const flatbuffers::String& name) {
    std::string subject = name.str();
    std::ranges::replace(subject, '/', ' ');
    return subject;
}

}  // namespace

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
    if (is_open && owed->second.kind == schemas::Kind::question &&
        receipt.level() == schemas::Level::recorded)
        return Refusal{Reason::invalid_value, "receipt.level: a question is answered"};
    // Whoever may not see it has not answered it: it stays owed, and goes to the next in line.
    if (is_open &&
        is_in_conflict(owed->second, receipt.by()->string_view(), message.command.actor.id.agency()))
        return Refusal{Reason::not_permitted,
                       "receipt.by: on the conflict list of this case; another person must answer"};
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
    if (receipt.level() == schemas::Level::recorded && receipt.outcome()->string_view() == not_on_roll_code)
        give_back(message, receipt, index);
    return Confirmed{index, false};
}

// The publisher changed who may sign in at its own pages. Nothing here rests on it: it is written down, so that an agency cannot
// quietly let somebody in. The names stand in the body; the leaf has a digest of each, and the one of who did it is the one under
// what they open and record.
Reply Decider::take_staff_change(const Message& message) {
    const auto table = payload<schemas::StaffChange>(message);
    if (!table) return table.error();
    const auto& change = **table;
    if (auto sound = check(change); !sound) return sound.error();
    auto record = record_by(message.command.actor, LeafKind::staff_changed, Operation::none);
    record.leaf.topic = message.envelope.topic;
    record.leaf.message = message.envelope.id;
    record.leaf.outcome = schemas::EnumNameStaffDoes(change.does());
    if (change.role() != nullptr && change.role()->size() > 0)
        record.leaf.outcome += ": " + change.role()->str();
    record.user = change.by()->str();
    record.subjects = {subject_of(*change.about())};
    if (change.cover() != nullptr && change.cover()->size() > 0)
        record.subjects.push_back(subject_of(*change.cover()));
    record.controller = message.command.actor.id.agency().text();
    record.retention = "receipt";
    record.body = received_other(message.received(), {});
    return Confirmed{emit(std::move(record)), false};
}

// A school has no such pupil: it is told no more of this child, and the incident is looked at again for who should be. The
// threads as they stand with that are a record of their own, as those of a review.
void Decider::give_back(const Message& message, const schemas::Receipt& receipt, std::uint64_t recorded) {
    const auto notice = id_of(receipt.notice());
    for (const auto& [about, incident] : state.incidents) {
        const auto found = std::ranges::find_if(incident.threads, [&](const auto& each) {
            return std::ranges::find(each.second.notices, notice) != each.second.notices.end();
        });
        if (found == incident.threads.end()) continue;
        const bool is_school =
            found->second.topic.starts_with("notices/school/") &&
            setting_.agreement.may_subscribe(message.command.actor.id.agency(), found->second.topic);
        if (!is_school || found->second.not_on_roll) return;
        const IncidentName name = about;
        auto threads = incident.threads;
        const std::string given_back = found->first;
        threads.at(given_back).not_on_roll = true;
        auto record = record_by(message.command.actor, LeafKind::reviewed, Operation::none);
        record.leaf.message = notice;
        record.leaf.outcome = not_on_roll_code;
        record.leaf.agreement = setting_.agreement.digest();
        record.leaf.related = recorded;
        record.user = receipt.by()->str();
        record.controller = "police/" + name.force;
        record.retention = "incident";
        record.subjects = {incident_subject("police/" + name.force, name.reference)};
        record.sets.push_back(decision_key(next_index));
        schemas::RecordBodyValue body;
        body.at_us = to_us(now_);
        body.decision = told_facts(name, threads);
        body.decision->version = incident.version;
        record.body = pack_body(body);
        emit(std::move(record));

        const auto told_before = outcome_.deliveries.size();
        if (!state.incidents.at(name).payload.empty()) route_anew(name);
        if (outcome_.deliveries.size() == told_before)
            report_not_theirs(name, notice, threads.at(given_back).topic, recorded);
        return;
    }
}

// It may have been closed long ago, so what the report needs of it is told here.
void Decider::report_not_theirs(const IncidentName& about, const Id16& notice, const std::string& topic,
                                std::uint64_t recorded) {
    Obligation settled;
    settled.recipient = topic.substr(topic.find('/') + 1);
    settled.topic = topic;
    settled.index = recorded;
    settled.kind = schemas::Kind::school_notice;
    settled.reference = human_reference("FP", notice);
    settled.sender = "police/" + about.force;
    settled.about = about.reference;
    settled.opened = true;
    report({notice, settled, schemas::ReportOf::not_theirs, settled.sender, "", false});
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
