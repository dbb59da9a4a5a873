#include "adapters/desk/words.h"

#include <date/tz.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

#include "adapters/client/text.h"

namespace flagpost::desk {
namespace {

constexpr std::array<std::string_view, 12> months{"January",   "February", "March",    "April",
                                                  "May",       "June",     "July",     "August",
                                                  "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> days{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                               "Thursday", "Friday", "Saturday"};

std::string clock_time(int hour, int minute) {
    if (minute == 0 && hour == 0) return "midnight";
    if (minute == 0 && hour == 12) return "midday";
    std::string text = std::to_string(hour % 12 == 0 ? 12 : hour % 12);
    if (minute != 0) text += (minute < 10 ? ":0" : ":") + std::to_string(minute);
    return text + (hour < 12 ? "am" : "pm");
}

unsigned number(std::string_view digits) {
    unsigned value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

std::string counted(std::int64_t count, const char* unit) {
    return std::to_string(count) + " " + unit + (count == 1 ? "" : "s");
}

/// Whether a terminal obeys this character of UTF-8: U+0000 to U+001F, U+007F to U+009F, and what turns the direction of
/// what follows (U+202A to U+202E, U+2066 to U+2069), which shows a name other than it is.
bool steers(std::string_view character) {
    if (character.size() == 1) return character[0] < 0x20 || character[0] == 0x7F;
    // NOLINTBEGIN(misc-misleading-bidirectional): they are what is looked for
    return (character >= "\xC2\x80" && character <= "\xC2\x9F") ||
           (character >= "\xE2\x80\xAA" && character <= "\xE2\x80\xAE") ||
           (character >= "\xE2\x81\xA6" && character <= "\xE2\x81\xA9");
    // NOLINTEND(misc-misleading-bidirectional)
}

}  // namespace

std::string in_words(Instant instant) {
    static const date::time_zone* const london = date::locate_zone("Europe/London");
    const auto local = london->to_local(instant);
    const auto day = date::floor<date::days>(local);
    const date::year_month_day date{day};
    const auto minutes = date::floor<std::chrono::minutes>(local - day).count();
    std::ostringstream out;
    out << days[date::weekday{day}.c_encoding()] << " " << static_cast<unsigned>(date.day()) << " "
        << months[static_cast<unsigned>(date.month()) - 1] << " " << static_cast<int>(date.year()) << ", "
        << clock_time(static_cast<int>(minutes / 60), static_cast<int>(minutes % 60));
    return out.str();
}

std::string local_day(Instant instant) {
    static const date::time_zone* const london = date::locate_zone("Europe/London");
    return date::format("%F", date::floor<date::days>(london->to_local(instant)));
}

std::string in_iso(Instant instant) {
    return date::format("%FT%TZ", date::floor<std::chrono::seconds>(instant));
}

std::string date_in_words(std::string_view date) {
    if (date.size() != 10) return "not known";
    const unsigned year = number(date.substr(0, 4)), month = number(date.substr(5, 2)),
                   day = number(date.substr(8, 2));
    std::string words;
    if (month >= 1 && month <= months.size()) {
        if (day != 0) words = std::to_string(day) + " ";
        words += months[month - 1];
    }
    if (year != 0) words += (words.empty() ? "" : " ") + std::to_string(year);
    return words.empty() ? "not known" : words;
}

std::string printable(std::string_view text, char instead) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t length = 0; !text.empty(); text.remove_prefix(length)) {
        length = client::utf8_length(text);
        if (length == 0) {
            out += "\xEF\xBF\xBD";
            length = 1;
        } else if (steers(text.substr(0, length))) {
            out += instead;
        } else {
            out += text.substr(0, length);
        }
    }
    return out;
}

std::string wrapped(std::string_view text, std::size_t indent) {
    std::string out;
    std::size_t column = indent;
    std::istringstream words{std::string{text}};
    std::string word;
    while (words >> word) {
        if (!out.empty() && column + 1 + word.size() > screen_width) {
            out += "\n" + std::string(indent, ' ');
            column = indent;
        } else if (!out.empty()) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
    }
    return out;
}

std::string duration_in_words(std::chrono::seconds duration) {
    const std::int64_t minutes = duration.count() / 60;
    if (minutes < 120) return counted(minutes, "minute");
    if (minutes < 24 * 60) return counted(minutes / 60, "hour");
    return counted(minutes / (24 * 60), "day");
}

std::string in_words(std::span<const CodeWords> codes, const std::string& code) {
    const auto found = std::ranges::find(codes, code, &CodeWords::code);
    return found == codes.end() ? printable(code) : std::string{found->words};
}

std::string listed(std::span<const CodeWords> codes) {
    std::string lines;
    for (const auto& [code, words] : codes) lines += "\n" + std::string{code} + ": " + std::string{words};
    return lines;
}

std::vector<std::string> codes_of(std::span<const CodeWords> codes) {
    std::vector<std::string> all;
    for (const auto& each : codes) all.emplace_back(each.code);
    return all;
}

}  // namespace flagpost::desk
