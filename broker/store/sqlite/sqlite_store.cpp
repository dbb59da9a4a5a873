#include "broker/store/sqlite/sqlite_store.h"

#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <set>

#include "broker/core/limits.h"
#include "broker/crypto/seal.h"
#include "broker/store/disk.h"
#include "broker/store/erasure_list.h"
#include "broker/store/sqlite/database.h"
#include "broker/store/sqlite/entries.h"
#include "broker/store/sqlite/keys.h"
#include "broker/store/sqlite/pooled_random.h"
#include "broker/store/sqlite/rewrap.h"
#include "broker/store/sqlite/sealing_ahead.h"

namespace flagpost::store::sqlite {
namespace {

constexpr std::uint64_t entries_checked_at_start = 1000;
constexpr std::uint64_t wal_frame_header = 24;
constexpr const char* checkpoint_key = "checkpoint";
constexpr const char* cosigned_key = "cosigned";
constexpr const char* digest_key_key = "digest_key";
constexpr const char* erasures_key = "erasures";
constexpr const char* unlogged_key = "erased_unlogged";

std::filesystem::path beside(const std::filesystem::path& file, const char* suffix) {
    auto path = file;
    path += suffix;
    return path;
}

std::vector<log::IndexRange> ranges_in(BytesView bytes) {
    if (bytes.size() % 16 != 0) throw StorageFailure{"what was erased again is damaged"};
    std::vector<log::IndexRange> ranges;
    for (; !bytes.empty(); bytes = bytes.subspan(16))
        ranges.push_back({read_be(bytes.first(8)), read_be(bytes.subspan(8, 8))});
    return ranges;
}

/// Small numbers in rows in place of the texts that repeat in every row.
class Dictionary {
public:
    Dictionary(SQLite::Database& database, const char* all, const char* add)
        : database_{database}, all_{all}, add_{database, add} {
        reload();
    }

    template <class... Texts> std::uint64_t id(const Texts&... texts) {
        const std::vector<std::string> name{texts...};
        if (const auto known = ids_.find(name); known != ids_.end()) return known->second;
        const std::uint64_t id = ids_.size() + 1;
        add_.run(id, std::string_view{texts}...);
        ids_.emplace(name, id);
        return id;
    }

    /// After a rollback: what was added in the transaction is gone.
    void reload() {
        ids_.clear();
        SQLite::Statement rows{database_, all_};
        while (rows.executeStep()) {
            std::vector<std::string> name;
            for (int i = 1; i < rows.getColumnCount(); ++i) name.push_back(rows.getColumn(i).getString());
            ids_.emplace(std::move(name), number(rows, 0));
        }
    }

private:
    SQLite::Database& database_;
    const char* all_;
    Query add_;
    std::map<std::vector<std::string>, std::uint64_t> ids_;
};

class SqliteStore final : public Store {
public:
    explicit SqliteStore(Options options);

    Committed write(Batch batch) override;
    void sync() override { wal_.sync(); }
    void relieve() override;
    void reload(
        const std::function<void(std::uint64_t index, log::LeafKind kind, Bytes body)>& each) override;
    std::uint64_t size() const override { return tree_.size(); }
    Digest root() const override { return tree_.root(); }
    void save_checkpoint(std::string_view signed_note) override { checkpoint_.unsaved = signed_note; }
    std::optional<std::string> checkpoint() const override { return checkpoint_.newest(); }
    void save_cosigned(std::string_view note) override { cosigned_.unsaved = note; }
    std::optional<std::string> cosigned() const override { return cosigned_.newest(); }
    bool tidy() override;
    std::uint64_t wal_bytes() const override;
    std::uint64_t rewraps_left() const override { return rewrapping_.left(); }
    std::vector<std::uint64_t> erased_unlogged() const override {
        return {unlogged_.begin(), unlogged_.end()};
    }

private:
    /// What a transaction has done so far, taken over only after COMMIT.
    struct Work {
        log::Frontier tree;
        std::vector<Digest> leaves;
        std::map<Bytes, std::optional<std::uint64_t>> live;  // last word on each key; nothing: dropped
        std::vector<std::uint64_t> shredded;                 // indexes, in the order it was done
        std::set<std::uint64_t> unlogged;                    // erasures no leaf names yet
        std::size_t rows = 0;                                // bytes of entries
    };

