#include "broker/store/sqlite/entries.h"

#include <algorithm>

#include "broker/crypto/digest.h"
#include "broker/store/store.h"

namespace flagpost::store::sqlite {
namespace {

constexpr const char* one_entry =
    "SELECT idx, hash, leaf, keys, controller, retention, wrap, body "
    "FROM entry LEFT JOIN label ON label.id = entry.label WHERE idx = ?";
constexpr const char* entry_range =
    "SELECT idx, hash, leaf, keys, controller, retention, wrap, body "
    "FROM entry LEFT JOIN label ON label.id = entry.label WHERE idx >= ? AND idx < ? ORDER BY idx";

std::optional<Bytes> owned(const std::optional<BytesView>& bytes) {
    if (!bytes) return std::nullopt;
    return copy(*bytes);
}

Entry entry_of(const SQLite::Statement& row) {
    return Entry{number(row, 0),
                 owned(blob(row, 1)).value_or(Bytes{}),
                 owned(blob(row, 2)).value_or(Bytes{}),
                 owned(blob(row, 3)),
                 row.getColumn(4).getString(),
                 row.getColumn(5).getString(),
                 owned(blob(row, 6)),
                 owned(blob(row, 7))};
}

constexpr std::size_t row_seal_size = 8;

std::array<std::uint8_t, row_seal_size> row_seal(std::string_view agency, const Id16& message,
                                                 const Digest& bytes, std::uint64_t index) {
    Bytes place;
    append_be(place, index, sizeof index);
    const auto whole = crypto::sha256({view(agency), message, bytes, place});
    std::array<std::uint8_t, row_seal_size> seal;
    std::copy_n(whole.begin(), seal.size(), seal.begin());
    return seal;
}

log::TileHashes hashes_of(BytesView bytes, log::TileId id) {
    constexpr std::size_t hash_size = std::tuple_size_v<Digest>;
    if (bytes.empty() || bytes.size() % hash_size != 0 || bytes.size() > log::tile_width * hash_size)
        throw StorageFailure{"tile " + std::to_string(id.level) + "/" + std::to_string(id.number) +
                             ": length"};
    log::TileHashes hashes(bytes.size() / hash_size);
    for (std::size_t i = 0; i < hashes.size(); ++i)
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(i * hash_size), hash_size, hashes[i].begin());
    return hashes;
}

}  // namespace

std::optional<std::string> Entry::fault(const crypto::Sealer* sealer) const {
    if (!std::ranges::equal(log::leaf_hash(leaf), hash)) return "leaf does not have the row's hash";
    const auto decoded = log::decode_leaf(leaf);
    if (!decoded) return "leaf: " + decoded.error().where;
    if (decoded->index != index) return "leaf is of another index";
    if (wrap.has_value() != body.has_value()) return "wrap without body, or body without wrap";
    if (!body) return std::nullopt;
    if (!decoded->body) return "body the leaf does not know";
    if (crypto::body_digest(*wrap, *body) != decoded->body) return "body does not have the leaf's digest";
    if (sealer != nullptr && !open(*sealer)) return "wrap does not open the body";
    return std::nullopt;
}

std::optional<Bytes> Entry::open(const crypto::Sealer& sealer) const {
    if (!wrap || !body) return Bytes{};
    return sealer.open(*wrap, *body, {controller, retention, index});
}

Bytes receipt_column(const Receipt& receipt) {
    auto column = copy(receipt.bytes);
    const auto seal = row_seal(receipt.agency.text(), receipt.message, receipt.bytes, receipt.index);
    column.insert(column.end(), seal.begin(), seal.end());
    return column;
}

std::optional<Digest> receipt_digest(BytesView column, std::string_view agency, const Id16& message,
                                     std::uint64_t index) {
    if (column.size() != std::tuple_size_v<Digest> + row_seal_size) return std::nullopt;
    const auto digest = exactly<std::tuple_size_v<Digest>>(column.first(std::tuple_size_v<Digest>)).value();
    if (!std::ranges::equal(column.subspan(digest.size()), row_seal(agency, message, digest, index)))
        return std::nullopt;
    return digest;
}

