#include "broker/notices/calendar.h"

#include <date/date.h>

#include <algorithm>
#include <vector>

#include "broker/register/normal.h"

namespace flagpost::notices {
namespace {

using Days = date::local_days;
using namespace std::chrono_literals;

constexpr auto day_starts_by_default = std::chrono::hours{8} + 40min;
constexpr int days_ahead_max = 400;  // a school year and a summer
constexpr std::string_view division = "england-and-wales";

struct Period {
    Days first, last;
    bool closed;
    bool own;  // of the school itself, not of its authority
    std::chrono::minutes starts;
};

std::optional<Days> local_day(std::string_view text) {
    const auto number = registry::day_number(registry::date_form(text));
    if (!number) return std::nullopt;
    return Days{date::days{*number}};
}

/// "08:40"; anything else is the default.
std::chrono::minutes start_of(std::string_view text) {
    const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
    if (text.size() != 5 || text[2] != ':' || !digit(0) || !digit(1) || !digit(3) || !digit(4)) {
        return day_starts_by_default;
    }
    const int hours = (text[0] - '0') * 10 + (text[1] - '0');
    const int minutes = (text[3] - '0') * 10 + (text[4] - '0');
    if (hours > 23 || minutes > 59) return day_starts_by_default;
    return std::chrono::hours{hours} + std::chrono::minutes{minutes};
}

/// One school's calendar. Its own terms replace its authority's; closures of either count.
class Calendar {
public:
    Calendar(const registry::Register& known, std::uint32_t urn) : known_{known} {
        schemas::SchoolValue unknown;
        unknown.urn = urn;
        const auto* school = known.school(urn);
        for (const auto* term : known.terms_of(school ? *school : unknown)) {
            const auto first = local_day(term->first_day), last = local_day(term->last_day);
            if (!first || !last) continue;
            periods_.push_back({*first, *last, term->closed, term->urn != 0, start_of(term->day_starts)});
        }
        own_terms_ =
            std::any_of(periods_.begin(), periods_.end(), [](const Period& p) { return p.own && !p.closed; });
    }

    /// When school starts on `day`; nothing on a day without school.
    std::optional<std::chrono::minutes> starts(Days day, bool by_terms) const {
        const date::weekday weekday{day};
        if (weekday == date::Saturday || weekday == date::Sunday || bank_holiday(day)) return std::nullopt;
        std::optional<std::chrono::minutes> start;
        for (const auto& period : periods_) {
            if (day < period.first || day > period.last) continue;
            if (period.closed) return std::nullopt;
            if (counts(period) && (!start || period.starts < *start)) start = period.starts;
        }
        if (!by_terms && !start) return usual_start();
        return start;
    }

    bool term_from(Days day) const {
        return std::any_of(periods_.begin(), periods_.end(),
                           [&](const Period& p) { return counts(p) && p.last >= day; });
    }

private:
    bool counts(const Period& period) const { return !period.closed && (period.own || !own_terms_); }
    bool bank_holiday(Days day) const {
        const date::year_month_day ymd{day};
        return known_.bank_holidays().count({std::string{division}, date::format("%F", Days{ymd})}) != 0;
    }
    std::chrono::minutes usual_start() const {
        for (const auto& period : periods_)
            if (counts(period)) return period.starts;
        return day_starts_by_default;
    }

    const registry::Register& known_;
    std::vector<Period> periods_;
    bool own_terms_ = false;
};

std::optional<Instant> first_start(const Calendar& calendar, Instant now, const date::time_zone* zone,
                                   bool by_terms) {
    const auto today = date::floor<date::days>(zone->to_local(now));
    for (int ahead = 0; ahead <= days_ahead_max; ++ahead) {
        const auto day = today + date::days{ahead};
        const auto start = calendar.starts(day, by_terms);
        if (!start) continue;
        const auto local = day + std::chrono::duration_cast<std::chrono::microseconds>(*start);
        const Instant instant = zone->to_sys(local, date::choose::earliest);
        if (instant > now) return instant;
    }
    return std::nullopt;
}

}  // namespace

Instant next_school_day_start(const registry::Register& known, std::uint32_t urn, Instant now,
                              const date::time_zone* zone) {
    const Calendar calendar{known, urn};
    const auto today = date::floor<date::days>(zone->to_local(now));
    if (calendar.term_from(today)) {
        if (const auto start = first_start(calendar, now, zone, true)) return *start;
    }
    if (const auto start = first_start(calendar, now, zone, false)) return *start;
    return now + std::chrono::hours{24};  // closed for more than a year: the soonest, so that somebody asks
}

}  // namespace flagpost::notices
