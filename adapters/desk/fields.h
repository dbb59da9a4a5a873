/// Rows and JSON objects of foreign files to values, with every fault named by its field and never by its content.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/client/load.h"
#include "broker/core/clock.h"
#include "broker/core/limits.h"
#include "person_generated.h"

namespace flagpost::desk {

inline constexpr std::size_t short_text_max = limits::person_name_size_max;  // bytes
inline constexpr std::size_t long_text_max = 16 * 1024;  // bytes: circumstances, what a child said
inline constexpr std::size_t list_items_max = 100;       // names, places, adults, contacts of one person
inline constexpr std::size_t findings_max = 20;          // per record; the rest is counted

/// What is wrong with one record.
class Findings {
public:
    /// `where` is the field's path, such as "people[2].date_of_birth".
    struct Finding {
        std::string where, why;
        std::string text() const { return where + ": " + why; }
        friend bool operator==(const Finding&, const Finding&) = default;
    };

    /// The record cannot be used.
    void fault(const std::string& where, const std::string& why) { add(faults_, where, why); }
    /// The record is used without this detail.
    void left_out(const std::string& where, const std::string& why) { add(left_out_, where, why); }
    /// The field was made from this place of the foreign file, which findings about it name as well.
    void came_from(const std::string& where, const std::string& place) { places_[where] = place; }

    bool usable() const { return faults_.empty(); }
    const std::vector<Finding>& all_faults() const { return faults_; }
    const std::vector<Finding>& all_left_out() const { return left_out_; }
    std::vector<std::string> faults() const { return texts(faults_); }
    std::vector<std::string> details_left_out() const { return texts(left_out_); }

private:
    void add(std::vector<Finding>& to, const std::string& where, const std::string& why);
    static std::vector<std::string> texts(const std::vector<Finding>& findings);

    std::vector<Finding> faults_, left_out_;
    std::map<std::string, std::string> places_;
};

/// One JSON object, read field by field. A row of a CSV file is read as an object of texts (see object_of).
///
/// Numbers and truths may also come as text. A text is trimmed, bounded and free of control characters; an absent
/// field, null and "" are all the same. What cannot be read is a fault and reads as absent.
class Fields {
public:
    /// `object` outlives this. `path` stands before each field's name in findings: "people[2].".
    Fields(const nlohmann::json& object, std::string path, Findings& findings)
        : object_{object}, path_{std::move(path)}, findings_{findings} {}

    std::string text(const std::string& name, std::size_t size_max = short_text_max) const;
    std::string required_text(const std::string& name, std::size_t size_max = short_text_max) const;
    std::optional<std::uint64_t> number(const std::string& name, std::uint64_t most) const;
    std::optional<bool> truth(const std::string& name) const;  // true, false, yes, no

    /// "YYYY-MM-DD", whose unknown parts may be "00" or "0000"; empty when absent.
    std::string partial_date(const std::string& name) const;
    /// "YYYY-MM-DD" of a day that exists; empty when absent.
    std::string date(const std::string& name) const;
    /// ISO 8601 with an offset or Z: without one nobody knows which hour is meant.
    std::optional<Instant> instant(const std::string& name) const;

    /// The value that stands beside the field's text, or nothing: a fault that lists what is known.
    template <class Value, std::size_t N>
    std::optional<Value> choice(const std::string& name,
                                const std::pair<std::string_view, Value> (&known)[N]) const {
        const std::string given = text(name);
        std::string names;
        for (const auto& [word, value] : known) {
            if (given == word) return value;
            if (!word.empty()) names += (names.empty() ? "" : ", ") + std::string{word};
        }
        fault(name, "should be one of: " + names);
        return std::nullopt;
    }

    /// The object of this name; an empty one when absent.
    Fields object(const std::string& name) const;
    /// The objects of the list of this name; none when absent.
    std::vector<Fields> objects(const std::string& name, std::size_t most = list_items_max) const;
    /// A list of texts, or one text cut at semicolons.
    std::vector<std::string> texts(const std::string& name) const;

    /// Notes each field that is not one of these: it may be a misspelt one.
    void only(const std::set<std::string>& names) const;

    void fault(const std::string& name, const std::string& why) const { findings_.fault(path_ + name, why); }
    void left_out(const std::string& name, const std::string& why) const {
        findings_.left_out(path_ + name, why);
    }

private:
    const nlohmann::json* find(const std::string& name) const;
    std::string clean(const std::string& name, const std::string& text, std::size_t size_max) const;

    const nlohmann::json& object_;
    std::string path_;
    Findings& findings_;
};

/// A CSV row as an object: each cell a text, the cells of `json_columns` parsed.
nlohmann::json object_of(const client::CsvRow& row, const std::set<std::string>& json_columns,
                         Findings& findings);

/// Given and family names, aliases, date of birth, sex, UPN and NHS number, by the names that NDJSON incidents and the
/// JSON cells of the county's files use. An identifier that fails its check is left out: absent evidence, never a match.
schemas::PersonValue read_person(const Fields& fields);

/// uprn, line_1, line_2, town, postcode; null when all are absent.
std::unique_ptr<schemas::PlaceValue> read_place(const Fields& fields);

/// A list of places with the fields `from` and `to`; one of these that is no whole date is left out.
std::vector<std::unique_ptr<schemas::DatedPlaceValue>> read_dated_places(const std::vector<Fields>& list);

/// "Given Family; Given Family": the last word of each is the family name.
std::vector<std::unique_ptr<schemas::NameValue>> read_names(const std::vector<std::string>& names);

/// Checked identifiers and sex, each left out with a note when it is not what it should be.
std::string read_upn(const Fields& fields, const std::string& name);
std::string read_nhs_number(const Fields& fields, const std::string& name);
std::uint64_t read_uprn(const Fields& fields, const std::string& name);
std::string read_sex(const Fields& fields, const std::string& name);

/// Whether the text is a "YYYY-MM-DD" of a day that exists, in years 1850 to 2200.
bool is_date(std::string_view text);
/// The same, with parts that may be unknown.
bool is_partial_date(std::string_view text);
/// Nothing if it is no ISO 8601 instant with an offset.
std::optional<Instant> parse_instant(std::string_view text);

}  // namespace flagpost::desk
