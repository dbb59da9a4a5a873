/// Free text on its way to a school: sent whole, or not at all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "incident_generated.h"

namespace flagpost::notices {

/// The text if it names nobody but the child and gives no address, police grade, conviction, intelligence or anything of
/// anybody's health; else empty. Nothing is cut out of a sentence: what is left of one can say more than was meant.
///
/// hidden  addresses that are not in the incident and must not be given away either, such as those of a flag
std::string fit_for_school(std::string_view text, const schemas::PersonValue& child,
                           const schemas::IncidentValue& incident,
                           const std::vector<const schemas::PlaceValue*>& hidden = {});

}  // namespace flagpost::notices
