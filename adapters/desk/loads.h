/// A foreign file as a load: sent, awaited, and reported row by row.
#pragma once

#include <functional>
#include <iosfwd>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/client/load.h"
#include "adapters/desk/desk.h"
#include "adapters/desk/fields.h"
#include "adapters/desk/rejects.h"

namespace flagpost::desk {

struct LoadOptions {
    std::filesystem::path file;
    schemas::LoadMode mode = schemas::LoadMode::full;
    std::optional<std::uint64_t> sequence;  // default: the one after the last that was loaded
    std::chrono::seconds patience{600};
    bool json = false;
    bool none = false;  // nobody is on the list: the file has no rows, and is meant to have none
    /// Called before anything is sent, with what the load is known by.
    std::function<void(const Id16& load, std::uint64_t sequence)> begun{};
};

/// What a file holds: the records to send, where each stood, and what is wrong with the rest.
struct Prepared {
    std::vector<Bytes> records;
    std::vector<std::uint64_t> lines;  // of each record
    std::vector<std::string> keys;     // of each record, by which its owner knows it; never a name
    std::vector<Reject> rejects;
};

/// One row to a record and its key; unusable if `findings` says so.
struct RowRecord {
    Bytes bytes;
    std::string key;
};

/// Gathers the records of one file, whichever its format.
class Preparation {
public:
    /// One record and what was found in it. `text`: the record as it stood, kept where it is rejected. Two of one key: the
    /// second is refused, since nobody knows which is right.
    void add(std::uint64_t line, RowRecord record, Findings& findings, std::string text = {});
    void reject(std::uint64_t line, const std::string& why, std::string text = {});
    Prepared finish() && { return std::move(prepared_); }

private:
    Prepared prepared_;
    std::map<std::string, std::uint64_t> seen_;
};

using ReadRow = std::function<RowRecord(const client::CsvRow& row, Findings& findings)>;

/// Reads a CSV file row by row. `needed` are the columns without which it is not the file it should be. Two rows of
/// one key: the second is refused, since nobody knows which is right. Refuses a file that cannot be read at all.
Result<Prepared> prepare(const std::filesystem::path& file, const std::vector<std::string>& needed,
                         const ReadRow& read_row);
/// The same of a file's bytes.
Result<Prepared> prepare_text(const std::string& bytes, const std::vector<std::string>& needed,
                              const ReadRow& read_row);

/// The same of rows that were read from a file of another kind. A rejected row's text is not kept: only its number is.
Prepared prepare_rows(const std::vector<client::CsvRow>& rows, const ReadRow& read_row);

/// The whole file. Throws std::runtime_error for one that cannot be read, and for one larger than `size_max` bytes.
std::string read_file(const std::filesystem::path& file, std::size_t size_max = client::csv_file_size_max);

/// Where a load goes.
struct Destination {
    schemas::LoadOf of;
    std::string topic, scope;
};

/// Sends the load, waits for its result, writes the rejects file beside the source and reports. Returns 0 if the broker
/// loaded something, else 1. `code`: the result's, where there is one.
int send_load(Desk& desk, const Destination& to, Prepared prepared, const LoadOptions& options,
              std::ostream& out, std::optional<schemas::FileCode>* code = nullptr);

/// Reports a file of which nothing was sent, by the code the broker would have given, and writes why into the rejects file.
/// Returns 1.
int report_unsent(schemas::FileCode code, const std::string& why, const LoadOptions& options,
                  std::ostream& out);

/// "CPF03", of the codes of CP-IS, or our own word where CP-IS has none.
std::string file_code(schemas::FileCode code);
/// "some records were loaded, others not".
std::string in_words(schemas::FileCode code);
bool loaded_something(schemas::FileCode code);
/// What became of a file of which `unsent` rows never went to the broker: it answers for those it got.
schemas::FileCode code_of_file(schemas::FileCode answered, std::size_t unsent);

/// What a load in the outbox is known by.
struct Begun {
    Id16 load;
    std::uint64_t sequence;
};
/// Puts a list into the outbox and waits for nothing. Nothing is done while an earlier load of the topic has no result. Without
/// records it says that nobody is on the list.
std::optional<Begun> begin_load(client::Box& box, Instant now, Random& random, const Destination& to,
                                std::vector<Bytes> records, const std::string& source,
                                schemas::LoadMode mode = schemas::LoadMode::full);

/// What the broker said of a load, once it did.
std::optional<schemas::LoadResultValue> result_of(const client::Box& box, const Id16& load);
/// The broker refused one of its messages.
bool was_refused(const client::Box& box, const Id16& load);
/// Of the next load of this topic.
std::uint64_t next_sequence(const client::Box& box, const std::string& topic);

enum class LoadState { none, waits, loaded, refused };
/// What became of the load of this topic that begin_load began last; none once another command has settled it.
LoadState load_state(const client::Box& box, const std::string& topic);

/// The file's rejects file: FILE.rejects.csv.
std::filesystem::path rejects_file_of(const std::filesystem::path& file);

}  // namespace flagpost::desk
