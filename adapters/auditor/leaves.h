/// The leaves of an export one after another, as they lie there: not verified.
#pragma once

#include <filesystem>
#include <functional>

#include "adapters/auditor/export.h"
#include "broker/log/leaf.h"

namespace flagpost::auditor {

/// Calls `each` with the leaves in order, from entry `first` on, for as long as it answers true. Throws
/// std::runtime_error naming the file or entry that cannot be read.
void leaves_from(const std::filesystem::path& directory, std::uint64_t first,
                 const std::function<bool(std::uint64_t index, const log::Leaf& leaf)>& each,
                 const Progress& progress = {});

/// Calls `each` with every leaf in order. Throws likewise.
void each_leaf(const std::filesystem::path& directory,
               const std::function<void(std::uint64_t index, const log::Leaf& leaf)>& each,
               const Progress& progress = {});

}  // namespace flagpost::auditor
