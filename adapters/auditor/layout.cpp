#include "adapters/auditor/layout.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace flagpost::auditor {
namespace {

namespace fs = std::filesystem;

constexpr unsigned tile_height = 8;

std::string prefix_of(Piece::Of of, unsigned level) {
    switch (of) {
        case Piece::Of::hashes:
            return "tile/" + std::to_string(level) + "/";
        case Piece::Of::entries:
            return "tile/entries/";
        case Piece::Of::bodies:
            return "bodies/";
        case Piece::Of::keys:
            return "keys/";
    }
    throw std::logic_error{"no such piece"};
}

std::string number_path(std::uint64_t number) {
    const auto digits = std::to_string(number);
    const auto padded = std::string((3 - digits.size() % 3) % 3, '0') + digits;
    std::string path;
    for (std::size_t at = 0; at < padded.size(); at += 3) {
        const bool last = at + 3 == padded.size();
        path += (last ? "" : "x") + padded.substr(at, 3) + (last ? "" : "/");
    }
    return path;
}

std::optional<std::uint64_t> decimal(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

/// Takes everything up to and including the next `mark`.
std::optional<std::string_view> take_until(std::string_view& rest, char mark) {
    const auto end = rest.find(mark);
    if (end == std::string_view::npos) return std::nullopt;
    const auto taken = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return taken;
}

/// The widest partial piece beside where the full one would lie; 0 if there is none.
std::size_t partial_on_disk(const fs::path& directory, Piece piece) {
    for (piece.width = log::tile_width - 1; piece.width > 0; --piece.width)
        if (fs::is_regular_file(directory / path_of(piece))) return piece.width;
    return 0;
}

}  // namespace

std::string path_of(const Piece& piece) {
    auto path = prefix_of(piece.of, piece.level) + number_path(piece.number);
    if (piece.width < log::tile_width) path += ".p/" + std::to_string(piece.width);
    return path;
}

std::optional<Piece> piece_at(std::string_view path) {
    Piece piece{Piece::Of::bodies, 0, 0, log::tile_width};
    auto rest = path;
    const auto first = take_until(rest, '/');
    if (first == "tile") {
        const auto second = take_until(rest, '/');
        if (!second) return std::nullopt;
        const auto level = decimal(*second);
        if (!level && *second != "entries") return std::nullopt;
        piece.of = level ? Piece::Of::hashes : Piece::Of::entries;
        if (level.value_or(0) > 7) return std::nullopt;
        piece.level = static_cast<std::uint8_t>(level.value_or(0));
    } else if (first == "keys") {
        piece.of = Piece::Of::keys;
    } else if (first != "bodies") {
        return std::nullopt;
    }
    if (const auto mark = rest.find(".p/"); mark != std::string_view::npos) {
        const auto width = decimal(rest.substr(mark + 3));
        if (!width || *width < 1 || *width >= log::tile_width) return std::nullopt;
        piece.width = static_cast<std::size_t>(*width);
        rest = rest.substr(0, mark);
    }
    std::string digits{rest};
    std::erase_if(digits, [](char c) { return c == 'x' || c == '/'; });
    const auto number = decimal(digits);
    if (!number) return std::nullopt;
    piece.number = *number;
    if (path_of(piece) != path) return std::nullopt;
    return piece;
}

unsigned levels_of(std::uint64_t size) {
    unsigned levels = 0;
    while (hashes_at(levels, size) > 0) ++levels;
    return levels;
}

std::uint64_t hashes_at(unsigned level, std::uint64_t size) {
    return level * tile_height < 64 ? size >> level * tile_height : 0;
}

std::uint64_t tiles_at(unsigned level, std::uint64_t size) {
    const auto hashes = hashes_at(level, size);
    return hashes / log::tile_width + (hashes % log::tile_width > 0 ? 1 : 0);
}

std::size_t width_of(unsigned level, std::uint64_t number, std::uint64_t size) {
    const auto hashes = hashes_at(level, size);
    const auto full = hashes / log::tile_width;
    if (number < full) return log::tile_width;
    return number == full ? static_cast<std::size_t>(hashes % log::tile_width) : 0;
}

bool belongs(const Piece& piece, std::uint64_t size) {
    return piece.width > 0 && width_of(piece.level, piece.number, size) == piece.width;
}

bool is_leftover(std::string_view path, std::uint64_t size) {
    if (const auto piece = piece_at(path)) return !belongs(*piece, size);
    if (!path.ends_with(unfinished_ending)) return false;
    path.remove_suffix(std::string_view{unfinished_ending}.size());
    return path == "checkpoint" || path == "vkey" || path == "sealed-for" || piece_at(path) ||
           (path.starts_with("policies/") && is_policy_name(path.substr(9)));
}

std::uint64_t size_by_files(const fs::path& directory) {
    Piece piece{Piece::Of::entries, 0, 0, log::tile_width};
    while (fs::is_regular_file(directory / path_of(piece))) ++piece.number;
    return piece.number * log::tile_width + partial_on_disk(directory, piece);
}

std::optional<std::string> text_set_by(const log::Leaf& leaf) {
    const auto in_policies = [](const std::optional<Digest>& digest, const char* ending) {
        return digest ? std::optional{"policies/" + to_hex(*digest) + ending} : std::nullopt;
    };
    switch (leaf.kind) {
        case log::LeafKind::agreement_set:
            return in_policies(leaf.agreement, ".toml");
        case log::LeafKind::parties_set:
        case log::LeafKind::keys_set:
            return in_policies(leaf.setting, ".toml");
        case log::LeafKind::crl_set:
            return in_policies(leaf.setting, ".pem");
        default:
            return std::nullopt;
    }
}

bool puts_text_in_force(log::LeafKind kind) {
    constexpr std::array kinds{log::LeafKind::agreement_set, log::LeafKind::parties_set,
                               log::LeafKind::keys_set, log::LeafKind::crl_set};
    return std::ranges::find(kinds, kind) != kinds.end();
}

std::string agreement_path(const Digest& digest) { return "policies/" + to_hex(digest) + ".toml"; }

bool is_policy_name(std::string_view name) {
    constexpr std::size_t digits = 2 * sizeof(Digest);
    if (name.size() < digits || !from_hex(name.substr(0, digits))) return false;
    return name.substr(digits) == ".toml" || name.substr(digits) == ".pem";
}

std::filesystem::path beside(std::filesystem::path directory, const char* ending) {
    if (!directory.has_filename()) directory = directory.parent_path();
    return directory.string() + ending;
}

}  // namespace flagpost::auditor
