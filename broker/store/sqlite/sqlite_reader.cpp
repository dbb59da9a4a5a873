#include <algorithm>

#include "broker/store/sqlite/entries.h"
#include "broker/store/sqlite/keys.h"
#include "broker/store/sqlite/sqlite_store.h"

namespace flagpost::store::sqlite {
namespace {

constexpr std::size_t salt_size = 16;

/// Sealing needs randomness, opening does not: a reader that asked for some would be a bug.
class NoRandom final : public Random {
public:
    void fill(std::span<std::uint8_t>) override { throw std::logic_error{"a reader seals nothing"}; }
};

class SqliteReader final : public Reader {
public:
    SqliteReader(const std::filesystem::path& file, crypto::MasterKeys master, crypto::SymmetricKey digest)
        : sealer_{std::move(master), no_random_},
          pseudonyms_{std::move(digest)},
          database_{open_reader(file)},
          entries_{database_},
          receipt_{database_,
                   "SELECT bytes, idx FROM receipt JOIN agency ON agency.id = receipt.agency "
                   "WHERE name = ? AND message = ?"},
          about_{database_, "SELECT idx FROM subject WHERE mac = ? ORDER BY idx LIMIT ?"},
          kept_{database_,
                "SELECT idx, leaf, keys, controller, retention FROM entry LEFT JOIN label ON label.id = "
                "entry.label "
                "WHERE idx >= ? AND idx < ? AND wrap IS NOT NULL ORDER BY idx"},
          rests_{database_, "SELECT 1 FROM live WHERE key = ? AND idx = ?"} {}

    std::optional<Receipt> receipt(const AgencyId& agency, const Id16& message) override;
    std::optional<Bytes> body(std::uint64_t index) override;
    std::optional<Bytes> leaf(std::uint64_t index) override;
    std::optional<SealedItem> sealed(std::uint64_t index) override;
    std::vector<std::uint64_t> about(std::string_view subject, std::size_t most) override;
    std::vector<log::Kept> kept(std::uint64_t from, std::uint64_t to) override;
    std::optional<log::BodyKey> body_key(std::uint64_t index) override;
    log::TileHashes tile(log::TileId id) override {
        return guarded("read tile", [&] { return entries_.tile(id); });
    }
    std::uint64_t size() override {
        return guarded("read size", [&] { return entries_.size(); });
    }

private:
    std::optional<Entry> stored_entry(std::uint64_t index);
    std::optional<Entry> sound_entry(std::uint64_t index);

    NoRandom no_random_;
    crypto::Sealer sealer_;
    Pseudonyms pseudonyms_;
    SQLite::Database database_;
    Entries entries_;
    Query receipt_;
    Query about_, kept_, rests_;
    std::optional<log::Kept> kept_in(const SQLite::Statement& row);
};

std::optional<Entry> SqliteReader::stored_entry(std::uint64_t index) {
    return guarded("read entry", [&] { return entries_.entry(index); });
}

std::optional<Entry> SqliteReader::sound_entry(std::uint64_t index) {
    auto entry = stored_entry(index);
    if (!entry) return std::nullopt;
    if (const auto fault = entry->fault(nullptr))
        throw StorageFailure{"entry " + std::to_string(index) + ": " + *fault};
    return entry;
}

std::optional<Receipt> SqliteReader::receipt(const AgencyId& agency, const Id16& message) {
    std::optional<Receipt> found;
    const auto take = [&](const SQLite::Statement& row) {
        const auto index = number(row, 1);
        const auto bytes = receipt_digest(blob(row, 0).value_or(BytesView{}), agency.text(), message, index);
        if (!bytes) throw StorageFailure{"receipt of entry " + std::to_string(index) + ": damaged"};
        found = Receipt{agency, message, *bytes, index};
    };
    guarded("read receipt",
            [&] { return receipt_.first(take, std::string_view{agency.text()}, BytesView{message}); });
    return found;
}

std::optional<Bytes> SqliteReader::body(std::uint64_t index) {
    const auto entry = sound_entry(index);
    if (!entry || !entry->body) return std::nullopt;
    auto body = entry->open(sealer_);
    if (!body) throw StorageFailure{"entry " + std::to_string(index) + ": wrap does not open the body"};
    return body;
}

std::optional<Bytes> SqliteReader::leaf(std::uint64_t index) {
    auto entry = stored_entry(index);
    if (!entry) return std::nullopt;
    return std::move(entry->leaf);
}

std::optional<Reader::SealedItem> SqliteReader::sealed(std::uint64_t index) {
    auto entry = stored_entry(index);
    if (!entry || !entry->body) return std::nullopt;
    SealedItem item{{}, std::move(*entry->body)};
    // A wrap cut short leaves a salt that fits no leaf, which is what the auditor then says.
    if (entry->wrap)
        std::copy_n(entry->wrap->begin(), std::min(salt_size, entry->wrap->size()), item.salt.begin());
    return item;
}

std::vector<std::uint64_t> SqliteReader::about(std::string_view subject, std::size_t most) {
    std::vector<std::uint64_t> found;
    guarded("read subject", [&] {
        about_.rows([&](const SQLite::Statement& row) { found.push_back(number(row, 0)); },
                    BytesView{pseudonyms_.subject(subject)}, std::uint64_t{most});
    });
    return found;
}

std::optional<log::Kept> SqliteReader::kept_in(const SQLite::Statement& row) {
    auto leaf = log::decode_leaf(blob(row, 1).value_or(BytesView{}));
    const auto index = number(row, 0);
    if (!leaf || leaf->index != index) return std::nullopt;
    log::Kept kept{index,
                   leaf->time,
                   row.getColumn(3).getString(),
                   row.getColumn(4).getString(),
                   std::move(leaf->subjects),
                   {}};
    // An entry sets its keys once; those that still rest on it are the ones it is needed for.
    const auto read = read_steps(blob(row, 2).value_or(BytesView{}), [&](KeyStep step, BytesView key) {
        if (step != KeyStep::set || !rests_.first([](const SQLite::Statement&) {}, key, index)) return;
        kept.rests.push_back(clear_name(key));
    });
    if (!read) return std::nullopt;
    return kept;
}

std::vector<log::Kept> SqliteReader::kept(std::uint64_t from, std::uint64_t to) {
    std::vector<log::Kept> all;
    guarded("read what is kept", [&] {
        kept_.rows(
            [&](const SQLite::Statement& row) {
                if (auto kept = kept_in(row)) all.push_back(*std::move(kept));
            },
            from, to);
    });
    return all;
}

std::optional<log::BodyKey> SqliteReader::body_key(std::uint64_t index) {
    auto entry = stored_entry(index);
    if (!entry || !entry->wrap) return std::nullopt;
    auto key = sealer_.body_key(*entry->wrap, {entry->controller, entry->retention, index});
    if (!key) return std::nullopt;
    return log::BodyKey{*std::move(key), std::move(entry->controller), std::move(entry->retention)};
}

}  // namespace

std::unique_ptr<Reader> open_store_reader(const std::filesystem::path& file, crypto::MasterKeys master,
                                          crypto::SymmetricKey digest) {
    return guarded("open reader", [&]() -> std::unique_ptr<Reader> {
        return std::make_unique<SqliteReader>(file, std::move(master), std::move(digest));
    });
}

}  // namespace flagpost::store::sqlite
