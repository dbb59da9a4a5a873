/// Lines, numbers and hashes as the C2SP texts spell them: one way each.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

#include "broker/core/bytes.h"

namespace flagpost::log {

/// The next line of `rest`, without its newline; nothing if no newline is left.
inline std::optional<std::string_view> take_line(std::string_view& rest) {
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return line;
}

/// ASCII decimal without sign or leading zero.
inline std::optional<std::uint64_t> parse_number(std::string_view text) {
    if (text.empty() || (text.size() > 1 && text[0] == '0')) return std::nullopt;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

inline std::optional<Digest> parse_hash(std::string_view base64) {
    const auto bytes = from_base64(base64);
    return bytes ? exactly<32>(*bytes) : std::nullopt;
}

}  // namespace flagpost::log
