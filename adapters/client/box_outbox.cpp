/// The outbox: what the adapter owes the broker.
#include <array>
#include <stdexcept>

#include "adapters/client/box_file.h"

namespace flagpost::client {
namespace {

std::vector<OutgoingStatus> newest(SQLite::Database& db, OutgoingState state, std::size_t most) {
    SQLite::Statement query(db, std::string{"SELECT "} + outgoing_columns +
                                    " FROM outgoing WHERE state = ? ORDER BY seq DESC LIMIT ?");
    query.bind(1, static_cast<int>(state));
    query.bind(2, static_cast<std::int64_t>(most));
    std::vector<OutgoingStatus> found;
    while (query.executeStep()) found.push_back(status_of(query));
    return found;
}

}  // namespace

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
    return newest(impl_->db, OutgoingState::refused, most);
}

std::vector<OutgoingStatus> Box::newest_confirmed(std::size_t most) const {
    return newest(impl_->db, OutgoingState::confirmed, most);
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

}  // namespace flagpost::client
