/// P6: every head ever signed is a head of one and the same history.
#pragma once

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class HeadsNeverContradict final : public Invariant {
public:
    explicit HeadsNeverContradict(World& world)
        : Invariant{world, "signed heads never contradict each other", "P6"} {}

    void head_signed(const log::Checkpoint& head) override;
    void alarmed(const AgencyProcess& agency, const std::string& what) override;

private:
    std::optional<log::Checkpoint> last_;
};

inline void HeadsNeverContradict::head_signed(const log::Checkpoint& head) {
    if (last_ && head.size < last_->size) broken("a smaller head after a larger one");
    if (head.size <= world().ledger.size() && head.root != world().ledger.root(head.size))
        broken("the head of size " + std::to_string(head.size) + " is of another history");
    last_ = head;
}

inline void HeadsNeverContradict::alarmed(const AgencyProcess& agency, const std::string& what) {
    broken(agency.role().agency + " raised the alarm: " + what);
}

}  // namespace flagpost::invariant
