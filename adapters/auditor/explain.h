/// Why the people they were told about one incident were told, and why others were not: in words, with the evidence.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "adapters/auditor/export.h"
#include "adapters/auditor/records.h"

namespace flagpost::auditor {

/// `incident` is "31/OCC-2026-0815", force and the force's reference, or the number of the entry that holds a version.
///
/// An array, one object for each version that came and each decision that was made of it: what was compared, each hit
/// with its evidence and weights, each notice with its rule, purpose, legal basis, deadline and what became of it, and
/// each notice withheld with what stopped it. Empty if there is no such incident, or none that could be opened. Throws
/// std::runtime_error for an export that cannot be read.
///
/// Without a key, and then by the entry alone: who was told under which rule, as leaves say, but on no evidence.
nlohmann::ordered_json explain(const std::filesystem::path& directory, const crypto::BoxKey* key,
                               const std::string& incident, const Progress& progress = {});

/// The same as a text to read.
std::string explained_in_words(const nlohmann::ordered_json& explanation);

}  // namespace flagpost::auditor
