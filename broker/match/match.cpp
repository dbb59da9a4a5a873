#include "broker/match/match.h"

#include <date/date.h>

#include <algorithm>
#include <array>
#include <climits>
#include <map>
#include <tuple>

#include "broker/core/limits.h"
#include "broker/match/candidates.h"
#include "broker/match/related.h"
#include "broker/plain/text.h"
#include "broker/register/given_names.h"

namespace flagpost::match {
namespace {

using registry::FlagKey;
using registry::PersonForm;
using registry::PlaceForm;
using registry::PupilKey;
using registry::Row;
using registry::RowKind;
using schemas::HitKind;
using schemas::Outcome;

constexpr const char* version = "flagpost-match/6";

// An address hit counts as this much when hits are put in order; addresses are not scored otherwise.
constexpr Millibits address_score = 12000;
constexpr Millibits unclear_address_score = 4000;
constexpr Millibits school_agrees = 4000;

constexpr int tail_days = 366;  // an ended plan and a former address are told of for a year (R5)

/// A person of the incident.
struct Involved {
    std::uint16_t number;
    const schemas::IncidentPersonValue* value;
    PersonForm form;
    std::vector<std::uint64_t> keys;
    std::string school;  // as the officer was told, as words
};

std::string joined_words(std::string_view text) {
    std::string out;
    for (const auto& word : plain::words(text)) out += (out.empty() ? "" : " ") + word;
    return out;
}

std::vector<Involved> people_of(const schemas::IncidentValue& incident) {
    std::vector<Involved> people;
    for (std::size_t i = 0; i < incident.people.size() && i < limits::people_max; ++i) {
        const auto& value = incident.people[i];
        if (!value || !value->person) continue;
        Involved person{
            static_cast<std::uint16_t>(i), value.get(), registry::person_form(*value->person), {}, {}};
        auto home = value->home ? registry::place_form(*value->home) : PlaceForm{};
        if (!home.empty() || !home.town.empty())
            person.form.places.push_back(
                {std::make_shared<const PlaceForm>(std::move(home)), INT_MIN, INT_MAX});
        person.keys = registry::query_keys(person.form);
        person.school = joined_words(value->school_name);
        people.push_back(std::move(person));
    }
    return people;
}

bool within_tail(int end, int today) { return end < today && today - end <= tail_days; }

/// The day a flag ended, if it has.
int end_of(const schemas::FlagValue& flag) {
    return registry::day_number(registry::date_form(flag.end_date)).value_or(INT_MAX);
}

bool in_force_or_tail(const schemas::FlagValue& flag, int today) {
    if (!flag.delete_date.empty()) return false;
    const int end = end_of(flag);
    return end >= today || within_tail(end, today);
}

class Decider {
public:
    Decider(const registry::Register& known, const schemas::IncidentValue& incident, Instant now)
        : known_{known}, index_{known.index()}, incident_{incident}, people_{people_of(incident)} {
        const auto when = incident.occurred_us > 0 ? from_us(incident.occurred_us) : now;
        today_ = static_cast<int>(date::floor<date::days>(when).time_since_epoch().count());
        now_day_ = static_cast<int>(date::floor<date::days>(now).time_since_epoch().count());
        year_ = static_cast<int>(date::year_month_day{date::floor<date::days>(when)}.year());
        if (incident.place) attended_ = registry::place_form(*incident.place);
    }

    Decision decide() {
        addresses();
        for (const auto& person : people_) flagged(person);
        for (auto& [key, hit] : hits_) decision_.flags.push_back(std::move(hit));
        if (incident_.domestic_abuse) schools();
        decision_.candidates = effort_.compared;
        decision_.dropped = effort_.dropped;
        return std::move(decision_);
    }

private:
    // Flags

    Query query_for(const Involved& person) const {
        return {&person.form, &person.keys, person.value->role == schemas::Role::child, &attended_, year_};
    }

    void flagged(const Involved& person) {
        for (const auto kind : {RowKind::flagged_child, RowKind::linked_adult}) {
            auto candidates = search(
                query_for(person), index_.pool(kind), share_flagged,
                [&](const Row& row) { return in_force_or_tail(row.held_flag->value, today_); }, {}, effort_);
            weigh_together(candidates);
            for (const auto& candidate : candidates) flag_hit(person, candidate);
        }
    }

