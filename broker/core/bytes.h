/// Bytes as values: owned, viewed, fixed-size, and their hexadecimal text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flagpost {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<const std::uint8_t>;
using Digest = std::array<std::uint8_t, 32>;  // SHA-256
using Id16 = std::array<std::uint8_t, 16>;    // message, notice, session and load ids

inline BytesView view(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view text(BytesView bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes copy(BytesView bytes) { return {bytes.begin(), bytes.end()}; }

/// Exactly N bytes, or nothing: the length of foreign bytes is never assumed.
template <std::size_t N> std::optional<std::array<std::uint8_t, N>> exactly(BytesView bytes) {
    if (bytes.size() != N) return std::nullopt;
    std::array<std::uint8_t, N> fixed;
    std::copy(bytes.begin(), bytes.end(), fixed.begin());
    return fixed;
}

/// The number in these bytes, most significant first; of more than eight, the last eight count.
inline std::uint64_t read_be(BytesView bytes) {
    std::uint64_t number = 0;
    for (const auto byte : bytes) number = number << 8 | byte;
    return number;
}

/// The last `width` bytes of the number, at most 8, most significant first.
inline void append_be(Bytes& out, std::uint64_t number, std::size_t width) {
    while (width-- > 0) out.push_back(static_cast<std::uint8_t>(number >> 8 * width));
}

/// Lower-case hexadecimal, two characters a byte.
std::string to_hex(BytesView bytes);

/// The bytes of lower- or upper-case hexadecimal text; nothing if it is not that.
std::optional<Bytes> from_hex(std::string_view text);

/// Standard padded base64 (RFC 4648 section 4) and back; nothing on any other character or length.
std::string to_base64(BytesView bytes);
std::optional<Bytes> from_base64(std::string_view text);

}  // namespace flagpost
