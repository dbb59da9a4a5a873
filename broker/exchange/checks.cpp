#include "broker/exchange/checks.h"

#include <date/date.h>

#include <algorithm>

#include "broker/core/ids.h"
#include "broker/core/limits.h"
#include "broker/log/reference.h"

namespace flagpost::exchange {
namespace {

using flatbuffers::Offset;
using flatbuffers::String;
using flatbuffers::Vector;

int digits(std::string_view text, std::size_t from, std::size_t count) {
    int value = 0;
    for (const char c : text.substr(from, count)) {
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    return value;
}

// How many bytes the UTF-8 sequence at `at` has; 0 if it is none. RFC 3629: no overlong forms, no surrogates.
std::size_t sequence_at(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) -> unsigned {
        return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0u;
    };
    const auto follows = [&](std::size_t count) {
        for (std::size_t i = 1; i <= count; ++i)
            if ((byte(i) & 0xc0) != 0x80) return false;
        return true;
    };
    const unsigned lead = byte(0);
    if (lead >= 0xc2 && lead <= 0xdf) return follows(1) ? 2 : 0;
    if (lead >= 0xe0 && lead <= 0xef) {
        if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f)) return 0;
        return follows(2) ? 3 : 0;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        if ((lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f)) return 0;
        return follows(3) ? 4 : 0;
    }
    return 0;
}

// One thing being checked: remembers the first fault, so that the lists below read straight down.
class Checking {
public:
    void text(std::string_view value, const char* where, std::size_t size_max = limits::text_size_max) {
        if (!is_text(value, size_max)) fault(where);
    }
    void text(const String* value, const char* where, std::size_t size_max = limits::text_size_max) {
        if (value != nullptr) text(value->string_view(), where, size_max);
    }
    void name(std::string_view value, const char* where) { text(value, where, limits::person_name_size_max); }
    void name(const String* value, const char* where) { text(value, where, limits::person_name_size_max); }
    void date(std::string_view value, const char* where) {
        if (!value.empty() && !is_date(value)) fault(where);
    }
    void partial_date(std::string_view value, const char* where) {
        if (!value.empty() && !is_partial_date(value)) fault(where);
    }
    void that(bool holds, const char* where) {
        if (!holds) fault(where);
    }
    template <class Enum> void at_most(Enum value, Enum highest, const char* where) {
        if (value > highest) fault(where);
    }

    void person(const schemas::PersonValue& person, const char* where) {
        name(person.given_names, where);
        name(person.family_name, where);
        that(person.also_known_as.size() <= limits::aliases_max, where);
        for (const auto& alias : person.also_known_as) {
            name(alias->given, where);
            name(alias->family, where);
        }
        partial_date(person.date_of_birth, where);
        for (const auto* code : {&person.sex, &person.upn, &person.nhs_number})
            text(*code, where, limits::name_size_max);
    }
    void person(const schemas::Person& person) {
        name(person.given_names(), "incident.people.given_names");
        name(person.family_name(), "incident.people.family_name");
        if (const auto* aliases = person.also_known_as()) {
            that(aliases->size() <= limits::aliases_max, "incident.people.also_known_as");
            for (const auto* alias : *aliases) {
                name(alias->given(), "incident.people.also_known_as");
                name(alias->family(), "incident.people.also_known_as");
            }
        }
        if (person.date_of_birth() != nullptr)
            partial_date(person.date_of_birth()->string_view(), "incident.people.date_of_birth");
        text(person.sex(), "incident.people.sex", limits::name_size_max);
        text(person.upn(), "incident.people.upn", limits::name_size_max);
        text(person.nhs_number(), "incident.people.nhs_number", limits::name_size_max);
    }
    void place(const schemas::Place* place, const char* where) {
        if (place == nullptr) return;
        for (const auto* line : {place->line_1(), place->line_2(), place->town(), place->postcode()})
            name(line, where);
    }
    void place(const schemas::PlaceValue& place, const char* where) {
        for (const auto* line : {&place.line_1, &place.line_2, &place.town, &place.postcode})
            name(*line, where);
    }
    void places(const std::vector<std::unique_ptr<schemas::DatedPlaceValue>>& places, const char* where) {
        that(places.size() <= limits::places_max, where);
        for (const auto& dated : places) {
            place(*dated->place, where);
            date(dated->from, where);
            date(dated->to, where);
        }
    }

