/// Whether an export is what the log signed, and if not, what of it is damaged. Trusts the policy given and nothing else.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "adapters/auditor/export.h"
#include "broker/log/policy.h"

namespace flagpost::auditor {

inline constexpr std::size_t damages_named_max = 10'000;  // more are counted

struct Damage {
    std::string what;  // "entry 77", "body of entry 1234", "tile 1/0 hash 5", "file tile/0/000", "checkpoint"
    std::string why;
    friend bool operator==(const Damage&, const Damage&) = default;
};

struct Verification {
    bool verified() const { return damage_count == 0; }
    std::string origin;  // empty where the head cannot be believed
    std::uint64_t size = 0;
    Digest root{};
    std::vector<std::string> witnesses;  // of the policy, whose cosignature is on the head
    std::size_t witnesses_known = 0;
    std::uint64_t bodies = 0;         // there, and the ones their entries name
    std::uint64_t bodies_erased = 0;  // not there, and an entry says that they were erased
    std::uint64_t bodies_absent =
        0;  // of a public export; or why they are gone cannot be told, as entries are damaged
    std::uint64_t damage_count = 0;
    std::vector<Damage> damages;
};

/// Reads every byte of the export once, in order; memory grows with the 256th part of the tree.
///
/// Every damage is named, not only the first. Where an entry and the tile above it disagree, the one that does not lead
/// to the signed root is named. Without a head that can be believed, everything else is still held against each other; so it
/// is under a head that covers far more than there are files for, whose missing entries are named as one. An export that was
/// brought up to a newer head while it was read is read again.
/// Throws std::system_error if the disk cannot be read.
Verification verify(const std::filesystem::path& directory, const log::Policy& policy,
                    const Progress& progress = {});

struct Signatures;  // signatures.h

/// In words, or as one JSON object; with what was found of signatures, if that was asked for.
void tell(std::ostream& out, const Verification& verification, bool json,
          const Signatures* signatures = nullptr);

}  // namespace flagpost::auditor
