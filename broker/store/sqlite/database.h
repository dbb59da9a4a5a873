/// The file: its tables, its settings, and connections to it. Format and reasons: ../README.md.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <optional>

#include "broker/core/bytes.h"
#include "broker/store/disk.h"
#include "broker/store/store.h"

namespace flagpost::store::sqlite {

inline constexpr std::int32_t application_id = 0x46504c31;  // "FPL1"
inline constexpr std::int32_t format_version = 2;
inline constexpr int page_size = 16384;

/// The one connection that writes and checkpoints; makes the tables in a new file. Throws StorageFailure if
/// the file is not a Flagpost store of this format, or a setting was not taken.
SQLite::Database open_writer(const std::filesystem::path& file);

/// A connection that can only read. Throws StorageFailure likewise.
SQLite::Database open_reader(const std::filesystem::path& file);

/// While there is one, COMMIT returns before the WAL is on disk, and WalFile::sync makes it so. Not inside a transaction.
class Unsynced {
public:
    explicit Unsynced(SQLite::Database& database);
    ~Unsynced();
    Unsynced(const Unsynced&) = delete;
    Unsynced& operator=(const Unsynced&) = delete;

private:
    SQLite::Database& database_;
};

/// The WAL beside a database that is open: SQLite keeps one file for as long as a connection is.
class WalFile {
public:
    explicit WalFile(const std::filesystem::path& database);
    /// Waits until what was written so far is on disk. From any thread, beside whatever SQLite does with the file.
    /// Throws StorageFailure: a second try would prove nothing.
    void sync() const;

private:
    std::filesystem::path path_;
    Descriptor file_;
};

/// A statement prepared once and run many times: binds in order, always leaves itself ready for the next run.
class Query {
public:
    Query(SQLite::Database& database, const char* sql) : statement_{database, sql} {}

    /// Runs to the end; for statements that give no rows.
    template <class... Values> void run(const Values&... values) {
        const Ready ready{statement_};
        bind_all(values...);
        statement_.exec();
    }
    /// Calls `each` with every row.
    template <class Each, class... Values> void rows(Each&& each, const Values&... values) {
        const Ready ready{statement_};
        bind_all(values...);
        while (statement_.executeStep()) each(statement_);
    }
    /// Calls `take` with the first row; whether there was one.
    template <class Take, class... Values> bool first(Take&& take, const Values&... values) {
        const Ready ready{statement_};
        bind_all(values...);
        if (!statement_.executeStep()) return false;
        take(statement_);
        return true;
    }

private:
    struct Ready {
        explicit Ready(SQLite::Statement& held) : statement{held} { statement.tryReset(); }
        ~Ready() { statement.tryReset(); }
        Ready(const Ready&) = delete;
        Ready& operator=(const Ready&) = delete;
        SQLite::Statement& statement;
    };

    template <class... Values> void bind_all(const Values&... values) {
        int place = 0;
        (bind(++place, values), ...);
    }
    void bind(int place, std::uint64_t value) { statement_.bind(place, static_cast<std::int64_t>(value)); }
    void bind(int place, BytesView bytes) {
        if (bytes.data() == nullptr)
            statement_.bindNoCopy(place, "", 0);
        else
            statement_.bindNoCopy(place, static_cast<const void*>(bytes.data()),
                                  static_cast<int>(bytes.size()));
    }
    void bind(int place, const Bytes& bytes) { bind(place, BytesView{bytes}); }
    void bind(int place, const std::optional<BytesView>& bytes) {
        if (bytes)
            bind(place, *bytes);
        else
            statement_.bind(place);
    }
    void bind(int place, const std::optional<std::uint64_t>& value) {
        if (value)
            bind(place, *value);
        else
            statement_.bind(place);
    }
    void bind(int place, std::string_view text) { statement_.bind(place, std::string{text}); }

    SQLite::Statement statement_;
};

/// Whether SQLite met a full disk. Its word for that where the WAL's index has to grow is an I/O error of its own; nothing
/// durable hangs on that file, which a start makes anew.
bool met_full_disk(const SQLite::Exception& error);

/// A StorageFailure that names the step, NoRoom where that is what SQLite met.
[[noreturn]] void fail(const char* step, const SQLite::Exception& error);

/// Runs `step`; what SQLite throws in it becomes such a failure.
template <class Step> auto guarded(const char* name, Step&& step) {
    try {
        return step();
    } catch (const SQLite::Exception& error) {
        fail(name, error);
    }
}

/// Two numbers as one value of `meta`, 16 bytes big-endian; and back, nothing if it is no such value.
Bytes two_numbers(std::uint64_t first, std::uint64_t second);
std::optional<std::pair<std::uint64_t, std::uint64_t>> two_numbers(BytesView bytes);

/// A column as bytes, valid until the next step; nothing when NULL.
std::optional<BytesView> blob(const SQLite::Statement& row, int column);
std::uint64_t number(const SQLite::Statement& row, int column);

}  // namespace flagpost::store::sqlite
