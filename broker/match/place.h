/// Two addresses compared: as evidence about a person, and as a reason of their own.
#pragma once

#include <cstdint>

#include "broker/register/address.h"

namespace flagpost::match {

enum class Where : std::uint8_t {
    uprn,
    full,
    building,
    street,
    postcode,
    near_postcode,
    sector,
    district,
    town,
    elsewhere,
    missing
};

/// How two addresses compare for a person; the best over all addresses of both is taken.
Where compare_places(const registry::PlaceForm& ours, const registry::PlaceForm& theirs);

/// Both name a town and it is the same, at most misspelt.
bool towns_agree(const registry::PlaceForm& ours, const registry::PlaceForm& theirs);

/// Why an address is, or may be, an address of the flag. From `postcode_mistyped` on it is one, unless another address of the
/// register fits as well.
enum class AddressHit : std::uint8_t {
    none,
    near_postcode,
    near_number,
    other_uprn,
    number_range,
    flat_missing,
    street_unclear,
    postcode_mistyped,
    range_end,
    name_left_out,
    street_left_out,
    number_left_out,
    full,
    uprn
};
AddressHit compare_addresses(const registry::PlaceForm& incident, const registry::PlaceForm& flag);

/// All but the last two letters of the postcodes agree: one house, unless a second street nearby bears the same name.
bool differ_in_unit_alone(const registry::PlaceForm& incident, const registry::PlaceForm& flag);

}  // namespace flagpost::match
