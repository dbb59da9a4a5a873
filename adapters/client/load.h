/// A bulk load as messages: begin, parts, commit (schemas/load.fbs).
#pragma once

#include <map>

#include "adapters/client/box.h"
#include "load_generated.h"

namespace flagpost::client {

struct Load {
    schemas::LoadOf of;
    schemas::LoadMode mode;
    std::uint64_t sequence;
    std::string scope;
    std::string topic;           // "flags/E10000024", "rolls/E10000024", "reference/gias"
    std::string source;          // the file, for reports
    std::vector<Bytes> records;  // each its own FlatBuffer
    bool none = false;           // nobody is on the list, and it is said so: without records
};

/// The drafts to enqueue together, parts of at most limits::load_part_records_max records and half a payload.
/// Throws std::invalid_argument for a load without records that is not said to be none, or with more than the limits allow.
std::vector<std::pair<wire::Draft, std::string>> drafts_of(const Load& load, const Id16& load_id);

inline constexpr std::size_t csv_file_size_max = 512ull * 1024 * 1024;
inline constexpr std::size_t csv_columns_max = 1000;
inline constexpr std::size_t csv_cell_size_max = 64 * 1024;
inline constexpr std::size_t csv_record_size_max = 1024 * 1024;  // an unclosed quote is looked for no further
inline constexpr std::size_t csv_bad_rows_max = 10'000;          // a file with more is not this kind of file

/// Reads a file as rows by header name: CSV (RFC 4180, UTF-8 with or without BOM, or Windows-1252 when it is not
/// UTF-8) through libcsv, bounded in columns, cells and rows. `line` counts from 1 at the header.
struct CsvRow {
    std::uint64_t line;
    std::map<std::string, std::string> cells;  // by header name, trimmed
};
class CsvFile {
public:
    /// Throws std::runtime_error for a file that cannot be opened; refuses a file without a usable header.
    static Result<CsvFile> read(const std::filesystem::path& file);
    static Result<CsvFile> parse(std::string bytes);
    const std::vector<std::string>& header() const { return header_; }
    const std::vector<CsvRow>& rows() const { return rows_; }
    struct BadRow {
        std::uint64_t line;
        std::string why;
    };
    const std::vector<BadRow>& bad_rows() const {
        return bad_rows_;
    }  // wrong cell count, bad quoting, not text

private:
    CsvFile() = default;
    std::vector<std::string> header_;
    std::vector<CsvRow> rows_;
    std::vector<BadRow> bad_rows_;
};

}  // namespace flagpost::client
