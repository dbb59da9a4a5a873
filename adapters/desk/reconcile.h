/// What an agency's own data file has of a period, held against what the broker has.
#pragma once

#include <string>
#include <vector>

#include "adapters/desk/program.h"

namespace flagpost::desk {

/// Adds `reconcile --from --to`, which prints each difference and ends with 1 if there is any; with `--fetch` it takes in again
/// what is still owed to the agency and not in its data file.
void add_reconcile_command(Program& program, const std::vector<std::string>& kinds,
                           const std::vector<std::string>& own_settings);

}  // namespace flagpost::desk
