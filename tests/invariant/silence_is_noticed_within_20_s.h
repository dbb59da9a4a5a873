/// P8: a connection that carries nothing any more is given up by both its ends within 20 seconds.
#pragma once

#include "tests/invariant/invariant.h"
#include "tests/simulation/world.h"

namespace flagpost::invariant {

class SilenceIsNoticedWithin20S final : public Invariant {
public:
    explicit SilenceIsNoticedWithin20S(World& world)
        : Invariant{world, "silence is noticed within 20 s", "P8"} {}

    void each_second() override;
};

inline void SilenceIsNoticedWithin20S::each_second() {
    constexpr std::chrono::seconds patience{20};
    const auto now = world().scheduler.now();
    for (const auto& [connection, agency] : world().links()) {
        if (!connection->silent() || now - *connection->silent_since() <= patience) continue;
        if (connection->open_at(simulation::End::gate))
            broken("the gate still holds a connection of " + agency.text());
        if (!connection->open_at(simulation::End::client)) continue;
        // A machine that stood still could not notice; it has its 20 seconds from when it went on.
        for (const auto& process : world().agencies)
            if (process->agency() == agency && now > process->stalled_until() + patience)
                broken(agency.text() + " still waits on a connection");
    }
}

}  // namespace flagpost::invariant
