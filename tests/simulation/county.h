/// A small partnership: who takes part, under which agreement, with which keys, and what they say.
#pragma once

#include <string>
#include <vector>

#include "adapters/client/box.h"
#include "adapters/client/load.h"
#include "adapters/client/session_machine.h"
#include "broker/agreement/agreement.h"
#include "broker/router/parties.h"
#include "broker/wire/frames.h"
#include "tests/simulation/dice.h"

namespace flagpost::simulation {

inline const Instant epoch = from_us(1'741'165'200'000'000);  // Wednesday 5 March 2025, 09:00 UTC

SpiffeId spiffe(const std::string& agency);
std::string county_agreement_text();
const agreement::Agreement& county_agreement();

/// Made once a process: making keys costs more than a simulated minute.
struct Identity {
    std::string agency;
    crypto::OriginKey origin;
    std::array<std::uint8_t, 32> witness_seed;
    client::Witness witness() const;
    log::VerifierKey witness_key() const;
};
const std::vector<Identity>& identities();
const Identity& identity(const std::string& agency);
router::Parties county_parties();

/// What a member of the county is for.
struct Role {
    std::string agency;
    std::vector<std::string> topics;  // subscribed to
    std::vector<client::Load> loads;  // what it may load, without records and number
    bool has_incidents = false;
    bool has_opaque = false;
    bool asks = false;     // queries
    bool witness = false;  // cosigns heads
};
std::vector<Role> county_roles();

// Payloads, some of them about the same few people, so that they meet.
wire::Draft make_incident(Dice& dice, Instant now);
wire::Draft make_question(Dice& dice, const client::Incoming& notice, const std::string& agency);
wire::Draft make_opaque(Dice& dice, const std::string& topic);
std::vector<Bytes> make_records(Dice& dice, const client::Load& load);

}  // namespace flagpost::simulation
