/// A log in memory, exported by the program's own code: what a broker would answer.
#pragma once

#include <fstream>
#include <iterator>
#include <map>

#include "adapters/auditor/export.h"
#include "adapters/auditor/layout.h"
#include "broker/crypto/digest.h"
#include "broker/log/disclosure.h"
#include "broker/log/leaf.h"
#include "tests/support/temporary_directory.h"

namespace flagpost::test {

inline const std::string log_name = "log.example/audit";
inline crypto::NoteKey log_key() { return crypto::NoteKey::from_seed({7}); }
inline log::VerifierKey log_vkey() {
    return {log_name, log::VerifierKey::Type::note, log_key().public_key()};
}

inline Id16 id_of(std::uint64_t number) {
    Id16 id{};
    for (std::size_t i = 0; i < 8; ++i) id[15 - i] = static_cast<std::uint8_t>(number >> 8 * i);
    return id;
}

class SampleLog final : public auditor::Source {
public:
    /// `count` messages of police/31, one a second, every third with a body; the agreement first.
    explicit SampleLog(std::uint64_t count) {
        if (count == 0) return;
        put_in_force(log::LeafKind::agreement_set, agreement);
        while (size() < count) {
            log::Leaf leaf;
            leaf.kind = log::LeafKind::published;
            leaf.operation = log::Operation::collection;
            leaf.actor = "spiffe://notts.example/police/31";
            leaf.topic = "incidents/31";
            leaf.message = id_of(size());
            append(leaf,
                   size() % 3 == 0 ? Bytes(40 + size() % 50, static_cast<std::uint8_t>(size())) : Bytes{});
        }
    }

    std::uint64_t size() const { return frontier_.size(); }

    /// `body` is salt and ciphertext. Place and time are filled in, unless they are set.
    void append(log::Leaf leaf, const Bytes& body) {
        if (!body.empty()) leaf.body = crypto::sha256(body);
        if (leaf.index == 0) leaf.index = size();
        if (leaf.time == Instant{})
            leaf.time = from_us(1'772'487'612'000'000 + static_cast<std::int64_t>(size()) * 1'000'000);
        append_bytes(log::encode(leaf), body);
    }
    void append_bytes(const Bytes& leaf, const Bytes& body) {
        frontier_.append(log::leaf_hash(leaf),
                         [this](log::TileId id, const log::TileHashes& tile) { tiles_[id] = tile; });
        leaves_.push_back(leaf);
        bodies_.push_back(body);
    }
    void erase(std::uint64_t index) { bodies_[index].clear(); }

    std::string head() const {
        const auto text = log::Checkpoint{log_name, size(), frontier_.root()}.format();
        return log::SignedNote{text, {log::sign_note(text, log_name, log_key())}}.format();
    }

    std::string checkpoint() override { return head(); }
    log::TileHashes tile(log::TileId id, std::size_t width) override {
        auto hashes = tiles_.at(id);
        hashes.resize(std::min(hashes.size(), width));
        return hashes;
    }
    std::vector<Bytes> entries(std::uint64_t from, std::size_t count) override {
        return page(leaves_, from, count);
    }
    std::vector<Bytes> bodies(std::uint64_t from, std::size_t count) override {
        return page(bodies_, from, count);
    }
    /// Of nothing: what is in the bodies here is not sealed.
    Bytes keys(std::uint64_t from, std::size_t count, const auditor::SealedTerms& terms) override {
        return log::KeysPage{from, std::vector<std::optional<log::BodyKey>>(count)}.seal_to(terms.key);
    }
    std::optional<std::string> setting(std::uint64_t index) override {
        const auto leaf = log::decode_leaf(leaves_.at(index)).value();
        const auto found = texts_.find(leaf.agreement.value_or(leaf.setting.value_or(Digest{})));
        return found == texts_.end() ? std::nullopt : std::optional{found->second};
    }
    /// An entry that puts a text in force, the text to be had.
    void put_in_force(log::LeafKind kind, const std::string& text) {
        const auto digest = crypto::sha256(view(text));
        log::Leaf leaf;
        leaf.kind = kind;
        (kind == log::LeafKind::agreement_set ? leaf.agreement : leaf.setting) = digest;
        append(leaf, {});
        texts_[digest] = text;
    }

    static constexpr auto agreement = "# the agreement\n";
    std::size_t page_max = 100;  // items to an answer

private:
    std::vector<Bytes> page(const std::vector<Bytes>& all, std::uint64_t from, std::size_t count) const {
        const auto begin = all.begin() + static_cast<std::ptrdiff_t>(from);
        return {begin, begin + static_cast<std::ptrdiff_t>(std::min(count, page_max))};
    }
    log::Frontier frontier_;
    std::map<log::TileId, log::TileHashes> tiles_;
    std::vector<Bytes> leaves_, bodies_;
    std::map<Digest, std::string> texts_{
        {crypto::sha256(view(std::string_view{agreement})), agreement}
    };
};

/// Terms under which a sample's bodies are exported; nothing opens them.
inline auditor::SealedTerms sample_terms() {
    static const auto key = crypto::BoxKey::generate();
    return {"all", "ICO-1", key.public_key()};
}

inline std::string read_file(const std::filesystem::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}
inline void write_file(const std::filesystem::path& path, std::string_view content) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream{path, std::ios::binary | std::ios::trunc} << content;
}

}  // namespace flagpost::test
