/// P6: the leaf hash, size and root of a confirm are those of the log, and the one is included in the other.
#pragma once

#include "broker/log/merkle.h"
#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class EveryConfirmCanBeProved final : public Invariant {
public:
    explicit EveryConfirmCanBeProved(World& world) : Invariant{world, "every confirm can be proved", "P6"} {}

    void received(const AgencyProcess& agency, std::uint64_t link, BytesView frame) override;
};

inline void EveryConfirmCanBeProved::received(const AgencyProcess&, std::uint64_t, BytesView bytes) {
    const auto* confirm = wire::read_frame(bytes).value()->body_as_Confirm();
    if (confirm == nullptr || !world().broker->serving()) return;
    auto& reader = world().broker->reader();
    const auto leaf = *exactly<32>({confirm->leaf()->data(), confirm->leaf()->size()});
    const auto root = *exactly<32>({confirm->root()->data(), confirm->root()->size()});
    const auto proof = log::inclusion_proof(confirm->index(), confirm->size(),
                                            [&](log::TileId tile) { return reader.tile(tile); });
    if (!log::verify_inclusion(confirm->index(), confirm->size(), leaf, proof, root))
        broken("leaf " + std::to_string(confirm->index()) + " of " + std::to_string(confirm->size()));
}

}  // namespace flagpost::invariant
