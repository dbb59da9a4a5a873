/// The yearly Children in Need census (DfE, XML with the CBDS names) as flags: children with a child protection plan.
#pragma once

#include "adapters/social_care/flag_file.h"

namespace flagpost::social_care {

/// Reads the whole file. Rules of the census's own validation that a flag depends on are faults, named by their number.
Result<FlagFile> read_cin_census(std::string bytes, const FlagSource& source);

}  // namespace flagpost::social_care
