#include "broker/match/place.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "broker/match/text.h"
#include "broker/plain/text.h"

namespace flagpost::match {
namespace {

using registry::generic_street_word;
using registry::PlaceForm;
using registry::street_head;

template <class Each> bool any_word(std::string_view text, Each each) {
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        if (end > 0 && each(text.substr(0, end))) return true;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return false;
}

bool shares_a_telling_word(std::string_view a, std::string_view b) {
    return any_word(a, [&](std::string_view word) {
        return !generic_street_word(word) &&
               any_word(b, [&](std::string_view other) { return word == other; });
    });
}

/// One street, misspelt at most; one not given does not speak against it.
bool streets_agree(const std::string& a, const std::string& b) {
    if (a.empty() || b.empty()) return true;
    const auto digit_first = [](const std::string& text) { return text[0] >= '0' && text[0] <= '9'; };
    return digit_first(a) == digit_first(b) && jaro_winkler(street_head(a), street_head(b)) >= 9200;
}

/// "OLD SCHOOL LOFTS WHINGATE" of "OLD SCHOOL LOFTS 1 67 WHINGATE"; a number that begins the street is its own.
std::string without_numbers(const std::string& street) {
    std::string out;
    any_word(street, [&](std::string_view word) {
        if (out.empty() || !std::all_of(word.begin(), word.end(), plain::is_digit))
            (out += out.empty() ? "" : " ") += word;
        return false;
    });
    return out;
}

/// Only one side writes a number within the street's name, such as those of all flats of a building.
bool streets_agree_but_for_numbers(const std::string& a, const std::string& b) {
    const auto plain_a = without_numbers(a), plain_b = without_numbers(b);
    return (plain_a == a) != (plain_b == b) && streets_agree(plain_a, plain_b);
}

/// "Annexe at", "land rear of": not the house, but something near it.
bool beside_the_house(std::string_view building) {
    static constexpr std::array<std::string_view, 6> words{"OF", "AT", "TO", "BEHIND", "OPPOSITE", "OVER"};
    return plain::is_one_of(building.substr(building.rfind(' ') + 1), words);
}

/// House names agree, or there is none on either side.
bool buildings_agree(const std::string& a, const std::string& b) {
    return a == b || (!a.empty() && !b.empty() && jaro_winkler(a, b) >= 9200);
}

/// The first words of a text, without an article: "OLD FARM" of "THE OLD FARM WEST NEWTON".
std::string_view first_words(std::string_view text, int count) {
    if (text.substr(0, 4) == "THE ") text.remove_prefix(4);
    std::size_t end = 0;
    for (; count > 0 && end < text.size(); --count) end = std::min(text.find(' ', end + 1), text.size());
    return text.substr(0, end);
}

std::string_view next_word(std::string_view& text) {
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

/// "SPINDLES TONGE" and "SPINDLES MOOR LANE TONGE": no two houses of one postcode are called alike, so that the street
/// after the name may be left out. `a` is without it.
bool leaves_out_street(std::string_view a, std::string_view b) {
    static constexpr std::array<std::string_view, 18> no_name{
        "OLD",   "NEW",  "UPPER", "LOWER", "LITTLE", "GREAT", "HOUSE",  "COTTAGE", "COTTAGES",
        "LODGE", "FARM", "BARN",  "HALL",  "MILL",   "MANOR", "CHURCH", "VILLA",   "BUNGALOW"};
    const auto telling = [](std::string_view word) {
        return !generic_street_word(word) && !plain::is_one_of(word, no_name);
    };
    for (auto* text : {&a, &b})
        if (text->substr(0, 4) == "THE ") text->remove_prefix(4);
    const auto name = next_word(a);
    if (name != next_word(b) || !telling(name)) return false;
    const auto locality = a.substr(0, a.find(' '));
    const auto street = next_word(b), kind = next_word(b);
    return telling(locality) && telling(street) && generic_street_word(kind) &&
           !any_word(a, [](std::string_view word) { return generic_street_word(word); }) &&
           any_word(b, [&](std::string_view word) { return word == locality; });
}

/// How a house with a name agrees where one side, or both, leave out the number.
AddressHit named_houses(const PlaceForm& a, const PlaceForm& b) {
    if (a.number != 0 && b.number != 0) return AddressHit::none;
    if (a.number == 0 && b.number == 0) {
        if (first_words(a.street, 1) != first_words(b.street, 1)) return AddressHit::none;
        if (first_words(a.street, 2) == first_words(b.street, 2)) return AddressHit::full;
        if (a.flat.empty() && b.flat.empty() &&
            (leaves_out_street(a.street, b.street) || leaves_out_street(b.street, a.street)))
            return AddressHit::street_left_out;
        return shares_a_telling_word(a.street, b.street) ? AddressHit::street_unclear : AddressHit::none;
    }
    const std::string_view unnumbered = a.number == 0 ? a.street : b.street;
    const auto& numbered = a.number == 0 ? b : a;
    const auto& name = numbered.building;
    if (!name.empty() && unnumbered.substr(0, name.size()) == name) {
        auto rest = unnumbered.substr(name.size());
        rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
        const bool street = !rest.empty() && streets_agree(std::string{rest}, numbered.street);
        return street ? AddressHit::number_left_out : AddressHit::street_unclear;
    }
    // The same flat in the same street, whose number one side leaves out.
    if (!name.empty() || a.street.empty() || b.street.empty() || !streets_agree(a.street, b.street))
        return AddressHit::none;
    return !a.flat.empty() && a.flat == b.flat ? AddressHit::number_left_out : AddressHit::none;
}

/// "Flat 46 Ellison House" and "46 Ellison House".
bool flat_or_number(const PlaceForm& a, const PlaceForm& b) {
    const auto& named = a.number == 0 ? a : b;
    const auto& numbered = a.number == 0 ? b : a;
    return named.number == 0 && numbered.number != 0 && numbered.flat.empty() && !named.street.empty() &&
           named.flat == std::to_string(numbered.number) && streets_agree(named.street, numbered.street);
}

/// A building that spans two numbers is called by either.
bool ends_of_range(const PlaceForm& a, const PlaceForm& b) {
    const auto end = [](int number, const PlaceForm& range) {
        return range.number_to != 0 && (number == range.number || number == range.number_to);
    };
    return (a.number_to == 0 && end(a.number, b)) || (b.number_to == 0 && end(b.number, a));
}

enum class FlatKind : std::uint8_t { none, number, letter, words };
FlatKind kind_of(std::string_view flat) {
    if (flat.empty()) return FlatKind::none;
    if (std::all_of(flat.begin(), flat.end(), plain::is_digit)) return FlatKind::number;
    return flat.size() == 1 ? FlatKind::letter : FlatKind::words;
}

/// "A" of "GROUND FLOOR A"; any other flat as it is.
std::string_view without_floor(std::string_view flat) {
    constexpr std::string_view floor = " FLOOR ";
    const auto at = flat.find(floor);
    return at == std::string_view::npos ? flat : flat.substr(at + floor.size());
}

/// Two flats of one building. A flat called 2 by one and B by the other may be one: that does not tell them apart.
bool flats_conflict(const PlaceForm& a, const PlaceForm& b) {
    const auto one = without_floor(a.flat), other = without_floor(b.flat);
    const auto kind = kind_of(one);
    return kind != FlatKind::none && kind == kind_of(other) && one != other;
}

/// One flat: called alike, or by one side with its floor as well.
bool same_flat(const PlaceForm& a, const PlaceForm& b) {
    return without_floor(a.flat) == without_floor(b.flat);
}

/// The letter stands beside a number that one side leaves out: "The Gables, 176A Lane Head Road" and "The Gables".
bool letter_left_out(const PlaceForm& a, const PlaceForm& b) {
    const auto& unnumbered = a.number == 0 ? a : b;
    const auto& numbered = a.number == 0 ? b : a;
    return unnumbered.number == 0 && numbered.number != 0 && unnumbered.flat.empty() &&
           kind_of(numbered.flat) == FlatKind::letter;
}

/// A digit too many or too few: "117" and "17", far apart in any street, are one house mistyped.
bool near_number(const PlaceForm& a, const PlaceForm& b) {
    const auto one = std::to_string(a.number), other = std::to_string(b.number);
    return std::min(a.number, b.number) >= 10 && one.size() != other.size() && within_one_edit(one, other) &&
           a.number_to == 0 && b.number_to == 0 && a.flat == b.flat && !a.street.empty() &&
           streets_agree(a.street, b.street);
}

bool same_number(const PlaceForm& a, const PlaceForm& b) {
    return a.number != 0 && a.number == b.number && a.number_to == b.number_to;
}

bool inside(int number, const PlaceForm& range) {
    return range.number_to != 0 && number >= range.number && number <= range.number_to;
}

/// Number, flat and street agree, wherever that is.
bool same_house(const PlaceForm& a, const PlaceForm& b) {
    return same_number(a, b) && a.flat == b.flat && !a.street.empty() && !b.street.empty() &&
           streets_agree(a.street, b.street);
}

/// One text begins with the other, whole words of it, three at least.
bool begins_alike(std::string_view a, std::string_view b) {
    if (a.size() > b.size()) std::swap(a, b);
    return std::count(a.begin(), a.end(), ' ') >= 2 && b.compare(0, a.size(), a) == 0 &&
           (a.size() == b.size() || b[a.size()] == ' ');
}

/// A house without a number, its name and street word for word, within one postcode sector.
bool same_named_house(const PlaceForm& a, const PlaceForm& b) {
    return a.number == 0 && b.number == 0 && a.flat == b.flat && begins_alike(a.street, b.street) &&
           a.postcode.size() > 5 && a.postcode.size() == b.postcode.size() &&
           a.postcode.compare(0, a.postcode.size() - 2, b.postcode, 0, b.postcode.size() - 2) == 0;
}

bool near_postcode(const PlaceForm& a, const PlaceForm& b) {
    return !a.postcode.empty() && !b.postcode.empty() && within_one_edit(a.postcode, b.postcode);
}

/// "Flat 47, Beech Tower" and "Flat 47, Beech Tower, 44 Essex Place", in one postcode: a flat of a house by its name, whose
/// number and street one side leaves out.
bool same_named_flat(const PlaceForm& a, const PlaceForm& b) {
    const auto& unnumbered = a.number == 0 ? a : b;
    const auto& numbered = a.number == 0 ? b : a;
    return unnumbered.number == 0 && numbered.number != 0 && !numbered.flat.empty() && same_flat(a, b) &&
           !numbered.building.empty() && unnumbered.street == numbered.building;
}

Where compare_postcodes(const std::string& a, const std::string& b) {
    if (a.empty() || b.empty()) return Where::missing;
    if (a == b) return Where::postcode;
    if (within_one_edit(a, b) && std::min(a.size(), b.size()) > 5) return Where::near_postcode;
    if (a.find(' ') == std::string::npos || b.find(' ') == std::string::npos) return Where::missing;
    if (a.compare(0, a.size() - 2, b, 0, b.size() - 2) == 0) return Where::sector;
    return registry::outward(a) == registry::outward(b) ? Where::district : Where::elsewhere;
}

}  // namespace

Where compare_places(const PlaceForm& ours, const PlaceForm& theirs) {
    if (ours.uprn != 0 && ours.uprn == theirs.uprn) return Where::uprn;
    const auto by_postcode = compare_postcodes(ours.postcode, theirs.postcode);
    const bool building =
        same_number(ours, theirs) && !ours.street.empty() && streets_agree(ours.street, theirs.street);
    if (by_postcode == Where::postcode) {
        if (!ours.line.empty() && ours.line == theirs.line) return Where::full;
        if (building) return ours.flat == theirs.flat ? Where::full : Where::building;
        if (same_named_flat(ours, theirs)) return Where::full;
        if (compare_addresses(ours, theirs) >= AddressHit::range_end) return Where::full;
        return same_number(ours, theirs) ? Where::building : Where::postcode;
    }
    if (building && !theirs.street.empty() && by_postcode != Where::elsewhere) return Where::street;
    // Postcodes of another country differ: that says something where the towns differ as well.
    const bool both = !ours.postcode.empty() && !theirs.postcode.empty();
    if (by_postcode == Where::missing && both && !ours.town.empty() && !theirs.town.empty() &&
        !towns_agree(ours, theirs))
        return Where::elsewhere;
    return by_postcode;
}

bool towns_agree(const PlaceForm& ours, const PlaceForm& theirs) {
    if (ours.town.empty() || theirs.town.empty()) return false;
    return ours.town == theirs.town ||
           (std::min(ours.town.size(), theirs.town.size()) >= 5 && within_one_edit(ours.town, theirs.town));
}

AddressHit compare_addresses(const PlaceForm& incident, const PlaceForm& flag) {
    if (incident.uprn != 0 && incident.uprn == flag.uprn) return AddressHit::uprn;
    const bool same_line = !incident.line.empty() && incident.line == flag.line;
    const bool uprns_differ = incident.uprn != 0 && flag.uprn != 0;
    if (incident.postcode.empty() || incident.postcode != flag.postcode) {
        const bool near = near_postcode(incident, flag) ||
                          (incident.postcode.empty() != flag.postcode.empty() && incident.town == flag.town);
        const bool same_place =
            near && (same_line || same_house(incident, flag) || flat_or_number(incident, flag));
        return !uprns_differ && (same_place || same_named_house(incident, flag)) ? AddressHit::near_postcode
                                                                                 : AddressHit::none;
    }
    if (uprns_differ) return same_line ? AddressHit::other_uprn : AddressHit::none;
    if (same_line) return AddressHit::full;
    if (flats_conflict(incident, flag)) return AddressHit::none;
    if (same_number(incident, flag)) {
        if (!same_flat(incident, flag)) return AddressHit::flat_missing;
        if (!streets_agree(incident.street, flag.street) &&
            !streets_agree_but_for_numbers(incident.street, flag.street))
            return AddressHit::street_unclear;
        if (buildings_agree(incident.building, flag.building))
            return incident.flat == flag.flat ? AddressHit::full : AddressHit::name_left_out;
        const bool left_out = (incident.building.empty() || flag.building.empty()) &&
                              !beside_the_house(incident.building) && !beside_the_house(flag.building);
        return left_out && !incident.street.empty() && !flag.street.empty() ? AddressHit::name_left_out
                                                                            : AddressHit::street_unclear;
    }
    if (const auto named = named_houses(incident, flag); named != AddressHit::none) {
        const bool one_flat = same_flat(incident, flag) || letter_left_out(incident, flag);
        return one_flat ? named : std::min(named, AddressHit::flat_missing);
    }
    if (flat_or_number(incident, flag)) return AddressHit::flat_missing;
    if (near_number(incident, flag)) return AddressHit::near_number;
    const bool in_range = inside(incident.number, flag) || inside(flag.number, incident);
    if (!in_range || !streets_agree(incident.street, flag.street)) return AddressHit::none;
    const bool whole = same_flat(incident, flag) && !incident.street.empty() && !flag.street.empty();
    return whole && ends_of_range(incident, flag) ? AddressHit::range_end : AddressHit::number_range;
}

bool differ_in_unit_alone(const PlaceForm& incident, const PlaceForm& flag) {
    const auto &one = incident.postcode, &other = flag.postcode;
    const bool whole = one.size() == other.size() && one.size() > 5 && one.find(' ') == one.size() - 4;
    return whole && one.compare(0, one.size() - 2, other, 0, other.size() - 2) == 0 &&
           ((!incident.line.empty() && incident.line == flag.line) || same_house(incident, flag) ||
            same_named_house(incident, flag));
}

}  // namespace flagpost::match
