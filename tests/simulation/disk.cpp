#include "tests/simulation/disk.h"

#include <algorithm>
#include <set>

#include "broker/crypto/digest.h"

namespace flagpost::simulation {

store::Committed ModelStore::write(store::Batch batch) {
    const auto fault = std::exchange(disk_.next_commit, Disk::Fault::none);
    if (fault == Disk::Fault::lost) throw InjectedFailure{"EIO: nothing of it was written"};

    store::Committed committed{size(), {}, 0, {}};
    for (auto& record : batch.records) {
        if (record.leaf.index != size()) throw store::StorageFailure{"gap in the log"};
        committed.leaves.push_back(put(record));
    }
    for (const auto& receipt : batch.receipts) {
        const bool is_new =
            disk_.platter.receipts.emplace(std::pair{receipt.agency, receipt.message}, receipt).second;
        if (!is_new && disk_.plant != Plant::dedup_forgets) throw store::StorageFailure{"a receipt twice"};
    }
    committed.size = size();
    committed.root = root();
    if (disk_.plant == Plant::store_reports_another_leaf)
        for (auto& leaf : committed.leaves) leaf[0] ^= 1;
    if (fault == Disk::Fault::kept) throw InjectedFailure{"EIO: although all of it was written"};
    return committed;
}

Digest ModelStore::put(log::Record& record) {
    const bool misfiled =
        disk_.plant == Plant::store_writes_another_leaf && record.leaf.kind == log::LeafKind::notice_issued;
    if (misfiled) record.leaf.number += 1;
    Bytes leaf = log::encode(record.leaf);
    const Digest hash = log::leaf_hash(leaf);
    disk_.platter.tree.append(
        hash, [&](log::TileId id, const log::TileHashes& hashes) { disk_.platter.tiles[id] = hashes; });
    disk_.platter.entries.push_back({std::move(leaf), record.leaf.kind, std::move(record.body),
                                     record.subjects, record.controller, record.retention});
    move_keys(record);
    return hash;
}

void ModelStore::move_keys(const log::Record& record) {
    auto& live = disk_.platter.live;
    for (const auto& key : record.shreds) {
        const auto rests_on = live.find(key.name);
        if (rests_on == live.end()) throw store::StorageFailure{"a key that is not there is shredded"};
        disk_.platter.entries[rests_on->second].body.clear();
        live.erase(rests_on);
    }
    for (const auto& key : record.drops)
        if (live.erase(key.name) == 0) throw store::StorageFailure{"a key that is not there is dropped"};
    for (const auto index : record.erases) {
        if (std::ranges::any_of(live, [&](const auto& key) { return key.second == index; }))
            throw store::StorageFailure{"a body that some state rests on is destroyed"};
        disk_.platter.entries.at(index).body.clear();
    }
    for (const auto& key : record.sets) live[key.name] = record.leaf.index;
}

void ModelStore::reload(const std::function<void(std::uint64_t, log::LeafKind, Bytes)>& each) {
    std::set<std::uint64_t> indexes;
    for (const auto& [key, index] : disk_.platter.live) indexes.insert(index);
    // The bug forgets the newest of its kind, as a recovery that stops one record too early would.
    const auto forgotten = disk_.plant == Plant::recovery_drops_a_notice     ? log::LeafKind::notice_issued
                           : disk_.plant == Plant::recovery_drops_a_delivery ? log::LeafKind::published
                                                                             : log::LeafKind::none;
    std::optional<std::uint64_t> dropped;
    for (const auto index : indexes)
        if (disk_.platter.entries[index].kind == forgotten) dropped = index;
    // Or takes what is late for what is over.
    if (disk_.plant == Plant::recovery_drops_what_is_late)
        for (const auto index : indexes)
            if (disk_.platter.entries[index].kind == log::LeafKind::overdue) dropped = index;
    for (const auto index : indexes)
        if (index != dropped)
            each(index, disk_.platter.entries[index].kind, disk_.platter.entries[index].body);
}

std::optional<std::string> ModelStore::checkpoint() const {
    return disk_.platter.checkpoint.empty() ? std::nullopt : std::optional{disk_.platter.checkpoint};
}

std::optional<std::string> ModelStore::cosigned() const {
    return disk_.platter.cosigned.empty() ? std::nullopt : std::optional{disk_.platter.cosigned};
}

std::optional<store::Receipt> ModelReader::receipt(const AgencyId& agency, const Id16& message) {
    if (disk_.plant == Plant::dedup_forgets) return std::nullopt;
    const auto found = disk_.platter.receipts.find({agency, message});
    return found == disk_.platter.receipts.end() ? std::nullopt : std::optional{found->second};
}

std::optional<Bytes> ModelReader::body(std::uint64_t index) {
    const auto& entries = disk_.platter.entries;
    if (index >= entries.size() || entries[index].body.empty()) return std::nullopt;
    return entries[index].body;
}

std::optional<Bytes> ModelReader::leaf(std::uint64_t index) {
    if (index >= disk_.platter.entries.size()) return std::nullopt;
    return disk_.platter.entries[index].leaf;
}

std::optional<store::Reader::SealedItem> ModelReader::sealed(std::uint64_t index) {
    auto plain = body(index);
    return plain ? std::optional{SealedItem{Id16{}, std::move(*plain)}} : std::nullopt;
}

log::TileHashes ModelReader::tile(log::TileId id) {
    const auto found = disk_.platter.tiles.find(id);
    return found == disk_.platter.tiles.end() ? log::TileHashes{} : found->second;
}

std::vector<std::uint64_t> ModelReader::about(std::string_view subject, std::size_t most) {
    std::vector<std::uint64_t> found;
    const auto& entries = disk_.platter.entries;
    for (std::size_t i = 0; i < entries.size() && found.size() < most; ++i)
        if (!entries[i].body.empty() &&
            std::ranges::find(entries[i].subjects, subject) != entries[i].subjects.end())
            found.push_back(i);
    return found;
}

Id16 pseudonym(std::string_view subject) {
    const auto whole = crypto::sha256(view(subject));
    Id16 first;
    std::copy_n(whole.begin(), first.size(), first.begin());
    return first;
}

std::vector<log::Kept> ModelReader::kept(std::uint64_t from, std::uint64_t to) {
    std::vector<log::Kept> all;
    const auto& entries = disk_.platter.entries;
    std::multimap<std::uint64_t, std::string> rests;
    for (const auto& [key, index] : disk_.platter.live)
        if (index >= from && index < to) rests.emplace(index, key);
    for (auto i = from; i < std::min<std::uint64_t>(to, entries.size()); ++i) {
        if (entries[i].body.empty()) continue;
        log::Kept kept{
            i, log::decode_leaf(entries[i].leaf)->time, entries[i].controller, entries[i].retention, {}, {}};
        for (const auto& subject : entries[i].subjects) kept.subjects.push_back(pseudonym(subject));
        const auto [first, last] = rests.equal_range(i);
        for (auto key = first; key != last; ++key) kept.rests.push_back(key->second);
        all.push_back(std::move(kept));
    }
    return all;
}

}  // namespace flagpost::simulation
