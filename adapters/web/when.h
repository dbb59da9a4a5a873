/// Times as pages say them: near ones by day, deadlines with what is left.
#pragma once

#include <string>

#include "broker/core/clock.h"

namespace flagpost::web {

/// "8:11am", "midday".
std::string time_of_day(Instant instant);
/// "today, 8:12am", "yesterday, 9:40pm", "tomorrow, 5pm"; otherwise "Saturday 10 January, 9:40pm", with the year if it is
/// another.
std::string near(Instant instant, Instant now);
/// The same within a sentence: "at 8:12am" today, "yesterday at 9:40pm", "on Saturday 10 January at 9:40pm".
std::string moment(Instant instant, Instant now);
/// "Sunday 11 January 2026".
std::string day_in_words(Instant instant);
/// A day (YYYY-MM-DD) as people say it: "today", "tomorrow", "Friday" within a week, otherwise "Friday 16 January".
std::string day_of_date(const std::string& date, Instant now);
/// With a capital first.
std::string capital(std::string text);

/// A deadline.
struct Due {
    std::string at;     // "Today, 7:30am"
    std::string left;   // "Overdue by 42 minutes", "Due in 8 hours"
    std::string style;  // "fp-due", with " fp-due--late" or " fp-due--soon"
    bool late;
};
Due due_of(Instant at, Instant now);

/// "2026-01-11T08:12:00Z", for <time datetime>.
std::string machine_time(Instant instant);

}  // namespace flagpost::web
