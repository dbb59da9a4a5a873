#include "broker/store/sqlite/check.h"

#include <algorithm>
#include <map>
#include <set>

#include "broker/core/limits.h"
#include "broker/store/erasure_list.h"
#include "broker/store/sqlite/entries.h"
#include "broker/store/sqlite/keys.h"
#include "broker/store/store.h"

namespace flagpost::store::sqlite {
namespace {

/// A state key as an operator may see it: clear ones as they are, personal ones as the HMAC's hexadecimal
/// digits.
std::string key_name(BytesView key) {
    const bool printable = std::ranges::all_of(key.subspan(std::min<std::size_t>(1, key.size())),
                                               [](std::uint8_t c) { return c > 0x20 && c < 0x7f; });
    if (!key.empty() && key[0] == 1 && printable) return "live " + std::string{text(key.subspan(1))};
    return "live " + to_hex(key);
}

std::string entry_name(std::uint64_t index) { return "entry " + std::to_string(index); }

std::string tile_name(log::TileId id) {
    return "tile " + std::to_string(id.level) + "/" + std::to_string(id.number);
}

class Check {
public:
    Check(const std::filesystem::path& file, const CheckKeys& keys)
        : keys_{keys},
          erasures_{file.string() + "-erased"},
          database_{open_reader(file)},
          entries_{database_},
          stored_tile_{database_, "SELECT hashes FROM tile WHERE level = ? AND number = ?"},
          subject_{database_, "SELECT 1 FROM subject WHERE mac = ? AND idx = ?"} {}

    CheckReport run() {
        // One snapshot for the whole check: what is committed meanwhile is not part of it.
        SQLite::Transaction snapshot{database_};
        check_structure();
        check_entries();
        check_edge();
        check_live();
        check_erasures();
        check_subjects();
        check_receipts();
        check_checkpoint();
        report_.root = tree_.root();
        return std::move(report_);
    }

private:
    void fault(const std::string& what) {
        ++report_.faults;
        if (report_.named.size() < limits::check_faults_max) report_.named.push_back(what);
    }
    void check_structure();
    void check_entries();
    void check_entry(const Entry& entry);
    void check_tile(log::TileId id, const log::TileHashes& hashes);
    void check_edge();
    void follow_keys(const Entry& entry);
    void check_live();
    void check_erasures();
    std::set<std::uint64_t> listed_erasures();
    void check_subjects_of(const log::Leaf& leaf, const Entry& entry);
    void check_subjects();
    void check_receipts();
    void check_checkpoint();
    std::uint64_t count(const char* table);

