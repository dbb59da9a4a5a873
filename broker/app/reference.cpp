#include "broker/app/reference.h"

#include <date/date.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "adapters/client/load.h"
#include "broker/app/files.h"
#include "broker/core/ids.h"
#include "broker/wire/frames.h"
#include "school_generated.h"

namespace flagpost::app {
namespace {

using client::CsvFile;
using client::CsvRow;

struct Shape {
    ReferenceKind kind;
    const char* name;
    schemas::LoadOf of;
    std::vector<std::string> columns;  // those a file of this kind must have; empty: no CSV file
};

const std::array<Shape, 5>& shapes() {
    static const std::array<Shape, 5> all{
        {{ReferenceKind::gias,
          "gias",
          schemas::LoadOf::schools,
          {"URN", "EstablishmentName", "EstablishmentStatus (code)", "LA (code)"}},
         {ReferenceKind::links, "links", schemas::LoadOf::school_links, {"URN", "LinkURN", "LinkType"}},
         {ReferenceKind::bank_holidays, "bank-holidays", schemas::LoadOf::bank_holidays, {}},
         {ReferenceKind::terms, "terms", schemas::LoadOf::terms, {"la", "urn", "first_day", "last_day"}},
         {ReferenceKind::contacts, "contacts", schemas::LoadOf::contacts, {"urn", "name", "role"}}}
    };
    return all;
}

const Shape& shape_of(ReferenceKind kind) {
    return *std::ranges::find_if(shapes(), [&](const Shape& shape) { return shape.kind == kind; });
}

bool has_columns(const std::vector<std::string>& header, const Shape& shape) {
    return !shape.columns.empty() && std::ranges::all_of(shape.columns, [&](const std::string& column) {
        return std::ranges::find(header, column) != header.end();
    });
}

/// Thrown by the readers of one row, caught by the loop over rows: why this row cannot be used.
struct Unusable {
    std::string why;
};

/// One row by column name. A column the file does not have reads as empty: GIAS has gained and lost many.
class NamedRow {
public:
    explicit NamedRow(const CsvRow& row) : row_{row} {}

