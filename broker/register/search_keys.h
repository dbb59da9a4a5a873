/// The facts under which a person or an address is found: each alone is enough to be compared in full.
#pragma once

#include <cstdint>
#include <vector>

#include "broker/register/person_index.h"

namespace flagpost::registry {

inline constexpr std::size_t places_max = 20;  // addresses of one record

/// Keys under which a person of the register stands.
std::vector<std::uint64_t> row_keys(const PersonForm& person);

/// Keys under which an address stands, and is looked for.
std::vector<std::uint64_t> place_keys(const PlaceForm& place);

}  // namespace flagpost::registry
