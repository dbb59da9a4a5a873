/// Whom police may ask for at each school: still right?
#include "adapters/desk/words.h"
#include "adapters/school/contacts.h"
#include "adapters/school/pages.h"
#include "adapters/web/words.h"
#include "broker/core/ids.h"
#include "broker/crypto/keys.h"

namespace flagpost::school {
namespace {

using web::Response;
using web::View;
using web::Visit;

std::string standing(desk::LoadState state, const std::string& force_desk) {
    if (state == desk::LoadState::waits)
        return "What was said last is kept here. Not yet received by Flagpost.";
    if (state == desk::LoadState::refused) return web::words::not_accepted(force_desk);
    return {};
}

}  // namespace

std::vector<std::uint32_t> Pages::schools_with_contacts(const web::Person& person) const {
    std::vector<std::uint32_t> urns;
    for (const auto& text : schools_of(person, agency_).value_or(std::set<std::string>{}))
        if (const auto urn = parse_urn(text)) urns.push_back(*urn);
    return urns;
}

Response Pages::contacts(const Visit& visit) {
    std::map<std::uint32_t, std::string> names;  // as far as a notice has told
    const auto ones = open_ones(visit.person);
    for (const Notice* each : ones.theirs)
        if (!each->value->school_name.empty() && !names.contains(each->value->urn))
            names.emplace(each->value->urn, desk::printable(each->value->school_name));
    std::vector<View> schools;
    for (const auto urn : schools_with_contacts(visit.person)) {
        const auto [list, state] = reader_.read([&](const client::Box& box) {
            return std::pair{kept_contacts(box, urn), desk::load_state(box, contacts_of_school(urn).topic)};
        });
        const auto name = names.find(urn);
        std::vector<View> rows;
        for (const auto& each : list)
            rows.push_back(View{}
                               .text("name", desk::printable(each.name))
                               .text("contact_role", desk::printable(each.role))
                               .text("telephone", desk::printable(each.telephone))
                               .text("email", desk::printable(each.email))
                               .text("checked", desk::date_in_words(each.verified_on))
                               .text("action", "/contacts/" + std::to_string(urn) + "/confirm")
                               .text("confirm_token", site_.token(visit.session))
                               .text("confirm_once", site_.once()));
        schools.push_back(View{}
                              .text("school", name == names.end()
                                                  ? "URN " + std::to_string(urn)
                                                  : name->second + ", URN " + std::to_string(urn))
                              .maybe("wanting", wanting(list, visit.now, true))
                              .maybe("standing", standing(state, site_.settings().force_desk))
                              .flag("some", !rows.empty())
                              .list("rows", rows));
    }
    web::Page page{"contacts", "Contacts"};
    page.view.list("schools", schools);
    page.section = "/contacts";
    page.section_itself = true;
    if (visit.request.parameter("done") == "checked") page.success = "Checked today. Thank you.";
    return site_.page(visit, page);
}

Response Pages::confirm(const Visit& visit) {
    const auto urn = parse_urn(visit.part("urn"));
    const auto theirs = schools_with_contacts(visit.person);
    if (!urn || std::ranges::find(theirs, *urn) == theirs.end()) return site_.not_found(visit);
    const std::string name = visit.request.field("name");
    const auto list = checked_today(
        reader_.read([&](const client::Box& box) { return kept_contacts(box, *urn); }), name, visit.now);
    if (!list) return site_.not_found(visit);
    const bool done = handover_.carry_out([urn = *urn, now = visit.now, name](client::Box& box) {
        // As it is by now: somebody else may have checked another meanwhile.
        const auto checked = checked_today(kept_contacts(box, urn), name, now);
        if (!checked) throw std::runtime_error{"the contact is gone"};
        std::vector<Bytes> records;
        for (const auto& each : *checked) records.push_back(record_of(each, urn));
        crypto::SystemRandom random;
        if (!desk::begin_load(box, now, random, contacts_of_school(urn), std::move(records), "contacts page"))
            throw std::runtime_error{"an earlier list has not been answered yet"};
        keep_contacts(box, urn, *checked);
    });
    if (!done)
        return site_.message(
            visit, 503, "Not recorded yet",
            "What was said before has not been received by Flagpost yet, or this took too long. "
            "Try again in a minute.");
    work_.note(visit, "contacts/" + std::to_string(*urn), "checked", name);
    return web::redirect("/contacts?done=checked");
}

}  // namespace flagpost::school
