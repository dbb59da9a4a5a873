#include "tests/simulation/ledger.h"

#include "broker/crypto/digest.h"
#include "broker/exchange/body.h"
#include "tests/simulation/county.h"
#include "tests/simulation/disk.h"

namespace flagpost::simulation {

exchange::Setting exchange_setting() {
    return {county_agreement(), spiffe("broker/main"),
            [](std::string_view seed) {
                static const crypto::SymmetricKey key{{1}};
                return crypto::hmac16(key, {view(seed)});
            },
            date::locate_zone("Europe/London"), pseudonym};
}

Ledger::Ledger() : roots_{log::empty_root()}, shadow_{exchange_setting()} {}

const store::Batch& Ledger::durable(const store::Committed& committed) {
    last_ = std::move(uncertain_.front());
    uncertain_.pop_front();
    for (std::size_t i = 0; i < last_.records.size(); ++i) {
        const auto& record = last_.records[i];
        leaves_.push_back(committed.leaves.at(i));
        tree_.append(leaves_.back(), {});
        roots_.push_back(tree_.root());
        if (!record.body.empty()) shadow_.apply(record.leaf.index, record.leaf.kind, record.body);
        if (const auto item = item_in(record)) high_water_[item->first] = item->second;
        records_.push_back(record);
    }
    for (const auto& receipt : last_.receipts)
        receipts_.emplace(std::pair{receipt.agency, receipt.message}, receipt.index);
    return last_;
}

std::optional<std::uint64_t> Ledger::receipt(const AgencyId& agency, const Id16& message) const {
    const auto found = receipts_.find({agency, message});
    return found == receipts_.end() ? std::nullopt : std::optional{found->second};
}

std::uint64_t Ledger::high_water(const std::string& topic) const {
    const auto found = high_water_.find(topic);
    return found == high_water_.end() ? 0 : found->second;
}

std::optional<std::pair<std::string, std::uint64_t>> item_in(const log::Record& record) {
    if (record.body.empty()) return std::nullopt;
    const auto* item = exchange::read_body(record.body).item();
    if (item == nullptr) return std::nullopt;
    return std::pair{item->topic()->str(), item->number()};
}

}  // namespace flagpost::simulation
