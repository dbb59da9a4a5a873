/// The broker's disk as a model, and the Store and Reader on it: what is synced survives, anything else may not.
///
/// The rules are those of broker/store: a transaction is whole or not there, a record lives as long as a state key rests
/// on it, and a shredded body is gone. That SQLite keeps them on a failing disk is for tests/unit/store_sqlite and tests/fault.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/log/note.h"
#include "broker/store/store.h"
#include "tests/simulation/plant.h"

namespace flagpost::simulation {

/// What the world has done to the disk: the process must stop, and nobody is to blame.
class InjectedFailure : public store::StorageFailure {
public:
    using store::StorageFailure::StorageFailure;
};

/// What the store makes of a subject's name, here without a secret.
Id16 pseudonym(std::string_view subject);

/// What is there after a power cut.
struct Platter {
    struct Entry {
        Bytes leaf;
        log::LeafKind kind;
        Bytes body;  // empty: there is none, or it is shredded
        std::vector<std::string> subjects;
        std::string controller, retention;
    };
    std::vector<Entry> entries;
    std::map<std::string, std::uint64_t> live;  // state key to the record it rests on
    std::map<std::pair<AgencyId, Id16>, store::Receipt> receipts;
    std::map<log::TileId, log::TileHashes> tiles;
    log::Frontier tree;
    std::string checkpoint, cosigned;
    std::optional<log::Checkpoint> signed_head;  // the signer's own file beside it
};

struct Disk {
    Platter platter;
    bool full = false;
    enum class Fault : std::uint8_t {
        none,
        lost,
        kept
    } next_commit = Fault::none;  // an error is reported; was it written?
    Plant plant = Plant::nothing;
};

class ModelStore final : public store::Store {
public:
    explicit ModelStore(Disk& disk) : disk_{disk} {}

    store::Committed write(store::Batch batch) override;
    void sync() override {}  // what is written is on the platter
    void reload(const std::function<void(std::uint64_t, log::LeafKind, Bytes)>& each) override;
    std::uint64_t size() const override { return disk_.platter.tree.size(); }
    Digest root() const override { return disk_.platter.tree.root(); }
    void save_checkpoint(std::string_view note) override { disk_.platter.checkpoint = note; }
    std::optional<std::string> checkpoint() const override;
    void save_cosigned(std::string_view note) override { disk_.platter.cosigned = note; }
    std::optional<std::string> cosigned() const override;
    bool tidy() override { return false; }
    std::uint64_t rewraps_left() const override { return 0; }

private:
    Digest put(log::Record& record);
    void move_keys(const log::Record& record);

    Disk& disk_;
};

class ModelReader final : public store::Reader {
public:
    explicit ModelReader(Disk& disk) : disk_{disk} {}

    std::optional<store::Receipt> receipt(const AgencyId& agency, const Id16& message) override;
    std::optional<Bytes> body(std::uint64_t index) override;
    std::optional<Bytes> leaf(std::uint64_t index) override;
    std::optional<SealedItem> sealed(std::uint64_t index) override;
    std::optional<log::BodyKey> body_key(std::uint64_t) override {
        return std::nullopt;
    }  // nothing is sealed here
    log::TileHashes tile(log::TileId id) override;
    std::uint64_t size() override { return disk_.platter.tree.size(); }
    std::vector<std::uint64_t> about(std::string_view subject, std::size_t most) override;
    std::vector<log::Kept> kept(std::uint64_t from, std::uint64_t to) override;

private:
    Disk& disk_;
};

}  // namespace flagpost::simulation
