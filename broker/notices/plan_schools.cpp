// What a school is told of its pupil, and the authority's education officer of a child whom no school has.
#include <date/date.h>

#include <algorithm>
#include <array>

#include "broker/notices/calendar.h"
#include "broker/notices/planner.h"
#include "broker/notices/scrub.h"
#include "broker/register/normal.h"

namespace flagpost::notices {
namespace {

using schemas::SchoolNoticeValue;

constexpr std::array<std::string_view, 2> school_handling{
    "Do not approach parents or carers because of this notice. Doing so could put a child or an adult in "
    "danger. "
    "Support the child as you usually would. If you are worried, follow your safeguarding procedure. In an "
    "emergency, "
    "phone 999.",
    "Keep this in the child's protection file, not the main pupil file. It contains police information: ask "
    "police "
    "before you show or give it to anyone, also when somebody asks for their own records."};

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

}  // namespace

void Planner::school(const match::PupilHit& hit) {
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

// A child on an authority's register of children not in school: its officer for them is told what a school would have been,
// and a person looks first where one would for a school.
void Planner::registered(const match::PupilHit& hit, const registry::HeldPupil& held) {
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

// No roll has the child: it may be educated at home, or elsewhere. A person finds out; if it is not in school, the
// authority's officer for such children is told what its school would have been.
void Planner::no_school(const match::Unplaced& child) {
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

// The school that was told has no such pupil. Where no other is told either, the authority's education officer has to
// find out where the child is; by a person, where it would have needed one for the school.
void Planner::not_in_school(const match::PupilHit& hit, const schemas::PersonValue& child, Review review) {
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

Planned Planner::notice_for_school(const match::PupilHit& hit, const schemas::PersonValue& child,
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

// What the authority's education officer is told of a child whom no school has. `urn`: of the school that says so; 0: none.
Planned Planner::notice_for_officer(const match::PupilHit& hit, const schemas::PersonValue& child,
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
    return made({recipient, "notices/" + recipient, Kind::school_notice, about.subjects, thread, about.la},
                make, by, due);
}

SchoolNoticeValue Planner::school_notice(const match::PupilHit& hit, const schemas::PersonValue& child,
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

// The addresses of the flags that were hit, current and former, the children's and their adults'.
std::vector<const schemas::PlaceValue*> Planner::hidden_places() const {
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

// Nobody has said for long that the registration stands: the child may have left.
bool Planner::is_unconfirmed(const registry::HeldPupil& held) const {
    return now_ - known_.confirmed(held) > lists_stand_for;
}

bool Planner::is_not_on_roll(const std::string& subject, const std::string& recipient) const {
    return not_on_roll_.contains("pupil/" + subject + " " + recipient + " " +
                                 std::string{schemas::EnumNameKind(Kind::school_notice)});
}

// Whether another school has the same child: by the pupil number, or as the same person of the incident.
bool Planner::is_elsewhere(const match::PupilHit& hit, const std::string& subject) const {
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

// By the roll, or by a flag on what may be the same child, however that flag was hit: whoever knows of the danger
// has said so.
bool Planner::is_shielded(const match::PupilHit& hit, const schemas::PupilValue& pupil) const {
    if (pupil.shield != schemas::Shield::none || has_shield(*pupil.child)) return true;
    return std::ranges::any_of(decision_.flags, [&](const match::Hit& flag) {
        const auto* held = known_.flag(flag.flag);
        return held && held->value.shield != schemas::Shield::none && is_of_same_child(flag, hit);
    });
}

// Whether a flag that was hit shields what may be this child.
bool Planner::has_shield(const schemas::PersonValue& child) const {
    return std::ranges::any_of(decision_.flags, [&](const match::Hit& flag) {
        const auto* held = known_.flag(flag.flag);
        return held && held->value.shield != schemas::Shield::none && held->value.child &&
               may_be_same(*held->value.child, child);
    });
}

bool Planner::is_of_same_child(const match::Hit& flag, const match::PupilHit& hit) {
    const bool is_same_person = hit.through == match::Through::named && !flag.linked_adult && flag.person &&
                                flag.person == hit.person;
    return is_same_person || hit.flag == flag.flag;
}

// Holding a brother's notice does no harm, so one detail is enough: the number, the birthday or the first name.
bool Planner::may_be_same(const schemas::PersonValue& one, const schemas::PersonValue& other) {
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

std::string Planner::school_of(std::uint32_t urn) { return "school/" + std::to_string(urn); }

bool Planner::has_contact(std::uint32_t urn, const std::function<bool(const std::string&)>& such) const {
    const auto& contacts = known_.contacts();
    for (auto at = contacts.lower_bound({urn, {}}); at != contacts.end() && at->first.urn == urn; ++at)
        if (such(at->second.name)) return true;
    return false;
}

// The contact whose turn it is, in the order of the directory; the last one's for good. Never one who may be in the
// incident, or is on its conflict list. Empty: nobody else is known.
std::string Planner::school_contact(std::uint32_t urn, std::size_t turn) const {
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

// The school itself, or the one school that took over from a closed one.
std::optional<std::uint32_t> Planner::receiving_school(std::uint32_t urn) const {
    const auto* school = known_.school(urn);
    if (!school || school->status != 2) return urn;
    const auto successors = known_.successors(urn);
    if (successors.size() != 1) return std::nullopt;
    return *successors.begin();
}

bool Planner::grown_up(std::string_view born) const {
    const auto form = registry::date_form(born);
    if (!form.whole()) return false;
    const date::year_month_day today{date::floor<date::days>(now_)};
    const auto birthday = date::year{form.year + adult_age_years} / form.month / form.day;
    return birthday <= today;
}

}  // namespace flagpost::notices
