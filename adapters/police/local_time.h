/// Dates and times as another system writes them, by its own formats and in its own time zone.
#pragma once

#include <date/tz.h>

#include <optional>
#include <string>
#include <vector>

#include "broker/core/clock.h"

namespace flagpost::police {

/// What an hour means that a clock shows twice, in the night in October when it goes back.
enum class TwiceShown { earlier, later, reject };

struct TimeRead {
    std::optional<Instant> instant;
    std::string problem;  // why there is none, in words
    bool twice_shown =
        false;  // the clock showed this time twice; `instant` is the one of them that was asked for
};

/// Why a format cannot be used; empty if it can. Formats are those of strftime: %Y %m %d %b %B %H %I %M %S %p %T %R
/// %F %z %e %a %A, and texts between them. Two-digit years say no century and are none. `date_only`: no hours.
std::string fault_in_format(const std::string& format, bool date_only);

/// The first of the formats that takes the whole text. A time with an offset (%z) needs no zone. A time that never was,
/// in the hour that is left out in March, is a problem: the zone is wrong, or the time. Without a day of the month it is
/// the first, without hours midnight.
TimeRead read_local_time(const std::string& text, const std::vector<std::string>& formats,
                         const date::time_zone& zone, TwiceShown twice);

/// "YYYY-MM-DD" by the first format that takes the whole text, with 00 for the parts its format does not have; empty if
/// none does.
std::string read_foreign_date(const std::string& text, const std::vector<std::string>& formats);

}  // namespace flagpost::police
