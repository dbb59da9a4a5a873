#include "adapters/social_care/review_pages.h"

#include <algorithm>
#include <array>
#include <tuple>

#include "adapters/client/text.h"
#include "adapters/desk/kept_from.h"
#include "adapters/desk/words.h"
#include "adapters/social_care/notice_text.h"
#include "adapters/social_care/notice_words.h"
#include "adapters/web/parts.h"
#include "adapters/web/when.h"
#include "adapters/web/words.h"

namespace flagpost::social_care {
namespace {

using client::Box;
using schemas::Verdict;
using web::Page;
using web::Response;
using web::View;
using web::Visit;

const std::set<std::string> reviewers{"reviewer"};
constexpr std::size_t reviews_open_max = 10'000;  // more than any desk decides
constexpr auto reason_wanted = "Choose a reason";

constexpr desk::CodeWords verdict_codes[] = {
    {"permit", "Same child: send it"                  },
    {"deny",   "Not the same child, or not to be sent"},
    {"unsure", "I cannot tell: ask police"            },
};

std::optional<Verdict> verdict_of(const std::string& code) {
    if (code == "permit") return Verdict::permit;
    if (code == "deny") return Verdict::deny;
    if (code == "unsure") return Verdict::unsure;
    return std::nullopt;
}

/// By the conflict list of the case.
bool is_kept(web::Reader& reader, const client::Incoming& item, const web::Person& person) {
    const auto names = reader.read([&](const Box& box) { return box.kept_from(item); });
    return desk::is_kept_from(names, person.called, person.name);
}

std::string path_of(const std::string& reference) { return "/review/" + reference; }

/// Reviews that ask the same are about records of which at most one is right.
auto asks_about(const schemas::ReviewItemValue& value) {
    return std::tuple{value.force,
                      value.incident_reference,
                      value.incident_version,
                      value.la,
                      value.person,
                      value.bound_for.substr(0, value.bound_for.find('/'))};
}

std::string theirs(const schemas::ReviewItemValue& value, std::string_view detail) {
    for (const auto& row : value.compared)
        if (row->detail == detail) return row->theirs;
    return {};
}

/// One child's records at two schools: both are told.
bool is_same_child(const schemas::ReviewItemValue& one, const schemas::ReviewItemValue& other) {
    if (one.subject == other.subject) return true;
    static constexpr std::array details{"First names", "Surname", "Date of birth"};
    return !theirs(one, details[1]).empty() && std::ranges::all_of(details, [&](const char* each) {
        return theirs(one, each) == theirs(other, each);
    });
}

std::string letter_of(std::size_t number) { return std::string(1, static_cast<char>('A' + number % 26)); }

std::string note_of(const Visit& visit) {
    std::string note{client::trimmed(visit.request.field("note"))};
    std::erase(note, '\r');  // a browser sends two characters for what counts as one
    std::ranges::replace_if(
        note, [](char c) { return c == '\n' || c == '\t'; }, ' ');
    return note;
}

/// What is wrong with it; empty: nothing.
std::string fault_in(const std::string& note) {
    if (client::characters_in(note) <= note_size_max && !client::has_broken_characters(note)) return {};
    return "Write a note of at most " + std::to_string(note_size_max) + " characters";
}

std::string why_of(const schemas::ReviewItemValue& value) {
    std::string words;
    for (const auto& each : value.why) words += (words.empty() ? "" : " ") + web::sentence(each);
    return words.empty() ? web::words::did_not_say : words;
}

std::string decided_in_words(const std::string& code) {
    if (code == "permit") return "Sent. It is with whoever was to be told.";
    if (code == "deny") return "Recorded. Nothing was sent.";
    if (code == "first") return "Recorded. A second person must decide before anything is sent.";
    if (code == "unsure") return "Police are asked. The match stays open.";
    if (code == "noted") return "Kept. The next reviewer sees your note.";
    return {};
}

}  // namespace

ReviewPages::ReviewPages(web::Site& site, web::Reader& reader, web::Handover& handover, web::Journal& journal)
    : site_{site}, reader_{reader}, handover_{handover}, journal_{journal} {
    site_.get("/review", reviewers, [this](const Visit& visit) { return list(visit); });
    site_.get("/review/{ref}", reviewers, [this](const Visit& visit) { return show(visit, {}); });
    site_.post("/review/{ref}/decide", reviewers, [this](const Visit& visit) { return decide(visit); });
    site_.post("/review/{ref}/note", reviewers, [this](const Visit& visit) { return leave_note(visit); });
}

ReviewPages::Review ReviewPages::review_from(client::Incoming item) {
    Review review{std::move(item), {}};
    review.value = review_of(review.item);
    review.waits_for_second = reader_.read([&](const Box& box) { return box.waits_for_second(review.item); });
    review.asked = std::ranges::any_of(journal_.story_of(review.value.reference),
                                       [](const auto& entry) { return entry.what == "asked"; });
    return review;
}

std::vector<ReviewPages::Review> ReviewPages::open_ones(const web::Person& person) {
    // A newer version of the same match takes the older one's place: only it can be decided.
    std::map<std::tuple<std::string, std::string, std::string, std::string>, Review> newest;
    const auto lists = reader_.read([](const Box& box) { return box.kept_from(); });
    for (auto& item : reader_.read(
             [](const Box& box) { return box.unrecorded(schemas::Kind::review_item, reviews_open_max); })) {
        auto review = review_from(std::move(item));
        const auto& value = review.value;
        if (desk::is_kept_from(desk::list_of(lists, value.review), person.called, person.name)) continue;
        newest.insert_or_assign({value.force, value.incident_reference, value.subject, value.bound_for},
                                std::move(review));
    }
    std::vector<Review> reviews;
    for (auto& [match, review] : newest) reviews.push_back(std::move(review));
    std::ranges::stable_sort(reviews, {}, [](const Review& review) { return due(review.item); });
    return reviews;
}

std::vector<ReviewPages::Question> ReviewPages::questions(const web::Person& person) {
    std::vector<Question> questions;
    std::map<decltype(asks_about({})), std::size_t> known;
    for (auto& review : open_ones(person)) {
        const auto [same, fresh] = known.try_emplace(asks_about(review.value), questions.size());
        // Records that are all of one child are each decided by themselves.
        const bool is_rival = !fresh && review.value.person != 0 &&
                              !is_same_child(review.value, questions[same->second].front().value);
        if (!is_rival) questions.emplace_back();
        (is_rival ? questions[same->second] : questions.back()).push_back(std::move(review));
    }
    for (auto& question : questions)
        std::ranges::stable_sort(question, [](const Review& one, const Review& other) {
            return one.value.score > other.value.score;
        });
    return questions;
}

ReviewPages::Question ReviewPages::question_of(const web::Person& person, Review review) {
    const auto is_it = [&](const Review& each) { return each.value.reference == review.value.reference; };
    if (!review.item.recorded && review.value.person != 0)
        for (auto& question : questions(person))
            if (std::ranges::any_of(question, is_it)) return std::move(question);
    Question alone;
    alone.push_back(std::move(review));
    return alone;
}

std::vector<web::Entry> ReviewPages::notes_on(const Question& question) {
    std::vector<web::Entry> notes;
    for (const auto& review : question)
        for (auto& entry : journal_.story_of(review.value.reference))
            if (entry.what == "noted" && std::ranges::none_of(notes, [&](const auto& each) {
                    return each.at == entry.at && each.person == entry.person && each.detail == entry.detail;
                }))
                notes.push_back(std::move(entry));
    std::ranges::stable_sort(notes, {}, &web::Entry::at);
    return notes;
}

std::size_t ReviewPages::open_count(const web::Person& person) { return questions(person).size(); }

std::optional<ReviewPages::Review> ReviewPages::find(const web::Person& person,
                                                     const std::string& reference) {
    auto item = reader_.read([&](const Box& box) { return box.find(reference); });
    if (!item || item->kind != schemas::Kind::review_item || is_kept(reader_, *item, person))
        return std::nullopt;
    auto review = review_from(std::move(*item));
    if (review.value.reference != reference) return std::nullopt;
    return review;
}

std::optional<std::pair<std::string, Instant>> ReviewPages::claimed_by_other(const Visit& visit,
                                                                             const Review& review) {
    for (const auto& entry : journal_.story_of(review.value.reference)) {  // the newest first
        if (entry.what == "decided" || entry.what == "released") return std::nullopt;
        if (entry.what != "claimed") continue;
        const auto until = entry.at + claim_kept;
        const bool holds = entry.person != visit.person.name && until > visit.now &&
                           due(review.item) - visit.now >= free_for_all;
        return holds ? std::optional{std::pair{entry.called, until}} : std::nullopt;
    }
    return std::nullopt;
}

std::optional<std::pair<std::string, Instant>> ReviewPages::claimed_by_other(const Visit& visit,
                                                                             const Question& question) {
    for (const auto& review : question)
        if (auto other = claimed_by_other(visit, review)) return other;
    return std::nullopt;
}

// Whoever was the first of two neither decides again nor keeps it from the second.
bool ReviewPages::was_first(const Visit& visit, const Question& question) {
    return std::ranges::any_of(question, [&](const Review& review) {
        return review.waits_for_second &&
               std::ranges::any_of(journal_.story_of(review.value.reference), [&](const auto& entry) {
                   return entry.what == "decided" && entry.person == visit.person.name;
               });
    });
}

// --- the list: no names

View ReviewPages::row(const Visit& visit, const Question& question) {
    const auto& review = question.front();
    auto first = review.value.decide_by_us;
    std::vector<std::string> told;
    for (const auto& each : question) {
        first = std::min(first, each.value.decide_by_us);
        if (const auto words = recipient_in_words(each.value); std::ranges::find(told, words) == told.end())
            told.push_back(words);
    }
    std::string bound_for;
    for (const auto& each : told) bound_for += (bound_for.empty() ? "" : ", or ") + each;
    const auto due = web::due_of(from_us(first), visit.now);
    const auto other = claimed_by_other(visit, question);
    return View{}
        .text("reference", review.value.reference)
        .maybe("records",
               question.size() > 1 ? std::to_string(question.size()) + " records to choose from" : "")
        .text("due_style", due.style)
        .text("due_at", due.at)
        .text("due_left", due.left)
        .text("bound_for", bound_for)
        .text("why", why_of(review.value))
        .text("whose",
              other ? desk::printable(other->first) + " until " + web::time_of_day(other->second) : "Nobody");
}

Response ReviewPages::list(const Visit& visit) {
    std::vector<View> groups;
    const auto all = questions(visit.person);
    const auto group = [&](const std::string& heading, auto belongs) {
        std::vector<View> rows;
        for (const auto& question : all)
            if (belongs(question)) rows.push_back(row(visit, question));
        if (rows.empty()) return;
        groups.push_back(
            View{}.text("heading", heading + " (" + std::to_string(rows.size()) + ")").list("rows", rows));
    };
    const auto waits = [](const Question& question) {
        return std::ranges::any_of(question, &Review::waits_for_second);
    };
    const auto asked = [](const Question& question) { return std::ranges::any_of(question, &Review::asked); };
    group("To decide", [&](const Question& each) { return !waits(each) && !asked(each); });
    group("Waiting for a second person", [&](const Question& each) { return waits(each); });
    group("Waiting for police", [&](const Question& each) { return !waits(each) && asked(each); });
    Page page{"review-list", "Matches to review"};
    page.view.flag("empty", groups.empty())
        .list("groups", groups)
        .text("made_at", "This list was made at " + web::time_of_day(visit.now) + ".");
    page.section = "/review";
    page.section_itself = true;
    page.success = decided_in_words(visit.request.parameter("done"));
    return site_.page(visit, page);
}

// --- one match, or several records of which one may be it

View ReviewPages::record(const Visit& visit, const Review& review, const std::string& letter) {
    const auto& value = review.value;
    std::vector<View> details, weights;
    std::int64_t sum = 0;
    for (const auto& row : value.compared)
        details.push_back(View{}
                              .text("detail", row->detail)
                              .text("police", detail_in_words(row->police))
                              .text("theirs", detail_in_words(row->theirs))
                              .text("how", agreeing_in_words(row->how))
                              .text("says", record_in_words(value)));
    for (const auto& each : value.weighed) {
        sum += each->weight;
        weights.push_back(View{}
                              .text("weighed", desk::printable(each->detail))
                              .text("found", desk::printable(each->found))
                              .text("points", points_in_words(each->weight)));
    }
    const auto due = web::due_of(from_us(value.decide_by_us), visit.now);
    const bool open = !review.item.recorded;
    return View{}
        .maybe("letter", letter)
        .text("record_reference", value.reference)
        .text("act_by", web::near(from_us(value.decide_by_us), visit.now))
        .text("act_left", open ? due.left : "")
        .text("due_style", open ? due.style : "fp-due")
        .text("why", why_of(value))
        .flag("two_people", value.two_people)
        .flag("has_details", !details.empty())
        .list("details", details)
        .text("record_says", record_in_words(value))
        .flag("has_weights", !weights.empty())
        .list("weights", weights)
        .text("sum", points_in_words(sum))
        .text("score_words", score_in_words(value))
        .maybe("weighed_by", desk::printable(value.weighed_by))
        .text("subject", desk::printable(value.subject))
        .text("bound_for", recipient_in_words(value));
}

Response ReviewPages::show(const Visit& visit, const std::string& error) {
    auto found = find(visit.person, visit.part("ref"));
    if (!found) return site_.not_found(visit);
    const std::string reference = found->value.reference;
    const auto question = question_of(visit.person, std::move(*found));
    const bool several = question.size() > 1;
    const auto& first = question.front();
    const auto other = claimed_by_other(visit, question);
    const bool decided_first = was_first(visit, question);
    const bool open = !first.item.recorded, form = open && !other && !decided_first;
    std::vector<View> records, verdicts, reasons, notes;
    std::string shown;  // what the decision is between, as this person saw it
    const std::string chosen = visit.request.field("choice");
    const auto offer = [&](const std::string& code, const std::string& words, const std::string& hint) {
        auto verdict = web::choice(code, words, verdicts.size(), chosen == code);
        verdict.maybe("choice_hint", hint);
        verdicts.push_back(verdict);
    };
    for (std::size_t i = 0; i < question.size(); ++i) {
        const auto& value = question[i].value;
        const std::string letter = several ? letter_of(i) : "";
        const auto note = [&](const char* what) {
            journal_.note({value.reference, what, visit.person.name, visit.person.called, {}, visit.now});
        };
        note("consulted");
        if (form && error.empty()) note("claimed");
        records.push_back(record(visit, question[i], letter));
        shown += (shown.empty() ? "" : " ") + value.reference;
        if (value.will_be_told.empty()) continue;
        offer(several ? value.reference : "permit",
              several ? letter + " is the same child: send it" : std::string{verdict_codes[0].words},
              several ? recipient_in_words(value) + " will be told " + told_in_words(value) + "." : "");
    }
    const bool can_send = !verdicts.empty();
    offer("deny", several ? "None of them, or not to be sent" : std::string{verdict_codes[1].words}, "");
    offer("unsure", std::string{verdict_codes[2].words}, "");
    for (const auto& [code, words] : review_codes)
        reasons.push_back(View{}
                              .text("reason", std::string{code})
                              .text("reason_words", std::string{words})
                              .flag("reason_chosen", code == visit.request.field("reason")));
    for (const auto& note : notes_on(question))
        notes.push_back(View{}
                            .text("note_words", desk::printable(note.detail))
                            .text("note_by", desk::printable(note.called))
                            .text("note_at", web::near(note.at, visit.now)));

    Page page{"review", (error.empty() ? "" : "Error: ") + ("Match " + reference)};
    page.view.text("reference", reference)
        .flag("several", several)
        .text("how_many", std::to_string(question.size()))
        .list("records", records)
        .text("incident", force_in_words(first.value) + ", " +
                              desk::printable(first.value.incident_reference) + ", version " +
                              std::to_string(first.value.incident_version))
        .text("told",
              several ? ""
                      : recipient_in_words(first.value) + " will be told " + told_in_words(first.value) + ".")
        .flag("can_send", can_send)
        .flag("form", form)
        .flag("note_form", open && !form)
        .flag("has_notes", !notes.empty())
        .list("notes", notes)
        .maybe("held_by", open && decided_first ? "You have decided. A second person must decide alike."
                          : open && other       ? desk::printable(other->first) + " has it until " +
                                                web::time_of_day(other->second) + "."
                                          : "")
        .maybe("decided", open ? ""
                               : "Decided by " + desk::printable(first.item.recorded_by) + ", " +
                                     web::near(*first.item.recorded, visit.now) + ".")
        .maybe("error", error)
        .text("error_at", visit.request.path.ends_with("/note") || error == fault_in(note_of(visit)) ? "#note"
                          : error == reason_wanted ? "#reason"
                                                   : "#choice")
        .text("path", path_of(reference))
        .text("form_token", open ? site_.token(visit.session) : "")
        .text("once", open ? site_.once() : "")
        .text("shown", shown)
        .flag("second_sees",
              std::ranges::any_of(question, [](const Review& each) { return each.value.two_people; }))
        .text("note", visit.request.field("note").substr(0, 4 * note_size_max))
        .list("verdicts", verdicts)
        .list("reasons", reasons);
    page.status = error.empty() ? 200 : 422;
    page.success = decided_in_words(visit.request.parameter("done"));
    page.section = page.back_href = "/review";
    page.back_text = "Matches to review";
    page.reference = reference;
    return site_.page(visit, page);
}

void ReviewPages::keep_note(const Visit& visit, const Question& question, const std::string& note) {
    if (note.empty()) return;
    for (const auto& review : question) {
        const auto& reference = review.value.reference;
        journal_.note({reference, "noted", visit.person.name, visit.person.called, note, visit.now},
                      visit.request.field("once") + "/" + reference);
    }
}

Response ReviewPages::leave_note(const Visit& visit) {
    auto review = find(visit.person, visit.part("ref"));
    if (!review) return site_.not_found(visit);
    const std::string reference = review->value.reference, note = note_of(visit);
    if (review->item.recorded)
        return site_.message(
            visit, 409, "Already decided",
            desk::printable(review->item.recorded_by) + " decided this meanwhile. Your note was not kept.");
    if (note.empty()) return show(visit, "Write the note");
    if (const auto fault = fault_in(note); !fault.empty()) return show(visit, fault);
    keep_note(visit, question_of(visit.person, std::move(*review)), note);
    return web::redirect(path_of(reference) + "?done=noted");
}

Response ReviewPages::decide(const Visit& visit) {
    auto asked_for = find(visit.person, visit.part("ref"));
    if (!asked_for) return site_.not_found(visit);
    const auto question = question_of(visit.person, std::move(*asked_for));
    const bool several = question.size() > 1;
    const std::string choice = visit.request.field("choice");
    const auto chosen = std::ranges::find_if(
        question, [&](const Review& each) { return several && each.value.reference == choice; });
    const Review& review = chosen != question.end() ? *chosen : question.front();
    const auto verdict = chosen != question.end() ? Verdict::permit : verdict_of(choice);
    const std::string reason = visit.request.field("reason"), note = note_of(visit);
    const bool is_reason =
        std::ranges::any_of(review_codes, [&](const auto& each) { return each.code == reason; });
    if (!review.item.recorded) {
        if (const auto other = claimed_by_other(visit, question))
            return site_.message(visit, 409, "Somebody else has this match",
                                 desk::printable(other->first) + " has it until " +
                                     web::time_of_day(other->second) + ". Your choice was not recorded.");
        std::string now;
        for (const auto& each : question) now += (now.empty() ? "" : " ") + each.value.reference;
        if (const auto& shown = visit.request.field("shown"); several && shown != now)
            return show(visit, "The records to choose from have changed: look at them again, then choose");
        const bool names_none = several && chosen == question.end() && verdict == Verdict::permit;
        if (!verdict || names_none || (*verdict == Verdict::permit && review.value.will_be_told.empty()))
            return show(visit, "Choose what you decide");
        if (!is_reason) return show(visit, reason_wanted);
        if (const auto fault = fault_in(note); !fault.empty()) return show(visit, fault);
    }
    web::Deed deed{review.value.reference, schemas::Level::recorded, visit.person.called, reason,
                   verdict.value_or(Verdict::unsure)};
    deed.note = note;
    deed.denied_for = verdict == Verdict::permit ? "other_child" : reason;
    if (several && verdict != Verdict::unsure)
        for (const auto& each : question)
            if (&each != &review && !is_same_child(each.value, review.value))
                deed.denied.push_back(each.value.reference);
    const auto done = handover_.ask(deed);
    if (!done || !done->decided) return site_.problem(&visit);
    switch (*done->decided) {
        case Box::Decided::same_person:
            return site_.message(
                visit, 409, "A second person must decide",
                "You were the first to decide this match. Your choice was not recorded again.");
        case Box::Decided::already:
            return site_.message(visit, 409, "Already decided",
                                 desk::printable(done->now->recorded_by) + " decided this " +
                                     web::moment(done->now->recorded.value_or(visit.now), visit.now) +
                                     ". Your choice was not recorded.");
        default:
            break;
    }
    keep_note(visit, question, note);
    const bool asked = *done->decided == Box::Decided::asked;
    journal_.note({review.value.reference, asked ? "asked" : "decided", visit.person.name,
                   visit.person.called, reason, visit.now});
    // Of two people the first leaves them all to the second.
    const bool settled = *done->decided == Box::Decided::settled;
    for (const auto& reference : deed.denied)
        journal_.note({reference, settled ? "decided" : "released", visit.person.name, visit.person.called,
                       settled ? deed.denied_for : "", visit.now});
    const std::string told = *done->decided == Box::Decided::first_of_two ? "first"
                             : verdict == Verdict::permit                 ? "permit"
                                                                          : choice;
    return web::redirect("/review?done=" + told);
}

}  // namespace flagpost::social_care
