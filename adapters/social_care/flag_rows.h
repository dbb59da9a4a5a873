/// One row of a case system's extract to one flag. Column names are those of the children's services data set.
#pragma once

#include "adapters/desk/loads.h"
#include "flag_generated.h"

namespace flagpost::social_care {

/// Columns without which a file is not an extract of flags.
const std::vector<std::string>& required_columns();

/// Reads one child's flag of the authority `la`. Everything wrong is in `findings`; the value is of use only if they
/// say so.
schemas::FlagValue read_flag(const client::CsvRow& row, const std::string& la, desk::Findings& findings);
/// The same of an object with the columns' names, in which Addresses and LinkedAdults are lists.
schemas::FlagValue read_flag(const nlohmann::json& object, const std::string& la, desk::Findings& findings);

}  // namespace flagpost::social_care
