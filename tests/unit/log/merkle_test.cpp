#include "broker/log/merkle.h"

#include <bit>
#include <map>
#include <random>

#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::log;

namespace {

Digest digest(std::string_view hex) { return *exactly<32>(*from_hex(hex)); }

Digest numbered_leaf(std::uint64_t number) {
    std::array<std::uint8_t, 8> bytes{};
    for (auto& byte : bytes) {
        byte = static_cast<std::uint8_t>(number);
        number >>= 8;
    }
    return leaf_hash(bytes);
}

std::vector<Digest> numbered_leaves(std::uint64_t count) {
    std::vector<Digest> leaves;
    for (std::uint64_t i = 0; i < count; ++i) leaves.push_back(numbered_leaf(i));
    return leaves;
}

// RFC 6962, section 2.1, word for word: what everything else is held against.
Digest tree_hash(std::span<const Digest> leaves) {
    if (leaves.empty()) return empty_root();
    if (leaves.size() == 1) return leaves[0];
    const auto k = std::bit_floor(leaves.size() - 1);
    return node_hash(tree_hash(leaves.first(k)), tree_hash(leaves.subspan(k)));
}

std::vector<Digest> path(std::size_t m, std::span<const Digest> leaves) {
    if (leaves.size() == 1) return {};
    const auto k = std::bit_floor(leaves.size() - 1);
    auto proof = m < k ? path(m, leaves.first(k)) : path(m - k, leaves.subspan(k));
    proof.push_back(m < k ? tree_hash(leaves.subspan(k)) : tree_hash(leaves.first(k)));
    return proof;
}

std::vector<Digest> subproof(std::size_t m, std::span<const Digest> leaves, bool known) {
    if (m == leaves.size()) return known ? std::vector<Digest>{} : std::vector<Digest>{tree_hash(leaves)};
    const auto k = std::bit_floor(leaves.size() - 1);
    auto proof = m <= k ? subproof(m, leaves.first(k), known) : subproof(m - k, leaves.subspan(k), false);
    proof.push_back(m <= k ? tree_hash(leaves.subspan(k)) : tree_hash(leaves.first(k)));
    return proof;
}

/// The tiles a store would hold, written as the frontier reports them.
struct Tiles {
    std::map<TileId, TileHashes> held;
    Frontier frontier;

    explicit Tiles(std::span<const Digest> leaves) {
        for (const auto& leaf : leaves) append(leaf);
    }
    void append(const Digest& leaf) {
        frontier.append(leaf, [this](TileId id, const TileHashes& hashes) { held[id] = hashes; });
    }
    ReadTile read() const {
        return [this](TileId id) { return held.at(id); };
    }
};

std::vector<Digest> with_one_bit_flipped(std::vector<Digest> proof, std::size_t at) {
    proof[at][at % 32] ^= 1;
    return proof;
}

}  // namespace

