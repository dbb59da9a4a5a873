/// Bugs planted into the simulated surroundings of the real code, one for each invariant to find.
#pragma once

#include <cstdint>

namespace flagpost::simulation {

enum class Plant : std::uint8_t {
    nothing,
    store_answers_before_syncing,
    store_writes_half_a_batch,  // and dies
    store_writes_another_leaf,
    store_reports_another_leaf,
    disk_set_back_to_a_backup,  // together with what the signer remembers
    recovery_drops_a_notice,
    recovery_drops_a_delivery,
    recovery_drops_what_is_late,
    dedup_forgets,
    room_is_always_reported,
    broker_trusts_the_wall_clock,
    gate_mixes_up_sessions,
    gate_swaps_deliveries,
    gate_repeats_deliveries,
    gate_lets_the_revoked_stay,
    client_never_looks_at_the_clock,
    client_acknowledges_before_storing,
    client_takes_written_for_sent,
    client_offers_only_once,
    box_stores_repeats,
    box_throws_refusals_away,
    box_offers_the_newest_first,
};

}  // namespace flagpost::simulation
