#include "broker/router/recent_ids.h"

#include <algorithm>

namespace flagpost::router {

std::optional<RecentIds::Seen> RecentIds::find(const AgencyId& agency, const Id16& id) const {
    const auto number = agencies_.find(agency);
    if (number == agencies_.end()) return std::nullopt;
    const auto found = seen_.find(Key{number->second, id});
    if (found == seen_.end()) return std::nullopt;
    return found->second;
}

bool RecentIds::may_be_stored(const Id16& id) const {
    const auto made = uuid7_time(id);
    return !made || *made <= complete_from_;
}

void RecentIds::remember(const AgencyId& agency, const Id16& id, const Seen& seen) {
    const auto number =
        agencies_.try_emplace(agency, static_cast<std::uint32_t>(agencies_.size())).first->second;
    const Key key{number, id};
    if (!seen_.try_emplace(key, seen).second) return;
    order_.push_back(key);
    if (order_.size() <= most_) return;
    const Key oldest = order_.front();
    order_.pop_front();
    if (const auto made = uuid7_time(oldest.id)) complete_from_ = std::max(complete_from_, *made);
    seen_.erase(oldest);
}

}  // namespace flagpost::router
