/// Looks at what the broker thread says of itself and at the machine around it, and leaves both where operators look.
#pragma once

#include <functional>
#include <future>

#include "broker/agreement/agreement.h"
#include "broker/app/config.h"
#include "broker/gate/counters.h"
#include "broker/manage/board.h"
#include "broker/router/parties.h"
#include "broker/standing/volume.h"

namespace flagpost::app {

/// The kernel's view of its clock. Setting the clock by hand makes it say "not synchronised" until a time service has
/// taken the clock over again.
standing::KernelClock kernel_clock();

/// Everybody in the agreement, by agency, as yet unseen. Operators and auditors come when they like: their silence is
/// no alarm.
std::vector<standing::Peer> peers_of(const agreement::Agreement& agreement, const router::Parties& parties);

/// Belongs to the broker thread, but for the board.
class Watchman {
public:
    /// gate  counters of the gate in this process; null: there is none
    Watchman(const BrokerConfig& config, std::function<const gate::Counters*()> gate, manage::Board& board);
    /// Keeps what was counted.
    ~Watchman();

    /// Completes it, hangs it up, and writes alarms that begin or end into the process's log.
    void look(standing::Standing standing);
    /// What hangs there, for those who ask over the wire: a JSON object.
    std::string report() const;

private:
    void watch_volumes(standing::Standing& standing);
    void keep_volumes();

    const BrokerConfig& config_;
    std::function<const gate::Counters*()> gate_;
    manage::Board& board_;
    standing::Watch watch_;
    standing::Volumes volumes_;
    std::vector<standing::Volume> judged_;
    std::optional<Instant> judged_at_, kept_at_;
    std::future<void> keeping_;  // on a thread of its own: the broker thread waits for no disk
};

}  // namespace flagpost::app
