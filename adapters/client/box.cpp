#include <stdexcept>

#include "adapters/client/box_file.h"
#include "adapters/client/data_file.h"
#include "load_generated.h"

namespace flagpost::client {
namespace {

// Another process of this adapter may be writing a month of incidents in one transaction.
constexpr int busy_timeout_ms = 60'000;
constexpr int schema_version = 1;

// `envelope` is apart from `outgoing`, so that counting states never reads message bodies. What makes a delivery a
// repeat is its envelope's id, not its number: a number used again for something else must not hide a notice.
constexpr auto schema = R"(
CREATE TABLE outgoing (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    state INTEGER NOT NULL DEFAULT 0,
    source TEXT NOT NULL,
    subject TEXT NOT NULL,
    enqueued_us INTEGER NOT NULL,
    leaf INTEGER,
    reason INTEGER,
    place TEXT
) STRICT;
CREATE INDEX outgoing_state ON outgoing (state, seq);
CREATE TABLE envelope (seq INTEGER PRIMARY KEY REFERENCES outgoing, bytes BLOB NOT NULL) STRICT;
CREATE TABLE mark (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE incoming (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    topic TEXT NOT NULL,
    number INTEGER NOT NULL,
    leaf INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    payload BLOB NOT NULL,
    received_us INTEGER NOT NULL,
    thing TEXT,
    reference TEXT,
    opened_us INTEGER,
    opened_by TEXT,
    recorded_us INTEGER,
    recorded_by TEXT,
    outcome TEXT,
    UNIQUE (topic, id)
) STRICT;
CREATE INDEX incoming_number ON incoming (topic, number);
CREATE INDEX incoming_open ON incoming (seq) WHERE recorded_us IS NULL;
CREATE INDEX incoming_thing ON incoming (thing) WHERE thing IS NOT NULL;
CREATE INDEX incoming_reference ON incoming (reference) WHERE reference IS NOT NULL;
CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
)";

// Later than the first files, which programs of then can still read.
constexpr auto later_schema = R"(
CREATE TABLE IF NOT EXISTS question (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    thread TEXT NOT NULL,
    payload BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS question_thread ON question (thread);
CREATE INDEX IF NOT EXISTS incoming_arrival ON incoming (kind, topic, reference, received_us);
)";

std::optional<Instant> instant_of(const SQLite::Column& column) {
    if (column.isNull()) return std::nullopt;
    return from_us(column.getInt64());
}

template <class Table, class Thing> Handles handles_from(BytesView payload, Thing thing) {
    const auto table = wire::read_table<Table>(payload, "payload");
    if (!table) return {};
    Handles handles;
    if (const auto* id = thing(**table)) handles.thing = exactly<16>({id->data(), id->size()});
    if constexpr (requires { (*table)->reference(); })
        if (const auto* reference = (*table)->reference()) handles.reference = reference->str();
    return handles;
}

}  // namespace

void bind_blob(SQLite::Statement& statement, int place, BytesView bytes) {
    statement.bind(place, bytes.data(), static_cast<int>(bytes.size()));
}

Bytes blob(const SQLite::Column& column) {
    const auto* data = static_cast<const std::uint8_t*>(column.getBlob());
    return {data, data + column.getBytes()};
}

Id16 id_of(const SQLite::Column& column) {
    const auto id = exactly<16>(blob(column));
    if (!id) throw std::runtime_error{"the box holds an id that is not 16 bytes"};
    return *id;
}

OutgoingStatus status_of(SQLite::Statement& row) {
    OutgoingStatus status{id_of(row.getColumn(0)),
                          static_cast<OutgoingState>(row.getColumn(1).getInt()),
                          row.getColumn(2).getString(),
                          row.getColumn(3).getString(),
                          from_us(row.getColumn(4).getInt64()),
                          std::nullopt,
                          std::nullopt};
    if (!row.getColumn(5).isNull()) status.index = static_cast<std::uint64_t>(row.getColumn(5).getInt64());
    if (!row.getColumn(6).isNull())
        status.refusal =
            Refusal{static_cast<Reason>(row.getColumn(6).getInt()), row.getColumn(7).getString()};
    return status;
}

Incoming incoming_of(SQLite::Statement& row, bool with_payload) {
    return Incoming{row.getColumn(0).getString(),
                    static_cast<std::uint64_t>(row.getColumn(1).getInt64()),
                    static_cast<std::uint64_t>(row.getColumn(2).getInt64()),
                    static_cast<schemas::Kind>(row.getColumn(3).getInt()),
                    id_of(row.getColumn(4)),
                    with_payload ? blob(row.getColumn(5)) : Bytes{},
                    from_us(row.getColumn(6).getInt64()),
                    instant_of(row.getColumn(7)),
                    row.getColumn(8).getString(),
                    instant_of(row.getColumn(9)),
                    row.getColumn(10).getString(),
                    row.getColumn(11).getString()};
}

Handles handles_of(const Incoming& item) {
    switch (item.kind) {
        case schemas::Kind::social_care_notice:
            return handles_from<schemas::SocialCareNotice>(item.payload, [](auto& t) { return t.notice(); });
        case schemas::Kind::school_notice:
            return handles_from<schemas::SchoolNotice>(item.payload, [](auto& t) { return t.notice(); });
        case schemas::Kind::review_item:
            return handles_from<schemas::ReviewItem>(item.payload, [](auto& t) { return t.review(); });
        case schemas::Kind::recall:
            return handles_from<schemas::Recall>(item.payload, [](auto& t) { return t.notice(); });
        case schemas::Kind::question:
            return handles_from<schemas::Question>(item.payload, [](auto& t) { return t.question(); });
        case schemas::Kind::answer:
            return handles_from<schemas::QuestionAnswer>(item.payload, [](auto& t) { return t.answer(); });
        case schemas::Kind::load_result:
            return handles_from<schemas::LoadResult>(item.payload, [](auto& t) { return t.load(); });
        default:
            return {};
    }
}

bool record(SQLite::Database& db, const std::string& thing, Instant at, const std::string& by,
            const std::string& outcome) {
    SQLite::Statement update(
        db,
        "UPDATE incoming SET recorded_us = ?, recorded_by = ?, outcome = ? WHERE thing = ? "
        "AND recorded_us IS NULL");
    update.bind(1, to_us(at));
    update.bind(2, by);
    if (!outcome.empty()) update.bind(3, outcome);
    update.bind(4, thing);
    return update.exec() > 0;
}

Box::Impl::Impl(const std::filesystem::path& file, Clock& clock, Random& random) try
    : db{private_file(file), SQLite::OPEN_READWRITE, busy_timeout_ms}, clock_{clock}, random_{random} {
    // TRUNCATE with FULL syncs the journal's end as well, which DELETE would leave to the directory.
    db.exec("PRAGMA journal_mode = TRUNCATE");
    db.exec("PRAGMA synchronous = FULL");
    db.exec("PRAGMA secure_delete = ON");
    SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
    if (version_of(db, file, schema_version) == 0) db.exec(schema);
    db.exec(later_schema);
    transaction.commit();
} catch (const SQLite::Exception& error) {
    cannot_use(file, error);
}

Id16 Box::Impl::insert(const wire::Draft& draft, const std::string& source) {
    const Instant created = clock_.now();
    const Id16 id = make_uuid7(created, random_);
    const Bytes envelope = wire::make_envelope(draft, id, random_.bytes<16>(), created);
    SQLite::Statement& message = statement(
        "INSERT INTO outgoing (id, source, subject, enqueued_us) VALUES (?, ?, ?, ?)", insert_message_);
    bind_blob(message, 1, id);
    message.bind(2, source);
    message.bind(3, draft.subject);
    message.bind(4, to_us(created));
    message.exec();
    SQLite::Statement& body = statement("INSERT INTO envelope (seq, bytes) VALUES (?, ?)", insert_envelope_);
    body.bind(1, db.getLastInsertRowid());
    bind_blob(body, 2, envelope);
    body.exec();
    return id;
}

Id16 Box::Impl::insert(const wire::Draft& draft, const Incoming& about) {
    return insert(draft, about.topic + "#" + std::to_string(about.number));
}

SQLite::Statement& Box::Impl::statement(const char* sql, std::optional<SQLite::Statement>& kept) {
    if (!kept) kept.emplace(db, sql);
    kept->reset();
    kept->clearBindings();
    return *kept;
}

Box::Box(const std::filesystem::path& file, Clock& clock, Random& random)
    : impl_{std::make_unique<Impl>(file, clock, random)} {}
Box::~Box() = default;

void Box::at_once(const std::function<void()>& use) {
    SQLite::Transaction transaction(impl_->db, SQLite::TransactionBehavior::IMMEDIATE);
    impl_->in_transaction = true;
    try {
        use();
    } catch (...) {
        impl_->in_transaction = false;
        throw;
    }
    impl_->in_transaction = false;
    transaction.commit();
}

std::optional<std::string> Box::fact(const std::string& name) const {
    SQLite::Statement& query = impl_->statement("SELECT value FROM fact WHERE name = ?", impl_->find_fact);
    query.bind(1, name);
    std::optional<std::string> value;
    if (query.executeStep()) value = query.getColumn(0).getString();
    query.reset();  // or it holds a read lock on the file
    return value;
}

void Box::set_fact(const std::string& name, const std::string& value) {
    SQLite::Statement& upsert = impl_->statement(
        "INSERT INTO fact (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = "
        "excluded.value",
        impl_->keep_fact);
    upsert.bind(1, name);
    upsert.bind(2, value);
    upsert.exec();
    upsert.reset();
}

void Box::forget_fact(const std::string& name) {
    SQLite::Statement forget(impl_->db, "DELETE FROM fact WHERE name = ?");
    forget.bind(1, name);
    forget.exec();
}

std::map<std::string, std::string> Box::facts_under(const std::string& beginning) const {
    std::string behind = beginning;  // the first name that does not begin so: of ASCII, and not empty
    ++behind.back();
    SQLite::Statement query(impl_->db, "SELECT name, value FROM fact WHERE name >= ? AND name < ?");
    query.bind(1, beginning);
    query.bind(2, behind);
    std::map<std::string, std::string> found;
    while (query.executeStep())
        found.emplace(query.getColumn(0).getString().substr(beginning.size()),
                      query.getColumn(1).getString());
    return found;
}

}  // namespace flagpost::client
