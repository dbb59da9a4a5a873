#include "adapters/social_care/flag_book.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <mutex>
#include <set>
#include <stdexcept>

#include "adapters/client/data_file.h"

namespace flagpost::social_care {
namespace {

constexpr int busy_timeout_ms = 5'000;
constexpr int schema_version = 1;

constexpr auto schema = R"(
CREATE TABLE load (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us INTEGER NOT NULL,
    by TEXT NOT NULL, by_called TEXT NOT NULL,
    first TEXT NOT NULL DEFAULT '', first_called TEXT NOT NULL DEFAULT '',
    second TEXT NOT NULL DEFAULT '', second_called TEXT NOT NULL DEFAULT '',
    file_name TEXT NOT NULL, format INTEGER NOT NULL, windows_1252 INTEGER NOT NULL,
    mode INTEGER NOT NULL, as_delta INTEGER NOT NULL, declared INTEGER,
    records INTEGER NOT NULL, rejected INTEGER NOT NULL, without_flag INTEGER NOT NULL, digest BLOB NOT NULL,
    fresh INTEGER NOT NULL, changed INTEGER NOT NULL, same INTEGER NOT NULL, ended INTEGER NOT NULL,
    deleted INTEGER NOT NULL, standing INTEGER NOT NULL,
    step INTEGER NOT NULL,
    sequence INTEGER NOT NULL DEFAULT 0, load BLOB NOT NULL DEFAULT x'00000000000000000000000000000000',
    code INTEGER, accepted INTEGER NOT NULL DEFAULT 0, refused INTEGER NOT NULL DEFAULT 0,
    why TEXT NOT NULL DEFAULT '', finished_us INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE content (number INTEGER PRIMARY KEY, file BLOB NOT NULL, details BLOB NOT NULL) STRICT;
-- The list as the broker has it, and what each load that is on its way will make of it.
CREATE TABLE listed (child TEXT PRIMARY KEY, digest BLOB NOT NULL, ended INTEGER NOT NULL, deleted INTEGER NOT NULL) STRICT;
CREATE TABLE coming (number INTEGER NOT NULL, item INTEGER NOT NULL, child TEXT NOT NULL, digest BLOB NOT NULL,
    ended INTEGER NOT NULL, deleted INTEGER NOT NULL, PRIMARY KEY (number, item)) STRICT;
PRAGMA user_version = 1;
)";

constexpr auto columns =
    "number, at_us, by, by_called, first, first_called, second, second_called, file_name, format, "
    "windows_1252, mode, "
    "as_delta, declared, records, rejected, without_flag, digest, fresh, changed, same, ended, deleted, "
    "standing, step, "
    "sequence, load, code, accepted, refused, why, finished_us";

std::uint64_t count_of(const SQLite::Column& column) { return static_cast<std::uint64_t>(column.getInt64()); }

template <std::size_t N> std::array<std::uint8_t, N> bytes_of(const SQLite::Column& column) {
    const auto* begin = static_cast<const std::uint8_t*>(column.getBlob());
    return exactly<N>(Bytes{begin, begin + column.getBytes()}).value();
}

std::string text_of(const SQLite::Column& column) {
    const auto* begin = static_cast<const char*>(column.getBlob());
    return begin == nullptr ? std::string{} : std::string{begin, static_cast<std::size_t>(column.getBytes())};
}

FlagLoad load_of(SQLite::Statement& row) {
    int at = 0;
    const auto next = [&] { return row.getColumn(at++); };
    FlagLoad load;
    load.number = next().getInt64();
    load.at = from_us(next().getInt64());
    load.by = next().getString();
    load.by_called = next().getString();
    load.first = next().getString();
    load.first_called = next().getString();
    load.second = next().getString();
    load.second_called = next().getString();
    load.file_name = next().getString();
    load.format = static_cast<FlagFormat>(next().getInt());
    load.windows_1252 = next().getInt() != 0;
    load.mode = static_cast<schemas::LoadMode>(next().getInt());
    load.as_delta = next().getInt() != 0;
    if (const auto declared = next(); !declared.isNull()) load.declared = count_of(declared);
    load.records = count_of(next());
    load.rejected = count_of(next());
    load.without_flag = count_of(next());
    load.digest = bytes_of<32>(next());
    for (std::size_t* count : {&load.changes.fresh, &load.changes.changed, &load.changes.same,
                               &load.changes.ended, &load.changes.deleted, &load.changes.standing})
        *count = count_of(next());
    load.step = static_cast<LoadStep>(next().getInt());
    load.sequence = count_of(next());
    load.load = bytes_of<16>(next());
    if (const auto code = next(); !code.isNull()) load.code = static_cast<schemas::FileCode>(code.getInt());
    load.accepted = count_of(next());
    load.refused = count_of(next());
    load.why = next().getString();
    load.finished = from_us(next().getInt64());
    return load;
}

void bind_blob(SQLite::Statement& statement, int at, BytesView bytes) {
    statement.bind(at, bytes.data(), static_cast<int>(bytes.size()));
}

bool has_list(schemas::FileCode code) {
    return code == schemas::FileCode::all_loaded || code == schemas::FileCode::some_loaded;
}

}  // namespace

FlagLoad load_of(const FlagFile& file, schemas::LoadMode mode) {
    FlagLoad load;
    load.format = file.format;
    load.windows_1252 = file.windows_1252;
    load.mode = mode;
    load.records = file.count();
    load.without_flag = file.without_flag;
    load.rejected = load.records - load.without_flag - file.prepared.records.size();
    load.as_delta = mode == schemas::LoadMode::full && load.rejected > 0;
    return load;
}

class FlagBook::Impl {
public:
    explicit Impl(const std::filesystem::path& file) try
        : db{client::private_file(file), SQLite::OPEN_READWRITE, busy_timeout_ms} {
        db.exec("PRAGMA journal_mode = TRUNCATE");
        db.exec("PRAGMA synchronous = FULL");
        db.exec("PRAGMA secure_delete = ON");  // what is forgotten is not left in the file
        SQLite::Transaction whole{db, SQLite::TransactionBehavior::IMMEDIATE};
        if (client::version_of(db, file, schema_version) == 0) db.exec(schema);
        whole.commit();
    } catch (const SQLite::Exception& error) {
        client::cannot_use(file, error);
    }

