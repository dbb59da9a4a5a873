#include "broker/match/fields.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "broker/match/text.h"
#include "broker/register/given_names.h"

namespace flagpost::match {
namespace {

using registry::DateForm;
using registry::NamePart;
using registry::Word;

bool contains(const std::vector<Word>& list, const Word& word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

/// Each given name of the shorter list stands in the longer one, at least by its initial.
bool no_given_conflicts(const NamePart& a, const NamePart& b) {
    const auto& shorter = a.words.size() <= b.words.size() ? a.words : b.words;
    const auto& longer = a.words.size() <= b.words.size() ? b.words : a.words;
    return std::all_of(shorter.begin(), shorter.end(), [&](const Word& word) {
        return std::any_of(longer.begin(), longer.end(), [&](const Word& other) {
            if (word.text.size() == 1 || other.text.size() == 1) return word.text[0] == other.text[0];
            return word == other || registry::same_given_name(word, other) || likeness(word, other) >= 9000;
        });
    });
}

bool cut_short(std::string_view a, std::string_view b, std::size_t letters_min) {
    if (a.size() > b.size()) std::swap(a, b);
    return a.size() >= letters_min && b.compare(0, a.size(), a) == 0;
}

/// Different letters that one word has and the other lacks: at least so many edits lie between the two.
int letters_lacking(const Word& a, const Word& b) { return std::popcount(a.letters & ~b.letters); }

/// One is a name many children bear and the other is none that anybody bears, two letters apart at most: a misspelling,
/// not a second name.
bool misspelt(const Word& a, const Word& b) {
    if (registry::established_given_name(a) == registry::established_given_name(b)) return false;
    const auto shorter = std::min(a.text.size(), b.text.size());
    const int allowed = shorter >= 5 ? 2 : shorter >= 3 ? 1 : 0;
    if (std::max(letters_lacking(a, b), letters_lacking(b, a)) > allowed) return false;
    return edits(a.text, b.text) <= allowed;
}

/// A name that somebody could not read, or a machine misread: unless both are names of their own.
bool misread(const Word& a, const Word& b) {
    return a.text.size() >= 3 && written_alike(a.text, b.text) &&
           !(registry::established_given_name(a) && registry::established_given_name(b));
}

/// spelt_nearly of two words whose likeness is known.
bool nearly(int alike, const Word& a, const Word& b) {
    return alike >= near_from ||
           (std::min(a.text.size(), b.text.size()) >= 4 && within_one_edit(a.text, b.text));
}

/// No more than this can be the likeness of two words, by their lengths, beginnings and sets of letters.
int likeness_bound(const Word& a, const Word& b) {
    const auto size = [](const Word& word) {
        return static_cast<int>(std::min(word.text.size(), registry::letters_compared));
    };
    const auto start_b = b.text.begin();
    const auto alike = static_cast<std::ptrdiff_t>(std::min({a.text.size(), b.text.size(), std::size_t{4}}));
    const auto end = std::mismatch(start_b, start_b + alike, a.text.begin()).first;
    return likeness_at_most(size(a), size(b), letters_lacking(a, b), letters_lacking(b, a),
                            static_cast<int>(end - start_b));
}

constexpr int years_mistaken = 2;  // so far a year is off by a slip, where another part agrees

std::array<char, 8> digits(const DateForm& date) {
    std::array<char, 8> out{};
    int value = date.year * 10000 + date.month * 100 + date.day;
    for (auto at = out.rbegin(); at != out.rend(); ++at, value /= 10)
        *at = static_cast<char>('0' + value % 10);
    return out;
}

/// Two neighbouring digits of one part in each other's place, as in 1978 and 1987.
bool digits_swapped(std::string_view a, std::string_view b) {
    const auto at = static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin()).first - a.begin());
    if (at + 1 >= a.size() || at == 3 || at == 5) return false;  // 3 and 5: the last digits of year and month
    return a[at] == b[at + 1] && a[at + 1] == b[at] && a.substr(at + 2) == b.substr(at + 2);
}

Born compare_whole(const DateForm& a, const DateForm& b) {
    if (a == b) return registry::new_year(a) ? Born::exact_new_year : Born::exact;
    if (a.year == b.year && a.day == b.month && a.month == b.day) return Born::day_month_swapped;
    const auto of_a = digits(a), of_b = digits(b);
    const std::string_view text_a{of_a.data(), of_a.size()}, text_b{of_b.data(), of_b.size()};
    if (digits_swapped(text_a, text_b)) return Born::digits_swapped;
    if (within_one_edit(text_a, text_b)) return Born::one_digit;
    if (registry::new_year(a) || registry::new_year(b)) {
        if (a.year == b.year) return Born::year_new_year;
        if (std::abs(a.year - b.year) == 1) return Born::near_new_year;
        if (registry::new_year(a) && registry::new_year(b))
            return Born::conflict;  // the day they share says nothing
    }
    const int same = (a.year == b.year) + (a.month == b.month) + (a.day == b.day);
    if (same == 2) return Born::one_part;
    // Swapped and mistyped at once.
    const auto swapped = digits({b.year, b.day, b.month});
    if (within_one_edit(text_a, {swapped.data(), swapped.size()})) return Born::one_part;
    if (a.year == b.year) return Born::same_year;
    return a.day == b.day && std::abs(a.year - b.year) <= years_mistaken ? Born::near_year : Born::conflict;
}

}  // namespace

