/// Everything shared about one child, for an access request: a draft for a person to go through, then what is released.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "adapters/auditor/export.h"
#include "adapters/auditor/records.h"

namespace flagpost::auditor {

/// Keys of flags and pupils ("flag/E10000024/1234", "pupil/122802/A123...") that ever stood in the register under this
/// family name and date of birth, whatever the case of its letters.
std::set<std::string> subject_keys(const std::filesystem::path& directory, const crypto::BoxKey& key,
                                   const std::string& family_name, const std::string& born,
                                   const Progress& progress = {});

/// A draft of what the export holds about these keys: {"subjects", "items": [{"index", "time", "what", "content", "mark",
/// "why", "redact"}]}. Marks are empty: each item names people besides the child, and what of it may go out is for a
/// person to say. Throws std::runtime_error for an export that cannot be read.
nlohmann::ordered_json subject_draft(const std::filesystem::path& directory, const crypto::BoxKey& key,
                                     const std::set<std::string>& subjects, const Progress& progress = {});

struct Released {
    std::string text;  // for the person who asked
    std::size_t kept = 0, redacted = 0, withheld = 0;
};

/// A draft gone through. Each item's "mark" is "keep", "redact" (then "redact" lists JSON pointers into its content, at
/// least one) or "withhold"; the latter two say why. Throws std::runtime_error naming the first item that is not marked
/// so, or the pointer that leads nowhere.
Released release(const nlohmann::ordered_json& draft);

}  // namespace flagpost::auditor
