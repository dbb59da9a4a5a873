#include "adapters/auditor/tree_check.h"

#include <algorithm>

#include "adapters/auditor/mapped_file.h"

namespace flagpost::auditor {
namespace {

constexpr std::size_t hash_size = 32;
constexpr std::ptrdiff_t readings_doubtful_max = 4;

/// The reading that keeps to the first candidate of each place, or the last; nothing if a place has none.
std::optional<log::TileHashes> one_reading(const std::vector<Candidates>& places, bool last) {
    log::TileHashes hashes;
    for (const auto& candidates : places) {
        if (candidates.empty()) return std::nullopt;
        hashes.push_back(last ? candidates.back() : candidates.front());
    }
    return hashes;
}

/// Every reading of a tile where few of its places are in doubt; else the one as stored and the one from below.
std::vector<log::TileHashes> readings(const std::vector<Candidates>& places) {
    std::vector<log::TileHashes> all(1);
    const auto doubtful =
        std::ranges::count_if(places, [](const auto& candidates) { return candidates.size() > 1; });
    if (doubtful > readings_doubtful_max) {
        all.clear();
        for (const bool last : {false, true})
            if (auto hashes = one_reading(places, last)) all.push_back(*std::move(hashes));
        return all;
    }
    for (const auto& candidates : places) {
        if (candidates.empty()) return {};
        const auto so_far = all.size();
        for (std::size_t i = 0; i < so_far; ++i)
            for (std::size_t other = 1; other < candidates.size(); ++other) {
                all.push_back(all[i]);
                all.back().push_back(candidates[other]);
            }
        for (std::size_t i = 0; i < so_far; ++i) all[i].push_back(candidates.front());
    }
    return all;
}

/// The root of a tree given the hashes of its right edge, those of level 0 first.
Digest root_of_edge(std::uint64_t size, const log::TileHashes& hashes) {
    std::vector<log::TileHashes> edge;
    auto from = hashes.begin();
    for (unsigned level = 0; level < levels_of(size); ++level) {
        const auto width = static_cast<std::ptrdiff_t>(hashes_at(level, size) % log::tile_width);
        edge.emplace_back(from, from + width);
        from += width;
    }
    return log::Frontier::from_edge(size, std::move(edge)).root();
}

}  // namespace

std::vector<std::optional<Digest>> stored_tile(const std::filesystem::path& directory, unsigned level,
                                               std::uint64_t number, std::uint64_t size,
                                               const Report& report) {
    const auto width = width_of(level, number, size);
    std::vector<std::optional<Digest>> hashes(width);
    const auto name = path_of({Piece::Of::hashes, static_cast<std::uint8_t>(level), number, width});
    const auto file = MappedFile::open(directory / name);
    if (!file) {
        report("file " + name, "is missing");
        return hashes;
    }
    const auto bytes = file->bytes();
    if (bytes.size() != width * hash_size)
        report("file " + name,
               "has " + std::to_string(bytes.size()) + " bytes, not " + std::to_string(width * hash_size));
    for (std::size_t i = 0; i < width && (i + 1) * hash_size <= bytes.size(); ++i)
        hashes[i] = exactly<hash_size>(bytes.subspan(i * hash_size, hash_size));
    return hashes;
}

std::string tile_hash_name(unsigned level, std::uint64_t number, std::size_t place) {
    return "tile " + std::to_string(level) + "/" + std::to_string(number) + " hash " + std::to_string(place);
}

TreeCheck::TreeCheck(const std::filesystem::path& directory, std::uint64_t size, const Report& report)
    : size_{size}, report_{report}, levels_(levels_of(size)) {
    for (unsigned level = 1; level < levels_.size(); ++level) {
        auto& stored = levels_[level].stored;
        for (std::uint64_t tile = 0; tile < tiles_at(level, size); ++tile) {
            const auto hashes = stored_tile(directory, level, tile, size, report);
            stored.insert(stored.end(), hashes.begin(), hashes.end());
        }
        levels_[level].candidates.resize(stored.size());
        levels_[level].known.resize(stored.size());
        for (std::size_t i = 0; i < stored.size(); ++i)
            if (stored[i]) levels_[level].candidates[i].push_back(*stored[i]);
    }
}

void TreeCheck::add_tile(std::uint64_t number, const std::vector<Candidates>& places) {
    if (places.size() < log::tile_width)
        edge_0_ = places;
    else
        fold(0, number, places);
}

/// What a full tile says its hash on the level above is, in each of its readings.
void TreeCheck::fold(unsigned level, std::uint64_t tile, const std::vector<Candidates>& places) {
    auto& above = levels_[level + 1].candidates[tile];
    for (const auto& hashes : readings(places)) add_candidate(above, log::tile_root(hashes));
}

std::vector<Candidates> TreeCheck::places_of(unsigned level, std::uint64_t tile) const {
    const auto begin =
        levels_[level].candidates.begin() + static_cast<std::ptrdiff_t>(tile * log::tile_width);
    return {begin, begin + static_cast<std::ptrdiff_t>(width_of(level, tile, size_))};
}

void TreeCheck::resolve(const std::optional<Digest>& root) {
    for (unsigned level = 1; level + 1 < levels_.size(); ++level)
        for (std::uint64_t tile = 0; tile < hashes_at(level + 1, size_); ++tile)
            fold(level, tile, places_of(level, tile));
    resolve_edge(root);
    for (auto level = static_cast<unsigned>(levels_.size()); level-- > 1;) {
        for (std::uint64_t tile = 0; tile < hashes_at(level + 1, size_); ++tile) resolve_tile(level, tile);
        for (std::uint64_t tile = 0; tile < tiles_at(level, size_); ++tile) report_stored(level, tile);
    }
}

void TreeCheck::resolve_edge(const std::optional<Digest>& root) {
    auto places = edge_0_;
    for (unsigned level = 1; level < levels_.size(); ++level) {
        const auto more = places_of(level, hashes_at(level, size_) / log::tile_width);
        places.insert(places.end(), more.begin(), more.end());
    }
    const auto root_of = [this](const log::TileHashes& hashes) { return root_of_edge(size_, hashes); };
    const auto hashes = root ? choose(places, *root, root_of) : one_reading(places, false);
    if (root && !hashes) report_("root", "the entries and tiles lead to another root than the signed one");
    if (hashes)
        known_edge_0_.emplace(hashes->begin(), hashes->begin() + static_cast<std::ptrdiff_t>(edge_0_.size()));
    auto at = edge_0_.size();
    for (unsigned level = 1; level < levels_.size(); ++level) {
        auto& known = levels_[level].known;
        const auto width = width_of(level, hashes_at(level, size_) / log::tile_width, size_);
        for (auto place = known.size() - width; place < known.size(); ++place, ++at) {
            if (hashes)
                known[place] = (*hashes)[at];
            else if (places[at].size() == 1)
                known[place] = places[at].front();
        }
    }
}

void TreeCheck::resolve_tile(unsigned level, std::uint64_t tile) {
    const auto places = places_of(level, tile);
    const auto& above = levels_[level + 1].known[tile];
    const auto hashes = above ? choose(places, *above, log::tile_root) : std::nullopt;
    if (above && !hashes)
        report_("tile " + std::to_string(level) + "/" + std::to_string(tile),
                "neither its hashes nor what lies below them lead to the hash above it");
    for (std::size_t i = 0; i < places.size(); ++i) {
        auto& known = levels_[level].known[tile * log::tile_width + i];
        if (hashes)
            known = (*hashes)[i];
        else if (places[i].size() == 1)
            known = places[i].front();
    }
}

void TreeCheck::report_stored(unsigned level, std::uint64_t tile) const {
    const auto& [stored, candidates, known] = levels_[level];
    for (std::size_t i = 0; i < width_of(level, tile, size_); ++i) {
        const auto at = tile * log::tile_width + i;
        if (!stored[at] || stored[at] == known[at]) continue;
        report_(tile_hash_name(level, tile, i),
                known[at] ? "is not the hash of what lies below it" : "disagrees with what lies below it");
    }
}

bool TreeCheck::contradicts(std::uint64_t number) const {
    const auto& [stored, candidates, known] = levels_[1];
    // The tile's own hash is the last candidate: it was added after what is stored above it.
    return known[number] && known[number] != candidates[number].back();
}

std::optional<log::TileHashes> TreeCheck::true_hashes(std::uint64_t number,
                                                      const std::vector<Candidates>& places) const {
    if (places.size() < log::tile_width) return known_edge_0_;
    const auto& above = levels_[1].known[number];
    return above ? choose(places, *above, log::tile_root) : std::nullopt;
}

}  // namespace flagpost::auditor