    void flag_hit(const Involved& person, const Candidate& candidate) {
        const auto& row = *candidate.row;
        Hit hit;
        hit.flag = *row.flag;
        hit.outcome = candidate.outcome;
        hit.kind = row.kind == RowKind::linked_adult ? HitKind::linked_adult : HitKind::person;
        hit.score = candidate.margin;
        hit.person = person.number;
        if (row.kind == RowKind::linked_adult) {
            hit.linked_adult = row.number;
            const auto& relation = row.held_flag->value.linked_adults[row.number]->relation;
            hit.reasons.push_back("Somebody involved appears to be this child's " +
                                  (relation.empty() ? std::string{"linked adult"} : relation) + ".");
        } else {
            hit.reasons.emplace_back("Somebody involved appears to be this child.");
        }
        explain(candidate, hit.reasons, hit.evidence);
        if (end_of(row.held_flag->value) < today_) {
            hit.kind = HitKind::historic;
            hit.reasons.push_back("The plan ended on " + row.held_flag->value.end_date + ".");
        }
        merge(std::move(hit));
    }

    static void explain(const Candidate& candidate, std::vector<std::string>& reasons,
                        std::vector<Evidence>& out) {
        if (candidate.outcome == Outcome::many) reasons.emplace_back("Several records fit this person.");
        if (candidate.held) reasons.push_back(*candidate.held);
        for (auto& words : in_words(candidate.comparison)) {
            if (std::find(reasons.begin(), reasons.end(), words) == reasons.end())
                reasons.push_back(std::move(words));
        }
        out = evidence(candidate.comparison, candidate.prior);
    }

    void addresses() {
        if (attended_.empty()) return;
        registry::Found found;
        index_.find_places(attended_, found);
        effort_.dropped += found.dropped;
        std::vector<const registry::PlaceRow*> rows;
        for (const auto number : found.rows) rows.push_back(&index_.place(number));
        std::sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) {
            const auto key = [](const registry::PlaceRow& row) {
                const auto& place = *row.place.place;
                return std::tie(*row.flag, row.place.from, row.place.to, place.line, place.uprn);
            };
            return key(*a) < key(*b);
        });
        for (const auto* row : rows) {
            ++effort_.compared;
            if (!in_force_or_tail(row->held_flag->value, today_)) continue;
            auto how = compare_addresses(attended_, *row->place.place);
            const bool in_part = how >= AddressHit::range_end && how < AddressHit::full;
            if (in_part && (says_less(*row->place.place) || fits_another(*row, rows)))
                how = AddressHit::street_unclear;
            if (how == AddressHit::near_postcode && mistyped_postcode(*row, rows))
                how = AddressHit::postcode_mistyped;
            address_hit(*row, how);
        }
    }

    /// What police leave out is looked for among the register's addresses; what the register leaves out may be anything.
    /// The same flat or lettered house of one number is one, whatever else it is called.
    bool says_less(const PlaceForm& held) const {
        const bool one_flat = !held.flat.empty() && held.flat == attended_.flat;
        return (held.number == 0 && attended_.number != 0) ||
               (held.number_to == 0 && attended_.number_to != 0 && !one_flat) ||
               (held.building.empty() && !attended_.building.empty() && !one_flat) ||
               held.flat.size() < attended_.flat.size();
    }

    /// House and street agree within a sector where the street is the only one of its name, and no other address fits.
    bool mistyped_postcode(const registry::PlaceRow& row,
                           const std::vector<const registry::PlaceRow*>& rows) const {
        const auto& held = *row.place.place;
        return differ_in_unit_alone(attended_, held) && index_.street_of_one_postcode(held) &&
               std::none_of(rows.begin(), rows.end(), [&](const auto* other) {
                   return other->place.place->postcode != held.postcode &&
                          compare_addresses(attended_, *other->place.place) != AddressHit::none;
               });
    }

    /// Whether the address, of which something is left out, may also be another house of the register.
    bool fits_another(const registry::PlaceRow& row,
                      const std::vector<const registry::PlaceRow*>& rows) const {
        return std::any_of(rows.begin(), rows.end(), [&](const auto* other) {
            return other->place.place->line != row.place.place->line &&
                   compare_addresses(attended_, *other->place.place) >= AddressHit::flat_missing;
        });
    }

