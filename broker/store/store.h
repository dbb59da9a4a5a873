/// Where records become durable: one transaction, one writer; others read what is committed.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "broker/core/clock.h"
#include "broker/core/ids.h"
#include "broker/log/disclosure.h"
#include "broker/log/merkle.h"
#include "broker/log/record.h"

namespace flagpost::store {

/// The disk or the file is not to be trusted any more. Stop the process: a later fsync proves nothing.
class StorageFailure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// There is no room on the disk for this. What was asked was not done, and what was there still stands: whatever was
/// promised to nobody may be tried again once there is room.
class NoRoom : public StorageFailure {
public:
    using StorageFailure::StorageFailure;
};

/// Remembered for limits::dedup_kept: what was received under this id.
struct Receipt {
    AgencyId agency;
    Id16 message;
    Digest bytes;  // HMAC under the dedup key of the exact envelope
    std::uint64_t index;
};

struct Batch {
    std::vector<log::Record> records;
    std::vector<Receipt> receipts;
};

struct Committed {
    std::uint64_t first_index;
    std::vector<Digest> leaves;  // RFC 6962 leaf hash of each record, in order
    std::uint64_t size;
    Digest root;
};

/// The one writer. Belongs to the store thread.
class Store {
public:
    virtual ~Store() = default;
    /// All of it or, by exception, the end of the process, even for want of room. Readers see it on return, but it is
    /// durable only once a sync() that began afterwards has returned: until then nobody may be told of it.
    virtual Committed write(Batch batch) = 0;
    /// Makes durable what was written before. The one function that another thread may call, while the store thread
    /// writes what comes next.
    virtual void sync() = 0;
    /// write() and sync().
    Committed commit(Batch batch) {
        auto committed = write(std::move(batch));
        sync();
        return committed;
    }
    /// What commits leave to be done and what idleness may never come for. To be called after each commit, once
    /// those who wait for it have been told.
    /// Throws NoRoom, as tidy does, when that has to wait for room.
    virtual void relieve() {}
    /// Calls `each` with every record some state key rests on, by index, bodies opened.
    virtual void reload(
        const std::function<void(std::uint64_t index, log::LeafKind kind, Bytes body)>& each) = 0;
    virtual std::uint64_t size() const = 0;
    virtual Digest root() const = 0;
    virtual void save_checkpoint(std::string_view signed_note) = 0;  // rides along with the next commit
    virtual std::optional<std::string> checkpoint() const = 0;
    /// The newest head that a quorum of witnesses has cosigned; likewise.
    virtual void save_cosigned(std::string_view note) = 0;
    virtual std::optional<std::string> cosigned() const = 0;
    /// Moves WAL into the database a little, and wraps to a new master key; called when idle. Whether there is more
    /// to do of the same.
    virtual bool tidy() = 0;
    /// What the WAL holds by now, in bytes, because a reader still needs it or nobody has moved it yet.
    virtual std::uint64_t wal_bytes() const { return 0; }
    /// Bodies destroyed at the start, because a copy made before their erasure was put back: no leaf of this log says so
    /// yet. A record that names them in leaf.erased puts that right.
    virtual std::vector<std::uint64_t> erased_unlogged() const { return {}; }
    /// Entries whose wraps may still be under the master key before.
    virtual std::uint64_t rewraps_left() const = 0;
};

/// A second, read-only view of what is committed. One per thread.
class Reader {
public:
    virtual ~Reader() = default;
    virtual std::optional<Receipt> receipt(const AgencyId& agency, const Id16& message) = 0;
    virtual std::optional<Bytes> body(
        std::uint64_t index) = 0;  // digest-checked; throws StorageFailure if damaged
    /// As stored, damaged or not: who proves something to others lets them find what was changed.
    virtual std::optional<Bytes> leaf(std::uint64_t index) = 0;
    /// Likewise. Salted digest input of a body as stored: wrap's salt and ciphertext; absent if none or
    /// erased.
    struct SealedItem {
        Id16 salt;
        Bytes ciphertext;
    };
    virtual std::optional<SealedItem> sealed(std::uint64_t index) = 0;
    /// The leaves about this subject whose bodies are kept, by index, at most `most`.
    virtual std::vector<std::uint64_t> about(std::string_view subject, std::size_t most) = 0;
    /// The bodies kept of entries [from, to), by index, with the state keys that rest on each. A damaged entry is
    /// passed over, so that nothing destroys what is wrong about it: the check names it.
    virtual std::vector<log::Kept> kept(std::uint64_t from, std::uint64_t to) = 0;
    /// What opens the ciphertext of this body and no other, with the label both were sealed under. As it lies, for an
    /// auditor to judge: absent too where the wrap was damaged, and given for a body or leaf that was.
    virtual std::optional<log::BodyKey> body_key(std::uint64_t index) = 0;
    virtual log::TileHashes tile(log::TileId id) = 0;
    virtual std::uint64_t size() = 0;
};

}  // namespace flagpost::store
