/// What authorities counted of the notices that came to them, as their managers hand it out: for the third chart of the audit desk.
///
/// It never comes from the log, which the law keeps for other uses (Data Protection Act 2018, section 62(4)).
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

#include "adapters/auditor/charts.h"

namespace flagpost::auditor {

/// One month as it stands in the file.
struct NoticesMonth {
    std::string notices;            // "12"; "1 to 4" where it is not told exactly; empty: not in the file
    std::size_t low = 0, high = 0;  // of notices: "1 to 4" is 1 and 4
    std::optional<std::pair<std::size_t, std::size_t>> expected{};
    bool late_list = false, cut_off = false;
};

struct NoticesYear {
    std::string authority;  // GSS code
    int year;               // in which its April lies
    std::array<NoticesMonth, 12> months;
};

inline constexpr std::size_t notices_rows_max = 6'000;

/// Of the CSV of the page Reports (docs/guides/connect-a-local-authority.md), of any number of files, by authority and year. Throws
/// WrongUsage that names file, line and column; also for a month that is there twice.
std::vector<NoticesYear> read_notices(const std::vector<std::filesystem::path>& files);

/// One for each authority and year, all of one scale; "notices-1", "notices-2", ...
std::vector<Chart> charts_of(const std::vector<NoticesYear>& years);

}  // namespace flagpost::auditor
