/// A folder into which the force's system puts files of incidents; each is published once, whatever is interrupted.
///
///     DIR/day.csv, DIR/day.ndjson   handed over: moved here whole, under a name without leading dot, .part or .tmp
///     DIR/working/                  the file in hand
///     DIR/archive/                  done: all good rows are in the outbox
///     DIR/rejects/                  day.csv.rejects.csv: rows not published, and why; and files that could not be read
///
/// A file goes through four steps, each of which may be repeated after a crash without harm:
/// taken into working/ (a rename; what lies there is finished first at the next start), its rejects written (the same
/// each time), its rows enqueued in one transaction that also remembers the file's SHA-256 (a file so remembered is not
/// enqueued again), and archived (a rename).
///
/// Whoever can write to the folder can publish incidents in the force's name.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "adapters/client/box.h"
#include "adapters/desk/rejects.h"

namespace flagpost::police {

inline constexpr std::uintmax_t spool_file_size_max = 256ull * 1024 * 1024;
inline constexpr std::size_t spool_rows_max = 100'000;           // of one file
inline constexpr std::size_t spool_line_size_max = 1024 * 1024;  // of NDJSON

/// What a file holds, ready to be enqueued.
struct Incidents {
    std::vector<std::pair<wire::Draft, std::string>> drafts;  // with "day.csv:17"
    std::vector<desk::Reject> rejects;
};

/// Reads a file by the ending of its name, .csv or .ndjson. A refusal is about the file as a whole.
Result<Incidents> read_incidents(const std::filesystem::path& file, const std::string& force);

struct FileReport {
    std::string name;
    std::size_t published = 0;      // rows put into the outbox
    std::size_t rejected = 0;       // rows, or 1 for a file that could not be read
    bool published_before = false;  // the same content was published earlier: nothing was sent
};

class Spool {
public:
    /// Makes the folders. Throws std::runtime_error if another process already feeds from here.
    Spool(std::filesystem::path directory, std::string force);
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;
    ~Spool();

    /// Takes and finishes the next file, oldest name first; nothing if there is none.
    std::optional<FileReport> next(client::Box& box);

private:
    std::optional<std::filesystem::path> take();
    FileReport finish(const std::filesystem::path& file, client::Box& box);
    FileReport set_aside(const std::filesystem::path& file, const std::string& name, const std::string& why);

    std::filesystem::path directory_;
    std::string force_;
    int lock_;
};

}  // namespace flagpost::police
