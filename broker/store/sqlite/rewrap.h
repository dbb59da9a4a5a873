/// Moving every wrap from one master key to the next, a little at a time, while the store serves.
///
/// Bodies, salts and leaves stay as they are; only the 60 bytes that hide a body key change. What is under the old key
/// is every entry below the size the store had when it first met the new one.
#pragma once

#include "broker/crypto/seal.h"
#include "broker/store/sqlite/entries.h"

namespace flagpost::store::sqlite {

class Rewrapping {
public:
    /// Begins, goes on with, or finds finished what `meta` says. Throws StorageFailure if the keys given cannot open
    /// what is in the file: another master key, or one change begun before the last has reached every wrap.
    Rewrapping(SQLite::Database& database, Entries& entries, const crypto::MasterKeys& masters);

    /// Entries still to be looked at.
    std::uint64_t left() const { return until_ - next_; }
    /// Looks at the next limits::rewraps_at_once entries, in a transaction of its own. Whether some are left.
    bool some(crypto::Sealer& sealer);

private:
    void remember(const Id16& master);
    void remember_place(std::uint64_t next);

    SQLite::Database& database_;
    Entries& entries_;
    Query put_wrap_, put_meta_, drop_meta_;
    std::uint64_t next_ = 0;
    std::uint64_t until_ = 0;
};

}  // namespace flagpost::store::sqlite
