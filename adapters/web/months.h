/// A year's notices as twelve columns, for a manager's report and for the auditor's desk.
#pragma once

#include <array>
#include <optional>
#include <utility>

#include "adapters/web/drawing.h"

namespace flagpost::web {

/// Of a year as schools and reports count it.
inline constexpr std::array<const char*, 12> months_from_april{
    "April",   "May",      "June",     "July",    "August",   "September",
    "October", "November", "December", "January", "February", "March"};

struct MonthBar {
    std::string name;         // "April"
    std::string number;       // over the column; empty: the month has not begun
    std::size_t notices = 0;  // how high it is
    bool hatched = false;     // notices may be missing
    std::optional<std::pair<std::size_t, std::size_t>> expected{};  // two lines
};

/// `most`: what the scale reaches to, the same for every authority of a page. `called`, `finding`: as in Drawing::view.
View draw_months(const std::vector<MonthBar>& months, const std::string& called, const std::string& finding,
                 std::size_t most, const std::string& id, bool wide);

}  // namespace flagpost::web
