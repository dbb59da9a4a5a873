/// Which parties of the agreement are connected, and when those who are not were here last.
#pragma once

#include <map>
#include <vector>

#include "broker/core/ids.h"
#include "broker/standing/standing.h"

namespace flagpost::router {

/// Belongs to the broker thread.
class Attendance {
public:
    /// peers   by agency; who is none of them is not watched
    explicit Attendance(std::vector<standing::Peer> peers) : peers_{std::move(peers)} {
        for (std::size_t at = 0; at < peers_.size(); ++at) places_.emplace(peers_[at].agency, at);
    }

    void came(const AgencyId& agency, Instant certificate_ends, Instant now) {
        auto* peer = find(agency);
        if (peer == nullptr) return;
        ++peer->sessions;
        peer->seen = now;
        peer->certificate_ends = certificate_ends;
    }
    /// One of its sessions has ended, for each that came.
    void left(const AgencyId& agency, Instant now) {
        auto* peer = find(agency);
        if (peer == nullptr) return;
        peer->seen = now;
        if (--peer->sessions == 0) peer->uncosigned_since.reset();
    }
    void head_signed(Instant now) {
        for (auto& peer : peers_)
            if (peer.witness && peer.sessions > 0 && !peer.uncosigned_since) peer.uncosigned_since = now;
    }
    void cosigned(const AgencyId& agency, Instant now) {
        auto* peer = find(agency);
        if (peer == nullptr) return;
        peer->cosigned = now;
        peer->uncosigned_since.reset();
    }

    std::vector<standing::Peer> peers(Instant now) const {
        auto all = peers_;
        for (auto& peer : all)
            if (peer.sessions > 0) peer.seen = now;
        return all;
    }

private:
    standing::Peer* find(const AgencyId& agency) {
        const auto place = places_.find(agency.text());
        return place == places_.end() ? nullptr : &peers_[place->second];
    }

    std::vector<standing::Peer> peers_;
    std::map<std::string, std::size_t, std::less<>> places_;
};

}  // namespace flagpost::router