    void address_hit(const registry::PlaceRow& row, AddressHit how) {
        if (how == AddressHit::none) return;
        const bool past = row.place.to < today_;
        if (past && !within_tail(row.place.to, today_)) return;
        const bool sure = how >= AddressHit::postcode_mistyped && !others_live_there(row, how);
        Hit hit;
        hit.flag = *row.flag;
        hit.kind = sure ? HitKind::address : HitKind::shell;
        hit.score = sure ? address_score : unclear_address_score;
        hit.outcome = sure ? Outcome::match : Outcome::potential;
        if (how <= AddressHit::near_number) hit.outcome = Outcome::low;
        hit.reasons.emplace_back(past ? "Police attended a former address of this child."
                                      : "Police attended an address of this child.");
        hit.reasons.emplace_back(words_of(how));
        if (!sure && how >= AddressHit::postcode_mistyped)
            hit.reasons.emplace_back(
                "Those there are of another family, and nobody recorded since when the child is.");
        if (past) {
            hit.kind = HitKind::historic;
            hit.outcome = std::min(hit.outcome, sure ? Outcome::potential : Outcome::low);
        } else if (end_of(row.held_flag->value) < today_) {
            hit.kind = HitKind::historic;
            hit.reasons.push_back("The plan ended on " + row.held_flag->value.end_date + ".");
        }
        hit.evidence.push_back({"address", past ? "former" : "current", hit.score});
        merge(std::move(hit));
    }

    /// A family of another name is at an address of which nobody knows since when it was the child's: perhaps one that
    /// the child has left. A single person may be a visitor, and a property number is the authority's own.
    bool others_live_there(const registry::PlaceRow& row, AddressHit how) const {
        if (how == AddressHit::uprn || row.place.from != INT_MIN) return false;
        std::vector<const registry::NamePart*> seen;
        bool one_family = false;
        for (const auto& person : people_) {
            if (person.form.names.empty()) continue;
            const auto& family = *person.form.names.front().family;
            if (bears(*row.held_flag, family)) return false;
            for (const auto* other : seen)
                one_family = one_family || compare_family(*other, family) <= Family::near;
            seen.push_back(&family);
        }
        return one_family;
    }

    /// Whether the child or a linked adult of a flag has a family name like this one.
    static bool bears(const registry::HeldFlag& flag, const registry::NamePart& family) {
        const auto like = [&](const schemas::PersonValue* person) {
            if (!person) return false;
            const auto forms = registry::name_forms(person->given_names, person->family_name);
            return std::any_of(forms.begin(), forms.end(), [&](const registry::NameForm& form) {
                return compare_family(*form.family, family) <= Family::similar;
            });
        };
        return like(flag.value.child.get()) ||
               std::any_of(flag.value.linked_adults.begin(), flag.value.linked_adults.end(),
                           [&](const auto& adult) { return adult && like(adult->person.get()); });
    }

    static const char* words_of(AddressHit how) {
        switch (how) {
            case AddressHit::uprn:
                return "The property number (UPRN) agrees.";
            case AddressHit::full:
                return "The address agrees.";
            case AddressHit::number_left_out:
                return "The house or flat and its street agree; only one side gives the number.";
            case AddressHit::street_left_out:
                return "The house's name and the place agree; only one side gives the street.";
            case AddressHit::name_left_out:
                return "Number and street agree; only one side names the house or the floor.";
            case AddressHit::range_end:
                return "Street agrees, and the number is one of the two that the building bears.";
            case AddressHit::postcode_mistyped:
                return "House and street agree, and no other street nearby is called so; the postcode ends "
                       "differently.";
            case AddressHit::street_unclear:
                return "Postcode and house agree; the rest reads differently.";
            case AddressHit::flat_missing:
                return "The building agrees; only one side names a flat.";
            case AddressHit::number_range:
                return "The house number lies in a range of numbers.";
            case AddressHit::other_uprn:
                return "The address reads the same, but the property numbers (UPRN) differ.";
            case AddressHit::near_number:
                return "Street and postcode agree; the house number has a digit more or less.";
            default:
                return "House and street agree; the postcode differs.";
        }
    }

