/// Short ways to write down people, places, flags, pupils and incidents in tests.
#pragma once

#include <date/date.h>

#include <cstdio>
#include <memory>
#include <string>

#include "broker/core/clock.h"
#include "flag_generated.h"
#include "incident_generated.h"
#include "school_generated.h"

namespace flagpost::tests {

/// "2025-03-04T21:10Z".
inline Instant at(const std::string& text) {
    int year = 0, hour = 0, minute = 0;
    unsigned month = 0, day = 0;
    if (std::sscanf(text.c_str(), "%d-%u-%uT%d:%dZ", &year, &month, &day, &hour, &minute) != 5) return {};
    return date::sys_days{date::year{year} / date::month{month} / date::day{day}} + std::chrono::hours{hour} +
           std::chrono::minutes{minute};
}

inline std::unique_ptr<schemas::PersonValue> person(const std::string& given, const std::string& family,
                                                    const std::string& born, const std::string& sex = "U") {
    auto made = std::make_unique<schemas::PersonValue>();
    made->given_names = given;
    made->family_name = family;
    made->date_of_birth = born;
    made->sex = sex;
    return made;
}

inline void add_alias(schemas::PersonValue& person, const std::string& given, const std::string& family) {
    auto name = std::make_unique<schemas::NameValue>();
    name->given = given;
    name->family = family;
    person.also_known_as.push_back(std::move(name));
}

inline std::unique_ptr<schemas::PlaceValue> place(const std::string& line_1, const std::string& postcode,
                                                  std::uint64_t uprn = 0, const std::string& line_2 = "") {
    auto made = std::make_unique<schemas::PlaceValue>();
    made->line_1 = line_1;
    made->line_2 = line_2;
    made->postcode = postcode;
    made->uprn = uprn;
    return made;
}

inline std::unique_ptr<schemas::DatedPlaceValue> dated(std::unique_ptr<schemas::PlaceValue> where,
                                                       const std::string& from = "",
                                                       const std::string& to = "") {
    auto made = std::make_unique<schemas::DatedPlaceValue>();
    made->place = std::move(where);
    made->from = from;
    made->to = to;
    return made;
}

inline schemas::FlagValue flag(const std::string& id, std::unique_ptr<schemas::PersonValue> child,
                               const std::string& la = "E10000024") {
    schemas::FlagValue made;
    made.la = la;
    made.la_child_id = id;
    made.child = std::move(child);
    made.start_date = "2024-01-08";
    return made;
}

inline void add_adult(schemas::FlagValue& flag, std::unique_ptr<schemas::PersonValue> adult,
                      const std::string& relation) {
    auto made = std::make_unique<schemas::LinkedAdultValue>();
    made->person = std::move(adult);
    made->relation = relation;
    flag.linked_adults.push_back(std::move(made));
}

inline schemas::PupilValue pupil(std::uint32_t urn, std::unique_ptr<schemas::PersonValue> child,
                                 const std::string& enrolment = "C") {
    schemas::PupilValue made;
    made.urn = urn;
    made.child = std::move(child);
    made.enrolment = enrolment;
    return made;
}

inline schemas::SchoolValue school(std::uint32_t urn, const std::string& name,
                                   const std::string& la = "E10000024") {
    schemas::SchoolValue made;
    made.urn = urn;
    made.name = name;
    made.la = la;
    made.status = 1;
    return made;
}

/// A domestic-abuse incident on the evening of 4 March 2025, without people or place.
inline schemas::IncidentValue incident(const std::string& reference = "NP-1") {
    schemas::IncidentValue made;
    made.force = "31";
    made.reference = reference;
    made.version = 1;
    made.occurred_us = to_us(at("2025-03-04T21:10Z"));
    made.recorded_us = made.occurred_us;
    made.category = "Domestic incident";
    made.domestic_abuse = true;
    return made;
}

inline schemas::IncidentPersonValue& add_person(schemas::IncidentValue& incident, schemas::Role role,
                                                std::unique_ptr<schemas::PersonValue> who) {
    auto made = std::make_unique<schemas::IncidentPersonValue>();
    made->person = std::move(who);
    made->role = role;
    incident.people.push_back(std::move(made));
    return *incident.people.back();
}

inline void relate(schemas::IncidentPersonValue& person, std::uint16_t to, const std::string& relation) {
    auto made = std::make_unique<schemas::RelationshipValue>();
    made->to = to;
    made->relation = relation;
    person.relationships.push_back(std::move(made));
}

}  // namespace flagpost::tests
