// What a person has to look at before anybody is told.
#include <algorithm>

#include "broker/match/compare.h"
#include "broker/notices/calendar.h"
#include "broker/notices/planner.h"

namespace flagpost::notices {
namespace {

using schemas::ReviewItemValue;

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

}  // namespace

void Planner::add_review(Review review) {
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

std::vector<std::unique_ptr<schemas::ComparedDetailValue>> Planner::side_by_side(
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

std::vector<std::unique_ptr<schemas::ComparedDetailValue>> Planner::compared_with(
    const match::PupilHit& hit, const schemas::PupilValue& pupil) const {
    const auto* child = hit.through == match::Through::named ? pupil.child.get() : nullptr;
    std::vector<std::unique_ptr<schemas::DatedPlaceValue>> places;
    if (pupil.home) {
        places.push_back(std::make_unique<schemas::DatedPlaceValue>());
        places.back()->place = copy_of(pupil.home);
    }
    return side_by_side(hit.person, child, places, hit.evidence);
}

std::string Planner::weighed_by(const std::string& rule) const {
    const std::string agreement = "agreement " + to_hex(agreement_.digest()).substr(0, 12);
    return rule.empty() ? agreement : rule + ", " + agreement;
}

// The desk that looks at matches for an authority, its own unless the agreement names another.
std::string Planner::desk_of(const std::string& la) const {
    const std::string own = "social-care/" + la;
    const auto id = AgencyId::parse(own);
    const auto* party = id ? agreement_.party(*id) : nullptr;
    return party && party->review_desk ? party->review_desk->text() : own;
}

// What the agreement calls an agency; empty: it does not say.
std::string Planner::name_of(const std::string& agency) const {
    const auto id = AgencyId::parse(agency);
    const auto* party = id ? agreement_.party(*id) : nullptr;
    return party ? party->name : std::string{};
}

}  // namespace flagpost::notices
