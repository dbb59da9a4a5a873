/// Free text on its way to a school: sent whole, or not at all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "incident_generated.h"

namespace flagpost::notices {

/// The text if it names nobody but the child and gives no address, police grade, conviction or intelligence; else
/// empty. Nothing is cut out of a sentence: what is left of one can say more than was meant.
std::string fit_for_school(std::string_view text, const schemas::PersonValue& child,
                           const schemas::IncidentValue& incident);

}  // namespace flagpost::notices