    std::vector<FlagLoad> loads(const std::string& where, std::int64_t value, std::size_t most = 1) {
        SQLite::Statement query(db, std::string{"SELECT "} + columns + " FROM load WHERE " + where +
                                        " LIMIT " + std::to_string(most));
        query.bind(1, value);
        std::vector<FlagLoad> all;
        while (query.executeStep()) all.push_back(load_of(query));
        return all;
    }

    void finish(const FlagLoad& load, const schemas::LoadResultValue* result, Instant now) {
        SQLite::Transaction whole{db, SQLite::TransactionBehavior::IMMEDIATE};
        SQLite::Statement update(
            db,
            "UPDATE load SET step = 3, code = ?, accepted = ?, refused = ?, why = ?, finished_us = ? "
            "WHERE number = ? AND step = 2");
        if (result != nullptr) {
            update.bind(1, static_cast<int>(result->code));
            update.bind(2, static_cast<std::int64_t>(result->accepted));
            update.bind(3, static_cast<std::int64_t>(result->rejected));
            std::string why;
            for (const auto& one : result->results)
                if (one->number == 0) why = one->where;
            update.bind(4, why);
        } else {
            update.bind(1);
            update.bind(2, 0);
            update.bind(3, 0);
            update.bind(4, "The broker refused it.");
        }
        update.bind(5, to_us(now));
        update.bind(6, load.number);
        const bool first = update.exec() == 1;
        if (first && result != nullptr && has_list(result->code)) stand(load, *result);
        SQLite::Statement forget(db, "DELETE FROM coming WHERE number = ?");
        forget.bind(1, load.number);
        forget.exec();
        whole.commit();
    }

    /// The list as it is after a load. What the broker refused stays as it was.
    void stand(const FlagLoad& load, const schemas::LoadResultValue& result) {
        if (load.sent_as() == schemas::LoadMode::full) {
            SQLite::Statement gone(
                db, "DELETE FROM listed WHERE child NOT IN (SELECT child FROM coming WHERE number = ?)");
            gone.bind(1, load.number);
            gone.exec();
        }
        SQLite::Statement refused(db, "DELETE FROM coming WHERE number = ? AND item = ?");
        for (const auto& one : result.results) {
            if (one->ok || one->number == 0) continue;
            refused.bind(1, load.number);
            refused.bind(2, static_cast<std::int64_t>(one->number));
            refused.exec();
            refused.reset();
        }
        SQLite::Statement put(
            db,
            "INSERT OR REPLACE INTO listed SELECT child, digest, ended, deleted FROM coming WHERE "
            "number = ? ORDER BY item");
        put.bind(1, load.number);
        put.exec();
    }