    /// One hit a flag: the strongest decides, the others add their reasons.
    void merge(Hit hit) {
        const auto found = hits_.find(hit.flag);
        if (found == hits_.end()) {
            hits_.emplace(hit.flag, std::move(hit));
            return;
        }
        auto& kept = found->second;
        const bool both = kept.outcome == Outcome::match && hit.outcome == Outcome::match &&
                          ((kept.kind == HitKind::address && hit.kind == HitKind::person) ||
                           (kept.kind == HitKind::person && hit.kind == HitKind::address));
        if (rank(hit) > rank(kept)) std::swap(kept, hit);
        if (both) kept.kind = HitKind::both;
        if (hit.outcome < Outcome::potential) return;
        for (auto& words : hit.reasons) {
            if (std::find(kept.reasons.begin(), kept.reasons.end(), words) == kept.reasons.end()) {
                kept.reasons.push_back(std::move(words));
            }
        }
        if (!kept.person) kept.person = hit.person;
    }

    /// Outcome first; among equals a person says more than an address, and an adult less than the child.
    static std::tuple<Outcome, int, Millibits> rank(const Hit& hit) {
        int kind = 0;
        switch (hit.kind) {
            case HitKind::both:
                kind = 4;
                break;
            case HitKind::person:
                kind = 3;
                break;
            case HitKind::linked_adult:
                kind = 2;
                break;
            case HitKind::address:
                kind = 1;
                break;
            default:
                break;
        }
        return {hit.outcome, kind, hit.score};
    }

    // Schools

    void schools() {
        const auto related = relations(incident_);
        for (const auto& person : people_) {
            if (related.is_child[person.number] && related.to_adult[person.number] != Related::no) {
                named_child(person, related.to_adult[person.number]);
            }
        }
        for (const auto& hit : decision_.flags) flagged_child_of(hit, related);
        for (const auto& person : people_) {
            if (related.is_adult[person.number]) contacts(person);
        }
        for (auto& [key, hit] : pupils_) decision_.pupils.push_back(std::move(hit));
    }

    bool on_roll(const Row& row) const {
        const auto left = registry::day_number(registry::date_form(row.held_pupil->value.left_on));
        return !left || *left >= now_day_;
    }

    std::vector<Candidate> on_rolls(const Query& query, const Bonus& bonus) {
        auto candidates = search(
            query, index_.pool(RowKind::pupil), share_on_roll, [&](const Row& row) { return on_roll(row); },
            bonus, effort_);
        weigh_together(candidates);
        return candidates;
    }

    bool school_told(const Involved& person, std::uint32_t urn) const {
        if (person.value->school_urn != 0) return person.value->school_urn == urn;
        const auto* school = known_.school(urn);
        return school && !person.school.empty() && joined_words(school->name) == person.school;
    }

    void named_child(const Involved& person, Related how) {
        if (person.form.names.empty() && person.form.upn.empty()) {
            decision_.unplaced.push_back({person.number, "The child is not named."});
            return;
        }
        const auto candidates =
            on_rolls(query_for(person),
                     {school_agrees, [&](const Row& row) { return school_told(person, row.pupil->urn); }});
        if (candidates.empty() && school_age(person.form.born)) {
            decision_.unplaced.push_back({person.number, "No roll that was searched holds the child."});
        }
        for (const auto& candidate : candidates) {
            auto hit = pupil_hit(candidate, Through::named);
            hit.person = person.number;
            if (school_told(person, hit.pupil.urn)) {
                hit.evidence.push_back({"school", "told", school_agrees});
                hit.reasons.emplace_back("It is the school that police were told of.");
            }
            if (how == Related::unclear) {
                hit.outcome = std::min(hit.outcome, Outcome::potential);
                hit.reasons.insert(hit.reasons.begin(),
                                   "Police did not say how the child is related to either adult.");
            }
            keep(std::move(hit));
        }
    }

    PupilHit pupil_hit(const Candidate& candidate, Through through) const {
        PupilHit hit;
        hit.pupil = *candidate.row->pupil;
        hit.outcome = candidate.outcome;
        hit.through = through;
        hit.score = candidate.margin;
        explain(candidate, hit.reasons, hit.evidence);
        return hit;
    }

    /// 4 to 17, or of unknown age: below and above nobody expects the child on a roll.
    bool school_age(const registry::DateForm& born) const {
        const auto day = registry::day_number(born);
        if (!day) return true;
        const int age_days = today_ - *day;
        return age_days >= 4 * 365 + 1 && age_days < 18 * 365 + 4;
    }