    std::string text(const char* column) const {
        const auto cell = row_.cells.find(column);
        return cell == row_.cells.end() ? std::string{} : cell->second;
    }
    std::string required(const char* column) const {
        auto value = text(column);
        if (value.empty()) throw Unusable{std::string{column} + " is empty"};
        return value;
    }
    std::uint32_t urn(const char* column) const {
        const auto urn = parse_urn(required(column));
        if (!urn) throw Unusable{std::string{column} + " is no URN"};
        return *urn;
    }
    std::string day(const char* column) const {
        auto day = day_of(text(column));
        if (!day) throw Unusable{std::string{column} + " is no date"};
        return *day;
    }
    std::string required_day(const char* column) const {
        required(column);
        return day(column);
    }
    /// Empty counts as 0.
    std::uint8_t number(const char* column) const {
        const std::string digits = text(column);
        std::uint8_t value = 0;
        const char* end = digits.data() + digits.size();
        if (!digits.empty()) {
            const auto [rest, error] = std::from_chars(digits.data(), end, value);
            if (error != std::errc{} || rest != end) throw Unusable{std::string{column} + " is no number"};
        }
        return value;
    }

private:
    const CsvRow& row_;
};

Bytes school(const NamedRow& row) {
    schemas::SchoolValue school;
    school.urn = row.urn("URN");
    school.la_code = row.text("LA (code)");
    school.la = row.text("GSSLACode (name)");
    if (!school.la.empty() && !valid_gss_code(school.la)) school.la.clear();  // "99999...": outside England
    school.establishment_number = row.text("EstablishmentNumber");
    school.name = row.required("EstablishmentName");
    school.type = row.text("TypeOfEstablishment (name)");
    school.type_group = row.text("EstablishmentTypeGroup (name)");
    school.status = row.number("EstablishmentStatus (code)");
    if (school.status < 1 || school.status > 4) throw Unusable{"EstablishmentStatus (code) is not 1 to 4"};
    school.open_date = row.day("OpenDate");
    school.close_date = row.day("CloseDate");
    school.low_age = row.number("StatutoryLowAge");
    school.high_age = row.number("StatutoryHighAge");
    school.place = std::make_unique<schemas::PlaceValue>();
    school.place->uprn = parse_uprn(row.text("UPRN")).value_or(0);
    school.place->line_1 = row.text("Street");
    school.place->line_2 = row.text("Locality");
    school.place->town = row.text("Town");
    school.place->postcode = row.text("Postcode");
    school.telephone = row.text("TelephoneNum");
    return wire::pack<schemas::School>(school);
}

Bytes link(const NamedRow& row) {
    schemas::SchoolLinkValue link;
    link.urn = row.urn("URN");
    link.link_urn = row.urn("LinkURN");
    link.link_type = row.required("LinkType");
    link.established = row.day("LinkEstablishedDate");
    return wire::pack<schemas::SchoolLink>(link);
}

Bytes term(const NamedRow& row) {
    schemas::TermPeriodValue term;
    term.la = row.text("la");
    const std::string urn = row.text("urn");
    term.urn = urn.empty() || urn == "0" ? 0 : row.urn("urn");
    if (!term.la.empty() && !valid_gss_code(term.la)) throw Unusable{"la is no GSS code"};
    if (term.la.empty() && term.urn == 0) throw Unusable{"neither la nor urn says whose term it is"};
    term.first_day = row.required_day("first_day");
    term.last_day = row.required_day("last_day");
    if (term.last_day < term.first_day) throw Unusable{"last_day is before first_day"};
    const std::string closed = row.text("closed");
    if (closed != "" && closed != "true" && closed != "false") throw Unusable{"closed is not true or false"};
    term.closed = closed == "true";
    term.day_starts = row.text("day_starts");
    return wire::pack<schemas::TermPeriod>(term);
}

Bytes contact(const NamedRow& row) {
    schemas::SchoolContactValue contact;
    contact.urn = row.urn("urn");
    contact.name = row.required("name");
    contact.role = row.text("role");
    contact.telephone = row.text("telephone");
    contact.email = row.text("email");
    contact.verified_on = row.day("verified_on");
    return wire::pack<schemas::SchoolContact>(contact);
}

Bytes record_of(ReferenceKind kind, const NamedRow& row) {
    switch (kind) {
        case ReferenceKind::gias:
            return school(row);
        case ReferenceKind::links:
            return link(row);
        case ReferenceKind::terms:
            return term(row);
        default:
            return contact(row);
    }
}

Reference started(const Shape& shape) {
    return Reference{shape.kind, shape.of, "reference/" + std::string{shape.name}, {}, {}};
}

Reference read_rows(const Shape& shape, const CsvFile& csv) {
    Reference reference = started(shape);
    for (const auto& row : csv.rows()) {
        try {
            reference.records.push_back(record_of(shape.kind, NamedRow{row}));
        } catch (const Unusable& unusable) {
            reference.rejected.push_back({row.line, unusable.why});
        }
    }
    for (const auto& bad : csv.bad_rows()) reference.rejected.push_back({bad.line, bad.why});
    std::ranges::sort(reference.rejected, {}, &Reference::Rejected::line);
    return reference;
}

/// England and Wales only: that is where the partnership's schools are.
Result<Reference> read_bank_holidays(const std::string& text) {
    const auto document = nlohmann::json::parse(text, nullptr, false);
    const auto refused = refuse(Reason::malformed, "file: not bank holidays as gov.uk publishes them");
    if (!document.is_object() || !document.contains("england-and-wales")) return refused;
    const auto& division = document["england-and-wales"];
    if (!division.is_object() || !division.contains("events") || !division["events"].is_array())
        return refused;

    Reference reference = started(shape_of(ReferenceKind::bank_holidays));
    for (const auto& event : division["events"]) {
        const auto text_of = [&](const char* key) {
            return event.is_object() && event.contains(key) && event[key].is_string()
                       ? event[key].get<std::string>()
                       : std::string{};
        };
        const auto day = day_of(text_of("date"));
        if (!day || day->empty()) {
            reference.rejected.push_back({0, "an event without a date"});
            continue;
        }
        schemas::BankHolidayValue holiday;
        holiday.division = "england-and-wales";
        holiday.date = *day;
        holiday.title = text_of("title");
        reference.records.push_back(wire::pack<schemas::BankHoliday>(holiday));
    }
    return reference;
}

bool looks_like_json(const std::string& text) {
    const auto first = text.find_first_not_of(" \t\r\n\xef\xbb\xbf");
    return first != std::string::npos && text[first] == '{';
}

std::optional<int> digits(std::string_view text) {
    int value = 0;
    const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || rest != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
}

}  // namespace

std::string name(ReferenceKind kind) { return shape_of(kind).name; }

std::optional<ReferenceKind> reference_kind(std::string_view wanted) {
    for (const auto& shape : shapes())
        if (shape.name == wanted) return shape.kind;
    return std::nullopt;
}

Result<Reference> read_reference(const std::filesystem::path& file, std::optional<ReferenceKind> as) {
    if (as == ReferenceKind::bank_holidays || (!as && looks_like_json(read_text(file))))
        return read_bank_holidays(read_text(file));
    const auto csv = CsvFile::read(file);
    if (!csv) return tl::unexpected{csv.error()};
    for (const auto& shape : shapes())
        if ((!as || *as == shape.kind) && has_columns(csv->header(), shape)) return read_rows(shape, *csv);
    return refuse(Reason::malformed,
                  as ? "header: lacks columns of " + name(*as) : "header: of no file known here; see --as");
}

std::optional<std::string> day_of(std::string_view text) {
    if (text.empty()) return std::string{};
    if (text.size() != 10) return std::nullopt;
    const bool iso = text[4] == '-' && text[7] == '-';
    const bool british = text[2] == text[5] && (text[2] == '-' || text[2] == '/');
    if (!iso && !british) return std::nullopt;
    const auto year = digits(iso ? text.substr(0, 4) : text.substr(6, 4));
    const auto month = digits(iso ? text.substr(5, 2) : text.substr(3, 2));
    const auto day = digits(iso ? text.substr(8, 2) : text.substr(0, 2));
    if (!year || !month || !day) return std::nullopt;
    const date::year_month_day whole{date::year{*year}, date::month(static_cast<unsigned>(*month)),
                                     date::day(static_cast<unsigned>(*day))};
    if (!whole.ok()) return std::nullopt;
    return date::format("%F", whole);
}

}  // namespace flagpost::app
