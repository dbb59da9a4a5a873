/// Text as people type it, brought to plain upper-case letters and words.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flagpost::plain {

inline constexpr std::size_t text_size_max = 512;  // of one name or address line; what is longer is cut

/// Upper case, without marks; letters of other scripts by ICU's rules; other signs as they are where they are ASCII.
std::string upper(std::string_view text);

/// Words of letters and digits of one line; "12-14" and "14/2" keep their mark as a word of its own, "Flat8" is two.
std::vector<std::string> words_of_line(std::string_view line);

/// The words of a text of any length, for searching texts for names.
std::vector<std::string> words(std::string_view text);

/// What of ICU the forms rest on, for the engine digest.
std::string icu_version();

inline bool is_letter(char c) { return c >= 'A' && c <= 'Z'; }
inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <std::size_t N> bool is_one_of(std::string_view word, const std::array<std::string_view, N>& list) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

}  // namespace flagpost::plain
