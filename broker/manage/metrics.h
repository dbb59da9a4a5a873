/// A standing as Prometheus reads it.
#pragma once

#include <string>
#include <vector>

#include "broker/standing/watch.h"

namespace flagpost::manage {

/// Prometheus text format 0.0.4. Times are Unix seconds, sizes bytes. One series for each alarm at hand
/// (`flagpost_alarm`), so that a single rule tells of all of them; each metric is in docs/guides/operate.md.
std::string metrics(const standing::Standing& standing, const std::vector<standing::Alarm>& alarms);

}  // namespace flagpost::manage
