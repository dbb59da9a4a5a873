/// The command `new-log-key` of an agency's program: see adapters/client/new_log_key.h.
#pragma once

#include "adapters/desk/program.h"

namespace flagpost::desk {

/// `own_settings`: see Desk.
void add_new_log_key_command(Program& program, const std::vector<std::string>& own_settings);

}  // namespace flagpost::desk
