/// P1: what was confirmed survives kill -9, the end of the machine and every restart, as the leaf that was named.
#pragma once

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class NothingConfirmedIsLost final : public Invariant {
public:
    explicit NothingConfirmedIsLost(World& world) : Invariant{world, "nothing confirmed is lost", "P1"} {}

    void told(const AgencyId& agency, const Id16& session, BytesView frame) override;
    void recovered(const exchange::Exchange&) override { look(); }
    void at_rest() override { look(); }

private:
    struct Confirmed {
        AgencyId agency;
        Id16 id;
        std::uint64_t index;
        Digest leaf;
    };
    void look();

    std::vector<Confirmed> confirmed_;
};

inline void NothingConfirmedIsLost::told(const AgencyId& agency, const Id16&, BytesView frame) {
    const auto* confirm = wire::read_frame(frame).value()->body_as_Confirm();
    if (confirm == nullptr) return;
    confirmed_.push_back({agency, *exactly<16>({confirm->id()->data(), 16}), confirm->index(),
                          *exactly<32>({confirm->leaf()->data(), 32})});
}

inline void NothingConfirmedIsLost::look() {
    auto& reader = world().broker->reader();
    for (const auto& [agency, id, index, leaf] : confirmed_) {
        const auto receipt = reader.receipt(agency, id);
        if (!receipt || receipt->index != index) broken("message " + to_hex(id) + " is not known any more");
        const auto kept = reader.leaf(index);
        if (!kept || log::leaf_hash(*kept) != leaf)
            broken("leaf " + std::to_string(index) + " is another one");
    }
}

}  // namespace flagpost::invariant
