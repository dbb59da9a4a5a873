#include "adapters/auditor/proof.h"

#include "adapters/auditor/items.h"
#include "adapters/auditor/layout.h"
#include "adapters/auditor/mapped_file.h"

namespace flagpost::auditor {
namespace {

namespace fs = std::filesystem;

MappedFile file_of(const fs::path& directory, const std::string& name) {
    auto file = MappedFile::open(directory / name);
    if (!file) throw std::runtime_error{name + ": is missing"};
    return *std::move(file);
}

}  // namespace

log::ReadTile tiles_of(const fs::path& directory, std::uint64_t size) {
    return [directory, size](log::TileId id) {
        const auto width = width_of(id.level, id.number, size);
        const auto name = path_of({Piece::Of::hashes, id.level, id.number, width});
        const auto file = file_of(directory, name);
        if (file.bytes().size() != width * sizeof(Digest))
            throw std::runtime_error{name + ": is of another size"};
        log::TileHashes hashes(width);
        for (std::size_t i = 0; i < width; ++i)
            hashes[i] = *exactly<sizeof(Digest)>(file.bytes().subspan(i * sizeof(Digest), sizeof(Digest)));
        return hashes;
    };
}

Proven prove(const fs::path& directory, std::uint64_t index) {
    const auto checkpoint = file_of(directory, "checkpoint");
    const auto note = log::SignedNote::parse(text(checkpoint.bytes()));
    const auto head = note ? log::Checkpoint::parse(note->text) : tl::unexpected{note.error()};
    if (!head) throw std::runtime_error{"checkpoint: " + head.error().where};
    if (index >= head->size)
        throw std::runtime_error{"entry " + std::to_string(index) + ": the export has " +
                                 std::to_string(head->size) + " entries"};

    const auto read = tiles_of(directory, head->size);
    const auto number = index / log::tile_width;
    const auto width = width_of(0, number, head->size);
    const auto name = path_of({Piece::Of::entries, 0, number, width});
    const auto entries = file_of(directory, name);
    const auto judge = [](std::size_t, BytesView) { return Verdict::unknown; };
    const auto found = items_of(entries.bytes(), Prefix::entry, width, judge);
    if (found.items.size() <= index % log::tile_width)
        throw std::runtime_error{name + ": is damaged; verify says where"};
    return {
        log::TlogProof{std::nullopt, index, log::inclusion_proof(index, head->size, read),
                       std::string{text(checkpoint.bytes())}},
        copy(found.items[index % log::tile_width])
    };
}

}  // namespace flagpost::auditor
