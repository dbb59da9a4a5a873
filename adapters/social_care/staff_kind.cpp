#include "adapters/social_care/staff_kind.h"

#include <algorithm>

namespace flagpost::social_care {
namespace {

constexpr std::size_t teams_max = 20;

/// Whether notices find a person of this role by what they are called.
bool is_found_by_name(const web::Person& person) {
    return person.role == "worker" || person.role == "duty" || person.role == "manager";
}

}  // namespace

std::string fault_in_name(const web::Person& person, const std::vector<web::Person>& everybody) {
    const bool taken = std::ranges::any_of(everybody, [&](const web::Person& other) {
        return other.name != person.name && other.called == person.called && !other.suspended &&
               is_found_by_name(other);
    });
    if (!taken || !is_found_by_name(person)) return {};
    return "Somebody else is called that, and each would see the other's notices: write the name so that it "
           "is "
           "one person's, here and in your case system";
}

web::StaffKind staff_kind(Pages& pages, web::People& people) {
    web::StaffKind kind;
    kind.roles = {
        {"worker",   "Worker: own notices and their teams'"                   },
        {"duty",     "Duty: every notice"                                     },
        {"manager",  "Manager: the notices of their teams, or all; hands over"},
        {"reviewer", "Reviewer: matches a person must look at, no notice"     },
        {"feeder",   "Feeder: the list of flags, no notice"                   },
        {"admin",    "Admin: who may sign in, no notice"                      },
    };
    kind.called_as = "as your case system has it";
    kind.called_hint = "Notices find their worker by it";
    kind.groups = "teams";
    kind.groups_hint = "As your case system has them, with commas between";
    kind.covered = true;
    kind.fault = [&people](const web::Person& person) {
        return person.teams.size() > teams_max ? "Enter at most " + std::to_string(teams_max) + " teams"
                                               : fault_in_name(person, people.everybody());
    };
    kind.open_of = [&pages](const web::Person& person) { return pages.open_of(person); };
    kind.may_take = [](const web::Person& other) { return other.role == "worker" || other.role == "duty"; };
    return kind;
}

}  // namespace flagpost::social_care
