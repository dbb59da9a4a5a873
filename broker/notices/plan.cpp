#include "broker/notices/plan.h"

#include <date/date.h>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "broker/match/related.h"
#include "broker/notices/calendar.h"
#include "broker/notices/scrub.h"
#include "broker/register/address.h"
#include "broker/register/normal.h"
#include "broker/wire/frames.h"

namespace flagpost::notices {
namespace {

using agreement::Rule;
using schemas::Kind;
using schemas::Outcome;
using schemas::ReviewItemValue;
using schemas::SchoolNoticeValue;
using schemas::SocialCareNoticeValue;

constexpr std::array<std::string_view, 2> school_handling{
    "Do not approach parents or carers because of this notice. Doing so could put a child or an adult in "
    "danger. "
    "Support the child as you usually would. If you are worried, follow your safeguarding procedure. In an "
    "emergency, "
    "phone 999.",
    "Keep this in the child's protection file, not the main pupil file. It contains police information: ask "
    "police "
    "before you show or give it to anyone, also when somebody asks for their own records."};

constexpr int adult_age_years = 18;

std::string_view what_of(Kind kind) {
    switch (kind) {
        case Kind::social_care_notice:
            return "social_care_notice";
        case Kind::school_notice:
            return "school_notice";
        default:
            return "review_item";
    }
}

// What the recipient sees, for the fingerprint: without what changes with every version or every minute.
void forget_moment(SocialCareNoticeValue& notice) {
    notice.incident_version = 0;
    notice.act_by_us = 0;
    notice.addressed_to.clear();
    notice.feed_age_hours = 0;
}
void forget_moment(SchoolNoticeValue& notice) {
    notice.incident_version = 0;
    notice.read_by_us = 0;
    notice.addressed_to.clear();
}
void forget_moment(ReviewItemValue& item) {
    item.incident_version = 0;
    item.decide_by_us = 0;
}

Bytes packed(const SocialCareNoticeValue& value) { return wire::pack<schemas::SocialCareNotice>(value); }
Bytes packed(const SchoolNoticeValue& value) { return wire::pack<schemas::SchoolNotice>(value); }
Bytes packed(const ReviewItemValue& value) { return wire::pack<schemas::ReviewItem>(value); }

template <class T> std::unique_ptr<T> copy_of(const std::unique_ptr<T>& value) {
    return value ? std::make_unique<T>(*value) : nullptr;
}

std::string one_line(const schemas::PlaceValue& place) {
    std::string out;
    for (const auto* part : {&place.line_1, &place.line_2, &place.town, &place.postcode}) {
        if (part->empty()) continue;
        if (!out.empty()) out += ", ";
        out += *part;
    }
    return out;
}

class Planner {
public:
    Planner(const agreement::Agreement& agreement, const registry::Register& known,
            const schemas::IncidentValue& incident, const match::Decision& decision, Instant now,
            const date::time_zone* zone)
        : agreement_{agreement},
          known_{known},
          incident_{incident},
          decision_{decision},
          now_{now},
          zone_{zone},
          relations_{match::relations(incident)} {}

    Plan plan() {
        for (const auto& hit : decision_.flags) social_care(hit);
        for (const auto& hit : decision_.pupils) school(hit);
        for (const auto& child : decision_.unplaced) no_school(child);
        std::sort(plan_.planned.begin(), plan_.planned.end(), [](const Planned& a, const Planned& b) {
            return std::tie(a.kind, a.dedup) < std::tie(b.kind, b.dedup);
        });
        return std::move(plan_);
    }

private:
    // What is shared by all notices

    bool takes_part(std::string_view agency) const {
        const auto id = AgencyId::parse(agency);
        if (!id) return false;
        if (agreement_.party(*id)) return true;
        const auto& parties = agreement_.parties();
        return std::any_of(parties.begin(), parties.end(),
                           [&](const auto& entry) { return agreement_.acts_as(entry.first, *id); });
    }

