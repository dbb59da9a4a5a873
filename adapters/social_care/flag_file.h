/// A list of flags in any of the formats that case systems and returns have, as records to send.
///
/// CSV          one row a child, columns as in flag_rows.h
/// CSC API      JSON as local authorities send it to the DfE's children's social care API: a list of children, or one object
///              {"la_code": ..., "Children": [...]}, or one child a line
/// CIN census   the yearly XML return, which names no child and no address
///
/// The last two lack what a flag needs: a second CSV file, the details, adds it by LAchildID (child_details.h).
#pragma once

#include <optional>
#include <string>

#include "adapters/desk/loads.h"
#include "adapters/social_care/child_details.h"

namespace flagpost::social_care {

enum class FlagFormat { csv, csc_api, cin_census };

inline constexpr std::size_t flag_json_size_max = 64u << 20;  // bytes
inline constexpr std::size_t flag_xml_size_max = 32u << 20;   // bytes

struct FlagSource {
    std::string la;  // GSS code of the authority whose flags these are
    std::string
        dfe_la;  // the same in the DfE's three digits, which returns carry; empty: whichever, but one in a file
    std::string today;                      // YYYY-MM-DD: what is taken back is taken back from today
    std::optional<FlagFormat> format;       // none: by the content
    const ChildDetails* details = nullptr;  // beside a return
};

struct FlagFile {
    FlagFormat format;
    bool windows_1252 = false;     // it was not UTF-8
    std::size_t without_flag = 0;  // children of a return who have no plan and are not looked after
    desk::Prepared prepared;

    /// Records in the file, whatever became of them.
    std::uint64_t count() const;
};

/// Refuses a file that cannot be read at all, naming what and where.
Result<FlagFile> read_flag_file(std::string bytes, const FlagSource& source);

/// "CSV", "CSC API", "CIN census".
std::string in_words(FlagFormat format);

}  // namespace flagpost::social_care
