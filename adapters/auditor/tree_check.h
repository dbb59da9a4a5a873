/// The hashes of an export from level 1 up, and which of them are true, found from the signed root downwards.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "adapters/auditor/layout.h"
#include "adapters/auditor/resolve.h"

namespace flagpost::auditor {

using Report = std::function<void(std::string what, std::string why)>;

/// The hashes stored in one tile file; nothing where the file does not reach. Reports a file that is missing or of
/// another size than its place asks for.
std::vector<std::optional<Digest>> stored_tile(const std::filesystem::path& directory, unsigned level,
                                               std::uint64_t number, std::uint64_t size,
                                               const Report& report);

/// "tile 1/0 hash 5"
std::string tile_hash_name(unsigned level, std::uint64_t number, std::size_t place);

/// First tell it all tiles of level 0, in order; then resolve; then ask.
class TreeCheck {
public:
    /// Reads the tiles of level 1 and above: the 255th part of the tree.
    TreeCheck(const std::filesystem::path& directory, std::uint64_t size, const Report& report);

    /// What the places of tile `number` of level 0 may hold: as stored, and as the entries say.
    void add_tile(std::uint64_t number, const std::vector<Candidates>& places);

    /// Finds the true hashes, and reports those stored that are not. Without a root, what is stored is taken for true.
    void resolve(const std::optional<Digest>& root);

    /// Whether tile `number` of level 0, full and in agreement with its entries, is not what the tree above it says.
    bool contradicts(std::uint64_t number) const;

    /// The true hashes of tile `number` of level 0, if `places` holds them.
    std::optional<log::TileHashes> true_hashes(std::uint64_t number,
                                               const std::vector<Candidates>& places) const;

private:
    struct Level {
        std::vector<std::optional<Digest>> stored;
        std::vector<Candidates> candidates;
        std::vector<std::optional<Digest>> known;
    };

    void fold(unsigned level, std::uint64_t tile, const std::vector<Candidates>& places);
    std::vector<Candidates> places_of(unsigned level, std::uint64_t tile) const;
    void resolve_edge(const std::optional<Digest>& root);
    void resolve_tile(unsigned level, std::uint64_t tile);
    void report_stored(unsigned level, std::uint64_t tile) const;

    std::uint64_t size_;
    Report report_;
    std::vector<Level> levels_;       // of level 0, only the right edge is kept
    std::vector<Candidates> edge_0_;  // its places
    std::optional<log::TileHashes> known_edge_0_;
};

}  // namespace flagpost::auditor