    void withhold(std::string recipient, Kind kind, std::vector<std::string> subjects, std::string why) {
        plan_.withheld.push_back({std::move(recipient), kind, std::move(subjects), std::move(why)});
    }

    /// The rule under which `recipient` may be told, or nothing, and then why is written down.
    const Rule* rule(Kind kind, const std::string& recipient, const std::vector<std::string>& subjects) {
        const auto recipient_kind = recipient.substr(0, recipient.find('/'));
        const auto* found = agreement_.rule_for(what_of(kind), "police", recipient_kind);
        if (!found) {
            withhold(recipient, kind, subjects,
                     "no rule: " + std::string{what_of(kind)} + " from police to " + recipient_kind);
        } else if (!takes_part(recipient)) {
            withhold(recipient, kind, subjects, "not a party to the agreement");
            found = nullptr;
        }
        return found;
    }

    /// The whole notice for whoever is told under `by`; `turn` counts those asked before at the same place.
    template <class Value> using Make = std::function<Value(const Rule& by, std::size_t turn)>;

    template <class Value> void add(std::string recipient, std::string topic, Kind kind,
                                    std::vector<std::string> subjects, const Make<Value>& make,
                                    const Rule& by, Instant due, const std::string& about,
                                    const std::string& la) {
        Planned planned;
        planned.dedup = about + " " + recipient + " " + std::string{what_of(kind)};
        if (!seen_.insert(planned.dedup).second) return;
        planned.recipient = std::move(recipient);
        planned.topic = std::move(topic);
        planned.kind = kind;
        planned.subjects = std::move(subjects);
        planned.rule = by.id;
        planned.purpose = by.purpose;
        planned.legal_basis = by.legal_basis;
        planned.retention = by.retention;
        planned.due = due;
        planned.rungs = ladder<Value>(planned, make, by, la);
        Value value = make(by, 0);
        Value timeless = value;
        forget_moment(timeless);
        planned.fingerprint = packed(timeless);
        planned.payload = std::move(value);
        plan_.planned.push_back(std::move(planned));
    }

    /// Whose turn it is at which time. Where the next in line takes no part in the agreement, the sender steps in.
    template <class Value> std::vector<PlannedRung> ladder(const Planned& first, const Make<Value>& make,
                                                           const Rule& by, const std::string& la) const {
        std::vector<PlannedRung> rungs;
        std::size_t turn = 0;
        for (const auto& rung : by.escalate) {
            PlannedRung next;
            next.at = rung.before_deadline ? first.due - *rung.before_deadline : now_ + *rung.after;
            next.unless = level_of(rung.unless);
            const std::string other = rung.to + "/" + la;
            const bool again = rung.to == "again";
            if (again || (rung.to != "sender" && takes_part(other))) {
                const Rule& rule = again ? by : *agreement_.rule_for(what_of(first.kind), "police", rung.to);
                next.recipient = again ? first.recipient : other;
                next.topic = again ? first.topic : "notices/" + other;
                next.rule = rule.id;
                next.purpose = rule.purpose;
                next.legal_basis = rule.legal_basis;
                next.retention = rule.retention;
                next.payload = make(rule, again ? ++turn : 0);
            }
            rungs.push_back(std::move(next));
        }
        std::ranges::stable_sort(rungs, {}, &PlannedRung::at);
        return rungs;
    }

    static schemas::Level level_of(agreement::Reached reached) {
        switch (reached) {
            case agreement::Reached::stored:
                return schemas::Level::stored;
            case agreement::Reached::opened:
                return schemas::Level::opened;
            default:
                return schemas::Level::recorded;
        }
    }

    template <class Value> void add_incident(Value& value) const {
        value.force = incident_.force;
        value.incident_reference = incident_.reference;
        value.incident_version = incident_.version;
    }

    const schemas::IncidentPersonValue* person(const std::optional<std::uint16_t>& number) const {
        if (!number || *number >= incident_.people.size()) return nullptr;
        return incident_.people[*number].get();
    }

    // Social care

