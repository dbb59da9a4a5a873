#include "adapters/auditor/export.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "adapters/auditor/items.h"
#include "adapters/auditor/layout.h"
#include "adapters/auditor/mapped_file.h"
#include "broker/core/limits.h"
#include "broker/crypto/digest.h"
#include "broker/log/disclosure.h"
#include "broker/log/leaf.h"

namespace flagpost::auditor {
namespace {

namespace fs = std::filesystem;

constexpr int newer_heads_max = 5;

std::optional<std::string> content_of(const fs::path& file, std::size_t most) {
    std::ifstream in{file, std::ios::binary};
    if (!in) return std::nullopt;
    std::string content(most + 1, '\0');
    in.read(content.data(), static_cast<std::streamsize>(content.size()));
    content.resize(static_cast<std::size_t>(in.gcount()));
    if (content.size() > most) throw std::runtime_error{file.string() + ": is too large"};
    return content;
}

class Export {
public:
    Export(Source& source, const log::VerifierKey& log, fs::path directory,
           const std::optional<SealedTerms>& terms, const Progress& progress)
        : source_{source}, log_{log}, directory_{std::move(directory)}, terms_{terms}, progress_{progress} {
        if (!directory_.has_filename()) directory_ = directory_.parent_path();
    }

    Exported write() {
        const auto place = begin();
        place_ = place;
        const auto before = head_in(place);
        auto note = write_up_to_head(before);
        // What is erased while bodies are fetched is gone without an entry below the head: a newer head has it.
        for (int tries = 0; terms_ && tries < newer_heads_max && lacks_erasures(); ++tries)
            note = write_up_to_head(before);
        write_policies();
        write_file("vkey", view(log_.text() + "\n"));
        write_file("checkpoint", view(note));
        remove_leftovers();
        if (place_ != directory_) fs::rename(place_, directory_);
        return exported_;
    }

private:
    /// Everything the broker's newest head covers; returns that head.
    std::string write_up_to_head(const std::optional<log::Checkpoint>& before) {
        auto note = source_.checkpoint();
        const auto head = log::open_checkpoint(note, log_);
        if (!head)
            throw std::runtime_error{"the broker's head is not signed by the log's key: " +
                                     head.error().where};
        if (before && head->size < before->size)
            throw std::runtime_error{"the broker's head has " + std::to_string(head->size) +
                                     " entries, and the export " + std::to_string(before->size) +
                                     ": the log was cut"};
        exported_.size = head->size;
        for (unsigned level = levels_of(exported_.size); level-- > 0;) write_tiles(level);
        require(*head, "the broker's head");
        if (before) require(*before, "the head in the export");
        // What an export had before, it has the texts of.
        const auto texts_from = before ? before->size / log::tile_width : 0;
        for (std::uint64_t number = 0; number < tiles_at(0, exported_.size); ++number) {
            const auto fetched = write_items(Piece::Of::entries, number);
            if (number >= texts_from) note_texts(number, fetched);
            if (terms_) write_items(Piece::Of::bodies, number);
            if (terms_) write_keys(number);
            if (progress_) progress_(number + 1, tiles_at(0, exported_.size));
        }
        return note;
    }

    /// Whether a body fetched now is not there and no entry here says that it was erased. What is damaged is for verify.
    bool lacks_erasures() const {
        std::set<std::uint64_t> absent;
        const auto judge = [](std::size_t, BytesView) { return Verdict::unknown; };
        for (auto number = first_bodies_; number < tiles_at(0, exported_.size); ++number) {
            const auto width = width_of(0, number, exported_.size);
            const auto entries = MappedFile::open(place_ / path_of({Piece::Of::entries, 0, number, width}));
            const auto bodies = MappedFile::open(place_ / path_of({Piece::Of::bodies, 0, number, width}));
            if (!entries || !bodies) return false;
            const auto leaves = items_of(entries->bytes(), Prefix::entry, width, judge).items;
            const auto items = items_of(bodies->bytes(), Prefix::body, width, judge).items;
            for (std::size_t i = 0; i < std::min(leaves.size(), items.size()); ++i) {
                const auto leaf = log::decode_leaf(leaves[i]);
                if (!leaf) continue;
                if (leaf->body && items[i].empty()) absent.insert(number * log::tile_width + i);
                for (const auto& range : leaf->erased)
                    absent.erase(absent.lower_bound(range.first), absent.upper_bound(range.last));
            }
        }
        return !absent.empty();
    }

