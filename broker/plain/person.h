/// One person's name as two people, or two systems, write it.
#pragma once

#include <array>
#include <string_view>

namespace flagpost::plain {

/// Words before a name that are none of it, as upper() has them.
inline constexpr std::array<std::string_view, 8> titles{"MR", "MRS",    "MS", "MISS",
                                                        "DR", "MASTER", "MX", "REV"};

/// Whether two names as people and sign-ins write them ("Sam Patel", "Patel, Sam", "S. Patel", "sam.patel@county.example") may be
/// one person's: first name, or the initial of one of them, and surname or one of two surnames, whatever the accents and the
/// script. In doubt they may, and another person takes the case. A single word is nobody's name: it may be no person's, not even its own.
bool may_be_same_person(std::string_view one, std::string_view other);

}  // namespace flagpost::plain
