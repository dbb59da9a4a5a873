/// How alike two words are, in whole numbers, so that every machine agrees.
#pragma once

#include <cstdint>
#include <string_view>

namespace flagpost::match {

/// Jaro-Winkler similarity in ten-thousandths: 10000 for equal words. Words beyond 64 letters compare by their start.
int jaro_winkler(std::string_view a, std::string_view b);

/// Winkler's step from Jaro's similarity: a common beginning, up to four letters, brings words nearer.
int winkler(int jaro, std::string_view a, std::string_view b);

int winkler(int jaro, int beginning);

/// One letter added, lost, changed, or two neighbours swapped; also true for equal words.
bool within_one_edit(std::string_view a, std::string_view b);

/// Letters added, lost, changed, or neighbours swapped on the way from one word to the other; 4 stands for more than 3.
int edits(std::string_view a, std::string_view b);

/// Words of one length whose differing letters look alike in hand or print, as scanners confuse them: "EHHA" and "EMMA".
/// False for equal words and for anything but A to Z.
bool written_alike(std::string_view a, std::string_view b);

/// 1000 times log2(numerator / denominator), rounded down to what twelve fractional bits give.
std::int32_t log2_millibits(std::uint64_t numerator, std::uint64_t denominator);

}  // namespace flagpost::match
