/// When a school's next day begins: terms, INSET days, closures, bank holidays and weekends in local time.
#pragma once

#include <date/tz.h>

#include "broker/core/clock.h"
#include "broker/register/register.h"

namespace flagpost::notices {

/// The first start of a school day of `urn` that is later than `now`. Half past midnight on a school day belongs to
/// that morning.
///
/// Without any term known to come, each weekday that is no bank holiday counts as a school day: a deadline that is too
/// early costs a phone call, one that is too late costs a child.
Instant next_school_day_start(const registry::Register& known, std::uint32_t urn, Instant now,
                              const date::time_zone* zone);

}  // namespace flagpost::notices
