/// Names and dates as people wrote them, brought to the one form in which they can be compared.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

}  // namespace flagpost::registry
