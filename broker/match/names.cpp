#include "broker/match/names.h"

#include <algorithm>
#include <bit>
#include <climits>

#include "broker/match/compare.h"
#include "broker/register/given_names.h"

namespace flagpost::match {
namespace {

using registry::NameForm;
using registry::NamePart;
using registry::PersonForm;
using registry::Pool;

constexpr std::size_t places_min = 64;

// A name that so many of the register bear is no misspelling of another, whatever our table knows: one slip is rarely
// made five times, nor in one of ten thousand names.
constexpr std::uint64_t bearers_min = 5;
constexpr std::uint64_t bearers_share = 10'000;

bool name_of_its_own(const registry::Word& word, const Pool& pool) {
    if (registry::established_given_name(word)) return true;
    const auto& counts = pool.given_counts();
    return counts.of(word.text) >= std::max(bearers_min, counts.total() / bearers_share);
}

}  // namespace

NameComparer::NameComparer(const PersonForm& ours, const Pool& pool, std::size_t candidates)
    : ours_{ours}, pool_{pool}, places_{std::clamp(std::bit_ceil(2 * candidates), places_min, places_max)} {
    std::fill_n(seen_.begin(), places_, Beside{});
}

NameComparison NameComparer::best(const PersonForm& theirs) {
    NameComparison best;
    Millibits most = INT_MIN;
    for (std::size_t i = 0; i < ours_.names.size(); ++i) {
        for (std::size_t j = 0; j < theirs.names.size(); ++j) {
            // Two lone names are compared as what they were given as.
            const bool lone = ours_.names[i].given->words.empty() && theirs.names[j].given->words.empty();
            if (lone && i > 0 && j > 0) continue;
            const auto names = compare(i, theirs.names[j]);
            if (names.given_weight + names.family_weight <= most) continue;
            most = names.given_weight + names.family_weight;
            best = names;
            best.other_name = i + j > 0;
        }
    }
    return best;
}

const NameComparer::Beside& NameComparer::beside(std::size_t number, const NamePart* theirs,
                                                 Compare compare_part) {
    const auto mixed = ((reinterpret_cast<std::uintptr_t>(theirs) >> 4) + number) * 0x9e3779b97f4a7c15;
    auto& place = seen_[mixed >> 32 & (places_ - 1)];
    if (place.theirs != theirs || place.number != number) {
        place = (this->*compare_part)(ours_.names[number], *theirs);
        place.number = static_cast<std::uint8_t>(number);
    }
    return place;
}

NameComparison NameComparer::compare(std::size_t number, const NameForm& theirs) {
    const auto given = beside(number, theirs.given.get(), &NameComparer::compare_given_part);
    const auto family = beside(number, theirs.family.get(), &NameComparer::compare_family_part);
    NameComparison straight{given.given,      family.family, false,        false,
                            given.look_alike, given.weight,  family.weight};
    const bool exact = given.swapped && family.swapped;
    if (!exact && !(given.nearly_swapped && family.nearly_swapped))
        return given.swapped || family.swapped ? crosswise(straight, number, theirs) : straight;
    const auto weight = swapped_weight(exact);
    if (weight <= straight.given_weight + straight.family_weight) return straight;
    if (exact) return {Given::exact, Family::exact, true, false, false, weight, 0};
    return {Given::near, Family::near, true, false, false, weight, 0};
}

NameComparison NameComparer::crosswise(const NameComparison& straight, std::size_t number,
                                       const NameForm& theirs) const {
    const auto& ours = ours_.names[number];
    const auto given = compare_given(*ours.family, *theirs.given);
    const auto family = compare_family(*ours.given, *theirs.family);
    const auto of_given = given_weight(given, *theirs.given, pool_);
    const auto of_family = family_weight(family, *theirs.family, pool_);
    const auto weight =
        std::max(of_given, of_family) + std::min({of_given, of_family, crosswise_other_max}) - swapped_less;
    if (weight <= straight.given_weight + straight.family_weight) return straight;
    return {given, family, true, false, false, weight, 0};
}

NameComparer::Beside NameComparer::compare_given_part(const NameForm& ours, const NamePart& theirs) const {
    Beside beside{};
    beside.theirs = &theirs;
    beside.given = compare_given(*ours.given, theirs);
    beside.weight = given_weight(beside.given, theirs, pool_);
    beside.look_alike = (beside.given == Given::near || beside.given == Given::similar) &&
                        name_of_its_own(ours.given->words.front(), pool_) &&
                        name_of_its_own(theirs.words.front(), pool_);
    if (ours.given->words.empty() || ours.family->words.empty() || theirs.words.empty()) return beside;
    const auto& family = ours.family->joined;
    beside.swapped = family == theirs.joined || family == theirs.words.front();
    beside.nearly_swapped = spelt_nearly(family, theirs.joined);
    return beside;
}

NameComparer::Beside NameComparer::compare_family_part(const NameForm& ours, const NamePart& theirs) const {
    Beside beside{};
    beside.theirs = &theirs;
    beside.family = compare_family(*ours.family, theirs);
    beside.weight = family_weight(beside.family, theirs, pool_);
    if (ours.given->words.empty() || ours.family->words.empty() || theirs.words.empty()) return beside;
    const auto& given = *ours.given;
    beside.swapped = given.joined == theirs.joined || given.words.front() == theirs.joined;
    beside.nearly_swapped = spelt_nearly(given.joined, theirs.joined);
    return beside;
}

}  // namespace flagpost::match
