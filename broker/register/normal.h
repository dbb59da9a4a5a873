/// Names, dates and addresses as people wrote them, brought to the one form in which they can be compared.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "person_generated.h"

namespace flagpost::registry {

/// One name: upper-case words of A to Z, without marks, apostrophes, hyphens or titles. "Mc Donald", "O'Neil" and
/// "Al-Khatib" are one word each.
struct NameForm {
    std::vector<std::string> given;
    std::vector<std::string> family;
    std::string
        given_joined;  // all given names as one word: "MARYANN" is "Mary-Ann", "Mary Ann" and "Maryann"
    std::string family_joined;
    friend bool operator==(const NameForm&, const NameForm&) = default;
};

/// Every way to read a name: one, or with a whole name in one field each split of its words.
std::vector<NameForm> name_forms(std::string_view given, std::string_view family);

/// The words of a text in the same form, for searching texts for names.
std::vector<std::string> words(std::string_view text);

/// A letter code that is the same for most spellings of one sound: "KATHRYN" and "CATHERINE", "YUSUF" and "JUSEF".
std::string sound(std::string_view word);

/// A date whose parts may be unknown (0).
struct DateForm {
    int year = 0;
    int month = 0;
    int day = 0;
    bool whole() const { return year != 0 && month != 0 && day != 0; }
    bool empty() const { return year == 0 && month == 0 && day == 0; }
    friend bool operator==(const DateForm&, const DateForm&) = default;
    friend auto operator<=>(const DateForm&, const DateForm&) = default;
};

/// "YYYY-MM-DD", unknown parts "00" or "0000"; anything else is unknown as a whole.
DateForm date_form(std::string_view text);

/// Days since 1970-01-01 of a whole, existing date.
std::optional<int> day_number(const DateForm& date);

/// An address taken apart: flat, building number or range with its letter, and the words of building and street.
struct PlaceForm {
    std::uint64_t uprn = 0;
    std::string postcode;  // "NG7 2RD" or empty
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

PlaceForm place_form(const schemas::PlaceValue& place);

/// "NG7" of "NG7 2RD".
std::string_view outward(std::string_view postcode);

/// What of ICU the forms rest on, for the engine digest.
std::string icu_version();

}  // namespace flagpost::registry
