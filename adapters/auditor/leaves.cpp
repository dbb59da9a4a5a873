#include "adapters/auditor/leaves.h"

#include "adapters/auditor/items.h"
#include "adapters/auditor/layout.h"
#include "adapters/auditor/mapped_file.h"

namespace flagpost::auditor {

void leaves_from(const std::filesystem::path& directory, std::uint64_t first,
                 const std::function<bool(std::uint64_t index, const log::Leaf& leaf)>& each,
                 const Progress& progress) {
    if (!std::filesystem::is_regular_file(directory / "checkpoint"))
        throw std::runtime_error{directory.string() + ": is no export: it has no checkpoint"};
    const auto size = size_by_files(directory);
    const auto judge = [](std::size_t, BytesView) { return Verdict::unknown; };
    for (auto number = first / log::tile_width; number < tiles_at(0, size); ++number) {
        const auto name = path_of({Piece::Of::entries, 0, number, width_of(0, number, size)});
        const auto file = MappedFile::open(directory / name);
        if (!file) throw std::runtime_error{name + ": is missing"};
        const auto found = items_of(file->bytes(), Prefix::entry, width_of(0, number, size), judge);
        if (found.items.size() < width_of(0, number, size))
            throw std::runtime_error{name + ": is damaged; verify says where"};
        for (std::size_t i = 0; i < found.items.size(); ++i) {
            const auto index = number * log::tile_width + i;
            if (index < first) continue;
            const auto leaf = log::decode_leaf(found.items[i]);
            if (!leaf)
                throw std::runtime_error{"entry " + std::to_string(index) +
                                         ": is no leaf: " + leaf.error().where};
            if (!each(index, *leaf)) return;
        }
        if (progress) progress(number + 1, tiles_at(0, size));
    }
}

void each_leaf(const std::filesystem::path& directory,
               const std::function<void(std::uint64_t index, const log::Leaf& leaf)>& each,
               const Progress& progress) {
    const auto all = [&](std::uint64_t index, const log::Leaf& leaf) {
        each(index, leaf);
        return true;
    };
    leaves_from(directory, 0, all, progress);
}

}  // namespace flagpost::auditor
