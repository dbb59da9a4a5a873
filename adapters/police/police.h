/// What the force's program does, command by command. Each returns the exit code.
#pragma once

#include <filesystem>
#include <iosfwd>

namespace flagpost::police {

struct FeedOptions {
    std::filesystem::path config, spool;
    bool once = false;  // end when the folder is empty and the broker has answered for every message
    bool json = false;
};
int feed(const FeedOptions& options, std::ostream& out);

/// Sends what waits and receives, until a signal comes.
int run(const std::filesystem::path& config);

/// How many messages were sent, confirmed and refused, and why.
int status(const std::filesystem::path& config, bool json, std::ostream& out);

/// What became of one incident, as the broker's log has it. 1 if the broker knows none of this reference.
int status_of_incident(const std::filesystem::path& config, const std::string& reference, bool json,
                       std::ostream& out);

/// What the broker has told the force of notices that were late, escalated or settled, oldest first.
int reports(const std::filesystem::path& config, bool json, std::ostream& out);

}  // namespace flagpost::police
