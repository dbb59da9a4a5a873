#include "broker/match/place.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "broker/match/text.h"

namespace flagpost::match {
namespace {

using registry::PlaceForm;

bool generic_street_word(std::string_view word) {
    static constexpr std::array<std::string_view, 22> generic{
        "ROAD",  "STREET", "LANE",   "AVENUE", "DRIVE", "CLOSE",   "COURT", "GARDENS",
        "GROVE", "PLACE",  "SQUARE", "PARK",   "HOUSE", "TERRACE", "WAY",   "CRESCENT",
        "HILL",  "THE",    "WALK",   "GREEN",  "VIEW",  "RISE"};
    return word.size() < 3 || std::find(generic.begin(), generic.end(), word) != generic.end();
}

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

/// A street without the locality after it: "OAK ROAD" of "OAK ROAD NORTHFIELD".
std::string_view street_head(std::string_view street) {
    std::size_t end = std::min(street.find(' '), street.size());
    while (end < street.size()) {
        const auto start = end + 1;
        end = std::min(street.find(' ', start), street.size());
        if (generic_street_word(street.substr(start, end - start))) return street.substr(0, end);
    }
    return street;
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

/// A named house: one side leaves out the number, and what it has instead begins with the other's house name.
bool same_named_house(const PlaceForm& a, const PlaceForm& b) {
    if (a.number != 0 && b.number != 0) return false;
    if (a.number == 0 && b.number == 0) {
        const auto first_a = a.street.substr(0, a.street.find(' ')),
                   first_b = b.street.substr(0, b.street.find(' '));
        return first_a == first_b && shares_a_telling_word(a.street, b.street);
    }
    const auto& unnumbered = a.number == 0 ? a.street : b.street;
    const auto& name = a.number == 0 ? b.building : a.building;
    return !name.empty() && unnumbered.compare(0, name.size(), name) == 0;
}

bool same_number(const PlaceForm& a, const PlaceForm& b) {
    return a.number != 0 && a.number == b.number && a.number_to == b.number_to;
}

bool inside(int number, const PlaceForm& range) {
    return range.number_to != 0 && number >= range.number && number <= range.number_to;
}

bool near_postcode(const PlaceForm& a, const PlaceForm& b) {
    return !a.postcode.empty() && !b.postcode.empty() && within_one_edit(a.postcode, b.postcode);
}

Where compare_postcodes(const std::string& a, const std::string& b) {
    if (a.empty() || b.empty()) return Where::missing;
    if (a == b) return Where::postcode;
    if (within_one_edit(a, b)) return Where::near_postcode;
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
    return by_postcode;
}

AddressHit compare_addresses(const PlaceForm& incident, const PlaceForm& flag) {
    if (incident.uprn != 0 && incident.uprn == flag.uprn) return AddressHit::uprn;
    const bool same_line = !incident.line.empty() && incident.line == flag.line;
    const bool uprns_differ = incident.uprn != 0 && flag.uprn != 0;
    if (incident.postcode.empty() || incident.postcode != flag.postcode) {
        const bool near = near_postcode(incident, flag) ||
                          (incident.postcode.empty() != flag.postcode.empty() && incident.town == flag.town);
        return near && same_line && incident.number != 0 && !uprns_differ ? AddressHit::near_postcode
                                                                          : AddressHit::none;
    }
    if (uprns_differ) return same_line ? AddressHit::other_uprn : AddressHit::none;
    if (same_line) return AddressHit::full;
    if (!incident.flat.empty() && !flag.flat.empty() && incident.flat != flag.flat) return AddressHit::none;
    if (same_number(incident, flag)) {
        if (incident.flat != flag.flat) return AddressHit::flat_missing;
        const bool same =
            buildings_agree(incident.building, flag.building) && streets_agree(incident.street, flag.street);
        return same ? AddressHit::full : AddressHit::street_unclear;
    }
    if (same_named_house(incident, flag)) return AddressHit::street_unclear;
    const bool in_range = inside(incident.number, flag) || inside(flag.number, incident);
    return in_range && streets_agree(incident.street, flag.street) ? AddressHit::number_range
                                                                   : AddressHit::none;
}

}  // namespace flagpost::match
