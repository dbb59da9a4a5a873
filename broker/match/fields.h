/// Single fields of two people compared: at which level they agree.
#pragma once

#include <cstdint>
#include <string>

#include "broker/register/normal.h"

namespace flagpost::match {

// Levels from the surest to the least, `missing` last.
enum class Given : std::uint8_t {
    exact,
    known_form,
    near,
    shared,
    initial,
    similar,
    distant,
    other,
    missing
};
enum class Family : std::uint8_t { exact, near, shared, similar, distant, other, missing };
enum class Born : std::uint8_t {
    exact,
    exact_new_year,
    digits_swapped,
    day_month_swapped,
    one_digit,
    one_part,
    year_new_year,
    near_new_year,
    near_year,
    same_year,
    partial_month,
    partial_day,
    partial_year,
    partial_part,
    partial_conflict,
    conflict,
    missing
};
enum class Sex : std::uint8_t { same, differs, missing };
enum class Identifier : std::uint8_t { same, near, differs, missing };

Given compare_given(const registry::NamePart& a, const registry::NamePart& b);
Family compare_family(const registry::NamePart& a, const registry::NamePart& b);
Born compare_born(const registry::DateForm& a, const registry::DateForm& b);
Identifier compare_identifier(const std::string& a, const std::string& b);

/// Two words that are one, mistyped.
bool spelt_nearly(const registry::Word& a, const registry::Word& b);

// How alike words are to be for "near", "similar" and "distant".
inline constexpr int near_from = 9200, similar_from = 8500, distant_from = 7500;

/// No more than this can be the likeness of two words of these sizes, of which each has so many different letters that the
/// other lacks, and which begin with so many equal ones.
int likeness_at_most(int size_a, int size_b, int beyond_a, int beyond_b, int beginning);

/// Jaro-Winkler similarity where that is at least 7500, the least that counts; anything less may come out as 0.
int likeness(const registry::Word& a, const registry::Word& b);

}  // namespace flagpost::match