    void forget_old(Instant now) {
        SQLite::Statement old(db, "UPDATE load SET step = 4 WHERE step IN (0, 1) AND at_us < ?");
        old.bind(1, to_us(now - preview_kept));
        old.exec();
        SQLite::Statement forget(
            db,
            "DELETE FROM content WHERE number IN (SELECT number FROM load WHERE step = 4 OR (step = "
            "3 AND finished_us < ?))");
        forget.bind(1, to_us(now - content_kept));
        forget.exec();
    }

    mutable std::mutex lock;  // guards what follows
    SQLite::Database db;
};

FlagBook::FlagBook(const std::filesystem::path& file) : impl_{std::make_unique<Impl>(file)} {}
FlagBook::~FlagBook() = default;

FlagList FlagBook::list() const {
    const std::lock_guard guard{impl_->lock};
    SQLite::Statement query(impl_->db, "SELECT child, digest, ended, deleted FROM listed");
    FlagList list;
    while (query.executeStep())
        list.emplace(query.getColumn(0).getString(),
                     Listed{bytes_of<32>(query.getColumn(1)), query.getColumn(2).getInt() != 0,
                            query.getColumn(3).getInt() != 0});
    return list;
}

std::int64_t FlagBook::add(const FlagLoad& load, const LoadContent& content) {
    const std::lock_guard guard{impl_->lock};
    SQLite::Transaction whole{impl_->db, SQLite::TransactionBehavior::IMMEDIATE};
    SQLite::Statement insert(impl_->db,
                             "INSERT INTO load (at_us, by, by_called, file_name, format, windows_1252, mode, "
                             "as_delta, declared, records, "
                             "rejected, without_flag, digest, fresh, changed, same, ended, deleted, "
                             "standing, step) VALUES (?, ?, ?, ?, ?, ?, "
                             "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)");
    int at = 0;
    const auto number = [&](auto value) { insert.bind(++at, static_cast<std::int64_t>(value)); };
    number(to_us(load.at));
    insert.bind(++at, load.by);
    insert.bind(++at, load.by_called);
    insert.bind(++at, load.file_name);
    number(static_cast<int>(load.format));
    number(load.windows_1252 ? 1 : 0);
    number(static_cast<int>(load.mode));
    number(load.as_delta ? 1 : 0);
    if (load.declared)
        number(*load.declared);
    else
        insert.bind(++at);
    number(load.records);
    number(load.rejected);
    number(load.without_flag);
    bind_blob(insert, ++at, load.digest);
    for (const std::size_t count : {load.changes.fresh, load.changes.changed, load.changes.same,
                                    load.changes.ended, load.changes.deleted, load.changes.standing})
        number(count);
    insert.exec();
    const auto made = impl_->db.getLastInsertRowid();
    SQLite::Statement keep(impl_->db, "INSERT INTO content VALUES (?, ?, ?)");
    keep.bind(1, made);
    bind_blob(keep, 2, view(content.file));
    bind_blob(keep, 3, view(content.details));
    keep.exec();
    whole.commit();
    return made;
}

std::optional<FlagLoad> FlagBook::find(std::int64_t number) const {
    const std::lock_guard guard{impl_->lock};
    auto found = impl_->loads("number = ?", number);
    return found.empty() ? std::nullopt : std::optional{std::move(found.front())};
}

std::vector<FlagLoad> FlagBook::recent(std::size_t most) const {
    const std::lock_guard guard{impl_->lock};
    return impl_->loads("number > ? ORDER BY number DESC", 0, most);
}

std::optional<FlagLoad> FlagBook::last_applied() const {
    const std::lock_guard guard{impl_->lock};
    auto found = impl_->loads("step = ? AND code IN (1, 2) ORDER BY sequence DESC, number DESC", 3);
    return found.empty() ? std::nullopt : std::optional{std::move(found.front())};
}

std::optional<LoadContent> FlagBook::content(std::int64_t number) const {
    const std::lock_guard guard{impl_->lock};
    SQLite::Statement query(impl_->db, "SELECT file, details FROM content WHERE number = ?");
    query.bind(1, number);
    if (!query.executeStep()) return std::nullopt;
    return LoadContent{text_of(query.getColumn(0)), text_of(query.getColumn(1))};
}

bool FlagBook::check(std::int64_t number, const std::string& name, const std::string& called) {
    const std::lock_guard guard{impl_->lock};
    SQLite::Statement update(
        impl_->db, "UPDATE load SET step = 1, first = ?, first_called = ? WHERE number = ? AND step = 0");
    update.bind(1, name);
    update.bind(2, called);
    update.bind(3, number);
    return update.exec() == 1;
}

bool FlagBook::discard(std::int64_t number) {
    const std::lock_guard guard{impl_->lock};
    SQLite::Transaction whole{impl_->db, SQLite::TransactionBehavior::IMMEDIATE};
    SQLite::Statement update(impl_->db, "UPDATE load SET step = 4 WHERE number = ? AND step IN (0, 1)");
    update.bind(1, number);
    const bool done = update.exec() == 1;
    if (done) {
        SQLite::Statement forget(impl_->db, "DELETE FROM content WHERE number = ?");
        forget.bind(1, number);
        forget.exec();
    }
    whole.commit();
    return done;
}

bool FlagBook::recount(std::int64_t number, const Changes& changes) {
    const std::lock_guard guard{impl_->lock};
    SQLite::Statement update(
        impl_->db,
        "UPDATE load SET step = 0, first = '', first_called = '', fresh = ?, changed = ?, same = ?, "
        "ended = ?, deleted = ?, standing = ? WHERE number = ? AND step IN (0, 1)");
    int at = 0;
    for (const std::size_t count :
         {changes.fresh, changes.changed, changes.same, changes.ended, changes.deleted, changes.standing})
        update.bind(++at, static_cast<std::int64_t>(count));
    update.bind(++at, number);
    return update.exec() == 1;
}

bool FlagBook::claim(std::int64_t number, LoadStep from, const std::string& name, const std::string& called,
                     const FlagList& list, const std::vector<std::string>& keys) {
    const std::lock_guard guard{impl_->lock};
    SQLite::Transaction whole{impl_->db, SQLite::TransactionBehavior::IMMEDIATE};
    SQLite::Statement update(impl_->db,
                             "UPDATE load SET step = 2, second = ?, second_called = ?, load = "
                             "x'00000000000000000000000000000000' WHERE number = ? AND step = ?");
    update.bind(1, name);
    update.bind(2, called);
    update.bind(3, number);
    update.bind(4, static_cast<int>(from));
    if (update.exec() != 1) return false;
    SQLite::Statement put(impl_->db, "INSERT INTO coming VALUES (?, ?, ?, ?, ?, ?)");
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const Listed& listed = list.at(keys[i]);
        put.bind(1, number);
        put.bind(2, static_cast<std::int64_t>(i + 1));
        put.bind(3, keys[i]);
        bind_blob(put, 4, listed.digest);
        put.bind(5, listed.ended ? 1 : 0);
        put.bind(6, listed.deleted ? 1 : 0);
        put.exec();
        put.reset();
    }
    whole.commit();
    return true;
}

