#include "broker/store/sqlite/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <cerrno>

#include "broker/core/limits.h"
#include "broker/store/disk.h"
#include "broker/store/store.h"

namespace flagpost::store::sqlite {
namespace {

constexpr const char* tables = R"(
CREATE TABLE entry(
  idx INTEGER PRIMARY KEY,
  hash BLOB NOT NULL CHECK(length(hash) = 32),
  leaf BLOB NOT NULL,
  keys BLOB,
  label INTEGER REFERENCES label(id),
  wrap BLOB,
  body BLOB) STRICT;
CREATE TABLE live(key BLOB PRIMARY KEY, idx INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE receipt(
  agency INTEGER NOT NULL REFERENCES agency(id),
  message BLOB NOT NULL,
  bytes BLOB NOT NULL,
  idx INTEGER NOT NULL,
  PRIMARY KEY(agency, message)) STRICT, WITHOUT ROWID;
CREATE TABLE tile(
  level INTEGER NOT NULL,
  number INTEGER NOT NULL,
  hashes BLOB NOT NULL,
  PRIMARY KEY(level, number)) STRICT, WITHOUT ROWID;
CREATE TABLE subject(
  mac BLOB NOT NULL,
  idx INTEGER NOT NULL,
  PRIMARY KEY(mac, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE label(
  id INTEGER PRIMARY KEY,
  controller TEXT NOT NULL,
  retention TEXT NOT NULL,
  UNIQUE(controller, retention)) STRICT;
CREATE TABLE agency(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
)";

std::string pragma(SQLite::Database& database, const std::string& name) {
    return database.execAndGet("PRAGMA " + name).getString();
}

/// Sets a pragma and reads it back: SQLite ignores what it does not take.
void set(SQLite::Database& database, const std::string& name, const std::string& value,
         const std::string& reads_back) {
    SQLite::Statement statement{database, "PRAGMA " + name + "=" + value};
    while (statement.executeStep()) continue;
    const auto now = pragma(database, name);
    if (now != reads_back)
        throw StorageFailure{"the database did not take " + name + "=" + value + " (it is " + now + ")"};
}

void set_both(SQLite::Database& database) {
    set(database, "trusted_schema", "OFF", "0");
    set(database, "cell_size_check", "ON", "1");
    set(database, "mmap_size", "0", "0");
    set(database, "temp_store", "MEMORY", "2");
}

void require(SQLite::Database& database, const std::string& name, std::int64_t wanted) {
    const auto found = pragma(database, name);
    if (found != std::to_string(wanted))
        throw StorageFailure{"not a store of this format: " + name + " is " + found + ", not " +
                             std::to_string(wanted)};
}

void require_format(SQLite::Database& database) {
    require(database, "application_id", application_id);
    require(database, "user_version", format_version);
    require(database, "page_size", page_size);
}

bool is_new(SQLite::Database& database) {
    return database.execAndGet("SELECT count(*) FROM sqlite_schema").getInt() == 0 &&
           pragma(database, "user_version") == "0";
}

void create_tables(SQLite::Database& database) {
    SQLite::Transaction transaction{database, SQLite::TransactionBehavior::IMMEDIATE};
    database.exec(tables);
    database.exec("PRAGMA application_id=" + std::to_string(application_id));
    database.exec("PRAGMA user_version=" + std::to_string(format_version));
    transaction.commit();
}

/// Made before SQLite opens it, so that it never exists with a wider mode; -wal and -shm take this file's
/// mode.
void create_private(const std::filesystem::path& file) {
    const Descriptor made{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
    if (made.get() < 0) throw StorageFailure{"cannot open " + file.filename().string()};
}

}  // namespace

SQLite::Database open_writer(const std::filesystem::path& file) {
    create_private(file);
    SQLite::Database database{file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX};
    if (is_new(database)) set(database, "page_size", std::to_string(page_size), std::to_string(page_size));
    // Nobody else ought to write, but an operator's tool that does so for a moment must not end the broker.
    database.setBusyTimeout(limits::lock_wait_max_ms);
    set(database, "journal_mode", "WAL", "wal");
    set(database, "synchronous", "FULL", "2");
    set(database, "wal_autocheckpoint", "0", "0");
    set(database, "journal_size_limit", "67108864", "67108864");
    set(database, "cache_size", "-65536", "-65536");
    set(database, "foreign_keys", "ON", "1");
    set(database, "secure_delete", "ON", "1");
    set_both(database);
    if (is_new(database)) create_tables(database);
    require_format(database);
    return database;
}

SQLite::Database open_reader(const std::filesystem::path& file) {
    SQLite::Database database{file.string(), SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX};
    // A reader meets a lock only while another one opens or closes the file; the writer never keeps it out.
    database.setBusyTimeout(limits::lock_wait_max_ms);
    set(database, "query_only", "ON", "1");
    set(database, "cache_size", "-8192", "-8192");
    set_both(database);
    if (sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr) != SQLITE_OK)
        throw StorageFailure{"the database would checkpoint when a reader closes"};
    require_format(database);
    return database;
}

Unsynced::Unsynced(SQLite::Database& database) : database_{database} {
    database_.exec("PRAGMA synchronous=NORMAL");
}

Unsynced::~Unsynced() {
    // Cannot fail: it is parsed, and sets a flag of this connection.
    sqlite3_exec(database_.getHandle(), "PRAGMA synchronous=FULL", nullptr, nullptr, nullptr);
}

WalFile::WalFile(const std::filesystem::path& database)
    : path_{database.string() + "-wal"}, file_{::open(path_.c_str(), O_RDONLY | O_CLOEXEC)} {
    if (file_.get() < 0) disk_failure("open", path_);
}

void WalFile::sync() const {
    while (::fdatasync(file_.get()) != 0)
        if (errno != EINTR) disk_failure("sync", path_);
}

bool met_full_disk(const SQLite::Exception& error) {
    return error.getErrorCode() == SQLITE_FULL || error.getExtendedErrorCode() == SQLITE_IOERR_SHMSIZE;
}

void fail(const char* step, const SQLite::Exception& error) {
    const auto words = std::string{step} + ": " + error.what();
    if (met_full_disk(error)) throw NoRoom{words};
    throw StorageFailure{words};
}

Bytes two_numbers(std::uint64_t first, std::uint64_t second) {
    Bytes bytes;
    for (const auto number : {first, second}) append_be(bytes, number, 8);
    return bytes;
}

std::optional<std::pair<std::uint64_t, std::uint64_t>> two_numbers(BytesView bytes) {
    if (bytes.size() != 16) return std::nullopt;
    return std::pair{read_be(bytes.first(8)), read_be(bytes.last(8))};
}

std::optional<BytesView> blob(const SQLite::Statement& row, int column) {
    const auto value = row.getColumn(column);
    if (value.isNull()) return std::nullopt;
    return BytesView{static_cast<const std::uint8_t*>(value.getBlob()),
                     static_cast<std::size_t>(value.getBytes())};
}

std::uint64_t number(const SQLite::Statement& row, int column) {
    return static_cast<std::uint64_t>(row.getColumn(column).getInt64());
}

}  // namespace flagpost::store::sqlite
