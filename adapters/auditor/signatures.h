/// Whether agencies themselves signed what the log says of them: their messages and receipts, as the bodies keep them.
///
/// The keys are those of the list of parties that was in force, which is in the export and named by the log. Whoever wrote that
/// list could speak for any agency: hold its keys against what the agencies say are theirs.
#pragma once

#include <filesystem>
#include <string>

#include "adapters/auditor/verify.h"
#include "broker/crypto/sealed_box.h"

namespace flagpost::auditor {

struct Signatures {
    std::uint64_t held = 0;        // signed by whom their entries name
    std::uint64_t unreadable = 0;  // erased, or not handed over
    std::uint64_t of_lists =
        0;  // records of flags, rolls, ...: the messages they came in were destroyed when the list was applied
    std::uint64_t damage_count = 0;
    std::vector<Damage> damages;  // at most damages_named_max
    bool hold() const { return damage_count == 0; }
};

/// Reads a sealed export once. Leaves are not held against the tree: verify first. Throws std::runtime_error as Records.
Signatures check_signatures(const std::filesystem::path& directory, const crypto::BoxKey& key,
                            const Progress& progress = {});

/// One line, without the damages.
std::string in_words(const Signatures& signatures);

}  // namespace flagpost::auditor
