/// The audit desk as a program: `flagpost-audit serve` and `people add`.
#pragma once

#include <iosfwd>

#include "adapters/auditor/commands.h"

namespace flagpost::auditor {

/// Serves the desk's pages over one export until stopped; says on `out` where they are. Opens no connection to anybody.
int run_serve(const Typed& typed, std::ostream& out);

/// Adds somebody who may sign in, or gives them a new password and second step; says both once, on `out`.
int run_add_person(const Typed& typed, std::ostream& out);

}  // namespace flagpost::auditor
