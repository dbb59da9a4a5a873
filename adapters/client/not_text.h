/// Files that are no text, told by their first bytes, so that whoever chose one learns what it is and how to save it.
#pragma once

#include <string>
#include <string_view>

namespace flagpost::client {

/// In words, beginning "not text"; empty for what may be UTF-8 or Windows-1252.
std::string fault_in_text(std::string_view bytes);

}  // namespace flagpost::client
