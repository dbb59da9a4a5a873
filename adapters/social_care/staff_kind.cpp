#include "adapters/social_care/staff_kind.h"

namespace flagpost::social_care {
namespace {

constexpr std::size_t teams_max = 20;

}  // namespace

web::StaffKind staff_kind(Pages& pages) {
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
    kind.fault = [](const web::Person& person) {
        return person.teams.size() > teams_max ? "Enter at most " + std::to_string(teams_max) + " teams"
                                               : std::string{};
    };
    kind.open_of = [&pages](const web::Person& person) { return pages.open_of(person); };
    kind.may_take = [](const web::Person& other) { return other.role == "worker" || other.role == "duty"; };
    return kind;
}

}  // namespace flagpost::social_care
