/// A store in memory: the real tree and the real rules, no disk. What is committed is visible to its readers at once.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "broker/core/limits.h"
#include "broker/crypto/digest.h"
#include "broker/store/store.h"

namespace flagpost::test {

/// What a store makes of a name, here without a secret.
inline Id16 pseudonym(std::string_view subject) {
    static const crypto::SymmetricKey key{{8}};
    return crypto::hmac16(key, {view(subject)});
}

/// What a store and its readers share. Safe for two threads, as the file is.
struct MemoryDisk {
    struct Entry {
        Bytes leaf;
        log::LeafKind kind;
        Bytes body;
        std::vector<std::string> subjects;
        std::string controller, retention;
    };
    std::mutex mutex;
    std::vector<Entry> entries;
    std::map<std::string, std::uint64_t> live;  // state key to the record it rests on
    std::set<std::string> personal;             // of these keys
    std::map<std::pair<AgencyId, Id16>, store::Receipt> receipts;
    std::map<log::TileId, log::TileHashes> tiles;
    log::Frontier tree;
    std::string checkpoint, cosigned;
    bool broken = false;  // the next commit fails
};

class MemoryStore : public store::Store {
public:
    explicit MemoryStore(std::shared_ptr<MemoryDisk> disk) : disk_{std::move(disk)} {}

    store::Committed write(store::Batch batch) override {
        const std::lock_guard lock{disk_->mutex};
        if (disk_->broken) throw store::StorageFailure{"the disk is broken"};
        store::Committed committed{disk_->tree.size(), {}, 0, {}};
        for (auto& record : batch.records) {
            if (record.leaf.index != disk_->tree.size()) throw store::StorageFailure{"gap in the log"};
            Bytes leaf = log::encode(record.leaf);
            const Digest hash = log::leaf_hash(leaf);
            disk_->tree.append(
                hash, [&](log::TileId id, const log::TileHashes& hashes) { disk_->tiles[id] = hashes; });
            disk_->entries.push_back({std::move(leaf), record.leaf.kind, std::move(record.body),
                                      std::move(record.subjects), record.controller, record.retention});
            move_keys(record);
            committed.leaves.push_back(hash);
        }
        for (const auto& receipt : batch.receipts)
            if (!disk_->receipts.emplace(std::pair{receipt.agency, receipt.message}, receipt).second)
                throw store::StorageFailure{"a receipt twice"};
        committed.size = disk_->tree.size();
        committed.root = disk_->tree.root();
        return committed;
    }
    void sync() override {}
    void move_keys(const log::Record& record) {
        for (const auto& key : record.shreds)
            if (const auto rests = disk_->live.find(key.name); rests != disk_->live.end()) {
                disk_->entries.at(rests->second).body.clear();
                disk_->live.erase(rests);
            }
        for (const auto index : record.erases) disk_->entries.at(index).body.clear();
        for (const auto& key : record.drops) disk_->live.erase(key.name);
        for (const auto& key : record.sets) {
            disk_->live[key.name] = record.leaf.index;
            if (key.personal) disk_->personal.insert(key.name);
        }
    }
    void reload(const std::function<void(std::uint64_t, log::LeafKind, Bytes)>& each) override {
        for (std::size_t i = 0; i < disk_->entries.size(); ++i)
            if (!disk_->entries[i].body.empty()) each(i, disk_->entries[i].kind, disk_->entries[i].body);
    }
    std::uint64_t size() const override { return disk_->tree.size(); }
    Digest root() const override { return disk_->tree.root(); }
    void save_checkpoint(std::string_view note) override { disk_->checkpoint = note; }
    void save_cosigned(std::string_view note) override { disk_->cosigned = note; }
    std::optional<std::string> cosigned() const override {
        return disk_->cosigned.empty() ? std::nullopt : std::optional{disk_->cosigned};
    }
    std::optional<std::string> checkpoint() const override {
        return disk_->checkpoint.empty() ? std::nullopt : std::optional{disk_->checkpoint};
    }
    bool tidy() override { return false; }
    std::uint64_t rewraps_left() const override { return 0; }

private:
    std::shared_ptr<MemoryDisk> disk_;
};

class MemoryReader final : public store::Reader {
public:
    explicit MemoryReader(std::shared_ptr<MemoryDisk> disk) : disk_{std::move(disk)} {}

    /// How often the log was looked into.
    std::size_t reads = 0;

    std::optional<store::Receipt> receipt(const AgencyId& agency, const Id16& message) override {
        ++reads;
        const std::lock_guard lock{disk_->mutex};
        const auto found = disk_->receipts.find({agency, message});
        return found == disk_->receipts.end() ? std::nullopt : std::optional{found->second};
    }
    std::optional<Bytes> body(std::uint64_t index) override {
        ++reads;
        const std::lock_guard lock{disk_->mutex};
        if (index >= disk_->entries.size() || disk_->entries[index].body.empty()) return std::nullopt;
        return disk_->entries[index].body;
    }
    std::optional<Bytes> leaf(std::uint64_t index) override {
        ++reads;
        const std::lock_guard lock{disk_->mutex};
        if (index >= disk_->entries.size()) return std::nullopt;
        return disk_->entries[index].leaf;
    }
    std::optional<SealedItem> sealed(std::uint64_t index) override {
        auto plain = body(index);
        return plain ? std::optional{SealedItem{Id16{}, std::move(*plain)}} : std::nullopt;
    }
    std::vector<std::uint64_t> about(std::string_view subject, std::size_t most) override {
        ++reads;
        const std::lock_guard lock{disk_->mutex};
        std::vector<std::uint64_t> found;
        for (std::size_t i = 0; i < disk_->entries.size() && found.size() < most; ++i)
            if (!disk_->entries[i].body.empty() &&
                std::ranges::find(disk_->entries[i].subjects, subject) != disk_->entries[i].subjects.end())
                found.push_back(i);
        return found;
    }
    std::vector<log::Kept> kept(std::uint64_t from, std::uint64_t to) override {
        ++reads;
        const std::lock_guard lock{disk_->mutex};
        std::vector<log::Kept> all;
        for (auto i = from; i < std::min<std::uint64_t>(to, disk_->entries.size()); ++i) {
            const auto& entry = disk_->entries[i];
            if (entry.body.empty()) continue;
            log::Kept kept{i, log::decode_leaf(entry.leaf)->time, entry.controller, entry.retention, {}, {}};
            for (const auto& subject : entry.subjects) kept.subjects.push_back(pseudonym(subject));
            for (const auto& [key, index] : disk_->live)
                if (index == i) kept.rests.push_back(disk_->personal.contains(key) ? "" : key);
            all.push_back(std::move(kept));
        }
        return all;
    }
    std::optional<log::BodyKey> body_key(std::uint64_t index) override {
        if (!body(index)) return std::nullopt;
        return log::BodyKey{crypto::SymmetricKey{{1}}, "police/31", "incident"};
    }
    log::TileHashes tile(log::TileId id) override {
        ++reads;
        const std::lock_guard lock{disk_->mutex};
        const auto found = disk_->tiles.find(id);
        return found == disk_->tiles.end() ? log::TileHashes{} : found->second;
    }
    std::uint64_t size() override {
        const std::lock_guard lock{disk_->mutex};
        return disk_->tree.size();
    }

private:
    std::shared_ptr<MemoryDisk> disk_;
};

}  // namespace flagpost::test
