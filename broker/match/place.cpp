#include "broker/match/place.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "broker/match/text.h"
#include "broker/register/plain.h"

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

/// How a house with a name agrees where one side, or both, leave out the number.
AddressHit named_houses(const PlaceForm& a, const PlaceForm& b) {
    if (a.number != 0 && b.number != 0) return AddressHit::none;
    if (a.number == 0 && b.number == 0) {
        if (first_words(a.street, 1) != first_words(b.street, 1)) return AddressHit::none;
        if (first_words(a.street, 2) == first_words(b.street, 2)) return AddressHit::full;
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
    const bool same_flat = name.empty() && !a.flat.empty() && a.flat == b.flat;
    return same_flat && streets_agree(a.street, b.street) ? AddressHit::street_unclear : AddressHit::none;
}

enum class FlatKind : std::uint8_t { none, number, letter, words };
FlatKind kind_of(const std::string& flat) {
    if (flat.empty()) return FlatKind::none;
    if (std::all_of(flat.begin(), flat.end(), registry::is_digit)) return FlatKind::number;
    return flat.size() == 1 ? FlatKind::letter : FlatKind::words;
}

/// Two flats of one building. A flat called 2 by one and B by the other may be one: that does not tell them apart.
bool flats_conflict(const PlaceForm& a, const PlaceForm& b) {
    const auto kind = kind_of(a.flat);
    return kind != FlatKind::none && kind == kind_of(b.flat) && a.flat != b.flat;
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

bool near_postcode(const PlaceForm& a, const PlaceForm& b) {
    return !a.postcode.empty() && !b.postcode.empty() && within_one_edit(a.postcode, b.postcode);
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
        return same_number(ours, theirs) ? Where::building : Where::postcode;
    }
    if (building && !theirs.street.empty() && by_postcode != Where::elsewhere) return Where::street;
    if (by_postcode == Where::missing && !ours.town.empty() && ours.town == theirs.town) return Where::town;
    return by_postcode;
}

AddressHit compare_addresses(const PlaceForm& incident, const PlaceForm& flag) {
    if (incident.uprn != 0 && incident.uprn == flag.uprn) return AddressHit::uprn;
    const bool same_line = !incident.line.empty() && incident.line == flag.line;
    const bool uprns_differ = incident.uprn != 0 && flag.uprn != 0;
    if (incident.postcode.empty() || incident.postcode != flag.postcode) {
        const bool near = near_postcode(incident, flag) ||
                          (incident.postcode.empty() != flag.postcode.empty() && incident.town == flag.town);
        return near && !uprns_differ && (same_line || same_house(incident, flag)) ? AddressHit::near_postcode
                                                                                  : AddressHit::none;
    }
    if (uprns_differ) return same_line ? AddressHit::other_uprn : AddressHit::none;
    if (same_line) return AddressHit::full;
    if (flats_conflict(incident, flag)) return AddressHit::none;
    if (same_number(incident, flag)) {
        if (incident.flat != flag.flat) return AddressHit::flat_missing;
        const bool same =
            buildings_agree(incident.building, flag.building) && streets_agree(incident.street, flag.street);
        return same ? AddressHit::full : AddressHit::street_unclear;
    }
    if (const auto named = named_houses(incident, flag); named != AddressHit::none) {
        const bool same_flat = incident.flat == flag.flat;
        return same_flat ? named : std::min(named, AddressHit::flat_missing);
    }
    if (near_number(incident, flag)) return AddressHit::near_number;
    const bool in_range = inside(incident.number, flag) || inside(flag.number, incident);
    return in_range && streets_agree(incident.street, flag.street) ? AddressHit::number_range
                                                                   : AddressHit::none;
}

}  // namespace flagpost::match
