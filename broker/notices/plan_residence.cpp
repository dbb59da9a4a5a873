// Force of residence: the duty to have a school told is that of the force in whose area the child lives, whoever attended (Domestic
// Abuse Act 2021, s.49A). A school is told directly all the same.
#include <algorithm>
#include <cctype>

#include "broker/notices/planner.h"
#include "broker/register/address.h"

namespace flagpost::notices {
namespace {

using schemas::SchoolNoticeValue;

// What a force is told, besides, of a child who lives in its area.
constexpr const char* lives_in_your_area =
    "The child lives in your police area: to have the school told before the child next arrives is your "
    "force's duty (Domestic Abuse Act 2021, section 49A).";

}  // namespace

// Whether the child lives in another force's area, and then that force is told, or a person that it cannot be.
bool Planner::hand_over(const Handover& what) {
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
    const bool is_held = review.why.size() > what.hit.reasons.size() || what.hit.outcome != Outcome::match;
    const auto* by = home->force ? rule_if_any(Kind::school_notice, recipient) : nullptr;
    if (!by) {
        review.because(
            home->force ? "The child lives in another force's area, and nothing is agreed with that force: "
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

std::optional<Planner::Elsewhere> Planner::lives_elsewhere(
    const std::vector<const schemas::PlaceValue*>& homes) const {
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

// Where the child may live, the surest first: what police were told, what a flag says, what the roll says.
std::vector<const schemas::PlaceValue*> Planner::homes_of(const match::PupilHit& hit,
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

// By the schools of its postcode sector, else of its district. Where these lie on a border, `own` area is believed:
// the force that attended goes on as it would.
std::optional<std::string> Planner::authority_of_home(const schemas::PlaceValue& home,
                                                      const std::vector<std::string>& own) const {
    const auto postcode = registry::place_form(home).postcode;
    if (postcode.find(' ') == std::string::npos) return std::nullopt;
    const auto around = schools_around(postcode);
    const auto& near = around.sector.empty() ? around.district : around.sector;
    for (const auto& [la, schools] : near)
        if (std::ranges::binary_search(own, la)) return la;
    return most(near);
}

// Whose child this is likely to be: by a flag, by the school police were told of, by the schools around home.
std::string Planner::authority_for(std::uint16_t number) const {
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

std::optional<std::string> Planner::authority_of(std::uint32_t urn) const {
    const auto* school = known_.school(urn);
    if (!school || school->la.empty()) return std::nullopt;
    return school->la;
}

std::optional<std::string> Planner::authority_around(const std::string& postcode) const {
    return most(schools_around(postcode).district);
}

Planner::Around Planner::schools_around(const std::string& postcode) const {
    Around around;
    if (postcode.empty()) return around;
    const auto district = registry::outward(postcode);
    const auto sector = std::string_view{postcode}.substr(0, district.size() + 2);
    for (const auto& [urn, school] : known_.schools()) {
        // By the first letter, cheaply: there are some thirty thousand schools.
        if (!school.place || school.la.empty() || school.place->postcode.empty() ||
            (school.place->postcode.front() != ' ' &&
             std::toupper(static_cast<unsigned char>(school.place->postcode.front())) != district.front()))
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

std::optional<std::string> Planner::most(const std::map<std::string, int>& schools) {
    const auto found = std::ranges::max_element(schools, {}, [](const auto& each) { return each.second; });
    return found == schools.end() ? std::nullopt : std::optional{found->first};
}

// Whose desk decides about a child of elsewhere: that of the school's authority if it takes part, else of where police
// went.
std::string Planner::desk_near(const std::string& la) const {
    if (takes_part("social-care/" + la)) return la;
    const auto attended =
        incident_.place ? authority_around(registry::place_form(*incident_.place).postcode) : std::nullopt;
    return attended && takes_part("social-care/" + *attended) ? *attended : first_authority();
}

std::string Planner::first_authority() const {
    for (const auto& [agency, party] : agreement_.parties())
        if (agency.kind() == "social-care") return std::string{agency.code()};
    return {};
}

}  // namespace flagpost::notices
