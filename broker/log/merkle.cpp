#include "broker/log/merkle.h"

#include <algorithm>
#include <bit>
#include <map>
#include <stdexcept>
#include <string>

#include "broker/crypto/digest.h"

namespace flagpost::log {
namespace {

constexpr unsigned tile_height = 8;  // 2^8 = tile_width

std::uint64_t largest_power_below(std::uint64_t size) { return std::bit_floor(size - 1); }

/// How many hashes the rightmost tile of `level` holds; 0 when the last one is full or the level is not begun.
std::size_t edge_width(std::uint64_t size, unsigned level) {
    return level * tile_height < 64 ? static_cast<std::size_t>(size >> (level * tile_height)) % tile_width
                                    : 0;
}

unsigned levels_of(std::uint64_t size) {
    unsigned levels = 0;
    while (levels * tile_height < 64 && size >> (levels * tile_height) != 0) ++levels;
    return levels;
}

/// The root of a perfect subtree given its hashes on one level.
Digest fold(std::span<const Digest> hashes) {
    if (hashes.size() == 1) return hashes[0];
    const auto half = hashes.size() / 2;
    return node_hash(fold(hashes.first(half)), fold(hashes.subspan(half)));
}

/// Ranges of the tree computed from its tiles, each tile read once.
class TileTree {
public:
    explicit TileTree(const ReadTile& read) : read_{read} {}

    /// MTH(D[begin:end]) where begin is a multiple of the smallest power of two that is at least end - begin,
    /// as every range of RFC 6962's recursions is.
    Digest range(std::uint64_t begin, std::uint64_t end) {
        const auto size = end - begin;
        if (std::has_single_bit(size)) return perfect(begin, static_cast<unsigned>(std::countr_zero(size)));
        const auto split = largest_power_below(size);
        return node_hash(range(begin, begin + split), range(begin + split, end));
    }

private:
    Digest perfect(std::uint64_t begin, unsigned height) {
        const auto level = static_cast<std::uint8_t>(height / tile_height);
        const auto count = std::size_t{1} << height % tile_height;
        const auto first = begin >> level * tile_height;
        const auto& hashes = tile(TileId{level, first / tile_width});
        const auto from = static_cast<std::size_t>(first % tile_width);
        if (hashes.size() < from + count)
            throw std::runtime_error{
                "tile " + std::to_string(level) + "/" + std::to_string(first / tile_width) + " holds " +
                std::to_string(hashes.size()) + " hashes, " + std::to_string(from + count) + " are needed"};
        return fold(std::span{hashes}.subspan(from, count));
    }

    const TileHashes& tile(TileId id) {
        auto known = tiles_.find(id);
        if (known == tiles_.end()) known = tiles_.emplace(id, read_(id)).first;
        return known->second;
    }

    const ReadTile& read_;
    std::map<TileId, TileHashes> tiles_;
};

void prove_inclusion(TileTree& tree, std::uint64_t index, std::uint64_t begin, std::uint64_t end,
                     std::vector<Digest>& proof) {
    if (end - begin == 1) return;
    const auto middle = begin + largest_power_below(end - begin);
    if (index < middle) {
        prove_inclusion(tree, index, begin, middle, proof);
        proof.push_back(tree.range(middle, end));
    } else {
        prove_inclusion(tree, index, middle, end, proof);
        proof.push_back(tree.range(begin, middle));
    }
}

/// SUBPROOF(m, D[begin:end], known) of RFC 6962, section 2.1.2; `old_end` is begin + m.
void prove_consistency(TileTree& tree, std::uint64_t old_end, std::uint64_t begin, std::uint64_t end,
                       bool known, std::vector<Digest>& proof) {
    if (old_end == end) {
        if (!known) proof.push_back(tree.range(begin, end));
        return;
    }
    const auto middle = begin + largest_power_below(end - begin);
    if (old_end <= middle) {
        prove_consistency(tree, old_end, begin, middle, known, proof);
        proof.push_back(tree.range(middle, end));
    } else {
        prove_consistency(tree, old_end, middle, end, false, proof);
        proof.push_back(tree.range(begin, middle));
    }
}

/// The place of a node on its way up: where the path is, and where the right edge of the tree is.
struct Climb {
    std::uint64_t at;
    std::uint64_t edge;
    unsigned level = 0;

