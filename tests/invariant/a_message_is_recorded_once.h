/// P3: however often and on whatever connections a message is sent, there is one record of it.
#pragma once

#include <set>

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class AMessageIsRecordedOnce final : public Invariant {
public:
    explicit AMessageIsRecordedOnce(World& world) : Invariant{world, "a message is recorded once", "P3"} {}

    void committed(const store::Batch& batch, const store::Committed& committed) override;

private:
    std::set<std::pair<AgencyId, Id16>> receipts_;
    std::set<std::pair<std::string, Id16>> published_;
};

inline void AMessageIsRecordedOnce::committed(const store::Batch& batch, const store::Committed&) {
    for (const auto& receipt : batch.receipts)
        if (!receipts_.emplace(receipt.agency, receipt.message).second)
            broken(receipt.agency.text() + " message " + to_hex(receipt.message));
    for (const auto& record : batch.records)
        if (record.leaf.kind == log::LeafKind::published &&
            !published_.emplace(record.leaf.actor, record.leaf.message.value()).second)
            broken(record.leaf.actor + " message " + to_hex(*record.leaf.message));
}

}  // namespace flagpost::invariant
