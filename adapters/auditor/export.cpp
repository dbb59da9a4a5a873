#include "adapters/auditor/export.h"

#include <stdlib.h>

#include <algorithm>
#include <fstream>

#include "adapters/auditor/items.h"
#include "adapters/auditor/layout.h"
#include "broker/crypto/digest.h"

namespace flagpost::auditor {
namespace {

namespace fs = std::filesystem;

/// A folder beside the one asked for, of the owner alone, gone again unless it gets its name.
class Unfinished {
public:
    explicit Unfinished(fs::path directory) : directory_{std::move(directory)} {
        if (!directory_.has_filename()) directory_ = directory_.parent_path();
        if (fs::exists(fs::symlink_status(directory_)))
            throw std::runtime_error{directory_.string() + ": exists already"};
        auto name = directory_.string() + ".unfinished-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr)
            throw fs::filesystem_error{
                "cannot make", name, std::error_code{errno, std::generic_category()}
            };
        path_ = name;
    }
    Unfinished(const Unfinished&) = delete;
    Unfinished& operator=(const Unfinished&) = delete;
    ~Unfinished() {
        std::error_code ignored;
        if (!path_.empty()) fs::remove_all(path_, ignored);
    }
    const fs::path& path() const { return path_; }
    void finish() {
        fs::rename(path_, directory_);
        path_.clear();
    }

private:
    fs::path directory_;
    fs::path path_;
};

class File {
public:
    File(const fs::path& directory, const std::string& name) : path_{directory / name} {
        fs::create_directories(path_.parent_path());
        out_.open(path_, std::ios::binary | std::ios::trunc);
        check();
    }
    void write(BytesView bytes) {
        const auto chars = text(bytes);
        out_.write(chars.data(), static_cast<std::streamsize>(chars.size()));
        check();
    }
    void close() {
        out_.close();
        check();
    }

private:
    void check() const {
        if (!out_) throw std::runtime_error{path_.string() + ": cannot be written"};
    }
    fs::path path_;
    std::ofstream out_;
};

class Export {
public:
    Export(Source& source, fs::path directory) : source_{source}, directory_{std::move(directory)} {}

    Exported write(const log::VerifierKey& log) {
        const auto note = source_.checkpoint();
        const auto head = log::open_checkpoint(note, log);
        if (!head)
            throw std::runtime_error{"the broker's head is not signed by the log's key: " +
                                     head.error().where};
        exported_.size = head->size;
        write_file("checkpoint", view(note));
        write_file("vkey", view(log.text() + "\n"));
        for (unsigned level = 0; level < levels_of(exported_.size); ++level) write_tiles(level);
        for (std::uint64_t number = 0; number < tiles_at(0, exported_.size); ++number) {
            write_items(Piece::Of::entries, number);
            write_items(Piece::Of::bodies, number);
        }
        for (const auto& policy : source_.policies())
            write_file("policies/" + to_hex(crypto::sha256(view(policy))) + ".toml", view(policy));
        return exported_;
    }

private:
    void write_file(const std::string& name, BytesView content) {
        File file{directory_, name};
        file.write(content);
        file.close();
        exported_.bytes += content.size();
    }

    void write_tiles(unsigned level) {
        for (std::uint64_t number = 0; number < tiles_at(level, exported_.size); ++number) {
            const Piece piece{Piece::Of::hashes, static_cast<std::uint8_t>(level), number,
                              width_of(level, number, exported_.size)};
            const auto hashes = source_.tile({piece.level, number}, piece.width);
            if (hashes.size() != piece.width)
                throw std::runtime_error{"the broker's " + path_of(piece) + " has " +
                                         std::to_string(hashes.size()) + " hashes"};
            Bytes content;
            for (const auto& hash : hashes) content.insert(content.end(), hash.begin(), hash.end());
            write_file(path_of(piece), content);
        }
    }

    void write_items(Piece::Of of, std::uint64_t number) {
        const bool bodies = of == Piece::Of::bodies;
        const Piece piece{of, 0, number, width_of(0, number, exported_.size)};
        File file{directory_, path_of(piece)};
        for (std::size_t done = 0; done < piece.width;) {
            const auto from = number * log::tile_width + done;
            const auto wanted = piece.width - done;
            const auto items = bodies ? source_.bodies(from, wanted) : source_.entries(from, wanted);
            if (items.empty() || items.size() > wanted)
                throw std::runtime_error{"the broker's answer for " + path_of(piece) + " has " +
                                         std::to_string(items.size()) + " items"};
            Bytes content;
            for (const auto& item : items) {
                append_item(content, bodies ? Prefix::body : Prefix::entry, item);
                if (bodies && !item.empty()) ++exported_.bodies;
            }
            file.write(content);
            exported_.bytes += content.size();
            done += items.size();
        }
        file.close();
    }

    Source& source_;
    fs::path directory_;
    Exported exported_{0, 0, 0};
};

}  // namespace

Exported write_export(Source& source, const log::VerifierKey& log, const fs::path& directory) {
    Unfinished unfinished{directory};
    const auto exported = Export{source, unfinished.path()}.write(log);
    unfinished.finish();
    return exported;
}

}  // namespace flagpost::auditor