    /// A flagged child whose linked adult is a party to domestic abuse is related to that adult, named or not.
    void flagged_child_of(const Hit& hit, const Relations& related) {
        const bool by_adult = hit.linked_adult && hit.person && related.is_adult[*hit.person];
        const auto* held = known_.flag(hit.flag);
        if (!by_adult || !held || !held->value.child || end_of(held->value) < today_) return;
        auto child = registry::person_form(*held->value.child);
        if (child.names.empty() || (child.born.empty() && child.upn.empty())) return;
        for (const auto& place : held->value.places) {
            if (place) child.places.push_back(registry::dated_place_form(*place));
        }
        const auto keys = registry::query_keys(child);
        for (const auto& candidate : on_rolls({&child, &keys, true, &attended_, year_}, {})) {
            auto found = pupil_hit(candidate, Through::flag);
            found.outcome = std::min(found.outcome, hit.outcome);
            found.flag = hit.flag;
            found.reasons.insert(found.reasons.begin(),
                                 "Linked adult of a flagged child: " + hit.reasons.front());
            keep(std::move(found));
        }
    }

    /// What a roll says of parents is good enough to have a person look, not to tell a school.
    void contacts(const Involved& person) {
        auto candidates = search(
            query_for(person), index_.pool(RowKind::contact), share_on_roll,
            [&](const Row& row) { return on_roll(row); }, {}, effort_);
        weigh_apart(candidates);
        for (const auto& candidate : candidates) {
            if (pupils_.count(*candidate.row->pupil) != 0) continue;
            auto hit = pupil_hit(candidate, Through::contact);
            hit.outcome = std::min(hit.outcome, Outcome::potential);
            hit.person = person.number;
            hit.reasons.insert(hit.reasons.begin(),
                               "An adult involved appears to be a contact of this pupil.");
            keep(std::move(hit));
        }
    }

    void keep(PupilHit hit) {
        const auto found = pupils_.find(hit.pupil);
        if (found == pupils_.end()) {
            auto key = hit.pupil;
            pupils_.emplace(std::move(key), std::move(hit));
        } else if (std::tie(hit.outcome, hit.score) > std::tie(found->second.outcome, found->second.score)) {
            found->second = std::move(hit);
        }
    }

    const registry::Register& known_;
    const registry::PersonIndex& index_;
    const schemas::IncidentValue& incident_;
    std::vector<Involved> people_;
    PlaceForm attended_;
    int today_ = 0;    // when it happened: which addresses and plans were current
    int year_ = 0;     // and how old people were
    int now_day_ = 0;  // when it is decided: who is on a roll
    std::map<FlagKey, Hit> hits_;
    std::map<PupilKey, PupilHit> pupils_;
    Effort effort_;
    Decision decision_;
};

}  // namespace

std::string Decision::summary() const {
    std::array<std::size_t, 5> by_outcome{};
    for (const auto& hit : flags) ++by_outcome[static_cast<std::size_t>(hit.outcome)];
    const auto count = [&](Outcome outcome) {
        return std::to_string(by_outcome[static_cast<std::size_t>(outcome)]);
    };
    return "match=" + count(Outcome::match) + " potential=" + count(Outcome::potential) +
           " many=" + count(Outcome::many) + " low=" + count(Outcome::low) +
           " pupils=" + std::to_string(pupils.size()) + " unplaced=" + std::to_string(unplaced.size()) +
           " candidates=" + std::to_string(candidates);
}

Decision decide(const registry::Register& known, const schemas::IncidentValue& incident, Instant now) {
    return Decider{known, incident, now}.decide();
}

std::string engine_digest_input() {
    std::string out = std::string{version} + "\nICU " + plain::icu_version() + "\n" + weights_text();
    for (const auto value :
         {match_from, potential_from, low_from, low_from_elsewhere, share_flagged, share_on_roll,
          address_score, unclear_address_score, school_agrees, Millibits{tail_days}, Millibits{left_home_age},
          static_cast<Millibits>(candidates_shown), static_cast<Millibits>(registry::candidate_list_max),
          static_cast<Millibits>(registry::candidates_max)}) {
        out += std::to_string(value) + "\n";
    }
    return out + registry::given_names_text();
}

}  // namespace flagpost::match
