/// Reading what the file holds: entries, tiles, notes; shared by the store, its readers and the check.
#pragma once

#include "broker/crypto/seal.h"
#include "broker/log/leaf.h"
#include "broker/log/merkle.h"
#include "broker/store/sqlite/database.h"
#include "broker/store/store.h"

namespace flagpost::store::sqlite {

/// One row of table `entry` with the label its body was sealed under.
struct Entry {
    std::uint64_t index;
    Bytes hash;
    Bytes leaf;
    std::optional<Bytes> keys;
    std::string controller;
    std::string retention;
    std::optional<Bytes> wrap;
    std::optional<Bytes> body;

    /// What does not hold together in this row: leaf and hash, leaf and body; with a sealer also whether the
    /// body opens. Nothing if all is well. Names columns, never content.
    std::optional<std::string> fault(const crypto::Sealer* sealer) const;
    /// There was a body once.
    bool erased(const log::Leaf& decoded) const { return decoded.body && !wrap && !body; }
    /// The plaintext, empty where the record has no body; nothing if it does not open.
    std::optional<Bytes> open(const crypto::Sealer& sealer) const;
};

Bytes flat(const log::TileHashes& hashes);

/// The column `bytes` of a receipt: its digest, and 8 bytes of a hash over all that the row says, since nothing else in
/// the file repeats it and a message sent again is judged by it.
Bytes receipt_column(const Receipt& receipt);
/// The receipt's digest; nothing if the column is not what receipt_column() makes of these three and that digest.
std::optional<Digest> receipt_digest(BytesView column, std::string_view agency, const Id16& message,
                                     std::uint64_t index);

/// Queries over one connection; belongs to its thread. Throws StorageFailure on damage, SQLite::Exception
/// otherwise.
class Entries {
public:
    explicit Entries(SQLite::Database& database);

    std::uint64_t size();
    std::optional<Entry> entry(std::uint64_t index);
    /// Entries of [from, to) in order.
    void each(std::uint64_t from, std::uint64_t to, const std::function<void(const Entry&)>& call);
    /// Entries some state key rests on, by index, each once.
    void each_live(const std::function<void(const Entry&)>& call);
    /// As many hashes as the tile has; a partial tile of level 0 comes from the last entries.
    log::TileHashes tile(log::TileId id);
    /// The tree's right edge as the file has it.
    log::Frontier frontier();
    std::optional<Bytes> meta(std::string_view key);

private:
    SQLite::Database& database_;
    Query size_, entry_, range_, tile_, hashes_, meta_;
};

}  // namespace flagpost::store::sqlite
