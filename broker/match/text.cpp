#include "broker/match/text.h"

#include <algorithm>
#include <array>
#include <bit>

namespace flagpost::match {
namespace {

constexpr std::size_t letters_max = 64;  // one bit each in a machine word

/// log2 of `value` in 1/4096 bits, by repeated squaring.
std::int64_t log2_4096(std::uint64_t value) {
    const int whole = 63 - std::countl_zero(value);
    std::uint64_t mantissa = whole >= 31 ? value >> (whole - 31) : value << (31 - whole);  // in [2^31, 2^32)
    std::int64_t result = whole;
    for (int bit = 0; bit < 12; ++bit) {
        mantissa = (mantissa * mantissa) >> 31;
        result <<= 1;
        if (mantissa >> 32) {
            mantissa >>= 1;
            result |= 1;
        }
    }
    return result;
}

/// For each letter those it is mistaken for on a form that was filled in by hand or read by a machine.
constexpr std::array<std::string_view, 26> mistaken_for{
    "RHO",     // A
    "REPDH",   // B
    "GOLE",    // C
    "OBPQ",    // D
    "FBLC",    // E
    "EPT",     // F
    "CQOS",    // G
    "MNWKAB",  // H
    "LJTY",    // I
    "ITYL",    // J
    "HXR",     // K
    "ICEJT",   // L
    "NHW",     // M
    "MHWVU",   // N
    "UQDCGA",  // O
    "RFBDQ",   // P
    "OGDP",    // Q
    "AVBPK",   // R
    "ZG",      // S
    "IFJL",    // T
    "OVWN",    // U
    "UYRNW",   // V
    "MNHUV",   // W
    "KY",      // X
    "VXIJ",    // Y
    "S",       // Z
};

}  // namespace

int jaro_winkler(std::string_view a, std::string_view b) {
    a = a.substr(0, letters_max);
    b = b.substr(0, letters_max);
    if (a == b) return 10000;
    if (a.empty() || b.empty()) return 0;
    const std::size_t longest = std::max(a.size(), b.size());
    const std::size_t reach = longest / 2 == 0 ? 0 : longest / 2 - 1;
    std::uint64_t in_a = 0, in_b = 0;
    int common = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const std::size_t from = i > reach ? i - reach : 0;
        const std::size_t to = std::min(i + reach + 1, b.size());
        for (std::size_t j = from; j < to; ++j) {
            if ((in_b >> j & 1) != 0 || a[i] != b[j]) continue;
            in_a |= std::uint64_t{1} << i;
            in_b |= std::uint64_t{1} << j;
            ++common;
            break;
        }
    }
    if (common == 0) return 0;
    int misplaced = 0;
    std::size_t j = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if ((in_a >> i & 1) == 0) continue;
        while ((in_b >> j & 1) == 0) ++j;
        if (a[i] != b[j++]) ++misplaced;
    }
    const int jaro =
        (10000 * common / static_cast<int>(a.size()) + 10000 * common / static_cast<int>(b.size()) +
         10000 * (2 * common - misplaced) / (2 * common)) /
        3;
    return winkler(jaro, a, b);
}

int winkler(int jaro, std::string_view a, std::string_view b) {
    int prefix = 0;
    while (prefix < 4 && static_cast<std::size_t>(prefix) < std::min(a.size(), b.size()) &&
           a[static_cast<std::size_t>(prefix)] == b[static_cast<std::size_t>(prefix)]) {
        ++prefix;
    }
    return winkler(jaro, prefix);
}

int winkler(int jaro, int beginning) { return jaro + beginning * (10000 - jaro) / 10; }

bool within_one_edit(std::string_view a, std::string_view b) {
    if (a.size() > b.size()) std::swap(a, b);
    if (b.size() - a.size() > 1) return false;
    std::size_t start = 0;
    while (start < a.size() && a[start] == b[start]) ++start;
    const auto rest_a = a.substr(start), rest_b = b.substr(start);
    if (rest_a.empty()) return true;
    if (a.size() != b.size()) return rest_a == rest_b.substr(1);
    if (rest_a.substr(1) == rest_b.substr(1)) return true;
    return rest_a.size() > 1 && rest_a[0] == rest_b[1] && rest_a[1] == rest_b[0] &&
           rest_a.substr(2) == rest_b.substr(2);
}

int edits(std::string_view a, std::string_view b) {
    constexpr int more = 4;
    a = a.substr(0, letters_max);
    b = b.substr(0, letters_max);
    if (a.size() > b.size() + 3 || b.size() > a.size() + 3) return more;
    std::array<std::array<int, letters_max + 1>, 3> rows{};  // the last two rows and the current one
    for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = static_cast<int>(j);
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto& row = rows[i % 3];
        const auto& above = rows[(i + 2) % 3];
        const auto& before = rows[(i + 1) % 3];
        row[0] = static_cast<int>(i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return std::min(rows[a.size() % 3][b.size()], more);
}

bool written_alike(std::string_view a, std::string_view b) {
    if (a.size() != b.size() || a == b) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] == b[i]) continue;
        if (a[i] < 'A' || a[i] > 'Z') return false;
        if (mistaken_for[static_cast<std::size_t>(a[i] - 'A')].find(b[i]) == std::string_view::npos)
            return false;
    }
    return true;
}

std::int32_t log2_millibits(std::uint64_t numerator, std::uint64_t denominator) {
    return static_cast<std::int32_t>((log2_4096(numerator) - log2_4096(denominator)) * 1000 / 4096);
}

}  // namespace flagpost::match
