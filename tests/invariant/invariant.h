/// A promise as something that watches a simulated world and says so when it is broken.
///
/// Each file of this folder is one promise, named as the sentence that must be true.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapters/client/session_machine.h"
#include "broker/exchange/exchange.h"
#include "broker/log/note.h"
#include "broker/store/store.h"

namespace flagpost::simulation {
class World;
class AgencyProcess;
}  // namespace flagpost::simulation

namespace flagpost::invariant {

using simulation::AgencyProcess;
using simulation::World;

/// What an invariant may hear of. Each does nothing unless it is overridden.
class Invariant {
public:
    Invariant(World& world, std::string sentence, std::string promise)
        : world_{world}, sentence_{std::move(sentence)}, promise_{std::move(promise)} {}
    virtual ~Invariant() = default;
    Invariant(const Invariant&) = delete;
    Invariant& operator=(const Invariant&) = delete;

    const std::string& sentence() const { return sentence_; }
    const std::string& promise() const { return promise_; }  // "P1", of the design

    // At an agency
    virtual void enqueued(const AgencyProcess&, const Id16& /*id*/) {}
    virtual void sent(const AgencyProcess&, std::uint64_t /*link*/, BytesView /*frame*/) {}
    virtual void received(const AgencyProcess&, std::uint64_t /*link*/, BytesView /*frame*/) {}
    virtual void stored(const AgencyProcess&, const client::Incoming&) {}  // new in its inbox
    virtual void answered(const AgencyProcess&, const client::Answered&) {}
    virtual void alarmed(const AgencyProcess&, const std::string& /*what*/) {}
    virtual void sent_by_stock(std::uint64_t /*link*/, BytesView /*frame*/) {}
    virtual void received_by_stock(std::uint64_t /*link*/, BytesView /*frame*/) {}

    // At the broker
    virtual void heard(const Id16& /*session*/, BytesView /*frame*/) {}
    virtual void told(const AgencyId&, const Id16& /*session*/, BytesView /*frame*/) {}
    virtual void committed(const store::Batch&, const store::Committed&) {}  // on the disk for certain
    virtual void head_signed(const log::Checkpoint&) {}
    virtual void reopened(std::uint64_t /*size*/) {}      // the store, before anything is reloaded
    virtual void recovered(const exchange::Exchange&) {}  // from the disk, before anything new
    virtual void revoked(const AgencyId&) {}
    virtual void pardoned(const AgencyId&) {}

    virtual void each_second() {}
    virtual void at_rest() {}  // faults are over, everything had time to settle

protected:
    World& world() const { return world_; }
    [[noreturn]] void broken(const std::string& how) const;

private:
    World& world_;
    std::string sentence_, promise_;
};

std::vector<std::unique_ptr<Invariant>> all_of(World& world);

}  // namespace flagpost::invariant
