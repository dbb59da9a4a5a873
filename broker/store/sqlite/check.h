/// The full check of a store file: what `flagpost-broker check` runs, and a reader once a week.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "broker/crypto/seal.h"
#include "broker/log/note.h"

namespace flagpost::store::sqlite {

/// What can be checked depends on what the checker may know; each may be null.
struct CheckKeys {
    const crypto::Sealer* sealer;     // opens every body; else wrapped keys are checked by their salt only
    const log::VerifierKey* log_key;  // verifies the signature of the saved checkpoint
    const log::VerifierKey* log_key_previous = nullptr;  // which may be from before a change of the key
};

struct CheckReport {
    std::uint64_t entries = 0;
    std::uint64_t bodies = 0;
    std::uint64_t erased = 0;
    std::uint64_t tiles = 0;
    std::uint64_t live = 0;
    std::uint64_t receipts = 0;
    std::uint64_t faults = 0;
    std::vector<std::string>
        named;      // the first limits::check_faults_max faults: place and kind, never content
    Digest root{};  // of the tree the leaves make
    bool sound() const { return faults == 0; }
};

/// Reads everything once: SQLite's own structure, every leaf, body and tile, and the tables that follow from
/// the entries (live, subject, receipt), rebuilt and compared. Changes nothing. The broker may be running,
/// but cannot reuse its WAL until the check has ended: a large store is better checked in a copy.
///
/// throws   StorageFailure if the file cannot be read as a store at all
CheckReport check(const std::filesystem::path& file, const CheckKeys& keys);

}  // namespace flagpost::store::sqlite
