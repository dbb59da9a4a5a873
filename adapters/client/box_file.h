/// The SQLite file under a Box: its rows, and what several parts of Box do with it in one transaction. Of box*.cpp alone.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>
#include <string>
#include <vector>

#include "adapters/client/box.h"

namespace flagpost::client {

inline constexpr auto outgoing_columns = "id, state, source, subject, enqueued_us, leaf, reason, place";
inline constexpr auto incoming_columns =
    "topic, number, leaf, kind, id, payload, received_us, opened_us, opened_by, recorded_us, recorded_by, "
    "outcome";

// Names of facts that belong to one notice, each followed by its id in hex.
inline const std::string recalled_fact = "recalled/";    // reference of the recall
inline const std::string kept_from_fact = "kept-from/";  // by notice or review in hex, and name
inline const std::string answer_fact = "answer/";        // by question as it was asked: id of the answer

void bind_blob(SQLite::Statement& statement, int place, BytesView bytes);
Bytes blob(const SQLite::Column& column);
/// Throws std::runtime_error where it is not 16 bytes.
Id16 id_of(const SQLite::Column& column);
/// Of a row of `outgoing_columns`.
OutgoingStatus status_of(SQLite::Statement& row);
/// Of a row of `incoming_columns`.
Incoming incoming_of(SQLite::Statement& row, bool with_payload = true);

/// What people and receipts call a delivery by: the id of its notice, review or load, and its printed reference.
struct Handles {
    std::optional<Id16> thing;
    std::string reference;
};
Handles handles_of(const Incoming& item);

/// What was delivered is recorded, however often it was delivered: an escalation brings a notice again. False where it was
/// recorded before.
bool record(SQLite::Database& db, const std::string& thing, Instant at, const std::string& by,
            const std::string& outcome);

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

class Box::Impl {
public:
    Impl(const std::filesystem::path& file, Clock& clock, Random& random);

    Instant now() { return clock_.now(); }

    // Each inside the caller's transaction.
    Id16 insert(const wire::Draft& draft, const std::string& source);
    /// What people here say about something that was delivered.
    Id16 insert(const wire::Draft& draft, const Incoming& about);

    /// A statement compiled once, ready to be bound again.
    SQLite::Statement& statement(const char* sql, std::optional<SQLite::Statement>& kept);

    mutable SQLite::Database db;
    std::optional<SQLite::Statement> find_fact, keep_fact;
    bool in_transaction = false;  // of at_once

private:
    Clock& clock_;
    Random& random_;
    std::optional<SQLite::Statement> insert_message_;
    std::optional<SQLite::Statement> insert_envelope_;
};

}  // namespace flagpost::client
