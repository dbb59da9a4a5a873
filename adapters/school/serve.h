/// The pages as a program: `flagpost-school serve` and `people add`.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "adapters/school/school.h"

namespace flagpost::school {

/// Receives notices, sends what waits, and serves the pages until stopped; says on `out` where they are.
int serve(const Call& call, std::ostream& out);

struct NewPerson {
    std::string name, called, role;
    std::string by;                    // who adds them, for the log; empty: the account that runs this
    std::vector<std::string> schools;  // URNs
};
/// Adds somebody who may sign in, or gives them a new password and second step; says both once, on `out`. Throws
/// std::runtime_error, also for a URN that is none, or not the school's own.
int add_person(const Call& call, const NewPerson& person, std::ostream& out);

}  // namespace flagpost::school
