/// The pages as a program: `flagpost-social-care serve` and `people add`.
#pragma once

#include <iosfwd>
#include <set>
#include <string>

#include "adapters/social_care/social_care.h"

namespace flagpost::social_care {

/// The config file's own settings of this role, all for the pages.
const std::vector<std::string>& page_settings();

/// Receives notices, sends what waits, and serves the pages until stopped; says on `out` where they are.
int serve(const Call& call, std::ostream& out);

struct NewPerson {
    std::string name, called, role;
    std::vector<std::string> teams;
};
/// Adds somebody who may sign in, or gives them a new password and second step; says both once, on `out`.
int add_person(const Call& call, const NewPerson& person, std::ostream& out);

}  // namespace flagpost::social_care
