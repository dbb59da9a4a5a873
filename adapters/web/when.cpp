#include "adapters/web/when.h"

#include "adapters/desk/fields.h"
#include "adapters/desk/words.h"

namespace flagpost::web {
namespace {

/// "Saturday 10 January 2026, 9:40pm" as its day, year and time.
struct Parts {
    std::string day, year, time;
};
Parts parts_of(Instant instant) {
    const std::string words = desk::in_words(instant);
    const auto comma = words.find(", ");
    const auto blank = words.rfind(' ', comma);
    return {words.substr(0, blank), words.substr(blank + 1, comma - blank - 1), words.substr(comma + 2)};
}

constexpr std::chrono::hours a_day{24};
constexpr std::chrono::hours soon{2};

/// "today", "yesterday", "tomorrow"; otherwise "Saturday 10 January", with the year if it is another.
std::string day_near(Instant instant, Instant now) {
    const Parts wanted = parts_of(instant), today = parts_of(now);
    const auto falls_on = [&](Instant other) {
        const Parts parts = parts_of(other);
        return parts.day == wanted.day && parts.year == wanted.year;
    };
    if (falls_on(now)) return "today";
    if (falls_on(now + a_day)) return "tomorrow";
    if (falls_on(now - a_day)) return "yesterday";
    return wanted.day + (wanted.year == today.year ? "" : " " + wanted.year);
}

}  // namespace

std::string time_of_day(Instant instant) { return parts_of(instant).time; }

std::string near(Instant instant, Instant now) {
    return day_near(instant, now) + ", " + time_of_day(instant);
}

std::string moment(Instant instant, Instant now) {
    const std::string day = day_near(instant, now);
    std::string at = "at " + time_of_day(instant);
    if (day == "today") return at;
    return (day == "yesterday" || day == "tomorrow" ? day : "on " + day) + " " + at;
}

std::string day_in_words(Instant instant) {
    const Parts parts = parts_of(instant);
    return parts.day + " " + parts.year;
}

std::string day_of_date(const std::string& date, Instant now) {
    const auto midday = desk::parse_instant(date + "T12:00:00Z");
    if (!midday) return date;
    for (int ahead = -1; ahead <= 6; ++ahead) {
        if (desk::local_day(now + ahead * a_day) != date) continue;
        const std::string words = parts_of(*midday).day;
        return ahead == -1  ? "yesterday"
               : ahead == 0 ? "today"
               : ahead == 1 ? "tomorrow"
                            : words.substr(0, words.find(' '));
    }
    return parts_of(*midday).day;
}

std::string capital(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
    return text;
}

Due due_of(Instant at, Instant now) {
    const bool late = at <= now;
    const auto distance = std::chrono::duration_cast<std::chrono::seconds>(late ? now - at : at - now);
    const std::string left = (late ? "Overdue by " : "Due in ") + desk::duration_in_words(distance);
    const std::string style = late               ? "fp-due fp-due--late"
                              : distance <= soon ? "fp-due fp-due--soon"
                                                 : "fp-due";
    return {capital(near(at, now)), left, style, late};
}

std::string machine_time(Instant instant) { return desk::in_iso(instant); }

}  // namespace flagpost::web
