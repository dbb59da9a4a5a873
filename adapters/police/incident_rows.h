/// What a force's system writes about an incident, as one row or one JSON object, to the incident that is published.
#pragma once

#include "adapters/desk/fields.h"
#include "broker/core/result.h"
#include "incident_generated.h"

namespace flagpost::police {

/// The keys of a row; the same in CSV and NDJSON.
const std::vector<std::string>& incident_columns();
/// Columns without which a CSV file is not one of incidents.
const std::vector<std::string>& required_columns();

/// A text as JSON. Refused with the byte where it ceases to be JSON in UTF-8, or with the name of a field that stands
/// twice in one object, of which any parser would take one and drop the other without a word.
Result<nlohmann::json> parse_json(std::string_view text);

/// Reads one incident of `force`. Everything wrong is in `findings`; the value is of use only if they say so.
schemas::IncidentValue read_incident(const nlohmann::json& object, const std::string& force,
                                     desk::Findings& findings);

}  // namespace flagpost::police
