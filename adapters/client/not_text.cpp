#include "adapters/client/not_text.h"

#include <algorithm>

namespace flagpost::client {
namespace {

constexpr std::size_t looked_at = 64;  // bytes

/// With a byte order mark, or as most of a text looks without one: every other byte is zero.
bool is_utf16(std::string_view bytes) {
    if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) return true;
    const auto start = bytes.substr(0, looked_at);
    std::size_t at[2] = {0, 0};
    for (std::size_t i = 0; i < start.size(); ++i) at[i % 2] += start[i] == '\0' ? 1 : 0;
    const std::size_t half = start.size() / 2;
    return half >= 4 && std::min(at[0], at[1]) == 0 && std::max(at[0], at[1]) + 1 >= half;
}

}  // namespace

std::string fault_in_text(std::string_view bytes) {
    if (is_utf16(bytes))
        return "not text in UTF-8 but in UTF-16: save it as UTF-8 (Excel: \"CSV UTF-8\"; Notepad: Save as, "
               "Encoding "
               "UTF-8)";
    if (bytes.starts_with("PK\x03\x04") || bytes.starts_with("\xD0\xCF\x11\xE0"))
        return "not text but a workbook or an archive: save the sheet as \"CSV UTF-8\"";
    if (bytes.starts_with("%PDF-")) return "not text but a PDF";
    return bytes.find('\0') == std::string_view::npos ? "" : "not text";
}

}  // namespace flagpost::client