    void social_care(const match::Hit& hit) {
        const auto* held = known_.flag(hit.flag);
        if (!held || !held->value.child) return;
        if (hit.outcome == Outcome::match || hit.outcome == Outcome::potential) {
            notice_for(hit, held->value, held->received);
        } else {
            review(hit.flag.la, "social-care/" + hit.flag.la, hit.flag.la_child_id,
                   {registry::text(hit.flag)}, hit.outcome, hit.reasons, std::nullopt);
        }
    }

    void notice_for(const match::Hit& hit, const schemas::FlagValue& flag, Instant received) {
        const std::string recipient = "social-care/" + hit.flag.la;
        std::vector<std::string> subjects{registry::text(hit.flag)};
        const auto* by = rule(Kind::social_care_notice, recipient, subjects);
        if (!by) return;
        const Instant due = now_ + by->respond_within;
        const Make<SocialCareNoticeValue> make = [&](const Rule& rule, std::size_t turn) {
            auto notice = social_care_notice(hit, flag, received, rule.fields);
            notice.act_by_us = to_us(due);
            if (rule.fields.count("addressed_to") != 0) notice.addressed_to = worker_or_duty(flag, turn);
            return notice;
        };
        const std::string about = subjects.front();
        add(recipient, "notices/" + recipient, Kind::social_care_notice, std::move(subjects), make, *by, due,
            about, hit.flag.la);
    }

    /// The allocated worker first; then the team's duty contact, and the team where there is none.
    static std::string worker_or_duty(const schemas::FlagValue& flag, std::size_t turn) {
        if (turn == 0 && flag.worker && !flag.worker->name.empty()) return flag.worker->name;
        return flag.duty_contact.empty() ? flag.team : flag.duty_contact;
    }

