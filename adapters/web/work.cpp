#include "adapters/web/work.h"

#include <algorithm>

#include "adapters/desk/recall.h"
#include "adapters/web/words.h"

namespace flagpost::web {

namespace {
constexpr std::size_t recalls_open_max = 10'000;  // more would be no recalls
}

std::string path_of(const std::string& reference) { return "/notices/" + reference; }

std::string Work::called(const std::string& name) {
    const auto person = people_.find(name);
    return person ? person->called : name;
}

std::string Work::who(const Visit& visit, const std::string& called_by) {
    return called_by == visit.person.called ? "you" : desk::printable(called_by);
}

void Work::note(const Visit& visit, const std::string& reference, const std::string& what,
                const std::string& detail) {
    const std::string once = visit.request.field("once");
    journal_.note({reference, what, visit.person.name, visit.person.called, detail, visit.now},
                  once.empty() ? std::nullopt : std::optional{visit.person.name + " " + once.substr(0, 64)});
}

bool Work::open(const Visit& visit, const std::string& reference, client::Incoming& item) {
    if (item.opened || item.recorded) return true;
    auto done = handover_.ask({reference, schemas::Level::opened, visit.person.called, {}});
    if (!done || !done->now) return false;
    item = std::move(*done->now);
    return true;
}

Response Work::record(const Visit& visit, const std::string& reference, const std::string& outcome,
                      const std::string& said) {
    const auto done = handover_.ask({reference, schemas::Level::recorded, visit.person.called, outcome});
    if (!done || !done->now || !done->now->recorded) return site_.problem(&visit);
    const auto& now = *done->now;
    const bool own_repeat = now.recorded_by == visit.person.called && now.outcome == outcome;
    if (!done->fresh && !own_repeat)
        return site_.message(visit, 409, "Already recorded",
                             capital(who(visit, now.recorded_by)) + " recorded this " +
                                 moment(*now.recorded, visit.now) + ". Your choice was not recorded.");
    return redirect(path_of(reference) + "?done=" + said);
}

Response Work::ask_change(const Visit& visit, const std::string& reference, const client::Incoming& item,
                          std::span<const desk::CodeWords> codes, const std::string& error) {
    std::vector<View> choices;
    for (const auto& [code, words] : codes)
        if (code != item.outcome && code != "passed")  // that it was passed on is no news once it is closed
            choices.push_back(choice(std::string{code}, std::string{words}, choices.size(),
                                     code == visit.request.field("choice")));
    return ask(
        visit, reference,
        {error, "Change what was recorded: " + reference, "What was done after all?",
         "Recorded now: " + desk::in_words(codes, item.outcome) + ", by " + who(visit, item.recorded_by) +
             ". Police see the new choice and when it was made. What was recorded before stays in the log.",
         "/change", "Record the change", "", choices});
}

Response Work::change(const Visit& visit, const std::string& reference, const client::Incoming& item,
                      std::span<const desk::CodeWords> codes) {
    const std::string outcome = visit.request.field("choice");
    const bool known = std::ranges::any_of(
        codes, [&](const auto& each) { return each.code == outcome && outcome != "passed"; });
    if (!known) return ask_change(visit, reference, item, codes, "Choose what was done");
    Deed deed{reference, schemas::Level::recorded, visit.person.called, outcome};
    deed.changes = true;
    const auto done = handover_.ask(std::move(deed));
    if (!done || !done->now || done->now->outcome != outcome) return site_.problem(&visit);
    if (done->fresh) note(visit, reference, "changed", item.outcome);
    return redirect(path_of(reference) + "?done=changed");
}

bool Work::disputed(const std::string& reference) const {
    return std::ranges::any_of(journal_.story_of(reference),
                               [](const Entry& each) { return each.what == "disputed"; });
}

std::vector<View> Work::outcomes(const Visit& visit, std::span<const desk::CodeWords> codes,
                                 const std::map<std::string, std::string>& as_if) {
    const std::string chosen = visit.request.field("outcome");
    std::vector<View> all;
    for (const auto& [code, words] : codes) {
        const auto other = as_if.find(std::string{code});
        all.push_back(
            View{}
                .text("code", std::string{code})
                .text("choice", other == as_if.end() ? std::string{words} : other->second)
                .flag("chosen", code == chosen)
                .text("choice_id", all.empty() ? "outcome" : "outcome-" + std::to_string(all.size() + 1)));
    }
    return all;
}

std::vector<View> Work::timeline(const Visit& visit, const std::string& reference,
                                 const client::Incoming& item, std::span<const desk::CodeWords> codes,
                                 const Telling& more) {
    std::vector<std::pair<Instant, std::string>> events;
    for (const auto at : reader_.read([&](const client::Box& box) { return box.deliveries_of(reference); }))
        events.emplace_back(at, events.empty() ? "Received here" : "Sent again: nobody had answered");
    if (item.opened) events.emplace_back(*item.opened, "Opened by " + who(visit, item.opened_by));
    if (item.recorded)
        events.emplace_back(*item.recorded, "Recorded by " + who(visit, item.recorded_by) + ": " +
                                                desk::in_words(codes, item.outcome));
    for (const auto& entry : journal_.story_of(reference)) {
        const std::string by = who(visit, entry.called);
        std::string words = more(entry, by);
        if (entry.what == "taken") words = "Taken by " + by;
        if (entry.what == "changed")
            words = "Changed by " + by + ". Before: " + desk::in_words(codes, entry.detail);
        if (entry.what == "passed") words = "Passed by " + by + " to " + who(visit, called(entry.detail));
        if (!words.empty()) events.emplace_back(entry.at, std::move(words));
    }
    std::ranges::stable_sort(events, std::greater{}, &std::pair<Instant, std::string>::first);
    std::vector<View> views;
    views.reserve(events.size());
    for (const auto& [at, words] : events)
        views.push_back(View{}
                            .text("event", words)
                            .text("event_time", near(at, visit.now))
                            .text("event_machine_time", machine_time(at)));
    return views;
}

Work::Standing Work::standing(const Visit& visit, const client::Incoming& item, const std::string& notice_hex,
                              std::span<const desk::CodeWords> codes) {
    if (!item.recorded) return {};
    const auto sent = reader_.read([&](const client::Box& box) { return box.last_about(notice_hex); });
    const bool waits = sent && sent->state == client::OutgoingState::waiting;
    const bool refused = sent && sent->state == client::OutgoingState::refused;
    Standing standing;
    standing.recorded = "Recorded by " + who(visit, item.recorded_by) + " " +
                        moment(*item.recorded, visit.now) + ": " + desk::in_words(codes, item.outcome) + ".";
    if (!waits && !refused) standing.recorded += " Received by Flagpost.";
    if (waits) standing.waiting = words::not_yet_received(moment(*item.recorded, visit.now));
    if (refused) standing.waiting = words::not_accepted(site_.settings().force_desk);
    return standing;
}

Response Work::ask(const Visit& visit, const std::string& reference, const Asked& asked) {
    Page page{"choose", (asked.error.empty() ? "" : "Error: ") + asked.title};
    page.view.text("heading", asked.heading)
        .text("caption", "Police notice " + reference)
        .text("hint", asked.hint)
        .text("action", path_of(reference) + asked.action)
        .text("button", asked.button)
        .maybe("error", asked.error)
        .flag("nobody", asked.choices.empty())
        .text("nobody_words", asked.nobody)
        .list("choices", asked.choices)
        .text("form_token", site_.token(visit.session))
        .text("once", site_.once());
    page.status = asked.error.empty() ? 200 : 422;
    page.section = "/inbox";
    page.back_href = path_of(reference);
    page.back_text = "Police notice " + reference;
    return site_.page(visit, page);
}

std::optional<client::Incoming> Work::recall_of(const client::Incoming& item) {
    return reader_.read([&](const client::Box& box) -> std::optional<client::Incoming> {
        const auto reference = box.recalled_by(item);
        return reference ? box.find(*reference) : std::nullopt;
    });
}

std::vector<client::Incoming> Work::open_recalls() {
    return reader_.read(
        [](const client::Box& box) { return box.unrecorded(schemas::Kind::recall, recalls_open_max); });
}

InboxRow Work::recall_row(const Visit& visit, const client::Incoming& recall) {
    const auto value = desk::recall_of(recall);
    const auto due = due_of(from_us(value.act_by_us), visit.now);
    return {due.late ? Group::overdue : Group::changed,
            "Notice recalled",
            value.reference,
            {},
            due,
            capital(desk::reason_in_words(value.reason)),
            value.recalled_reference,
            {},
            tag("Recalled", "orange")};
}

bool Work::is_recall_outcome(const std::string& code) {
    return std::ranges::any_of(desk::recall_codes, [&](const auto& each) { return each.code == code; });
}

Response Work::show_recall(const Visit& visit, client::Incoming recall, const std::string& error,
                           const std::vector<View>& questions, bool acts) {
    const auto value = desk::recall_of(recall);
    note(visit, value.reference, "consulted");
    if (acts && !open(visit, value.reference, recall)) return site_.problem(&visit);
    const auto due = due_of(from_us(value.act_by_us), visit.now);
    const auto standing = this->standing(visit, recall, to_hex(value.notice), desk::recall_codes);
    const bool closed = recall.recorded.has_value(), form = acts && !closed;
    Page page{"recall", (error.empty() ? "" : "Error: ") + ("Police notice " + value.reference)};
    page.view.text("reference", value.reference)
        .text("recalled_reference", value.recalled_reference)
        .text("recalled_words", words::recalled(moment(from_us(value.recalled_at_us), visit.now)))
        .text("recalled_rest", words::recalled_rest(desk::reason_in_words(value.reason)))
        .text("police", (value.police_contact.empty() ? "force " + desk::printable(value.force)
                                                      : desk::printable(value.police_contact)) +
                            ", quote " + desk::printable(value.incident_reference))
        .text("act_by", near(from_us(value.act_by_us), visit.now))
        .text("act_left", closed ? "" : due.left)
        .text("due_style", closed ? "fp-due" : due.style)
        .text("next_style", due.late && !closed ? "fp-next fp-next--late" : "fp-next")
        .flag("form", form)
        .flag("has_questions", !questions.empty())
        .list("questions", questions)
        .text("path", path_of(value.reference))
        .text("form_token", form ? site_.token(visit.session) : "")
        .text("once", form ? site_.once() : "")
        .maybe("error", error)
        .list("choices", form ? outcomes(visit, desk::recall_codes, {}) : std::vector<View>{})
        .maybe("recorded_words", standing.recorded)
        .maybe("waiting_words", standing.waiting)
        .list("timeline", timeline(visit, value.reference, recall, desk::recall_codes,
                                   [](const Entry&, const std::string&) { return std::string{}; }));
    page.status = error.empty() ? 200 : 422;
    page.section = closed ? "/done" : "/inbox";
    page.back_href = page.section;
    page.back_text = closed ? "Done" : "Inbox";
    if (visit.request.parameter("done") == "recorded") page.success = "Recorded. This recall is closed.";
    page.reference = value.reference;
    return site_.page(visit, page);
}

Response Work::record_recall(const Visit& visit, const client::Incoming& recall) {
    const std::string outcome = visit.request.field("outcome");
    if (!is_recall_outcome(outcome) && !recall.recorded)
        return show_recall(visit, recall, "Choose what you did");
    return record(visit, desk::recall_of(recall).reference, outcome);
}

View Work::done_row(const Visit& visit, const std::string& reference, const std::string& place,
                    const client::Incoming& item, std::span<const desk::CodeWords> codes) {
    return View{}
        .text("reference", reference)
        .maybe("place", place)
        .text("recorded", capital(near(*item.recorded, visit.now)))
        .text("recorded_by", capital(who(visit, item.recorded_by)))
        .text("outcome", desk::in_words(codes, item.outcome));
}

Page Work::done_page(const std::vector<View>& rows) {
    Page page{"done", "Done"};
    page.view.flag("empty", rows.empty())
        .text("caption", "Recorded in the last 90 days (" + std::to_string(rows.size()) + ")")
        .list("rows", rows);
    page.section = "/done";
    page.section_itself = true;
    return page;
}

}  // namespace flagpost::web
