#include <algorithm>

#include "broker/core/limits.h"
#include "broker/crypto/digest.h"
#include "broker/exchange/checks.h"
#include "broker/exchange/decider.h"

namespace flagpost::exchange {

using log::LeafKind;
using log::Operation;
using schemas::Kind;

/// One version of one incident, about to be decided.
struct Decider::Case {
    IncidentName name;
    schemas::IncidentValue value;
    std::uint64_t index;  // of the record that holds it
    std::optional<Id16> message;
    std::string purpose;
    std::vector<std::string> legal_basis;
    bool late;  // decided before; the register has changed since
};

namespace {

std::unique_ptr<schemas::DecisionHitValue> hit_value(const std::string& subject, schemas::Outcome outcome,
                                                     match::Millibits score,
                                                     const std::optional<std::uint16_t>& person,
                                                     const std::vector<std::string>& reasons,
                                                     const std::vector<match::Evidence>& evidence) {
    auto value = std::make_unique<schemas::DecisionHitValue>();
    value->subject = subject;
    value->outcome = outcome;
    value->score = score;
    if (person) value->person = *person;
    value->reasons = reasons;
    for (const auto& item : evidence) {
        auto row = std::make_unique<schemas::DecisionEvidenceValue>();
        row->field = item.field;
        row->level = item.level;
        row->weight = item.weight;
        value->evidence.push_back(std::move(row));
    }
    return value;
}

std::unique_ptr<schemas::DecisionFactsValue> explanation(const match::Decision& decision) {
    auto facts = std::make_unique<schemas::DecisionFactsValue>();
    facts->summary = decision.summary();
    facts->dropped = decision.dropped;
    for (const auto& hit : decision.flags) {
        facts->flags.push_back(
            hit_value(text(hit.flag), hit.outcome, hit.score, hit.person, hit.reasons, hit.evidence));
        facts->flags.back()->hit = hit.kind;
        if (hit.linked_adult) facts->flags.back()->linked_adult = *hit.linked_adult;
    }
    for (const auto& hit : decision.pupils) {
        facts->pupils.push_back(
            hit_value(text(hit.pupil), hit.outcome, hit.score, hit.person, hit.reasons, hit.evidence));
        facts->pupils.back()->through = static_cast<std::uint8_t>(hit.through);
    }
    for (const auto& child : decision.unplaced) {
        auto row = std::make_unique<schemas::DecisionUnplacedValue>();
        row->person = child.person;
        row->why = child.why;
        facts->unplaced.push_back(std::move(row));
    }
    return facts;
}

std::vector<std::string> subjects_of(const match::Decision& decision) {
    std::vector<std::string> subjects;
    for (const auto& hit : decision.flags) subjects.push_back(text(hit.flag));
    for (const auto& hit : decision.pupils) subjects.push_back(text(hit.pupil));
    return subjects;
}

std::unique_ptr<schemas::ToldValue> told_value(const std::string& child, const Thread& thread) {
    auto value = std::make_unique<schemas::ToldValue>();
    value->thread = child;
    value->topic = thread.topic;
    value->fingerprint = thread.fingerprint;
    for (const auto& notice : thread.notices)
        value->notices.insert(value->notices.end(), notice.begin(), notice.end());
    value->permitted = thread.permitted;
    value->not_on_roll = thread.not_on_roll;
    value->doubts = thread.doubts;
    value->permitted_doubts = thread.permitted_doubts;
    value->told_before = thread.told_before;
    return value;
}

// Names the obligation in the notice, for machines and for people.
Bytes named_payload(notices::Payload& payload, const Id16& id) {
    struct Naming {
        const Id16& id;
        Bytes operator()(schemas::SocialCareNoticeValue& notice) const {
            notice.notice.assign(id.begin(), id.end());
            notice.reference = human_reference("FP", id);
            return wire::pack<schemas::SocialCareNotice>(notice);
        }
        Bytes operator()(schemas::SchoolNoticeValue& notice) const {
            notice.notice.assign(id.begin(), id.end());
            notice.reference = human_reference("FP", id);
            return wire::pack<schemas::SchoolNotice>(notice);
        }
        Bytes operator()(schemas::ReviewItemValue& item) const {
            item.review.assign(id.begin(), id.end());
            item.reference = human_reference("RV", id);
            return wire::pack<schemas::ReviewItem>(item);
        }
        Bytes operator()(schemas::RecallValue& recall) const {
            recall.notice.assign(id.begin(), id.end());
            recall.reference = human_reference("FP", id);
            return wire::pack<schemas::Recall>(recall);
        }
        Bytes operator()(schemas::QuestionValue& question) const {
            question.question.assign(id.begin(), id.end());
            question.reference = human_reference("QU", id);
            return wire::pack<schemas::Question>(question);
        }
        Bytes operator()(schemas::QuestionAnswerValue& answer) const {
            answer.answer.assign(id.begin(), id.end());
            return wire::pack<schemas::QuestionAnswer>(answer);
        }
    };
    return std::visit(Naming{id}, payload);
}

std::unique_ptr<schemas::RungFactsValue> rung_facts(notices::PlannedRung& rung, const Id16& id) {
    auto facts = std::make_unique<schemas::RungFactsValue>();
    facts->at_us = to_us(rung.at);
    facts->unless = rung.unless;
    facts->before_deadline = rung.before_deadline;
    facts->recipient = rung.recipient;
    if (rung.recipient.empty()) return facts;
    facts->topic = rung.topic;
    facts->rule = rung.rule;
    facts->purpose = rung.purpose;
    facts->legal_basis = rung.legal_basis;
    facts->retention = rung.retention;
    facts->payload = named_payload(rung.payload, id);
    return facts;
}

// A notice that waits for a person: named when it is sent.
std::unique_ptr<schemas::HeldNoticeValue> held_facts(notices::Planned& planned, Instant now) {
    auto facts = std::make_unique<schemas::HeldNoticeValue>();
    facts->recipient = planned.recipient;
    facts->topic = planned.topic;
    facts->kind = planned.kind;
    facts->rule = planned.rule;
    facts->purpose = planned.purpose;
    facts->legal_basis = planned.legal_basis;
    facts->retention = planned.retention;
    facts->subjects = planned.subjects;
    facts->thread = planned.dedup;
    facts->fingerprint = fingerprint_of(planned);
    facts->planned_us = to_us(now);
    facts->due_us = to_us(planned.due);
    facts->urn = planned.urn;
    for (auto& rung : planned.rungs) facts->rungs.push_back(rung_facts(rung, Id16{}));
    facts->payload = named_payload(planned.payload, Id16{});
    return facts;
}

std::unique_ptr<schemas::AskedFactsValue> asked_facts(const AskedAbout& asked) {
    auto facts = std::make_unique<schemas::AskedFactsValue>();
    facts->message.assign(asked.message.begin(), asked.message.end());
    facts->notice.assign(asked.notice.begin(), asked.notice.end());
    facts->topic = asked.topic;
    return facts;
}

// A school's notice and an answer have to be opened; social care, a review desk and a force that is asked have to say
// what they did.
schemas::Level answered_by(Kind kind) {
    return kind == Kind::school_notice || kind == Kind::answer ? schemas::Level::opened
                                                               : schemas::Level::recorded;
}

const char* reference_prefix(Kind kind) {
    switch (kind) {
        case Kind::review_item:
            return "RV";
        case Kind::question:
            return "QU";
        default:
            return "FP";
    }
}

std::set<std::string> not_on_roll(const std::map<std::string, Thread>& threads) {
    std::set<std::string> names;
    for (const auto& [name, thread] : threads)
        if (thread.not_on_roll) names.insert(name);
    return names;
}

/// Digests of 16 bytes, ascending: comparable, and without the words.
Bytes doubts_of(const notices::Planned& planned) {
    std::set<Id16> digests;
    for (const auto& doubt : planned.doubts)
        digests.insert(*exactly<16>(BytesView{crypto::sha256(view(doubt))}.first(16)));
    Bytes all;
    for (const auto& digest : digests) all.insert(all.end(), digest.begin(), digest.end());
    return all;
}

/// Whether whoever permitted it has looked at all that holds it now.
bool is_permitted(const Thread& thread, const notices::Planned& planned) {
    if (!thread.permitted) return false;
    const auto split = [](BytesView all) {
        std::vector<Id16> digests;
        for (; all.size() >= 16; all = all.subspan(16)) digests.push_back(*exactly<16>(all.first(16)));
        return digests;
    };
    return std::ranges::includes(split(thread.permitted_doubts), split(doubts_of(planned)));
}

bool is_review(const std::string& thread) { return thread.ends_with(" review_item"); }

}  // namespace

Bytes fingerprint_of(const notices::Planned& planned) {
    const auto whole = crypto::sha256(planned.fingerprint);
    return {whole.begin(), whole.begin() + 16};
}

// The first stays for ever: updates are threaded onto it.
void add_to_thread(Thread& thread, const Id16& notice) {
    if (thread.notices.size() == limits::notices_per_thread_max)
        thread.notices.erase(thread.notices.begin() + 1);
    thread.notices.push_back(notice);
}

std::unique_ptr<schemas::DecisionFactsValue> told_facts(const IncidentName& about,
                                                        const std::map<std::string, Thread>& threads) {
    auto facts = std::make_unique<schemas::DecisionFactsValue>();
    facts->force = about.force;
    facts->reference = about.reference;
    for (const auto& [child, thread] : threads) facts->told.push_back(told_value(child, thread));
    return facts;
}

Reply Decider::take_incident(const Message& message) {
    const auto table = payload<schemas::Incident>(message);
    if (!table) return table.error();
    const auto& incident = **table;
    const auto force = message.envelope.topic.substr(message.envelope.topic.find('/') + 1);
    if (auto sound = check(incident, force); !sound) return sound.error();

    IncidentName name{incident.force()->str(), incident.reference()->str()};
    const auto known = state.incidents.find(name);
    const bool is_news = known == state.incidents.end() || incident.version() > known->second.version;

    auto record = published(message);
    record.body = received_incident(message.received(), name.force, name.reference, incident.version());
    record.subjects.push_back(incident_subject("police/" + name.force, name.reference));
    record.retention = "incident";
    record.sets.push_back(incident_key(next_index));
    Case which{std::move(name),         {},   next_index, message.envelope.id, record.leaf.purpose,
               record.leaf.legal_basis, false};
    const auto index = emit(std::move(record));

    // An older version, or the same again, is kept and changes nothing.
    if (is_news) {
        incident.UnPackTo(&which.value);
        decide_incident(which);
    }
    return Confirmed{index, false};
}

std::vector<log::Record> Decider::rehearse(std::uint64_t index, BytesView body, bool late, Instant now) {
    const auto& facts = read_body(body);
    if (facts.incident() == nullptr) throw std::runtime_error{"a record that holds no incident"};
    IncidentName name{facts.incident()->force()->str(), facts.incident()->reference()->str()};
    const auto known = state.incidents.find(name);
    if (known == state.incidents.end() || known->second.newest != index) return {};

    const auto envelope = wire::read_envelope(bytes_of(facts.envelope()));
    const auto incident = envelope
                              ? wire::read_table<schemas::Incident>(envelope->payload, "envelope.payload")
                              : tl::unexpected{envelope.error()};
    if (!incident) throw std::runtime_error{"a record that holds no incident"};
    Case which{std::move(name), {}, index, std::nullopt, "", {}, late};
    (*incident)->UnPackTo(&which.value);
    if (!late) {
        which.message = envelope->id;
        if (envelope->table->purpose() != nullptr) which.purpose = envelope->table->purpose()->str();
        if (envelope->table->legal_basis() != nullptr)
            for (const auto* code : *envelope->table->legal_basis()) which.legal_basis.push_back(code->str());
    }
    now_ = now;
    outcome_ = {};
    rehearsing_ = true;
    const auto next = next_index;
    decide_incident(which);
    next_index = next;
    rehearsing_ = false;
    return std::move(outcome_.records);
}

void Decider::decide_incident(const Case& which) {
    // What police have taken back concerns nobody, and whoever was told of it hears that.
    const bool withdrawn = which.value.status == schemas::IncidentStatus::withdrawn;
    const auto decision = withdrawn ? match::Decision{} : match::decide(state.known, which.value, now_);
    // Which notices are news to their recipient, and the threads as they stand with them.
    auto threads = state.incidents.at(which.name).threads;
    auto plan = notices::plan(setting_.agreement, state.known, which.value, decision, now_, setting_.zone,
                              not_on_roll(threads), kept_from(which.name, decision));
    // A person has looked at it: what is held because of the same doubts goes to whom it is for. One more, and they look again.
    for (auto& planned : plan.planned)
        if (const auto thread = threads.find(planned.dedup);
            planned.held && thread != threads.end() && is_permitted(thread->second, planned))
            planned = notices::Planned{std::move(*std::unique_ptr{std::move(planned.held)})};
    if (!which.late) add_recalls(which, threads, plan);
    std::vector<Fresh> fresh;
    for (auto& planned : plan.planned) {
        auto fingerprint = fingerprint_of(planned);
        const auto thread = threads.find(planned.dedup);
        const bool is_told = thread != threads.end();
        if (is_told && (which.late || thread->second.fingerprint == fingerprint)) continue;
        const auto round = is_told ? thread->second.notices.size() : 0;
        const std::string seed = which.name.force + "|" + which.name.reference + "|" +
                                 std::to_string(which.value.version) + "|" + planned.dedup + "|" +
                                 std::to_string(round);
        const auto id = setting_.make_id("notice|" + seed);
        fresh.push_back({planned, id, seed,
                         planned.recalls ? planned.recalls
                         : is_told       ? std::optional{thread->second.notices.front()}
                                         : std::nullopt});
        auto& entry = threads[planned.dedup];
        entry.topic = planned.topic;
        entry.fingerprint = std::move(fingerprint);
        entry.doubts = doubts_of(planned);
        entry.told_before.clear();
        if (planned.held)
            if (const auto told = threads.find(planned.held->dedup); told != threads.end())
                entry.told_before = told->second.fingerprint;
        add_to_thread(entry, id);
    }
    if (which.late && fresh.empty()) return;

    auto record = record_by_broker(LeafKind::decided, Operation::combination);
    record.leaf.message = which.message;
    record.leaf.agreement = setting_.agreement.digest();
    record.leaf.purpose = which.purpose;
    record.leaf.legal_basis = which.legal_basis;
    record.leaf.outcome = withdrawn ? "withdrawn" : (which.late ? "late: " : "") + decision.summary();
    record.leaf.engine = engine_;
    record.leaf.candidates = decision.candidates;
    record.leaf.related = which.index;
    record.controller = "police/" + which.name.force;
    record.retention = "incident";
    const bool explains = !decision.flags.empty() || !decision.pupils.empty() || !decision.unplaced.empty();
    if (explains || !threads.empty()) {
        schemas::RecordBodyValue body;
        body.at_us = to_us(now_);
        body.decision = explanation(decision);
        body.decision->force = which.name.force;
        body.decision->reference = which.name.reference;
        body.decision->version = which.value.version;
        body.decision->incident = which.index;
        body.decision->late = which.late;
        for (const auto& [child, thread] : threads) body.decision->told.push_back(told_value(child, thread));
        record.body = pack_body(body);
        record.subjects = subjects_of(decision);
        record.subjects.push_back(incident_subject("police/" + which.name.force, which.name.reference));
        record.sets.push_back(decision_key(next_index));
    }
    const auto decided = emit(std::move(record));

    for (auto& notice : fresh) {
        const bool recalls = notice.planned.recalls.has_value();
        if (recalls) close_recalled(which, notice.planned.dedup, decided);
        issue(which.name, notice, decided,
              recalls        ? "recall"
              : which.late   ? "late"
              : notice.first ? "update"
                             : "first");
    }
    for (const auto& withheld : which.late ? std::vector<notices::Withheld>{} : plan.withheld) {
        auto refusal = record_by_broker(LeafKind::refused, Operation::none);
        refusal.leaf.recipient = withheld.recipient;
        refusal.leaf.agreement = setting_.agreement.digest();
        refusal.leaf.outcome = name(Reason::not_permitted);
        refusal.leaf.rule = withheld.why;
        refusal.leaf.related = decided;
        refusal.subjects = withheld.subjects;
        emit(std::move(refusal));
    }
    // Behind all that a replay of this decision makes again.
    for (const auto& notice : fresh)
        tell_kept_from(which.name, notice.id, notice.planned.kind, notice.planned.topic);
}

// Whoever was told and would not be told by what police say now was told wrongly: of an incident that is withdrawn, or
// of a child that it turns out not to concern. A change of the register is no mistake of the incident's, and recalls
// nothing: so only what its last version, decided today, would still say.
void Decider::add_recalls(const Case& which, const std::map<std::string, Thread>& threads,
                          notices::Plan& plan) {
    if (threads.empty()) return;
    const bool withdrawn = which.value.status == schemas::IncidentStatus::withdrawn;
    std::set<std::string> still;
    for (const auto& planned : plan.planned) {
        still.insert(planned.dedup);
        if (planned.held) still.insert(planned.held->dedup);
    }
    std::set<std::string> before;
    if (const auto& previous = state.incidents.at(which.name).previous; !withdrawn && !previous.empty()) {
        schemas::IncidentValue value;
        flatbuffers::GetRoot<schemas::Incident>(previous.data())->UnPackTo(&value);
        const auto decision = match::decide(state.known, value, now_);
        for (const auto& planned :
             notices::plan(setting_.agreement, state.known, value, decision, now_, setting_.zone,
                           not_on_roll(threads), kept_from(which.name, decision))
                 .planned) {
            before.insert(planned.dedup);
            if (planned.held) before.insert(planned.held->dedup);
        }
    }
    std::vector<notices::Planned> recalls;
    const auto recall = [&](const std::string& name, const std::string& topic, schemas::Kind kind,
                            const std::vector<Id16>& notices) {
        const auto* prefix = kind == Kind::review_item ? "RV" : "FP";
        recalls.push_back(
            notices::recall(setting_.agreement, which.value,
                            {name, topic, kind, notices, human_reference(prefix, notices.front()),
                             withdrawn ? schemas::RecallReason::withdrawn : schemas::RecallReason::corrected},
                            now_));
    };
    for (const auto& [name, thread] : threads) {
        if (still.contains(name) || (!withdrawn && !before.contains(name))) continue;
        const auto kind = is_review(name)                         ? Kind::review_item
                          : name.ends_with(" social_care_notice") ? Kind::social_care_notice
                                                                  : Kind::school_notice;
        const bool is_open = std::ranges::any_of(
            thread.notices, [&](const Id16& notice) { return state.obligations.contains(notice); });
        // A review that was decided told nobody anything.
        if (kind == Kind::review_item && !is_open) continue;
        recall(name, thread.topic, kind, thread.notices);
        // And so does everybody it went on to.
        std::set<std::string> others;
        for (const auto& notice : thread.notices)
            if (const auto rungs = state.escalated.find(notice); rungs != state.escalated.end())
                for (const auto& [rung, item] : rungs->second)
                    if (!item.first.empty() && item.first != thread.topic) others.insert(item.first);
        for (const auto& topic : others) recall(name + " at " + topic, topic, kind, thread.notices);
    }
    for (auto& planned : recalls) plan.planned.push_back(std::move(planned));
}

// What is recalled is not owed any more, nor is what police have answered about it; removing it is.
void Decider::close_recalled(const Case& which, const std::string& thread, std::uint64_t decided) {
    const auto found = state.incidents.at(which.name).threads.find(thread);
    if (found == state.incidents.at(which.name).threads.end()) return;
    std::vector<Id16> recalled = found->second.notices;
    for (const auto& [answer, owed] : state.obligations)
        if (owed.kind == Kind::answer && owed.asked &&
            std::ranges::find(found->second.notices, owed.asked->notice) != found->second.notices.end())
            recalled.push_back(answer);
    for (const auto& notice : recalled) {
        const auto owed = state.obligations.find(notice);
        if (owed == state.obligations.end()) continue;
        auto record = record_by_broker(LeafKind::recorded, Operation::none);
        record.leaf.topic = owed->second.topic;
        record.leaf.message = notice;
        record.leaf.outcome = "recalled";
        record.leaf.related = decided;
        record.controller = owed->second.recipient;
        record.retention = "receipt";
        record.subjects = {incident_subject(owed->second)};
        schemas::RecordBodyValue body;
        body.at_us = to_us(now_);
        body.receipt = std::make_unique<schemas::ReceiptFactsValue>();
        body.receipt->notice.assign(notice.begin(), notice.end());
        body.receipt->level = schemas::Level::recorded;
        close_by(record, body, notice, true);
        record.body = pack_body(body);
        emit(std::move(record));
    }
}

void Decider::issue(const IncidentName& about, Fresh& fresh, std::uint64_t decided, const char* outcome) {
    auto& planned = fresh.planned;
    const auto& id = fresh.id;
    const auto& seed = fresh.seed;
    const auto number = next_number(planned.topic);
    const auto reference = fresh.reference.value_or(human_reference(reference_prefix(planned.kind), id));
    wire::Draft draft{planned.kind,
                      planned.topic,
                      reference,
                      planned.purpose,
                      planned.legal_basis,
                      fresh.first,
                      named_payload(planned.payload, id)};
    auto envelope = wire::make_envelope(draft, id, setting_.make_id("notice-salt|" + seed), now_);

    schemas::RecordBodyValue body;
    body.at_us = to_us(now_);
    body.envelope = envelope;
    body.item = item_facts(planned.topic, number);
    body.obligation = std::make_unique<schemas::ObligationFactsValue>();
    body.obligation->notice.assign(id.begin(), id.end());
    body.obligation->recipient = planned.recipient;
    body.obligation->due_us = to_us(planned.due);
    body.obligation->closes_on = answered_by(planned.kind);
    body.obligation->kind = planned.kind;
    body.obligation->reference = draft.subject;
    body.obligation->sender = fresh.sender.value_or("police/" + about.force);
    body.obligation->about = about.reference;
    body.obligation->subjects = planned.subjects;
    body.obligation->thread = planned.dedup;
    body.obligation->two_people = planned.two_people;
    if (planned.held) body.obligation->held = held_facts(*planned.held, now_);
    if (fresh.asked) body.obligation->asked = asked_facts(*fresh.asked);
    for (auto& rung : planned.rungs) body.obligation->rungs.push_back(rung_facts(rung, id));

    auto record = record_by_broker(LeafKind::notice_issued, Operation::disclosure);
    record.leaf.recipient = planned.recipient;
    record.leaf.topic = planned.topic;
    record.leaf.message = id;
    record.leaf.number = number;
    record.leaf.agreement = setting_.agreement.digest();
    record.leaf.rule = planned.rule;
    record.leaf.purpose = planned.purpose;
    record.leaf.legal_basis = planned.legal_basis;
    record.leaf.outcome = outcome;
    record.leaf.related = decided;
    record.subjects = planned.subjects;
    record.subjects.push_back(incident_subject("police/" + about.force, about.reference));
    record.body = pack_body(body);
    record.controller = planned.recipient;
    record.retention = planned.retention;
    record.sets.push_back(delivery_key(planned.topic, number));
    record.sets.push_back(notice_key(id));
    const auto index = emit(std::move(record));
    outcome_.deliveries.push_back({planned.topic, number, index, std::move(envelope)});
}

// The register changed: an incident whose window is open may now concern somebody it did not before. Only those are
// told who were told nothing of it yet; whoever was told hears of changes to the incident, not to the register.
void Decider::reconsider_some() {
    if (!reconsider_from_) return;
    std::vector<IncidentName> names;
    auto place = state.incidents.lower_bound(*reconsider_from_);
    for (; place != state.incidents.end() && names.size() < limits::reconsidered_per_tick_max; ++place)
        if (!place->second.payload.empty()) names.push_back(place->first);
    reconsider_from_ = place == state.incidents.end() ? std::nullopt : std::optional{place->first};
    for (const auto& name : names) route_anew(name);
}

void Decider::route_anew(const IncidentName& about) {
    const auto& incident = state.incidents.at(about);
    Case which{about, {}, incident.newest, std::nullopt, "", {}, true};
    flatbuffers::GetRoot<schemas::Incident>(incident.payload.data())->UnPackTo(&which.value);
    decide_incident(which);
}

}  // namespace flagpost::exchange
