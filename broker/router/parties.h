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
    std::size_t quorum = 0;  // how many of them must cosign a head; 0: none has a witness key
    Digest digest{};         // SHA-256 of the exact file

    const PartyKeys* of(const AgencyId& agency) const {
        const auto found = keys.find(agency);
        return found == keys.end() ? nullptr : &found->second;
    }
};

}  // namespace flagpost::router
