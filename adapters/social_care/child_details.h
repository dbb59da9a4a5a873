/// What a statutory return does not say about a child: name, addresses, who works with them. A CSV file joined by LAchildID.
///
/// Columns, all but the first may be left out: LAchildID, GivenNames, FamilyName, AlsoKnownAs, NHSNumber,
/// LatestCategoryOfAbuse, LinkedAdults (JSON), AllocatedWorker, WorkerContact, AllocatedTeam, DutyContact,
/// OutOfHoursContact, Shield; and one address a row: UPRN, Line1, Line2, Town, Postcode, AddressFrom, AddressTo. A child
/// with several addresses has several rows.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "adapters/desk/fields.h"

namespace flagpost::social_care {

class ChildDetails {
public:
    /// Refuses a file with a row that cannot be read: nobody would know whose address is missing.
    static Result<ChildDetails> parse(const std::string& bytes);

    /// Puts what is known about the child into an object with the columns' names, in place of what a return says; addresses
    /// are added to those it has.
    void add_to(nlohmann::json& object, desk::Findings& findings) const;

private:
    std::map<std::string, std::vector<client::CsvRow>> rows_;  // by LAchildID
};

}  // namespace flagpost::social_care
