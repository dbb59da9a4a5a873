/// P4: a revoked certificate loses its live session within a second.
#pragma once

#include <map>

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class NothingIsTakenFromTheRevoked final : public Invariant {
public:
    explicit NothingIsTakenFromTheRevoked(World& world)
        : Invariant{world, "nothing is taken from the revoked", "P4"} {}

    void told(const AgencyId& agency, const Id16& session, BytesView frame) override;
    void revoked(const AgencyId& agency) override;
    void pardoned(const AgencyId& agency) override { revoked_.erase(agency); }

private:
    std::map<AgencyId, std::chrono::microseconds> revoked_;
};

inline void NothingIsTakenFromTheRevoked::revoked(const AgencyId& agency) {
    revoked_[agency] = world().scheduler.now();
}

inline void NothingIsTakenFromTheRevoked::told(const AgencyId& agency, const Id16&, BytesView) {
    const auto since = revoked_.find(agency);
    if (since != revoked_.end() && world().scheduler.now() > since->second + std::chrono::seconds{1})
        broken(agency.text() + " is still served");
}

}  // namespace flagpost::invariant
