/// One row of a school roll to one registration.
#pragma once

#include <optional>

#include "adapters/desk/loads.h"
#include "school_generated.h"

namespace flagpost::school {

/// Columns without which a file is not a roll.
const std::vector<std::string>& required_columns();
/// Those of a register of children not in school: the same but for the school.
const std::vector<std::string>& register_columns();

/// Reads one registration. With `own_urn`, a row of another school is a fault: a school hands over its own roll only.
schemas::PupilValue read_pupil(const client::CsvRow& row, const std::optional<std::uint32_t>& own_urn,
                               desk::Findings& findings);

/// Reads one child of the register of `la`'s children not in school. A row that names a school is a fault: it belongs on a roll.
schemas::PupilValue read_registered(const client::CsvRow& row, const std::string& la,
                                    desk::Findings& findings);

}  // namespace flagpost::school
