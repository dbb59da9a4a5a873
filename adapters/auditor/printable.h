/// Foreign text made fit for a terminal.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "adapters/desk/words.h"

namespace flagpost::auditor {

/// As desk::printable, with '?', so that an auditor sees that something stood there.
inline std::string printable(std::string_view text) { return desk::printable(text, '?'); }

/// The texts of an array, printable, with commas between them.
inline std::string listed(const nlohmann::ordered_json& texts) {
    std::string out;
    for (const auto& each : texts) out += (out.empty() ? "" : ", ") + printable(each.get<std::string>());
    return out;
}

}  // namespace flagpost::auditor