    CheckKeys keys_;
    ErasureList erasures_;
    SQLite::Database database_;
    Entries entries_;
    Query stored_tile_, subject_;
    CheckReport report_;
    log::Frontier tree_;                   // grown from the rows' hashes, each compared with its leaf
    std::map<Bytes, std::uint64_t> live_;  // as the entries' keys leave it
    std::set<std::uint64_t> shredded_;     // as the entries' keys say
    std::set<std::uint64_t> erased_;       // as the rows are
    std::uint64_t subjects_ = 0;
};

std::uint64_t Check::count(const char* table) {
    return static_cast<std::uint64_t>(
        database_.execAndGet(std::string{"SELECT count(*) FROM "} + table).getInt64());
}

void Check::check_structure() {
    SQLite::Statement rows{database_, "PRAGMA integrity_check(100)"};
    while (rows.executeStep())
        if (const auto line = rows.getColumn(0).getString(); line != "ok") fault("file: " + line);
}

void Check::check_entries() {
    std::uint64_t next = 0;
    SQLite::Statement indexes{database_, "SELECT idx FROM entry ORDER BY idx"};
    while (indexes.executeStep()) {
        const auto index = number(indexes, 0);
        if (index != next)
            fault(entry_name(next) + ": missing, and what follows up to " + std::to_string(index));
        next = index + 1;
        ++report_.entries;
        if (const auto entry = entries_.entry(index)) check_entry(*entry);
    }
}

void Check::check_entry(const Entry& entry) {
    if (const auto found = entry.fault(keys_.sealer)) fault(entry_name(entry.index) + ": " + *found);
    tree_.append(exactly<32>(entry.hash).value_or(Digest{}),
                 [this](log::TileId id, const log::TileHashes& hashes) {
                     if (hashes.size() == log::tile_width) check_tile(id, hashes);
                 });
    if (entry.body) ++report_.bodies;
    if (const auto leaf = log::decode_leaf(entry.leaf)) {
        if (entry.erased(*leaf)) erased_.insert(entry.index);
        for (const auto& range : leaf->erased)
            for (auto index = range.first; index <= range.last; ++index) shredded_.insert(index);
        check_subjects_of(*leaf, entry);
    }
    follow_keys(entry);
}

void Check::check_tile(log::TileId id, const log::TileHashes& hashes) {
    ++report_.tiles;
    std::optional<Bytes> stored;
    stored_tile_.first(
        [&](const SQLite::Statement& row) { stored = copy(blob(row, 0).value_or(BytesView{})); },
        std::uint64_t{id.level}, id.number);
    if (!stored)
        fault(tile_name(id) + ": missing");
    else if (*stored != flat(hashes))
        fault(tile_name(id) + ": not what the leaves make");
}

/// Partial tiles are stored from level 1 up.
void Check::check_edge() {
    auto complete = tree_.size();
    for (std::size_t level = 1; level < tree_.edge().size(); ++level) {
        complete /= log::tile_width;
        if (!tree_.edge()[level].empty())
            check_tile({static_cast<std::uint8_t>(level), complete / log::tile_width}, tree_.edge()[level]);
    }
    if (count("tile") > report_.tiles) fault("tile: more of them than the leaves make");
}

void Check::follow_keys(const Entry& entry) {
    const auto read = read_steps(entry.keys.value_or(Bytes{}), [&](KeyStep step, BytesView key) {
        const auto rests = live_.find(copy(key));
        if (step == KeyStep::shred && rests != live_.end()) shredded_.insert(rests->second);
        if (step == KeyStep::set)
            live_[copy(key)] = entry.index;
        else if (rests != live_.end())
            live_.erase(rests);
    });
    if (!read) fault(entry_name(entry.index) + ": " + read.error().where);
}

void Check::check_live() {
    auto expected = live_.begin();
    const auto report_missing_below = [&](const Bytes* key) {
        for (; expected != live_.end() && (key == nullptr || expected->first < *key); ++expected)
            fault(key_name(expected->first) + ": missing");
    };
    SQLite::Statement rows{database_, "SELECT key, idx FROM live ORDER BY key"};
    while (rows.executeStep()) {
        const auto key = copy(blob(rows, 0).value_or(BytesView{}));
        ++report_.live;
        report_missing_below(&key);
        if (expected == live_.end() || expected->first != key) {
            fault(key_name(key) + ": no entry sets it");
            continue;
        }
        if (expected->second != number(rows, 1)) fault(key_name(key) + ": rests on another entry");
        ++expected;
    }
    report_missing_below(nullptr);
}

std::set<std::uint64_t> Check::listed_erasures() {
    std::set<std::uint64_t> listed;
    for (const auto& line : erasures_.from(0)) listed.insert(line.index);
    return listed;
}

void Check::check_erasures() {
    report_.erased = erased_.size();
    const auto listed = listed_erasures();  // an older copy put back holds the erasure, but not yet its leaf
    for (const auto index : erased_)
        if (!shredded_.contains(index) && !listed.contains(index))
            fault(entry_name(index) + ": body gone without an erasure");
    for (const auto index : shredded_)
        if (const auto entry = entries_.entry(index); entry && (entry->body || entry->wrap))
            fault(entry_name(index) + ": body still there after its erasure");
}

void Check::check_subjects_of(const log::Leaf& leaf, const Entry& entry) {
    if (!entry.body) return;
    for (const auto& mac : std::set<Id16>{leaf.subjects.begin(), leaf.subjects.end()}) {
        ++subjects_;
        if (!subject_.first([](const SQLite::Statement&) {}, BytesView{mac}, entry.index))
            fault("subject " + to_hex(mac) + ": does not lead to " + entry_name(entry.index));
    }
}

void Check::check_subjects() {
    if (count("subject") > subjects_) fault("subject: more of them than the leaves name");
}

void Check::check_receipts() {
    SQLite::Statement rows{
        database_,
        "SELECT name, message, idx, bytes FROM receipt LEFT JOIN agency ON agency.id = receipt.agency"};
    while (rows.executeStep()) {
        ++report_.receipts;
        const auto message = exactly<16>(blob(rows, 1).value_or(BytesView{}));
        const auto index = number(rows, 2);
        const auto name = "receipt of " + entry_name(index);
        const auto entry = entries_.entry(index);
        const auto column = blob(rows, 3).value_or(BytesView{});
        if (!message || !receipt_digest(column, rows.getColumn(0).getString(), *message, index))
            fault(name + ": not as it was written");
        if (!entry) {
            fault(name + ": no such entry");
            continue;
        }
        const auto leaf = log::decode_leaf(entry->leaf);
        // Only these leaves name what was received; that of an opened notice names the notice.
        if (leaf && leaf->kind == log::LeafKind::published && leaf->message != message)
            fault(name + ": of another message");
    }
}

void Check::check_checkpoint() {
    const auto note = entries_.meta("checkpoint");
    if (!note) return;
    const auto parsed = log::SignedNote::parse(text(*note));
    if (!parsed) return fault("checkpoint: " + parsed.error().where);
    auto head = keys_.log_key != nullptr ? log::open_checkpoint(text(*note), *keys_.log_key)
                                         : log::Checkpoint::parse(parsed->text);
    if (!head && keys_.log_key_previous != nullptr)
        head = log::open_checkpoint(text(*note), *keys_.log_key_previous);
    if (!head) return fault("checkpoint: " + head.error().where);
    if (head->size > tree_.size()) return fault("checkpoint: newer than the entries");
    try {
        if (log::root_at(head->size, [this](log::TileId id) { return entries_.tile(id); }) != head->root)
            fault("checkpoint: another root than the tree has at size " + std::to_string(head->size));
    } catch (const std::runtime_error& damaged) {
        fault(std::string{"checkpoint: "} + damaged.what());
    }
}

}  // namespace

CheckReport check(const std::filesystem::path& file, const CheckKeys& keys) {
    return guarded("check", [&] { return Check{file, keys}.run(); });
}

}  // namespace flagpost::store::sqlite
