#include "adapters/client/box.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <array>
#include <stdexcept>

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

// Names of facts that belong to one notice, each followed by its id in hex.
const std::string recalled_fact = "recalled/";    // reference of the recall
const std::string verdict_fact = "verdict/";      // who was the first of two to decide
const std::string kept_from_fact = "kept-from/";  // by notice or review in hex, and name
const std::string answer_fact = "answer/";        // by question as it was asked: id of the answer
const std::string given_fact = "answer-given/";   // by question as it came: what was answered

constexpr auto outgoing_columns = "id, state, source, subject, enqueued_us, leaf, reason, place";
constexpr auto incoming_columns =
    "topic, number, leaf, kind, id, payload, received_us, opened_us, opened_by, recorded_us, recorded_by, "
    "outcome";

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

std::optional<Instant> instant_of(const SQLite::Column& column) {
    if (column.isNull()) return std::nullopt;
    return from_us(column.getInt64());
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

Incoming incoming_of(SQLite::Statement& row, bool with_payload = true) {
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

/// One child in one incident, whichever version of the notice says so.
std::string thread_of(const schemas::SocialCareNotice& notice) {
    return notice.force()->str() + "/" + notice.incident_reference()->str() + "/" + notice.la()->str() + "/" +
           notice.la_child_id()->str();
}

/// What people and receipts call a delivery by: the id of its notice, review or load, and its printed reference.
struct Handles {
    std::optional<Id16> thing;
    std::string reference;
};

template <class Table, class Thing> Handles handles_from(BytesView payload, Thing thing) {
    const auto table = wire::read_table<Table>(payload, "payload");
    if (!table) return {};
    Handles handles;
    if (const auto* id = thing(**table)) handles.thing = exactly<16>({id->data(), id->size()});
    if constexpr (requires { (*table)->reference(); })
        if (const auto* reference = (*table)->reference()) handles.reference = reference->str();
    return handles;
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

/// Whose conflict list it stands under: a recall and an answer of police under that of the notice they are about.
std::vector<Id16> notices_of(const Incoming& item) {
    std::vector<Id16> notices;
    const auto add = [&](const flatbuffers::Vector<std::uint8_t>* ids) {
        if (ids == nullptr) return;
        for (BytesView rest{ids->data(), ids->size()}; rest.size() >= 16; rest = rest.subspan(16))
            notices.push_back(*exactly<16>(rest.first(16)));
    };
    if (item.kind == schemas::Kind::recall) {
        if (const auto recall = wire::read_table<schemas::Recall>(item.payload, "payload"))
            add((*recall)->recalls());
    } else if (item.kind == schemas::Kind::answer) {
        if (const auto answer = wire::read_table<schemas::QuestionAnswer>(item.payload, "payload"))
            add((*answer)->notice());
    } else if (const auto id = handles_of(item).thing) {
        notices.push_back(*id);
    }
    return notices;
}

}  // namespace

class Box::Impl {
public:
    Impl(const std::filesystem::path& file, Clock& clock, Random& random) try
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

    Instant now() { return clock_.now(); }

    /// What police have answered about it says what it said.
    void take_back_answers(const std::string& notice, std::int64_t at_us) {
        std::vector<std::int64_t> about_it;
        SQLite::Statement answers(db,
                                  "SELECT seq, payload FROM incoming WHERE kind = ? AND recorded_us IS NULL");
        answers.bind(1, static_cast<int>(schemas::Kind::answer));
        while (answers.executeStep()) {
            const Bytes payload = blob(answers.getColumn(1));
            const auto answer = wire::read_table<schemas::QuestionAnswer>(payload, "payload");
            if (!answer || (*answer)->notice() == nullptr) continue;
            if (to_hex({(*answer)->notice()->data(), (*answer)->notice()->size()}) == notice)
                about_it.push_back(answers.getColumn(0).getInt64());
        }
        for (const auto seq : about_it) {
            SQLite::Statement close(db,
                                    "UPDATE incoming SET recorded_us = ?, recorded_by = 'Flagpost', "
                                    "outcome = 'recalled' WHERE seq = ?");
            close.bind(1, at_us);
            close.bind(2, seq);
            close.exec();
        }
    }

    /// What a recall names is closed, and known to be taken back. Inside the caller's transaction.
    void take_back(const Incoming& item) {
        const auto recall = wire::read_table<schemas::Recall>(item.payload, "payload");
        if (!recall) return;
        const BytesView all{(*recall)->recalls()->data(), (*recall)->recalls()->size()};
        for (auto rest = all; rest.size() >= 16; rest = rest.subspan(16)) {
            const std::string thing = to_hex(*exactly<16>(rest.first(16)));
            SQLite::Statement fact(db, "INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)");
            fact.bind(1, recalled_fact + thing);
            fact.bind(2, (*recall)->reference()->str());
            fact.exec();
            SQLite::Statement close(db,
                                    "UPDATE incoming SET recorded_us = ?, recorded_by = ?, outcome = ? "
                                    "WHERE thing = ? AND recorded_us IS NULL");
            close.bind(1, to_us(item.received));
            close.bind(2, "Flagpost");
            close.bind(3, "recalled");
            close.bind(4, thing);
            close.exec();
            take_back_answers(thing, to_us(item.received));
        }
    }

    /// Inside the caller's transaction.
    void insert_receipt(const Incoming& item, const Id16& thing, schemas::ReceiptValue receipt,
                        const AgencyId& agency) {
        receipt.notice.assign(thing.begin(), thing.end());
        wire::Draft draft{schemas::Kind::receipt, "receipts/" + agency.text(), {}, {}, {}, item.id, {}};
        draft.subject = to_hex(thing);
        draft.payload = wire::pack<schemas::Receipt>(receipt);
        insert(draft, item.topic + "#" + std::to_string(item.number));
    }

    /// So that the question finds its answer. Inside the caller's transaction.
    void note_answer(const Incoming& item) {
        const auto answer = wire::read_table<schemas::QuestionAnswer>(item.payload, "payload");
        const auto id = handles_of(item).thing;
        if (!answer || !id) return;
        const auto* question = (*answer)->question();
        SQLite::Statement fact(db, "INSERT OR IGNORE INTO fact (name, value) VALUES (?, ?)");
        fact.bind(1, answer_fact + to_hex({question->data(), question->size()}));
        fact.bind(2, to_hex(*id));
        fact.exec();
    }

    /// Who is kept from a notice, and who no longer is. Inside the caller's transaction, as the above.
    void note_report(const Incoming& item) {
        using schemas::ReportOf;
        const auto report = wire::read_table<schemas::Report>(item.payload, "payload");
        if (!report || (*report)->person() == nullptr) return;
        const auto* notice = (*report)->notice();
        const bool kept = (*report)->what() == ReportOf::kept_from;
        if (!kept && (*report)->what() != ReportOf::not_kept_from) return;
        SQLite::Statement fact(db, kept ? "INSERT OR IGNORE INTO fact (name, value) VALUES (?, '')"
                                        : "DELETE FROM fact WHERE name = ?");
        fact.bind(
            1, kept_from_fact + to_hex({notice->data(), notice->size()}) + "/" + (*report)->person()->str());
        fact.exec();
    }

    /// Inside the caller's transaction.
    Id16 insert(const wire::Draft& draft, const std::string& source) {
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
        SQLite::Statement& body =
            statement("INSERT INTO envelope (seq, bytes) VALUES (?, ?)", insert_envelope_);
        body.bind(1, db.getLastInsertRowid());
        bind_blob(body, 2, envelope);
        body.exec();
        return id;
    }

    std::vector<OutgoingStatus> newest(OutgoingState state, std::size_t most) const {
        SQLite::Statement query(db, std::string{"SELECT "} + outgoing_columns +
                                        " FROM outgoing WHERE state = ? ORDER BY seq DESC LIMIT ?");
        query.bind(1, static_cast<int>(state));
        query.bind(2, static_cast<std::int64_t>(most));
        std::vector<OutgoingStatus> found;
        while (query.executeStep()) found.push_back(status_of(query));
        return found;
    }

    /// A statement compiled once, ready to be bound again.
    SQLite::Statement& statement(const char* sql, std::optional<SQLite::Statement>& kept) {
        if (!kept) kept.emplace(db, sql);
        kept->reset();
        kept->clearBindings();
        return *kept;
    }

    mutable SQLite::Database db;
    std::optional<SQLite::Statement> find_fact, keep_fact;
    bool in_transaction = false;  // of at_once

private:
    Clock& clock_;
    Random& random_;
    std::optional<SQLite::Statement> insert_message_;
    std::optional<SQLite::Statement> insert_envelope_;
};

namespace {

/// A transaction of its own, or part of the one that at_once has begun.
class Writing {
public:
    Writing(SQLite::Database& db, bool inside) {
        if (!inside) own_.emplace(db, SQLite::TransactionBehavior::IMMEDIATE);
    }
    void commit() {
        if (own_) own_->commit();
    }

private:
    std::optional<SQLite::Transaction> own_;
};

}  // namespace

Box::Box(const std::filesystem::path& file, Clock& clock, Random& random)
    : impl_{std::make_unique<Impl>(file, clock, random)} {}
Box::~Box() = default;

std::vector<Id16> Box::enqueue(const std::vector<std::pair<wire::Draft, std::string>>& drafts_and_sources,
                               const std::optional<std::string>& mark) {
    std::vector<Id16> ids;
    ids.reserve(drafts_and_sources.size());
    Writing transaction(impl_->db, impl_->in_transaction);
    for (const auto& [draft, source] : drafts_and_sources) ids.push_back(impl_->insert(draft, source));
    if (mark) {
        SQLite::Statement remember(impl_->db, "INSERT INTO mark (name) VALUES (?)");
        remember.bind(1, *mark);
        remember.exec();
    }
    transaction.commit();
    return ids;
}

bool Box::marked(const std::string& mark) const {
    SQLite::Statement query(impl_->db, "SELECT 1 FROM mark WHERE name = ?");
    query.bind(1, mark);
    return query.executeStep();
}

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

bool Box::has_waiting(std::uint64_t at_least) const {
    if (at_least == 0) return true;
    SQLite::Statement query(impl_->db, "SELECT 1 FROM outgoing WHERE state = 0 LIMIT 1 OFFSET ?");
    query.bind(1, static_cast<std::int64_t>(at_least - 1));
    return query.executeStep();
}

std::vector<Outgoing> Box::waiting(std::size_t most, const std::optional<Id16>& after) const {
    SQLite::Statement query(
        impl_->db,
        "SELECT o.id, e.bytes, o.source FROM outgoing o JOIN envelope e ON e.seq = o.seq "
        "WHERE o.state = 0 AND o.seq > ifnull((SELECT seq FROM outgoing WHERE id = ?), 0) "
        "ORDER BY o.seq LIMIT ?");
    if (after) bind_blob(query, 1, *after);
    query.bind(2, static_cast<std::int64_t>(most));
    std::vector<Outgoing> messages;
    while (query.executeStep())
        messages.push_back(
            {id_of(query.getColumn(0)), blob(query.getColumn(1)), query.getColumn(2).getString()});
    return messages;
}

void Box::confirmed(const std::vector<std::pair<Id16, std::uint64_t>>& ids_and_leaves) {
    if (ids_and_leaves.empty()) return;
    Writing transaction(impl_->db, impl_->in_transaction);
    SQLite::Statement settle(impl_->db,
                             "UPDATE outgoing SET state = 1, leaf = ?, reason = NULL, place = NULL "
                             "WHERE id = ? AND state <> 1");
    SQLite::Statement forget(impl_->db,
                             "DELETE FROM envelope WHERE seq = (SELECT seq FROM outgoing WHERE id = ?)");
    for (const auto& [id, leaf] : ids_and_leaves) {
        settle.reset();
        settle.bind(1, static_cast<std::int64_t>(leaf));
        bind_blob(settle, 2, id);
        settle.exec();
        forget.reset();
        bind_blob(forget, 1, id);
        forget.exec();
    }
    transaction.commit();
}

void Box::refused(const Id16& id, const Refusal& refusal) {
    SQLite::Statement update(
        impl_->db, "UPDATE outgoing SET state = 2, reason = ?, place = ? WHERE id = ? AND state = 0");
    update.bind(1, static_cast<int>(refusal.reason));
    update.bind(2, refusal.where);
    bind_blob(update, 3, id);
    update.exec();
}

OutgoingStatus Box::status(const Id16& id) const {
    SQLite::Statement query(impl_->db,
                            std::string{"SELECT "} + outgoing_columns + " FROM outgoing WHERE id = ?");
    bind_blob(query, 1, id);
    if (!query.executeStep()) throw std::out_of_range{"no message of this id was ever enqueued"};
    return status_of(query);
}

Box::Counts Box::counts() const {
    SQLite::Statement query(impl_->db, "SELECT state, count(*) FROM outgoing GROUP BY state");
    std::array<std::uint64_t, 3> counts{};
    while (query.executeStep())
        counts.at(static_cast<std::size_t>(query.getColumn(0).getInt())) =
            static_cast<std::uint64_t>(query.getColumn(1).getInt64());
    SQLite::Statement oldest(impl_->db,
                             "SELECT enqueued_us FROM outgoing WHERE state = 0 ORDER BY seq LIMIT 1");
    std::optional<Instant> oldest_waiting;
    if (oldest.executeStep()) oldest_waiting = from_us(oldest.getColumn(0).getInt64());
    return {counts[0], counts[1], counts[2], oldest_waiting};
}

std::optional<OutgoingStatus> Box::last_about(const std::string& subject) const {
    SQLite::Statement query(impl_->db, std::string{"SELECT "} + outgoing_columns +
                                           " FROM outgoing WHERE subject = ? ORDER BY seq DESC LIMIT 1");
    query.bind(1, subject);
    if (!query.executeStep()) return std::nullopt;
    return status_of(query);
}

std::vector<OutgoingStatus> Box::refusals(std::size_t most) const {
    return impl_->newest(OutgoingState::refused, most);
}

std::vector<OutgoingStatus> Box::newest_confirmed(std::size_t most) const {
    return impl_->newest(OutgoingState::confirmed, most);
}

std::vector<OutgoingStatus> Box::enqueued_in(Instant from, Instant to) const {
    SQLite::Statement query(impl_->db, std::string{"SELECT "} + outgoing_columns +
                                           " FROM outgoing WHERE enqueued_us >= ? AND enqueued_us < ? "
                                           "ORDER BY seq");
    query.bind(1, to_us(from));
    query.bind(2, to_us(to));
    std::vector<OutgoingStatus> found;
    while (query.executeStep()) found.push_back(status_of(query));
    return found;
}

void Box::receive(const std::vector<Incoming>& deliveries) {
    if (deliveries.empty()) return;
    SQLite::Transaction transaction(impl_->db, SQLite::TransactionBehavior::IMMEDIATE);
    SQLite::Statement insert(
        impl_->db,
        "INSERT INTO incoming (topic, number, leaf, kind, id, payload, received_us, thing, "
        "reference) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING");
    for (const Incoming& item : deliveries) {
        const Handles handles = handles_of(item);
        insert.reset();
        insert.clearBindings();
        insert.bind(1, item.topic);
        insert.bind(2, static_cast<std::int64_t>(item.number));
        insert.bind(3, static_cast<std::int64_t>(item.index));
        insert.bind(4, static_cast<int>(item.kind));
        bind_blob(insert, 5, item.id);
        bind_blob(insert, 6, item.payload);
        insert.bind(7, to_us(item.received));
        if (handles.thing) insert.bind(8, to_hex(*handles.thing));
        if (!handles.reference.empty()) insert.bind(9, handles.reference);
        if (insert.exec() == 0) continue;
        if (item.kind == schemas::Kind::recall) impl_->take_back(item);
        if (item.kind == schemas::Kind::answer) impl_->note_answer(item);
        if (item.kind == schemas::Kind::report) impl_->note_report(item);
    }
    transaction.commit();
}

std::vector<Incoming> Box::inbox(bool closed_too) const {
    SQLite::Statement query(impl_->db, std::string{"SELECT "} + incoming_columns + " FROM incoming" +
                                           (closed_too ? ""
                                                       : " WHERE recorded_us IS NULL AND kind NOT IN (?, ?) "
                                                         "AND NOT (kind = ? AND opened_us IS NOT NULL)") +
                                           " ORDER BY seq");
    if (!closed_too) {
        query.bind(1, static_cast<int>(schemas::Kind::load_result));
        query.bind(2, static_cast<int>(schemas::Kind::report));
        query.bind(3, static_cast<int>(schemas::Kind::answer));
    }
    std::vector<Incoming> items;
    while (query.executeStep()) items.push_back(incoming_of(query));
    return items;
}

std::vector<Incoming> Box::unrecorded(schemas::Kind kind, std::size_t most,
                                      const std::function<bool(const Id16&)>& known) const {
    SQLite::Statement query(impl_->db,
                            std::string{"SELECT "} + incoming_columns +
                                " FROM incoming WHERE recorded_us IS NULL AND kind = ? ORDER BY seq LIMIT ?");
    query.bind(1, static_cast<int>(kind));
    query.bind(2, static_cast<std::int64_t>(most));
    std::vector<Incoming> items;
    while (query.executeStep())
        items.push_back(incoming_of(query, !known || !known(id_of(query.getColumn(4)))));
    return items;
}

std::vector<Incoming> Box::holding(schemas::Kind kind, std::string_view bytes) const {
    SQLite::Statement query(impl_->db,
                            std::string{"SELECT "} + incoming_columns +
                                " FROM incoming WHERE kind = ? AND instr(payload, ?) > 0 ORDER BY seq");
    query.bind(1, static_cast<int>(kind));
    bind_blob(query, 2, view(bytes));
    std::vector<Incoming> items;
    while (query.executeStep()) items.push_back(incoming_of(query));
    return items;
}

std::vector<Box::Arrival> Box::arrivals(schemas::Kind kind) const {
    SQLite::Statement query(
        impl_->db,
        "SELECT topic, reference, min(received_us) FROM incoming WHERE kind = ? AND reference "
        "IS NOT NULL GROUP BY topic, reference");
    query.bind(1, static_cast<int>(kind));
    std::vector<Arrival> all;
    while (query.executeStep())
        all.push_back({query.getColumn(0).getString(), query.getColumn(1).getString(),
                       from_us(query.getColumn(2).getInt64())});
    return all;
}

std::int64_t Box::data_version() const { return impl_->db.execAndGet("PRAGMA data_version").getInt64(); }

void Box::consumed(const Incoming& item, const std::string& by, const std::string& outcome) {
    Writing transaction(impl_->db, impl_->in_transaction);
    // The row stays: by its id a repeat of the delivery is known.
    SQLite::Statement update(
        impl_->db,
        "UPDATE incoming SET recorded_us = ?, recorded_by = ?, outcome = ?, payload = x'' "
        "WHERE topic = ? AND id = ?");
    update.bind(1, to_us(impl_->now()));
    update.bind(2, by);
    update.bind(3, outcome);
    update.bind(4, item.topic);
    bind_blob(update, 5, item.id);
    update.exec();
    transaction.commit();
}

std::vector<Incoming> Box::recorded_since(Instant since, std::size_t most) const {
    SQLite::Statement query(impl_->db,
                            std::string{"SELECT "} + incoming_columns +
                                " FROM incoming WHERE recorded_us >= ? ORDER BY recorded_us DESC, seq "
                                "LIMIT ?");
    query.bind(1, to_us(since));
    query.bind(2, static_cast<std::int64_t>(most));
    std::vector<Incoming> items;
    while (query.executeStep()) items.push_back(incoming_of(query));
    return items;
}

std::optional<Incoming> Box::find(const std::string& what) const {
    const auto first = [&](const std::string& condition, auto... values) -> std::optional<Incoming> {
        SQLite::Statement query(impl_->db, std::string{"SELECT "} + incoming_columns +
                                               " FROM incoming WHERE " + condition +
                                               " ORDER BY seq DESC LIMIT 1");
        int place = 0;
        (query.bind(++place, values), ...);
        if (!query.executeStep()) return std::nullopt;
        return incoming_of(query);
    };
    if (const auto hash = what.rfind('#'); hash != std::string::npos)
        return first("topic = ? AND number = CAST(? AS INTEGER)", what.substr(0, hash),
                     what.substr(hash + 1));
    if (auto found = first("reference = ?", what)) return found;
    const auto id = from_hex(what);
    return id ? first("thing = ?", to_hex(*id)) : std::nullopt;
}

std::vector<Instant> Box::deliveries_of(const std::string& reference) const {
    SQLite::Statement query(impl_->db, "SELECT received_us FROM incoming WHERE reference = ? ORDER BY seq");
    query.bind(1, reference);
    std::vector<Instant> times;
    while (query.executeStep()) times.push_back(from_us(query.getColumn(0).getInt64()));
    return times;
}

bool Box::acknowledge(const Incoming& item, schemas::Level level, const std::string& by,
                      const std::string& outcome, const AgencyId& agency) {
    if (level == schemas::Level::stored) throw std::logic_error{"stored is acknowledged by the session"};
    const auto thing = handles_of(item).thing;
    if (!thing || item.kind == schemas::Kind::load_result) return false;  // nothing anybody waits for

    SQLite::Transaction transaction(impl_->db, SQLite::TransactionBehavior::IMMEDIATE);
    const Instant at = impl_->now();
    const bool recorded = level == schemas::Level::recorded;
    SQLite::Statement update(impl_->db,
                             recorded ? "UPDATE incoming SET recorded_us = ?, recorded_by = ?, outcome = ? "
                                        "WHERE thing = ? AND recorded_us IS NULL"
                                      : "UPDATE incoming SET opened_us = ?, opened_by = ?, outcome = "
                                        "ifnull(outcome, ?) WHERE thing = ? AND opened_us IS NULL");
    update.bind(1, to_us(at));
    update.bind(2, by);
    if (!outcome.empty()) update.bind(3, outcome);
    update.bind(4, to_hex(*thing));  // however often it was delivered: an escalation brings a notice again
    if (update.exec() == 0) return false;

    schemas::ReceiptValue receipt;
    receipt.level = level;
    receipt.by = by;
    receipt.outcome = outcome;
    receipt.at_us = to_us(at);
    impl_->insert_receipt(item, *thing, std::move(receipt), agency);
    transaction.commit();
    return true;
}

bool Box::change(const Incoming& notice, const std::string& by, const std::string& outcome,
                 const AgencyId& agency) {
    const auto thing = handles_of(notice).thing;
    const bool is_notice =
        notice.kind == schemas::Kind::social_care_notice || notice.kind == schemas::Kind::school_notice;
    if (!thing || !is_notice || outcome.empty()) return false;
    SQLite::Transaction transaction(impl_->db, SQLite::TransactionBehavior::IMMEDIATE);
    if (recalled_by(notice)) return false;
    const Instant at = impl_->now();
    SQLite::Statement update(impl_->db,
                             "UPDATE incoming SET recorded_us = ?, recorded_by = ?, outcome = ? WHERE thing "
                             "= ? AND recorded_us IS NOT NULL AND outcome <> ?");
    update.bind(1, to_us(at));
    update.bind(2, by);
    update.bind(3, outcome);
    update.bind(4, to_hex(*thing));
    update.bind(5, outcome);
    if (update.exec() == 0) return false;
    schemas::ReceiptValue receipt;
    receipt.level = schemas::Level::recorded;
    receipt.by = by;
    receipt.outcome = outcome;
    receipt.at_us = to_us(at);
    impl_->insert_receipt(notice, *thing, std::move(receipt), agency);
    transaction.commit();
    return true;
}

Box::Decided Box::decide(const Incoming& review, schemas::Verdict verdict, const std::string& by,
                         const std::string& reason, const AgencyId& agency, const std::string& note) {
    const auto item = wire::read_table<schemas::ReviewItem>(review.payload, "payload");
    const auto thing = handles_of(review).thing;
    if (review.kind != schemas::Kind::review_item || !item || !thing)
        throw std::logic_error{"only a review is decided"};
    const std::string hex = to_hex(*thing);
    const bool unsure = verdict == schemas::Verdict::unsure;

    Writing transaction(impl_->db, impl_->in_transaction);
    const auto now = find(hex);
    if (!now || now->recorded) return Decided::already;
    const auto first = fact(verdict_fact + hex);
    if (!unsure && (*item)->two_people() && first == by) return Decided::same_person;
    const bool settles = !unsure && (!(*item)->two_people() || first);
    const Instant at = impl_->now();
    SQLite::Statement update(impl_->db,
                             settles ? "UPDATE incoming SET recorded_us = ?, recorded_by = ?, outcome = ? "
                                       "WHERE thing = ? AND recorded_us IS NULL"
                                     : "UPDATE incoming SET opened_us = ifnull(opened_us, ?), opened_by = "
                                       "ifnull(opened_by, ?), outcome = ifnull(outcome, ?) WHERE thing = ? "
                                       "AND recorded_us IS NULL");
    update.bind(1, to_us(at));
    update.bind(2, by);
    if (settles) update.bind(3, std::string{schemas::EnumNameVerdict(verdict)} + ": " + reason);
    update.bind(4, hex);
    update.exec();
    if (!settles && !unsure) set_fact(verdict_fact + hex, by);

    schemas::ReviewDecisionValue decision;
    decision.review.assign(thing->begin(), thing->end());
    decision.verdict = verdict;
    decision.by = by;
    decision.reason = reason;
    decision.note = note;
    decision.at_us = to_us(at);
    wire::Draft draft{schemas::Kind::review_decision, "receipts/" + agency.text(), {}, {}, {}, review.id, {}};
    draft.subject = hex;
    draft.payload = wire::pack<schemas::ReviewDecision>(decision);
    impl_->insert(draft, review.topic + "#" + std::to_string(review.number));
    transaction.commit();
    return settles ? Decided::settled : unsure ? Decided::asked : Decided::first_of_two;
}

bool Box::waits_for_second(const Incoming& review) const {
    const auto thing = handles_of(review).thing;
    return thing && !review.recorded && fact(verdict_fact + to_hex(*thing)).has_value();
}

std::optional<std::string> Box::recalled_by(const Incoming& item) const {
    const auto thing = handles_of(item).thing;
    return thing ? fact(recalled_fact + to_hex(*thing)) : std::nullopt;
}

bool Box::ask(const Incoming& notice, const Asking& asking, const AgencyId& agency,
              const std::optional<std::string>& once) {
    const auto told = wire::read_table<schemas::SocialCareNotice>(notice.payload, "payload");
    const auto thing = handles_of(notice).thing;
    if (notice.kind != schemas::Kind::social_care_notice || !told || !thing)
        throw std::logic_error{"questions are about notices"};
    SQLite::Transaction transaction(impl_->db, SQLite::TransactionBehavior::IMMEDIATE);
    if (once) {
        SQLite::Statement remember(impl_->db, "INSERT OR IGNORE INTO mark (name) VALUES (?)");
        remember.bind(1, *once);
        if (remember.exec() == 0) return false;
    }
    schemas::QuestionValue question;
    question.notice.assign(thing->begin(), thing->end());
    question.force = (*told)->force()->str();
    question.incident_reference = (*told)->incident_reference()->str();
    question.about = asking.about;
    question.text = asking.text;
    question.by = asking.by;
    question.asked_us = to_us(impl_->now());
    wire::Draft draft{schemas::Kind::question, "receipts/" + agency.text(), {}, {}, {}, notice.id, {}};
    draft.subject = question.incident_reference;
    draft.payload = wire::pack<schemas::Question>(question);
    const Id16 id = impl_->insert(draft, notice.topic + "#" + std::to_string(notice.number));
    SQLite::Statement keep(impl_->db, "INSERT INTO question (id, thread, payload) VALUES (?, ?, ?)");
    bind_blob(keep, 1, id);
    keep.bind(2, thread_of(**told));
    bind_blob(keep, 3, draft.payload);
    keep.exec();
    transaction.commit();
    return true;
}

std::vector<Box::Question> Box::questions_about(const Incoming& notice) const {
    std::vector<Question> questions;
    const auto told = wire::read_table<schemas::SocialCareNotice>(notice.payload, "payload");
    if (notice.kind != schemas::Kind::social_care_notice || !told) return questions;
    SQLite::Statement query(impl_->db, "SELECT id, payload FROM question WHERE thread = ? ORDER BY seq");
    query.bind(1, thread_of(**told));
    while (query.executeStep()) {
        const Bytes payload = blob(query.getColumn(1));
        const auto asked = wire::read_table<schemas::Question>(payload, "payload");
        if (!asked) throw std::runtime_error{"the box holds a question that cannot be read"};
        schemas::QuestionValue value;
        (*asked)->UnPackTo(&value);
        Question question{
            id_of(query.getColumn(0)), {value.about, value.text, value.by},
             from_us(value.asked_us), {        }
        };
        if (const auto answer = fact(answer_fact + to_hex(question.id))) question.answer = find(*answer);
        questions.push_back(std::move(question));
    }
    return questions;
}

bool Box::answer(const Incoming& question, const std::string& outcome, const std::string& text,
                 const std::string& by, const AgencyId& agency) {
    const auto thing = handles_of(question).thing;
    if (question.kind != schemas::Kind::question || !thing)
        throw std::logic_error{"only a question is answered"};
    const std::string hex = to_hex(*thing);
    SQLite::Transaction transaction(impl_->db, SQLite::TransactionBehavior::IMMEDIATE);
    const Instant at = impl_->now();
    SQLite::Statement update(impl_->db,
                             "UPDATE incoming SET recorded_us = ?, recorded_by = ?, outcome = ? WHERE thing "
                             "= ? AND recorded_us IS NULL");
    update.bind(1, to_us(at));
    update.bind(2, by);
    update.bind(3, outcome);
    update.bind(4, hex);  // however often it was delivered
    if (update.exec() == 0) return false;
    set_fact(given_fact + hex, text);

    schemas::QuestionAnswerValue answer;
    answer.question.assign(thing->begin(), thing->end());
    answer.outcome = outcome;
    answer.text = text;
    answer.by = by;
    answer.answered_us = to_us(at);
    wire::Draft draft{schemas::Kind::answer, "receipts/" + agency.text(), {}, {}, {}, question.id, {}};
    draft.subject = hex;
    draft.payload = wire::pack<schemas::QuestionAnswer>(answer);
    impl_->insert(draft, question.topic + "#" + std::to_string(question.number));
    transaction.commit();
    return true;
}

std::string Box::answer_given(const Incoming& question) const {
    const auto thing = handles_of(question).thing;
    return thing ? fact(given_fact + to_hex(*thing)).value_or("") : std::string{};
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

std::vector<std::string> Box::kept_from(const Incoming& item) const {
    std::vector<std::string> names;
    for (const auto& notice : notices_of(item))
        for (const auto& [name, value] : facts_under(kept_from_fact + to_hex(notice) + "/"))
            names.push_back(name);
    return names;
}

std::map<std::string, std::vector<std::string>> Box::kept_from() const {
    constexpr std::size_t id_size = 2 * std::tuple_size_v<Id16>;
    std::map<std::string, std::vector<std::string>> all;
    for (const auto& [key, value] : facts_under(kept_from_fact))
        all[key.substr(0, id_size)].push_back(key.substr(id_size + 1));
    return all;
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
