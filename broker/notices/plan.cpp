#include "broker/notices/plan.h"

#include <date/date.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "broker/match/compare.h"
#include "broker/match/related.h"
#include "broker/notices/calendar.h"
#include "broker/notices/scrub.h"
#include "broker/plain/person.h"
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

// What a force is told, besides, of a child who lives in its area.
constexpr const char* lives_in_your_area =
    "The child lives in your police area: to have the school told before the child next arrives is your "
    "force's duty (Domestic Abuse Act 2021, section 49A).";
constexpr const char* two_must_agree =
    "The child is shielded: two people must agree before anything is sent.";
constexpr const char* school_is_told = "The school named here is told directly.";
constexpr const char* school_waits =
    "A person still decides whether the school named here is told. Ask the force that attended.";
constexpr const char* school_is_not_told = "No school is told directly. Find it, and have it told.";
constexpr const char* officer_is_told =
    "The child is not in school: the authority's officer for such children is told directly.";
constexpr const char* officer_waits =
    "The child may not be in school. A person still decides whether the authority's officer for such "
    "children is told. "
    "Ask the force that attended.";
constexpr const char* officer_is_not_told =
    "The child may not be in school, and the authority's officer for such children is not told directly. "
    "Have the officer told.";

constexpr int adult_age_years = 18;

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
    item.bound_for_name.clear();
    item.force_name.clear();
    // Weights move with how many bear a name; whoever has decided is not asked again for that.
    item.person = 0;
    item.weighed.clear();
    item.score = 0;
    item.weighed_by.clear();
}

// What stands side by side on a review, with the evidence of the matcher that says whether it agrees.
struct Detail {
    const char* words;
    const char* field;
    std::string police, theirs;
};

bool agrees(std::string_view level) { return level == "exact" || level == "same" || level == "uprn"; }

schemas::Agreeing how(const Detail& detail, const std::vector<match::Evidence>& evidence) {
    if (detail.police.empty() || detail.theirs.empty()) return schemas::Agreeing::not_compared;
    const auto found = std::ranges::find(evidence, detail.field, &match::Evidence::field);
    const bool is_same = found == evidence.end() || found->level == "missing" ? detail.police == detail.theirs
                                                                              : agrees(found->level);
    return is_same ? schemas::Agreeing::agree : schemas::Agreeing::differ;
}

