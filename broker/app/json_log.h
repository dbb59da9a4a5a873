/// The process's log: one JSON object a line on stderr. No personal data: see each call.
#pragma once

namespace flagpost::app {

/// Makes spdlog's default logger write {"time","level","message"} lines. Once, before other threads exist.
void log_as_json();

}  // namespace flagpost::app
