#include "adapters/school/staff_kind.h"

#include "broker/core/ids.h"

namespace flagpost::school {

std::string fault_in_schools(const web::Person& person, const AgencyId& agency) {
    for (const auto& urn : person.teams) {
        if (!parse_urn(urn)) return urn + " is no URN";
        if (agency.kind() == "school" && urn != agency.code()) return urn + " is another school's";
    }
    if (agency.kind() == "trust" && person.teams.empty() && person.role != "admin")
        return "Say whose notices they see: the URNs of their schools";
    return {};
}

web::StaffKind staff_kind(Pages& pages, const AgencyId& agency) {
    web::StaffKind kind;
    if (agency.kind() != "education") {
        kind.roles.push_back(
            {"dsl", agency.kind() == "trust" ? "DSL: the notices of their schools" : "DSL: every notice"});
        kind.roles.push_back({"deputy", "Deputy: the same as the DSL"});
    }
    if (agency.kind() != "school")
        kind.roles.push_back({"lead", agency.kind() == "trust"
                                          ? "Safeguarding lead: sees that the schools act"
                                          : "Safeguarding lead: the team's notices"});
    kind.roles.push_back({"admin", "Admin: who may sign in, no notice"});
    kind.called_as = "as the list of contacts has it";
    kind.called_hint = "Notices find who is to read them by it";
    if (agency.kind() != "school") {
        kind.groups = "schools";
        kind.groups_hint = agency.kind() == "trust" ? "Their URNs, with commas between"
                                                    : "Their URNs, with commas between; none: every notice";
    }
    kind.fault = [agency](const web::Person& person) { return fault_in_schools(person, agency); };
    kind.open_of = [&pages](const web::Person& person) { return pages.open_of(person); };
    kind.may_take = [](const web::Person& other) { return other.role != "admin"; };
    return kind;
}

}  // namespace flagpost::school
