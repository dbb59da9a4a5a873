/// Single fields of two people compared: at which level they agree.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

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
    one_digit,
    day_month_swapped,
    one_part,
    year_new_year,
    same_year,
    partial_month,
    partial_day,
    partial_year,
    partial_conflict,
    conflict,
    missing
};
enum class Sex : std::uint8_t { same, differs, missing };
enum class Identifier : std::uint8_t { same, near, differs, missing };

Given compare_given(const registry::NameForm& a, const registry::NameForm& b);
Family compare_family(const registry::NameForm& a, const registry::NameForm& b);
Born compare_born(const registry::DateForm& a, const registry::DateForm& b);
Identifier compare_identifier(const std::string& a, const std::string& b);

/// Two words that are one, mistyped.
bool spelt_nearly(std::string_view a, std::string_view b);

}  // namespace flagpost::match
