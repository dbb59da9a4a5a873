/// Message ids received lately, so that a repeat is known before it is committed and mostly without asking the disk.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "broker/core/clock.h"
#include "broker/core/ids.h"
#include "broker/core/limits.h"

namespace flagpost::router {

class RecentIds {
public:
    struct Seen {
        Digest bytes;  // HMAC of the exact envelope
        std::uint64_t index;
    };

    /// complete_from   every id made after this instant and recorded at all is in here
    /// most            ids kept; the oldest give way
    explicit RecentIds(Instant complete_from, std::size_t most = limits::recent_ids_max)
        : complete_from_{complete_from}, most_{most} {}

    std::optional<Seen> find(const AgencyId& agency, const Id16& id) const;

    /// Whether an id not found here can still be in the store. UUIDv7 carries the time it was made, so most new ids
    /// need no look at the disk; whoever makes ids with old times costs a look-up, nothing else.
    bool may_be_stored(const Id16& id) const;

    void remember(const AgencyId& agency, const Id16& id, const Seen& seen);

private:
    struct Key {
        std::uint32_t agency;
        Id16 id;
        friend auto operator<=>(const Key&, const Key&) = default;
    };

    Instant complete_from_;
    std::size_t most_;
    std::map<AgencyId, std::uint32_t> agencies_;  // as many as have certificates
    std::map<Key, Seen> seen_;  // not a hash table: publishers choose the ids, and could make them collide
    std::deque<Key> order_;
};

}  // namespace flagpost::router