    /// The folder to write into: the export that is there, or an unfinished one beside it, begun before or now.
    fs::path begin() {
        if (fs::exists(fs::symlink_status(directory_))) {
            if (!fs::is_regular_file(directory_ / "checkpoint"))
                throw std::runtime_error{directory_.string() + ": exists already, and is no export"};
            require_terms(directory_);
            return directory_;
        }
        fs::path unfinished = directory_.string() + ".unfinished";
        if (fs::exists(unfinished / "tile")) {
            require_terms(unfinished);
            return unfinished;
        }
        fs::create_directories(unfinished);
        fs::remove(unfinished / "sealed-for");  // of an export broken off before it held anything
        // What opens bodies is its owner's alone; what a web server is to hand out, everybody may read.
        if (terms_) fs::permissions(unfinished, fs::perms::owner_all);
        place_ = unfinished;
        if (terms_) write_file("sealed-for", view(terms_->format()));
        return unfinished;
    }

    void require_terms(const fs::path& place) const {
        if (SealedTerms::in(place) != terms_)
            throw std::runtime_error{
                place.string() +
                ": is an export of another kind or under other terms; choose another folder"};
    }

    std::optional<log::Checkpoint> head_in(const fs::path& place) const {
        const auto note = content_of(place / "checkpoint", limits::note_size_max);
        if (!note) return std::nullopt;
        const auto head = log::open_checkpoint(*note, log_);
        if (!head)
            throw std::runtime_error{place.string() + ": its checkpoint is not signed by the log's key"};
        return *head;
    }

    /// Both ends of an update must be heads of one tree, or somebody has rewritten what was exported before.
    void require(const log::Checkpoint& head, const char* which) const {
        const auto read = [&](log::TileId id) {
            const auto width = width_of(id.level, id.number, exported_.size);
            const auto content = content_of(place_ / path_of({Piece::Of::hashes, id.level, id.number, width}),
                                            log::tile_width * sizeof(Digest));
            log::TileHashes hashes;
            for (std::size_t at = 0; content && at + sizeof(Digest) <= content->size(); at += sizeof(Digest))
                hashes.push_back(*exactly<sizeof(Digest)>(view(*content).subspan(at, sizeof(Digest))));
            return hashes;
        };
        if (log::root_at(head.size, read) != head.root)
            throw std::runtime_error{std::string{which} + " (" + std::to_string(head.size) +
                                     " entries) is not of the tree the broker shows: the log was rewritten"};
    }

    /// Whole or not at all, so that a piece that is there need not be fetched again.
    void write_file(const std::string& name, BytesView content) {
        const auto path = place_ / name;
        fs::create_directories(path.parent_path());
        const fs::path fresh = path.string() + unfinished_ending;
        std::ofstream out{fresh, std::ios::binary | std::ios::trunc};
        out.write(reinterpret_cast<const char*>(content.data()),
                  static_cast<std::streamsize>(content.size()));
        out.close();
        if (!out) throw std::runtime_error{fresh.string() + ": cannot be written"};
        fs::rename(fresh, path);
        exported_.bytes += content.size();
    }

    /// Not so what a power cut left empty or short under its name.
    bool is_there(const Piece& piece) const {
        const auto path = place_ / path_of(piece);
        std::error_code none;
        if (!fs::is_regular_file(path, none)) return false;
        const auto size = fs::file_size(path, none);
        return piece.of == Piece::Of::hashes ? size == piece.width * sizeof(Digest) : size > 0;
    }

    void write_tiles(unsigned level) {
        for (std::uint64_t number = 0; number < tiles_at(level, exported_.size); ++number) {
            const Piece piece{Piece::Of::hashes, static_cast<std::uint8_t>(level), number,
                              width_of(level, number, exported_.size)};
            if (is_there(piece)) continue;
            const auto hashes = source_.tile({piece.level, number}, piece.width);
            if (hashes.size() != piece.width)
                throw std::runtime_error{"the broker's " + path_of(piece) + " has " +
                                         std::to_string(hashes.size()) + " hashes"};
            Bytes content;
            for (const auto& hash : hashes) content.insert(content.end(), hash.begin(), hash.end());
            write_file(path_of(piece), content);
        }
    }

