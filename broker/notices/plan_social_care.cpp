// What an authority is told of a child it has flagged.
#include <algorithm>

#include "broker/notices/planner.h"

namespace flagpost::notices {
namespace {

using schemas::SocialCareNoticeValue;

}  // namespace

void Planner::social_care(const match::Hit& hit) {
    const auto* held = known_.flag(hit.flag);
    if (!held || !held->value.child) return;
    const auto& flag = held->value;
    const std::string recipient = "social-care/" + hit.flag.la;
    std::vector<std::string> subjects{registry::text(hit.flag)};
    const bool is_worker_involved = flag.worker && is_party(flag.worker->name);
    const bool is_worker_kept_from = flag.worker && is_kept_from(flag.worker->name, recipient);
    if ((hit.outcome == Outcome::match || hit.outcome == Outcome::potential) && !is_worker_involved &&
        !is_worker_kept_from) {
        const auto* by = rule(Kind::social_care_notice, recipient, subjects);
        if (by) add(notice_for(hit, flag, held->received, *by));
        return;
    }
    Review review{hit.flag.la,         recipient,   hit.flag.la_child_id,
                  std::move(subjects), hit.outcome, hit.reasons};
    if (is_worker_involved) review.because("Somebody in the incident has the name of the allocated worker.");
    if (is_worker_kept_from) review.because("The allocated worker is on the conflict list of this case.");
    const auto* with = hit.linked_adult && *hit.linked_adult < flag.linked_adults.size()
                           ? flag.linked_adults[*hit.linked_adult]->person.get()
                           : flag.child.get();
    review.compared = side_by_side(hit.person, with, flag.places, hit.evidence);
    weigh(review, hit, !hit.linked_adult);
    if (const auto* by = rule_if_any(Kind::social_care_notice, recipient)) {
        match::Hit permitted = hit;
        if (hit.outcome != Outcome::match && hit.outcome != Outcome::potential) {
            permitted.outcome = Outcome::match;
            permitted.reasons.insert(permitted.reasons.begin(),
                                     "A person compared the records and found that it is the same child.");
        }
        review.hold(notice_for(permitted, flag, held->received, *by), *by);
    }
    add_review(std::move(review));
}

Planned Planner::notice_for(match::Hit hit, const schemas::FlagValue& flag, Instant received,
                            const Rule& by) {
    // A flag nobody has confirmed for long may stand no more; that nobody is told of it would be worse.
    if (feed_age_hours(hit.flag.la, received) > lists_stand_for.count()) {
        hit.outcome = std::min(hit.outcome, Outcome::potential);
        hit.reasons.insert(
            hit.reasons.begin(),
            "The list of flags has not been confirmed for more than five weeks: verify that this "
            "flag still stands.");
    }
    const std::string recipient = "social-care/" + hit.flag.la;
    const std::string subject = registry::text(hit.flag);
    const Instant due = now_ + by.respond_within;
    const Make<SocialCareNoticeValue> make = [&](const Rule& rule, std::size_t turn) {
        auto notice = social_care_notice(hit, flag, received, rule.fields);
        notice.act_by_us = to_us(due);
        if (rule.fields.count("addressed_to") != 0) notice.addressed_to = worker_or_duty(flag, turn);
        return notice;
    };
    return made(
        {recipient, "notices/" + recipient, Kind::social_care_notice, {subject}, subject, hit.flag.la}, make,
        by, due);
}

// The allocated worker first, unless they may be in the incident; then the team's duty contact, and the team where
// there is none.
std::string Planner::worker_or_duty(const schemas::FlagValue& flag, std::size_t turn) const {
    if (turn == 0 && flag.worker && !flag.worker->name.empty() && !is_party(flag.worker->name) &&
        !is_kept_from(flag.worker->name, "social-care/" + flag.la))
        return flag.worker->name;
    return flag.duty_contact.empty() ? flag.team : flag.duty_contact;
}

// What the rule does not list is left as the schema's default: fields are added, never taken away.
SocialCareNoticeValue Planner::social_care_notice(const match::Hit& hit, const schemas::FlagValue& flag,
                                                  Instant received,
                                                  const std::set<std::string>& fields) const {
    const auto listed = [&](const char* field) { return fields.count(field) != 0; };
    SocialCareNoticeValue notice;
    add_incident(notice);
    notice.la = hit.flag.la;
    notice.la_child_id = hit.flag.la_child_id;
    notice.child = std::make_unique<schemas::PersonValue>();
    if (listed("child")) {
        *notice.child = *flag.child;
    } else {
        notice.child->given_names = flag.child->given_names;
        notice.child->family_name = flag.child->family_name;
    }
    notice.outcome = hit.outcome;
    notice.hit = hit.kind;
    notice.not_a_referral = not_a_referral_words;
    if (listed("reasons")) notice.reasons = hit.reasons;
    if (listed("flag_kind")) notice.flag_kind = flag.kind;
    if (listed("flag_start")) notice.flag_start = flag.start_date;
    if (listed("flag_end")) notice.flag_end = flag.end_date;
    if (listed("feed_age_hours")) notice.feed_age_hours = feed_age_hours(hit.flag.la, received);
    if (listed("worker")) notice.worker = copy_of(flag.worker);
    if (listed("team")) notice.team = flag.team;
    if (listed("duty_contact")) notice.duty_contact = flag.duty_contact;
    add_circumstances(notice, fields);
    add_people(notice, hit, flag, fields);
    return notice;
}

void Planner::add_circumstances(SocialCareNoticeValue& notice, const std::set<std::string>& fields) const {
    const auto listed = [&](const char* field) { return fields.count(field) != 0; };
    if (listed("occurred_us")) notice.occurred_us = incident_.occurred_us;
    if (listed("place") && incident_.place) notice.place = one_line(*incident_.place);
    if (listed("category")) notice.category = incident_.category;
    if (listed("circumstances")) notice.circumstances = incident_.circumstances;
    if (listed("assessment")) notice.assessment = incident_.assessment;
    if (listed("risk")) notice.risk = copy_of(incident_.risk);
    if (listed("referral")) notice.referral = incident_.referral;
    if (listed("referral_reference")) notice.referral_reference = incident_.referral_reference;
    if (listed("police_contact")) notice.police_contact = incident_.police_contact;
}

void Planner::add_people(SocialCareNoticeValue& notice, const match::Hit& hit, const schemas::FlagValue& flag,
                         const std::set<std::string>& fields) const {
    const auto listed = [&](const char* field) { return fields.count(field) != 0; };
    if (listed("children_named")) {
        notice.children_named = static_cast<std::uint16_t>(
            std::count(relations_.is_child.begin(), relations_.is_child.end(), true));
    }
    if (listed("children_unidentified")) notice.children_unidentified = incident_.unidentified_children;
    const auto* child = hit.linked_adult ? nullptr : person(hit.person);
    if (child && listed("child_present")) notice.child_present = child->present;
    if (child && listed("voice_of_child")) notice.voice_of_child = child->voice_of_child;
    if (!listed("adults")) return;
    for (std::size_t i = 0; i < incident_.people.size(); ++i) {
        if (!relations_.is_adult[i]) continue;
        auto adult = std::make_unique<schemas::AdultInvolvedValue>();
        adult->role = incident_.people[i]->role;
        adult->relation = relation_of(i, hit, flag);
        notice.adults.push_back(std::move(adult));
    }
}

// How an adult stands to the child of the hit, as the flag or else the incident has it; empty: nobody said.
std::string Planner::relation_of(std::size_t adult, const match::Hit& hit,
                                 const schemas::FlagValue& flag) const {
    if (hit.linked_adult && hit.person == adult && *hit.linked_adult < flag.linked_adults.size()) {
        return flag.linked_adults[*hit.linked_adult]->relation;
    }
    if (hit.linked_adult || !hit.person) return {};
    for (const auto& relationship : incident_.people[adult]->relationships) {
        if (relationship && relationship->to == *hit.person) return relationship->relation;
    }
    for (const auto& relationship : incident_.people[*hit.person]->relationships) {
        if (relationship && relationship->to == adult && relationship->relation == "child") return "parent";
    }
    return {};
}

std::uint32_t Planner::feed_age_hours(const std::string& la, Instant received) const {
    const auto fed = known_.feed(la).value_or(received);
    return now_ <= fed ? 0
                       : static_cast<std::uint32_t>(
                             std::chrono::duration_cast<std::chrono::hours>(now_ - fed).count());
}

}  // namespace flagpost::notices
