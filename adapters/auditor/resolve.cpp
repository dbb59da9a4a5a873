#include "adapters/auditor/resolve.h"

#include <algorithm>

namespace flagpost::auditor {
namespace {

constexpr std::size_t pairs_tried_max = 64;  // places in doubt, for changing two of them
constexpr std::size_t all_tried_max = 10;    // places in doubt, for every combination
constexpr std::size_t combinations_tried_max = 4096;

class Search {
public:
    Search(const std::vector<Candidates>& places, const Digest& root,
           const std::function<Digest(const log::TileHashes&)>& root_of)
        : places_{places}, root_{root}, root_of_{root_of} {
        for (std::size_t place = 0; place < places.size(); ++place) {
            hashes_.push_back(places[place].front());
            if (places[place].size() > 1) doubtful_.push_back(place);
        }
    }

    std::optional<log::TileHashes> run() {
        if (holds() || with_one_changed() || with_two_changed() || with_all_last() || with_any())
            return hashes_;
        return std::nullopt;
    }

private:
    bool holds() const { return root_of_(hashes_) == root_; }

    /// Whether `then` holds with some other candidate at this place; the place is put back if not.
    template <class Then> bool changed_at(std::size_t place, Then&& then) {
        for (std::size_t i = 1; i < places_[place].size(); ++i) {
            hashes_[place] = places_[place][i];
            if (then()) return true;
        }
        hashes_[place] = places_[place].front();
        return false;
    }

    bool with_one_changed() {
        return std::ranges::any_of(doubtful_,
                                   [&](auto place) { return changed_at(place, [&] { return holds(); }); });
    }

    bool with_two_changed() {
        if (doubtful_.size() > pairs_tried_max) return false;
        for (std::size_t i = 0; i < doubtful_.size(); ++i)
            for (std::size_t j = i + 1; j < doubtful_.size(); ++j)
                if (changed_at(doubtful_[i],
                               [&] { return changed_at(doubtful_[j], [&] { return holds(); }); }))
                    return true;
        return false;
    }

    bool with_all_last() {
        for (const auto place : doubtful_) hashes_[place] = places_[place].back();
        if (holds()) return true;
        for (const auto place : doubtful_) hashes_[place] = places_[place].front();
        return false;
    }

    bool with_any() {
        if (doubtful_.size() > all_tried_max) return false;
        for (std::size_t tried = 0; tried < combinations_tried_max; ++tried) {
            std::size_t wheel = 0;
            for (; wheel < doubtful_.size(); ++wheel) {
                const auto& candidates = places_[doubtful_[wheel]];
                auto& hash = hashes_[doubtful_[wheel]];
                const auto next = std::ranges::find(candidates, hash) + 1;
                const bool over = next == candidates.end();
                hash = over ? candidates.front() : *next;
                if (!over) break;
            }
            if (wheel == doubtful_.size()) return false;
            if (holds()) return true;
        }
        return false;
    }

    const std::vector<Candidates>& places_;
    const Digest& root_;
    const std::function<Digest(const log::TileHashes&)>& root_of_;
    std::vector<std::size_t> doubtful_;
    log::TileHashes hashes_;
};

}  // namespace

void add_candidate(Candidates& candidates, const Digest& hash) {
    if (std::ranges::find(candidates, hash) == candidates.end()) candidates.push_back(hash);
}

std::optional<log::TileHashes> choose(const std::vector<Candidates>& places, const Digest& root,
                                      const std::function<Digest(const log::TileHashes&)>& root_of) {
    if (std::ranges::any_of(places, [](const Candidates& candidates) { return candidates.empty(); }))
        return std::nullopt;
    return Search{places, root, root_of}.run();
}

}  // namespace flagpost::auditor
