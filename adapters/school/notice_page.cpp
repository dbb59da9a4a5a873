/// One notice on one screen, with no more than its fields, and what a person of the school may do about it.
#include <algorithm>

#include "adapters/desk/recall.h"
#include "adapters/desk/words.h"
#include "adapters/school/notice_text.h"
#include "adapters/school/pages.h"
#include "adapters/web/words.h"

namespace flagpost::school {
namespace {

using schemas::SchoolNoticeValue;
using web::change;
using web::fact;
using web::Page;
using web::Response;
using web::said;
using web::View;
using web::Visit;

constexpr desk::CodeWords reasons_why_not[] = {
    {"left",       "The pupil has left this school"      },
    {"never_here", "The pupil was never at this school"  },
    {"other_site", "The pupil is at another of our sites"},
};
constexpr auto not_on_roll_code = "not_on_roll";

std::string path_of(const Notice& notice) { return web::path_of(notice.value->reference); }

std::string when_of(const SchoolNoticeValue& notice, Instant now) {
    if (notice.occurred_us == 0) return web::words::did_not_say;
    return web::capital(web::near(from_us(notice.occurred_us), now));
}

std::string there(const SchoolNoticeValue& notice) {
    return notice.child_present ? "Yes" : "Police did not say that the child was there";
}

std::string heading_of(const SchoolNoticeValue& notice, Instant now) {
    const std::string years = web::age(notice.child_date_of_birth, now);
    return name_of(notice) + (years.empty() ? "" : ", " + years);
}

std::vector<View> facts_of(const SchoolNoticeValue& notice, Instant now) {
    std::vector<View> facts{fact("Child", name_of(notice))};
    const auto add = [&](const std::string& key, const std::string& value) {
        if (!value.empty()) facts.push_back(fact(key, value));
    };
    if (!notice.child_date_of_birth.empty()) add("Born", desk::date_in_words(notice.child_date_of_birth));
    add("Pupil number", desk::printable(notice.upn));
    add("School", school_in_words(notice));
    add("Police reference", said(notice.incident_reference));
    add("When", when_of(notice, now));
    if (has_detail(notice)) {
        add("Was the child there", there(notice));
        add("What the child said", said(notice.voice_of_child));
        add("What happened",
            desk::printable(notice.circumstances));  // not of every agreement's school notice
    }
    for (const auto& rule : further_handling(notice)) add("Handling", desk::printable(rule));
    add("Ask police", police_in_words(notice));
    return facts;
}

/// What is not the same in the newer version.
std::vector<View> was_and_is(const SchoolNoticeValue& was, const SchoolNoticeValue& is, Instant now) {
    std::vector<View> rows;
    const auto compare = [&](const std::string& what, const std::string& before, const std::string& after) {
        if (before != after) rows.push_back(change(what, before, after));
    };
    compare("When", when_of(was, now), when_of(is, now));
    compare("Was the child there", there(was), there(is));
    compare("What the child said", said(was.voice_of_child), said(is.voice_of_child));
    compare("What happened", said(was.circumstances), said(is.circumstances));
    if (rows.empty()) rows.push_back(change("Details", "As below", "As below"));
    return rows;
}

std::string success_in_words(const std::string& code) {
    if (code == "recorded") return "Recorded. This notice is closed.";
    if (code == "taken") return "You have taken this notice.";
    if (code == "changed") return "Changed. What was recorded before stays in the log.";
    if (code == "given_back")
        return "Recorded: not on your roll. Flagpost now tells the school that has the child, or the "
               "authority's "
               "education officer, and police where there is neither. Nothing more is sent to you about this "
               "child and incident.";
    return {};
}

/// "" for any other entry of the journal.
std::string dispute_in_words(const web::Entry& entry, const std::string& by) {
    if (entry.what != "disputed") return {};
    return "Said by " + by + " not to be on roll: " + desk::in_words(reasons_why_not, entry.detail);
}

}  // namespace

Response Pages::notice(const Visit& visit, bool printing) {
    if (auto recall = find_recall(visit.person, visit.part("ref"))) {
        const auto own = desk::recall_of(*recall).reference;
        if (visit.part("ref") != own || printing) return web::redirect(web::path_of(own));
        return show_recall(visit, std::move(*recall), {});
    }
    auto found = find(visit.person, visit.part("ref"));
    if (!found) return site_.not_found(visit);
    work_.note(visit, found->value->reference, printing ? "printed" : "consulted");
    if (is_intended(visit.person, agency_, *found) &&
        !work_.open(visit, found->value->reference, found->item))
        return site_.problem(&visit);
    return show(visit, *found, printing, {});
}

Response Pages::show(const Visit& visit, const Notice& notice, bool printing, const std::string& error) {
    const auto& item = notice.item;
    const auto& value = *notice.value;
    const bool recorded = item.recorded.has_value(), opened = item.opened.has_value();
    const bool intended = is_intended(visit.person, agency_, notice);
    const bool form = !recorded && !printing && intended;
    const auto earlier = before(notice);
    const Visit told = printing ? web::on_paper(visit) : visit;
    const auto standing = work_.standing(visit, item, to_hex(value.notice), outcome_codes);
    web::Due deadline{"", "Read this as soon as you can", "fp-due", false};
    std::string read_by = "as soon as you can";
    if (value.read_by_us != 0) {
        deadline = web::due_of(from_us(value.read_by_us), visit.now);
        read_by = web::near(from_us(value.read_by_us), told.now);
    }
    if (opened) deadline = {"", "Read " + web::near(*item.opened, told.now), "fp-due", false};
    const std::string& force_desk =
        site_.settings().force_desk;  // "Norham police, 01632 960101, at any hour"
    const std::map<std::string, std::string> as_if{
        {"contact_police", "We will contact " + force_desk.substr(0, force_desk.find(','))}
    };
    Page page{"notice", (error.empty() ? "" : "Error: ") + ("Police notice " + value.reference)};
    page.view.text("reference", value.reference)
        .text("heading", heading_of(value, visit.now))
        .text("warning", web::words::school_warning)
        .text("warning_rest", web::words::school_warning_rest)
        .text("keep", web::words::school_inset)
        .flag("corrected", earlier.has_value())
        .text("corrected_words", web::words::corrected(web::moment(item.received, told.now)))
        .text("corrected_tell", web::words::corrected_tell)
        .list("changes", earlier ? was_and_is(*earlier->value, value, told.now) : std::vector<View>{})
        .list("facts", facts_of(value, told.now))
        .text("nobody_else", web::words::nobody_else)
        .text("read_by", read_by)
        .text("read_left", deadline.left)
        .text("due_style", deadline.style)
        .text("next_style", deadline.late ? "fp-next fp-next--late" : "fp-next")
        .flag("form", form)
        .flag("can_pass", !recorded && !printing)
        .text("path", path_of(notice))
        .text("form_token", form ? site_.token(visit.session) : "")
        .text("once", form ? site_.once() : "")
        .text("take_once", form ? site_.once() : "")
        .text("record_hint", web::words::record_hint)
        .maybe("error", error)
        .list("choices", form ? work_.outcomes(visit, outcome_codes, as_if) : std::vector<View>{})
        .flag("can_take", form && notice.holder != visit.person.name)
        .maybe("recorded_words", standing.recorded)
        .flag("can_change", recorded && !printing && intended)
        .maybe("waiting_words", standing.waiting)
        .list("timeline", work_.timeline(told, value.reference, item, outcome_codes, dispute_in_words))
        .maybe("opened_words", opened && item.opened_by == visit.person.called && !recorded
                                   ? web::words::opened(web::moment(*item.opened, told.now))
                                   : "")
        .maybe("outsider_words", !intended && !recorded ? web::words::opened_by_lead : "")
        .flag("printing", printing);
    page.status = error.empty() ? 200 : 422;
    page.section = recorded ? "/done" : "/inbox";
    page.back_href = page.section;
    page.back_text = recorded ? "Done" : "Inbox";
    page.success = success_in_words(visit.request.parameter("done"));
    page.reference = value.reference;
    return site_.page(visit, page);
}

Response Pages::show_recall(const Visit& visit, client::Incoming recall, const std::string& error) {
    const bool acts = may_act_on_recall(visit.person, recall);
    return work_.show_recall(visit, std::move(recall), error, {}, acts);
}

Response Pages::record(const Visit& visit) {
    if (const auto recall = find_recall(visit.person, visit.part("ref"))) {
        if (!may_act_on_recall(visit.person, *recall)) return site_.not_found(visit);
        return work_.record_recall(visit, *recall);
    }
    const auto found = find(visit.person, visit.part("ref"));
    if (!found || !is_intended(visit.person, agency_, *found)) return site_.not_found(visit);
    const std::string outcome = visit.request.field("outcome");
    if (!found->item.recorded) {
        if (std::ranges::find(outcome_codes, outcome, &desk::CodeWords::code) == std::end(outcome_codes))
            return show(visit, *found, false, "Choose what the school will do");
        if (outcome == not_on_roll_code) return web::redirect(path_of(*found) + "/not-on-roll");
    }
    return work_.record(visit, found->value->reference, outcome);
}

Response Pages::change(const Visit& visit, bool posted) {
    const auto found = find(visit.person, visit.part("ref"));
    if (!found || !found->item.recorded || !is_intended(visit.person, agency_, *found))
        return site_.not_found(visit);
    return posted ? work_.change(visit, found->value->reference, found->item, outcome_codes)
                  : work_.ask_change(visit, found->value->reference, found->item, outcome_codes, {});
}

std::optional<Notice> Pages::open_to(const Visit& visit) {
    auto found = find(visit.person, visit.part("ref"));
    if (!found || found->item.recorded || !is_intended(visit.person, agency_, *found)) return std::nullopt;
    return found;
}

Response Pages::take(const Visit& visit) {
    auto found = open_to(visit);
    if (!found) return site_.not_found(visit);
    work_.note(visit, found->value->reference, "taken");
    if (!work_.open(visit, found->value->reference, found->item)) return site_.problem(&visit);
    return web::redirect(path_of(*found) + "?done=taken");
}

std::vector<web::Person> Pages::colleagues(const web::Person& person, const Notice& notice) {
    Notice of_the_school = notice;
    of_the_school.holder.clear();  // whoever has it now may be passed over
    auto all = people_.all();
    std::erase_if(all, [&](const web::Person& other) {
        return other.name == person.name || !is_intended(other, agency_, of_the_school);
    });
    return all;
}

Response Pages::ask_colleague(const Visit& visit, const std::string& error) {
    const auto found = find(visit.person, visit.part("ref"));
    if (!found || found->item.recorded) return site_.not_found(visit);
    std::vector<View> people;
    for (const auto& person : colleagues(visit.person, *found))
        people.push_back(web::choice(person.name, person.called + ", " + site_.role_in_words(person.role),
                                     people.size(), person.name == visit.request.field("choice")));
    return work_.ask(visit, found->value->reference,
                     {error, "Pass " + found->value->reference + " on", "Who will act on this notice?",
                      "It goes to your colleague's inbox and stays open until they record what the school "
                      "will do. The time "
                      "to read it by does not change. Police are not told.",
                      "/pass", "Pass on", "There is no colleague of this school who can sign in.", people});
}

Response Pages::pass(const Visit& visit) {
    const auto found = find(visit.person, visit.part("ref"));
    if (!found || found->item.recorded) return site_.not_found(visit);
    const auto all = colleagues(visit.person, *found);
    const auto to = std::ranges::find(all, visit.request.field("choice"), &web::Person::name);
    if (to == all.end()) return ask_colleague(visit, "Choose a colleague");
    work_.note(visit, found->value->reference, "passed", to->name);
    return web::redirect("/inbox?done=passed");
}

Response Pages::ask_why_not(const Visit& visit, const std::string& error) {
    const auto found = open_to(visit);
    if (!found) return site_.not_found(visit);
    std::vector<View> choices;
    for (const auto& [code, words] : reasons_why_not)
        choices.push_back(web::choice(std::string{code}, std::string{words}, choices.size(),
                                      code == visit.request.field("choice")));
    return work_.ask(
        visit, found->value->reference,
        {error, "Not on roll: " + found->value->reference, "Why is this not your pupil?",
         "This closes the notice here. Flagpost then tells the school that has the child, or the authority's "
         "education officer. Police see that the child is not on your roll; why stays with you. If you know "
         "where "
         "the child is, tell police: " +
             police_in_words(*found->value) + ".",
         "/not-on-roll", "Record and send it back", "", choices});
}

Response Pages::not_on_roll(const Visit& visit) {
    const auto found = open_to(visit);
    if (!found) return site_.not_found(visit);
    const std::string reason = visit.request.field("choice");
    if (std::ranges::find(reasons_why_not, reason, &desk::CodeWords::code) == std::end(reasons_why_not))
        return ask_why_not(visit, "Choose a reason");
    work_.note(visit, found->value->reference, "disputed", reason);
    return work_.record(visit, found->value->reference, not_on_roll_code, "given_back");
}

}  // namespace flagpost::school
