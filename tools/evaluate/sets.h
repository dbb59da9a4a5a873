/// Sets by which matching is judged: a register of flags, and queries whose right answer somebody else knows.
///
/// UTF-8 CSV by header name. Register: flag_id, given_name, family_name, date_of_birth, sex, address_1, address_2, town,
/// postcode, uprn, other_id. Queries: query_id and the same. Columns that are absent count as empty, others are not read:
/// least of all what the right answer is. With a column `role` several rows make one flag (child, linked_adult) or
/// one incident (its people; the address is where police went).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "adapters/client/load.h"
#include "broker/core/result.h"
#include "person_generated.h"

namespace flagpost::evaluate {

/// One row. Nothing in it is shared with another.
struct Entry {
    std::uint64_t line = 0;
    std::string id;    // flag_id or query_id
    std::string role;  // empty where the set has no roles
    schemas::PersonValue person;
    schemas::PlaceValue place;
    std::string identifier;  // other_id, taken to be a checked number of a national scheme

    bool names_somebody() const;
};

struct Sheet {
    bool roles = false;
    std::vector<Entry> entries;  // in the order of the file
};

/// Reads a register or queries; `id_column` is "flag_id" or "query_id". Refused as a whole, since a set with a hole
/// measures nothing: malformed or invalid_value with file, line and column, never the content.
/// Throws std::runtime_error for a file that cannot be opened.
Result<Sheet> read_sheet(const std::filesystem::path& file, const std::string& id_column);
Result<Sheet> sheet_of(const client::CsvFile& csv, const std::string& name, const std::string& id_column);

}  // namespace flagpost::evaluate