Bytes flat(const log::TileHashes& hashes) {
    Bytes bytes;
    bytes.reserve(hashes.size() * std::tuple_size_v<Digest>);
    for (const auto& hash : hashes) bytes.insert(bytes.end(), hash.begin(), hash.end());
    return bytes;
}

Entries::Entries(SQLite::Database& database)
    : database_{database},
      size_{database, "SELECT max(idx) FROM entry"},
      entry_{database, one_entry},
      range_{database, entry_range},
      tile_{database, "SELECT hashes FROM tile WHERE level = ? AND number = ?"},
      hashes_{database, "SELECT hash FROM entry WHERE idx >= ? AND idx < ? ORDER BY idx"},
      meta_{database, "SELECT value FROM meta WHERE key = ?"} {}

std::uint64_t Entries::size() {
    std::uint64_t size = 0;
    size_.first([&](const SQLite::Statement& row) {
        if (!row.isColumnNull(0)) size = number(row, 0) + 1;
    });
    return size;
}

std::optional<Entry> Entries::entry(std::uint64_t index) {
    std::optional<Entry> found;
    entry_.first([&](const SQLite::Statement& row) { found = entry_of(row); }, index);
    return found;
}

void Entries::each(std::uint64_t from, std::uint64_t to, const std::function<void(const Entry&)>& call) {
    auto next = from;
    range_.rows(
        [&](const SQLite::Statement& row) {
            const auto entry = entry_of(row);
            if (entry.index != next) throw StorageFailure{"entry " + std::to_string(next) + " is missing"};
            ++next;
            call(entry);
        },
        from, to);
    if (next != to) throw StorageFailure{"entry " + std::to_string(next) + " is missing"};
}

void Entries::each_live(const std::function<void(const Entry&)>& call) {
    std::vector<std::uint64_t> indexes;
    SQLite::Statement live{database_, "SELECT DISTINCT idx FROM live ORDER BY idx"};
    while (live.executeStep()) indexes.push_back(number(live, 0));
    for (const auto index : indexes) {
        const auto found = entry(index);
        if (!found) throw StorageFailure{"entry " + std::to_string(index) + " is missing"};
        call(*found);
    }
}

log::TileHashes Entries::tile(log::TileId id) {
    log::TileHashes hashes;
    if (tile_.first(
            [&](const SQLite::Statement& row) { hashes = hashes_of(blob(row, 0).value_or(BytesView{}), id); },
            std::uint64_t{id.level}, id.number))
        return hashes;
    if (id.level != 0) return hashes;
    hashes_.rows(
        [&](const SQLite::Statement& row) {
            const auto hash = exactly<32>(blob(row, 0).value_or(BytesView{}));
            if (!hash) throw StorageFailure{"entry hash: length"};
            hashes.push_back(*hash);
        },
        id.number * log::tile_width, (id.number + 1) * log::tile_width);
    return hashes;
}

log::Frontier Entries::frontier() {
    const auto size = this->size();
    std::vector<log::TileHashes> edge;
    std::uint8_t level = 0;
    for (auto complete = size; complete > 0; complete /= log::tile_width, ++level) {
        const auto width = static_cast<std::size_t>(complete % log::tile_width);
        edge.push_back(width == 0 ? log::TileHashes{} : tile({level, complete / log::tile_width}));
        if (edge.back().size() != width)
            throw StorageFailure{"tile " + std::to_string(level) + "/" +
                                 std::to_string(complete / log::tile_width) + ": does not fit the entries"};
    }
    return log::Frontier::from_edge(size, std::move(edge));
}

std::optional<Bytes> Entries::meta(std::string_view key) {
    std::optional<Bytes> value;
    meta_.first([&](const SQLite::Statement& row) { value = owned(blob(row, 0)); }, key);
    return value;
}

}  // namespace flagpost::store::sqlite
