/// The pages as a program: `flagpost-social-care serve` and `people add`.
#pragma once

#include <iosfwd>
#include <set>
#include <string>

#include "adapters/social_care/flag_pages.h"
#include "adapters/social_care/social_care.h"

namespace flagpost::social_care {

/// The config file's own settings of this role, all for the pages.
const std::vector<std::string>& page_settings();

/// The setting dfe_la_code: the authority in the DfE's three digits, or "".
std::string dfe_la_of(const client::Config& config);

/// Where this role keeps what it handed over: beside the data file.
std::filesystem::path book_of(const client::Config& config);

FlagPageSettings flag_settings(const client::Config& config);
/// What takes over lists from the setting flags_folder, at every turn of the session with the broker; nothing without the
/// setting. What is named lives as long as that.
desk::Desk::Turn watch(desk::Desk& desk, const std::filesystem::path& config_file, FlagBook& book);

/// Receives notices, sends what waits, and serves the pages until stopped; says on `out` where they are.
int serve(const Call& call, std::ostream& out);

struct NewPerson {
    std::string name, called, role;
    std::string by;  // who adds them, for the log; empty: the account that runs this
    std::vector<std::string> teams;
};
/// Adds somebody who may sign in, or gives them a new password and second step; says both once, on `out`.
int add_person(const Call& call, const NewPerson& person, std::ostream& out);

}  // namespace flagpost::social_care
