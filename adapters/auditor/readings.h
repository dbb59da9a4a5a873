/// What was read from an export offline, for the log to know: a file beside the export, told to the broker when next
/// reached.
///
/// Whoever can write the file can leave a reading out: it is the desk's own honesty, as any book of visitors is.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace flagpost::auditor {

/// Appends one line, {"time", "user", "read", "why"}, to DIR.readings, before anything is shown. Holds the command or page
/// and never whom it was about. `user` is the name somebody signed in with; without it, who runs this program. It stays
/// in the file: the broker is told what was read. Throws std::runtime_error if it cannot: what is not written down is not read.
void note_reading(const std::filesystem::path& directory, const std::string& read, const std::string& why,
                  const std::string& user = {});

/// Hands each reading that was not told yet to `tell`, oldest first, and remembers how far it came. Returns how many.
std::size_t tell_readings(const std::filesystem::path& directory,
                          const std::function<void(const std::string& read, const std::string& why)>& tell);

/// How many were written down, and how many of them the broker was told of.
struct Readings {
    std::size_t made = 0, told = 0;
};
Readings readings_of(const std::filesystem::path& directory);

}  // namespace flagpost::auditor
