/// Which of several readings of the same hashes is the true one: the one that leads to a hash already known.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "broker/log/merkle.h"

namespace flagpost::auditor {

/// What one place of a tile may hold: as stored, and as what lies below it says. First the one to be tried first.
using Candidates = std::vector<Digest>;

/// Adds a candidate that is not there yet.
void add_candidate(Candidates& candidates, const Digest& hash);

/// The hashes, one of each place's candidates, whose `root_of` is `root`; nothing if no combination tried is. Tried are
/// the first of all places, then those with one or two places changed, then the last of all places, and, where few
/// places are in doubt, every combination.
std::optional<log::TileHashes> choose(const std::vector<Candidates>& places, const Digest& root,
                                      const std::function<Digest(const log::TileHashes&)>& root_of);

}  // namespace flagpost::auditor