void FlagBook::sent_as(std::int64_t number, const Id16& load, std::uint64_t sequence) {
    const std::lock_guard guard{impl_->lock};
    SQLite::Statement update(impl_->db, "UPDATE load SET load = ?, sequence = ? WHERE number = ?");
    bind_blob(update, 1, load);
    update.bind(2, static_cast<std::int64_t>(sequence));
    update.bind(3, number);
    update.exec();
}

void FlagBook::unclaim(std::int64_t number, LoadStep back_to) {
    const std::lock_guard guard{impl_->lock};
    SQLite::Transaction whole{impl_->db, SQLite::TransactionBehavior::IMMEDIATE};
    SQLite::Statement update(
        impl_->db, "UPDATE load SET step = ?, second = '', second_called = '' WHERE number = ? AND step = 2");
    update.bind(1, static_cast<int>(back_to));
    update.bind(2, number);
    update.exec();
    SQLite::Statement forget(impl_->db, "DELETE FROM coming WHERE number = ?");
    forget.bind(1, number);
    forget.exec();
    whole.commit();
}

void FlagBook::recover() {
    const std::lock_guard guard{impl_->lock};
    SQLite::Transaction whole{impl_->db, SQLite::TransactionBehavior::IMMEDIATE};
    constexpr auto unsent = "step = 2 AND load = x'00000000000000000000000000000000'";
    impl_->db.exec(std::string{"DELETE FROM coming WHERE number IN (SELECT number FROM load WHERE "} +
                   unsent + ")");
    impl_->db.exec(std::string{"UPDATE load SET step = 0, second = '', second_called = '' WHERE "} + unsent);
    whole.commit();
}

void FlagBook::settle(const client::Box& box, Instant now) {
    const std::lock_guard guard{impl_->lock};
    for (const FlagLoad& load : impl_->loads("step = ? ORDER BY number", 2, 100)) {
        if (load.load == Id16{}) continue;  // being put into the outbox at this moment
        const auto result = desk::result_of(box, load.load);
        if (!result && !desk::was_refused(box, load.load)) continue;
        impl_->finish(load, result ? &*result : nullptr, now);
    }
    impl_->forget_old(now);
}

}  // namespace flagpost::social_care
