#include "adapters/social_care/plans.h"

#include <algorithm>
#include <tuple>

namespace flagpost::social_care {

std::optional<Plan> standing_plan(const std::vector<Plan>& plans) {
    if (plans.empty()) return std::nullopt;
    return *std::ranges::max_element(plans, {}, [](const Plan& plan) {
        return std::tuple{plan.end.empty(), plan.end, plan.kind != schemas::FlagKind::looked_after,
                          plan.start};
    });
}

void put_plan(const Plan& plan, bool born, nlohmann::json& row) {
    const bool looked_after = plan.kind == schemas::FlagKind::looked_after;
    row["FlagKind"] = looked_after ? "looked_after"
                      : born       ? "child_protection_plan"
                                   : "unborn_child_protection_plan";
    row["CPPstartDate"] = plan.start;
    row["CPPendDate"] = plan.end;
    row["LatestCategoryOfAbuse"] = plan.category;
}

}  // namespace flagpost::social_care
