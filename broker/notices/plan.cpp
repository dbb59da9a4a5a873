#include "broker/notices/plan.h"

#include <algorithm>

#include "broker/notices/planner.h"
#include "broker/plain/person.h"
#include "broker/wire/frames.h"

namespace flagpost::notices {
namespace {

using agreement::Rule;
using schemas::Kind;

// The agency that reads a mailbox of notices: "notices/school/122802", "reviews/E10000024" (its authority).
std::string recipient_of(const std::string& topic) {
    const auto rest = topic.substr(topic.find('/') + 1);
    return topic.starts_with("reviews/") ? "social-care/" + rest : rest;
}

bool is_named_in(const schemas::IncidentValue& incident, const match::Relations& relations,
                 std::string_view name) {
    for (std::size_t i = 0; i < incident.people.size(); ++i) {
        if (relations.is_child[i] || !incident.people[i] || !incident.people[i]->person) continue;
        const auto& each = *incident.people[i]->person;
        if (plain::may_be_same_person(each.given_names + " " + each.family_name, name)) return true;
    }
    return false;
}

}  // namespace

std::string one_line(const schemas::PlaceValue& place) {
    std::string out;
    for (const auto* part : {&place.line_1, &place.line_2, &place.town, &place.postcode}) {
        if (part->empty()) continue;
        if (!out.empty()) out += ", ";
        out += *part;
    }
    return out;
}

Bytes lasting(schemas::SocialCareNoticeValue notice) {
    notice.incident_version = 0;
    notice.act_by_us = 0;
    notice.addressed_to.clear();
    notice.feed_age_hours = 0;
    return wire::pack<schemas::SocialCareNotice>(notice);
}

Bytes lasting(schemas::SchoolNoticeValue notice) {
    notice.incident_version = 0;
    notice.read_by_us = 0;
    notice.addressed_to.clear();
    return wire::pack<schemas::SchoolNotice>(notice);
}

Bytes lasting(schemas::ReviewItemValue item) {
    item.incident_version = 0;
    item.decide_by_us = 0;
    item.bound_for_name.clear();
    item.force_name.clear();
    // Weights move with how many bear a name; whoever has decided is not asked again for that.
    item.person = 0;
    item.weighed.clear();
    item.score = 0;
    item.weighed_by.clear();
    return wire::pack<schemas::ReviewItem>(item);
}

Plan Planner::plan() {
    for (const auto& hit : decision_.flags) social_care(hit);
    for (const auto& hit : decision_.pupils) school(hit);
    for (const auto& child : decision_.unplaced) no_school(child);
    std::sort(plan_.planned.begin(), plan_.planned.end(), [](const Planned& a, const Planned& b) {
        return std::tie(a.kind, a.dedup) < std::tie(b.kind, b.dedup);
    });
    return std::move(plan_);
}

bool Planner::takes_part(std::string_view agency) const {
    const auto id = AgencyId::parse(agency);
    if (!id) return false;
    if (agreement_.party(*id)) return true;
    const auto& parties = agreement_.parties();
    return std::any_of(parties.begin(), parties.end(),
                       [&](const auto& entry) { return agreement_.acts_as(entry.first, *id); });
}

void Planner::withhold(std::string recipient, Kind kind, std::vector<std::string> subjects, std::string why) {
    plan_.withheld.push_back({std::move(recipient), kind, std::move(subjects), std::move(why)});
}

const Rule* Planner::rule_if_any(Kind kind, const std::string& recipient) const {
    if (!takes_part(recipient)) return nullptr;
    return agreement_.rule_for(schemas::EnumNameKind(kind), "police",
                               recipient.substr(0, recipient.find('/')));
}

// The rule under which `recipient` may be told, or nothing, and then why is written down.
const Rule* Planner::rule(Kind kind, const std::string& recipient, const std::vector<std::string>& subjects) {
    const auto recipient_kind = recipient.substr(0, recipient.find('/'));
    const auto* found = agreement_.rule_for(schemas::EnumNameKind(kind), "police", recipient_kind);
    if (!found) {
        withhold(
            recipient, kind, subjects,
            "no rule: " + std::string{schemas::EnumNameKind(kind)} + " from police to " + recipient_kind);
    } else if (!takes_part(recipient)) {
        withhold(recipient, kind, subjects, "not a party to the agreement");
        found = nullptr;
    }
    return found;
}

void Planner::add(Planned planned) {
    if (seen_.insert(planned.dedup).second) plan_.planned.push_back(std::move(planned));
}

const schemas::IncidentPersonValue* Planner::person(const std::optional<std::uint16_t>& number) const {
    if (!number || *number >= incident_.people.size()) return nullptr;
    return incident_.people[*number].get();
}

bool Planner::is_party(std::string_view name) const { return is_named_in(incident_, relations_, name); }

// Whether somebody of the agency, of this name, is on a conflict list of the case.
bool Planner::is_kept_from(std::string_view name, std::string_view agency) const {
    return std::ranges::any_of(kept_from_, [&](const auto& each) {
        return plain::may_be_same_person(each.person, name) &&
               may_work_at(agreement_, each.works_for, agency);
    });
}

bool Planner::police_ask_for_person() const {
    return std::ranges::find(incident_.qualifiers, hold_qualifier) != incident_.qualifiers.end();
}

schemas::Level level_of(agreement::Reached reached) {
    switch (reached) {
        case agreement::Reached::stored:
            return schemas::Level::stored;
        case agreement::Reached::opened:
            return schemas::Level::opened;
        default:
            return schemas::Level::recorded;
    }
}

Planned recall(const agreement::Agreement& agreement, const schemas::IncidentValue& incident,
               const ToRecall& what, Instant now) {
    constexpr std::chrono::hours unless_agreed{24};
    Planned planned;
    planned.dedup = what.dedup;
    planned.topic = what.topic;
    planned.recipient = recipient_of(what.topic);
    planned.kind = Kind::recall;
    planned.recalls = what.notices.front();
    planned.purpose = "correction";
    planned.legal_basis = {"DPA2018-s38"};
    planned.retention = "notice";
    planned.due = now + unless_agreed;
    const auto kind = planned.recipient.substr(0, planned.recipient.find('/'));
    if (const auto* rule = agreement.rule_for(schemas::EnumNameKind(what.kind), "police", kind)) {
        planned.rule = rule->id;
        planned.retention = rule->retention;
        planned.due = now + rule->respond_within;
    }
    schemas::RecallValue value;
    for (const auto& notice : what.notices)
        value.recalls.insert(value.recalls.end(), notice.begin(), notice.end());
    value.recalled_reference = what.reference;
    value.reason = what.reason;
    value.force = incident.force;
    value.incident_reference = incident.reference;
    value.incident_version = incident.version;
    value.police_contact = incident.police_contact;
    value.recalled_at_us = to_us(now);
    value.act_by_us = to_us(planned.due);
    planned.fingerprint = {'r', 'e', 'c', 'a', 'l', 'l'};
    planned.payload = std::move(value);
    return planned;
}

bool may_work_at(const agreement::Agreement& agreement, std::string_view works_for, std::string_view agency) {
    if (works_for.empty() || works_for == agency) return true;
    const auto one = AgencyId::parse(works_for), other = AgencyId::parse(agency);
    return one && other && (agreement.acts_as(*one, *other) || agreement.acts_as(*other, *one));
}

bool may_be_party(const schemas::IncidentValue& incident, std::string_view name) {
    return is_named_in(incident, match::relations(incident), name);
}

Plan plan(const agreement::Agreement& agreement, const registry::Register& known,
          const schemas::IncidentValue& incident, const match::Decision& decision, Instant now,
          const date::time_zone* zone, const std::set<std::string>& not_on_roll,
          const std::vector<KeptFrom>& kept_from) {
    if (decision.flags.empty() && decision.pupils.empty() && decision.unplaced.empty()) return {};
    return Planner{agreement, known, incident, decision, now, zone, not_on_roll, kept_from}.plan();
}

}  // namespace flagpost::notices