    /// Moves up to the level on which the node has a sibling; whether that stands on the left.
    bool to_sibling() {
        const bool left = at % 2 == 1 || at == edge;
        if (left)
            while (at % 2 == 0 && at != 0) up();
        return left;
    }
    /// Whether the sibling stands on the left; moves up to the level the sibling's parent stands on.
    bool sibling_is_left() {
        const bool left = to_sibling();
        up();
        return left;
    }
    void up() {
        at >>= 1;
        edge >>= 1;
        ++level;
    }
};

std::vector<Digest> batch_leaves(const std::vector<Digest>& entries) {
    std::vector<Digest> leaves;
    leaves.reserve(entries.size());
    for (const auto& entry : entries) leaves.push_back(leaf_hash(entry));
    return leaves;
}

/// A batch as a tree of one tile that is not full, so that nothing above it is ever asked for.
ReadTile one_tile(const std::vector<Digest>& leaves) {
    if (leaves.empty() || leaves.size() >= tile_width)
        throw std::invalid_argument{"a batch has 1 to 255 entries"};
    return [&leaves](TileId) { return leaves; };
}

}  // namespace

Digest leaf_hash(BytesView leaf) {
    static constexpr std::uint8_t prefix[] = {0};
    return crypto::sha256({prefix, leaf});
}

Digest node_hash(const Digest& left, const Digest& right) {
    std::array<std::uint8_t, 65> message;
    message[0] = 1;
    std::copy(left.begin(), left.end(), message.begin() + 1);
    std::copy(right.begin(), right.end(), message.begin() + 33);
    return crypto::sha256(message);
}

Digest empty_root() { return crypto::sha256(BytesView{}); }

Digest tile_root(const TileHashes& tile) {
    if (tile.size() != tile_width) throw std::invalid_argument{"a full tile has 256 hashes"};
    return fold(tile);
}

Frontier Frontier::from_edge(std::uint64_t size, std::vector<TileHashes> edge) {
    const auto levels = std::max<std::size_t>(levels_of(size), edge.size());
    edge.resize(levels);
    Frontier frontier;
    frontier.size_ = size;
    for (std::size_t level = levels; level-- > 0;) {
        const auto& hashes = edge[level];
        if (hashes.size() != edge_width(size, static_cast<unsigned>(level)))
            throw std::invalid_argument{"the right edge of the tree does not fit its size at level " +
                                        std::to_string(level)};
        std::size_t from = 0;
        for (std::size_t count = tile_width / 2; count > 0; count /= 2) {
            if ((hashes.size() & count) == 0) continue;
            frontier.peaks_.push_back(fold(std::span{hashes}.subspan(from, count)));
            from += count;
        }
    }
    edge.resize(levels_of(size));
    frontier.edge_ = std::move(edge);
    return frontier;
}

Digest Frontier::root() const {
    if (peaks_.empty()) return empty_root();
    auto root = peaks_.back();
    for (auto peak = peaks_.rbegin() + 1; peak != peaks_.rend(); ++peak) root = node_hash(*peak, root);
    return root;
}

void Frontier::append(const Digest& leaf, const std::function<void(TileId, const TileHashes&)>& changed) {
    const auto index = size_++;
    peaks_.push_back(leaf);
    put(0, index, leaf, changed);
    // Appending completes one perfect subtree for each trailing one bit of the index.
    for (unsigned height = 1; height <= static_cast<unsigned>(std::countr_one(index)); ++height) {
        const auto right = peaks_.back();
        peaks_.pop_back();
        peaks_.back() = node_hash(peaks_.back(), right);
        if (height % tile_height == 0) put(height / tile_height, index >> height, peaks_.back(), changed);
    }
}

void Frontier::put(unsigned level, std::uint64_t place, const Digest& hash,
                   const std::function<void(TileId, const TileHashes&)>& changed) {
    if (edge_.size() <= level) edge_.resize(level + 1);
    auto& tile = edge_[level];
    tile.push_back(hash);
    if (changed) changed(TileId{static_cast<std::uint8_t>(level), place / tile_width}, tile);
    if (tile.size() == tile_width) tile.clear();
}

Digest root_at(std::uint64_t size, const ReadTile& read) {
    return size == 0 ? empty_root() : TileTree{read}.range(0, size);
}

std::vector<Digest> inclusion_proof(std::uint64_t index, std::uint64_t size, const ReadTile& read) {
    if (index >= size)
        throw std::out_of_range{"no leaf " + std::to_string(index) + " in a tree of " + std::to_string(size)};
    std::vector<Digest> proof;
    TileTree tree{read};
    prove_inclusion(tree, index, 0, size, proof);
    return proof;
}

std::vector<Digest> consistency_proof(std::uint64_t old_size, std::uint64_t size, const ReadTile& read) {
    if (old_size > size) throw std::out_of_range{"the older tree is the larger"};
    std::vector<Digest> proof;
    if (old_size == 0) return proof;
    TileTree tree{read};
    prove_consistency(tree, old_size, 0, size, true, proof);
    return proof;
}

std::optional<Digest> root_from_proof(std::uint64_t index, std::uint64_t size, const Digest& entry_leaf_hash,
                                      std::span<const Digest> proof) {
    if (index >= size) return std::nullopt;
    Climb climb{index, size - 1};
    auto root = entry_leaf_hash;
    for (const auto& sibling : proof) {
        if (climb.edge == 0) return std::nullopt;
        root = climb.sibling_is_left() ? node_hash(sibling, root) : node_hash(root, sibling);
    }
    if (climb.edge != 0) return std::nullopt;
    return root;
}

std::optional<ProvenPath> ProvenPath::prove(std::uint64_t index, std::uint64_t size,
                                            const Digest& entry_leaf_hash, std::span<const Digest> proof) {
    if (index >= size) return std::nullopt;
    ProvenPath path;
    path.size_ = size;
    path.root_ = entry_leaf_hash;
    Climb climb{index, size - 1};
    for (const auto& sibling : proof) {
        if (climb.edge == 0) return std::nullopt;
        const bool left = climb.to_sibling();
        path.steps_.push_back({climb.level, climb.at, path.root_, sibling});
        path.root_ = left ? node_hash(sibling, path.root_) : node_hash(path.root_, sibling);
        climb.up();
    }
    if (climb.edge != 0) return std::nullopt;
    return path;
}

bool ProvenPath::follow(std::uint64_t index, std::uint64_t size, const Digest& entry_leaf_hash,
                        std::span<const Digest> proof) {
    if (size != size_ || index >= size) return false;
    std::vector<Step> below;
    below.reserve(proof.size());
    auto node = entry_leaf_hash;
    auto mine = steps_.begin();
    Climb climb{index, size - 1};
    for (std::size_t i = 0; i < proof.size() && climb.edge != 0; ++i) {
        const bool left = climb.to_sibling();
        below.push_back({climb.level, climb.at, node, proof[i]});
        while (mine != steps_.end() && mine->level < climb.level) ++mine;
        if (mine != steps_.end() && mine->level == climb.level && mine->at == (climb.at ^ 1)) {
            const bool meets = mine->sibling == node && mine->node == proof[i] &&
                               std::ranges::equal(std::span{mine + 1, steps_.end()}, proof.subspan(i + 1), {},
                                                  &Step::sibling);
            if (!meets) return false;
            below.insert(below.end(), mine + 1, steps_.end());
            steps_ = std::move(below);
            return true;
        }
        node = left ? node_hash(proof[i], node) : node_hash(node, proof[i]);
        climb.up();
    }
    return false;
}

bool verify_inclusion(std::uint64_t index, std::uint64_t size, const Digest& leaf,
                      const std::vector<Digest>& proof, const Digest& root) {
    return root_from_proof(index, size, leaf, proof) == root;
}

bool verify_consistency(std::uint64_t old_size, std::uint64_t size, const Digest& old_root,
                        const Digest& root, const std::vector<Digest>& proof) {
    if (old_size == size) return proof.empty() && old_root == root;
    if (old_size == 0) return proof.empty() && old_root == empty_root();
    if (old_size > size || proof.empty()) return false;

    // A whole old tree is a node of the new one, so the proof leaves out what the verifier knows.
    const bool whole = std::has_single_bit(old_size);
    Climb climb{old_size - 1, size - 1};
    while (climb.at % 2 == 1) climb.up();
    auto old_way = whole ? old_root : proof[0];
    auto new_way = old_way;
    for (std::size_t i = whole ? 0 : 1; i < proof.size(); ++i) {
        if (climb.edge == 0) return false;
        if (climb.sibling_is_left()) {
            old_way = node_hash(proof[i], old_way);
            new_way = node_hash(proof[i], new_way);
        } else {
            new_way = node_hash(new_way, proof[i]);
        }
    }
    return climb.edge == 0 && old_way == old_root && new_way == root;
}

Digest batch_root(const std::vector<Digest>& entries) {
    const auto leaves = batch_leaves(entries);
    return root_at(leaves.size(), one_tile(leaves));
}

std::vector<Digest> batch_proof(const std::vector<Digest>& entries, std::size_t index) {
    const auto leaves = batch_leaves(entries);
    return inclusion_proof(index, leaves.size(), one_tile(leaves));
}

BatchTree batch_tree(const std::vector<Digest>& entries) {
    auto level = batch_leaves(entries);
    one_tile(level);  // throws for none or too many
    BatchTree tree{{}, std::vector<std::vector<Digest>>(level.size())};
    for (unsigned height = 0; level.size() > 1; ++height) {
        for (std::size_t i = 0; i < entries.size(); ++i)
            if (const auto sibling = (i >> height) ^ 1; sibling < level.size())
                tree.paths[i].push_back(level[sibling]);
        std::vector<Digest> above;
        for (std::size_t i = 0; i + 1 < level.size(); i += 2)
            above.push_back(node_hash(level[i], level[i + 1]));
        if (level.size() % 2 == 1) above.push_back(level.back());
        level = std::move(above);
    }
    tree.root = level[0];
    return tree;
}

}  // namespace flagpost::log
