/// Names and dates as people wrote them, brought to the one form in which they can be compared.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flagpost::registry {

/// How a word is said: at most six letters of a code, the same for most spellings of one sound ("KATHRYN" and
/// "CATHERINE", "YUSUF" and "JUSEF").
using Sound = std::uint64_t;
Sound sound(std::string_view word);

/// Letters of a word that comparing looks at; a machine word has a bit for each.
inline constexpr std::size_t letters_compared = 64;

/// A word of a name, A to Z, with what comparing asks of it again and again.
struct Word {
    explicit Word(std::string letters);
    std::string text;
    Sound sound;
    std::uint32_t letters;  // a bit for each letter that its first `letters_compared` hold
    std::uint16_t known;    // its number in the table of given_names.h; 0: not there
    friend bool operator==(const Word& a, const Word& b) { return a.text == b.text; }
};

/// The given names of somebody, or the family names. "Mc Donald", "O'Neil" and "Al-Khatib" are one word each.
struct NamePart {
    explicit NamePart(std::vector<Word> all);
    std::vector<Word> words;  // without marks, apostrophes, hyphens or titles
    Word joined;              // all as one: "MARYANN" is "Mary-Ann", "Mary Ann" and "Maryann"
    friend bool operator==(const NamePart& a, const NamePart& b) { return a.words == b.words; }
};

std::uint64_t hash_of(const NamePart& part);

/// One reading of a name. People of the register who bear the same part share it.
struct NameForm {
    std::shared_ptr<const NamePart> given;  // both there, perhaps without words
    std::shared_ptr<const NamePart> family;
    friend bool operator==(const NameForm& a, const NameForm& b) {
        return *a.given == *b.given && *a.family == *b.family;
    }
};

/// Every way to read a name: one, or with a whole name in one field each split of its words.
std::vector<NameForm> name_forms(std::string_view given, std::string_view family);

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

/// 1 January of a known year.
bool new_year(const DateForm& date);

/// "YYYY-MM-DD", unknown parts "00" or "0000"; anything else is unknown as a whole.
DateForm date_form(std::string_view text);

/// Days since 1970-01-01 of a whole, existing date.
std::optional<int> day_number(const DateForm& date);

}  // namespace flagpost::registry
