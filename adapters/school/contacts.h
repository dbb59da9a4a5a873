/// Whom police and authority ask for at a school: at least two people, each checked again and again; and the school's terms.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "adapters/desk/loads.h"
#include "school_generated.h"

namespace flagpost::school {

inline constexpr std::size_t contacts_min = 2;  // of each school
inline constexpr std::size_t contacts_max = 50;
inline constexpr int check_again_days = 60;  // after the last check a page asks for one
inline constexpr int check_late_days = 90;   // after that a list is not handed over as checked

struct Contact {
    std::string name, role, telephone, email;
    std::string verified_on;  // "2026-01-11": when somebody of the school last said that this is still right
    friend bool operator==(const Contact&, const Contact&) = default;
};

/// Columns Name, Role, Telephone, Email, VerifiedOn. A contact without a name, without a way to be reached, or last checked
/// more than check_late_days ago, is a fault.
Contact read_contact(const client::CsvRow& row, Instant now, desk::Findings& findings);
const std::vector<std::string>& contact_columns();
/// Columns FirstDay, LastDay, Closed (an INSET day or closure inside a term), DayStarts ("08:40").
schemas::TermPeriodValue read_term(const client::CsvRow& row, std::uint32_t urn, desk::Findings& findings);
const std::vector<std::string>& term_columns();

Bytes record_of(const Contact& contact, std::uint32_t urn);
desk::Destination contacts_of_school(std::uint32_t urn);
desk::Destination terms_of_school(std::uint32_t urn);

/// The list as it was handed over last; empty if it never was.
std::vector<Contact> kept_contacts(const client::Box& box, std::uint32_t urn);
void keep_contacts(client::Box& box, std::uint32_t urn, const std::vector<Contact>& contacts);
/// The list with this one checked today; nothing if nobody has the name.
std::optional<std::vector<Contact>> checked_today(std::vector<Contact> contacts, const std::string& name,
                                                  Instant now);

/// The school's own terms as they were handed over last, in order.
std::vector<schemas::TermPeriodValue> kept_terms(const client::Box& box, std::uint32_t urn);
void keep_terms(client::Box& box, std::uint32_t urn, const std::vector<schemas::TermPeriodValue>& terms);
/// "Your school is closed until Monday 5 January 2026. ..." while no term runs and another is known; empty otherwise.
std::string closed_in_words(const std::vector<schemas::TermPeriodValue>& terms, Instant now);

/// What somebody has to do about the list, in words; empty if nothing.
std::string wanting(const std::vector<Contact>& contacts, Instant now, bool on_their_page = false);

}  // namespace flagpost::school
