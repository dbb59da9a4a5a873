#include "broker/store/sqlite/statistics_file.h"

#include <date/date.h>
#include <sqlite3.h>

#include "broker/core/limits.h"
#include "broker/store/sqlite/database.h"

namespace flagpost::store::sqlite {
namespace {

constexpr const char* table =
    "CREATE TABLE IF NOT EXISTS event (hour INTEGER NOT NULL, kind TEXT NOT NULL, agency TEXT NOT NULL, "
    "topic TEXT NOT "
    "NULL, within INTEGER NOT NULL, count INTEGER NOT NULL, waited INTEGER NOT NULL, PRIMARY KEY(hour, kind, "
    "agency, "
    "topic, within)) STRICT, WITHOUT ROWID";

std::int64_t seconds_of(Instant instant) {
    return std::chrono::floor<std::chrono::seconds>(instant.time_since_epoch()).count();
}

int only_events(void*, int action, const char* what, const char*, const char*, const char*) {
    if (action == SQLITE_SELECT || action == SQLITE_FUNCTION) return SQLITE_OK;
    const bool of_events = what != nullptr && std::string_view{what} == "event";
    return action == SQLITE_READ && of_events ? SQLITE_OK : SQLITE_DENY;
}

}  // namespace

void add_statistics(const std::filesystem::path& file, const Tally& tally, Instant now) {
    try {
        SQLite::Database database{file.string(),
                                  SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE | SQLite::OPEN_NOMUTEX,
                                  limits::lock_wait_max_ms};
        std::filesystem::permissions(
            file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
        database.exec("PRAGMA synchronous=OFF");
        SQLite::Transaction transaction{database, SQLite::TransactionBehavior::IMMEDIATE};
        database.exec(table);
        Query add{database,
                  "INSERT INTO event VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + "
                  "excluded.count, waited = waited + excluded.waited"};
        for (const auto& [event, count] : tally.counts())
            add.run(seconds_of(event.hour), std::string_view{schemas::EnumNameLeafKind(event.kind)},
                    std::string_view{event.agency}, event.topic, std::int64_t{event.within.count()},
                    count.count, std::int64_t{count.waited.count()});
        Query{database, "DELETE FROM event WHERE hour < ?"}.run(seconds_of(now - statistics_kept));
        transaction.commit();
    } catch (const SQLite::Exception& error) {
        fail("statistics", error);
    }
}

SQLite::Database open_statistics(const std::filesystem::path& file) {
    try {
        SQLite::Database database{file.string(), SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX,
                                  limits::lock_wait_max_ms};
        sqlite3_set_authorizer(database.getHandle(), only_events, nullptr);
        return database;
    } catch (const SQLite::Exception& error) {
        fail("statistics", error);
    }
}

std::string statistics_csv(const std::filesystem::path& file, Instant from) {
    std::string csv = "hour,kind,agency,topic,within_seconds,count,seconds\n";
    if (!std::filesystem::exists(file)) return csv;
    auto database = open_statistics(file);
    try {
        Query all{
            database,
            "SELECT hour, kind, agency, topic, within, count, waited FROM event WHERE hour >= ? ORDER BY "
            "hour, kind, agency, topic, within"};
        const auto hour = std::chrono::floor<std::chrono::hours>(from);
        all.rows(
            [&](const SQLite::Statement& row) {
                csv += date::format("%FT%TZ",
                                    date::sys_seconds{std::chrono::seconds{row.getColumn(0).getInt64()}});
                for (int column = 1; column < row.getColumnCount(); ++column)
                    csv += "," + row.getColumn(column).getString();
                csv += "\n";
            },
            seconds_of(hour));
    } catch (const SQLite::Exception& error) {
        fail("statistics", error);
    }
    return csv;
}

}  // namespace flagpost::store::sqlite
