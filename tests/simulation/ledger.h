/// What is on the disk for certain, as the world saw it being synced: what the broker is measured by.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "broker/exchange/exchange.h"
#include "broker/store/store.h"

namespace flagpost::simulation {

exchange::Setting exchange_setting();

class Ledger {
public:
    Ledger();

    /// A batch goes to the store: until it is on the disk or the process is dead, nobody knows.
    void handed_over(const store::Batch& batch) { uncertain_.push_back(batch); }
    /// The store has answered, or a restart has found it there. Returns the batch, in full.
    const store::Batch& durable(const store::Committed& committed);
    /// What was under way when the process died is gone.
    void lost() { uncertain_.clear(); }
    /// Handed over and not yet known to be durable, oldest first.
    const std::deque<store::Batch>& uncertain() const { return uncertain_; }

    const std::vector<log::Record>& records() const { return records_; }
    std::uint64_t size() const { return records_.size(); }
    /// The root of the log when it had that many leaves.
    const Digest& root(std::uint64_t size) const { return roots_.at(size); }
    const Digest& leaf(std::uint64_t index) const { return leaves_.at(index); }
    std::optional<std::uint64_t> receipt(const AgencyId& agency, const Id16& message) const;
    const std::map<std::pair<AgencyId, Id16>, std::uint64_t>& receipts() const { return receipts_; }
    /// The newest number of each mailbox.
    std::uint64_t high_water(const std::string& topic) const;
    /// An exchange that was given every record as it became durable, and never anything else.
    const exchange::Exchange& shadow() const { return shadow_; }

private:
    std::deque<store::Batch> uncertain_;
    store::Batch last_;
    std::vector<log::Record> records_;
    std::vector<Digest> roots_, leaves_;
    log::Frontier tree_;
    std::map<std::pair<AgencyId, Id16>, std::uint64_t> receipts_;
    std::map<std::string, std::uint64_t> high_water_;
    exchange::Exchange shadow_;
};

/// The topic and number of the mailbox item that this record holds, if it holds one.
std::optional<std::pair<std::string, std::uint64_t>> item_in(const log::Record& record);

}  // namespace flagpost::simulation