    Result<void> result() const {
        if (where_ != nullptr) return refuse(Reason::invalid_value, where_);
        return {};
    }

private:
    void fault(const char* where) {
        if (where_ == nullptr) where_ = where;
    }
    const char* where_ = nullptr;
};

void check_person(Checking& check, const schemas::IncidentPerson& row, std::size_t people) {
    check.person(*row.person());
    check.at_most(row.role(), schemas::Role::MAX, "incident.people.role");
    check.place(row.home(), "incident.people.home");
    if (const auto* relationships = row.relationships()) {
        check.that(relationships->size() <= people, "incident.people.relationships");
        for (const auto* relationship : *relationships) {
            check.that(relationship->to() < people, "incident.people.relationships.to");
            check.name(relationship->relation(), "incident.people.relationships.relation");
        }
    }
    check.name(row.school_name(), "incident.people.school_name");
    check.text(row.voice_of_child(), "incident.people.voice_of_child");
}

bool is_id(const Vector<std::uint8_t>* bytes) { return bytes->size() == 16; }

}  // namespace

bool is_date(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
    const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    if (year < 1 || month < 1 || day < 1) return false;
    return date::year_month_day{date::year{year}, date::month{static_cast<unsigned>(month)},
                                date::day{static_cast<unsigned>(day)}}
        .ok();
}

bool is_partial_date(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
    const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    if (year < 0 || month < 0 || day < 0) return false;
    // An unknown part is stood in for by one that rules nothing out: a leap year, a long month, any day.
    return date::year_month_day{date::year{year == 0 ? 2000 : year},
                                date::month{month == 0 ? 1u : static_cast<unsigned>(month)},
                                date::day{day == 0 ? 1u : static_cast<unsigned>(day)}}
        .ok();
}

bool is_code(std::string_view text) {
    return text.size() <= limits::name_size_max && std::ranges::all_of(text, [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
           });
}

bool is_text(std::string_view text, std::size_t size_max) {
    if (text.size() > size_max) return false;
    for (std::size_t at = 0; at < text.size();) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte >= 0x20 && byte < 0x7f) {
            ++at;
        } else if (byte < 0x80) {
            if (byte != '\t' && byte != '\n' && byte != '\r') return false;
            ++at;
        } else {
            const auto size = sequence_at(text, at);
            if (size == 0) return false;
            at += size;
        }
    }
    return true;
}

Result<void> check(const schemas::Incident& incident, std::string_view force) {
    Checking check;
    check.that(incident.force()->string_view() == force, "incident.force");
    check.that(incident.reference()->size() > 0, "incident.reference");
    check.text(incident.reference(), "incident.reference", limits::name_size_max);
    check.that(incident.version() > 0, "incident.version");
    check.at_most(incident.status(), schemas::IncidentStatus::MAX, "incident.status");
    check.that(incident.occurred_us() >= 0, "incident.occurred_us");
    check.that(incident.recorded_us() >= 0, "incident.recorded_us");
    check.name(incident.category(), "incident.category");
    if (const auto* qualifiers = incident.qualifiers()) {
        check.that(qualifiers->size() <= limits::qualifiers_max, "incident.qualifiers");
        for (const auto* qualifier : *qualifiers) check.name(qualifier, "incident.qualifiers");
    }
    check.place(incident.place(), "incident.place");
    if (const auto* people = incident.people()) {
        check.that(people->size() <= limits::people_max, "incident.people");
        for (const auto* row : *people) check_person(check, *row, people->size());
    }
    check.text(incident.circumstances(), "incident.circumstances");
    check.text(incident.assessment(), "incident.assessment");
    if (const auto* risk = incident.risk()) {
        check.name(risk->tool(), "incident.risk.tool");
        check.name(risk->tool_version(), "incident.risk.tool_version");
        check.name(risk->grade(), "incident.risk.grade");
    }
    check.at_most(incident.referral(), schemas::ReferralStatus::MAX, "incident.referral");
    check.name(incident.referral_reference(), "incident.referral_reference");
    check.name(incident.police_contact(), "incident.police_contact");
    return check.result();
}

