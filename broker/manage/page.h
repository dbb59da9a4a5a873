/// A standing as a page for an operator's eyes: no script, no personal data, no references.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/standing/watch.h"

namespace flagpost::manage {

/// HTML. Its first line is the answer; what needs somebody comes next, the most urgent first, and everything else below.
/// Colours are words first. `current`: false where the broker thread has said nothing for too long, which is then the answer.
std::string status_page(const standing::Standing& standing, const std::vector<standing::Alarm>& alarms,
                        bool current);

/// Of that page, at /status.css.
extern const std::string_view status_styles;

}  // namespace flagpost::manage