    /// What the rule does not list is left as the schema's default: fields are added, never taken away.
    SocialCareNoticeValue social_care_notice(const match::Hit& hit, const schemas::FlagValue& flag,
                                             Instant received, const std::set<std::string>& fields) const {
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

    void add_circumstances(SocialCareNoticeValue& notice, const std::set<std::string>& fields) const {
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

    void add_people(SocialCareNoticeValue& notice, const match::Hit& hit, const schemas::FlagValue& flag,
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
        for (std::uint16_t i = 0; i < incident_.people.size(); ++i) {
            if (!relations_.is_adult[i]) continue;
            auto adult = std::make_unique<schemas::AdultInvolvedValue>();
            adult->role = incident_.people[i]->role;
            adult->relation = relation_of(i, hit, flag);
            notice.adults.push_back(std::move(adult));
        }
    }

    /// How an adult stands to the child of the hit, as the flag or else the incident has it; empty: nobody said.
    std::string relation_of(std::uint16_t adult, const match::Hit& hit,
                            const schemas::FlagValue& flag) const {
        if (hit.linked_adult && hit.person == adult && *hit.linked_adult < flag.linked_adults.size()) {
            return flag.linked_adults[*hit.linked_adult]->relation;
        }
        if (hit.linked_adult || !hit.person) return {};
        for (const auto& relationship : incident_.people[adult]->relationships) {
            if (relationship && relationship->to == *hit.person) return relationship->relation;
        }
        for (const auto& relationship : incident_.people[*hit.person]->relationships) {
            if (relationship && relationship->to == adult && relationship->relation == "child")
                return "parent";
        }
        return {};
    }

    std::uint32_t feed_age_hours(const std::string& la, Instant received) const {
        const auto fed = known_.feed(la).value_or(received);
        return now_ <= fed ? 0
                           : static_cast<std::uint32_t>(
                                 std::chrono::duration_cast<std::chrono::hours>(now_ - fed).count());
    }

    // Schools

    void school(const match::PupilHit& hit) {
        const auto* held = known_.pupil(hit.pupil);
        if (!held || !held->value.child) return;
        const std::string subject = held->value.child->upn.empty() ? hit.pupil.key : held->value.child->upn;
        const auto target = receiving_school(hit.pupil.urn);
        const std::uint32_t urn = target.value_or(hit.pupil.urn);
        const std::string recipient = "school/" + std::to_string(urn);
        std::vector<std::string> subjects{registry::text(hit.pupil)};
        auto why = hit.reasons;
        if (grown_up(held->value.child->date_of_birth)) {
            why.insert(why.begin(), "The pupil is 18 or older, and no school is told of adults.");
        } else if (!target) {
            why.insert(why.begin(), "The school is closed, and it is not clear which school took over.");
        } else if (!takes_part(recipient)) {
            why.insert(why.begin(), "The school takes no part in the agreement.");
        } else if (hit.outcome == Outcome::match) {
            const auto* by = rule(Kind::school_notice, recipient, subjects);
            if (!by) return;
            const Instant due = next_school_day_start(known_, urn, now_, zone_);
            const Make<SchoolNoticeValue> make = [&](const Rule& rule, std::size_t turn) {
                auto notice = school_notice(hit, *held->value.child, urn, rule.fields);
                notice.read_by_us = to_us(due);
                notice.addressed_to = school_contact(urn, turn);
                return notice;
            };
            add(recipient, "notices/" + recipient, Kind::school_notice, std::move(subjects), make, *by, due,
                "pupil/" + subject, authority_of(urn).value_or(first_authority()));
            return;
        }
        review(authority_of(urn).value_or(first_authority()), recipient, subject, std::move(subjects),
               hit.outcome, why, urn);
    }

    /// The contact whose turn it is, in the order of the directory; the last one's for good. Empty: nobody is known.
    std::string school_contact(std::uint32_t urn, std::size_t turn) const {
        std::string name;
        auto place = known_.contacts().lower_bound({urn, {}});
        for (std::size_t i = 0; i <= turn && place != known_.contacts().end() && place->first.urn == urn;
             ++i, ++place)
            name = place->second.name;
        return name;
    }

    /// The school itself, or the one school that took over from a closed one.
    std::optional<std::uint32_t> receiving_school(std::uint32_t urn) const {
        const auto* school = known_.school(urn);
        if (!school || school->status != 2) return urn;
        const auto successors = known_.successors(urn);
        if (successors.size() != 1) return std::nullopt;
        return *successors.begin();
    }

    bool grown_up(std::string_view born) const {
        const auto form = registry::date_form(born);
        if (!form.whole()) return false;
        const date::year_month_day today{date::floor<date::days>(now_)};
        const auto birthday = date::year{form.year + adult_age_years} / form.month / form.day;
        return birthday <= today;
    }

    SchoolNoticeValue school_notice(const match::PupilHit& hit, const schemas::PersonValue& child,
                                    std::uint32_t urn, const std::set<std::string>& fields) const {
        const auto listed = [&](const char* field) { return fields.count(field) != 0; };
        SchoolNoticeValue notice;
        add_incident(notice);
        notice.urn = urn;
        if (const auto* school = known_.school(urn)) notice.school_name = school->name;
        notice.child_given_names = child.given_names;
        notice.child_family_name = child.family_name;
        notice.handling.assign(school_handling.begin(), school_handling.end());
        if (listed("child_date_of_birth")) notice.child_date_of_birth = child.date_of_birth;
        if (listed("upn")) notice.upn = child.upn;
        if (listed("occurred_us")) notice.occurred_us = incident_.occurred_us;
        if (listed("police_contact")) notice.police_contact = incident_.police_contact;
        if (listed("circumstances"))
            notice.circumstances = fit_for_school(incident_.circumstances, child, incident_);
        const auto* named = hit.through == match::Through::named ? person(hit.person) : nullptr;
        if (named && listed("child_present")) notice.child_present = named->present;
        if (named && listed("voice_of_child")) {
            notice.voice_of_child = fit_for_school(named->voice_of_child, child, incident_);
        }
        return notice;
    }

    void no_school(const match::Unplaced& child) {
        const auto la = authority_for(child.person);
        review(la, "education/" + la, "person " + std::to_string(child.person + 1), {}, Outcome::none,
               {"A child related to an adult of a domestic-abuse incident has no known school.", child.why},
               std::nullopt);
    }

    std::optional<std::string> authority_of(std::uint32_t urn) const {
        const auto* school = known_.school(urn);
        if (!school || school->la.empty()) return std::nullopt;
        return school->la;
    }

    /// Whose child this is likely to be: by a flag, by the school police were told of, by the schools around home.
    std::string authority_for(std::uint16_t number) const {
        for (const auto& hit : decision_.flags) {
            if (hit.person == number && hit.outcome >= Outcome::potential) return hit.flag.la;
        }
        const auto* child = person(number);
        if (child && child->school_urn != 0) {
            if (auto la = authority_of(child->school_urn)) return *la;
        }
        const auto* home = child && child->home ? child->home.get() : incident_.place.get();
        if (home) {
            if (auto la = authority_around(registry::place_form(*home).postcode)) return *la;
        }
        return first_authority();
    }

    std::optional<std::string> authority_around(const std::string& postcode) const {
        if (postcode.empty()) return std::nullopt;
        std::map<std::string, int> schools;
        for (const auto& [urn, school] : known_.schools()) {
            if (!school.place || school.la.empty()) continue;
            const auto theirs = registry::place_form(*school.place).postcode;
            if (!theirs.empty() && registry::outward(theirs) == registry::outward(postcode))
                ++schools[school.la];
        }
        const auto most = std::max_element(schools.begin(), schools.end(),
                                           [](const auto& a, const auto& b) { return a.second < b.second; });
        if (most == schools.end()) return std::nullopt;
        return most->first;
    }

    std::string first_authority() const {
        for (const auto& [agency, party] : agreement_.parties())
            if (agency.kind() == "social-care") return std::string{agency.code()};
        return {};
    }

    // Review

    /// The desk that looks at matches for an authority, its own unless the agreement names another.
    std::string desk_of(const std::string& la) const {
        const std::string own = "social-care/" + la;
        const auto id = AgencyId::parse(own);
        const auto* party = id ? agreement_.party(*id) : nullptr;
        return party && party->review_desk ? party->review_desk->text() : own;
    }

    void review(const std::string& la, const std::string& bound_for, const std::string& subject,
                std::vector<std::string> subjects, Outcome outcome, const std::vector<std::string>& why,
                std::optional<std::uint32_t> urn) {
        const std::string desk = desk_of(la);
        const auto* by = rule(Kind::review_item, desk, subjects);
        if (!by) return;
        Instant due = now_ + by->respond_within;
        if (urn) due = std::min(due, next_school_day_start(known_, *urn, now_, zone_));
        const Make<ReviewItemValue> make = [&](const Rule& rule, std::size_t) {
            ReviewItemValue item;
            add_incident(item);
            item.la = la;
            item.outcome = outcome;
            item.bound_for = bound_for;
            item.subject = subject;
            if (rule.fields.count("why") != 0) item.why = why;
            item.decide_by_us = to_us(due);
            return item;
        };
        add(desk, "reviews/" + la, Kind::review_item, std::move(subjects), make, *by, due,
            subject + " " + bound_for, la);
    }

    const agreement::Agreement& agreement_;
    const registry::Register& known_;
    const schemas::IncidentValue& incident_;
    const match::Decision& decision_;
    Instant now_;
    const date::time_zone* zone_;
    match::Relations relations_;
    std::set<std::string> seen_;
    Plan plan_;
};

}  // namespace

Plan plan(const agreement::Agreement& agreement, const registry::Register& known,
          const schemas::IncidentValue& incident, const match::Decision& decision, Instant now,
          const date::time_zone* zone) {
    if (decision.flags.empty() && decision.pupils.empty() && decision.unplaced.empty()) return {};
    return Planner{agreement, known, incident, decision, now, zone}.plan();
}

}  // namespace flagpost::notices
