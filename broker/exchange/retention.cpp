// How long bodies are kept: until their time is over, or somebody orders it; not while state rests on them or a hold stands.
#include <algorithm>

#include "broker/core/limits.h"
#include "broker/exchange/checks.h"
#include "broker/exchange/decider.h"
#include "broker/plain/person.h"

namespace flagpost::exchange {

using log::LeafKind;
using log::Operation;
using schemas::Kind;
using schemas::OrderDoes;

/// What is ordered, with what the order leaves out filled in.
struct Decider::Order {
    OrderDoes does{};
    std::string subject;
    std::optional<std::uint64_t> record;  // instead of a subject
    std::string controller;               // whose records; empty: everybody's
    std::string by, reason, reference;
    std::string person, works_for;  // of a conflict, and of what ends one
    bool by_operator = false;

    HoldName hold() const { return {controller, subject, reference}; }
};

namespace {

constexpr const char* order_class = "order";
constexpr const char* conflict_rule = "conflict";  // tells such a leaf from that of a legal hold

/// "flag/E10000024/1234", "pupil/900001/H243278544154", "pupil/0/E10000024/..." or "incident/31/OCC-1".
struct SubjectParts {
    std::string kind, code, rest;
};
std::optional<SubjectParts> parts_of(std::string_view subject) {
    const auto kind_end = subject.find('/');
    if (kind_end == std::string_view::npos) return std::nullopt;
    const auto code_end = subject.find('/', kind_end + 1);
    if (code_end == std::string_view::npos) return std::nullopt;
    return SubjectParts{std::string{subject.substr(0, kind_end)},
                        std::string{subject.substr(kind_end + 1, code_end - kind_end - 1)},
                        std::string{subject.substr(code_end + 1)}};
}

/// The incident whose sender is `controller` and whose subject this is.
std::optional<IncidentName> incident_of(std::string_view subject, std::string_view controller) {
    const auto parts = parts_of(subject);
    if (!parts || parts->kind != "incident" || controller != "police/" + parts->code) return std::nullopt;
    return IncidentName{parts->code, parts->rest};
}

/// Whose records an agency may give orders about.
Result<std::string> controller_in(const schemas::RecordOrder& order, const AgencyId& agency, bool by_operator,
                                  const agreement::Agreement& agreement) {
    const auto* named = order.controller();
    if (named == nullptr || named->size() == 0) {
        if (!by_operator) return agency.text();
        if (order.does() != OrderDoes::erase) return std::string{};
        return refuse(Reason::invalid_value, "order.controller: whose record is to be erased?");
    }
    const auto whose = AgencyId::parse(named->string_view());
    if (!whose) return refuse(Reason::invalid_value, "order.controller");
    if (!by_operator && !agreement.acts_as(agency, *whose))
        return refuse(Reason::not_permitted, "order.controller: not the sender, nor whom it acts for");
    return whose->text();
}

}  // namespace

// --- When the time is over

std::optional<Instant> Decider::expires_before(Instant now) const {
    const auto shortest = setting_.agreement.shortest_retention();
    if (!shortest || state.clock_held) return std::nullopt;
    return now - *shortest;
}

// One leaf for each row of the schedule: why, and by which row.
Reply Decider::take(const Expire& expire) {
    if (state.clock_held || expire.ahead) return {};
    const auto holds = standing_holds();
    std::map<std::string, std::vector<std::uint64_t>> over;
    for (const auto& kept : expire.kept) {
        const auto* row = setting_.agreement.retention_for(kept.retention, kept.controller);
        if (row == nullptr || kept.time + row->keep > now_) continue;
        if (!kept.rests.empty() || hold_on(kept, holds) != nullptr) continue;
        over[row->id].push_back(kept.index);
    }
    for (auto& [row, indexes] : over) {
        auto record = record_by_broker(LeafKind::erased, Operation::erasure);
        record.leaf.agreement = setting_.agreement.digest();
        record.leaf.outcome = "retention";
        record.leaf.rule = row;
        record.erases = std::move(indexes);
        emit_erasure(std::move(record));
    }
    return {};
}

// The leaves that said so were written after the copy was made, and are gone with what was lost. They are said again.
void Decider::log_erased_again(std::vector<std::uint64_t> erased) {
    std::ranges::sort(erased);
    for (std::size_t from = 0; from < erased.size(); from += limits::erased_per_record_max) {
        const auto to = std::min(from + limits::erased_per_record_max, erased.size());
        auto record = record_by_broker(LeafKind::erased, Operation::erasure);
        record.leaf.outcome = "restored";
        record.leaf.candidates = static_cast<std::uint32_t>(to - from);
        record.leaf.erased = log::to_ranges({erased.begin() + static_cast<std::ptrdiff_t>(from),
                                             erased.begin() + static_cast<std::ptrdiff_t>(to)});
        emit(std::move(record));
    }
}

// --- Holds

Decider::StandingHolds Decider::standing_holds() const {
    StandingHolds holds;
    if (!setting_.pseudonym) return holds;  // replaying: nothing is decided about what is kept
    for (const auto& [name, hold] : state.legal_holds) holds.emplace(setting_.pseudonym(name.subject), &name);
    return holds;
}

const HoldName* Decider::hold_on(const log::Kept& kept, const StandingHolds& holds) {
    if (holds.empty()) return nullptr;
    for (const auto& subject : kept.subjects) {
        const auto [first, last] = holds.equal_range(subject);
        for (auto hold = first; hold != last; ++hold)
            if (hold->second->controller.empty() || hold->second->controller == kept.controller)
                return hold->second;
    }
    return nullptr;
}

bool Decider::is_held(const IncidentName& name, const RetainedIncident& incident) const {
    const std::string force = "police/" + name.force;
    const auto subject = incident_subject(force, name.reference);
    return std::ranges::any_of(state.legal_holds, [&](const auto& hold) {
        const auto& [controller, held, reference] = hold.first;
        return (controller.empty() || controller == force) &&
               (held == subject || incident.about.contains(held));
    });
}

Reply Decider::take_hold(const Message& message, const Order& order) {
    if (order.does == OrderDoes::conflict && !plain::may_be_same_person(order.person, order.person))
        return Refusal{Reason::invalid_value,
                       "order.person: needs a first name, or its initial, and a surname"};
    // Mistyped, it would keep nobody from anything.
    if (order.does == OrderDoes::conflict && !takes_part(order.works_for))
        return Refusal{Reason::invalid_value, "order.works_for: takes no part in the agreement"};
    if (order.does == OrderDoes::conflict && !order.by_operator && !is_own_case(order))
        return Refusal{Reason::not_permitted, "order.subject: not a case of this agency's"};
    if (order.does == OrderDoes::conflict && !is_known_case(order.subject))
        return Refusal{Reason::not_found, "order.subject: no such flag or pupil"};
    if (state.legal_holds.contains(order.hold()) || state.conflicts.contains(order.hold()))
        return Refusal{Reason::conflict, "order: this hold stands already"};
    if (state.legal_holds.size() + state.conflicts.size() >= limits::legal_holds_max)
        return Refusal{Reason::too_large, "order: more holds than may stand"};
    const auto index = emit_order(message, order);
    emit_hold(order_record(message, order, LeafKind::held, index), order,
              message.command.actor.id.agency().text());
    if (order.does == OrderDoes::conflict) tell_of_conflict(order.subject, {order.person, order.works_for});
    return Confirmed{index, false};
}

// Whoever set a hold lifts it; of operators, one for another.
Reply Decider::take_lift(const Message& message, Order order) {
    const auto found = state.legal_holds.find(order.hold());
    const auto conflict = state.conflicts.find(order.hold());
    const bool is_conflict = conflict != state.conflicts.end();
    if (found == state.legal_holds.end() && !is_conflict)
        return Refusal{Reason::not_found, "order: no such hold"};
    const std::string set_by = is_conflict ? conflict->second.holder : found->second.holder;
    if (is_conflict) {
        order.person = conflict->second.person;
        order.works_for = conflict->second.works_for;
    }
    const auto holder = AgencyId::parse(set_by);
    const auto& agency = message.command.actor.id.agency();
    const bool is_theirs = holder && (setting_.agreement.acts_as(agency, *holder) ||
                                      (order.by_operator && holder->kind() == "operator"));
    if (!is_theirs) return Refusal{Reason::not_permitted, "order: the hold was set by another"};
    const auto index = emit_order(message, order);
    emit_hold(order_record(message, order, LeafKind::lifted, index), order, set_by);
    if (is_conflict) tell_of_conflict(order.subject, {order.person, order.works_for});
    return Confirmed{index, false};
}

// --- Conflict lists

bool Decider::takes_part(std::string_view agency) const {
    return std::ranges::any_of(setting_.agreement.parties(), [&](const auto& entry) {
        return notices::may_work_at(setting_.agreement, agency, entry.first.text());
    });
}

// Nobody keeps another agency's people from their work: a flag is its authority's case, a pupil its school's and the
// authority's where the school is, an incident its force's.
bool Decider::is_own_case(const Order& order) const {
    const auto parts = parts_of(order.subject);
    if (!parts) return false;
    const auto& [kind, code, rest] = *parts;
    if (kind == "flag") return order.controller == "social-care/" + code;
    if (kind == "incident") return order.controller == "police/" + code;
    if (kind != "pupil") return false;
    // Of a register of children not in school: "pupil/0/<la>/...".
    if (code == "0")
        return order.controller.starts_with("education/") &&
               rest.starts_with(order.controller.substr(10) + "/");
    if (order.controller == "school/" + code) return true;
    const auto urn = parse_urn(code);
    const auto* school = urn ? state.known.school(*urn) : nullptr;
    return school != nullptr && order.controller == "education/" + school->la;
}

// Mistyped, it would keep nobody from anything either. Only of an incident may be listed before it comes: the force knows of it first.
bool Decider::is_known_case(std::string_view subject) const {
    if (subject.starts_with("incident/")) return true;
    if (const auto parts = parts_of(subject)) {
        const auto& [kind, code, rest] = *parts;
        if (kind == "flag" && state.known.flag({code, rest}) != nullptr) return true;
        const auto urn = code == "0" ? std::optional{std::uint32_t{0}} : parse_urn(code);
        if (kind == "pupil" && urn && state.known.pupil({*urn, rest}) != nullptr) return true;
    }
    // Deleted or off the roll by now; what was told stays a case.
    return std::ranges::any_of(state.incidents, [&](const auto& incident) {
        return is_case(incident.first, incident.second, subject);
    });
}

std::vector<notices::KeptFrom> Decider::kept_from(const IncidentName& name,
                                                  const match::Decision& decision) const {
    std::vector<notices::KeptFrom> people;
    if (state.conflicts.empty()) return people;
    std::set<std::string, std::less<>> about{incident_subject("police/" + name.force, name.reference)};
    for (const auto& hit : decision.flags) about.insert(registry::text(hit.flag));
    for (const auto& hit : decision.pupils) about.insert(registry::text(hit.pupil));
    for (const auto& [hold, conflict] : state.conflicts)
        if (about.contains(hold.subject)) people.push_back({conflict.person, conflict.works_for});
    return people;
}

bool Decider::is_in_conflict(const Obligation& owed, std::string_view name, const AgencyId& agency) const {
    if (state.conflicts.empty()) return false;
    const auto incident = incident_subject(owed);
    const auto found = state.incidents.find(incident_of(owed));
    return std::ranges::any_of(state.conflicts, [&](const auto& each) {
        const auto& subject = each.first.subject;
        const bool is_theirs =
            subject == incident || std::ranges::find(owed.subjects, subject) != owed.subjects.end() ||
            (found != state.incidents.end() && is_case(found->first, found->second, subject));
        return is_theirs && plain::may_be_same_person(each.second.person, name) &&
               notices::may_work_at(setting_.agreement, each.second.works_for, agency.text());
    });
}

// After the window's end only the threads say whom an incident is about: "flag/<la>/<id> social-care/...",
// "pupil/<key> school/<urn> ...", "pupil/<key> education/<la> ...".
bool Decider::is_case(const IncidentName& name, const RetainedIncident& incident, std::string_view subject) {
    if (subject == incident_subject("police/" + name.force, name.reference)) return true;
    if (incident.about.contains(std::string{subject})) return true;
    std::string thread{subject};
    if (subject.starts_with("pupil/")) {
        const auto parts = parts_of(subject);
        if (!parts) return false;
        auto [kind, code, key] = *parts;
        std::string at = "school/" + code;
        if (code == "0") {
            const auto la_end = key.find('/');
            if (la_end == std::string::npos) return false;
            at = "education/" + key.substr(0, la_end);
            key.erase(0, la_end + 1);
        }
        thread = "pupil/" + key + " " + at;
    }
    return std::ranges::any_of(incident.threads,
                               [&](const auto& each) { return each.first.starts_with(thread + " "); });
}

std::set<notices::KeptFrom> Decider::listed(const IncidentName& name) const {
    std::set<notices::KeptFrom> people;
    if (state.conflicts.empty()) return people;
    const auto incident = state.incidents.find(name);
    if (incident == state.incidents.end()) return people;
    for (const auto& [hold, conflict] : state.conflicts)
        if (is_case(name, incident->second, hold.subject))
            people.insert({conflict.person, conflict.works_for});
    return people;
}

void Decider::tell_kept_from(const IncidentName& about, const Id16& notice, Kind kind,
                             const std::string& topic) {
    const bool is_shown = kind == Kind::social_care_notice || kind == Kind::school_notice ||
                          kind == Kind::review_item || kind == Kind::question;
    if (!is_shown || rehearsing_) return;
    for (const auto& who : listed(about)) report_kept_from(about, notice, topic, who);
}

void Decider::tell_of_conflict(const std::string& subject, const notices::KeptFrom& who) {
    std::vector<IncidentName> cases;
    for (const auto& [name, incident] : state.incidents)
        if (is_case(name, incident, subject)) cases.push_back(name);
    for (const auto& name : cases) {
        // Copies: each report is a record, and changes the state.
        std::set<std::pair<std::string, Id16>> told;
        for (const auto& [child, thread] : state.incidents.at(name).threads)
            for (const auto& notice : thread.notices) {
                told.emplace(thread.topic, notice);
                if (const auto rungs = state.escalated.find(notice); rungs != state.escalated.end())
                    for (const auto& [rung, item] : rungs->second)
                        if (!item.first.empty()) told.emplace(item.first, notice);
            }
        for (const auto& [question, owed] : state.obligations)
            if (owed.kind == Kind::question && incident_of(owed) == name) told.emplace(owed.topic, question);
        for (const auto& [topic, notice] : told) report_kept_from(name, notice, topic, who);
    }
}

// Each agency hears of its own people and of nobody else's: whom another keeps from a case is not for it to know.
void Decider::report_kept_from(const IncidentName& about, const Id16& notice, const std::string& topic,
                               const notices::KeptFrom& who) {
    Obligation told;
    const bool review = topic.starts_with("reviews/"), question = topic.starts_with("questions/");
    told.recipient = (review     ? "social-care/"
                      : question ? "police/"
                                 : "") +
                     topic.substr(topic.find('/') + 1);
    told.topic = topic;
    told.index = next_index - 1;
    told.reference = human_reference(review ? "RV" : question ? "QU" : "FP", notice);
    told.sender = "police/" + about.force;
    told.about = about.reference;
    const auto still = listed(about);
    for (const auto& [agency, party] : setting_.agreement.parties()) {
        const auto is_of = [&, &name = agency.text()](const notices::KeptFrom& each) {
            return each.person == who.person &&
                   notices::may_work_at(setting_.agreement, each.works_for, name);
        };
        if (!is_of(who) || !setting_.agreement.may_subscribe(agency, topic)) continue;
        const auto what = std::ranges::any_of(still, is_of) ? schemas::ReportOf::kept_from
                                                            : schemas::ReportOf::not_kept_from;
        report({notice, told, what, agency.text(), "", false, who.person});
    }
}

void Decider::emit_hold(log::Record record, const Order& order, const std::string& holder) {
    schemas::RecordBodyValue body;
    body.at_us = to_us(now_);
    body.hold = std::make_unique<schemas::HoldFactsValue>();
    body.hold->controller = order.controller;
    body.hold->subject = order.subject;
    body.hold->reference = order.reference;
    body.hold->holder = holder;
    body.hold->person = order.person;
    body.hold->works_for = order.works_for;
    if (!order.person.empty()) record.leaf.rule = conflict_rule;
    record.body = pack_body(body);
    record.controller = holder;
    record.retention = order_class;
    record.subjects = {order.subject};
    auto& keys = record.leaf.kind == LeafKind::held ? record.sets : record.drops;
    keys.push_back(hold_key(order.hold()));
    emit(std::move(record));
}

// --- Orders

Reply Decider::take_record_order(const Message& message) {
    const auto table = payload<schemas::RecordOrder>(message);
    if (!table) return table.error();
    const auto& wanted = **table;
    if (auto sound = check(wanted); !sound) return sound.error();
    Order order;
    order.does = wanted.does();
    order.by_operator = message.envelope.topic.starts_with("operations/");
    const auto controller =
        controller_in(wanted, message.command.actor.id.agency(), order.by_operator, setting_.agreement);
    if (!controller) return controller.error();
    order.controller = *controller;
    if (wanted.subject() != nullptr) order.subject = wanted.subject()->str();
    if (wanted.record() != no_record) order.record = wanted.record();
    order.by = wanted.by()->str();
    order.reason = wanted.reason()->str();
    order.reference = wanted.reference()->str();
    if (wanted.person() != nullptr) order.person = wanted.person()->str();
    if (wanted.works_for() != nullptr) order.works_for = wanted.works_for()->str();
    switch (order.does) {
        case OrderDoes::hold:
        case OrderDoes::conflict:
            return take_hold(message, order);
        case OrderDoes::lift:
            return take_lift(message, order);
        case OrderDoes::erase:
            return take_erasure(message, order);
    }
    return Refusal{Reason::invalid_value, "order.does"};
}

std::uint64_t Decider::emit_order(const Message& message, const Order& order) {
    auto record = published(message);
    record.body = received_other(message.received(), {});
    if (!order.subject.empty()) record.subjects = {order.subject};
    record.retention = order_class;
    return emit(std::move(record));
}

log::Record Decider::order_record(const Message& message, const Order& order, LeafKind kind,
                                  std::uint64_t published) const {
    auto record = record_by(message.command.actor, kind,
                            kind == LeafKind::erased ? Operation::erasure : Operation::none);
    record.user = order.by;
    record.leaf.outcome = order.reason;
    record.leaf.purpose = order.reference;
    record.leaf.recipient = order.controller;
    record.leaf.related = published;
    record.leaf.agreement = setting_.agreement.digest();
    return record;
}

// All that is named goes, or nothing.
Reply Decider::take_erasure(const Message& message, const Order& order) {
    const auto named = named_by(message, order);
    if (!named) return named.error();
    const auto ending = ending_of(order);
    if (auto why = why_kept(*named, ending.drops)) return *why;

    const auto index = emit_order(message, order);
    auto record = order_record(message, order, LeafKind::erased, index);
    record.leaf.rule = "order";
    record.drops = ending.drops;
    if (!ending.body.threads.empty()) {
        record.body = pack_body(ending.body);
        record.controller = setting_.self.agency().text();
        record.retention = "erasure";
    }
    for (const auto& kept : *named) record.erases.push_back(kept.index);
    emit_erasure(std::move(record));
    return Confirmed{index, false};
}

// What of the store's answer is the controller's. What others keep about the same child is not even admitted to exist.
// Orders themselves stay: they say by whose authority the rest went.
Result<std::vector<log::Kept>> Decider::named_by(const Message& message, const Order& order) const {
    const auto& concerned = message.command.concerned;
    if (order.record) {
        if (concerned.empty() || concerned.front().index != *order.record)
            return refuse(Reason::not_found, "order.record: nothing of it is kept");
        if (concerned.front().controller != order.controller || concerned.front().retention == order_class)
            return refuse(Reason::not_permitted, "order.record: not a record of this controller's");
        return std::vector{concerned.front()};
    }
    std::vector<log::Kept> named;
    std::ranges::copy_if(concerned, std::back_inserter(named), [&](const log::Kept& kept) {
        return kept.controller == order.controller && kept.retention != order_class;
    });
    if (named.empty())
        return refuse(Reason::not_found, "order.subject: nothing of this controller's is kept about it");
    if (concerned.size() > limits::erased_by_order_max)
        return refuse(Reason::too_large, "order.subject: too much is kept about it; name its records");
    return named;
}

// Threads kept for updates of an incident end with an order to erase it, once its window is over and all its notices
// are closed; until then they are reasons to refuse.
Decider::Ending Decider::ending_of(const Order& order) const {
    Ending ending;
    const auto name = incident_of(order.subject, order.controller);
    const auto found = name ? state.incidents.find(*name) : state.incidents.end();
    if (found == state.incidents.end() || found->second.window || !found->second.thread_end) return ending;
    const auto& incident = found->second;
    for (const auto& [child, thread] : incident.threads)
        for (const auto& notice : thread.notices)
            if (state.obligations.contains(notice)) return ending;
    ending.body.at_us = to_us(now_);
    ending.body.threads.emplace_back(std::make_unique<schemas::ClosedThreadValue>());
    ending.body.threads.back()->ends_us = to_us(incident.thread_end->at);
    ending.body.threads.back()->index = incident.thread_end->index;
    log::Record keys;
    for (const auto index : incident.decisions) keys.drops.push_back(decision_key(index));
    forget_escalations(incident, keys);
    ending.drops = std::move(keys.drops);
    return ending;
}

std::optional<Refusal> Decider::why_kept(const std::vector<log::Kept>& named,
                                         const std::vector<log::StateKey>& ended) const {
    const auto holds = standing_holds();
    for (const auto& kept : named)
        if (const auto* hold = hold_on(kept, holds))
            return Refusal{Reason::on_hold, "order: on hold, " + hold->reference};
    for (const auto& kept : named)
        for (const auto& key : kept.rests)
            if (std::ranges::find(ended, key, &log::StateKey::name) == ended.end())
                return Refusal{Reason::in_use,
                               "order: entry " + std::to_string(kept.index) + ": " + need_of(key)};
    return std::nullopt;
}

// What a body is still needed for, by the name of the key that rests on it.
std::string Decider::need_of(const std::string& key) const {
    if (key.empty()) return "it stands in the register";
    const auto rest = key.substr(key.find('/') + 1);
    for (const auto* about : {"notice/", "opened/", "overdue/", "revived/"}) {
        if (!key.starts_with(about)) continue;
        const auto id = from_hex(rest);
        const auto fixed = id ? exactly<16>(*id) : std::nullopt;
        const auto owed = fixed ? state.obligations.find(*fixed) : state.obligations.end();
        return "an open obligation" + (owed == state.obligations.end() ? "" : ", " + owed->second.reference);
    }
    if (key.starts_with("delivery/")) return "a delivery not stored yet, " + rest;
    if (key.starts_with("dead-letter/")) return "a dead letter, " + rest;
    if (key.starts_with("incident/")) return "an incident whose window for late flags is open";
    if (key.starts_with("decision/") || key.starts_with("escalated/") || key.starts_with("closed/"))
        return "an incident that is still being followed";
    if (key.starts_with("load/")) return "an open load";
    return "the broker's own state, " + key;
}

}  // namespace flagpost::exchange
