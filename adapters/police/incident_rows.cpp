#include "adapters/police/incident_rows.h"

#include <algorithm>
#include <set>

#include "broker/core/ids.h"
#include "broker/core/limits.h"

namespace flagpost::police {
namespace {

using desk::Fields;

constexpr std::uint64_t version_max = 1'000'000;
constexpr std::uint64_t children_max = 1000;
constexpr std::uint64_t urn_max = 9'999'999;

constexpr std::pair<std::string_view, schemas::IncidentStatus> statuses[] = {
    {"",          schemas::IncidentStatus::open     },
    {"open",      schemas::IncidentStatus::open     },
    {"closed",    schemas::IncidentStatus::closed   },
    {"merged",    schemas::IncidentStatus::merged   },
    {"withdrawn", schemas::IncidentStatus::withdrawn},
};
constexpr std::pair<std::string_view, schemas::Role> roles[] = {
    {"",        schemas::Role::other  },
    {"other",   schemas::Role::other  },
    {"victim",  schemas::Role::victim },
    {"suspect", schemas::Role::suspect},
    {"witness", schemas::Role::witness},
    {"child",   schemas::Role::child  },
};
constexpr std::pair<std::string_view, schemas::ReferralStatus> referrals[] = {
    {"",          schemas::ReferralStatus::not_known},
    {"not_known", schemas::ReferralStatus::not_known},
    {"made",      schemas::ReferralStatus::made     },
    {"not_made",  schemas::ReferralStatus::not_made },
};

std::vector<std::unique_ptr<schemas::RelationshipValue>> read_relationships(const Fields& person,
                                                                            std::size_t self,
                                                                            std::size_t people) {
    std::vector<std::unique_ptr<schemas::RelationshipValue>> relationships;
    for (const Fields& fields : person.objects("relationships")) {
        fields.only({"to", "relation"});
        auto relationship = std::make_unique<schemas::RelationshipValue>();
        const auto to = fields.number("to", limits::people_max);
        if (!to)
            fields.fault("to", "is missing or no number");
        else if (*to >= people || *to == self)
            fields.fault("to", "names no other person of this incident");
        else
            relationship->to = static_cast<std::uint16_t>(*to);
        relationship->relation = fields.required_text("relation");
        relationships.push_back(std::move(relationship));
    }
    return relationships;
}

/// The matcher forgives a postcode that is mistyped or of another country; whoever sent it may want to mend it.
std::unique_ptr<schemas::PlaceValue> place_of(const Fields& fields) {
    auto place = desk::read_place(fields);
    if (place && !place->postcode.empty() && !normal_postcode(place->postcode))
        fields.left_out("postcode", "is no UK postcode, sent as it stands");
    return place;
}

std::unique_ptr<schemas::IncidentPersonValue> read_involved(const Fields& fields, std::size_t self,
                                                            std::size_t people) {
    fields.only({"given_names", "family_name", "also_known_as", "date_of_birth", "sex", "upn", "nhs_number",
                 "role", "present", "home", "relationships", "school_urn", "school_name", "voice_of_child"});
    auto involved = std::make_unique<schemas::IncidentPersonValue>();
    involved->person = std::make_unique<schemas::PersonValue>(desk::read_person(fields));
    involved->role = fields.choice("role", roles).value_or(schemas::Role::other);
    involved->present = fields.truth("present").value_or(false);
    const Fields home = fields.object("home");
    home.only({"uprn", "line_1", "line_2", "town", "postcode"});
    involved->home = place_of(home);
    involved->relationships = read_relationships(fields, self, people);
    involved->school_urn = static_cast<std::uint32_t>(fields.number("school_urn", urn_max).value_or(0));
    involved->school_name = fields.text("school_name");
    involved->voice_of_child = fields.text("voice_of_child", desk::long_text_max);
    return involved;
}

/// Before 1970 is a default value of somebody's system, not a time.
std::optional<Instant> read_time(const Fields& fields, const std::string& name) {
    const auto instant = fields.instant(name);
    if (instant && *instant < Instant{}) fields.fault(name, "lies before 1970");
    return instant;
}

/// As received, never weighed (R58): a grade without its tool says nothing.
std::unique_ptr<schemas::RiskGradeValue> read_risk(const Fields& fields) {
    auto risk = std::make_unique<schemas::RiskGradeValue>();
    risk->tool = fields.text("risk_tool");
    risk->tool_version = fields.text("risk_version");
    risk->grade = fields.text("risk_grade");
    if (!risk->tool.empty() && !risk->grade.empty()) return risk;
    if (!risk->tool.empty() || !risk->grade.empty())
        fields.left_out("risk_grade", "a grade and its tool go together, left out");
    return nullptr;
}

/// Of a field that must be there: why it cannot be read has been said, if anything stands in it.
void require(bool readable, const std::string& name, const std::string& why, desk::Findings& findings) {
    const bool said =
        std::ranges::any_of(findings.all_faults(), [&](const auto& fault) { return fault.where == name; });
    if (!readable && !said) findings.fault(name, why);
}

}  // namespace

const std::vector<std::string>& incident_columns() {
    static const std::vector<std::string> columns{"reference",
                                                  "version",
                                                  "status",
                                                  "occurred",
                                                  "recorded",
                                                  "category",
                                                  "qualifiers",
                                                  "domestic_abuse",
                                                  "uprn",
                                                  "line_1",
                                                  "line_2",
                                                  "town",
                                                  "postcode",
                                                  "people",
                                                  "unidentified_children",
                                                  "circumstances",
                                                  "assessment",
                                                  "risk_tool",
                                                  "risk_version",
                                                  "risk_grade",
                                                  "referral",
                                                  "referral_reference",
                                                  "police_contact"};
    return columns;
}

const std::vector<std::string>& required_columns() {
    static const std::vector<std::string> columns{"reference", "version", "occurred", "domestic_abuse",
                                                  "people"};
    return columns;
}

Result<nlohmann::json> parse_json(std::string_view text) {
    using nlohmann::json;
    std::vector<std::set<std::string>> open;  // the fields so far of each object that is not closed yet
    std::string twice;
    const auto see = [&](int, json::parse_event_t event, json& value) {
        if (event == json::parse_event_t::object_start) open.emplace_back();
        if (event == json::parse_event_t::object_end) open.pop_back();
        if (event == json::parse_event_t::key && !open.back().insert(value.get<std::string>()).second &&
            twice.empty())
            twice = value.get<std::string>();
        return true;
    };
    try {
        json parsed = json::parse(text, see);
        if (twice.empty()) return parsed;
    } catch (const json::parse_error& error) {
        return refuse(Reason::malformed, "not JSON, from byte " + std::to_string(error.byte) + " on");
    } catch (const json::exception&) {
        return refuse(Reason::malformed, "not JSON: a number is larger than any that can be read");
    }
    constexpr std::size_t shown_max = 64;
    return refuse(Reason::malformed, "a field stands twice: " + twice.substr(0, shown_max));
}

schemas::IncidentValue read_incident(const nlohmann::json& object, const std::string& force,
                                     desk::Findings& findings) {
    const Fields fields{object, "", findings};
    fields.only({incident_columns().begin(), incident_columns().end()});
    schemas::IncidentValue incident;
    incident.force = force;
    incident.reference = fields.required_text("reference", limits::name_size_max);
    const auto version = fields.number("version", version_max);
    require(version.value_or(0) != 0, "version", "must be 1 or more", findings);
    incident.version = static_cast<std::uint32_t>(version.value_or(0));
    incident.status = fields.choice("status", statuses).value_or(schemas::IncidentStatus::open);
    const auto occurred = read_time(fields, "occurred");
    require(occurred.has_value(), "occurred", "is missing or no time", findings);
    incident.occurred_us = to_us(occurred.value_or(Instant{}));
    incident.recorded_us = to_us(read_time(fields, "recorded").value_or(occurred.value_or(Instant{})));
    incident.category = fields.text("category");
    incident.qualifiers = fields.texts("qualifiers");
    if (incident.qualifiers.size() > limits::qualifiers_max) fields.fault("qualifiers", "too many");
    const auto abuse = fields.truth("domestic_abuse");
    // Absent is no answer here: whether a school hears depends on it.
    require(abuse.has_value(), "domestic_abuse", "must say yes or no", findings);
    incident.domestic_abuse = abuse.value_or(false);
    incident.place = place_of(fields);
    const auto people = fields.objects("people", limits::people_max);
    for (std::size_t i = 0; i < people.size(); ++i)
        incident.people.push_back(read_involved(people[i], i, people.size()));
    incident.unidentified_children =
        static_cast<std::uint16_t>(fields.number("unidentified_children", children_max).value_or(0));
    incident.circumstances = fields.text("circumstances", desk::long_text_max);
    incident.assessment = fields.text("assessment", desk::long_text_max);
    incident.risk = read_risk(fields);
    incident.referral = fields.choice("referral", referrals).value_or(schemas::ReferralStatus::not_known);
    incident.referral_reference = fields.text("referral_reference");
    incident.police_contact = fields.text("police_contact");
    return incident;
}

}  // namespace flagpost::police
