/// P4: a delivery comes to those alone whom the agreement lets read that mailbox, and an answer to who asked.
#pragma once

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class NobodyReadsAnothersMailbox final : public Invariant {
public:
    explicit NobodyReadsAnothersMailbox(World& world)
        : Invariant{world, "nobody reads another's mailbox", "P4"} {}

    void received(const AgencyProcess& agency, std::uint64_t link, BytesView frame) override;
    void received_by_stock(std::uint64_t link, BytesView frame) override;

private:
    void check(const AgencyId& agency, BytesView frame) const;
};

inline void NobodyReadsAnothersMailbox::check(const AgencyId& agency, BytesView bytes) const {
    const auto* deliver = wire::read_frame(bytes).value()->body_as_Deliver();
    if (deliver == nullptr) return;
    const auto topic = deliver->topic()->str();
    if (!simulation::county_agreement().may_subscribe(agency, topic))
        broken(agency.text() + " was sent " + topic);
}

inline void NobodyReadsAnothersMailbox::received(const AgencyProcess& agency, std::uint64_t,
                                                 BytesView frame) {
    check(agency.agency(), frame);
}

inline void NobodyReadsAnothersMailbox::received_by_stock(std::uint64_t, BytesView frame) {
    check(AgencyId::parse("bench/2").value(), frame);
}

}  // namespace flagpost::invariant
