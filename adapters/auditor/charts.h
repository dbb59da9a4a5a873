/// The audit desk's two charts: a sentence, a drawing of it for wide and for narrow screens, and the numbers as a table.
///
/// Drawn from the log, for verifying that what was done was lawful and whole, and so for the auditor alone (Data
/// Protection Act 2018, section 62(4)).
#pragma once

#include <string>
#include <vector>

#include "adapters/auditor/fates.h"
#include "adapters/web/drawing.h"

namespace flagpost::auditor {

struct Chart {
    std::string name;     // "in-time"
    std::string heading;  // "Were schools told in time?"
    std::string finding;  // a sentence with the numbers that matter
    std::string more;     // what is not in it, and why; may be empty
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;  // numbers but for the first column
    std::vector<web::View> drawings;             // none where there is nothing to draw

    std::string csv() const;
    web::View view() const;
};

Chart chart_of(const InTime& in_time);
Chart chart_of(const Finished& finished);

}  // namespace flagpost::auditor