Result<void> check(const schemas::Receipt& receipt) {
    Checking check;
    check.that(is_id(receipt.notice()), "receipt.notice");
    // Level `stored` is the session's Acknowledge, which names deliveries, not notices.
    check.that(receipt.level() == schemas::Level::opened || receipt.level() == schemas::Level::recorded,
               "receipt.level");
    check.that(receipt.by() != nullptr && receipt.by()->size() > 0, "receipt.by");
    check.name(receipt.by(), "receipt.by");
    // A code, because it stands in the leaf: nobody can write about a child there.
    const bool has_outcome = receipt.outcome() != nullptr && receipt.outcome()->size() > 0;
    check.that(has_outcome || receipt.level() != schemas::Level::recorded, "receipt.outcome");
    check.that(!has_outcome || is_code(receipt.outcome()->string_view()), "receipt.outcome");
    check.that(receipt.at_us() >= 0, "receipt.at_us");
    return check.result();
}

Result<void> check(const schemas::StaffChange& change) {
    Checking check;
    check.at_most(change.does(), schemas::StaffDoes::MAX, "staff_change.does");
    check.that(change.by()->size() > 0, "staff_change.by");
    check.name(change.by(), "staff_change.by");
    check.that(change.about()->size() > 0, "staff_change.about");
    check.name(change.about(), "staff_change.about");
    check.name(change.cover(), "staff_change.cover");
    // A code, because it stands in the leaf.
    const bool has_role = change.role() != nullptr && change.role()->size() > 0;
    check.that(!has_role || is_code(change.role()->string_view()), "staff_change.role");
    const bool covers = change.does() == schemas::StaffDoes::covered;
    check.that(covers == (change.cover() != nullptr && change.cover()->size() > 0), "staff_change.cover");
    check.that(change.at_us() >= 0, "staff_change.at_us");
    return check.result();
}

Result<void> check(const schemas::ReviewDecision& decision) {
    Checking check;
    check.that(is_id(decision.review()), "review_decision.review");
    check.that(decision.verdict() <= schemas::Verdict::MAX, "review_decision.verdict");
    check.that(decision.by()->size() > 0, "review_decision.by");
    check.name(decision.by(), "review_decision.by");
    check.that(is_code(decision.reason()->string_view()), "review_decision.reason");
    check.text(decision.note(), "review_decision.note", review_note_size_max);
    check.that(decision.at_us() >= 0, "review_decision.at_us");
    return check.result();
}

Result<void> check(const schemas::Question& question) {
    Checking check;
    check.that(question.notice() != nullptr && is_id(question.notice()), "question.notice");
    check.that(question.force()->size() <= limits::name_size_max, "question.force");
    check.that(question.incident_reference()->size() > 0, "question.incident_reference");
    check.text(question.incident_reference(), "question.incident_reference", limits::name_size_max);
    check.that(question.about()->size() > 0 && is_code(question.about()->string_view()), "question.about");
    check.text(question.text(), "question.text", limits::question_size_max);
    check.that(question.by() != nullptr && question.by()->size() > 0, "question.by");
    check.name(question.by(), "question.by");
    check.that(question.asked_us() >= 0, "question.asked_us");
    return check.result();
}

Result<void> check(const schemas::QuestionAnswer& answer) {
    Checking check;
    check.that(is_id(answer.question()), "answer.question");
    check.that(answer.outcome()->size() > 0 && is_code(answer.outcome()->string_view()), "answer.outcome");
    check.text(answer.text(), "answer.text", limits::question_size_max);
    check.that(answer.by() != nullptr && answer.by()->size() > 0, "answer.by");
    check.name(answer.by(), "answer.by");
    check.that(answer.answered_us() >= 0, "answer.answered_us");
    return check.result();
}

Result<void> check(const schemas::OperatorAction& action) {
    Checking check;
    check.that(action.does() <= schemas::OperatorDoes::MAX, "action.does");
    check.that(action.by()->size() > 0, "action.by");
    check.name(action.by(), "action.by");
    check.that(is_code(action.reason()->string_view()), "action.reason");
    check.that(action.topic() == nullptr || action.topic()->size() <= limits::topic_size_max, "action.topic");
    return check.result();
}

