/// A folder into which the force's system puts files of incidents; each is published once, whatever is interrupted.
///
///     DIR/day.csv      handed over: moved here whole, or written here and closed
///     DIR/working/     the file in hand
///     DIR/archive/     done: all good records are in the outbox
///     DIR/rejects/     day.csv.rejects.csv: what was not published, with line and reason; day.again.csv: the same records
///                      to be corrected and moved into DIR again; and files that could not be read at all
///
/// Names with a leading dot, and endings that are not read here, such as .part and .tmp, are left alone. The kernel says
/// (inotify) when a file has been moved in, or closed by who wrote it; one that is written to again is left until it is
/// closed again. What lies there at the start is taken unless somebody has it open for writing.
///
/// A file goes through four steps, each of which may be repeated after a crash without harm: taken into working/ (a
/// rename; what lies there is finished first at the next start), its records enqueued in one transaction that also
/// remembers the file's SHA-256 (a file so remembered is not enqueued again), its rejects written (the same each time), and
/// archived (a rename).
///
/// Whoever can write to the folder can publish incidents in the force's name.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "adapters/desk/arrivals.h"
#include "adapters/police/incident_file.h"

namespace flagpost::police {

struct FileReport {
    std::string name;
    std::size_t published = 0;      // incidents put into the outbox
    std::size_t known = 0;          // incidents that were published before, by another file or another way
    std::size_t rejected = 0;       // records, or 1 for a file that could not be read
    bool published_before = false;  // the same content was published earlier: nothing was sent
    std::string unread = {};        // why nothing of the file could be read, if so
};

class Spool {
public:
    /// Makes the folders. `mapping`, if any, outlives this. Throws std::runtime_error if another process already feeds
    /// from here.
    Spool(std::filesystem::path directory, std::string force, const Mapping* mapping = nullptr);
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;
    ~Spool();

    /// Takes and finishes the next file, oldest name first; nothing if there is none.
    std::optional<FileReport> next(Intake& intake);
    /// Names in the folder that are never taken, though nothing about them says that they are not whole yet: other
    /// endings, links, folders.
    std::vector<std::string> left_alone() const;
    /// Returns when something has happened in the folder, or after `patience`.
    void wait(std::chrono::milliseconds patience) const;

private:
    std::optional<std::filesystem::path> take();
    FileReport finish(const std::filesystem::path& file, Intake& intake);
    FileReport set_aside(const std::filesystem::path& file, const std::string& name, const std::string& why);
    std::string free_name(const std::filesystem::path& file, const std::string& distinct) const;

    std::filesystem::path directory_;
    std::string force_;
    const Mapping* mapping_;
    int lock_;
    std::unique_ptr<desk::Arrivals> arrivals_;
};

}  // namespace flagpost::police
