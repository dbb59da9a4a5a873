/// A store in a directory of its own, with known keys and records that are easy to recognise.
#pragma once

#include <fstream>
#include <iterator>
#include <set>

#include "broker/log/signer.h"
#include "broker/store/sqlite/check.h"
#include "broker/store/sqlite/sqlite_store.h"
#include "tests/support/temporary_directory.h"

namespace flagpost::test {

/// Different bytes every time, the same in every run.
class CountingRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> out) override {
        for (auto& byte : out) {
            state_ = state_ * 6364136223846793005u + 1442695040888963407u;
            byte = static_cast<std::uint8_t>(state_ >> 56);
        }
    }

private:
    std::uint64_t state_ = 1;
};

inline crypto::SymmetricKey key_of(std::uint8_t byte) {
    std::array<std::uint8_t, 32> key;
    key.fill(byte);
    return crypto::SymmetricKey{key};
}

inline constexpr std::uint8_t master_byte = 0x4d;
inline constexpr std::uint8_t digest_byte = 0x44;

inline log::Record record(std::uint64_t index, std::string_view body = "") {
    log::Record made;
    made.leaf.kind = log::LeafKind::record_set;
    made.leaf.index = index;
    made.leaf.time = from_us(1'700'000'000'000'000 + static_cast<std::int64_t>(index));
    made.leaf.actor = "spiffe://county.example/police/31";
    made.body = copy(view(body));
    made.controller = "police/31";
    made.retention = "incident";
    return made;
}

inline Bytes bytes_of(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

inline bool contains(const Bytes& haystack, BytesView needle) {
    return std::search(haystack.begin(), haystack.end(), needle.begin(), needle.end()) != haystack.end();
}

inline constexpr const char* log_name = "county.example/log";
inline crypto::NoteKey log_signer() { return crypto::NoteKey::from_seed(key_of(7).reveal()); }

/// The note a log would sign over this tree.
inline std::string checkpoint_note(std::uint64_t size, const Digest& root) {
    log::SignedNote note{
        log::Checkpoint{"county.example/log", size, root}
        .format(), {    }
    };
    note.signatures.push_back(
        log::sign_note(note.text, "county.example/log", crypto::NoteKey::from_seed(key_of(7).reveal())));
    return note.format();
}

class World {
public:
    std::filesystem::path file() const { return directory_.path() / "broker.db"; }
    std::filesystem::path wal() const { return directory_.path() / "broker.db-wal"; }

    std::unique_ptr<store::Store> open(std::optional<log::Checkpoint> signed_head = {}) {
        return open_with(master_byte, digest_byte, std::move(signed_head));
    }
    std::unique_ptr<store::Store> open_with(std::uint8_t master, std::uint8_t digest,
                                            std::optional<log::Checkpoint> signed_head = {}) {
        return store::sqlite::open_store(
            {file(), key_of(master), key_of(digest), random_, std::move(signed_head)});
    }
    std::unique_ptr<store::Reader> reader() {
        return store::sqlite::open_store_reader(file(), key_of(master_byte), key_of(digest_byte));
    }
    store::sqlite::CheckReport check() {
        const crypto::Sealer sealer{key_of(master_byte), random_};
        const log::VerifierKey log_key{log_name, log::VerifierKey::Type::note, log_signer().public_key()};
        return store::sqlite::check(file(), {&sealer, &log_key});
    }
    /// What a machine that lost power right now would find: the files as they are, in another place.
    void copy_to(const World& other) const {
        for (const auto& entry : std::filesystem::directory_iterator{directory_.path()}) {
            const auto name = entry.path().filename().string();
            if (name.ends_with(".db") || name.ends_with("-wal"))
                std::filesystem::copy_file(entry.path(), other.directory_.path() / name,
                                           std::filesystem::copy_options::overwrite_existing);
        }
    }
    /// After copy_to into this one: a WAL of the file that was replaced must not be read into the copy.
    void forget_wal_unless_copied(const World& from) const {
        if (!std::filesystem::exists(from.wal())) std::filesystem::remove(wal());
        std::filesystem::remove(file().string() + "-shm");
    }
    /// The database and its WAL as they lie on disk.
    Bytes raw() const {
        auto all = bytes_of(file());
        const auto more = bytes_of(wal());
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }

private:
    TemporaryDirectory directory_;
    CountingRandom random_;
};

}  // namespace flagpost::test
