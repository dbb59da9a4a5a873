/// Every matching decision of a sealed export made again from what was known then, and what comes out otherwise.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "adapters/auditor/export.h"
#include "adapters/auditor/records.h"

namespace flagpost::auditor {

inline constexpr std::size_t differences_named_max = 1000;  // more are counted

struct Difference {
    std::uint64_t index;  // of the decision, or of the record that differs
    std::string incident;
    std::string what;  // names fields, never content
};

struct Decisions {
    std::uint64_t same = 0;
    std::uint64_t differs = 0;
    std::uint64_t not_replayable = 0;
    std::uint64_t other_engine = 0;
    std::vector<Difference> differences;
    std::map<std::string, std::uint64_t> why_not;  // not replayable, by reason
    std::uint64_t late = 0;  // of all those: decided again because the register had changed
};

/// Replays the export through the exchange itself: what it knew is what the records before say, its agreement the one
/// then in force, its clock that of the decision. What it makes of the incident is held against what was logged, the
/// decision, each notice, and each notice withheld, field by field and body by body.
///
/// A decision is not replayable where a body it rests on is erased or was not handed over, or the agreement's text is
/// not in the export; it is another engine's where it names other weights than those of this program. Throws
/// std::runtime_error for an export that cannot be read, or a body no exchange wrote.
Decisions replay_decisions(const std::filesystem::path& directory, const crypto::BoxKey& key,
                           const Progress& progress = {});

void tell(std::ostream& out, const Decisions& decisions, bool json);

}  // namespace flagpost::auditor
