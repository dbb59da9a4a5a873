#include "broker/match/fields.h"

#include <algorithm>
#include <array>
#include <vector>

#include "broker/match/text.h"
#include "broker/register/given_names.h"

namespace flagpost::match {
namespace {

using registry::DateForm;
using registry::NameForm;

bool contains(const std::vector<std::string>& list, std::string_view word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

/// Each given name of the shorter list stands in the longer one, at least by its initial.
bool no_given_conflicts(const NameForm& a, const NameForm& b) {
    const auto& shorter = a.given.size() <= b.given.size() ? a.given : b.given;
    const auto& longer = a.given.size() <= b.given.size() ? b.given : a.given;
    return std::all_of(shorter.begin(), shorter.end(), [&](const std::string& word) {
        return std::any_of(longer.begin(), longer.end(), [&](const std::string& other) {
            if (word.size() == 1 || other.size() == 1) return word[0] == other[0];
            return word == other || registry::same_given_name(word, other) ||
                   jaro_winkler(word, other) >= 9000;
        });
    });
}

bool cut_short(std::string_view a, std::string_view b, std::size_t letters_min) {
    if (a.size() > b.size()) std::swap(a, b);
    return a.size() >= letters_min && b.compare(0, a.size(), a) == 0;
}

/// One is a name many children bear and the other is none that anybody bears, two letters apart at most: a misspelling,
/// not a second name.
bool misspelt(std::string_view a, std::string_view b) {
    if (registry::established_given_name(a) == registry::established_given_name(b)) return false;
    const auto shorter = std::min(a.size(), b.size());
    return edits(a, b) <= (shorter >= 5 ? 2 : shorter >= 3 ? 1 : 0);
}

std::array<char, 8> digits(const DateForm& date) {
    std::array<char, 8> out{};
    int value = date.year * 10000 + date.month * 100 + date.day;
    for (auto at = out.rbegin(); at != out.rend(); ++at, value /= 10)
        *at = static_cast<char>('0' + value % 10);
    return out;
}

bool new_year(const DateForm& date) { return date.month == 1 && date.day == 1; }

Born compare_whole(const DateForm& a, const DateForm& b) {
    if (a == b) return new_year(a) ? Born::exact_new_year : Born::exact;
    if (a.year == b.year && a.day == b.month && a.month == b.day) return Born::day_month_swapped;
    const auto of_a = digits(a), of_b = digits(b);
    const std::string_view text_a{of_a.data(), of_a.size()}, text_b{of_b.data(), of_b.size()};
    if (within_one_edit(text_a, text_b)) return Born::one_digit;
    if (a.year == b.year && (new_year(a) || new_year(b))) return Born::year_new_year;
    const int same = (a.year == b.year) + (a.month == b.month) + (a.day == b.day);
    if (same == 2) return Born::one_part;
    // Swapped and mistyped at once.
    const auto swapped = digits({b.year, b.day, b.month});
    if (within_one_edit(text_a, {swapped.data(), swapped.size()})) return Born::one_part;
    return a.year == b.year ? Born::same_year : Born::conflict;
}

}  // namespace

bool spelt_nearly(std::string_view a, std::string_view b) {
    return jaro_winkler(a, b) >= 9200 || (std::min(a.size(), b.size()) >= 4 && within_one_edit(a, b));
}

Given compare_given(const NameForm& a, const NameForm& b) {
    if (a.given.empty() || b.given.empty()) return Given::missing;
    const auto& first_a = a.given.front();
    const auto& first_b = b.given.front();
    if (a.given_joined == b.given_joined) return first_a.size() > 1 ? Given::exact : Given::initial;
    if (first_a == first_b && first_a.size() > 1)
        return no_given_conflicts(a, b) ? Given::exact : Given::shared;
    if (registry::same_given_name(first_a, first_b)) return Given::known_form;
    if (spelt_nearly(first_a, first_b) || spelt_nearly(a.given_joined, b.given_joined)) return Given::near;
    if (cut_short(a.given_joined, b.given_joined, 3) || misspelt(first_a, first_b)) return Given::near;
    for (const auto& word : a.given) {
        if (word.size() > 1 && contains(b.given, word)) return Given::shared;
    }
    if ((first_a.size() == 1 || first_b.size() == 1) && first_a[0] == first_b[0]) return Given::initial;
    const int alike = std::max(jaro_winkler(first_a, first_b), jaro_winkler(a.given_joined, b.given_joined));
    if (alike >= 8500 || registry::sound(first_a) == registry::sound(first_b)) return Given::similar;
    return alike >= 7500 ? Given::distant : Given::other;
}

Family compare_family(const NameForm& a, const NameForm& b) {
    if (a.family.empty() || b.family.empty()) return Family::missing;
    if (a.family_joined == b.family_joined) return Family::exact;
    if (spelt_nearly(a.family_joined, b.family_joined)) return Family::near;
    if (cut_short(a.family_joined, b.family_joined, 4)) return Family::near;
    for (const auto& word : a.family) {
        if (word.size() > 2 && contains(b.family, word)) return Family::shared;
    }
    // A mother's and a father's name, one of them misspelt.
    for (const auto& word : a.family) {
        for (const auto& other : b.family) {
            if (word.size() > 4 && other.size() > 4 && spelt_nearly(word, other)) return Family::shared;
        }
    }
    const int alike = jaro_winkler(a.family_joined, b.family_joined);
    if (alike >= 8500) return Family::similar;
    if (registry::sound(a.family_joined) == registry::sound(b.family_joined)) return Family::similar;
    return alike >= 7500 ? Family::distant : Family::other;
}

Born compare_born(const DateForm& a, const DateForm& b) {
    if (a.whole() && b.whole()) return compare_whole(a, b);
    const auto agrees = [](int x, int y) { return x != 0 && x == y; };
    const auto conflicts = [](int x, int y) { return x != 0 && y != 0 && x != y; };
    if (conflicts(a.year, b.year) || conflicts(a.month, b.month) || conflicts(a.day, b.day)) {
        return Born::partial_conflict;
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
