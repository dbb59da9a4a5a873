#include "tools/evaluate/sets.h"

#include <algorithm>
#include <set>

#include "broker/core/ids.h"

namespace flagpost::evaluate {
namespace {

using client::CsvFile;
using client::CsvRow;

/// The cells of one row by name, and what is wrong with one of them.
class Cells {
public:
    Cells(const CsvRow& row, const std::string& file) : row_{row}, file_{file} {}

    std::string text(const char* column) const {
        const auto found = row_.cells.find(column);
        return found == row_.cells.end() ? std::string{} : found->second;
    }
    tl::unexpected<Refusal> fault(Reason reason, const std::string& column, const char* why) const {
        return refuse(reason,
                      file_ + " line " + std::to_string(row_.line) + ", column " + column + ": " + why);
    }

private:
    const CsvRow& row_;
    const std::string& file_;
};

Result<Entry> read_entry(const CsvRow& row, const std::string& file, const std::string& id_column,
                         bool roles) {
    const Cells cells{row, file};
    Entry entry;
    entry.line = row.line;
    entry.id = cells.text(id_column.c_str());
    if (entry.id.empty()) return cells.fault(Reason::malformed, id_column, "is empty");
    entry.role = cells.text("role");
    if (roles && entry.role != "child" && entry.role != "linked_adult" && entry.role != "person")
        return cells.fault(Reason::invalid_value, "role", "is none of child, linked_adult, person");
    entry.person.given_names = cells.text("given_name");
    entry.person.family_name = cells.text("family_name");
    entry.person.date_of_birth = cells.text("date_of_birth");
    // Some systems hold days that never were, "-0050-01-0" among them: the matcher sees them as they were recorded.
    if (entry.person.date_of_birth.find_first_not_of("0123456789-") != std::string::npos)
        return cells.fault(Reason::invalid_value, "date_of_birth", "is not YYYY-MM-DD");
    entry.person.sex = cells.text("sex");
    entry.place.line_1 = cells.text("address_1");
    entry.place.line_2 = cells.text("address_2");
    entry.place.town = cells.text("town");
    entry.place.postcode = cells.text("postcode");
    if (const auto uprn = cells.text("uprn"); !uprn.empty()) {
        const auto number = parse_uprn(uprn);
        if (!number) return cells.fault(Reason::invalid_value, "uprn", "is not 1 to 12 digits");
        entry.place.uprn = *number;
    }
    entry.identifier = cells.text("other_id");
    return entry;
}

}  // namespace

bool Entry::names_somebody() const {
    return !person.given_names.empty() || !person.family_name.empty() || !person.date_of_birth.empty() ||
           !identifier.empty();
}

Result<Sheet> sheet_of(const CsvFile& csv, const std::string& name, const std::string& id_column) {
    const auto has = [&](const char* column) {
        return std::find(csv.header().begin(), csv.header().end(), column) != csv.header().end();
    };
    if (!has(id_column.c_str()))
        return refuse(Reason::malformed, name + " line 1, column " + id_column + ": is missing");
    if (!csv.bad_rows().empty()) {
        const auto& bad = csv.bad_rows().front();
        return refuse(Reason::malformed, name + " line " + std::to_string(bad.line) + ": " + bad.why);
    }
    Sheet sheet;
    sheet.roles = has("role");
    std::set<std::string> ids;
    for (const auto& row : csv.rows()) {
        auto entry = read_entry(row, name, id_column, sheet.roles);
        if (!entry) return tl::unexpected{entry.error()};
        if (!ids.insert(entry->id).second && !sheet.roles)
            return Cells{row, name}.fault(Reason::conflict, id_column, "stands in two rows");
        sheet.entries.push_back(std::move(*entry));
    }
    return sheet;
}

Result<Sheet> read_sheet(const std::filesystem::path& file, const std::string& id_column) {
    const auto name = file.filename().string();
    const auto csv = CsvFile::read(file);
    if (!csv) return refuse(csv.error().reason, name + " line 1: " + csv.error().where);
    return sheet_of(*csv, name, id_column);
}

}  // namespace flagpost::evaluate
