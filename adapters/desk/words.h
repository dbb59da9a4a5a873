/// Times, dates and foreign text as people read them on a terminal.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/core/clock.h"

namespace flagpost::desk {

inline constexpr std::size_t screen_width = 80;

/// "Saturday 10 January 2026, 9:40pm" in London; "midday", "midnight".
std::string in_words(Instant instant);

/// "2026-01-10T21:40:00Z", for other programs.
std::string in_iso(Instant instant);

/// "2026-01-10", the day in London.
std::string local_day(Instant instant);

/// "4 March 2019", "March 2019", "2019" or "not known" of a date with unknown parts.
std::string date_in_words(std::string_view date);

/// Foreign text in its own script, with `instead` of each character that a terminal would obey or that turns what
/// follows around, and U+FFFD instead of each byte that is not UTF-8.
std::string printable(std::string_view text, char instead = ' ');

/// The text broken at blanks, each line but the first after `indent` blanks.
std::string wrapped(std::string_view text, std::size_t indent);

/// Seconds as "3 minutes", "5 hours" (under a day) or "2 days".
std::string duration_in_words(std::chrono::seconds duration);

/// A code that is recorded, with its words.
struct CodeWords {
    std::string_view code, words;
};
/// The words of a code; one that is not among them stands for itself.
std::string in_words(std::span<const CodeWords> codes, const std::string& code);
/// For an option's help, a line each, and for its check.
std::string listed(std::span<const CodeWords> codes);
std::vector<std::string> codes_of(std::span<const CodeWords> codes);

}  // namespace flagpost::desk