Result<void> check(const schemas::RecordOrder& order) {
    Checking check;
    const bool names_record = order.record() != no_record;
    const bool names_subject = order.subject() != nullptr && order.subject()->size() > 0;
    check.that(order.does() <= schemas::OrderDoes::MAX, "order.does");
    check.that(names_record != names_subject, "order: needs either a subject or a record");
    check.that(!names_record || order.does() == schemas::OrderDoes::erase,
               "order.record: a hold is about a subject");
    const bool is_conflict = order.does() == schemas::OrderDoes::conflict;
    const bool names_person = order.person() != nullptr && order.person()->size() > 0;
    check.that(is_conflict == names_person, "order.person");
    if (names_person) check.name(order.person(), "order.person");
    const bool names_agency = order.works_for() != nullptr && order.works_for()->size() > 0;
    check.that(is_conflict == names_agency, "order.works_for");
    check.that(!names_agency || AgencyId::parse(order.works_for()->string_view()).has_value(),
               "order.works_for");
    check.that(!names_subject || is_text(order.subject()->string_view(), limits::topic_size_max),
               "order.subject");
    check.that(order.by()->size() > 0, "order.by");
    check.name(order.by(), "order.by");
    check.that(is_code(order.reason()->string_view()), "order.reason");
    // What ends a hold says what the hold said, and that may be older than this rule.
    const bool is_known = order.does() == schemas::OrderDoes::lift && order.reference()->size() > 0 &&
                          is_text(order.reference()->string_view(), limits::name_size_max);
    check.that(is_known || log::is_reference(order.reference()->string_view()),
               "order.reference: the number of a case or a code, no words: the log shows it");
    return check.result();
}

Result<void> check(const schemas::LoadBegin& begin) {
    Checking check;
    check.that(is_id(begin.load()), "load_begin.load");
    check.that(begin.mode() <= schemas::LoadMode::MAX, "load_begin.mode");
    check.that(begin.sequence() > 0, "load_begin.sequence");
    check.that(begin.digest()->size() == 32, "load_begin.digest");
    // An empty list is taken for a mistake unless it is said to be none: applied as a full load it empties the register.
    check.that(begin.none() == (begin.count() == 0) && begin.count() <= limits::load_records_max,
               "load_begin.count");
    check.that(!begin.none() || begin.mode() == schemas::LoadMode::full, "load_begin.mode");
    return check.result();
}

Result<void> check(const schemas::LoadPart& part) {
    Checking check;
    check.that(is_id(part.load()), "load_part.load");
    check.that(part.records()->size() > 0 && part.records()->size() <= limits::load_part_records_max,
               "load_part.records");
    return check.result();
}

Result<void> check(const schemas::LoadCommit& commit) {
    Checking check;
    check.that(is_id(commit.load()), "load_commit.load");
    return check.result();
}

Result<void> check(const schemas::FlagValue& flag, std::string_view la) {
    Checking check;
    check.that(flag.la == la, "flag.la");
    check.that(!flag.la_child_id.empty(), "flag.la_child_id");
    check.text(flag.la_child_id, "flag.la_child_id", limits::name_size_max);
    check.that(flag.kind <= schemas::FlagKind::MAX, "flag.kind");
    check.person(*flag.child, "flag.child");
    const bool unborn = flag.kind == schemas::FlagKind::unborn_child_protection_plan;
    check.that(unborn || !flag.child->given_names.empty() || !flag.child->family_name.empty(), "flag.child");
    check.date(flag.expected_date_of_birth, "flag.expected_date_of_birth");
    check.text(flag.category, "flag.category", limits::name_size_max);
    check.that(is_date(flag.start_date), "flag.start_date");
    check.date(flag.end_date, "flag.end_date");
    check.that(flag.end_date.empty() || flag.end_date >= flag.start_date, "flag.end_date");
    check.date(flag.delete_date, "flag.delete_date");
    check.places(flag.places, "flag.places");
    check.that(flag.linked_adults.size() <= limits::people_max, "flag.linked_adults");
    for (const auto& adult : flag.linked_adults) {
        check.person(*adult->person, "flag.linked_adults.person");
        check.name(adult->relation, "flag.linked_adults.relation");
        check.places(adult->places, "flag.linked_adults.places");
    }
    if (flag.worker) {
        check.name(flag.worker->name, "flag.worker");
        check.name(flag.worker->contact, "flag.worker");
    }
    check.name(flag.team, "flag.team");
    check.name(flag.duty_contact, "flag.duty_contact");
    check.name(flag.out_of_hours_contact, "flag.out_of_hours_contact");
    return check.result();
}