TEST_CASE("the published roots of Certificate Transparency's test leaves come out", "[log]") {
    const std::vector<const char*> leaves{
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
    const std::map<std::uint64_t, const char*> roots{
        {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
        {3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
        {4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
        {7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
        {8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
    };
    Tiles tiles{{}};
    CHECK(tiles.frontier.root() == digest(roots.at(0)));
    for (const auto* leaf : leaves) {
        tiles.append(leaf_hash(*from_hex(leaf)));
        const auto size = tiles.frontier.size();
        CAPTURE(size);
        if (!roots.contains(size)) continue;
        CHECK(tiles.frontier.root() == digest(roots.at(size)));
        CHECK(root_at(size, tiles.read()) == digest(roots.at(size)));
    }
}

TEST_CASE("every inclusion proof up to 130 leaves is RFC 6962's, verifies, and no other does", "[log]") {
    const auto leaves = numbered_leaves(131);
    const Tiles tiles{leaves};
    for (std::uint64_t size = 1; size <= 130; ++size) {
        const auto tree = std::span{leaves}.first(size);
        const auto root = tree_hash(tree);
        for (std::uint64_t index = 0; index < size; ++index) {
            CAPTURE(size, index);
            const auto proof = inclusion_proof(index, size, tiles.read());
            REQUIRE(proof == path(index, tree));
            REQUIRE(verify_inclusion(index, size, leaves[index], proof, root));
            REQUIRE_FALSE(verify_inclusion(index, size, leaves[index + 1], proof, root));
            REQUIRE_FALSE(verify_inclusion(index, size, leaves[index], proof, leaves[index + 1]));
            auto longer = proof;
            longer.push_back(root);
            REQUIRE_FALSE(verify_inclusion(index, size, leaves[index], longer, root));
            if (proof.empty()) continue;
            const auto at = (index + size) % proof.size();
            REQUIRE_FALSE(
                verify_inclusion(index, size, leaves[index], with_one_bit_flipped(proof, at), root));
            auto shorter = proof;
            shorter.pop_back();
            REQUIRE_FALSE(verify_inclusion(index, size, leaves[index], shorter, root));
            REQUIRE_FALSE(verify_inclusion(index ^ 1, size, leaves[index], proof, root));
        }
        REQUIRE_FALSE(verify_inclusion(size, size, leaves[0], path(0, tree), root));
    }
}

TEST_CASE("every consistency proof up to 130 leaves is RFC 6962's, verifies, and no other does", "[log]") {
    const auto leaves = numbered_leaves(130);
    const Tiles tiles{leaves};
    std::vector<Digest> roots;
    for (std::uint64_t size = 0; size <= 130; ++size)
        roots.push_back(tree_hash(std::span{leaves}.first(size)));
    for (std::uint64_t size = 1; size <= 130; ++size)
        for (std::uint64_t old_size = 1; old_size <= size; ++old_size) {
            CAPTURE(size, old_size);
            const auto& root = roots[size];
            const auto& old_root = roots[old_size];
            const auto proof = consistency_proof(old_size, size, tiles.read());
            REQUIRE(proof == subproof(old_size, std::span{leaves}.first(size), true));
            REQUIRE(verify_consistency(old_size, size, old_root, root, proof));
            REQUIRE_FALSE(verify_consistency(old_size, size, roots[old_size - 1], root, proof));
            REQUIRE_FALSE(verify_consistency(old_size, size, old_root, roots[size - 1], proof));
            auto longer = proof;
            longer.push_back(root);
            REQUIRE_FALSE(verify_consistency(old_size, size, old_root, root, longer));
            if (proof.empty()) continue;
            const auto at = (old_size + size) % proof.size();
            REQUIRE_FALSE(
                verify_consistency(old_size, size, old_root, root, with_one_bit_flipped(proof, at)));
            auto shorter = proof;
            shorter.pop_back();
            REQUIRE_FALSE(verify_consistency(old_size, size, old_root, root, shorter));
        }
}

TEST_CASE("an empty tree is consistent with everything, by an empty proof only", "[log]") {
    const auto leaves = numbered_leaves(5);
    const auto root = tree_hash(leaves);
    CHECK(verify_consistency(0, 5, empty_root(), root, {}));
    CHECK(verify_consistency(0, 0, empty_root(), empty_root(), {}));
    CHECK_FALSE(verify_consistency(0, 5, empty_root(), root, {root}));
    CHECK_FALSE(verify_consistency(0, 5, leaves[0], root, {}));
    CHECK_FALSE(verify_consistency(6, 5, root, root, {}));
}

TEST_CASE("proofs of absurd sizes are refused, not followed", "[log]") {
    const auto most = std::numeric_limits<std::uint64_t>::max();
    const auto leaf = numbered_leaf(0);
    for (const std::size_t length : {0, 1, 63, 65, 1000}) {
        const std::vector<Digest> proof(length, leaf);
        CHECK_FALSE(verify_inclusion(0, most, leaf, proof, leaf));
        CHECK_FALSE(verify_inclusion(most - 1, most, leaf, proof, leaf));
        CHECK_FALSE(verify_inclusion(most, most, leaf, proof, leaf));
        CHECK_FALSE(verify_consistency(most - 1, most, leaf, leaf, proof));
        CHECK_FALSE(verify_consistency(std::uint64_t{1} << 63, most, leaf, leaf, proof));
    }
}

TEST_CASE("frontier, tiles and definition give one root at any size", "[log]") {
    std::mt19937_64 random{20260302};
    std::vector<std::uint64_t> sizes{1, 255, 256, 257, 511, 512, 513, 65535, 65536, 65537, 66000};
    for (int i = 0; i < 30; ++i) sizes.push_back(1 + random() % 70000);
    std::ranges::sort(sizes);
    const auto leaves = numbered_leaves(sizes.back());
    Tiles tiles{{}};
    for (const auto size : sizes) {
        CAPTURE(size);
        while (tiles.frontier.size() < size) tiles.append(leaves[tiles.frontier.size()]);
        const auto root = tree_hash(std::span{leaves}.first(size));
        CHECK(tiles.frontier.root() == root);
        CHECK(root_at(size, tiles.read()) == root);
        const auto again = Frontier::from_edge(size, tiles.frontier.edge());
        CHECK(again.root() == root);
        CHECK(again.size() == size);
        const auto older = 1 + random() % size;
        const auto index = random() % older;
        CHECK(root_at(older, tiles.read()) == tree_hash(std::span{leaves}.first(older)));
        CHECK(verify_inclusion(index, size, leaves[index], inclusion_proof(index, size, tiles.read()), root));
        CHECK(verify_consistency(older, size, tree_hash(std::span{leaves}.first(older)), root,
                                 consistency_proof(older, size, tiles.read())));
    }
}

TEST_CASE("a tree reloaded from its edge grows as if it had never stopped", "[log]") {
    const auto leaves = numbered_leaves(66100);
    for (const std::uint64_t stop : {1, 200, 255, 256, 257, 300, 65535, 65536, 65537, 65800}) {
        CAPTURE(stop);
        Frontier whole;
        for (std::uint64_t i = 0; i < stop; ++i) whole.append(leaves[i], {});
        auto reloaded = Frontier::from_edge(stop, whole.edge());
        std::vector<std::pair<TileId, TileHashes>> seen_whole, seen_reloaded;
        for (std::uint64_t i = stop; i < stop + 300; ++i) {
            whole.append(leaves[i],
                         [&](TileId id, const TileHashes& tile) { seen_whole.emplace_back(id, tile); });
            reloaded.append(leaves[i],
                            [&](TileId id, const TileHashes& tile) { seen_reloaded.emplace_back(id, tile); });
        }
        CHECK(seen_whole == seen_reloaded);
        CHECK(whole.root() == reloaded.root());
        CHECK(whole.edge() == reloaded.edge());
    }
}

TEST_CASE("an edge that does not fit its size is not taken", "[log]") {
    Frontier frontier;
    for (const auto& leaf : numbered_leaves(600)) frontier.append(leaf, {});
    const auto edge = frontier.edge();
    CHECK_THROWS(Frontier::from_edge(599, edge));
    CHECK_THROWS(Frontier::from_edge(600 + 256, edge));
    CHECK_THROWS(Frontier::from_edge(600 + 65536, edge));
    CHECK_THROWS(Frontier::from_edge(0, edge));
    CHECK_THROWS(Frontier::from_edge(600, {}));
    auto padded = edge;
    padded.emplace_back();
    CHECK(Frontier::from_edge(600, padded).root() == frontier.root());
}

TEST_CASE("a tile with too few hashes is an error, not another root", "[log]") {
    Tiles tiles{numbered_leaves(300)};
    tiles.held[TileId{0, 1}].pop_back();
    CHECK_THROWS(root_at(300, tiles.read()));
    CHECK_THROWS(inclusion_proof(3, 300, tiles.read()));
    CHECK_NOTHROW(root_at(299, tiles.read()));
    CHECK_THROWS(inclusion_proof(300, 300, tiles.read()));
}

TEST_CASE("a batch of any size is one tree, and each entry's path leads to its root", "[log]") {
    for (const std::size_t size : {1, 2, 3, 7, 63, 64, 65, 255}) {
        std::vector<Digest> entries;
        for (std::size_t i = 0; i < size; ++i) entries.push_back(numbered_leaf(i));
        std::vector<Digest> leaves;
        for (const auto& entry : entries) leaves.push_back(leaf_hash(entry));
        const auto root = batch_root(entries);
        CHECK(root == tree_hash(leaves));
        for (std::size_t i = 0; i < size; ++i) {
            CAPTURE(size, i);
            REQUIRE(root_from_proof(i, size, leaves[i], batch_proof(entries, i)) == root);
            REQUIRE(root_from_proof(i, size + size, leaves[i], batch_proof(entries, i)) == std::nullopt);
        }
    }
    CHECK_THROWS(batch_root({}));
    CHECK_THROWS(batch_root(std::vector<Digest>(256)));
}

TEST_CASE("all paths of a batch made at once are those made one by one", "[log]") {
    for (const std::size_t size : {1, 2, 3, 6, 7, 63, 64, 255}) {
        std::vector<Digest> entries;
        for (std::size_t i = 0; i < size; ++i) entries.push_back(numbered_leaf(i));
        const auto tree = batch_tree(entries);
        CAPTURE(size);
        CHECK(tree.root == batch_root(entries));
        REQUIRE(tree.paths.size() == size);
        for (std::size_t i = 0; i < size; ++i) REQUIRE(tree.paths[i] == batch_proof(entries, i));
    }
    CHECK_THROWS(batch_tree({}));
    CHECK_THROWS(batch_tree(std::vector<Digest>(256)));
}

TEST_CASE("a path is followed from another of its batch exactly where it leads to the same root", "[log]") {
    for (const std::size_t size : {1, 2, 3, 5, 6, 7, 11, 64}) {
        std::vector<Digest> entries;
        for (std::size_t i = 0; i < size; ++i) entries.push_back(numbered_leaf(i));
        const auto tree = batch_tree(entries);
        for (std::size_t from = 0; from < size; ++from) {
            const auto proven = ProvenPath::prove(from, size, leaf_hash(entries[from]), tree.paths[from]);
            REQUIRE(proven);
            REQUIRE(proven->root() == tree.root);
            for (std::size_t to = 0; to < size; ++to) {
                CAPTURE(size, from, to);
                const auto leaf = leaf_hash(entries[to]);
                auto path = *proven;
                REQUIRE(path.follow(to, size, leaf, tree.paths[to]) == (to != from));
                REQUIRE(path.root() == tree.root);
                // Having gone there, it leads on as well as from where it came.
                if (to != from) REQUIRE(path.follow(from, size, leaf_hash(entries[from]), tree.paths[from]));

                path = *proven;
                REQUIRE_FALSE(path.follow(to, size, leaf_hash(numbered_leaf(1000)), tree.paths[to]));
                REQUIRE_FALSE(path.follow(to, size + 1, leaf, tree.paths[to]));
                REQUIRE_FALSE(path.follow(to + 1, size, leaf, tree.paths[to]));
                for (std::size_t spoilt = 0; spoilt < tree.paths[to].size(); ++spoilt) {
                    auto wrong = tree.paths[to];
                    wrong[spoilt][31] ^= 1;
                    REQUIRE_FALSE(path.follow(to, size, leaf, wrong));
                }
                auto longer = tree.paths[to];
                longer.push_back(numbered_leaf(7));
                REQUIRE_FALSE(path.follow(to, size, leaf, longer));
                if (!tree.paths[to].empty()) {
                    const std::span shorter{tree.paths[to].data(), tree.paths[to].size() - 1};
                    REQUIRE_FALSE(path.follow(to, size, leaf, shorter));
                }
            }
        }
    }
}
