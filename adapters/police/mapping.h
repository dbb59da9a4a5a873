/// A mapping file: how a force's own columns (CSV) or elements (XML), codes and formats become our fields.
///
///     format = "csv"                       # or "xml", with `record`: the XPath of one incident
///     zone   = "Europe/London"             # of times without an offset; this is the default
///     twice_shown = "earlier"              # or "later", "reject": an hour that a clock shows twice in October
///     row    = "incident"                  # or "person": rows with one reference are one incident
///     ignore = ["Beat"]                    # columns known and not wanted
///
///     [incident]                           # our field = where it comes from
///     reference      = "Occurrence No"     # a column (XML: an XPath within the record)
///     occurred       = { from = ["Date", "Time"], format = "%d/%m/%Y %H:%M" }
///     category       = { first = ["Closing code", "Opening code"], codes = "category" }
///     qualifiers     = { from = ["Q1", "Q2"], split = ";", codes = "qualifier" }
///     domestic_abuse = { from = ["Closing code", "Q1", "Q2"], codes = "domestic" }    # yes if any of them says yes
///     address        = "Location"          # cut into lines, town and postcode
///
///     [[people]]                           # one for each person that a row can name; XML: `each`, their XPath
///     name          = { from = "Subject", order = "family, given" }
///     date_of_birth = { from = "DOB", format = "%d/%m/%Y", year_only = "01-01" }
///     role          = { value = "victim" }
///     home          = { address = "Home address" }
///     related       = [{ to = "victim", relation = "Relationship" }]
///
///     [codes.domestic]                     # their code = our value; "*": any other; "": left out
///     "D" = "yes"
///     "*" = "no"
///
/// A field that is not mapped is absent. Without `version`, versions are counted: what differs from the version sent last
/// is the next one. All keys: docs/guides/connect-a-force.md.
#pragma once

#include <date/tz.h>

#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "adapters/desk/fields.h"
#include "adapters/police/local_time.h"

namespace pugi {
class xpath_query;
}

namespace flagpost::police {

/// A column by its name in the header, or an XPath ready to be evaluated.
struct Place {
    std::string text;
    std::shared_ptr<const pugi::xpath_query> path;  // XML only
};

/// One record of a foreign file: a row, or an element.
class Record {
public:
    virtual ~Record() = default;
    /// What stands there, without blanks around it and without what is empty: several with XML only.
    virtual std::vector<std::string> values(const Place& place) const = 0;
    /// The records within this one: XML only.
    virtual std::vector<std::unique_ptr<Record>> each(const Place& place) const = 0;
};

/// Their code to our value.
struct CodeTable {
    std::map<std::string, std::string> values;
    std::optional<std::string> otherwise;  // "*"
};

/// What stood where a field was made from, by the field's path: for people who check a mapping.
struct Origin {
    std::string places, text;
};
using Trace = std::map<std::string, Origin>;

enum class FieldKind { text, number, truth, list, time, date };

/// How one field is made.
struct FieldRule {
    FieldKind kind = FieldKind::text;
    std::vector<Place> from;
    bool first = false;      // only the first place that holds anything
    std::string join = " ";  // between several texts
    std::string split;       // cuts each text
    int part = 0;            // of the pieces, from 1, or from -1 backwards; 0: all
    std::vector<std::string> formats;
    std::string year_only;  // "01-01": the day that stands for a year alone
    std::shared_ptr<const CodeTable> codes;
    std::string value;  // where nothing stands at all, or nothing is asked for
};

enum class NameOrder { given_family, family_comma_given, family_given };

/// A person's name in one text.
struct NameRule {
    FieldRule text;
    NameOrder order = NameOrder::given_family;
};

/// Fields by our names; `address`, where they have one, is cut into those of a place.
struct Rules {
    std::map<std::string, FieldRule> fields;
    std::optional<FieldRule> address;
};

struct RelatedRule {
    std::string to;  // the role of the person of this incident that the relation is to
    FieldRule relation;
};

struct PersonRules {
    std::optional<Place> each;
    Rules own, home;
    std::optional<NameRule> name;
    std::vector<RelatedRule> related;
};

class Mapping {
public:
    enum class Format { csv, xml };

    /// Throws std::runtime_error "FILE:LINE: key: why".
    static Mapping load(const std::filesystem::path& file);
    /// The same from a text; `name` stands for the file in errors.
    static Mapping parse(const std::string& text, const std::string& name);

    Format format() const { return format_; }
    bool row_is_person() const { return row_is_person_; }
    bool counts_versions() const { return counts_versions_; }
    const Place& record() const { return record_; }
    /// The columns it reads, and those it says are not wanted.
    const std::set<std::string>& columns() const { return columns_; }
    const std::set<std::string>& ignored() const { return ignored_; }

    /// What one record says of an incident. `people_before`: how many people other records of it have named already.
    /// What cannot be made is a fault; findings name the column beside our field.
    nlohmann::json part(const Record& record, std::size_t people_before, desk::Findings& findings,
                        Trace* trace = nullptr) const;
    /// The incident of these records, as read_incident reads it: their people together, and who is related to whom. What
    /// they say differently of the incident itself is a fault.
    nlohmann::json whole(std::vector<nlohmann::json> parts, desk::Findings& findings) const;

private:
    friend class MappingReader;
    Mapping() = default;

    Format format_ = Format::csv;
    Place record_;
    const date::time_zone* zone_ = nullptr;
    TwiceShown twice_ = TwiceShown::earlier;
    bool row_is_person_ = false;
    bool counts_versions_ = false;
    std::set<std::string> columns_, ignored_;
    Rules incident_;
    std::vector<PersonRules> people_;
};

}  // namespace flagpost::police
