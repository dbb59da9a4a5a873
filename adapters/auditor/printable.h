/// Foreign text made fit for a terminal.
#pragma once

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

}  // namespace flagpost::auditor
