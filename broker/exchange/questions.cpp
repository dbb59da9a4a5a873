// What a recipient of a notice asks the force about it, and what the force answers: to whoever asked, and to nobody else.
#include <algorithm>

#include "broker/core/limits.h"
#include "broker/exchange/checks.h"
#include "broker/exchange/decider.h"

namespace flagpost::exchange {

using log::LeafKind;
using log::Operation;
using schemas::Kind;

namespace {

/// Whose turn it is while nobody answers: the same agency again, or whoever is waiting for the answer.
std::vector<notices::PlannedRung> ladder_of(const agreement::Rule& rule, const notices::Planned& first,
                                            const notices::Payload& payload, Instant now) {
    std::vector<notices::PlannedRung> rungs;
    for (const auto& step : rule.escalate) {
        notices::PlannedRung rung;
        rung.at = step.after ? now + *step.after : first.due - *step.before_deadline;
        rung.unless = notices::level_of(step.unless);
        if (step.to == "again") {
            rung.recipient = first.recipient;
            rung.topic = first.topic;
            rung.rule = first.rule;
            rung.purpose = first.purpose;
            rung.retention = first.retention;
            rung.legal_basis = first.legal_basis;
            rung.payload = payload;
        }
        rungs.push_back(std::move(rung));
    }
    std::ranges::stable_sort(rungs, {}, &notices::PlannedRung::at);
    return rungs;
}

notices::Planned planned_by(const agreement::Rule& rule, Kind kind, std::string recipient, std::string topic,
                            Instant now) {
    notices::Planned planned;
    planned.kind = kind;
    planned.recipient = std::move(recipient);
    planned.topic = std::move(topic);
    planned.rule = rule.id;
    planned.purpose = rule.purpose;
    planned.legal_basis = rule.legal_basis;
    planned.retention = rule.retention;
    planned.due = now + rule.respond_within;
    return planned;
}

bool has(const Thread& thread, const Id16& notice) {
    return std::ranges::find(thread.notices, notice) != thread.notices.end();
}

Refusal no_rule(std::string_view asking) {
    return {Reason::not_permitted, "agreement: no rule lets " + std::string{asking} + " ask police"};
}

}  // namespace

/// The mailbox of this agency's that was told of this incident by this notice; nothing: it was not.
std::optional<std::string> Decider::mailbox_told(const AgencyId& agency, const IncidentName& about,
                                                 const Id16& notice) const {
    std::optional<std::string> topic;
    const auto owed = state.obligations.find(notice);
    if (owed != state.obligations.end()) {
        if (owed->second.sender == "police/" + about.force && owed->second.about == about.reference)
            topic = owed->second.topic;
    } else if (const auto incident = state.incidents.find(about); incident != state.incidents.end()) {
        for (const auto& [child, thread] : incident->second.threads)
            if (has(thread, notice)) topic = thread.topic;
    }
    if (!topic) return std::nullopt;
    const auto is_theirs = [&](const std::string& mailbox) {
        return mailbox.starts_with("notices/") &&
               setting_.agreement.may_subscribe(agency, mailbox).has_value();
    };
    if (is_theirs(*topic)) return topic;
    if (const auto others = state.escalated.find(notice); others != state.escalated.end())
        for (const auto& [rung, item] : others->second)
            if (is_theirs(item.first)) return item.first;
    return std::nullopt;
}

/// Whom the notice is about, as the register names them.
std::vector<std::string> Decider::child_of(const IncidentName& about, const Id16& notice) const {
    if (const auto owed = state.obligations.find(notice); owed != state.obligations.end())
        return owed->second.subjects;
    const auto incident = state.incidents.find(about);
    if (incident == state.incidents.end()) return {};
    for (const auto& [name, thread] : incident->second.threads) {
        if (!has(thread, notice)) continue;
        const auto recipient = thread.topic.substr(thread.topic.find('/') + 1);
        const auto child = name.substr(0, name.find(" " + recipient + " "));
        if (child.starts_with("flag/")) return {child};
    }
    return {};
}

std::size_t Decider::open_questions(const AgencyId& agency, const IncidentName& about) const {
    return static_cast<std::size_t>(std::ranges::count_if(state.obligations, [&](const auto& each) {
        const auto& owed = each.second;
        return owed.kind == Kind::question && owed.sender == agency.text() && owed.about == about.reference &&
               owed.recipient == "police/" + about.force;
    }));
}

Reply Decider::take_question(const Message& message) {
    const auto table = payload<schemas::Question>(message);
    if (!table) return table.error();
    const auto& question = **table;
    if (auto sound = check(question); !sound) return sound.error();
    const auto& agency = message.command.actor.id.agency();
    const auto* rule = setting_.agreement.rule_for("question", agency.kind(), "police");
    if (rule == nullptr) return no_rule(agency.kind());
    const IncidentName about{question.force()->str(), question.incident_reference()->str()};
    const auto notice = id_of(question.notice());
    // One refusal for what is not theirs and for what does not exist.
    const auto topic = mailbox_told(agency, about, notice);
    if (!topic) return Refusal{Reason::not_permitted, "question.notice: not sent to you about this incident"};
    if (open_questions(agency, about) >= limits::questions_open_max)
        return Refusal{Reason::not_permitted, "question: as many as may be are open about this incident"};
    const std::string force = "police/" + about.force;
    const auto child = child_of(about, notice);

    auto record = published(message);
    record.user = question.by()->str();
    record.leaf.outcome = question.about()->str();
    record.retention = rule->retention;
    record.subjects = child;
    record.subjects.push_back(incident_subject(force, about.reference));
    record.body = received_other(message.received(), {});
    auto planned = planned_by(*rule, Kind::question, force, "questions/" + about.force, now_);
    planned.subjects = child;
    const auto asked = emit(std::move(record));

    schemas::QuestionValue value;
    value.force = about.force;
    value.incident_reference = about.reference;
    value.about = question.about()->str();
    if (rule->fields.contains("text") && question.text() != nullptr) value.text = question.text()->str();
    if (rule->fields.contains("by")) value.by = question.by()->str();
    value.asked_by = agency.text();
    value.asked_us = to_us(now_);
    value.answer_by_us = to_us(planned.due);
    const std::string seed = "question|" + agency.text() + "|" + to_hex(message.envelope.id);
    const auto id = setting_.make_id("notice|" + seed);
    value.question.assign(id.begin(), id.end());
    value.reference = human_reference("QU", id);
    planned.payload = std::move(value);
    planned.rungs = ladder_of(*rule, planned, planned.payload, now_);
    Fresh fresh{planned, id, seed, std::nullopt};
    fresh.sender = agency.text();
    fresh.asked = AskedAbout{message.envelope.id, notice, *topic};
    issue(about, fresh, asked, "question");
    tell_kept_from(about, id, Kind::question, planned.topic);
    return Confirmed{asked, false};
}

// The answer closes the question, and goes to whoever asked.
Reply Decider::take_answer(const Message& message) {
    const auto table = payload<schemas::QuestionAnswer>(message);
    if (!table) return table.error();
    const auto& answer = **table;
    if (auto sound = check(answer); !sound) return sound.error();
    const auto question = id_of(answer.question());
    const auto found = state.obligations.find(question);
    if (found == state.obligations.end() || found->second.kind != Kind::question)
        return Refusal{Reason::unknown_message, "answer.question: not asked, or answered already"};
    const Obligation owed = found->second;  // a copy: closing it forgets it
    const auto& agency = message.command.actor.id.agency();
    if (auto permitted = setting_.agreement.may_subscribe(agency, owed.topic); !permitted)
        return permitted.error();
    if (is_in_conflict(owed, answer.by()->string_view(), agency))
        return Refusal{Reason::not_permitted,
                       "answer.by: on the conflict list of this case; another person must answer"};
    const auto asker = owed.sender.substr(0, owed.sender.find('/'));
    const auto* rule = setting_.agreement.rule_for("answer", "police", asker);
    if (rule == nullptr)
        return Refusal{Reason::not_permitted, "agreement: no rule lets police answer " + asker};

    auto record = record_by(message.command.actor, LeafKind::recorded, Operation::collection);
    record.leaf.topic = message.envelope.topic;
    record.leaf.message = question;
    record.leaf.outcome = answer.outcome()->str();
    record.leaf.agreement = setting_.agreement.digest();
    record.user = answer.by()->str();
    record.controller = agency.text();
    record.retention = rule->retention;
    record.subjects = owed.subjects;
    record.subjects.push_back(incident_subject(owed));
    schemas::RecordBodyValue body;
    body.receipt = std::make_unique<schemas::ReceiptFactsValue>();
    body.receipt->notice.assign(question.begin(), question.end());
    body.receipt->level = schemas::Level::recorded;
    close_by(record, body, question, true);
    record.body = received_other(message.received(), std::move(body));
    const auto answered = emit(std::move(record));

    const IncidentName about{owed.recipient.substr(owed.recipient.find('/') + 1), owed.about};
    auto planned = planned_by(*rule, Kind::answer, owed.sender, owed.asked->topic, now_);
    planned.subjects = owed.subjects;
    schemas::QuestionAnswerValue value;
    value.reference = owed.reference;
    value.question.assign(owed.asked->message.begin(), owed.asked->message.end());
    value.notice.assign(owed.asked->notice.begin(), owed.asked->notice.end());
    value.force = about.force;
    value.incident_reference = about.reference;
    value.outcome = answer.outcome()->str();
    if (rule->fields.contains("text") && answer.text() != nullptr) value.text = answer.text()->str();
    if (rule->fields.contains("by")) value.by = answer.by()->str();
    value.answered_us = to_us(now_);
    value.read_by_us = to_us(planned.due);
    const std::string seed = "answer|" + to_hex(question);
    const auto id = setting_.make_id("notice|" + seed);
    planned.payload = std::move(value);
    planned.rungs = ladder_of(*rule, planned, planned.payload, now_);
    Fresh fresh{planned, id, seed, owed.asked->notice};
    fresh.reference = owed.reference;
    fresh.asked = owed.asked;
    issue(about, fresh, answered, "answer");
    report_closed(question, owed, agency.text());
    return Confirmed{answered, false};
}

}  // namespace flagpost::exchange