    /// A note in `meta`, written with the next transaction there is.
    struct SavedNote {
        const char* key;
        std::string unsaved{}, saved{};
        std::optional<std::string> newest() const {
            const auto& note = unsaved.empty() ? saved : unsaved;
            return note.empty() ? std::nullopt : std::optional{note};
        }
    };

    void open_tree(const std::optional<log::Checkpoint>& signed_head);
    void require_digest_key();
    void catch_up_with_erasures();
    void erase_again(const std::vector<ErasureList::Line>& lines, const std::vector<std::uint64_t>& logged);
    std::vector<std::uint64_t> erased_since(std::uint64_t from);
    void put_unlogged(const std::set<std::uint64_t>& unlogged);
    std::vector<std::uint64_t> name_erased_again(const log::Leaf& leaf, Work& work);
    void list_new_erasures();
    void require_head(const log::Checkpoint& head, const char* whose);
    void check_newest();

    Work transact_with_reserve(const Batch& batch);
    Work transact(const Batch& batch);
    void write_record(const log::Record& record, std::size_t place, Work& work);
    Bytes write_keys(const log::Record& record, Work& work);
    void shred(BytesView key, Work& work);
    void shred(std::uint64_t index, Work& work);
    void write_live(const Work& work);
    void write_tiles(const Work& work);
    void write_notes();
    void notes_written();
    bool checkpoint_wal(int mode);

    static int on_commit(void* self, sqlite3*, const char*, int frames);

