/// The Store kept in one SQLite file: see ../README.md for the format, ../store.h for the contract.
#pragma once

#include <filesystem>

#include "broker/core/clock.h"
#include "broker/crypto/digest.h"
#include "broker/crypto/seal.h"
#include "broker/log/note.h"
#include "broker/store/store.h"

namespace flagpost::store::sqlite {

struct Options {
    std::filesystem::path file;   // "-lock", "-reserve", "-wal" and "-shm" lie beside it
    crypto::MasterKeys master;    // wrap body keys; both while wraps are moved to a new one
    crypto::SymmetricKey digest;  // HMACs of users, subjects and personal state keys
    Random& random;               // outlives the store; used by the thread that commits
    /// The newest head the signer remembers. A file that does not hold it is an older copy: refused.
    std::optional<log::Checkpoint> signed_head;
};

/// Opens or makes the store, in the order lock, settings, right edge of the tree against the last signed
/// heads, last 1,000 entries; then it may serve. Throws StorageFailure naming what does not hold.
///
/// thread   one at a time; handing it over once, after reload, is fine
std::unique_ptr<Store> open_store(Options options);

/// Another view of the same file, for one thread. The writer must have opened the file first.
std::unique_ptr<Reader> open_store_reader(const std::filesystem::path& file, crypto::MasterKeys master,
                                          crypto::SymmetricKey digest);

}  // namespace flagpost::store::sqlite
