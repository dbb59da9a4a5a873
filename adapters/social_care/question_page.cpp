/// Asking police about a notice, and what came of it.
#include <algorithm>

#include "adapters/client/text.h"
#include "adapters/desk/questions.h"
#include "adapters/desk/recall.h"
#include "adapters/social_care/pages.h"
#include "adapters/web/words.h"

namespace flagpost::social_care {

using web::Page;
using web::Response;
using web::View;
using web::Visit;

std::vector<View> Pages::questions(const Visit& visit, const client::Incoming& notice,
                                   std::optional<Instant> answered_after) {
    const auto threads =
        reader_.read([&](const client::Box& box) { return desk::threads_about(box, notice); });
    std::vector<View> views;
    for (const auto& [question, answer, standing] : threads) {
        if (answered_after && (!question.answer || question.answer->received < *answered_after)) continue;
        const std::string by = web::Work::who(visit, question.asked.by);
        std::string no_answer, answered_by;
        if (!answer)
            no_answer = standing == "waiting"
                            ? web::words::not_yet_received(web::moment(question.at, visit.now))
                        : standing == "refused" ? web::words::not_accepted(site_.settings().force_desk)
                                                : "No answer yet.";
        else
            answered_by = "Answered by " + (answer->by.empty() ? "police" : desk::printable(answer->by)) +
                          ", " + web::near(from_us(answer->answered_us), visit.now) + ", " +
                          desk::printable(answer->reference);
        views.push_back(
            View{}
                .text("asked_about", desk::in_words(desk::question_codes, question.asked.about) + ".")
                .text("asked_text", desk::printable(question.asked.text))
                .text("asked_by", "Asked by " + by + ", " + web::near(question.at, visit.now))
                .maybe("answered", answer ? desk::in_words(desk::answer_codes, answer->outcome) + "." : "")
                .text("answer_text", answer ? desk::printable(answer->text) : "")
                .text("answered_by", answered_by)
                .maybe("no_answer", no_answer));
    }
    return views;
}

// Whoever reads the notice reads what police have answered about it.
bool Pages::open_answers(const Visit& visit, const client::Incoming& notice) {
    const auto threads =
        reader_.read([&](const client::Box& box) { return desk::threads_about(box, notice); });
    return std::ranges::all_of(threads, [&](const desk::Thread& thread) {
        const auto& answer = thread.question.answer;
        if (!answer || answer->opened || answer->recorded) return true;
        const auto done =
            handover_.ask({to_hex(thread.answer->answer), schemas::Level::opened, visit.person.called, {}});
        return done && done->now && done->now->opened;
    });
}

std::optional<client::Incoming> Pages::asked_about(const client::Incoming& answer) {
    const auto notice = to_hex(desk::answer_of(answer).notice);
    auto item = reader_.read([&](const client::Box& box) { return box.find(notice); });
    if (item && item->kind != schemas::Kind::social_care_notice) item.reset();
    return item;
}

Response Pages::ask_police(const Visit& visit, const std::string& error_at, const std::string& error) {
    const auto found = find(visit.person, visit.part("ref"));
    if (!found) return site_.not_found(visit);
    const auto& value = *found->value;
    const std::string chosen = visit.request.field("about"), typed = visit.request.field("text");
    std::vector<View> choices;
    for (const auto& [code, words] : desk::question_codes)
        choices.push_back(web::choice(std::string{code}, std::string{words}, choices.size(), code == chosen));
    Page page{"ask", (error.empty() ? "" : "Error: ") + std::string{"Ask police a question"}};
    page.view.text("reference", value.reference)
        .text("police", value.police_contact.empty() ? "force " + desk::printable(value.force)
                                                     : desk::printable(value.police_contact))
        .text("incident", desk::printable(value.incident_reference))
        .text("path", web::path_of(value.reference))
        .text("form_token", site_.token(visit.session))
        .text("once", site_.once())
        .maybe("error", error)
        .text("error_at", error_at)
        .flag("about_wrong", error_at == "choice")
        .flag("text_wrong", error_at == "text")
        .list("choices", choices)
        .text("typed", typed);
    page.status = error.empty() ? 200 : 422;
    page.section = "/inbox";
    page.back_href = web::path_of(value.reference);
    page.back_text = "Police notice " + value.reference;
    return site_.page(visit, page);
}

Response Pages::send_question(const Visit& visit) {
    const auto found = find(visit.person, visit.part("ref"));
    if (!found) return site_.not_found(visit);
    const std::string about = visit.request.field("about");
    std::string text = visit.request.field("text");
    std::erase(text, '\r');  // a browser sends two characters for what counts as one
    if (std::ranges::find(desk::question_codes, about, &desk::CodeWords::code) ==
        std::end(desk::question_codes))
        return ask_police(visit, "choice", "Choose what your question is about");
    if (const auto fault = desk::fault_in_text(text); !fault.empty()) return ask_police(visit, "text", fault);
    web::Deed deed{found->value->reference, schemas::Level::opened, visit.person.called, {}};
    deed.asking = client::Box::Asking{about, std::string{client::trimmed(text)}, visit.person.called};
    deed.once = "ask " + visit.person.name + " " + visit.request.field("once").substr(0, 64);
    const auto done = handover_.ask(std::move(deed));
    if (!done || !done->found) return site_.problem(&visit);
    work_.note(visit, found->value->reference, "asked", about);
    return web::redirect(web::path_of(found->value->reference) + "?done=asked");
}

}  // namespace flagpost::social_care
