/// Addresses as people wrote them, taken apart so that they can be compared.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "person_generated.h"

namespace flagpost::registry {

/// An address taken apart: flat, building number or range with its letter, and the words of building and street.
struct PlaceForm {
    std::uint64_t uprn = 0;
    std::string postcode;  // "NG7 2RD"; of another form, without a space: "2217"; or empty
    std::string flat;      // "2", "A", "GROUND FLOOR"; "14A" is flat A of number 14
    int number = 0;        // 0: none
    int number_to = 0;     // end of a range "12-14", else 0
    std::string building;  // words before the number, such as a house's name
    std::string street;    // words after it, or all words where there is no number; abbreviations written out
    std::string line;      // all of that in one
    std::string town;
    bool empty() const { return uprn == 0 && postcode.empty() && line.empty(); }
    friend bool operator==(const PlaceForm&, const PlaceForm&) = default;
};

std::uint64_t hash_of(const PlaceForm& place);

PlaceForm place_form(const schemas::PlaceValue& place);

/// Whether a word names a kind of street or says too little to tell one from another.
bool generic_street_word(std::string_view word);

/// A street without the locality after it: "OAK ROAD" of "OAK ROAD NORTHFIELD".
std::string_view street_head(std::string_view street);

/// The street and its postcode as one; empty unless both are known, the postcode whole.
std::string street_and_postcode(const PlaceForm& place);

/// One of the fifty names that most streets of the country bear.
bool common_street(std::string_view head);

/// "NG7" of "NG7 2RD".
std::string_view outward(std::string_view postcode);

}  // namespace flagpost::registry
