#include "adapters/school/contacts.h"

#include <date/date.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "adapters/desk/words.h"
#include "adapters/web/when.h"
#include "broker/core/limits.h"

namespace flagpost::school {
namespace {

using desk::Fields;
using nlohmann::json;

std::string today(Instant now) { return desk::in_iso(now).substr(0, 10); }

int number(std::string_view digits) {
    int value = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

date::sys_days day_of(const std::string& iso) {
    return date::year{number(std::string_view{iso}.substr(0, 4))} /
           number(std::string_view{iso}.substr(5, 2)) / number(std::string_view{iso}.substr(8, 2));
}

/// Whole days since; a day that is none counts as never.
std::optional<int> days_since(const std::string& iso, Instant now) {
    if (iso.size() != 10) return std::nullopt;
    return static_cast<int>((date::floor<date::days>(now) - day_of(iso)).count());
}

std::string fact_of(std::uint32_t urn) { return "contacts/" + std::to_string(urn); }

bool is_time(const std::string& text) {
    return text.size() == 5 && text[2] == ':' &&
           std::ranges::all_of(text, [](char c) { return c == ':' || (c >= '0' && c <= '9'); }) &&
           number(std::string_view{text}.substr(0, 2)) < 24 && number(std::string_view{text}.substr(3)) < 60;
}

/// "8:40am" of "08:40".
std::string start_in_words(const std::string& day_starts) {
    if (!is_time(day_starts)) return "the start of";
    const int hour = number(std::string_view{day_starts}.substr(0, 2));
    const std::string minutes = day_starts.substr(2) == ":00" ? "" : day_starts.substr(2);
    return std::to_string(hour % 12 == 0 ? 12 : hour % 12) + minutes + (hour < 12 ? "am" : "pm");
}

std::string terms_fact_of(std::uint32_t urn) { return "terms/" + std::to_string(urn); }

}  // namespace

const std::vector<std::string>& contact_columns() {
    static const std::vector<std::string> columns{"Name", "Role", "VerifiedOn"};
    return columns;
}

const std::vector<std::string>& term_columns() {
    static const std::vector<std::string> columns{"FirstDay", "LastDay"};
    return columns;
}

Contact read_contact(const client::CsvRow& row, Instant now, desk::Findings& findings) {
    const json object = desk::object_of(row, {}, findings);
    const Fields fields{object, "", findings};
    Contact contact;
    contact.name = fields.required_text("Name", limits::person_name_size_max);
    contact.role = fields.text("Role", limits::person_name_size_max);
    contact.telephone = fields.text("Telephone", limits::person_name_size_max);
    contact.email = fields.text("Email", limits::person_name_size_max);
    if (contact.telephone.empty() && contact.email.empty())
        fields.fault("Telephone", "neither it nor Email says how to reach them");
    contact.verified_on = fields.date("VerifiedOn");
    const auto days = days_since(contact.verified_on, now);
    if (!days)
        fields.fault("VerifiedOn", "must say when somebody last checked this");
    else if (*days < -1)
        fields.fault("VerifiedOn", "is in the future");
    else if (*days > check_late_days)
        fields.fault("VerifiedOn",
                     "is more than " + std::to_string(check_late_days) + " days ago: check again");
    return contact;
}

schemas::TermPeriodValue read_term(const client::CsvRow& row, std::uint32_t urn, desk::Findings& findings) {
    const json object = desk::object_of(row, {}, findings);
    const Fields fields{object, "", findings};
    schemas::TermPeriodValue term;
    term.urn = urn;
    term.first_day = fields.date("FirstDay");
    term.last_day = fields.date("LastDay");
    if (term.first_day.empty()) fields.fault("FirstDay", "is missing");
    if (term.last_day.empty()) fields.fault("LastDay", "is missing");
    if (term.last_day < term.first_day) fields.fault("LastDay", "is before FirstDay");
    term.closed = fields.truth("Closed").value_or(false);
    term.day_starts = fields.text("DayStarts");
    if (!term.day_starts.empty() && !is_time(term.day_starts))
        fields.fault("DayStarts", "should be a time, such as 08:40");
    return term;
}

Bytes record_of(const Contact& contact, std::uint32_t urn) {
    schemas::SchoolContactValue value;
    value.urn = urn;
    value.name = contact.name;
    value.role = contact.role;
    value.telephone = contact.telephone;
    value.email = contact.email;
    value.verified_on = contact.verified_on;
    return wire::pack<schemas::SchoolContact>(value);
}

desk::Destination contacts_of_school(std::uint32_t urn) {
    return {schemas::LoadOf::contacts, "reference/contacts/school/" + std::to_string(urn), ""};
}

desk::Destination terms_of_school(std::uint32_t urn) {
    return {schemas::LoadOf::terms, "reference/terms/school/" + std::to_string(urn), ""};
}

std::vector<Contact> kept_contacts(const client::Box& box, std::uint32_t urn) {
    const auto list = json::parse(box.fact(fact_of(urn)).value_or("[]"), nullptr, false);
    std::vector<Contact> contacts;
    if (!list.is_array()) return contacts;
    for (const auto& each : list) {
        const auto text = [&](const char* key) {
            return each.is_object() && each.contains(key) && each[key].is_string()
                       ? each[key].get<std::string>()
                       : std::string{};
        };
        contacts.push_back(
            {text("name"), text("role"), text("telephone"), text("email"), text("verified_on")});
    }
    return contacts;
}

void keep_contacts(client::Box& box, std::uint32_t urn, const std::vector<Contact>& contacts) {
    json list = json::array();
    for (const auto& each : contacts)
        list.push_back({
            {"name",        each.name       },
            {"role",        each.role       },
            {"telephone",   each.telephone  },
            {"email",       each.email      },
            {"verified_on", each.verified_on}
        });
    box.set_fact(fact_of(urn), list.dump(-1, ' ', false, json::error_handler_t::replace));
}

std::optional<std::vector<Contact>> checked_today(std::vector<Contact> contacts, const std::string& name,
                                                  Instant now) {
    const auto found = std::ranges::find(contacts, name, &Contact::name);
    if (found == contacts.end()) return std::nullopt;
    found->verified_on = today(now);
    return contacts;
}

std::vector<schemas::TermPeriodValue> kept_terms(const client::Box& box, std::uint32_t urn) {
    const auto list = json::parse(box.fact(terms_fact_of(urn)).value_or("[]"), nullptr, false);
    std::vector<schemas::TermPeriodValue> terms;
    if (!list.is_array()) return terms;
    for (const auto& each : list) {
        if (!each.is_object()) continue;
        schemas::TermPeriodValue term;
        term.urn = urn;
        term.first_day = each.value("first_day", "");
        term.last_day = each.value("last_day", "");
        term.closed = each.value("closed", false);
        term.day_starts = each.value("day_starts", "");
        terms.push_back(std::move(term));
    }
    std::ranges::stable_sort(terms, {}, &schemas::TermPeriodValue::first_day);
    return terms;
}

void keep_terms(client::Box& box, std::uint32_t urn, const std::vector<schemas::TermPeriodValue>& terms) {
    json list = json::array();
    for (const auto& each : terms)
        list.push_back({
            {"first_day",  each.first_day },
            {"last_day",   each.last_day  },
            {"closed",     each.closed    },
            {"day_starts", each.day_starts}
        });
    box.set_fact(terms_fact_of(urn), list.dump());
}

std::string closed_in_words(const std::vector<schemas::TermPeriodValue>& terms, Instant now) {
    const std::string day = today(now);
    const schemas::TermPeriodValue* next = nullptr;
    for (const auto& term : terms) {
        if (term.closed) continue;
        if (term.first_day <= day && day <= term.last_day) return {};
        if (term.first_day > day && (next == nullptr || term.first_day < next->first_day)) next = &term;
    }
    if (next == nullptr) return {};
    const Instant opens =
        day_of(next->first_day) + std::chrono::hours{12};  // that day, wherever the clock stands
    return "Your school is closed until " + web::day_in_words(opens) +
           ". Notices still arrive; the next must be read by " + start_in_words(next->day_starts) +
           " that day.";
}

std::string wanting(const std::vector<Contact>& contacts, Instant now, bool on_their_page) {
    if (contacts.empty()) return "Nobody was named yet whom police may ask for here.";
    if (contacts.size() < contacts_min)
        return "At least two people must be named whom police may ask for here.";
    int longest = 0;
    for (const auto& each : contacts)
        longest = std::max(longest, days_since(each.verified_on, now).value_or(check_late_days + 1));
    if (longest > check_again_days)
        return "Your contacts were last checked more than " +
               std::to_string(longest > check_late_days ? check_late_days : check_again_days) +
               " days ago. Say " + (on_their_page ? "below" : "on the page Contacts") +
               " that they are still right.";
    return {};
}

}  // namespace flagpost::school
