// What a person decides about a notice that was held: it goes, it does not, or the force is asked.
#include "broker/exchange/checks.h"
#include "broker/exchange/decider.h"
#include "broker/notices/calendar.h"

namespace flagpost::exchange {

using log::LeafKind;
using log::Operation;
using schemas::Kind;
using schemas::ReportOf;
using schemas::Verdict;

namespace {

template <class Table> notices::Payload unpacked(BytesView payload, std::int64_t due) {
    typename Table::NativeTableType value;
    flatbuffers::GetRoot<Table>(payload.data())->UnPackTo(&value);
    if constexpr (std::is_same_v<Table, schemas::SchoolNotice>)
        value.read_by_us = due;
    else
        value.act_by_us = due;
    return value;
}

notices::Payload unpacked(Kind kind, BytesView payload, Instant due) {
    return kind == Kind::school_notice ? unpacked<schemas::SchoolNotice>(payload, to_us(due))
                                       : unpacked<schemas::SocialCareNotice>(payload, to_us(due));
}

std::string outcome_of(const schemas::ReviewDecision& decision) {
    return std::string{schemas::EnumNameVerdict(decision.verdict())} + ": " + decision.reason()->str();
}

/// Whether somebody of this name is in the incident, as far as it is still known: its people are kept while its window
/// for late flags is open.
bool is_in(const RetainedIncident& incident, std::string_view name) {
    if (incident.payload.empty()) return false;
    schemas::IncidentValue value;
    flatbuffers::GetRoot<schemas::Incident>(incident.payload.data())->UnPackTo(&value);
    return notices::may_be_party(value, name);
}

}  // namespace

Reply Decider::take_review(const Message& message) {
    const auto table = payload<schemas::ReviewDecision>(message);
    if (!table) return table.error();
    const auto& decision = **table;
    if (auto sound = check(decision); !sound) return sound.error();
    const auto review = id_of(decision.review());
    const auto found = state.obligations.find(review);
    const auto earlier = state.told.find(review);
    if (found == state.obligations.end() && earlier == state.told.end())
        return Refusal{Reason::unknown_message, "review_decision.review"};
    const auto& topic = found != state.obligations.end() ? found->second.topic : earlier->second;
    if (auto permitted = may_answer(message.command.actor.id.agency(), review, topic); !permitted)
        return permitted.error();
    if (found == state.obligations.end())
        return Refusal{Reason::conflict, "review_decision.review: already decided"};
    const Obligation owed = found->second;
    if (owed.kind != Kind::review_item)
        return Refusal{Reason::invalid_value, "review_decision.review: not a review"};

    // Only what stands there now is decided: an older item may show what police have corrected since.
    const auto incident = state.incidents.find(incident_of(owed));
    if (incident != state.incidents.end())
        if (const auto thread = incident->second.threads.find(owed.thread);
            thread != incident->second.threads.end() && thread->second.notices.back() != review)
            return Refusal{Reason::conflict, "review_decision.review: a newer one waits"};
    if (decision.verdict() == Verdict::permit && !owed.held)
        return Refusal{Reason::not_permitted, "review_decision.verdict: there is nothing to send"};
    if (owed.first_verdict && decision.verdict() != Verdict::unsure &&
        owed.first_verdict->by == decision.by()->string_view())
        return Refusal{Reason::not_permitted, "review_decision.by: the second must be another person"};

    if (incident != state.incidents.end() && is_in(incident->second, decision.by()->string_view()))
        return Refusal{
            Reason::not_permitted,
            "review_decision.by: somebody in the incident has this name; another person must decide"};

    if (is_in_conflict(owed, decision.by()->string_view(), message.command.actor.id.agency()))
        return Refusal{Reason::not_permitted,
                       "review_decision.by: on the conflict list of this case; another person must decide"};

    const auto index = next_index;
    if (decision.verdict() == Verdict::unsure || (owed.two_people && !owed.first_verdict))
        note_verdict(message, decision, owed, review);
    else
        settle_review(message, decision, owed, review);
    return Confirmed{index, false};
}

// It stays open: a second person must decide alike, or the force is asked.
void Decider::note_verdict(const Message& message, const schemas::ReviewDecision& decision,
                           const Obligation& owed, const Id16& review) {
    const auto& agency = message.command.actor.id.agency().text();
    auto record = record_by(message.command.actor, LeafKind::recorded, Operation::none);
    record.leaf.topic = message.envelope.topic;
    record.leaf.message = review;
    record.leaf.outcome = outcome_of(decision);
    record.user = decision.by()->str();
    record.controller = agency;
    record.retention = "receipt";
    record.subjects = {incident_subject(owed)};
    if (!owed.opened) record.sets.push_back(opened_key(review));
    schemas::RecordBodyValue body;
    body.receipt = std::make_unique<schemas::ReceiptFactsValue>();
    body.receipt->notice.assign(review.begin(), review.end());
    body.receipt->level = schemas::Level::opened;
    if (decision.verdict() != Verdict::unsure) {
        body.receipt->verdict = decision.verdict();
        body.receipt->by = decision.by()->str();
        record.sets.push_back(verdict_key(review));
    }
    record.body = received_other(message.received(), std::move(body));
    emit(std::move(record));
    if (decision.verdict() == Verdict::unsure)
        report({review, owed, ReportOf::asked, owed.sender, "", false});
}

void Decider::settle_review(const Message& message, const schemas::ReviewDecision& decision,
                            const Obligation& owed, const Id16& review) {
    const auto& agency = message.command.actor.id.agency();
    const bool disagree = owed.first_verdict && owed.first_verdict->verdict != decision.verdict();
    const bool permitted = decision.verdict() == Verdict::permit && !disagree;

    auto record = record_by(message.command.actor, LeafKind::recorded, Operation::none);
    record.leaf.topic = message.envelope.topic;
    record.leaf.message = review;
    record.leaf.outcome = disagree ? "disagreed" : outcome_of(decision);
    record.leaf.agreement = setting_.agreement.digest();
    record.user = decision.by()->str();
    record.controller = agency.text();
    record.retention = "receipt";
    record.subjects = owed.subjects;
    record.subjects.push_back(incident_subject(owed));
    schemas::RecordBodyValue body;
    body.receipt = std::make_unique<schemas::ReceiptFactsValue>();
    body.receipt->notice.assign(review.begin(), review.end());
    body.receipt->level = schemas::Level::recorded;
    close_by(record, body, review, setting_.agreement.may_subscribe(agency, owed.topic).has_value());

    record.body = received_other(message.received(), std::move(body));
    const auto settled = emit(std::move(record));
    if (permitted) release(message, decision, owed, review, settled);
    if (disagree) report({review, owed, ReportOf::disagreed, owed.recipient, "", false});
    report_closed(review, owed, agency.text());
}

// The threads as they stand with it are a record of their own: they live longer than what the receipt settles.
void Decider::release(const Message& message, const schemas::ReviewDecision& decision, const Obligation& owed,
                      const Id16& review, std::uint64_t settled) {
    const auto about = incident_of(owed);
    const auto incident = state.incidents.find(about);
    std::map<std::string, Thread> threads;
    if (incident != state.incidents.end()) threads = incident->second.threads;
    // Gone when its threads have ended: then no later version is threaded onto it either.
    Bytes told_before;
    if (const auto reviewed = threads.find(owed.thread); reviewed != threads.end()) {
        reviewed->second.permitted = true;
        reviewed->second.permitted_doubts = reviewed->second.doubts;
        told_before = reviewed->second.told_before;
    }

    std::optional<notices::Planned> planned;
    Id16 id{};
    const std::string seed =
        about.force + "|" + about.reference + "|" + to_hex(review) + "|" + owed.held->thread;
    // Told already, once the doubt was gone: then there is nothing to add. What was told before the review was made is older,
    // and this corrects it.
    const auto told = threads.find(owed.held->thread);
    const bool corrects = told != threads.end() && told->second.fingerprint == told_before &&
                          told_before != owed.held->fingerprint;
    const auto first = corrects ? std::optional{told->second.notices.front()} : std::nullopt;
    if (told == threads.end() || corrects) {
        planned = let_go(*owed.held);
        id = setting_.make_id("notice|" + seed);
        auto& thread = threads[planned->dedup];
        thread.topic = planned->topic;
        thread.fingerprint = owed.held->fingerprint;
        add_to_thread(thread, id);
    }
    auto record = record_by(message.command.actor, LeafKind::reviewed, Operation::none);
    record.leaf.message = review;
    record.leaf.outcome = planned ? "sent" : "told already";
    record.leaf.agreement = setting_.agreement.digest();
    record.leaf.related = settled;
    record.user = decision.by()->str();
    record.controller = owed.sender;
    record.retention = "incident";
    record.subjects = owed.subjects;
    record.subjects.push_back(incident_subject(owed));
    record.sets.push_back(decision_key(next_index));
    schemas::RecordBodyValue body;
    body.at_us = to_us(now_);
    body.decision = told_facts(about, threads);
    if (incident != state.incidents.end()) body.decision->version = incident->second.version;
    record.body = pack_body(body);
    const auto reviewed = emit(std::move(record));
    if (!planned) return;
    Fresh fresh{*planned, id, seed, first};
    issue(about, fresh, reviewed, "permitted");
    tell_kept_from(about, fresh.id, fresh.planned.kind, fresh.planned.topic);
}

// As it was planned, with its times moved to now.
notices::Planned Decider::let_go(const HeldBack& held) const {
    notices::Planned planned;
    planned.recipient = held.recipient;
    planned.topic = held.topic;
    planned.kind = held.kind;
    planned.subjects = held.subjects;
    planned.rule = held.rule;
    planned.purpose = held.purpose;
    planned.legal_basis = held.legal_basis;
    planned.retention = held.retention;
    planned.dedup = held.thread;
    planned.urn = held.urn;
    planned.due = held.urn != 0 ? notices::next_school_day_start(state.known, held.urn, now_, setting_.zone)
                                : now_ + (held.due - held.planned);
    planned.payload = unpacked(held.kind, held.payload, planned.due);
    for (const auto& rung : held.rungs) {
        notices::PlannedRung next;
        next.at = rung.before_deadline ? rung.at + (planned.due - held.due) : rung.at + (now_ - held.planned);
        next.before_deadline = rung.before_deadline;
        next.unless = rung.unless;
        next.recipient = rung.recipient;
        next.topic = rung.topic;
        next.rule = rung.rule;
        next.purpose = rung.purpose;
        next.retention = rung.retention;
        next.legal_basis = rung.legal_basis;
        if (!rung.payload.empty()) next.payload = unpacked(held.kind, rung.payload, planned.due);
        planned.rungs.push_back(std::move(next));
    }
    std::ranges::stable_sort(planned.rungs, {}, &notices::PlannedRung::at);
    return planned;
}

}  // namespace flagpost::exchange
