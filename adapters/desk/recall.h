/// A recall: what was told and must not be used any more, as entry, line and screen.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "adapters/client/box.h"
#include "adapters/desk/words.h"

namespace flagpost::desk {

/// With which a recall is recorded and closed.
inline constexpr CodeWords recall_codes[] = {
    {"removed",       "I have removed my copies"      },
    {"cannot_remove", "I cannot remove them: phone me"},
};

/// Throws std::runtime_error if it cannot be read.
schemas::RecallValue recall_of(const client::Incoming& item);
/// "police withdrew the record"
const char* reason_in_words(schemas::RecallReason reason);
/// The words on a terminal: "This notice was recalled on ... Reason: ... Do not use it. ..."
std::string recall_in_words(const schemas::RecallValue& recall, const std::string& at);

nlohmann::json recall_entry(const client::Incoming& item);
std::string recall_line(const client::Incoming& item, Instant now);
std::string recall_screen(const client::Incoming& item, Instant now);

}  // namespace flagpost::desk