    /// What was fetched; nothing if it was there.
    std::optional<Bytes> write_items(Piece::Of of, std::uint64_t number) {
        const bool bodies = of == Piece::Of::bodies;
        const Piece piece{of, 0, number, width_of(0, number, exported_.size)};
        if (is_there(piece)) return std::nullopt;
        Bytes content;
        for (std::size_t done = 0; done < piece.width;) {
            const auto from = number * log::tile_width + done;
            const auto wanted = piece.width - done;
            const auto items = bodies ? source_.bodies(from, wanted) : source_.entries(from, wanted);
            if (items.empty() || items.size() > wanted)
                throw std::runtime_error{"the broker's answer for " + path_of(piece) + " has " +
                                         std::to_string(items.size()) + " items"};
            for (const auto& item : items) append_item(content, bodies ? Prefix::body : Prefix::entry, item);
            done += items.size();
        }
        write_file(path_of(piece), content);
        if (bodies) first_bodies_ = std::min(first_bodies_, number);
        if (!bodies) exported_.new_entries += piece.width;
        return content;
    }

    void write_keys(std::uint64_t number) {
        const Piece piece{Piece::Of::keys, 0, number, width_of(0, number, exported_.size)};
        if (is_there(piece)) return;
        const auto from = number * log::tile_width;
        const auto page = source_.keys(from, piece.width, *terms_);
        if (log::keys_page_range(page) != std::pair{from, piece.width})
            throw std::runtime_error{"the broker's answer for " + path_of(piece) + " is of other entries"};
        write_file(path_of(piece), page);
    }

    /// Which texts the entries of this tile put in force.
    void note_texts(std::uint64_t number, const std::optional<Bytes>& fetched) {
        const auto judge = [](std::size_t, BytesView) { return Verdict::unknown; };
        const auto width = width_of(0, number, exported_.size);
        std::optional<MappedFile> file;
        if (!fetched) file = MappedFile::open(place_ / path_of({Piece::Of::entries, 0, number, width}));
        if (!fetched && !file) return;
        const auto leaves = items_of(fetched ? *fetched : file->bytes(), Prefix::entry, width, judge).items;
        for (std::size_t i = 0; i < leaves.size(); ++i) {
            const auto leaf = log::decode_leaf(leaves[i]);
            if (auto name = leaf ? text_set_by(*leaf) : std::nullopt)
                texts_.emplace(*std::move(name), number * log::tile_width + i);
        }
    }

    void write_policies() {
        for (const auto& [name, index] : texts_) {
            std::error_code none;
            if (fs::is_regular_file(place_ / name, none) && !fs::is_empty(place_ / name, none)) continue;
            if (const auto text = source_.setting(index)) write_file(name, view(*text));
        }
    }

    /// Pieces of another head, the one before or one that an export broken off was of, and files it had not finished.
    void remove_leftovers() const {
        std::vector<fs::path> leftovers;
        for (const auto& file : fs::recursive_directory_iterator{place_}) {
            if (!file.is_regular_file()) continue;
            if (is_leftover(file.path().lexically_relative(place_).generic_string(), exported_.size))
                leftovers.push_back(file.path());
        }
        for (const auto& file : leftovers) {
            fs::remove(file);
            std::error_code not_empty;
            fs::remove(file.parent_path(), not_empty);
        }
    }

    Source& source_;
    const log::VerifierKey& log_;
    fs::path directory_;
    const std::optional<SealedTerms>& terms_;
    const Progress& progress_;
    fs::path place_;
    Exported exported_{0, 0, 0};
    std::uint64_t first_bodies_ = ~std::uint64_t{0};  // the first tile whose bodies were fetched now
    std::map<std::string, std::uint64_t> texts_;      // files that entries put in force, and one that does
};

}  // namespace

std::string SealedTerms::format() const {
    return nlohmann::ordered_json{
               {"scope",  scope      },
               {"reason", reason     },
               {"key",    to_hex(key)},
    }
               .dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) +
           "\n";
}

std::optional<SealedTerms> SealedTerms::in(const fs::path& directory) {
    const auto content = content_of(directory / "sealed-for", 4096);
    if (!content) return std::nullopt;
    const auto json = nlohmann::json::parse(*content, nullptr, false);
    const auto text_in = [&](const char* name) {
        const bool is_there = json.is_object() && json.contains(name) && json[name].is_string();
        return is_there ? json[name].get<std::string>() : std::string{};
    };
    const auto key = from_hex(text_in("key"));
    const auto fixed = key ? exactly<32>(*key) : std::nullopt;
    if (!fixed) throw std::runtime_error{(directory / "sealed-for").string() + ": is damaged"};
    return SealedTerms{text_in("scope"), text_in("reason"), *fixed};
}

Exported write_export(Source& source, const log::VerifierKey& log, const fs::path& directory,
                      const std::optional<SealedTerms>& terms, const Progress& progress) {
    return Export{source, log, directory, terms, progress}.write();
}

}  // namespace flagpost::auditor
