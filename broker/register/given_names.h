/// Which given names are one name, and which are names at all: the data behind "known short form" and "look alike".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "broker/register/normal.h"

namespace flagpost::registry {

/// The number of a name that stands in the tables, 0 for any other.
std::uint16_t number_of_given_name(std::string_view word);

/// Both are forms of one given name: "ELIZABETH" and "LIZZIE", "MOHAMMED" and "MUHAMMAD".
bool same_given_name(const Word& a, const Word& b);
/// The same by their numbers in the table, and whether they sound alike; false if either is not there.
bool same_given_name(std::uint16_t a, std::uint16_t b, bool same_sound);

/// A name many children bear, so that it is no misspelling of another such name: "JOSEPH" beside "JOSHUA".
bool established_given_name(const Word& word);

/// The tables as text, for the engine digest.
std::string given_names_text();

}  // namespace flagpost::registry
