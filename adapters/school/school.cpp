#include "adapters/school/school.h"

#include <algorithm>
#include <ostream>
#include <sstream>
#include <stdexcept>

#include "adapters/desk/inbox.h"
#include "adapters/desk/recall.h"
#include "adapters/school/notice_text.h"
#include "adapters/school/roll_rows.h"
#include "adapters/web/settings.h"
#include "adapters/web/words.h"

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

}  // namespace

const std::vector<std::string>& agency_kinds() {
    static const std::vector<std::string> kinds{"school", "trust", "education"};
    return kinds;
}

const std::vector<std::string>& own_settings() { return web::setting_names(); }

desk::Destination roll_destination(const AgencyId& agency, const std::string& la) {
    const std::string code{agency.code()};
    if (agency.kind() == "school") return {schemas::LoadOf::rolls, "rolls/school/" + code, "urn:" + code};
    const std::string authority = !la.empty() ? la : agency.kind() == "education" ? code : "";
    if (!valid_gss_code(authority))
        throw std::runtime_error{"--la must name the authority whose roll this is, such as E10000024"};
    return {schemas::LoadOf::rolls, "rolls/" + authority, "la:" + authority};
}

int load_roll(const Call& call, const std::string& la, const desk::LoadOptions& options, std::ostream& out) {
    desk::Desk desk{call.config, agency_kinds(), own_settings()};
    const auto to = roll_destination(desk.agency(), la);
    const auto own_urn = desk.agency().kind() == "school" ? parse_urn(desk.agency().code()) : std::nullopt;
    auto prepared = desk::prepare(
        options.file, required_columns(), [&](const client::CsvRow& row, desk::Findings& findings) {
            const auto pupil = read_pupil(row, own_urn, findings);
            if (!findings.usable()) return desk::RowRecord{};
            return desk::RowRecord{wire::pack<schemas::Pupil>(pupil), key_of(pupil)};
        });
    if (!prepared) throw std::runtime_error{options.file.string() + ": " + prepared.error().where};
    return desk::send_load(desk, to, std::move(*prepared), options, out);
}

int run(const Call& call) {
    const desk::StopAtSignal stop;
    desk::Desk desk{call.config, agency_kinds(), own_settings()};
    desk.serve(stop.token());
    return 0;
}

int list_inbox(const Call& call, bool closed_too, std::ostream& out) {
    desk::Desk desk{call.config, agency_kinds(), own_settings()};
    auto items = desk::items_of(desk.box(), notices, closed_too);
    std::ranges::stable_sort(items, {}, due);
    if (call.json) {
        json entries = json::array();
        for (const auto& item : items) entries.push_back(entry_of(item));
        desk::print_json(entries, out);
        return 0;
    }
    if (items.empty()) out << web::words::empty_inbox << "\n";
    for (const auto& item : items) out << line_of(item, desk.now()) << "\n";
    return 0;
}

int show(const Call& call, const std::string& reference, std::ostream& out) {
    desk::Desk desk{call.config, agency_kinds(), own_settings()};
    auto item = desk.box().find(reference);
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
