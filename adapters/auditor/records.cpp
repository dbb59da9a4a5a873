#include "adapters/auditor/records.h"

#include "adapters/auditor/export.h"
#include "adapters/auditor/items.h"
#include "adapters/auditor/layout.h"
#include "broker/crypto/digest.h"
#include "broker/crypto/seal.h"
#include "broker/log/disclosure.h"

namespace flagpost::auditor {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t salt_size = 16;

/// The items of one file; none where there is no such file. `judge` is not asked: what is damaged is for verify.
std::vector<BytesView> items_in_file(const std::optional<MappedFile>& file, Prefix prefix, std::size_t width,
                                     const std::string& name) {
    if (!file) return {};
    const auto judge = [](std::size_t, BytesView) { return Verdict::unknown; };
    auto found = items_of(file->bytes(), prefix, width, judge);
    if (found.items.size() < width) throw std::runtime_error{name + ": is damaged; verify says where"};
    return std::move(found.items);
}

std::vector<std::optional<log::BodyKey>> keys_in(const fs::path& directory, const std::string& name,
                                                 std::uint64_t first, std::size_t width,
                                                 const crypto::BoxKey* key) {
    if (key == nullptr) return {};
    const auto file = MappedFile::open(directory / name);
    if (!file) return {};
    auto page = log::KeysPage::open(file->bytes(), *key);
    if (!page) throw std::runtime_error{name + ": " + page.error().where};
    if (page->first != first || page->keys.size() != width)
        throw std::runtime_error{name + ": is of other entries"};
    return std::move(page->keys);
}

void open_body(Record& record, BytesView sealed, const std::optional<log::BodyKey>& key) {
    const auto name = "body of entry " + std::to_string(record.index);
    if (crypto::sha256(sealed) != *record.leaf.body)
        throw std::runtime_error{name + ": is not the one the entry names; verify says more"};
    if (!key) return;
    auto body = sealed.size() < salt_size
                    ? std::nullopt
                    : crypto::open_body(key->key, sealed.subspan(salt_size),
                                        {key->controller, key->retention, record.index});
    if (!body) throw std::runtime_error{name + ": the key handed over does not open it"};
    record.body = *std::move(body);
    record.state = BodyState::open;
}

}  // namespace

Records::Records(fs::path directory, const crypto::BoxKey* key)
    : directory_{std::move(directory)}, key_{key} {
    if (!fs::is_regular_file(directory_ / "checkpoint"))
        throw std::runtime_error{directory_.string() + ": is no export: it has no checkpoint"};
    const auto terms = SealedTerms::in(directory_);
    if (key_ != nullptr && terms && terms->key != key_->public_key())
        throw std::runtime_error{directory_.string() + ": was sealed to another key"};
    size_ = size_by_files(directory_);
}

std::optional<Record> Records::next() {
    if (next_ >= size_) return std::nullopt;
    const auto place = next_ % log::tile_width;
    if (place == 0) read_tile(next_ / log::tile_width);
    ++next_;
    return std::move(tile_[place]);
}

void Records::read_tile(std::uint64_t number) {
    const auto width = width_of(0, number, size_);
    const auto first = number * log::tile_width;
    const auto entries_name = path_of({Piece::Of::entries, 0, number, width});
    const auto bodies_name = path_of({Piece::Of::bodies, 0, number, width});
    const auto entries = MappedFile::open(directory_ / entries_name);
    if (!entries) throw std::runtime_error{entries_name + ": is missing"};
    const auto bodies = MappedFile::open(directory_ / bodies_name);
    const auto leaves = items_in_file(entries, Prefix::entry, width, entries_name);
    const auto sealed = items_in_file(bodies, Prefix::body, width, bodies_name);
    const auto keys = keys_in(directory_, path_of({Piece::Of::keys, 0, number, width}), first, width, key_);
    tile_.clear();
    for (std::size_t i = 0; i < width; ++i) {
        auto leaf = log::decode_leaf(leaves[i]);
        if (!leaf)
            throw std::runtime_error{"entry " + std::to_string(first + i) +
                                     ": is no leaf: " + leaf.error().where};
        Record record{first + i, *std::move(leaf), BodyState::none, {}};
        if (record.leaf.body) {
            record.state = sealed.empty() || !sealed[i].empty() ? BodyState::not_given : BodyState::absent;
            if (!sealed.empty() && !sealed[i].empty())
                open_body(record, sealed[i], keys.empty() ? std::nullopt : keys[i]);
        }
        tile_.push_back(std::move(record));
    }
}

}  // namespace flagpost::auditor
