/// P3: what an agency says about one subject is recorded in the order in which it was said: the second version of an
/// incident never before the first.
#pragma once

#include <array>
#include <map>

#include "broker/exchange/body.h"
#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class OrderIsKeptPerSubject final : public Invariant {
public:
    explicit OrderIsKeptPerSubject(World& world) : Invariant{world, "order is kept per subject", "P3"} {}

    void enqueued(const AgencyProcess& agency, const Id16& id) override;
    void committed(const store::Batch& batch, const store::Committed& committed) override;

private:
    using Sender = std::pair<std::string, Id16>;
    std::map<Sender, std::uint64_t> said_;  // which of all its messages
    std::map<std::array<std::string, 3>, std::uint64_t>
        newest_;  // by agency, topic and subject: recorded last
};

inline void OrderIsKeptPerSubject::enqueued(const AgencyProcess& agency, const Id16& id) {
    said_.emplace(Sender{agency.role().agency, id}, said_.size() + 1);
}

inline void OrderIsKeptPerSubject::committed(const store::Batch& batch, const store::Committed&) {
    for (const auto& record : batch.records) {
        if (record.body.empty()) continue;
        const auto* agency =
            exchange::read_body(record.body).agency();  // who said it: none if it is the broker's
        const auto bytes = exchange::envelope_in(record.body);
        if (agency == nullptr || !bytes) continue;
        const auto envelope = wire::read_envelope(*bytes);
        if (!envelope || envelope->table->subject() == nullptr) continue;
        const std::string subject = envelope->table->subject()->str();
        const auto place = said_.find({agency->str(), envelope->id});
        if (place == said_.end() || subject.empty()) continue;
        auto& newest = newest_[{agency->str(), std::string{envelope->topic}, subject}];
        if (place->second < newest)
            broken(std::string{envelope->topic} + " " + subject + ": a later one was recorded before");
        newest = place->second;
    }
}

}  // namespace flagpost::invariant
