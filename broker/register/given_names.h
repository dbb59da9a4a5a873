/// Which given names are one name, and which are names at all: the data behind "known short form" and "look alike".
#pragma once

#include <string>
#include <string_view>

namespace flagpost::registry {

/// Both are forms of one given name: "ELIZABETH" and "LIZZIE", "MOHAMMED" and "MUHAMMAD". Upper-case words.
bool same_given_name(std::string_view a, std::string_view b);

/// A name many children bear, so that it is no misspelling of another such name: "JOSEPH" beside "JOSHUA".
bool established_given_name(std::string_view name);

/// The tables as text, for the engine digest.
std::string given_names_text();

}  // namespace flagpost::registry
