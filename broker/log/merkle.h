/// The Merkle tree of RFC 6962, kept as C2SP tiles of 256 hashes.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "broker/core/bytes.h"

namespace flagpost::log {

Digest leaf_hash(BytesView leaf);                           // SHA-256(00 || leaf)
Digest node_hash(const Digest& left, const Digest& right);  // SHA-256(01 || left || right)
Digest empty_root();                                        // SHA-256("")

inline constexpr std::size_t tile_width = 256;

/// Level L, number N: hashes of 256^L leaves each. Width is how many of its 256 are there.
struct TileId {
    std::uint8_t level;
    std::uint64_t number;
    friend auto operator<=>(const TileId&, const TileId&) = default;
};
using TileHashes = std::vector<Digest>;

/// What a full tile of 256 hashes stands for on the level above. Throws std::invalid_argument for any other width.
Digest tile_root(const TileHashes& tile);

/// The right edge of a tree: enough to append and to know the root. Copyable; a copy is a snapshot.
class Frontier {
public:
    Frontier() = default;
    /// From the rightmost tile of each level, bottom first (each 0..255 hashes, the last full one left out).
    /// Throws std::invalid_argument if a tile's width is not the one this size has.
    static Frontier from_edge(std::uint64_t size, std::vector<TileHashes> edge);

    std::uint64_t size() const { return size_; }
    Digest root() const;
    /// Appends one leaf hash; `changed` is told each tile as it stands after the append (partial or full): one of
    /// level 0, and one more for each tile this leaf fills. It may be empty where edge() is enough.
    void append(const Digest& leaf, const std::function<void(TileId, const TileHashes&)>& changed);
    /// The partial tiles now, bottom first: what has to be rewritten after a run of appends.
    const std::vector<TileHashes>& edge() const { return edge_; }

private:
    void put(unsigned level, std::uint64_t place, const Digest& hash,
             const std::function<void(TileId, const TileHashes&)>& changed);

    std::uint64_t size_ = 0;
    std::vector<TileHashes> edge_;
    std::vector<Digest> peaks_;  // roots of the perfect subtrees, largest first: one for each one bit of size
};

/// Reads a tile, all of it or at least what the tree of the size asked about has of it; throws or returns fewer
/// hashes only if the store is damaged.
using ReadTile = std::function<TileHashes(TileId)>;

Digest root_at(std::uint64_t size, const ReadTile& read);
/// RFC 6962 2.1.1 / 2.1.2 from tiles. These throw std::runtime_error for a tile that holds too few hashes, and
/// std::out_of_range for an index or size the tree does not have.
std::vector<Digest> inclusion_proof(std::uint64_t index, std::uint64_t size, const ReadTile& read);
std::vector<Digest> consistency_proof(std::uint64_t old_size, std::uint64_t size, const ReadTile& read);

/// Verifiers of anchors d.6; false for any proof that is not exactly right.
bool verify_inclusion(std::uint64_t index, std::uint64_t size, const Digest& leaf,
                      const std::vector<Digest>& proof, const Digest& root);
bool verify_consistency(std::uint64_t old_size, std::uint64_t size, const Digest& old_root,
                        const Digest& root, const std::vector<Digest>& proof);

/// A small tree in memory, for the batches that origin signatures cover. Leaves are hashed with 00.
/// Throws std::invalid_argument for none, or for more than 255.
Digest batch_root(const std::vector<Digest>& entries);
std::vector<Digest> batch_proof(const std::vector<Digest>& entries, std::size_t index);
/// The root and every entry's path at once: each node is hashed once. Throws likewise.
struct BatchTree {
    Digest root;
    std::vector<std::vector<Digest>> paths;  // as batch_proof of each entry
};
BatchTree batch_tree(const std::vector<Digest>& entries);
/// The root that this entry, place and path lead to; nothing if the path does not fit the place.
std::optional<Digest> root_from_proof(std::uint64_t index, std::uint64_t size, const Digest& entry_leaf_hash,
                                      std::span<const Digest> proof);

/// A leaf's path to the root, proven. The leaves of one batch share the upper parts of their paths: following the next one
/// costs only the hashes below where it meets the one before.
class ProvenPath {
public:
    /// As root_from_proof: nothing if the path does not fit the place.
    static std::optional<ProvenPath> prove(std::uint64_t index, std::uint64_t size,
                                           const Digest& entry_leaf_hash, std::span<const Digest> proof);
    const Digest& root() const { return root_; }
    /// Whether this path meets ours and so leads to the same root; then it takes our place. False says nothing: prove it.
    bool follow(std::uint64_t index, std::uint64_t size, const Digest& entry_leaf_hash,
                std::span<const Digest> proof);

private:
    struct Step {
        unsigned level;
        std::uint64_t at;  // place of the node on that level
        Digest node, sibling;
    };
    std::uint64_t size_ = 0;
    std::vector<Step> steps_;
    Digest root_{};
};

}  // namespace flagpost::log
