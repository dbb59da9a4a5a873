/// The commands `hold`, `lift-hold` and `erase`: how long an agency's own records are kept by the broker; `conflict` and
/// `end-conflict`: who may not see or decide on a case of it.
#pragma once

#include "adapters/desk/desk.h"
#include "adapters/desk/program.h"

namespace flagpost::desk {

/// Adds them to the program of an agency of one of these kinds. `own_settings`: see Desk.
void add_order_commands(Program& program, const std::vector<std::string>& kinds,
                        const std::vector<std::string>& own_settings = {});

}  // namespace flagpost::desk
