/// Of the plans and placements a child has had, the one that a flag tells of.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "flag_generated.h"

namespace flagpost::social_care {

struct Plan {
    schemas::FlagKind kind;
    std::string start, end;  // YYYY-MM-DD; end empty: it stands
    std::string category;    // CBDS N00114, where it is known
};

/// One that stands before any that has ended, a protection plan before a placement, then the latest. Nothing if there is none.
std::optional<Plan> standing_plan(const std::vector<Plan>& plans);

/// As the columns FlagKind, CPPstartDate, CPPendDate and LatestCategoryOfAbuse.
void put_plan(const Plan& plan, bool born, nlohmann::json& row);

}  // namespace flagpost::social_care
