/// Where things lie in an export: the static layout of C2SP tlog-tiles, with bodies and policies beside it.
///
///     checkpoint                        the signed head, a C2SP note
///     vkey                              the log's key as the exporter knew it; a verifier never trusts it
///     tile/<L>/<N>[.p/<W>]              256 (or W) hashes of 32 bytes
///     tile/entries/<N>[.p/<W>]          256 (or W) leaves, each behind its length, u16 big-endian
///     bodies/<N>[.p/<W>]                salt and ciphertext of each entry, behind its length, u32 big-endian;
///                                       empty where the entry has none or it is erased
///     keys/<N>[.p/<W>]                  what opens those bodies, sealed to one auditor (broker/log/disclosure.h)
///     sealed-for                        to whom, how far and why
///     policies/<SHA-256>.toml           each agreement, list of parties and list of keys that was in force, by digest
///     policies/<SHA-256>.pem            likewise each file of revocation lists
///
/// N is written in groups of three digits, all but the last behind an `x`: 1234067 is x001/x234/067.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "broker/log/leaf.h"
#include "broker/log/merkle.h"

namespace flagpost::auditor {

/// One file of a tree of hashes, entries, bodies or keys.
struct Piece {
    enum class Of : std::uint8_t { hashes, entries, bodies, keys };
    Of of;
    std::uint8_t level;  // of hashes; 0 for the others
    std::uint64_t number;
    std::size_t width;  // 1 to 256
    friend bool operator==(const Piece&, const Piece&) = default;
};

/// "tile/0/x001/067.p/8"
std::string path_of(const Piece& piece);

/// The piece a relative path names; nothing if it names none, or names it in another spelling.
std::optional<Piece> piece_at(std::string_view path);

/// How many levels of tiles a tree of this size has, hashes on one of them, files they lie in, and hashes in one of those.
unsigned levels_of(std::uint64_t size);
std::uint64_t hashes_at(unsigned level, std::uint64_t size);
std::uint64_t tiles_at(unsigned level, std::uint64_t size);
std::size_t width_of(unsigned level, std::uint64_t number, std::uint64_t size);

/// Whether an export of this size has this piece.
bool belongs(const Piece& piece, std::uint64_t size);

/// What a file is called until it is whole: its name and this.
inline constexpr const char* unfinished_ending = ".new";

/// Whether a file of this relative path is what an export under way or broken off leaves in one of this size: a piece of
/// another head, or a file not finished.
bool is_leftover(std::string_view path, std::uint64_t size);

/// The size of the tree whose entries lie in `directory`, by the files alone.
std::uint64_t size_by_files(const std::filesystem::path& directory);

/// Where the text lies that this leaf says was put in force, "policies/<SHA-256>.toml"; nothing if it says none.
std::optional<std::string> text_set_by(const log::Leaf& leaf);

bool puts_text_in_force(log::LeafKind kind);

/// Where the text of an agreement lies.
std::string agreement_path(const Digest& digest);

/// Whether a file of `policies/` is named as one: 64 digits, and ".toml" or ".pem".
bool is_policy_name(std::string_view name);

/// A file that lies beside an export and is no part of it: "DIR.readings".
std::filesystem::path beside(std::filesystem::path directory, const char* ending);

}  // namespace flagpost::auditor
