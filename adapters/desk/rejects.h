/// The file beside a foreign file that says which of its rows were not used, and why, with the rows themselves.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace flagpost::desk {

struct Reject {
    std::uint64_t line;  // of the foreign file, from 1; 0: the file as a whole
    bool used;           // true: used all the same, without a detail
    std::string reason;
    std::string row;  // as it was; empty where it was used
};

/// Writes `line,result,reason,row` as CSV, mode 0600, whole or not at all; removes an older one when there is nothing to
/// say. Whoever can read it can read the personal data of the rows in it.
void write_rejects(const std::filesystem::path& file, std::vector<Reject> rejects);

/// Where the lines of a text begin, to find a row again by its line. The text outlives it.
class Lines {
public:
    explicit Lines(std::string_view text);
    /// What stands from `line` up to `next` (0: to the end), counted from 1, without its line end.
    std::string_view from(std::uint64_t line, std::uint64_t next) const;

private:
    std::string_view text_;
    std::vector<std::size_t> begins_;
};

/// Writes beside `file`, makes the content durable and renames: whoever looks finds the old or the new. `mode`: who may read it,
/// less what the umask denies. Throws std::runtime_error.
void write_whole(const std::filesystem::path& file, const std::string& content, unsigned mode = 0600);

/// As a cell of RFC 4180, in quotes.
std::string csv_cell(std::string_view cell);

/// Makes what was renamed or created in a directory durable.
void sync_directory(const std::filesystem::path& directory);

}  // namespace flagpost::desk
