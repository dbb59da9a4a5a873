#include "adapters/social_care/cin_census.h"

#include <algorithm>
#include <sstream>

#include "adapters/client/text.h"
#include "adapters/desk/xml_document.h"
#include "adapters/social_care/flag_rows.h"
#include "adapters/social_care/plans.h"

namespace flagpost::social_care {
namespace {

using desk::Findings;
using nlohmann::json;

constexpr std::size_t plans_max = 500;

std::string text_of(const pugi::xml_node& node, const char* name) {
    return std::string{client::trimmed(node.child_value(name))};
}

std::string string_of(const pugi::xml_node& node) {
    std::ostringstream out;
    node.print(out, "", pugi::format_raw);
    return out.str();
}

/// Until 2024 the census had numbers for what it now calls Sex.
std::string sex_of(const pugi::xml_node& identifiers) {
    std::string sex = text_of(identifiers, "Sex");
    if (!sex.empty()) return sex;
    std::string gender = text_of(identifiers, "GenderCurrent");
    if (gender == "1") return "M";
    if (gender == "2") return "F";
    if (gender == "0" || gender == "9") return "U";
    return gender;
}

std::string plan_date(const pugi::xml_node& node, const char* name, Findings& findings) {
    std::string date = text_of(node, name);
    if (date.empty() || desk::is_date(date)) return date;
    findings.fault(name, "should be a date, YYYY-MM-DD");
    return {};
}

std::vector<Plan> plans_of(const pugi::xml_node& child, Findings& findings) {
    std::vector<Plan> plans;
    for (const pugi::xml_node& details : child.children("CINdetails"))
        for (const pugi::xml_node& node : details.children("ChildProtectionPlans")) {
            if (plans.size() == plans_max) {
                findings.fault("ChildProtectionPlans", "more than " + std::to_string(plans_max));
                return plans;
            }
            std::string category = text_of(node, "LatestCategoryOfAbuse");
            if (category.empty()) category = text_of(node, "InitialCategoryOfAbuse");
            plans.push_back({schemas::FlagKind::child_protection_plan,
                             plan_date(node, "CPPstartDate", findings),
                             plan_date(node, "CPPendDate", findings), category});
        }
    return plans;
}

/// Rules of the census on plans: of two that contradict each other nobody knows which stands.
void check_plans(std::vector<Plan> plans, const std::string& died, Findings& findings) {
    std::ranges::sort(plans, {}, &Plan::start);
    for (std::size_t i = 0; i < plans.size(); ++i) {
        const Plan& plan = plans[i];
        if (plan.start.empty()) findings.fault("CPPstartDate", "is missing");
        if (!plan.end.empty() && plan.end <= plan.start)
            findings.fault("CPPendDate", "not after the start (rules 8840, 8925)");
        if (!died.empty() && std::max(plan.start, plan.end) > died)
            findings.fault("CPPstartDate", "a plan after the child died (rules 8915, 8920)");
        if (i == 0) continue;
        const Plan& before = plans[i - 1];
        if (before.end.empty() && plan.end.empty())
            findings.fault("CPPendDate", "two plans without an end (rule 8935)");
        else if (before.end.empty() || before.end > plan.start)
            findings.fault("CPPstartDate", "plans overlap (rule 8940)");
    }
}

json row_of(const pugi::xml_node& identifiers, Findings& findings) {
    json row{
        {"LAchildID",               text_of(identifiers,             "LAchildID")},
        {"UPN",                         text_of(identifiers,                                                    "UPN")},
        {"PersonBirthDate",                   text_of(identifiers,"PersonBirthDate")},
        {"ExpectedPersonBirthDate",text_of(identifiers,   "ExpectedPersonBirthDate")},
        {"Sex", sex_of(identifiers)                         },
    };
    if ((row["PersonBirthDate"] == "") == (row["ExpectedPersonBirthDate"] == ""))
        findings.fault("PersonBirthDate", "one of it and ExpectedPersonBirthDate is needed (rule 8525Q)");
    return row;
}

Result<void> check_header(const pugi::xml_node& message, const std::string& dfe_la) {
    const auto header = message.child("Header");
    if (text_of(header.child("CollectionDetails"), "Collection") != "CIN")
        return refuse(Reason::malformed, "Header/CollectionDetails/Collection: not CIN");
    if (!dfe_la.empty() && text_of(header.child("Source"), "LEA") != dfe_la)
        return refuse(Reason::malformed, "Header/Source/LEA: another authority's");
    return {};
}

}  // namespace

Result<FlagFile> read_cin_census(std::string bytes, const FlagSource& source) {
    auto document = desk::XmlDocument::parse(std::move(bytes), flag_xml_size_max);
    if (!document) return tl::unexpected{document.error()};
    const auto message = document->root().child("Message");
    if (const auto good = check_header(message, source.dfe_la); !good) return tl::unexpected{good.error()};
    if (!message.child("Children").child("Child"))
        return refuse(Reason::malformed, "file: nothing at Message/Children/Child");
    FlagFile file{FlagFormat::cin_census, false, 0, {}};
    desk::Preparation preparation;
    for (const pugi::xml_node& child : message.child("Children").children("Child")) {
        Findings findings;
        const auto plans = plans_of(child, findings);
        const auto plan = standing_plan(plans);
        if (!plan) {
            ++file.without_flag;
            continue;
        }
        const auto identifiers = child.child("ChildIdentifiers");
        check_plans(plans, text_of(identifiers, "PersonDeathDate"), findings);
        json row = row_of(identifiers, findings);
        put_plan(*plan, row["PersonBirthDate"] != "", row);
        if (source.details != nullptr) source.details->add_to(row, findings);
        const auto flag = read_flag(row, source.la, findings);
        desk::RowRecord record{{}, flag.la_child_id};
        if (findings.usable()) record.bytes = wire::pack<schemas::Flag>(flag);
        preparation.add(document->line_of(child), std::move(record), findings, string_of(child));
    }
    file.prepared = std::move(preparation).finish();
    return file;
}

}  // namespace flagpost::social_care
