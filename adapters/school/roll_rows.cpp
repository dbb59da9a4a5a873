#include "adapters/school/roll_rows.h"

#include <algorithm>

#include "broker/core/ids.h"

namespace flagpost::school {
namespace {

using desk::Fields;

constexpr std::pair<std::string_view, schemas::Shield> shields[] = {
    {"none",             schemas::Shield::none            },
    {"refuge",           schemas::Shield::refuge          },
    {"adoption",         schemas::Shield::adoption        },
    {"protected_person", schemas::Shield::protected_person},
};

std::unique_ptr<schemas::PersonValue> read_child(const Fields& fields) {
    auto child = std::make_unique<schemas::PersonValue>();
    child->given_names = fields.text("Forename");
    child->family_name = fields.text("Surname");
    child->date_of_birth = fields.partial_date("DOB");
    child->sex = desk::read_sex(fields, "Sex");
    child->upn = desk::read_upn(fields, "UPN");
    if (child->family_name.empty() && child->given_names.empty()) fields.fault("Surname", "no name is given");
    return child;
}

/// School census N00186: C, M and S are registrations here; F, O and G are at a college, elsewhere or as a guest.
std::string read_enrolment(const Fields& fields) {
    static constexpr std::array<std::string_view, 6> known{"C", "M", "S", "F", "O", "G"};
    std::string status = fields.text("EnrolStatus");
    if (status.empty() || std::ranges::find(known, status) != known.end()) return status;
    fields.left_out("EnrolStatus", "not C, M, S, F, O or G, left out");
    return {};
}

std::unique_ptr<schemas::PlaceValue> read_home(const Fields& fields) {
    auto home = std::make_unique<schemas::PlaceValue>();
    home->uprn = desk::read_uprn(fields, "UPRN");
    home->line_1 = fields.text("AddressLine1");
    home->line_2 = fields.text("AddressLine2");
    home->town = fields.text("Town");
    home->postcode = fields.text("Postcode");
    if (home->uprn == 0 && home->line_1.empty() && home->line_2.empty() && home->town.empty() &&
        home->postcode.empty())
        return nullptr;
    return home;
}

std::vector<std::unique_ptr<schemas::PupilContactValue>> read_contacts(const Fields& fields) {
    std::vector<std::unique_ptr<schemas::PupilContactValue>> contacts;
    for (const Fields& one : fields.objects("Contacts")) {
        one.only({"given_names", "family_name", "also_known_as", "date_of_birth", "sex", "upn", "nhs_number",
                  "relation"});
        auto contact = std::make_unique<schemas::PupilContactValue>();
        contact->person = std::make_unique<schemas::PersonValue>(desk::read_person(one));
        contact->relation = one.text("relation");
        contacts.push_back(std::move(contact));
    }
    return contacts;
}

std::uint32_t read_urn(const Fields& fields, const std::optional<std::uint32_t>& own_urn) {
    const auto urn = parse_urn(fields.text("URN"));
    if (!urn)
        fields.fault("URN", "is missing or no URN");
    else if (own_urn && *urn != *own_urn)
        fields.fault("URN", "is another school's");
    return urn.value_or(0);
}

/// What a row says of the child, wherever it learns.
schemas::PupilValue read_anybody(const Fields& fields) {
    schemas::PupilValue pupil;
    pupil.child = read_child(fields);
    pupil.home = read_home(fields);
    pupil.contacts = read_contacts(fields);
    pupil.left_on = fields.date("LeftOn");
    // A word that is none of these must not pass for "no shield".
    if (!fields.text("Shield").empty())
        pupil.shield = fields.choice("Shield", shields).value_or(pupil.shield);
    return pupil;
}

}  // namespace

const std::vector<std::string>& required_columns() {
    static const std::vector<std::string> columns{"URN", "UPN", "Surname", "Forename", "DOB"};
    return columns;
}

const std::vector<std::string>& register_columns() {
    static const std::vector<std::string> columns{"UPN", "Surname", "Forename", "DOB"};
    return columns;
}

schemas::PupilValue read_pupil(const client::CsvRow& row, const std::optional<std::uint32_t>& own_urn,
                               desk::Findings& findings) {
    const nlohmann::json object = desk::object_of(row, {"Contacts"}, findings);
    const Fields fields{object, "", findings};
    auto pupil = read_anybody(fields);
    pupil.urn = read_urn(fields, own_urn);
    pupil.enrolment = read_enrolment(fields);
    return pupil;
}

schemas::PupilValue read_registered(const client::CsvRow& row, const std::string& la,
                                    desk::Findings& findings) {
    const nlohmann::json object = desk::object_of(row, {"Contacts"}, findings);
    const Fields fields{object, "", findings};
    auto pupil = read_anybody(fields);
    pupil.la = la;
    if (!fields.text("URN").empty())
        fields.fault("URN", "names a school: a child at a school belongs on its roll");
    return pupil;
}

}  // namespace flagpost::school
