/// Files that others put into a folder, each told of once it is there whole.
///
/// The kernel says (inotify) when a file has been moved in, or closed by who wrote it; one that is written to again is left
/// until it is closed again. What lies there at the start is taken unless somebody has it open for writing.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>

struct inotify_event;

namespace flagpost::desk {

class Arrivals {
public:
    /// Whether a file is one of those waited for.
    using Wanted = std::function<bool(const std::filesystem::path& file)>;

    /// Throws std::system_error where the folder cannot be watched.
    Arrivals(std::filesystem::path directory, Wanted wanted);
    Arrivals(const Arrivals&) = delete;
    Arrivals& operator=(const Arrivals&) = delete;
    ~Arrivals();

    /// The first by name; it is told of until it is moved away. Throws std::runtime_error if the folder is gone.
    std::optional<std::filesystem::path> first();
    /// Returns when something has happened in the folder, or after `patience`.
    void wait(std::chrono::milliseconds patience) const;

private:
    /// At the start, and when the kernel had more to say than it keeps.
    void look_around();
    void read_events();
    void see(const inotify_event& event, const std::string& name);

    std::filesystem::path directory_;
    Wanted wanted_;
    int events_ = -1;
    std::set<std::string> whole_;
};

/// A file that is no link, whose name does not begin with a dot.
bool is_plain_file(const std::filesystem::path& file);

/// Renames, and makes that durable at both ends.
void move_durably(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace flagpost::desk
