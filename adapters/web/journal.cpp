#include "adapters/web/journal.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <mutex>
#include <stdexcept>

#include "adapters/client/data_file.h"

namespace flagpost::web {
namespace {

constexpr int busy_timeout_ms = 2'000;
constexpr int story_max = 200;
constexpr int schema_version = 2;

constexpr auto schema = R"(
CREATE TABLE entry (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    reference TEXT NOT NULL,
    what TEXT NOT NULL,
    person TEXT NOT NULL,
    called TEXT NOT NULL,
    detail TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    once TEXT UNIQUE
) STRICT;
CREATE INDEX entry_reference ON entry (reference, what);
CREATE INDEX entry_holder ON entry (reference, seq) WHERE what IN ('taken', 'passed');
)";
// When the broker was heard, without a gap of an hour.
constexpr auto schema_2 = R"(
CREATE TABLE contact (
    from_us INTEGER PRIMARY KEY,
    until_us INTEGER NOT NULL
) STRICT;
PRAGMA user_version = 2;
)";
constexpr auto heard_noted_every = std::chrono::minutes{10};
constexpr auto contact_gap_max = std::chrono::hours{1};

Entry entry_of(SQLite::Statement& query) {
    return {query.getColumn(0).getString(), query.getColumn(1).getString(),
            query.getColumn(2).getString(), query.getColumn(3).getString(),
            query.getColumn(4).getString(), from_us(query.getColumn(5).getInt64())};
}

}  // namespace

class Journal::Impl {
public:
    explicit Impl(const std::filesystem::path& file) try
        : db{client::private_file(file), SQLite::OPEN_READWRITE, busy_timeout_ms} {
        db.exec("PRAGMA journal_mode = TRUNCATE");
        db.exec("PRAGMA synchronous = FULL");
        SQLite::Transaction making{db, SQLite::TransactionBehavior::IMMEDIATE};
        const int version = client::version_of(db, file, schema_version);
        if (version == schema_version) return;
        if (version == 0) db.exec(schema);
        db.exec(schema_2);
        making.commit();
    } catch (const SQLite::Exception& error) {
        client::cannot_use(file, error);
    }

    std::vector<Entry> entries(const std::string& sql, const std::string& reference) {
        const std::lock_guard guard{lock};
        SQLite::Statement query(db,
                                "SELECT reference, what, person, called, detail, at_us FROM entry WHERE "
                                "reference = ? AND " +
                                    sql + " LIMIT " + std::to_string(story_max));
        query.bind(1, reference);
        std::vector<Entry> all;
        while (query.executeStep()) all.push_back(entry_of(query));
        return all;
    }

    std::mutex lock;  // guards what follows
    SQLite::Database db;
    std::optional<Instant> heard_noted;
};

Journal::Journal(const std::filesystem::path& file) : impl_{std::make_unique<Impl>(file)} {}
Journal::~Journal() = default;

bool Journal::note(const Entry& entry, const std::optional<std::string>& once) {
    const std::lock_guard guard{impl_->lock};
    SQLite::Statement insert(impl_->db,
                             "INSERT INTO entry (reference, what, person, called, detail, at_us, once) "
                             "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    insert.bind(1, entry.reference);
    insert.bind(2, entry.what);
    insert.bind(3, entry.person);
    insert.bind(4, entry.called);
    insert.bind(5, entry.detail);
    insert.bind(6, to_us(entry.at));
    if (once) insert.bind(7, *once);
    return insert.exec() == 1;
}

std::vector<Entry> Journal::story_of(const std::string& reference) const {
    return impl_->entries("what NOT IN ('consulted', 'printed') ORDER BY seq DESC", reference);
}

std::vector<Entry> Journal::consultations_of(const std::string& reference) const {
    return impl_->entries("what IN ('consulted', 'printed') ORDER BY seq", reference);
}

std::optional<Instant> Journal::last(const std::string& reference, const std::string& what) const {
    const std::lock_guard guard{impl_->lock};
    SQLite::Statement query(impl_->db, "SELECT max(at_us) FROM entry WHERE reference = ? AND what = ?");
    query.bind(1, reference);
    query.bind(2, what);
    query.executeStep();
    return query.isColumnNull(0) ? std::nullopt : std::optional{from_us(query.getColumn(0).getInt64())};
}

std::map<std::string, std::string> Journal::holders() const {
    const std::lock_guard guard{impl_->lock};
    SQLite::Statement query(impl_->db,
                            "SELECT reference, what, person, detail FROM entry WHERE what IN ('taken', "
                            "'passed') ORDER BY seq");
    std::map<std::string, std::string> holders;
    while (query.executeStep()) {
        const bool passed = query.getColumn(1).getString() == "passed";
        holders.insert_or_assign(query.getColumn(0).getString(), query.getColumn(passed ? 3 : 2).getString());
    }
    return holders;
}

void Journal::heard(Instant at) {
    const std::lock_guard guard{impl_->lock};
    if (impl_->heard_noted && at < *impl_->heard_noted + heard_noted_every) return;
    SQLite::Statement goes_on(impl_->db,
                              "UPDATE contact SET until_us = max(until_us, ?1) WHERE from_us = (SELECT "
                              "max(from_us) FROM contact) AND until_us >= ?2");
    goes_on.bind(1, to_us(at));
    goes_on.bind(2, to_us(at - contact_gap_max));
    if (goes_on.exec() == 0) {
        SQLite::Statement begins(
            impl_->db, "INSERT INTO contact (from_us, until_us) VALUES (?1, ?1) ON CONFLICT DO NOTHING");
        begins.bind(1, to_us(at));
        begins.exec();
    }
    impl_->heard_noted = at;
}

std::optional<Instant> Journal::first_heard() const {
    const std::lock_guard guard{impl_->lock};
    SQLite::Statement query(impl_->db, "SELECT min(from_us) FROM contact");
    query.executeStep();
    return query.isColumnNull(0) ? std::nullopt : std::optional{from_us(query.getColumn(0).getInt64())};
}

std::vector<Silence> Journal::silences(std::chrono::hours longer_than, Instant now) const {
    const std::lock_guard guard{impl_->lock};
    SQLite::Statement query(impl_->db, "SELECT from_us, until_us FROM contact ORDER BY from_us");
    std::vector<Silence> all;
    std::optional<Instant> since;
    const auto until = [&](Instant at) {
        if (since && at - *since > longer_than) all.push_back({*since, at});
    };
    while (query.executeStep()) {
        until(from_us(query.getColumn(0).getInt64()));
        since = from_us(query.getColumn(1).getInt64());
    }
    until(now);
    return all;
}

}  // namespace flagpost::web