Result<void> check(const schemas::PupilValue& pupil, std::optional<std::uint32_t> urn, std::string_view la) {
    Checking check;
    check.that((pupil.urn > 0) == la.empty() && pupil.urn == urn.value_or(pupil.urn), "pupil.urn");
    check.that(pupil.la == la, "pupil.la");
    check.person(*pupil.child, "pupil.child");
    check.that(!pupil.child->given_names.empty() || !pupil.child->family_name.empty(), "pupil.child");
    check.text(pupil.enrolment, "pupil.enrolment", limits::name_size_max);
    if (pupil.home) check.place(*pupil.home, "pupil.home");
    check.that(pupil.contacts.size() <= limits::people_max, "pupil.contacts");
    for (const auto& contact : pupil.contacts) {
        check.person(*contact->person, "pupil.contacts.person");
        check.name(contact->relation, "pupil.contacts.relation");
    }
    check.date(pupil.left_on, "pupil.left_on");
    return check.result();
}

Result<void> check(const schemas::SchoolValue& school) {
    Checking check;
    check.that(school.urn > 0, "school.urn");
    check.that(school.la.empty() || valid_gss_code(school.la), "school.la");
    check.text(school.la_code, "school.la_code", limits::name_size_max);
    check.text(school.establishment_number, "school.establishment_number", limits::name_size_max);
    check.that(!school.name.empty(), "school.name");
    check.name(school.name, "school.name");
    check.name(school.type, "school.type");
    check.name(school.type_group, "school.type_group");
    check.name(school.telephone, "school.telephone");
    check.that(school.status >= 1 && school.status <= 4, "school.status");
    check.date(school.open_date, "school.open_date");
    check.date(school.close_date, "school.close_date");
    if (school.place) check.place(*school.place, "school.place");
    return check.result();
}

Result<void> check(const schemas::SchoolLinkValue& link) {
    Checking check;
    check.that(link.urn > 0, "school_link.urn");
    check.that(link.link_urn > 0, "school_link.link_urn");
    check.that(!link.link_type.empty(), "school_link.link_type");
    check.name(link.link_type, "school_link.link_type");
    check.date(link.established, "school_link.established");
    return check.result();
}

Result<void> check(const schemas::SchoolContactValue& contact, std::optional<std::uint32_t> urn) {
    Checking check;
    check.that(contact.urn > 0 && contact.urn == urn.value_or(contact.urn), "school_contact.urn");
    check.that(!contact.name.empty(), "school_contact.name");
    check.name(contact.name, "school_contact.name");
    check.name(contact.role, "school_contact.role");
    check.name(contact.telephone, "school_contact.telephone");
    check.name(contact.email, "school_contact.email");
    check.date(contact.verified_on, "school_contact.verified_on");
    return check.result();
}

Result<void> check(const schemas::BankHolidayValue& holiday) {
    Checking check;
    check.that(!holiday.division.empty() && holiday.division.find('/') == std::string::npos,
               "bank_holiday.division");
    check.text(holiday.division, "bank_holiday.division", limits::name_size_max);
    check.that(is_date(holiday.date), "bank_holiday.date");
    check.name(holiday.title, "bank_holiday.title");
    return check.result();
}

Result<void> check(const schemas::TermPeriodValue& term, std::optional<std::uint32_t> urn) {
    Checking check;
    check.that(term.urn == urn.value_or(term.urn), "term.urn");
    check.that(term.la.empty() ? term.urn > 0 : valid_gss_code(term.la), "term.la");
    check.that(is_date(term.first_day), "term.first_day");
    check.that(is_date(term.last_day) && term.last_day >= term.first_day, "term.last_day");
    const auto& starts = term.day_starts;
    const bool is_time = starts.size() == 5 && starts[2] == ':' && digits(starts, 0, 2) >= 0 &&
                         digits(starts, 0, 2) < 24 && digits(starts, 3, 2) >= 0 && digits(starts, 3, 2) < 60;
    check.that(starts.empty() || is_time, "term.day_starts");
    return check.result();
}

}  // namespace flagpost::exchange
