/// Who of an incident is a child, who is a party to the abuse, and which children are related to a party.
#pragma once

#include <vector>

#include "incident_generated.h"

namespace flagpost::match {

enum class Related : std::uint8_t { no, unclear, yes };

/// Each list has one entry for each of Incident.people.
struct Relations {
    std::vector<bool> is_child;     // of the role, or under 18 and not a suspect: a victim under age is both
    std::vector<bool> is_adult;     // victim or suspect, the two parties of section 3 Domestic Abuse Act 2021
    std::vector<Related> to_adult;  // presence plays no part
};

Relations relations(const schemas::IncidentValue& incident);

}  // namespace flagpost::match
