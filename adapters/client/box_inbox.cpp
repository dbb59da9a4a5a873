/// The inbox: what the broker delivered, and what people here did about it.
#include <stdexcept>

#include "adapters/client/box_file.h"

namespace flagpost::client {
namespace {

/// What police have answered about it says what it said.
void take_back_answers(SQLite::Database& db, const std::string& notice, std::int64_t at_us) {
    std::vector<std::int64_t> about_it;
    SQLite::Statement answers(db, "SELECT seq, payload FROM incoming WHERE kind = ? AND recorded_us IS NULL");
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

/// What a recall names is closed, and known to be taken back.
void take_back(SQLite::Database& db, const Incoming& item) {
    const auto recall = wire::read_table<schemas::Recall>(item.payload, "payload");
    if (!recall) return;
    const BytesView all{(*recall)->recalls()->data(), (*recall)->recalls()->size()};
    for (auto rest = all; rest.size() >= 16; rest = rest.subspan(16)) {
        const std::string thing = to_hex(*exactly<16>(rest.first(16)));
        SQLite::Statement fact(db, "INSERT OR REPLACE INTO fact (name, value) VALUES (?, ?)");
        fact.bind(1, recalled_fact + thing);
        fact.bind(2, (*recall)->reference()->str());
        fact.exec();
        record(db, thing, item.received, "Flagpost", "recalled");
        take_back_answers(db, thing, to_us(item.received));
    }
}

/// So that the question finds its answer.
void note_answer(SQLite::Database& db, const Incoming& item) {
    const auto answer = wire::read_table<schemas::QuestionAnswer>(item.payload, "payload");
    const auto id = handles_of(item).thing;
    if (!answer || !id) return;
    const auto* question = (*answer)->question();
    SQLite::Statement fact(db, "INSERT OR IGNORE INTO fact (name, value) VALUES (?, ?)");
    fact.bind(1, answer_fact + to_hex({question->data(), question->size()}));
    fact.bind(2, to_hex(*id));
    fact.exec();
}

/// Who is kept from a notice, and who no longer is.
void note_report(SQLite::Database& db, const Incoming& item) {
    using schemas::ReportOf;
    const auto report = wire::read_table<schemas::Report>(item.payload, "payload");
    if (!report || (*report)->person() == nullptr) return;
    const auto* notice = (*report)->notice();
    const bool kept = (*report)->what() == ReportOf::kept_from;
    if (!kept && (*report)->what() != ReportOf::not_kept_from) return;
    SQLite::Statement fact(db, kept ? "INSERT OR IGNORE INTO fact (name, value) VALUES (?, '')"
                                    : "DELETE FROM fact WHERE name = ?");
    fact.bind(1,
              kept_from_fact + to_hex({notice->data(), notice->size()}) + "/" + (*report)->person()->str());
    fact.exec();
}

/// What a person did with something that was delivered.
struct Deed {
    schemas::Level level;
    std::string by, outcome;
    Instant at;
};

wire::Draft receipt_for(const Incoming& item, const Id16& thing, const Deed& deed, const AgencyId& agency) {
    schemas::ReceiptValue receipt;
    receipt.notice.assign(thing.begin(), thing.end());
    receipt.level = deed.level;
    receipt.by = deed.by;
    receipt.outcome = deed.outcome;
    receipt.at_us = to_us(deed.at);
    wire::Draft draft{schemas::Kind::receipt, "receipts/" + agency.text(), {}, {}, {}, item.id, {}};
    draft.subject = to_hex(thing);
    draft.payload = wire::pack<schemas::Receipt>(receipt);
    return draft;
}

}  // namespace

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
        if (item.kind == schemas::Kind::recall) take_back(impl_->db, item);
        if (item.kind == schemas::Kind::answer) note_answer(impl_->db, item);
        if (item.kind == schemas::Kind::report) note_report(impl_->db, item);
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
    if (level == schemas::Level::recorded) {
        if (!record(impl_->db, to_hex(*thing), at, by, outcome)) return false;
    } else {
        SQLite::Statement open(impl_->db,
                               "UPDATE incoming SET opened_us = ?, opened_by = ?, outcome = ifnull(outcome, "
                               "?) WHERE thing = ? AND opened_us IS NULL");
        open.bind(1, to_us(at));
        open.bind(2, by);
        if (!outcome.empty()) open.bind(3, outcome);
        open.bind(4, to_hex(*thing));
        if (open.exec() == 0) return false;
    }
    impl_->insert(receipt_for(item, *thing, {level, by, outcome, at}, agency), item);
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
    impl_->insert(receipt_for(notice, *thing, {schemas::Level::recorded, by, outcome, at}, agency), notice);
    transaction.commit();
    return true;
}

std::optional<std::string> Box::recalled_by(const Incoming& item) const {
    const auto thing = handles_of(item).thing;
    return thing ? fact(recalled_fact + to_hex(*thing)) : std::nullopt;
}

}  // namespace flagpost::client