int rank(schemas::Agreeing how) {
    return how == schemas::Agreeing::differ ? 0 : how == schemas::Agreeing::agree ? 1 : 2;
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

/// The agency that reads a mailbox of notices: "notices/school/122802", "reviews/E10000024" (its authority).
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

class Planner {
public:
    Planner(const agreement::Agreement& agreement, const registry::Register& known,
            const schemas::IncidentValue& incident, const match::Decision& decision, Instant now,
            const date::time_zone* zone, const std::set<std::string>& not_on_roll,
            const std::vector<KeptFrom>& kept_from)
        : agreement_{agreement},
          known_{known},
          incident_{incident},
          decision_{decision},
          now_{now},
          zone_{zone},
          not_on_roll_{not_on_roll},
          kept_from_{kept_from},
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

    const Rule* rule_if_any(Kind kind, const std::string& recipient) const {
        if (!takes_part(recipient)) return nullptr;
        return agreement_.rule_for(schemas::EnumNameKind(kind), "police",
                                   recipient.substr(0, recipient.find('/')));
    }

    /// The rule under which `recipient` may be told, or nothing, and then why is written down.
    const Rule* rule(Kind kind, const std::string& recipient, const std::vector<std::string>& subjects) {
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

    /// The whole notice for whoever is told under `by`; `turn` counts those asked before at the same place.
    template <class Value> using Make = std::function<Value(const Rule& by, std::size_t turn)>;

    /// A notice to one recipient, and where it goes.
    struct Address {
        std::string recipient;
        std::string topic;
        Kind kind{};
        std::vector<std::string> subjects;
        std::string about;  // the child, for the thread
        std::string la;     // of the ladder
    };

    template <class Value> Planned made(Address&& to, const Make<Value>& make, const Rule& by, Instant due) {
        auto& [recipient, topic, kind, subjects, about, la] = to;
        Planned planned;
        planned.dedup = about + " " + recipient + " " + std::string{schemas::EnumNameKind(kind)};
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
        return planned;
    }

    void add(Planned planned) {
        if (seen_.insert(planned.dedup).second) plan_.planned.push_back(std::move(planned));
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
            next.before_deadline = rung.before_deadline.has_value();
            const std::string other = rung.to + "/" + la;
            const bool again = rung.to == "again";
            if (again || (rung.to != "sender" && takes_part(other))) {
                const Rule& rule =
                    again ? by : *agreement_.rule_for(schemas::EnumNameKind(first.kind), "police", rung.to);
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
        if (is_worker_involved)
            review.because("Somebody in the incident has the name of the allocated worker.");
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
                permitted.reasons.insert(
                    permitted.reasons.begin(),
                    "A person compared the records and found that it is the same child.");
            }
            review.hold(notice_for(permitted, flag, held->received, *by), *by);
        }
        add_review(std::move(review));
    }

    Planned notice_for(match::Hit hit, const schemas::FlagValue& flag, Instant received, const Rule& by) {
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
            {recipient, "notices/" + recipient, Kind::social_care_notice, {subject}, subject, hit.flag.la},
            make, by, due);
    }

    bool is_party(std::string_view name) const { return is_named_in(incident_, relations_, name); }

    /// Whether somebody of the agency, of this name, is on a conflict list of the case.
    bool is_kept_from(std::string_view name, std::string_view agency) const {
        return std::ranges::any_of(kept_from_, [&](const auto& each) {
            return plain::may_be_same_person(each.person, name) &&
                   may_work_at(agreement_, each.works_for, agency);
        });
    }

    std::vector<std::unique_ptr<schemas::ComparedDetailValue>> side_by_side(
        const std::optional<std::uint16_t>& number, const schemas::PersonValue* theirs,
        const std::vector<std::unique_ptr<schemas::DatedPlaceValue>>& places,
        const std::vector<match::Evidence>& evidence) const {
        const auto* row = person(number);
        const auto* home = row && row->home ? row->home.get() : incident_.place.get();
        std::string lives;
        for (const auto& each : places)
            if (each && each->place && each->to.empty()) lives = one_line(*each->place);
        std::vector<Detail> details;
        if (row && theirs) {
            const auto& police = *row->person;
            details = {
                {"First names",   "given_name",    police.given_names,   theirs->given_names  },
                {"Surname",       "family_name",   police.family_name,   theirs->family_name  },
                {"Date of birth", "date_of_birth", police.date_of_birth, theirs->date_of_birth},
                {"Sex",           "sex",           police.sex,           theirs->sex          },
                {"Pupil number",  "identifier",    police.upn,           theirs->upn          },
            };
        }
        details.push_back({"Address", "place", home ? one_line(*home) : "", lives});
        std::vector<std::unique_ptr<schemas::ComparedDetailValue>> rows;
        for (auto& detail : details) {
            auto value = std::make_unique<schemas::ComparedDetailValue>();
            value->detail = detail.words;
            value->how = how(detail, evidence);
            value->police = std::move(detail.police);
            value->theirs = std::move(detail.theirs);
            rows.push_back(std::move(value));
        }
        std::ranges::stable_sort(rows, {}, [](const auto& each) { return rank(each->how); });
        return rows;
    }

    /// The allocated worker first, unless they may be in the incident; then the team's duty contact, and the team where
    /// there is none.
    std::string worker_or_duty(const schemas::FlagValue& flag, std::size_t turn) const {
        if (turn == 0 && flag.worker && !flag.worker->name.empty() && !is_party(flag.worker->name) &&
            !is_kept_from(flag.worker->name, "social-care/" + flag.la))
            return flag.worker->name;
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
        for (std::size_t i = 0; i < incident_.people.size(); ++i) {
            if (!relations_.is_adult[i]) continue;
            auto adult = std::make_unique<schemas::AdultInvolvedValue>();
            adult->role = incident_.people[i]->role;
            adult->relation = relation_of(i, hit, flag);
            notice.adults.push_back(std::move(adult));
        }
    }

    /// How an adult stands to the child of the hit, as the flag or else the incident has it; empty: nobody said.
    std::string relation_of(std::size_t adult, const match::Hit& hit, const schemas::FlagValue& flag) const {
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

    bool police_ask_for_person() const {
        return std::ranges::find(incident_.qualifiers, hold_qualifier) != incident_.qualifiers.end();
    }

    // Schools

    struct Review;

    void school(const match::PupilHit& hit) {
        const auto* held = known_.pupil(hit.pupil);
        if (!held || !held->value.child) return;
        if (hit.pupil.urn == 0) return registered(hit, *held);
        const std::string subject = held->value.child->upn.empty() ? hit.pupil.key : held->value.child->upn;
        const auto target = receiving_school(hit.pupil.urn);
        const std::uint32_t urn = target.value_or(hit.pupil.urn);
        const std::string recipient = "school/" + std::to_string(urn);
        const auto& pupil = held->value;
        const std::string la = authority_of(urn).value_or(first_authority());
        Review review{la, recipient, subject, {registry::text(hit.pupil)}, hit.outcome, hit.reasons};
        review.urn = urn;
        const auto hand_over_as = [&](const char* school) {
            hand_over({hit, *pupil.child, homes_of(hit, pupil), review, is_shielded(hit, pupil), school});
        };
        if (is_not_on_roll(subject, recipient)) {
            hand_over_as(school_is_not_told);
            return not_in_school(hit, *pupil.child, std::move(review));
        }
        if (grown_up(pupil.child->date_of_birth)) {
            review.because("The pupil is 18 or older, and no school is told of adults.");
        } else if (!target) {
            hand_over_as(school_is_not_told);
            review.because("The school is closed, and it is not clear which school took over.");
        } else if (!takes_part(recipient)) {
            hand_over_as(school_is_not_told);
            review.because("The school takes no part in the agreement.");
        } else {
            const std::size_t reasons = review.why.size();
            if (police_ask_for_person())
                review.because("Police ask that a person looks before the school is told.");
            if (has_contact(urn, [&](const auto& name) { return is_party(name); }))
                review.because("Somebody in the incident has the name of a contact of the school.");
            if (has_contact(urn, [&](const auto& name) { return is_kept_from(name, school_of(urn)); }))
                review.because("A contact of the school is on the conflict list of this case.");
            if (is_unconfirmed(*held))
                review.because(
                    "The roll has not been confirmed for more than five weeks: check that the child is still "
                    "at "
                    "this school.");
            if (is_shielded(hit, pupil)) {
                review.needs_two_people();
            }
            const bool is_held = review.why.size() > reasons || hit.outcome != Outcome::match;
            const auto* by = is_held ? rule_if_any(Kind::school_notice, recipient)
                                     : rule(Kind::school_notice, recipient, review.subjects);
            hand_over_as(!by ? school_is_not_told : is_held ? school_waits : school_is_told);
            if (by) {
                auto notice = notice_for_school(hit, *pupil.child, urn, subject, la, *by);
                if (!is_held) return add(std::move(notice));
                review.hold(std::move(notice), *by);
            }
            if (!is_held) return;
        }
        review.compared = compared_with(hit, pupil);
        weigh(review, hit, hit.through == match::Through::named);
        add_review(std::move(review));
    }

    std::vector<std::unique_ptr<schemas::ComparedDetailValue>> compared_with(
        const match::PupilHit& hit, const schemas::PupilValue& pupil) const {
        const auto* child = hit.through == match::Through::named ? pupil.child.get() : nullptr;
        std::vector<std::unique_ptr<schemas::DatedPlaceValue>> places;
        if (pupil.home) {
            places.push_back(std::make_unique<schemas::DatedPlaceValue>());
            places.back()->place = copy_of(pupil.home);
        }
        return side_by_side(hit.person, child, places, hit.evidence);
    }

    /// Nobody has said for long that the registration stands: the child may have left.
    bool is_unconfirmed(const registry::HeldPupil& held) const {
        return now_ - known_.confirmed(held) > lists_stand_for;
    }

    /// A child on an authority's register of children not in school: its officer for them is told what a school would have been,
    /// and a person looks first where one would for a school.
    void registered(const match::PupilHit& hit, const registry::HeldPupil& held) {
        const auto& pupil = held.value;
        const std::string subject =
            pupil.child->upn.empty() ? hit.pupil.key.substr(hit.pupil.key.find('/') + 1) : pupil.child->upn;
        const std::string recipient = "education/" + pupil.la;
        Review review{pupil.la, recipient, subject, {registry::text(hit.pupil)}, hit.outcome, hit.reasons};
        const bool is_grown = grown_up(pupil.child->date_of_birth);
        const auto* by = is_grown ? nullptr : rule_if_any(Kind::school_notice, recipient);
        const std::size_t reasons = review.why.size();
        if (is_grown)
            review.because(
                "The child is 18 or older, and no officer for children not in school is told of adults.");
        else if (!by)
            review.because(
                "The child is not in school, and nothing is agreed with the authority's officer for such "
                "children.");
        if (police_ask_for_person()) review.because("Police ask that a person looks before anybody is told.");
        if (is_unconfirmed(held))
            review.because(
                "The register of children not in school has not been confirmed for more than five weeks: "
                "check "
                "that the child is still on it.");
        if (by && is_shielded(hit, pupil)) {
            review.needs_two_people();
        }
        const bool is_held = review.why.size() > reasons || hit.outcome != Outcome::match;
        if (!is_grown)
            hand_over({hit, *pupil.child, homes_of(hit, pupil), review, is_shielded(hit, pupil),
                       !by       ? officer_is_not_told
                       : is_held ? officer_waits
                                 : officer_is_told});
        if (by) {
            auto notice = notice_for_officer(hit, *pupil.child, review, 0, *by);
            if (!is_held) return add(std::move(notice));
            review.hold(std::move(notice), *by);
        }
        review.compared = compared_with(hit, pupil);
        weigh(review, hit, hit.through == match::Through::named);
        add_review(std::move(review));
    }

    /// What the authority's education officer is told of a child whom no school has. `urn`: of the school that says so; 0: none.
    Planned notice_for_officer(const match::PupilHit& hit, const schemas::PersonValue& child,
                               const Review& about, std::uint32_t urn, const Rule& by) {
        const std::string recipient = "education/" + about.la;
        const Instant due = now_ + by.respond_within;
        const Make<SchoolNoticeValue> make = [&](const Rule& rule, std::size_t) {
            auto notice = school_notice(hit, child, urn, rule.fields);
            notice.read_by_us = to_us(due);
            return notice;
        };
        // As of the school it would have gone to: what is told under both headings is told once.
        const std::string thread = about.subjects.empty() ? about.subject : "pupil/" + about.subject;
        return made(
            {recipient, "notices/" + recipient, Kind::school_notice, about.subjects, thread, about.la}, make,
            by, due);
    }

    // Force of residence: the duty to have a school told is that of the force in whose area the child lives, whoever
    // attended (Domestic Abuse Act 2021, s.49A). A school is told directly all the same.

    struct Elsewhere {
        std::string la;
        std::optional<AgencyId> force;  // none: nobody in the agreement has that area
    };
    struct Handover {
        const match::PupilHit& hit;
        const schemas::PersonValue& child;
        std::vector<const schemas::PlaceValue*> homes;  // the surest first
        const Review& school;                           // what the school's own would be
        bool is_shielded;
        const char* words;
    };

    /// Whether the child lives in another force's area, and then that force is told, or a person that it cannot be.
    bool hand_over(const Handover& what) {
        const auto home = lives_elsewhere(what.homes);
        if (!home) return false;
        if (!handed_over_.insert(what.school.subject).second) return true;  // by another list the child is on
        const std::string recipient = home->force ? home->force->text() : "education/" + home->la;
        Review review{desk_near(what.school.la), recipient,        what.school.subject,
                      what.school.subjects,      what.hit.outcome, what.hit.reasons};
        if (police_ask_for_person())
            review.because("Police ask that a person looks before anybody else is told.");
        if (what.is_shielded) {
            review.needs_two_people();
        }
        const bool is_held =
            review.why.size() > what.hit.reasons.size() || what.hit.outcome != Outcome::match;
        const auto* by = home->force ? rule_if_any(Kind::school_notice, recipient) : nullptr;
        if (!by) {
            review.because(
                home->force
                    ? "The child lives in another force's area, and nothing is agreed with that force: "
                      "the force that attended has to pass it on."
                    : "The child lives outside the area of the force that attended, and no force of the "
                      "agreement has that area: the force that attended has to pass it on.");
            add_review(std::move(review));
            return true;
        }
        const Instant due = now_ + by->respond_within;
        const Make<SchoolNoticeValue> make = [&](const Rule& rule, std::size_t) {
            auto notice = school_notice(what.hit, what.child, what.school.urn.value_or(0), rule.fields);
            notice.handling = {lives_in_your_area, what.words};
            notice.read_by_us = to_us(due);
            return notice;
        };
        const auto& about = what.school;
        auto notice = made({recipient, "notices/" + recipient, Kind::school_notice, about.subjects,
                            about.subjects.empty() ? about.subject : "pupil/" + about.subject, home->la},
                           make, *by, due);
        if (!is_held) {
            add(std::move(notice));
            return true;
        }
        review.hold(std::move(notice), *by);
        add_review(std::move(review));
        return true;
    }

    std::optional<Elsewhere> lives_elsewhere(const std::vector<const schemas::PlaceValue*>& homes) const {
        const auto own = AgencyId::parse("police/" + incident_.force);
        const auto* force = own ? agreement_.party(*own) : nullptr;
        if (!force || force->areas.empty()) return std::nullopt;
        for (const auto* home : homes) {
            const auto la = authority_of_home(*home, force->areas);
            if (!la) continue;
            if (std::ranges::binary_search(force->areas, *la)) return std::nullopt;
            return Elsewhere{*la, agreement_.force_of(*la)};
        }
        return std::nullopt;
    }

    /// By the schools of its postcode sector, else of its district. Where these lie on a border, `own` area is believed:
    /// the force that attended goes on as it would.
    std::optional<std::string> authority_of_home(const schemas::PlaceValue& home,
                                                 const std::vector<std::string>& own) const {
        const auto postcode = registry::place_form(home).postcode;
        if (postcode.find(' ') == std::string::npos) return std::nullopt;
        const auto around = schools_around(postcode);
        const auto& near = around.sector.empty() ? around.district : around.sector;
        for (const auto& [la, schools] : near)
            if (std::ranges::binary_search(own, la)) return la;
        return most(near);
    }

    static std::optional<std::string> most(const std::map<std::string, int>& schools) {
        const auto found =
            std::ranges::max_element(schools, {}, [](const auto& each) { return each.second; });
        return found == schools.end() ? std::nullopt : std::optional{found->first};
    }

    /// Where the child may live, the surest first: what police were told, what a flag says, what the roll says.
    std::vector<const schemas::PlaceValue*> homes_of(const match::PupilHit& hit,
                                                     const schemas::PupilValue& pupil) const {
        std::vector<const schemas::PlaceValue*> homes;
        const auto* named = hit.through == match::Through::named ? person(hit.person) : nullptr;
        if (named && named->home) homes.push_back(named->home.get());
        for (const auto& flag : decision_.flags) {
            const auto* held = is_of_same_child(flag, hit) ? known_.flag(flag.flag) : nullptr;
            if (!held) continue;
            for (const auto& each : held->value.places)
                if (each && each->place && each->to.empty()) homes.push_back(each->place.get());
        }
        if (pupil.home) homes.push_back(pupil.home.get());
        return homes;
    }

    /// Whose desk decides about a child of elsewhere: that of the school's authority if it takes part, else of where police
    /// went.
    std::string desk_near(const std::string& la) const {
        if (takes_part("social-care/" + la)) return la;
        const auto attended = incident_.place
                                  ? authority_around(registry::place_form(*incident_.place).postcode)
                                  : std::nullopt;
        return attended && takes_part("social-care/" + *attended) ? *attended : first_authority();
    }

    bool is_not_on_roll(const std::string& subject, const std::string& recipient) const {
        return not_on_roll_.contains("pupil/" + subject + " " + recipient + " " +
                                     std::string{schemas::EnumNameKind(Kind::school_notice)});
    }

    /// Whether another school has the same child: by the pupil number, or as the same person of the incident.
    bool is_elsewhere(const match::PupilHit& hit, const std::string& subject) const {
        return std::ranges::any_of(decision_.pupils, [&](const match::PupilHit& other) {
            const auto* held = known_.pupil(other.pupil);
            if (!held || !held->value.child || other.pupil.urn == hit.pupil.urn ||
                other.outcome != Outcome::match)
                return false;
            const auto& upn = held->value.child->upn;
            const std::string theirs = upn.empty() ? other.pupil.key : upn;
            const bool is_same = theirs == subject || (other.person && other.person == hit.person);
            const auto urn = receiving_school(other.pupil.urn);
            return is_same && urn && !is_not_on_roll(theirs, "school/" + std::to_string(*urn));
        });
    }

    Planned notice_for_school(const match::PupilHit& hit, const schemas::PersonValue& child,
                              std::uint32_t urn, const std::string& subject, const std::string& la,
                              const Rule& by) {
        const std::string recipient = "school/" + std::to_string(urn);
        const Instant due = next_school_day_start(known_, urn, now_, zone_);
        const Make<SchoolNoticeValue> make = [&](const Rule& rule, std::size_t turn) {
            auto notice = school_notice(hit, child, urn, rule.fields);
            notice.read_by_us = to_us(due);
            notice.addressed_to = school_contact(urn, turn);
            return notice;
        };
        auto planned = made({recipient,
                             "notices/" + recipient,
                             Kind::school_notice,
                             {registry::text(hit.pupil)},
                             "pupil/" + subject,
                             la},
                            make, by, due);
        planned.urn = urn;
        return planned;
    }

    /// By the roll, or by a flag on what may be the same child, however that flag was hit: whoever knows of the danger
    /// has said so.
    bool is_shielded(const match::PupilHit& hit, const schemas::PupilValue& pupil) const {
        if (pupil.shield != schemas::Shield::none || has_shield(*pupil.child)) return true;
        return std::ranges::any_of(decision_.flags, [&](const match::Hit& flag) {
            const auto* held = known_.flag(flag.flag);
            return held && held->value.shield != schemas::Shield::none && is_of_same_child(flag, hit);
        });
    }

    static bool is_of_same_child(const match::Hit& flag, const match::PupilHit& hit) {
        const bool is_same_person = hit.through == match::Through::named && !flag.linked_adult &&
                                    flag.person && flag.person == hit.person;
        return is_same_person || hit.flag == flag.flag;
    }

    /// Holding a brother's notice does no harm, so one detail is enough: the number, the birthday or the first name.
    static bool may_be_same(const schemas::PersonValue& one, const schemas::PersonValue& other) {
        if (!one.upn.empty() && one.upn == other.upn) return true;
        const auto born = registry::date_form(one.date_of_birth);
        if (born.whole() && born == registry::date_form(other.date_of_birth)) return true;
        for (const auto& a : registry::name_forms(one.given_names, one.family_name))
            for (const auto& b : registry::name_forms(other.given_names, other.family_name))
                if (!a.given->words.empty() && !b.given->words.empty() &&
                    a.given->words.front() == b.given->words.front())
                    return true;
        return false;
    }

    static std::string school_of(std::uint32_t urn) { return "school/" + std::to_string(urn); }

    bool has_contact(std::uint32_t urn, const std::function<bool(const std::string&)>& such) const {
        const auto& contacts = known_.contacts();
        for (auto at = contacts.lower_bound({urn, {}}); at != contacts.end() && at->first.urn == urn; ++at)
            if (such(at->second.name)) return true;
        return false;
    }

    /// The contact whose turn it is, in the order of the directory; the last one's for good. Never one who may be in the
    /// incident, or is on its conflict list. Empty: nobody else is known.
    std::string school_contact(std::uint32_t urn, std::size_t turn) const {
        std::string name;
        std::size_t passed = 0;
        const auto& contacts = known_.contacts();
        for (auto at = contacts.lower_bound({urn, {}});
             passed <= turn && at != contacts.end() && at->first.urn == urn; ++at) {
            if (is_party(at->second.name) || is_kept_from(at->second.name, school_of(urn))) continue;
            name = at->second.name;
            ++passed;
        }
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
            notice.circumstances = fit_for_school(incident_.circumstances, child, incident_, hidden_places());
        const auto* named = hit.through == match::Through::named ? person(hit.person) : nullptr;
        if (named && listed("child_present")) notice.child_present = named->present;
        if (named && listed("voice_of_child")) {
            notice.voice_of_child = fit_for_school(named->voice_of_child, child, incident_, hidden_places());
        }
        return notice;
    }

    /// The addresses of the flags that were hit, current and former, the children's and their adults'.
    std::vector<const schemas::PlaceValue*> hidden_places() const {
        std::vector<const schemas::PlaceValue*> places;
        const auto add = [&](const std::vector<std::unique_ptr<schemas::DatedPlaceValue>>& dated) {
            for (const auto& each : dated)
                if (each && each->place) places.push_back(each->place.get());
        };
        for (const auto& hit : decision_.flags) {
            const auto* held = known_.flag(hit.flag);
            if (!held) continue;
            add(held->value.places);
            for (const auto& adult : held->value.linked_adults)
                if (adult) add(adult->places);
        }
        return places;
    }

    /// No roll has the child: it may be educated at home, or elsewhere. A person finds out; if it is not in school, the
    /// authority's officer for such children is told what its school would have been.
    void no_school(const match::Unplaced& child) {
        const auto la = authority_for(child.person);
        const std::string recipient = "education/" + la;
        const std::string about = "person " + std::to_string(child.person + 1);
        Review review{
            la,
            recipient,
            about,
            {         },
            Outcome::none,
            { "A child related to an adult of a domestic-abuse incident has no known school.", child.why}
        };
        const auto* row = person(child.person);
        if (row && row->person)
            review.whom =
                row->person->given_names + "|" + row->person->family_name + "|" + row->person->date_of_birth;
        const auto* by = rule_if_any(Kind::school_notice, recipient);
        match::PupilHit unlisted;
        unlisted.through = match::Through::named;
        unlisted.person = child.person;
        unlisted.outcome = Outcome::match;  // it is the child police name
        const bool is_named = row && row->person && !row->person->family_name.empty();
        if (is_named && row->home &&
            hand_over({unlisted,
                       *row->person,
                       {row->home.get()},
                       review,
                       has_shield(*row->person),
                       school_is_not_told}))
            return;
        if (by && is_named) {
            review.hold(notice_for_officer(unlisted, *row->person, review, 0, *by), *by);
            review.two_people = has_shield(*row->person);
            if (review.two_people) review.why.emplace_back(two_must_agree);
        }
        add_review(std::move(review));
    }

    /// Whether a flag that was hit shields what may be this child.
    bool has_shield(const schemas::PersonValue& child) const {
        return std::ranges::any_of(decision_.flags, [&](const match::Hit& flag) {
            const auto* held = known_.flag(flag.flag);
            return held && held->value.shield != schemas::Shield::none && held->value.child &&
                   may_be_same(*held->value.child, child);
        });
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
        return most(schools_around(postcode).district);
    }

    /// How many schools each authority has in the postcode's sector, and in its district.
    struct Around {
        std::map<std::string, int> sector, district;
    };
    Around schools_around(const std::string& postcode) const {
        Around around;
        if (postcode.empty()) return around;
        const auto district = registry::outward(postcode);
        const auto sector = std::string_view{postcode}.substr(0, district.size() + 2);
        for (const auto& [urn, school] : known_.schools()) {
            // By the first letter, cheaply: there are some thirty thousand schools.
            if (!school.place || school.la.empty() || school.place->postcode.empty() ||
                (school.place->postcode.front() != ' ' &&
                 std::toupper(static_cast<unsigned char>(school.place->postcode.front())) !=
                     district.front()))
                continue;
            schemas::PlaceValue postcode_alone;
            postcode_alone.postcode = school.place->postcode;
            const auto theirs = registry::place_form(postcode_alone).postcode;
            if (registry::outward(theirs) != district) continue;
            ++around.district[school.la];
            if (theirs.starts_with(sector)) ++around.sector[school.la];
        }
        return around;
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

    /// What the agreement calls an agency; empty: it does not say.
    std::string name_of(const std::string& agency) const {
        const auto id = AgencyId::parse(agency);
        const auto* party = id ? agreement_.party(*id) : nullptr;
        return party ? party->name : std::string{};
    }

    struct Review {
        std::string la;
        std::string bound_for;
        std::string subject;
        std::vector<std::string> subjects;
        Outcome outcome{};
        std::vector<std::string> why;
        std::optional<std::uint32_t> urn{};
        std::vector<std::unique_ptr<schemas::ComparedDetailValue>> compared{};
        std::set<std::string> will_be_told{};
        std::unique_ptr<Planned> held{};
        bool two_people = false;
        std::string
            whom{};  // where `subject` is a place in the incident, which another version may give to another child
        std::uint16_t person = 0;  // as in ReviewItem
        std::vector<match::Evidence> evidence{};
        match::Millibits score = 0;
        std::string rule{};  // of what is sent

        /// One more reason why a person looks: the newest stands first.
        void because(const char* words) { why.insert(why.begin(), words); }
        void needs_two_people() {
            because(two_must_agree);
            two_people = true;
        }
        /// What is sent when it is permitted.
        void hold(Planned notice, const Rule& by) {
            held = std::make_unique<Planned>(std::move(notice));
            will_be_told = by.fields;
            rule = by.id;
        }
    };

    /// `is_child`: the person of the incident was compared with the child, not with somebody around the child, who may have more
    /// than one.
    template <class Hit> static void weigh(Review& review, const Hit& hit, bool is_child) {
        if (is_child && hit.person) review.person = static_cast<std::uint16_t>(*hit.person + 1);
        review.evidence = hit.evidence;
        review.score = hit.score;
    }

    std::string weighed_by(const std::string& rule) const {
        const std::string agreement = "agreement " + to_hex(agreement_.digest()).substr(0, 12);
        return rule.empty() ? agreement : rule + ", " + agreement;
    }

    void add_review(Review review) {
        const std::string desk = desk_of(review.la);
        const auto* by = rule(Kind::review_item, desk, review.subjects);
        if (!by) return;
        Instant due = now_ + by->respond_within;
        if (review.urn) due = std::min(due, next_school_day_start(known_, *review.urn, now_, zone_));
        const Make<ReviewItemValue> make = [&](const Rule& rule, std::size_t) {
            ReviewItemValue item;
            add_incident(item);
            item.la = review.la;
            item.outcome = review.outcome;
            item.bound_for = review.bound_for;
            const bool is_school = review.urn && review.bound_for.starts_with("school/");
            const auto* school = is_school ? known_.school(*review.urn) : nullptr;
            item.bound_for_name = school ? school->name : name_of(review.bound_for);
            item.force_name = name_of("police/" + incident_.force);
            item.subject = review.subject;
            if (rule.fields.contains("why")) item.why = review.why;
            if (rule.fields.contains("compared"))
                for (const auto& detail : review.compared)
                    item.compared.push_back(std::make_unique<schemas::ComparedDetailValue>(*detail));
            if (rule.fields.contains("person")) item.person = review.person;
            if (rule.fields.contains("weighed"))
                for (const auto& each : review.evidence) {
                    const auto [what, found] = match::finding(each);
                    auto weighed = std::make_unique<schemas::WeighedDetailValue>();
                    weighed->detail = what;
                    weighed->found = found;
                    weighed->weight = each.weight;
                    item.weighed.push_back(std::move(weighed));
                }
            if (rule.fields.contains("score")) item.score = review.score;
            if (rule.fields.contains("weighed_by") && !review.evidence.empty())
                item.weighed_by = weighed_by(review.rule);
            item.will_be_told.assign(review.will_be_told.begin(), review.will_be_told.end());
            item.two_people = review.two_people;
            item.decide_by_us = to_us(due);
            return item;
        };
        auto planned = made({desk, "reviews/" + review.la, Kind::review_item, std::move(review.subjects),
                             review.subject + " " + review.bound_for, review.la},
                            make, *by, due);
        // What is sent if it is permitted is part of what is decided.
        if (review.held)
            planned.fingerprint.insert(planned.fingerprint.end(), review.held->fingerprint.begin(),
                                       review.held->fingerprint.end());
        planned.held = std::move(review.held);
        planned.two_people = review.two_people;
        planned.doubts = std::move(review.why);
        if (!review.whom.empty()) planned.doubts.push_back(std::move(review.whom));
        add(std::move(planned));
    }

    /// The school that was told has no such pupil. Where no other is told either, the authority's education officer has to
    /// find out where the child is; by a person, where it would have needed one for the school.
    void not_in_school(const match::PupilHit& hit, const schemas::PersonValue& child, Review review) {
        if (is_elsewhere(hit, review.subject)) return;
        const std::string recipient = "education/" + review.la;
        const auto* by = rule_if_any(Kind::school_notice, recipient);
        const auto* held = known_.pupil(hit.pupil);
        const bool needs_person =
            hit.outcome != Outcome::match || is_shielded(hit, held->value) || police_ask_for_person();
        if (by && !needs_person) return add(notice_for_officer(hit, child, review, *review.urn, *by));
        review.bound_for = recipient;
        review.urn.reset();
        review.because("The school says that the child is not on its roll.");
        add_review(std::move(review));
    }

    const agreement::Agreement& agreement_;
    const registry::Register& known_;
    const schemas::IncidentValue& incident_;
    const match::Decision& decision_;
    Instant now_;
    const date::time_zone* zone_;
    const std::set<std::string>& not_on_roll_;
    const std::vector<KeptFrom>& kept_from_;
    match::Relations relations_;
    std::set<std::string> seen_;
    std::set<std::string> handed_over_;  // subjects of which the force of residence was seen to
    Plan plan_;
};

}  // namespace

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