int likeness_at_most(int size_a, int size_b, int beyond_a, int beyond_b, int beginning) {
    const int common = std::min(size_a - beyond_a, size_b - beyond_b);
    return winkler((10000 * common / size_a + 10000 * common / size_b + 10000) / 3, beginning);
}

int likeness(const Word& a, const Word& b) {
    if (a.text.empty() || b.text.empty() || likeness_bound(a, b) < distant_from) return a == b ? 10000 : 0;
    return jaro_winkler(a.text, b.text);
}

bool spelt_nearly(const Word& a, const Word& b) { return nearly(likeness(a, b), a, b); }

Given compare_given(const NamePart& a, const NamePart& b) {
    if (a.words.empty() || b.words.empty()) return Given::missing;
    const auto& first_a = a.words.front();
    const auto& first_b = b.words.front();
    const auto& text_a = first_a.text;
    const auto& text_b = first_b.text;
    if (a.joined == b.joined) return text_a.size() > 1 ? Given::exact : Given::initial;
    if (first_a == first_b && text_a.size() > 1)
        return no_given_conflicts(a, b) ? Given::exact : Given::shared;
    if (registry::same_given_name(first_a, first_b)) return Given::known_form;
    const int alike_first = likeness(first_a, first_b);
    if (nearly(alike_first, first_a, first_b)) return Given::near;
    const bool single = a.words.size() == 1 && b.words.size() == 1;
    const int alike_joined = single ? alike_first : likeness(a.joined, b.joined);
    if (!single && nearly(alike_joined, a.joined, b.joined)) return Given::near;
    if (cut_short(a.joined.text, b.joined.text, 3) || misspelt(first_a, first_b) || misread(first_a, first_b))
        return Given::near;
    for (const auto& word : a.words) {
        if (word.text.size() > 1 && contains(b.words, word)) return Given::shared;
    }
    if ((text_a.size() == 1 || text_b.size() == 1) && text_a[0] == text_b[0]) return Given::initial;
    const int alike = std::max(alike_first, alike_joined);
    if (alike >= similar_from || first_a.sound == first_b.sound) return Given::similar;
    return alike >= distant_from ? Given::distant : Given::other;
}

Family compare_family(const NamePart& a, const NamePart& b) {
    if (a.words.empty() || b.words.empty()) return Family::missing;
    if (a.joined == b.joined) return Family::exact;
    const int alike = likeness(a.joined, b.joined);
    if (nearly(alike, a.joined, b.joined)) return Family::near;
    if (cut_short(a.joined.text, b.joined.text, 4) || misread(a.joined, b.joined)) return Family::near;
    for (const auto& word : a.words) {
        if (word.text.size() > 2 && contains(b.words, word)) return Family::shared;
    }
    // A mother's and a father's name, one of them misspelt.
    for (const auto& word : a.words) {
        for (const auto& other : b.words) {
            if (word.text.size() > 4 && other.text.size() > 4 && spelt_nearly(word, other))
                return Family::shared;
        }
    }
    if (alike >= similar_from || a.joined.sound == b.joined.sound) return Family::similar;
    return alike >= distant_from ? Family::distant : Family::other;
}

Born compare_born(const DateForm& a, const DateForm& b) {
    if (a.whole() && b.whole()) return compare_whole(a, b);
    const auto agrees = [](int x, int y) { return x != 0 && x == y; };
    const auto conflicts = [](int x, int y) { return x != 0 && y != 0 && x != y; };
    const int conflicting = conflicts(a.year, b.year) + conflicts(a.month, b.month) + conflicts(a.day, b.day);
    if (conflicting != 0) {
        // Of a parent of that name the year is another one: without it a month or day says too little.
        const bool one_slip = agrees(a.year, b.year) ||
                              (conflicts(a.year, b.year) && std::abs(a.year - b.year) <= years_mistaken &&
                               (agrees(a.month, b.month) || agrees(a.day, b.day)));
        return conflicting == 1 && one_slip ? Born::partial_part : Born::partial_conflict;
    }
    if (agrees(a.year, b.year)) return agrees(a.month, b.month) ? Born::partial_month : Born::partial_year;
    return agrees(a.month, b.month) && agrees(a.day, b.day) ? Born::partial_day : Born::missing;
}

Identifier compare_identifier(const std::string& a, const std::string& b) {
    if (a.empty() || b.empty()) return Identifier::missing;
    if (a == b) return Identifier::same;
    return within_one_edit(a, b) ? Identifier::near : Identifier::differs;
}

}  // namespace flagpost::match
