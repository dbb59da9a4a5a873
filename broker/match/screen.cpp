#include "broker/match/screen.h"

#include <algorithm>
#include <bit>
#include <climits>

#include "broker/match/text.h"
#include "broker/register/given_names.h"

namespace flagpost::match {
namespace {

using registry::PartBrief;
using registry::RowBrief;
using registry::Shape;

/// As many of the first letters, four at most, are the same.
int beginning(const Shape& a, const Shape& b) {
    return std::min({std::countl_zero(a.beginning ^ b.beginning) / 8, 4, int{a.size}, int{b.size}});
}

int letters_beyond(const Shape& a, const Shape& b) { return std::popcount(a.letters & ~b.letters); }

/// The likeness of the two words may be one that counts.
bool perhaps_alike(const Shape& a, const Shape& b) {
    if (a.size == 0 || b.size == 0) return false;
    return likeness_at_most(a.size, b.size, letters_beyond(a, b), letters_beyond(b, a), beginning(a, b)) >=
           distant_from;
}

/// The words may be one that somebody could not read.
bool perhaps_misread(const Shape& a, const Shape& b) {
    if (a.size != b.size) return false;
    const auto first_a = static_cast<char>(a.beginning >> 24), first_b = static_cast<char>(b.beginning >> 24);
    return first_a == first_b || written_alike({&first_a, 1}, {&first_b, 1});
}

bool perhaps_misspelt(const PartBrief& a, const PartBrief& b) {
    if (a.established == b.established || std::abs(a.first.size - b.first.size) > 2) return false;
    return std::max(letters_beyond(a.first, b.first), letters_beyond(b.first, a.first)) <= 2;
}

// One name in the other's place.
constexpr Millibits crosswise_most = name_weight_max + crosswise_other_max - swapped_less;

}  // namespace

Screen::Screen(const Query& query, const registry::Pool& pool, Millibits start)
    : ours_{*query.person}, pool_{pool}, start_{start} {
    identified_ = !ours_.upn.empty() || !ours_.nhs_number.empty();
    for (const auto& form : ours_.names) {
        Name name{registry::brief_of(*form.given),
                  registry::brief_of(*form.family),
                  pool.given_number(*form.given),
                  pool.family_number(*form.family),
                  0,
                  0};
        if (name.given.words != 0) name.given_exact = given_weight(Given::exact, *form.given, pool);
        if (name.family.words != 0) name.family_exact = family_weight(Family::exact, *form.family, pool);
        given_most_ = std::max({given_most_, name.given_exact, near_weight_max});
        // Of several words as one it may be another name than ours.
        if (name.given.words > 1 || name.given.joined.size > 1) given_most_ = name_weight_max;
        family_most_ = std::max({family_most_, name.family_exact, near_weight_max});
        names_.push_back(std::move(name));
    }
    names_most_ = std::max(given_most_ + family_most_, swapped_weight(true));
    const auto add = [&](const registry::PlaceForm& place, bool attended) {
        homes_.push_back({registry::brief_of_postcode(place.postcode),
                          static_cast<std::uint16_t>(place.number), place.uprn != 0, !place.town.empty(),
                          attended});
    };
    for (const auto& home : ours_.places) add(*home.place, false);
    if (!query.attended->empty()) add(*query.attended, true);
}

bool Screen::may_be_found(const RowBrief& row) const {
    if (row.more_names || (identified_ && row.identified)) return true;
    Millibits rest = start_ + weight_of(compare_born(ours_.born, row.born())) + where_at_most(row);
    if (ours_.sex != 'U' && row.sex != 'U')
        rest += weight_of(ours_.sex == row.sex ? Sex::same : Sex::differs);
    if (names_.empty()) return rest >= low_from;
    if (rest + names_most_ < low_from) return false;
    return std::any_of(names_.begin(), names_.end(), [&](const Name& name) {
        const auto given = rest + given_at_most(name, row);
        return (given + family_most_ >= low_from && given + family_at_most(name, row) >= low_from) ||
               (rest + swapped_weight(true) >= low_from && perhaps_swapped(name, row)) ||
               (rest + crosswise_most >= low_from && perhaps_crosswise(name, row));
    });
}

Millibits Screen::where_at_most(const RowBrief& row) const {
    using Places = RowBrief::Places;
    if (row.places == Places::none || homes_.empty()) return weight_of(Where::missing);
    if (row.places == Places::more) return weight_of(Where::uprn);
    const auto beside = [&](const Home& home) {
        if (home.uprn && row.places == Places::one_with_uprn) return weight_of(Where::uprn);
        const auto postcode = home.postcode, theirs = row.postcode;
        if (postcode != 0 && postcode == theirs) return weight_of(Where::full);
        if (home.number != 0 && home.number == row.number) return weight_of(Where::street);
        if (home.attended) return INT_MIN;
        if (postcode == 0 || theirs == 0) return home.town ? town_weight_max : weight_of(Where::missing);
        // One character differs in one of the two parts only, and so both parts do elsewhere.
        const bool parts = (postcode & 0xff) != 0 && (theirs & 0xff) != 0;
        const bool elsewhere = parts && postcode >> 8 != theirs >> 8 && (postcode & 0xff) != (theirs & 0xff);
        if (home.town) return town_weight_max;
        return weight_of(elsewhere ? Where::elsewhere : Where::near_postcode);
    };
    Millibits most = INT_MIN;
    for (const auto& home : homes_) most = std::max(most, beside(home));
    return most == INT_MIN ? weight_of(Where::missing) : most;
}

Millibits Screen::given_at_most(const Name& ours, const RowBrief& row) const {
    const auto& mine = ours.given;
    const auto& theirs = pool_.given_brief(row.given);
    if (mine.words == 0 || theirs.words == 0) return weight_of(Given::missing);
    if (ours.given_number == row.given) return ours.given_exact;
    const bool single = mine.words == 1 && theirs.words == 1;
    if (perhaps_alike(mine.first, theirs.first) || beginning(mine.joined, theirs.joined) >= 3 ||
        perhaps_misspelt(mine, theirs) || perhaps_misread(mine.first, theirs.first) ||
        (!single && perhaps_alike(mine.joined, theirs.joined))) {
        if (single) return near_weight_max;
        return mine.joined == theirs.joined ? name_weight_max
               : mine.first == theirs.first ? std::max(near_weight_max, ours.given_exact)
                                            : near_weight_max;
    }
    const bool one_sound = mine.sound == theirs.sound;
    if (registry::same_given_name(mine.known, theirs.known, one_sound)) return weight_of(Given::known_form);
    if (!single) return weight_of(Given::shared);
    if (one_sound) return weight_of(Given::similar);
    return weight_of(mine.first.size == 1 || theirs.first.size == 1 ? Given::initial : Given::other);
}

Millibits Screen::family_at_most(const Name& ours, const RowBrief& row) const {
    const auto& mine = ours.family;
    const auto& theirs = pool_.family_brief(row.family);
    if (mine.words == 0 || theirs.words == 0) return weight_of(Family::missing);
    if (ours.family_number == row.family) return ours.family_exact;
    if (mine.joined == theirs.joined) return std::max(near_weight_max, ours.family_exact);
    if (perhaps_alike(mine.joined, theirs.joined) || beginning(mine.joined, theirs.joined) >= 4 ||
        perhaps_misread(mine.joined, theirs.joined))
        return near_weight_max;
    if (mine.words > 1 || theirs.words > 1) return weight_of(Family::shared);
    return weight_of(mine.joined_sound == theirs.joined_sound ? Family::similar : Family::other);
}

bool Screen::perhaps_swapped(const Name& ours, const RowBrief& row) const {
    const auto& given = pool_.given_brief(row.given);
    const auto& family = pool_.family_brief(row.family);
    const auto either = [](const Shape& whole, const PartBrief& part) {
        return perhaps_alike(whole, part.joined) || perhaps_alike(whole, part.first);
    };
    return either(ours.family.joined, given) && either(family.joined, ours.given);
}

bool Screen::perhaps_crosswise(const Name& ours, const RowBrief& row) const {
    const auto& given = pool_.given_brief(row.given);
    const auto& family = pool_.family_brief(row.family);
    return ours.family.joined == given.joined || ours.family.joined == given.first ||
           ours.given.joined == family.joined || ours.given.first == family.joined;
}

}  // namespace flagpost::match
