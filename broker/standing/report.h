/// A standing as JSON: what /status.json, the query `standing` and `flagpost-broker status` say.
#pragma once

#include <string>
#include <vector>

#include "broker/standing/watch.h"

namespace flagpost::standing {

/// One object; its members are in docs/guides/operate.md. Peers that are longest away come first, and no more than
/// named_max peers and as many alarms are named: `peers_total` and `alarms_total` count all of them.
/// Never longer than limits::answer_bytes_max.
std::string report(const Standing& standing, const std::vector<Alarm>& alarms);

const char* name(Urgency urgency);

}  // namespace flagpost::standing
