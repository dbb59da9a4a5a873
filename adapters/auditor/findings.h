/// Everything the audit desk finds out about an export in one go: what it shows on its pages.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/auditor/complete.h"
#include "adapters/auditor/decisions.h"
#include "adapters/auditor/fates.h"
#include "adapters/auditor/verify.h"

namespace flagpost::auditor {

/// Whether the head now is a later one of the head this desk verified before.
enum class Continuity {
    first,       // nothing was verified here before
    same,        // the very same head
    continued,   // it has grown, and all of the former log is in it
    shorter,     // it has fewer entries than before
    rewritten,   // the former entries are others now
    not_checked  // this one does not verify
};

struct Findings {
    Instant made;
    std::string checkpoint;  // the export's file as it was then
    Verification verification;
    std::vector<std::string> missing;  // witnesses of the policy that have not cosigned
    Continuity continuity = Continuity::not_checked;
    std::uint64_t size_before = 0;  // of the head verified before

    bool sound() const {
        return verification.verified() && continuity != Continuity::shorter &&
               continuity != Continuity::rewritten;
    }
    /// The lowest entry that any damage names.
    std::optional<std::uint64_t> first_bad() const;

    // What the entries say; only as good as the verification.
    std::string unreadable;         // why there is nothing below: they cannot be read
    std::optional<Instant> newest;  // time of the last entry
    Completeness completeness;
    std::map<std::uint64_t, Instant> due;  // of notices that are open, by their entry, where it is known
    InTime in_time;
    Finished finished;
    std::uint64_t erasures = 0;     // bodies whose destruction was logged
    std::uint64_t bodies_open = 0;  // to this desk's key
    std::optional<Decisions> decisions;
    std::string not_decided;  // why decisions were not made again
};

/// Reads the export several times over: verifies it, then counts. `key` may be null: bodies then stay shut. A head that
/// verified is remembered beside the export, DIR.verified, for the next time. Throws what `progress` throws, and
/// std::system_error if the disk cannot be read.
Findings check_export(const std::filesystem::path& directory, const log::Policy& policy,
                      const crypto::BoxKey* key, Instant now, const Progress& progress = {});

/// The entry a damage names first: 512 of "entries 512 to 767"; nothing if it names none.
std::optional<std::uint64_t> entry_of(const Damage& damage);

}  // namespace flagpost::auditor
