/// Foreign text made fit for a terminal.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace flagpost::auditor {

/// With every byte that is not a printable ASCII character as '?': what an export says must not steer a terminal.
inline std::string printable(std::string_view text) {
    std::string out{text};
    for (char& c : out)
        if (c < 0x20 || c > 0x7e) c = '?';
    return out;
}

/// The texts of an array, printable, with commas between them.
inline std::string listed(const nlohmann::ordered_json& texts) {
    std::string out;
    for (const auto& each : texts) out += (out.empty() ? "" : ", ") + printable(each.get<std::string>());
    return out;
}

}  // namespace flagpost::auditor
