#include "adapters/social_care/child_details.h"

#include <set>

namespace flagpost::social_care {
namespace {

using nlohmann::json;

constexpr auto key = "LAchildID";
const std::vector<std::pair<std::string, std::string>> address_columns{
    {"UPRN",        "uprn"    },
    {"Line1",       "line_1"  },
    {"Line2",       "line_2"  },
    {"Town",        "town"    },
    {"Postcode",    "postcode"},
    {"AddressFrom", "from"    },
    {"AddressTo",   "to"      }
};
const std::set<std::string> text_columns{
    "GivenNames",      "FamilyName",    "AlsoKnownAs",   "NHSNumber",   "LatestCategoryOfAbuse",
    "AllocatedWorker", "WorkerContact", "AllocatedTeam", "DutyContact", "OutOfHoursContact",
    "Shield"};
constexpr auto adults_column = "LinkedAdults";

bool is_known(const std::string& column) {
    return column == key || column == adults_column || text_columns.contains(column) ||
           std::ranges::any_of(address_columns, [&](const auto& each) { return each.first == column; });
}

json address_of(const client::CsvRow& row) {
    json address = json::object();
    for (const auto& [column, name] : address_columns) {
        const auto cell = row.cells.find(column);
        if (cell != row.cells.end() && !cell->second.empty()) address[name] = cell->second;
    }
    return address;
}

}  // namespace

Result<ChildDetails> ChildDetails::parse(const std::string& bytes) {
    const auto csv = client::CsvFile::parse(bytes);
    if (!csv) return refuse(csv.error().reason, "details: " + csv.error().where);
    if (std::ranges::find(csv->header(), key) == csv->header().end())
        return refuse(Reason::malformed, std::string{"details: header: no column "} + key);
    for (const auto& column : csv->header())
        if (!is_known(column))  // a misspelt one would be missed by nobody
            return refuse(Reason::malformed, "details: header: a column that is not known");
    if (!csv->bad_rows().empty())
        return refuse(Reason::malformed, "details: line " + std::to_string(csv->bad_rows().front().line) +
                                             ": " + csv->bad_rows().front().why);
    ChildDetails details;
    for (const auto& row : csv->rows()) {
        const std::string& child = row.cells.at(key);
        if (child.empty())
            return refuse(Reason::malformed, "details: line " + std::to_string(row.line) + ": no " + key);
        details.rows_[child].push_back(row);
    }
    return details;
}

void ChildDetails::add_to(json& object, desk::Findings& findings) const {
    const auto id = object.find(key);
    const auto found =
        id != object.end() && id->is_string() ? rows_.find(id->get<std::string>()) : rows_.end();
    if (found == rows_.end()) return;
    for (const auto& row : found->second) {
        const std::string place = "details, line " + std::to_string(row.line);
        for (const auto& [column, cell] : row.cells) {
            if (cell.empty() || !text_columns.contains(column)) continue;
            object[column] = cell;
            findings.came_from(column, place);
        }
        const auto adults = row.cells.find(adults_column);
        if (adults != row.cells.end() && !adults->second.empty()) {
            json list = json::parse(adults->second, nullptr, false);
            if (list.is_discarded())
                findings.fault(adults_column, "should be JSON (from " + place + ")");
            else
                object[adults_column] = std::move(list);
        }
        if (auto address = address_of(row); !address.empty()) {
            if (!object["Addresses"].is_array()) object["Addresses"] = json::array();
            object["Addresses"].push_back(std::move(address));
        }
    }
}

}  // namespace flagpost::social_care
