/// The command `proof`: one entry of the log with what proves it to anybody, offline.
#pragma once

#include "adapters/desk/desk.h"
#include "adapters/desk/program.h"

namespace flagpost::desk {

/// Adds it to the program of an agency of one of these kinds. The broker hands out what the agency did or was told, and
/// nothing else; what it hands out is checked before a file is written. `own_settings`: see Desk.
void add_proof_command(Program& program, const std::vector<std::string>& kinds,
                       const std::vector<std::string>& own_settings = {});

}  // namespace flagpost::desk
