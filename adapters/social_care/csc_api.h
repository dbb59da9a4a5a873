/// Children in the shape that the DfE's children's social care API takes (its field names of version 0.7), as flags.
#pragma once

#include <string_view>

#include "adapters/social_care/flag_file.h"

namespace flagpost::social_care {

/// One child's text as it stands in a file.
struct JsonChild {
    std::string_view text;
    std::uint64_t line;  // where it begins, from 1
};
struct JsonChildren {
    std::vector<JsonChild> children;
    std::string la_code;  // that the file says of all of them; empty: none
};

/// Cuts a file into its children without reading them. Refuses what is neither a list of objects, nor one object with a
/// list Children, nor objects one after the other.
Result<JsonChildren> cut_children(std::string_view text);

/// Reads the whole file, which is UTF-8.
Result<FlagFile> read_csc_api(const std::string& text, const FlagSource& source);

}  // namespace flagpost::social_care
