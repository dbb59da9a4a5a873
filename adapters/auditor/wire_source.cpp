#include "adapters/auditor/wire_source.h"

#include <thread>

#include "broker/core/limits.h"

namespace flagpost::auditor {
namespace {

using schemas::QueryKind;

constexpr std::chrono::seconds answer_patience{30};
constexpr std::chrono::milliseconds busy_wait{200};
constexpr int busy_tries_max = 50;
constexpr auto newer_head_wait = 2 * limits::checkpoint_interval;
constexpr auto cosigned_head_wait = 8 * limits::heartbeat_interval;
constexpr std::size_t cosigners_asked_for_max = 16;
constexpr std::uint8_t parts_max = 64;  // of one text

std::runtime_error refused(const Refusal& refusal) {
    return std::runtime_error{"the broker refused: " + std::string{name(refusal.reason)} + ", " +
                              refusal.where};
}

}  // namespace

Bytes WireSource::ask(QueryKind kind, std::uint8_t level, std::uint64_t from, std::size_t width) {
    schemas::QueryValue query;
    query.kind = kind;
    query.level = level;
    query.from = from;
    query.width = static_cast<std::uint16_t>(width);
    return ask(query);
}

Bytes WireSource::ask(const schemas::QueryValue& query) {
    auto answer = answer_to(query);
    if (!answer) throw refused(answer.error());
    return std::move(answer->content);
}

Result<client::Agent::Answered> WireSource::answer_to(const schemas::QueryValue& query) {
    for (int tries = 0;; ++tries) {
        auto answer = agent_.ask(query, answer_patience);
        if (answer || answer.error().reason != Reason::busy || tries == busy_tries_max) return answer;
        std::this_thread::sleep_for(busy_wait);
    }
}

// The head at hand may be older than this connection, and so miss what happened just before somebody asked for an
// export. Our own connecting is a leaf: the head that covers it follows within a moment, if it is not this one already;
// witnesses take longer, as they sign when they next hear of a head.
std::string WireSource::checkpoint() {
    const auto text_of = [](const std::string& note) { return note.substr(0, note.find("\n\n")); };
    const auto first = head_cosigned_by(0);
    const auto until = std::chrono::steady_clock::now() + (policy_ ? cosigned_head_wait : newer_head_wait);
    std::optional<std::string> newest;
    while (std::chrono::steady_clock::now() < until) {
        newest = head_that_satisfies();
        if (newest && (!first || text_of(*newest) != text_of(*first))) return *newest;
        std::this_thread::sleep_for(busy_wait);
    }
    if (!newest)
        throw std::runtime_error{"no head that the policy accepts: its witnesses have not cosigned one yet"};
    return *newest;
}

// The broker knows how many have cosigned a head, not which of them we insist on.
std::optional<std::string> WireSource::head_that_satisfies() {
    if (!policy_) return head_cosigned_by(0);
    const auto most = std::min(policy_->witness_count(), cosigners_asked_for_max);
    for (std::size_t witnesses = 0; witnesses <= most; ++witnesses) {
        auto head = head_cosigned_by(static_cast<std::uint8_t>(witnesses));
        if (!head) return std::nullopt;  // nor will there be one with more
        if (policy_->judge(*head)) return head;
    }
    return std::nullopt;
}

std::optional<std::string> WireSource::head_cosigned_by(std::uint8_t witnesses) {
    schemas::QueryValue query;
    query.kind = QueryKind::checkpoint;
    query.level = witnesses;
    const auto answer = agent_.ask(query, answer_patience);
    if (answer) return std::string{text(answer->content)};
    if (answer.error().reason == Reason::not_found || answer.error().reason == Reason::busy)
        return std::nullopt;
    throw refused(answer.error());
}

log::TileHashes WireSource::tile(log::TileId id, std::size_t width) {
    const auto content = ask(QueryKind::tile, id.level, id.number, width);
    if (content.size() % 32 != 0) throw std::runtime_error{"the broker's tile is not made of hashes"};
    log::TileHashes hashes;
    for (std::size_t at = 0; at < content.size(); at += 32)
        hashes.push_back(*exactly<32>(BytesView{content}.subspan(at, 32)));
    if (hashes.size() > width) hashes.resize(width);  // the tree has grown since
    return hashes;
}

std::vector<Bytes> WireSource::entries(std::uint64_t from, std::size_t count) {
    return items_in(ask(QueryKind::entries, 0, from, count), count);
}

std::vector<Bytes> WireSource::bodies(std::uint64_t from, std::size_t count) {
    return items_in(ask(QueryKind::bodies, 0, from, count), count);
}

Bytes WireSource::keys(std::uint64_t from, std::size_t count, const SealedTerms& terms) {
    schemas::QueryValue query;
    query.kind = QueryKind::keys;
    query.from = from;
    query.width = static_cast<std::uint16_t>(count);
    query.scope = terms.scope;
    query.reason = terms.reason;
    query.key.assign(terms.key.begin(), terms.key.end());
    return ask(query);
}

void WireSource::tell_reading(const std::string& what, const std::string& why) {
    schemas::QueryValue query;
    query.kind = QueryKind::reading;
    query.scope = what;
    query.reason = why;
    ask(query);
}

std::optional<std::string> WireSource::setting(std::uint64_t index) {
    schemas::QueryValue query;
    query.kind = QueryKind::policies;
    query.from = index;
    std::string whole;
    for (;;) {
        const auto answer = answer_to(query);
        if (!answer && answer.error().reason == Reason::not_found) return std::nullopt;
        if (!answer) throw refused(answer.error());
        whole += text(answer->content);
        if (!answer->more) return whole;
        if (++query.level == parts_max) throw std::runtime_error{"the broker's answer does not end"};
    }
}

std::vector<Bytes> items_in(BytesView answer, std::size_t most) {
    std::vector<Bytes> items;
    while (!answer.empty() && items.size() < most) {
        if (answer.size() < 4) throw std::runtime_error{"the broker's answer ends inside a length"};
        const auto length = read_be(answer.first(4));
        answer = answer.subspan(4);
        if (answer.size() < length) throw std::runtime_error{"the broker's answer ends inside an item"};
        items.push_back(copy(answer.first(length)));
        answer = answer.subspan(length);
    }
    return items;
}

}  // namespace flagpost::auditor
