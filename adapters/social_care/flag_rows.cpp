#include "adapters/social_care/flag_rows.h"

#include <algorithm>

#include "broker/core/limits.h"

namespace flagpost::social_care {
namespace {

using desk::Fields;

constexpr std::pair<std::string_view, schemas::FlagKind> kinds[] = {
    {"child_protection_plan",        schemas::FlagKind::child_protection_plan       },
    {"unborn_child_protection_plan", schemas::FlagKind::unborn_child_protection_plan},
    {"looked_after",                 schemas::FlagKind::looked_after                },
};

constexpr std::pair<std::string_view, schemas::Shield> shields[] = {
    {"none",             schemas::Shield::none            },
    {"refuge",           schemas::Shield::refuge          },
    {"adoption",         schemas::Shield::adoption        },
    {"protected_person", schemas::Shield::protected_person},
};

std::unique_ptr<schemas::PersonValue> read_child(const Fields& fields) {
    auto child = std::make_unique<schemas::PersonValue>();
    child->given_names = fields.text("GivenNames");
    child->family_name = fields.text("FamilyName");
    child->also_known_as = desk::read_names(fields.texts("AlsoKnownAs"));
    child->date_of_birth = fields.partial_date("PersonBirthDate");
    child->sex = desk::read_sex(fields, "Sex");
    child->upn = desk::read_upn(fields, "UPN");
    child->nhs_number = desk::read_nhs_number(fields, "NHSNumber");
    return child;
}

/// CBDS N00114. A category that is none does not stand in the way of the flag.
std::string read_category(const Fields& fields) {
    static constexpr std::array<std::string_view, 5> known{"NEG", "PHY", "SAB", "EMO", "MUL"};
    std::string category = fields.text("LatestCategoryOfAbuse");
    if (category.empty() || std::ranges::find(known, category) != known.end()) return category;
    fields.left_out("LatestCategoryOfAbuse", "not NEG, PHY, SAB, EMO or MUL, left out");
    return {};
}

std::vector<std::unique_ptr<schemas::LinkedAdultValue>> read_linked_adults(const Fields& fields) {
    std::vector<std::unique_ptr<schemas::LinkedAdultValue>> adults;
    for (const Fields& one : fields.objects("LinkedAdults")) {
        one.only({"given_names", "family_name", "also_known_as", "date_of_birth", "sex", "upn", "nhs_number",
                  "relation", "addresses"});
        auto adult = std::make_unique<schemas::LinkedAdultValue>();
        adult->person = std::make_unique<schemas::PersonValue>(desk::read_person(one));
        adult->relation = one.required_text("relation");
        adult->places = desk::read_dated_places(one.objects("addresses"));
        adults.push_back(std::move(adult));
    }
    return adults;
}

std::unique_ptr<schemas::WorkerValue> read_worker(const Fields& fields) {
    auto worker = std::make_unique<schemas::WorkerValue>();
    worker->name = fields.text("AllocatedWorker");
    worker->contact = fields.text("WorkerContact");
    if (worker->name.empty() && worker->contact.empty()) return nullptr;
    return worker;
}

void check_dates(const schemas::FlagValue& flag, const Fields& fields) {
    if (flag.start_date.empty()) fields.fault("CPPstartDate", "is missing or no date");
    if (!flag.end_date.empty() && flag.end_date < flag.start_date)
        fields.fault("CPPendDate", "lies before the start");
    const bool unborn = flag.kind == schemas::FlagKind::unborn_child_protection_plan;
    if (unborn && flag.expected_date_of_birth.empty() && flag.child->date_of_birth.empty())
        fields.fault("ExpectedPersonBirthDate", "is needed for an unborn child");
}

/// Only a child not yet born may be without a name.
void check_name(const schemas::FlagValue& flag, const Fields& fields) {
    const bool unborn = flag.kind == schemas::FlagKind::unborn_child_protection_plan;
    if (!unborn && flag.child->family_name.empty() && flag.child->given_names.empty())
        fields.fault("FamilyName", "no name is given");
}

}  // namespace

const std::vector<std::string>& required_columns() {
    static const std::vector<std::string> columns{"LAchildID",       "GivenNames", "FamilyName",
                                                  "PersonBirthDate", "FlagKind",   "CPPstartDate"};
    return columns;
}

schemas::FlagValue read_flag(const client::CsvRow& row, const std::string& la, desk::Findings& findings) {
    return read_flag(desk::object_of(row, {"Addresses", "LinkedAdults"}, findings), la, findings);
}

schemas::FlagValue read_flag(const nlohmann::json& object, const std::string& la, desk::Findings& findings) {
    const Fields fields{object, "", findings};
    schemas::FlagValue flag;
    flag.la = la;
    flag.la_child_id = fields.required_text("LAchildID", limits::name_size_max);
    flag.kind = fields.choice("FlagKind", kinds).value_or(schemas::FlagKind::child_protection_plan);
    flag.child = read_child(fields);
    flag.expected_date_of_birth = fields.date("ExpectedPersonBirthDate");
    flag.category = read_category(fields);
    flag.start_date = fields.date("CPPstartDate");
    flag.end_date = fields.date("CPPendDate");
    flag.delete_date = fields.date("DeleteDate");
    flag.places = desk::read_dated_places(fields.objects("Addresses"));
    flag.linked_adults = read_linked_adults(fields);
    flag.worker = read_worker(fields);
    flag.team = fields.text("AllocatedTeam");
    flag.duty_contact = fields.text("DutyContact");
    flag.out_of_hours_contact = fields.text("OutOfHoursContact");
    // A word that is none of these must not pass for "no shield".
    if (!fields.text("Shield").empty()) flag.shield = fields.choice("Shield", shields).value_or(flag.shield);
    check_dates(flag, fields);
    check_name(flag, fields);
    return flag;
}

}  // namespace flagpost::social_care
