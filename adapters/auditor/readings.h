/// What was read from an export offline, for the log to know: a file beside the export, told to the broker when next
/// reached.
///
/// Whoever can write the file can leave a reading out: it is the desk's own honesty, as any book of visitors is.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace flagpost::auditor {

/// Appends one line, {"time", "user", "read", "why"}, to DIR.readings, before anything is shown. Holds the command and
/// never whom it was about. Throws std::runtime_error if it cannot: what is not written down is not read.
void note_reading(const std::filesystem::path& directory, const std::string& read, const std::string& why);

/// Hands each reading that was not told yet to `tell`, oldest first, and remembers how far it came. Returns how many.
std::size_t tell_readings(const std::filesystem::path& directory,
                          const std::function<void(const std::string& read, const std::string& why)>& tell);

}  // namespace flagpost::auditor
