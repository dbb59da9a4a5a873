#include "adapters/school/school.h"

#include <algorithm>
#include <ostream>
#include <sstream>
#include <stdexcept>

#include "adapters/desk/inbox.h"
#include "adapters/desk/recall.h"
#include "adapters/desk/words.h"
#include "adapters/school/contacts.h"
#include "adapters/school/ctf_file.h"
#include "adapters/school/notice_text.h"
#include "adapters/school/notify.h"
#include "adapters/school/roll_rows.h"
#include "adapters/web/settings.h"
#include "adapters/web/words.h"
#include "broker/core/ids.h"

namespace flagpost::school {
namespace {

using nlohmann::json;
using schemas::Kind;

const std::set<Kind> notices{Kind::school_notice, Kind::recall};

json entry_of(const client::Incoming& item) {
    return item.kind == Kind::recall ? desk::recall_entry(item) : notice_entry(item);
}
std::string line_of(const client::Incoming& item, Instant now) {
    return item.kind == Kind::recall ? desk::recall_line(item, now) : notice_line(item, now);
}

/// A registration is known by school and pupil number; pupils without a valid number are not compared.
std::string key_of(const schemas::PupilValue& pupil) {
    return pupil.child->upn.empty() ? "" : std::to_string(pupil.urn) + "/" + pupil.child->upn;
}

/// The school a list is of. Throws std::runtime_error if it is not said, or another's.
std::uint32_t school_of(const AgencyId& agency, const std::string& urn) {
    const std::string text = urn.empty() && agency.kind() == "school" ? std::string{agency.code()} : urn;
    const auto parsed = parse_urn(text);
    if (!parsed) throw std::runtime_error{"--urn must name the school, such as 900001"};
    if (agency.kind() == "school" && text != agency.code())
        throw std::runtime_error{text + " is another school's"};
    return *parsed;
}

std::size_t rows_that_are_wrong(const desk::Prepared& prepared) {
    return static_cast<std::size_t>(std::ranges::count(prepared.rejects, false, &desk::Reject::used));
}

/// Nothing of a list is sent while a row of it is wrong: one contact less may be the one who is asked for.
bool whole(const desk::Prepared& prepared, const desk::LoadOptions& options, std::ostream& out) {
    const auto wrong = rows_that_are_wrong(prepared);
    if (wrong == 0) return true;
    desk::write_rejects(desk::rejects_file_of(options.file), prepared.rejects);
    out << "Rows that are wrong: " << wrong
        << ". Nothing was sent. Reasons: " << desk::rejects_file_of(options.file).string() << "\n";
    return false;
}

}  // namespace

const std::vector<std::string>& agency_kinds() {
    static const std::vector<std::string> kinds{"school", "trust", "education"};
    return kinds;
}

const std::vector<std::string>& own_settings() {
    static const std::vector<std::string> names = [] {
        auto all = web::setting_names();
        const auto& notify = notify_setting_names();
        all.insert(all.end(), notify.begin(), notify.end());
        return all;
    }();
    return names;
}

desk::Destination roll_destination(const AgencyId& agency, const RollOf& of) {
    const std::string code{agency.code()};
    if (agency.kind() == "school") {
        if (of.not_in_school)
            throw std::runtime_error{"--not-in-school: the register is the authority's, not a school's"};
        return {schemas::LoadOf::rolls, "rolls/school/" + code, "urn:" + code};
    }
    const std::string authority = !of.la.empty() ? of.la : agency.kind() == "education" ? code : "";
    if (!valid_gss_code(authority))
        throw std::runtime_error{"--la must name the authority whose roll this is, such as E10000024"};
    if (of.not_in_school)
        return {schemas::LoadOf::rolls, "rolls/not-in-school/" + authority, "not-in-school:" + authority};
    return {schemas::LoadOf::rolls, "rolls/" + authority, "la:" + authority};
}

int load_roll(const Call& call, const RollOf& of, const desk::LoadOptions& given, std::ostream& out) {
    desk::Desk desk{call.config, agency_kinds(), own_settings()};
    const auto to = roll_destination(desk.agency(), of);
    auto options = given;
    options.none = of.count == 0;
    if (options.none && options.mode != schemas::LoadMode::full)
        throw std::runtime_error{"--count 0 is said of a whole list: not with --mode delta"};
    if (options.none && to.scope.starts_with("la:"))
        throw std::runtime_error{
            "--count 0 is said of one school or of a register: all of an authority's schools have pupils"};
    const auto own_urn = desk.agency().kind() == "school" ? parse_urn(desk.agency().code()) : std::nullopt;
    const desk::ReadRow read_row = [&](const client::CsvRow& row, desk::Findings& findings) {
        const auto pupil = of.not_in_school
                               ? read_registered(row, to.scope.substr(to.scope.find(':') + 1), findings)
                               : read_pupil(row, own_urn, findings);
        if (!findings.usable()) return desk::RowRecord{};
        return desk::RowRecord{wire::pack<schemas::Pupil>(pupil), key_of(pupil)};
    };
    const auto prepare = [&]() -> Result<desk::Prepared> {
        if (!is_ctf(options.file))
            return desk::prepare(options.file, of.not_in_school ? register_columns() : required_columns(),
                                 read_row);
        if (of.not_in_school) return refuse(Reason::invalid_value, "a CTF holds pupils of a school");
        // One school's pupils: as a whole list of an authority they would take all other schools' off it.
        if (!own_urn && options.mode == schemas::LoadMode::full)
            return refuse(Reason::invalid_value, "a CTF holds one school's pupils: use --mode delta");
        const auto rows = read_ctf(options.file, school_of(desk.agency(), of.urn));
        if (!rows) return tl::unexpected{rows.error()};
        return desk::prepare_rows(*rows, read_row);
    };
    auto prepared = prepare();
    if (!prepared)
        return desk::report_unsent(schemas::FileCode::malformed, prepared.error().where, options, out);
    const auto rows = prepared->records.size() + rows_that_are_wrong(*prepared);
    if (of.count && *of.count != rows)
        return desk::report_unsent(schemas::FileCode::wrong_count,
                                   "file: " + std::to_string(rows) + " records where " +
                                       std::to_string(*of.count) + " were declared",
                                   options, out);
    // More often an export gone wrong than an empty list: taken for one, it would take everybody off.
    if (rows == 0 && !of.count)
        return desk::report_unsent(schemas::FileCode::none_loaded,
                                   "file: has no rows; where nobody is on the list, say so: --count 0",
                                   options, out);
    return desk::send_load(desk, to, std::move(*prepared), options, out);
}

int load_contacts(const Call& call, const std::string& urn, const desk::LoadOptions& options,
                  std::ostream& out) {
    desk::Desk desk{call.config, agency_kinds(), own_settings()};
    const auto of = school_of(desk.agency(), urn);
    std::vector<Contact> contacts;
    auto prepared = desk::prepare(options.file, contact_columns(),
                                  [&](const client::CsvRow& row, desk::Findings& findings) {
                                      const auto contact = read_contact(row, desk.now(), findings);
                                      if (!findings.usable()) return desk::RowRecord{};
                                      contacts.push_back(contact);
                                      return desk::RowRecord{record_of(contact, of), contact.name};
                                  });
    if (!prepared)
        return desk::report_unsent(schemas::FileCode::malformed, prepared.error().where, options, out);
    if (!whole(*prepared, options, out)) return 1;
    if (contacts.size() < contacts_min || contacts.size() > contacts_max) {
        out << "A school needs " << contacts_min << " to " << contacts_max << " contacts; the file has "
            << contacts.size() << ". Nothing was sent.\n";
        return 1;
    }
    std::optional<schemas::FileCode> code;
    const int result =
        desk::send_load(desk, contacts_of_school(of), std::move(*prepared), options, out, &code);
    if (code == schemas::FileCode::all_loaded) keep_contacts(desk.box(), of, contacts);
    return result;
}

int load_terms(const Call& call, const std::string& urn, const desk::LoadOptions& options,
               std::ostream& out) {
    desk::Desk desk{call.config, agency_kinds(), own_settings()};
    const auto of = school_of(desk.agency(), urn);
    std::vector<schemas::TermPeriodValue> terms;
    auto prepared =
        desk::prepare(options.file, term_columns(), [&](const client::CsvRow& row, desk::Findings& findings) {
            const auto term = read_term(row, of, findings);
            if (!findings.usable()) return desk::RowRecord{};
            terms.push_back(term);
            return desk::RowRecord{wire::pack<schemas::TermPeriod>(term),
                                   term.first_day + (term.closed ? "/closed" : "")};
        });
    if (!prepared)
        return desk::report_unsent(schemas::FileCode::malformed, prepared.error().where, options, out);
    if (!whole(*prepared, options, out)) return 1;
    std::optional<schemas::FileCode> code;
    const int result = desk::send_load(desk, terms_of_school(of), std::move(*prepared), options, out, &code);
    if (code == schemas::FileCode::all_loaded) keep_terms(desk.box(), of, terms);
    return result;
}

int list_contacts(const Call& call, const std::string& urn, std::ostream& out) {
    desk::Desk desk{call.config, agency_kinds(), own_settings()};
    const auto of = school_of(desk.agency(), urn);
    const auto contacts = kept_contacts(desk.box(), of);
    if (call.json) {
        json entries = json::array();
        for (const auto& each : contacts)
            entries.push_back({
                {"name",        each.name       },
                {"role",        each.role       },
                {"telephone",   each.telephone  },
                {"email",       each.email      },
                {"verified_on", each.verified_on}
            });
        desk::print_json(entries, out);
        return 0;
    }
    for (const auto& each : contacts)
        out << desk::printable(each.name) << ", " << desk::printable(each.role) << ", "
            << desk::printable(each.telephone) << " " << desk::printable(each.email) << ", last checked "
            << desk::date_in_words(each.verified_on) << "\n";
    if (const auto words = wanting(contacts, desk.now()); !words.empty()) out << words << "\n";
    return 0;
}

int run(const Call& call) {
    const desk::StopAtSignal stop;
    desk::Desk desk{call.config, agency_kinds(), own_settings()};
    desk.serve(stop.token(), notifying(desk, call.config));
    return 0;
}

desk::Desk::Turn notifying(desk::Desk& desk, const std::filesystem::path& config_file) {
    auto hook = hook_of(desk.config(), config_file);
    if (!hook) return {};
    const auto notifier = std::make_shared<Notifier>(std::move(*hook));
    return
        [notifier, &desk](const client::AgentState& state) { notifier->turn(state, desk.box(), desk.now()); };
}

int status(const Call& call, std::ostream& out) {
    desk::Desk desk{call.config, agency_kinds(), own_settings()};
    std::size_t unread = 0, late = 0, unrecorded = 0;
    for (const auto& item : desk::items_of(desk.box(), notices, false)) {
        ++unrecorded;
        unread += item.opened ? 0 : 1;
        late += !item.opened && due(item) <= desk.now() ? 1 : 0;
    }
    const auto counts = desk.box().counts();
    const auto pings = ping_state(desk.box());
    if (call.json) {
        desk::print_json(
            {
                {"unread",         unread                                                                 },
                {"overdue",        late                                                                   },
                {"not_recorded",   unrecorded                                                             },
                {"waiting",        counts.waiting                                                         },
                {"refused",        counts.refused                                                         },
                {"told",           desk::iso_or_null(to_us(pings.told))                                   },
                {"failing_since",  pings.failing_since ? json(desk::in_iso(*pings.failing_since)) : json()},
                {"notify_problem", pings.why                                                              }
        },
            out);
        return 0;
    }
    out << "Not read yet: " << unread << ", of these overdue: " << late
        << ". Not recorded yet: " << unrecorded << ".\nNot received by Flagpost yet: " << counts.waiting
        << ". Not accepted by it: " << counts.refused << ".\n";
    if (pings.told != Instant{})
        out << "People were told of all that came until " << desk::in_words(pings.told) << ".\n";
    if (const auto words = failure_in_words(pings); !words.empty()) out << words << "\n";
    return 0;
}

int list_inbox(const Call& call, bool closed_too, const std::string& by, std::ostream& out) {
    desk::Desk desk{call.config, agency_kinds(), own_settings()};
    auto found = desk::items_for(desk.box(), desk::items_of(desk.box(), notices, closed_too), by);
    auto& items = found.shown;
    std::ranges::stable_sort(items, {}, due);
    if (call.json) {
        json entries = json::array();
        for (const auto& item : items) entries.push_back(entry_of(item));
        found.add_to(entries);
        desk::print_json(entries, out);
        return 0;
    }
    if (items.empty() && found.ask_who.empty()) out << web::words::empty_inbox << "\n";
    for (const auto& item : items) out << line_of(item, desk.now()) << "\n";
    out << found.words();
    return 0;
}

int show(const Call& call, const std::string& reference, const std::string& by, std::ostream& out) {
    desk::Desk desk{call.config, agency_kinds(), own_settings()};
    auto item = desk::find_for(desk.box(), reference, by);
    if (!item || !notices.contains(item->kind)) throw std::runtime_error{"no such notice here"};
    // What was taken back is not shown again: the recall stands in its place.
    if (const auto recall = desk.box().recalled_by(*item))
        if (auto newer = desk.box().find(*recall)) item = std::move(newer);
    if (call.json)
        desk::print_json(entry_of(*item), out);
    else
        out << (item->kind == Kind::recall ? desk::recall_screen(*item, desk.now())
                                           : notice_screen(*item, desk.now()));
    return 0;
}

int acknowledge(const Call& call, const std::vector<std::string>& references, const std::string& by,
                const std::string& outcome, std::ostream& out) {
    desk::Desk desk{call.config, agency_kinds(), own_settings()};
    const desk::Mark opened{schemas::Level::opened, by, {}};
    if (outcome.empty()) return desk::mark_items(desk, references, notices, opened, call.json, out);
    std::ostringstream quiet;
    desk::mark_items(desk, references, notices, opened, true, quiet);
    return desk::mark_items(desk, references, notices, {schemas::Level::recorded, by, outcome}, call.json,
                            out);
}

}  // namespace flagpost::school
