/// Which keys speak for which agency, and when: the content of parties.toml as values.
///
/// Whoever can write that file can publish in any agency's name; its digest is a leaf of the log.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "broker/core/clock.h"
#include "broker/core/ids.h"
#include "broker/crypto/signature.h"
#include "broker/log/note.h"

namespace flagpost::router {

/// One key of one agency, in force from `from` until before `until`. Rotation is two that overlap.
template <class Key> struct Dated {
    Key key;
    Instant from;
    Instant until;
    bool holds(Instant now) const { return from <= now && now < until; }
};

struct PartyKeys {
    std::vector<Dated<crypto::OriginVerifier>> origin;  // signs what the agency publishes
    std::vector<Dated<log::VerifierKey>> witness;       // cosigns log heads
};

struct Parties {
    std::map<AgencyId, PartyKeys> keys;
    /// Witnesses outside the partnership. Each is a party of its own, whoever carries heads to it.
    std::vector<Dated<log::VerifierKey>> outside{};
    std::size_t quorum = 0;  // how many agencies and outside witnesses must cosign a head; 0: there is none
    Digest digest{};         // SHA-256 of the exact file

    const PartyKeys* of(const AgencyId& agency) const {
        const auto found = keys.find(agency);
        return found == keys.end() ? nullptr : &found->second;
    }

    /// A key that may cosign, and whose cosignature that is.
    struct Witness {
        std::string party;
        const Dated<log::VerifierKey>& key;
    };
    /// Those whose cosignatures this agency may hand in: its own, and any outside one.
    std::vector<Witness> witnesses_for(const AgencyId& agency) const {
        std::vector<Witness> witnesses;
        if (const auto* own = of(agency))
            for (const auto& key : own->witness) witnesses.push_back({agency.text(), key});
        for (const auto& key : outside) witnesses.push_back({"outside " + key.key.name(), key});
        return witnesses;
    }
};

}  // namespace flagpost::router
