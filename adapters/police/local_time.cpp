#include "adapters/police/local_time.h"

#include <algorithm>
#include <sstream>
#include <string_view>

namespace flagpost::police {
namespace {

using std::chrono::microseconds;

constexpr std::string_view usable = "YmdbBHIMSpTRFzeaA", of_hours = "HIMSpTRz";

/// Whether the format has one of these specifiers.
bool has(const std::string& format, std::string_view specifiers) {
    for (std::size_t i = 0; i + 1 < format.size(); ++i)
        if (format[i] == '%' && specifiers.find(format[++i]) != std::string_view::npos) return true;
    return false;
}

bool says_day(const std::string& format) { return has(format, "deF"); }
bool says_month(const std::string& format) { return has(format, "mbBF"); }

struct Parts {
    date::local_time<microseconds> local;
    std::optional<std::chrono::minutes> offset;
};

/// What a format does not say is the first: of the month, of the year.
std::optional<Parts> parse(const std::string& text, const std::string& format) {
    const std::string day = says_day(format) ? "" : "|1", month = says_month(format) ? "" : "|1";
    std::istringstream stream{text + month + day};
    stream.imbue(std::locale::classic());
    Parts parts{};
    std::chrono::minutes offset = std::chrono::minutes::min();
    std::string abbreviation;
    const std::string whole = format + (month.empty() ? "" : "|%m") + (day.empty() ? "" : "|%d");
    date::from_stream(stream, whole.c_str(), parts.local, &abbreviation, &offset);
    if (stream.fail() || stream.peek() != std::istringstream::traits_type::eof()) return std::nullopt;
    if (has(format, "z")) parts.offset = offset;
    const int year{date::year_month_day{date::floor<date::days>(parts.local)}.year()};
    if (year < 1850 || year > 2200) return std::nullopt;
    return parts;
}

Instant instant_of(date::sys_time<microseconds> time) { return Instant{time.time_since_epoch()}; }

TimeRead in_zone(date::local_time<microseconds> local, const date::time_zone& zone, TwiceShown twice) {
    const date::local_info info = zone.get_info(local);
    if (info.result == date::local_info::nonexistent)
        return {std::nullopt, "never was: clocks went forward over it", false};
    if (info.result == date::local_info::ambiguous) {
        if (twice == TwiceShown::reject)
            return {std::nullopt, "was twice that night: clocks went back over it", true};
        const auto choice = twice == TwiceShown::earlier ? date::choose::earliest : date::choose::latest;
        return {instant_of(zone.to_sys(local, choice)), {}, true};
    }
    return {instant_of(zone.to_sys(local)), {}, false};
}

std::string number(unsigned value, int width) {
    std::string digits = std::to_string(value);
    return std::string(static_cast<std::size_t>(width) -
                           std::min<std::size_t>(digits.size(), static_cast<std::size_t>(width)),
                       '0') +
           digits;
}

}  // namespace

std::string fault_in_format(const std::string& format, bool date_only) {
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] == '|') return "has a character | that no date has";
        if (format[i] != '%') continue;
        const char specifier = i + 1 < format.size() ? format[++i] : ' ';
        if (specifier == 'y') return "has %y: two digits do not say which century";
        if (usable.find(specifier) == std::string_view::npos)
            return std::string{"has %"} + specifier + ", which is not known here";
        if (date_only && of_hours.find(specifier) != std::string_view::npos)
            return std::string{"has %"} + specifier + ", but this is a date";
    }
    return has(format, "YF") ? "" : "says no year (%Y)";
}

TimeRead read_local_time(const std::string& text, const std::vector<std::string>& formats,
                         const date::time_zone& zone, TwiceShown twice) {
    for (const std::string& format : formats) {
        const auto parts = parse(text, format);
        if (!parts) continue;
        if (parts->offset)
            return {
                instant_of(date::sys_time<microseconds>{parts->local.time_since_epoch()}) - *parts->offset,
                {},
                false};
        return in_zone(parts->local, zone, twice);
    }
    std::string known;
    for (const std::string& format : formats) known += (known.empty() ? "" : " or ") + format;
    return {std::nullopt, "is no time of the form " + known, false};
}

std::string read_foreign_date(const std::string& text, const std::vector<std::string>& formats) {
    for (const std::string& format : formats) {
        const auto parts = parse(text, format);
        if (!parts) continue;
        const date::year_month_day day{date::floor<date::days>(parts->local)};
        return number(static_cast<unsigned>(static_cast<int>(day.year())), 4) + "-" +
               (says_month(format) ? number(static_cast<unsigned>(day.month()), 2) : "00") + "-" +
               (says_day(format) ? number(static_cast<unsigned>(day.day()), 2) : "00");
    }
    return {};
}

}  // namespace flagpost::police