    std::filesystem::path file_;
    FileLock lock_;
    Reserve reserve_;
    Pseudonyms pseudonyms_;
    PooledRandom random_;
    crypto::Sealer sealer_;
    SealingAhead sealing_;
    SQLite::Database database_;
    WalFile wal_;
    Entries entries_;
    Rewrapping rewrapping_;
    Dictionary labels_;
    Dictionary agencies_;
    Query insert_entry_, erase_entry_, set_live_, drop_live_, find_live_, insert_receipt_, put_tile_,
        insert_subject_, delete_subject_, put_meta_;
    log::Frontier tree_;
    SavedNote checkpoint_{checkpoint_key};
    SavedNote cosigned_{cosigned_key};
    ErasureList erasures_;
    std::vector<std::uint64_t> unlisted_shreds_;
    std::set<std::uint64_t> unlogged_;
    bool shred_in_wal_ = false;  // erased bytes may still lie in the WAL
    int wal_frames_ = 0;
    std::size_t wal_rows_ = 0;  // bytes of rows written since the WAL was last moved
};

SqliteStore::SqliteStore(Options options)
    : file_{options.file},
      lock_{beside(options.file, "-lock")},
      reserve_{reserve_file(options.file), limits::reserve_bytes},
      pseudonyms_{std::move(options.digest)},
      random_{options.random},
      sealer_{options.master, random_},
      sealing_{options.master, random_},
      database_{open_writer(options.file)},
      wal_{options.file},
      entries_{database_},
      rewrapping_{database_, entries_, options.master},
      labels_{database_, "SELECT id, controller, retention FROM label",
              "INSERT INTO label(id, controller, retention) VALUES(?, ?, ?)"},
      agencies_{database_, "SELECT id, name FROM agency", "INSERT INTO agency(id, name) VALUES(?, ?)"},
      insert_entry_{
          database_,
          "INSERT INTO entry(idx, hash, leaf, keys, label, wrap, body) VALUES(?, ?, ?, ?, ?, ?, ?)"},
      erase_entry_{database_, "UPDATE entry SET wrap = NULL, body = NULL WHERE idx = ?"},
      set_live_{database_, "INSERT OR REPLACE INTO live(key, idx) VALUES(?, ?)"},
      drop_live_{database_, "DELETE FROM live WHERE key = ?"},
      find_live_{database_, "SELECT idx FROM live WHERE key = ?"},
      insert_receipt_{database_, "INSERT INTO receipt(agency, message, bytes, idx) VALUES(?, ?, ?, ?)"},
      put_tile_{database_, "INSERT OR REPLACE INTO tile(level, number, hashes) VALUES(?, ?, ?)"},
      insert_subject_{database_, "INSERT OR IGNORE INTO subject(mac, idx) VALUES(?, ?)"},
      delete_subject_{database_, "DELETE FROM subject WHERE mac = ? AND idx = ?"},
      put_meta_{database_, "INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)"},
      erasures_{beside(options.file, "-erased")} {
    sqlite3_wal_hook(database_.getHandle(), on_commit, this);
    require_digest_key();
    catch_up_with_erasures();  // first: also a copy too old to be served must not hold what was erased
    open_tree(options.signed_head);
    check_newest();
    // A stop between a shred and its checkpoint must not leave erased bytes in the WAL; nobody reads yet.
    if (!checkpoint_wal(SQLITE_CHECKPOINT_TRUNCATE))
        throw StorageFailure{"the WAL could not be emptied at start: another process has the store open"};
}

int SqliteStore::on_commit(void* self, sqlite3*, const char*, int frames) {
    static_cast<SqliteStore*>(self)->wal_frames_ = frames;
    return SQLITE_OK;
}

void SqliteStore::require_digest_key() {
    const auto mine = pseudonyms_.key_check();
    const auto kept = entries_.meta(digest_key_key);
    if (!kept)
        put_meta_.run(std::string_view{digest_key_key}, BytesView{mine});
    else if (!std::ranges::equal(*kept, mine))
        throw StorageFailure{"the digest key is not the one this store was made with"};
}

/// The list may be ahead of the file (an older copy was put back: what is listed is erased again) and behind it (a stop
/// before the list was written, or a list that got lost: it is made again from the log).
void SqliteStore::catch_up_with_erasures() {
    const auto size = entries_.size();
    const auto kept = entries_.meta(erasures_key);
    const auto known = kept ? two_numbers(*kept)
                            : std::optional{
                                  std::pair<std::uint64_t, std::uint64_t>{0, 0}
    };
    if (!known || known->second > size) throw StorageFailure{"how far erasures are listed is damaged"};
    auto [lines, leaves] = *known;
    for (const auto& range : ranges_in(entries_.meta(unlogged_key).value_or(Bytes{})))
        for (auto index = range.first; index <= range.last; ++index) unlogged_.insert(index);
    if (erasures_.size() < lines) {
        erasures_.clear();
        unlisted_shreds_ = erased_since(0);
    } else {
        auto logged = erased_since(leaves);
        erase_again(erasures_.from(lines), logged);
        unlisted_shreds_ = std::move(logged);
    }
    list_new_erasures();
}

/// What none of our leaves says was erased must be said by one to come: that is kept until it is.
void SqliteStore::erase_again(const std::vector<ErasureList::Line>& lines,
                              const std::vector<std::uint64_t>& logged) {
    if (lines.empty()) return;
    const std::set<std::uint64_t> known{logged.begin(), logged.end()};
    Work work;
    auto unlogged = unlogged_;
    SQLite::Transaction transaction{database_, SQLite::TransactionBehavior::IMMEDIATE};
    for (const auto& line : lines) {
        const auto entry = entries_.entry(line.index);
        if (!entry) continue;  // this copy was made before there was such an entry
        if (!std::ranges::equal(entry->hash, line.leaf))
            throw StorageFailure{"the list of erasures is not of this log: entry " +
                                 std::to_string(line.index)};
        shred(line.index, work);
        if (!known.contains(line.index)) unlogged.insert(line.index);
    }
    put_unlogged(unlogged);
    transaction.commit();
    unlogged_ = std::move(unlogged);
}

void SqliteStore::put_unlogged(const std::set<std::uint64_t>& unlogged) {
    Bytes bytes;
    for (const auto& range : log::to_ranges({unlogged.begin(), unlogged.end()})) {
        append_be(bytes, range.first, 8);
        append_be(bytes, range.last, 8);
    }
    put_meta_.run(std::string_view{unlogged_key}, BytesView{bytes});
}

/// What leaves from number `from` on say was erased.
std::vector<std::uint64_t> SqliteStore::erased_since(std::uint64_t from) {
    std::vector<std::uint64_t> erased;
    const auto size = entries_.size();
    entries_.each(from, size, [&](const Entry& entry) {
        const auto leaf = log::decode_leaf(entry.leaf);
        if (!leaf)
            throw StorageFailure{"entry " + std::to_string(entry.index) + ": leaf " + leaf.error().where};
        for (const auto& range : leaf->erased)
            for (auto index = range.first; index <= range.last; ++index) erased.push_back(index);
    });
    return erased;
}

void SqliteStore::list_new_erasures() {
    std::vector<ErasureList::Line> lines;
    for (const auto index : unlisted_shreds_) {
        const auto entry = entries_.entry(index);
        const auto hash = entry ? exactly<32>(entry->hash) : std::nullopt;
        if (!hash) throw StorageFailure{"entry " + std::to_string(index) + " is missing, and was erased"};
        lines.push_back({index, *hash});
    }
    erasures_.append(lines);
    put_meta_.run(std::string_view{erasures_key}, two_numbers(erasures_.size(), entries_.size()));
    unlisted_shreds_.clear();
}

void SqliteStore::open_tree(const std::optional<log::Checkpoint>& signed_head) {
    tree_ = entries_.frontier();
    for (auto* kept : {&checkpoint_, &cosigned_}) {
        const auto note = entries_.meta(kept->key);
        if (!note) continue;
        kept->saved = text(*note);
        const auto parsed = log::SignedNote::parse(kept->saved);
        const auto head = parsed ? log::Checkpoint::parse(parsed->text) : tl::unexpected{parsed.error()};
        if (!head)
            throw StorageFailure{"the saved " + std::string{kept->key} +
                                 " is damaged: " + head.error().where};
        require_head(*head,
                     kept == &checkpoint_ ? "the store's last checkpoint" : "the store's cosigned head");
    }
    if (signed_head) require_head(*signed_head, "the signer's last head");
}

void SqliteStore::require_head(const log::Checkpoint& head, const char* whose) {
    if (head.size > tree_.size())
        throw StorageFailure{std::string{whose} + " is of size " + std::to_string(head.size) +
                             ", the tree only of " + std::to_string(tree_.size()) +
                             ": this is an older copy of the store"};
    const auto root = log::root_at(head.size, [this](log::TileId id) { return entries_.tile(id); });
    if (root != head.root)
        throw StorageFailure{std::string{whose} + " of size " + std::to_string(head.size) +
                             " has another root than this tree at that size"};
}

void SqliteStore::check_newest() {
    const auto size = tree_.size();
    const auto from = size - std::min(size, entries_checked_at_start);
    entries_.each(from, size, [this](const Entry& entry) {
        if (const auto fault = entry.fault(&sealer_))
            throw StorageFailure{"entry " + std::to_string(entry.index) + ": " + *fault};
    });
}

Committed SqliteStore::write(Batch batch) {
    return guarded("commit", [&] {
        auto work = transact_with_reserve(batch);
        Committed committed{tree_.size(), std::move(work.leaves), work.tree.size(), work.tree.root()};
        tree_ = std::move(work.tree);
        unlogged_ = std::move(work.unlogged);
        shred_in_wal_ |= !work.shredded.empty();
        unlisted_shreds_.insert(unlisted_shreds_.end(), work.shredded.begin(), work.shredded.end());
        notes_written();
        wal_rows_ += work.rows;
        return committed;
    });
}

void SqliteStore::relieve() {
    if (wal_rows_ < limits::wal_rows_max && wal_frames_ < limits::wal_frames_max) return;
    guarded("checkpoint", [&] { checkpoint_wal(SQLITE_CHECKPOINT_PASSIVE); });
}

/// A full disk is the one failure with a remedy: the room kept back for this moment lets the batch through.
SqliteStore::Work SqliteStore::transact_with_reserve(const Batch& batch) {
    try {
        return transact(batch);
    } catch (const SQLite::Exception& error) {
        if (!met_full_disk(error) || !reserve_.held()) throw;
    }
    reserve_.release();
    labels_.reload();
    agencies_.reload();
    return transact(batch);
}

SqliteStore::Work SqliteStore::transact(const Batch& batch) {
    struct LetGo {
        SealingAhead& sealing;
        ~LetGo() { sealing.end(); }
    } const let_go{sealing_};
    const Unsynced unsynced{database_};
    Work work;
    work.tree = tree_;
    work.unlogged = unlogged_;
    work.leaves.reserve(batch.records.size());
    SQLite::Transaction transaction{database_, SQLite::TransactionBehavior::IMMEDIATE};
    for (auto rest = std::span{batch.records}; !rest.empty();) {
        const auto some = rest.first(std::min(rest.size(), SealingAhead::most));
        sealing_.begin(some);
        for (std::size_t i = 0; i < some.size(); ++i) write_record(some[i], i, work);
        rest = rest.subspan(some.size());
    }
    write_live(work);
    for (const auto& receipt : batch.receipts)
        insert_receipt_.run(agencies_.id(receipt.agency.text()), BytesView{receipt.message},
                            BytesView{receipt_column(receipt)}, receipt.index);
    write_tiles(work);
    write_notes();
    if (work.unlogged.size() != unlogged_.size()) put_unlogged(work.unlogged);
    transaction.commit();
    return work;
}

/// place   of the record among those sealed ahead
void SqliteStore::write_record(const log::Record& record, std::size_t place, Work& work) {
    const auto index = work.tree.size();
    if (record.leaf.index != index)
        throw StorageFailure{"record " + std::to_string(record.leaf.index) + " given as entry " +
                             std::to_string(index)};
    auto leaf = record.leaf;
    if (!record.user.empty()) leaf.user = pseudonyms_.user(record.user);
    for (const auto& subject : record.subjects) leaf.subjects.push_back(pseudonyms_.subject(subject));
    std::optional<std::uint64_t> label;
    std::optional<crypto::SealedBody> sealed;
    if (!record.body.empty()) {
        label = labels_.id(record.controller, record.retention);
        sealed = sealing_.take(place);
        leaf.body = sealed->digest;
    }
    const auto already = work.shredded.size();
    const auto keys = write_keys(record, work);
    for (const auto erased : record.erases) shred(erased, work);
    auto gone = name_erased_again(record.leaf, work);
    gone.insert(gone.end(), work.shredded.begin() + static_cast<std::ptrdiff_t>(already),
                work.shredded.end());
    leaf.erased = log::to_ranges(std::move(gone));
    const auto bytes = log::encode(leaf);
    const auto hash = log::leaf_hash(bytes);
    const auto optional_view = [](const Bytes* some) {
        return some == nullptr ? std::nullopt : std::optional{BytesView{*some}};
    };
    insert_entry_.run(index, BytesView{hash}, BytesView{bytes}, optional_view(keys.empty() ? nullptr : &keys),
                      label, optional_view(sealed ? &sealed->wrap : nullptr),
                      optional_view(sealed ? &sealed->ciphertext : nullptr));
    work.rows += bytes.size() + keys.size() + (sealed ? sealed->wrap.size() + sealed->ciphertext.size() : 0);
    if (sealed)
        for (const auto& mac : leaf.subjects) insert_subject_.run(BytesView{mac}, index);
    work.tree.append(hash, [this](log::TileId id, const log::TileHashes& hashes) {
        if (hashes.size() == log::tile_width) put_tile_.run(std::uint64_t{id.level}, id.number, flat(hashes));
    });
    work.leaves.push_back(hash);
}

/// Only what a start has erased again may be named without being destroyed now.
std::vector<std::uint64_t> SqliteStore::name_erased_again(const log::Leaf& leaf, Work& work) {
    std::vector<std::uint64_t> named;
    for (const auto& range : leaf.erased)
        for (auto index = range.first; index <= range.last; ++index) {
            if (work.unlogged.erase(index) == 0)
                throw StorageFailure{"entry " + std::to_string(index) + " is said to be erased, and is not"};
            named.push_back(index);
        }
    return named;
}

/// Shreds reach what the keys rested on before this record, so that a record may replace what it destroys.
Bytes SqliteStore::write_keys(const log::Record& record, Work& work) {
    Bytes steps;
    for (const auto& state_key : record.shreds) {
        const auto key = pseudonyms_.state_key(state_key);
        shred(key, work);
        work.live[key] = std::nullopt;
        append_step(steps, KeyStep::shred, key);
    }
    for (const auto& state_key : record.drops) {
        const auto key = pseudonyms_.state_key(state_key);
        work.live[key] = std::nullopt;
        append_step(steps, KeyStep::drop, key);
    }
    for (const auto& state_key : record.sets) {
        const auto key = pseudonyms_.state_key(state_key);
        work.live[key] = record.leaf.index;
        append_step(steps, KeyStep::set, key);
    }
    return steps;
}

void SqliteStore::shred(BytesView key, Work& work) {
    std::optional<std::uint64_t> index;
    if (const auto in_batch = work.live.find(copy(key)); in_batch != work.live.end())
        index = in_batch->second;
    else
        find_live_.first([&](const SQLite::Statement& row) { index = number(row, 0); }, key);
    if (index) shred(*index, work);
}

void SqliteStore::shred(std::uint64_t index, Work& work) {
    const auto entry = entries_.entry(index);
    if (!entry) throw StorageFailure{"entry " + std::to_string(index) + " is missing"};
    if (!entry->wrap && !entry->body) return;
    const auto leaf = log::decode_leaf(entry->leaf);
    if (!leaf) throw StorageFailure{"entry " + std::to_string(index) + ": leaf " + leaf.error().where};
    for (const auto& mac : leaf->subjects) delete_subject_.run(BytesView{mac}, index);
    erase_entry_.run(index);
    work.shredded.push_back(index);
}

void SqliteStore::write_live(const Work& work) {
    for (const auto& [key, index] : work.live) {
        if (index)
            set_live_.run(BytesView{key}, *index);
        else
            drop_live_.run(BytesView{key});
    }
}

/// Level 0 is written when a tile is full: until then its hashes are those of the last entries. The levels
/// above change only then, so a commit of a few records writes no tile at all.
void SqliteStore::write_tiles(const Work& work) {
    if (work.tree.size() / log::tile_width == tree_.size() / log::tile_width) return;
    std::uint64_t complete = work.tree.size();
    const auto& edge = work.tree.edge();
    for (std::size_t level = 1; level < edge.size(); ++level) {
        complete /= log::tile_width;
        if (!edge[level].empty())
            put_tile_.run(std::uint64_t{level}, complete / log::tile_width, flat(edge[level]));
    }
}

void SqliteStore::write_notes() {
    for (const auto* note : {&checkpoint_, &cosigned_})
        if (!note->unsaved.empty()) put_meta_.run(std::string_view{note->key}, view(note->unsaved));
}

void SqliteStore::notes_written() {
    for (auto* note : {&checkpoint_, &cosigned_})
        if (!note->unsaved.empty()) note->saved = std::exchange(note->unsaved, {});
}

void SqliteStore::reload(
    const std::function<void(std::uint64_t index, log::LeafKind kind, Bytes body)>& each) {
    const auto reload_entry = [&](const Entry& entry) {
        const auto name = "entry " + std::to_string(entry.index) + ": ";
        if (const auto fault = entry.fault(nullptr)) throw StorageFailure{name + *fault};
        const auto leaf = log::decode_leaf(entry.leaf);
        if (!leaf) throw StorageFailure{name + leaf.error().where};
        // Another key's erasure took this body: what is gone cannot come back into the state.
        if (entry.erased(*leaf)) return;
        auto body = entry.open(sealer_);
        if (!body) throw StorageFailure{name + "wrap does not open the body"};
        each(entry.index, leaf->kind, std::move(*body));
    };
    guarded("reload", [&] { entries_.each_live(reload_entry); });
}

bool SqliteStore::tidy() {
    return guarded("tidy", [&] {
        if (!reserve_.held() && has_room(file_)) reserve_.take();
        const bool more = rewrapping_.some(sealer_);
        if (!unlisted_shreds_.empty()) list_new_erasures();
        if (!checkpoint_.unsaved.empty() || !cosigned_.unsaved.empty()) {
            SQLite::Transaction transaction{database_, SQLite::TransactionBehavior::IMMEDIATE};
            write_notes();
            transaction.commit();
            notes_written();
        }
        if (shred_in_wal_)
            shred_in_wal_ = !checkpoint_wal(SQLITE_CHECKPOINT_TRUNCATE);
        else if (wal_frames_ >= limits::wal_frames_tidied)
            checkpoint_wal(SQLITE_CHECKPOINT_PASSIVE);
        return more;
    });
}

std::uint64_t SqliteStore::wal_bytes() const {
    return static_cast<std::uint64_t>(wal_frames_) * (page_size + wal_frame_header);
}

/// Whether everything was moved. A reader in the way is waited for only when erased bytes must leave the WAL.
bool SqliteStore::checkpoint_wal(int mode) {
    if (mode == SQLITE_CHECKPOINT_TRUNCATE) database_.setBusyTimeout(limits::reader_time_max_ms);
    int in_wal = 0;
    int moved = 0;
    const int result = sqlite3_wal_checkpoint_v2(database_.getHandle(), nullptr, mode, &in_wal, &moved);
    database_.setBusyTimeout(limits::lock_wait_max_ms);
    if (result == SQLITE_BUSY) return false;
    if (result != SQLITE_OK) throw SQLite::Exception{database_.getHandle(), result};
    wal_rows_ = 0;  // also when a reader kept some back: the next pass then comes later, with more to move
    if (in_wal == moved) wal_frames_ = 0;
    return in_wal == moved;
}

}  // namespace

std::unique_ptr<Store> open_store(Options options) {
    return guarded("open store", [&]() -> std::unique_ptr<Store> {
        return std::make_unique<SqliteStore>(std::move(options));
    });
}

}  // namespace flagpost::store::sqlite
