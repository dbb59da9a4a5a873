/// What people type that stands in a leaf as it is, for ever, where everybody may read it.
#pragma once

#include <algorithm>
#include <string_view>

#include "broker/core/limits.h"

namespace flagpost::log {

/// The number of a case or a code: letters, digits and - _ . / : only, at most limits::name_size_max of them, and a digit
/// where there is a capital letter. So no sentence is one, nor a person's name as it is written.
inline bool is_reference(std::string_view text) {
    const auto is_any = [&](char from, char to) {
        return std::ranges::any_of(text, [&](char c) { return c >= from && c <= to; });
    };
    const bool plain = std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view{"-_./:"}.find(c) != std::string_view::npos;
    });
    return plain && !text.empty() && text.size() <= limits::name_size_max &&
           (!is_any('A', 'Z') || is_any('0', '9'));
}

/// Several, with one space between each two.
inline bool are_references(std::string_view text) {
    for (;;) {
        const auto space = text.find(' ');
        if (!is_reference(text.substr(0, space))) return false;
        if (space == std::string_view::npos) return true;
        text.remove_prefix(space + 1);
    }
}

}  // namespace flagpost::log
