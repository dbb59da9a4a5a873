/// One notice on one screen, and what a person may do about it.
#include <algorithm>

#include "adapters/desk/kept_from.h"
#include "adapters/desk/recall.h"
#include "adapters/desk/words.h"
#include "adapters/social_care/notice_text.h"
#include "adapters/social_care/pages.h"
#include "adapters/web/words.h"

namespace flagpost::social_care {
namespace {

using schemas::SocialCareNoticeValue;
using web::change;
using web::fact;
using web::Page;
using web::Response;
using web::said;
using web::sentence;
using web::View;
using web::Visit;

constexpr desk::CodeWords reasons_why_not[] = {
    {"other_name",    "Another child with a like name"},
    {"other_birth",   "Another date of birth"         },
    {"other_address", "Another family at the address" },
    {"not_known",     "We do not know this child"     },
};

std::string heading_of(const SocialCareNoticeValue& notice, Instant now) {
    std::string words = child_in_words(notice);
    const auto born = words.find(" (born ");
    const std::string years = notice.child ? web::age(notice.child->date_of_birth, now) : "";
    if (born != std::string::npos && !years.empty()) words.insert(born, ", " + years);
    return words;
}

std::vector<View> facts_of(const SocialCareNoticeValue& notice, Instant now) {
    const std::string when = notice.occurred_us == 0
                                 ? web::words::did_not_say
                                 : web::capital(web::near(from_us(notice.occurred_us), now));
    std::vector<View> facts{
        fact("What happened", said(notice.circumstances.empty() ? notice.category : notice.circumstances)),
        fact("When and where", when + (notice.place.empty() ? "" : ". " + desk::printable(notice.place))),
        fact("Children", children_in_words(notice)),
        fact("What the child said", said(notice.voice_of_child)),
        fact("Adults", said(adults_in_words(notice))),
    };
    if (!notice.circumstances.empty() && !notice.category.empty())
        facts.insert(facts.begin() + 1, fact("Kind", desk::printable(notice.category)));
    return facts;
}

std::vector<View> opinions_of(const SocialCareNoticeValue& notice) {
    std::vector<View> opinions;
    if (notice.risk) opinions.push_back(fact("Risk grade", desk::printable(risk_in_words(notice))));
    if (!notice.assessment.empty())
        opinions.push_back(fact("Assessment", desk::printable(notice.assessment)));
    return opinions;
}

std::vector<View> why(const SocialCareNoticeValue& notice, const PageSettings& settings) {
    std::string match = hit_in_words(notice.hit);
    for (const auto& reason : notice.reasons) match += " " + sentence(reason);
    std::string flag =
        std::string{flag_in_words(notice.flag_kind)} + " since " + desk::date_in_words(notice.flag_start);
    if (!notice.flag_end.empty())
        flag += ". " + web::words::historic(desk::date_in_words(notice.flag_end),
                                            std::to_string(settings.historic_months));
    else
        flag += ".";
    std::vector<View> why{fact("What agrees", match),
                          fact("Your flag", flag + " Your reference " + desk::printable(notice.la_child_id)),
                          fact("Sent to", said(worker_in_words(notice)))};
    if (notice.feed_age_hours > settings.flag_list_hours_max)
        why.push_back(fact("Flag list", web::words::old_list(std::to_string(notice.feed_age_hours),
                                                             std::to_string(settings.flag_list_hours_max))));
    why.push_back(
        fact("Ask police", (notice.police_contact.empty() ? "force " + desk::printable(notice.force)
                                                          : desk::printable(notice.police_contact)) +
                               ", quote " + desk::printable(notice.incident_reference)));
    return why;
}

/// What is not the same in the newer version.
std::vector<View> was_and_is(const SocialCareNoticeValue& was, const SocialCareNoticeValue& is) {
    std::vector<View> rows;
    const auto compare = [&](const std::string& what, const std::string& before, const std::string& after) {
        if (before != after) rows.push_back(change(what, before, after));
    };
    compare("What happened", said(was.circumstances), said(is.circumstances));
    compare("Kind", said(was.category), said(is.category));
    compare("When", desk::in_words(from_us(was.occurred_us)), desk::in_words(from_us(is.occurred_us)));
    compare("Where", said(was.place), said(is.place));
    compare("Children", children_in_words(was), children_in_words(is));
    compare("What the child said", said(was.voice_of_child), said(is.voice_of_child));
    compare("Adults", said(adults_in_words(was)), said(adults_in_words(is)));
    if (rows.empty()) rows.push_back(change("Details", "As below", "As below"));
    return rows;
}

std::string success_in_words(const std::string& code) {
    if (code == "recorded") return "Recorded. This notice is closed.";
    if (code == "changed") return "Changed. What was recorded before stays in the log.";
    if (code == "taken") return "You have taken this notice.";
    if (code == "passed") return "Passed on. It is in your colleague's inbox now.";
    if (code == "asked") return "Your question is kept and goes to police. Their answer comes back here.";
    if (code == "disputed") return "Noted. The notice stays open until you record what you did.";
    return {};
}

/// "" for any other entry of the journal.
std::string dispute_in_words(const web::Entry& entry, const std::string& by) {
    if (entry.what == "asked") return "Police asked by " + by;
    if (entry.what != "disputed") return {};
    return "Said by " + by + " not to be this child: " + desk::in_words(reasons_why_not, entry.detail);
}

std::string path_of(const Notice& notice) { return web::path_of(notice.value->reference); }

}  // namespace

std::optional<Notice> Pages::before(const Notice& notice) {
    if (notice.value->incident_version < 2) return std::nullopt;
    std::optional<Notice> found;
    for (auto& item : reader_.read([&](const client::Box& box) {
             return box.holding(schemas::Kind::social_care_notice, notice.value->incident_reference);
         })) {
        if (work_.recall_of(item)) continue;
        Notice other = notice_from(std::move(item), {});
        const bool same_thing = other.value->incident_reference == notice.value->incident_reference &&
                                other.value->force == notice.value->force &&
                                other.value->la_child_id == notice.value->la_child_id;
        if (same_thing && other.value->incident_version < notice.value->incident_version &&
            (!found || other.value->incident_version > found->value->incident_version))
            found = std::move(other);
    }
    return found;
}

bool Pages::mark_opened(const Visit& visit, Notice& notice) {
    return !is_intended(visit.person, notice) || work_.open(visit, notice.value->reference, notice.item);
}

Response Pages::notice(const Visit& visit, bool printing) {
    if (auto recall = find_recall(visit.person, visit.part("ref"))) {
        const auto own = desk::recall_of(*recall).reference;
        if (visit.part("ref") != own || printing) return web::redirect(web::path_of(own));
        return show_recall(visit, std::move(*recall), {});
    }
    auto found = find(visit.person, visit.part("ref"));
    if (!found) return site_.not_found(visit);
    work_.note(visit, found->value->reference, printing ? "printed" : "consulted");
    if (!mark_opened(visit, *found)) return site_.problem(&visit);
    if (is_intended(visit.person, *found) && !open_answers(visit, found->item)) return site_.problem(&visit);
    return show(visit, *found, printing, {});
}

Response Pages::show(const Visit& visit, const Notice& notice, bool printing, const std::string& error) {
    const auto& [item, shared, holder, kept_from] = notice;
    const auto& value = *shared;
    const bool timed = value.act_by_us != 0, recorded = item.recorded.has_value();
    const web::Due deadline = timed ? web::due_of(from_us(value.act_by_us), visit.now)
                                    : web::Due{"No time set", "", "fp-due", false};
    const auto earlier = before(notice);
    const Visit told = printing ? web::on_paper(visit) : visit;
    const bool mine = item.opened && item.opened_by == visit.person.called;
    const bool allocated = value.worker && value.worker->name == visit.person.called;
    const bool outsider = !is_intended(visit.person, notice);
    const auto standing = work_.standing(visit, item, to_hex(value.notice), outcome_codes);
    std::map<std::string, std::string> as_if;
    if (work_.disputed(value.reference)) as_if["not_this_child"] = "This is not the child, and police know";
    std::string differs;
    for (const auto& reason : value.reasons)
        if (reason.find("differ") != std::string::npos) differs += sentence(reason) + " ";
    const bool form = !recorded && !printing;
    Page page{"notice", (error.empty() ? "" : "Error: ") + ("Police notice " + value.reference)};
    page.view.text("reference", value.reference)
        .text("heading", heading_of(value, visit.now))
        .flag("possible", value.outcome == schemas::Outcome::potential)
        .text("possible_words", web::words::possible)
        .text("differs", differs)
        .text("possible_check", web::words::possible_check)
        .flag("historic", !value.flag_end.empty())
        .text("information", web::words::information)
        .text("no_replacement", web::words::no_replacement)
        .text("referral", desk::printable(referral_in_words(value)))
        .flag("corrected", earlier.has_value())
        .text("corrected_words", web::words::corrected(web::moment(item.received, told.now)))
        .text("corrected_tell", web::words::corrected_tell)
        .list("changes", earlier ? was_and_is(*earlier->value, value) : std::vector<View>{})
        .list("facts", facts_of(value, told.now))
        .flag("has_opinions", !opinions_of(value).empty())
        .list("opinions", opinions_of(value))
        .list("why", why(value, settings_))
        .text("act_by", timed ? web::near(from_us(value.act_by_us), told.now) : "no time that was set")
        .text("act_left", recorded ? "" : deadline.left)
        .text("due_style", recorded ? "fp-due" : deadline.style)
        .text("next_style", deadline.late && !recorded ? "fp-next fp-next--late" : "fp-next")
        .flag("form", form)
        .text("path", path_of(notice))
        .text("form_token", form ? site_.token(visit.session) : "")
        .text("once", form ? site_.once() : "")
        .text("take_once", form ? site_.once() : "")
        .text("record_hint", web::words::record_hint)
        .maybe("error", error)
        .list("choices", form ? work_.outcomes(visit, outcome_codes, as_if) : std::vector<View>{})
        .flag("can_take", form && holder != visit.person.name && !(holder.empty() && allocated))
        .maybe("recorded_words", standing.recorded)
        .flag("can_change", recorded && !printing && !outsider)
        .maybe("waiting_words", standing.waiting)
        .list("timeline", work_.timeline(told, value.reference, item, outcome_codes, dispute_in_words))
        .maybe("opened_words",
               mine && !recorded ? web::words::opened(web::moment(*item.opened, told.now)) : "")
        .maybe("outsider_words", outsider && !recorded ? web::words::opened_by_manager : "")
        .flag("printing", printing);
    const auto asked = questions(told, item, std::nullopt);
    page.view.flag("has_questions", !asked.empty()).list("questions", asked);
    page.status = error.empty() ? 200 : 422;
    page.section = recorded ? "/done" : "/inbox";
    page.back_href = recorded ? "/done" : "/inbox";
    page.back_text = recorded ? "Done" : "Inbox";
    page.success = success_in_words(visit.request.parameter("done"));
    page.reference = value.reference;
    return site_.page(visit, page);
}

// What police have answered since stands below it.
Response Pages::show_recall(const Visit& visit, client::Incoming recall, const std::string& error) {
    const auto reference = desk::recall_of(recall).recalled_reference;
    auto item = reader_.read([&](const client::Box& box) { return box.find(reference); });
    std::vector<View> answers;
    if (item && item->kind == schemas::Kind::social_care_notice) {
        const Notice notice = notice_from(std::move(*item), web::beside(reader_, journal_));
        if (is_intended(visit.person, notice) && !open_answers(visit, notice.item))
            return site_.problem(&visit);
        answers = questions(visit, notice.item, recall.received);
    }
    return work_.show_recall(visit, std::move(recall), error, answers);
}

Response Pages::record(const Visit& visit) {
    if (const auto recall = find_recall(visit.person, visit.part("ref"))) {
        if (!recall->recorded && !work_.is_recall_outcome(visit.request.field("outcome")))
            return show_recall(visit, *recall, "Choose what you did");
        return work_.record_recall(visit, *recall);
    }
    auto found = find(visit.person, visit.part("ref"));
    if (!found) return site_.not_found(visit);
    const std::string outcome = visit.request.field("outcome");
    const bool known =
        std::ranges::any_of(outcome_codes, [&](const auto& each) { return each.code == outcome; });
    if (!known && !found->item.recorded) return show(visit, *found, false, "Choose what you did");
    if (!found->item.recorded && outcome == "passed") return web::redirect(path_of(*found) + "/pass");
    if (!found->item.recorded && outcome == "not_this_child" && !work_.disputed(found->value->reference))
        return web::redirect(path_of(*found) + "/not-this-child");
    return work_.record(visit, found->value->reference, outcome);
}

Response Pages::change(const Visit& visit, bool posted) {
    const auto found = find(visit.person, visit.part("ref"));
    if (!found || !found->item.recorded || !is_intended(visit.person, *found)) return site_.not_found(visit);
    return posted ? work_.change(visit, found->value->reference, found->item, outcome_codes)
                  : work_.ask_change(visit, found->value->reference, found->item, outcome_codes, {});
}

Response Pages::take(const Visit& visit) {
    auto found = find(visit.person, visit.part("ref"));
    if (!found) return site_.not_found(visit);
    work_.note(visit, found->value->reference, "taken");
    found->holder = visit.person.name;
    if (!mark_opened(visit, *found)) return site_.problem(&visit);
    return web::redirect(path_of(*found) + "?done=taken");
}

std::vector<web::Person> Pages::colleagues(const web::Person& person, const Notice& notice) {
    auto all = people_.all();
    std::erase_if(all, [&](const web::Person& other) {
        const bool shares =
            other.teams.contains(notice.value->team) ||
            std::ranges::any_of(other.teams, [&](const auto& team) { return person.teams.contains(team); });
        const bool anybody = person.role != "worker" || other.role == "duty";
        return other.name == person.name || (other.role != "worker" && other.role != "duty") ||
               !(shares || anybody) || desk::is_kept_from(notice.kept_from, other.called, other.name);
    });
    return all;
}

Response Pages::ask_colleague(const Visit& visit, const std::string& error) {
    const auto found = find(visit.person, visit.part("ref"));
    if (!found || found->item.recorded) return site_.not_found(visit);
    std::vector<View> people;
    for (const auto& person : colleagues(visit.person, *found))
        people.push_back(web::choice(person.name, person.called + ", " + person.role, people.size(),
                                     person.name == visit.request.field("choice")));
    return work_.ask(
        visit, found->value->reference,
        {error, "Pass " + found->value->reference + " on", "Who will act on this notice?",
         "It goes to your colleague's inbox and stays open until they record what they did. The act-by "
         "time does not change. Police are not told.",
         "/pass", "Pass on", "There is no colleague of the team who can sign in.", people});
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
    const auto found = find(visit.person, visit.part("ref"));
    if (!found || found->item.recorded) return site_.not_found(visit);
    std::vector<View> choices;
    for (const auto& reason : reasons_why_not)
        choices.push_back(web::choice(std::string{reason.code}, std::string{reason.words}, choices.size(),
                                      reason.code == visit.request.field("choice")));
    const auto police = found->value->police_contact.empty() ? "force " + desk::printable(found->value->force)
                                                             : desk::printable(found->value->police_contact);
    return work_.ask(
        visit, found->value->reference,
        {error, "Not this child: " + found->value->reference, "Why is this not the child?",
         "This is noted here and the notice stays open. Tell police: " + police + ", quote " +
             desk::printable(found->value->incident_reference) + ". Then record that it is not this child.",
         "/not-this-child", "Continue", "", choices});
}

Response Pages::dispute(const Visit& visit) {
    const auto found = find(visit.person, visit.part("ref"));
    if (!found || found->item.recorded) return site_.not_found(visit);
    const std::string reason = visit.request.field("choice");
    if (std::ranges::find(reasons_why_not, reason, &desk::CodeWords::code) == std::end(reasons_why_not))
        return ask_why_not(visit, "Choose a reason");
    work_.note(visit, found->value->reference, "disputed", reason);
    return web::redirect(path_of(*found) + "?done=disputed");
}

}  // namespace flagpost::social_care
