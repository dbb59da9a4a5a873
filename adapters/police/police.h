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

}  // namespace flagpost::police
