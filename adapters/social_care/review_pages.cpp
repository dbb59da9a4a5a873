#include "adapters/social_care/review_pages.h"

#include <algorithm>

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
    return {};
}

}  // namespace

ReviewPages::ReviewPages(web::Site& site, web::Reader& reader, web::Handover& handover, web::Journal& journal)
    : site_{site}, reader_{reader}, handover_{handover}, journal_{journal} {
    site_.get("/review", reviewers, [this](const Visit& visit) { return list(visit); });
    site_.get("/review/{ref}", reviewers, [this](const Visit& visit) { return show(visit, {}); });
    site_.post("/review/{ref}/decide", reviewers, [this](const Visit& visit) { return decide(visit); });
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

std::size_t ReviewPages::open_count(const web::Person& person) { return open_ones(person).size(); }

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
        if (entry.what == "decided") return std::nullopt;
        if (entry.what != "claimed") continue;
        const auto until = entry.at + claim_kept;
        const bool holds = entry.person != visit.person.name && until > visit.now &&
                           due(review.item) - visit.now >= free_for_all;
        return holds ? std::optional{std::pair{entry.called, until}} : std::nullopt;
    }
    return std::nullopt;
}

// --- the list: no names

View ReviewPages::row(const Visit& visit, const Review& review) {
    const auto due = web::due_of(from_us(review.value.decide_by_us), visit.now);
    const auto other = claimed_by_other(visit, review);
    return View{}
        .text("reference", review.value.reference)
        .text("due_style", due.style)
        .text("due_at", due.at)
        .text("due_left", due.left)
        .text("bound_for", recipient_in_words(review.value))
        .text("why", why_of(review.value))
        .text("whose",
              other ? desk::printable(other->first) + " until " + web::time_of_day(other->second) : "Nobody");
}

Response ReviewPages::list(const Visit& visit) {
    std::vector<View> groups;
    const auto reviews = open_ones(visit.person);
    const auto group = [&](const std::string& heading, auto belongs) {
        std::vector<View> rows;
        for (const auto& review : reviews)
            if (belongs(review)) rows.push_back(row(visit, review));
        if (rows.empty()) return;
        groups.push_back(
            View{}.text("heading", heading + " (" + std::to_string(rows.size()) + ")").list("rows", rows));
    };
    group("To decide", [](const Review& each) { return !each.waits_for_second && !each.asked; });
    group("Waiting for a second person", [](const Review& each) { return each.waits_for_second; });
    group("Waiting for police", [](const Review& each) { return !each.waits_for_second && each.asked; });
    Page page{"review-list", "Matches to review"};
    page.view.flag("empty", groups.empty())
        .list("groups", groups)
        .text("made_at", "This list was made at " + web::time_of_day(visit.now) + ".");
    page.section = "/review";
    page.section_itself = true;
    page.success = decided_in_words(visit.request.parameter("done"));
    return site_.page(visit, page);
}

// --- one match

Response ReviewPages::show(const Visit& visit, const std::string& error) {
    const auto review = find(visit.person, visit.part("ref"));
    if (!review) return site_.not_found(visit);
    const auto& value = review->value;
    const auto other = claimed_by_other(visit, *review);
    // Whoever was the first of two neither decides again nor keeps it from the second.
    const auto story = journal_.story_of(value.reference);
    const bool was_first = review->waits_for_second && std::ranges::any_of(story, [&](const auto& entry) {
                               return entry.what == "decided" && entry.person == visit.person.name;
                           });
    const bool open = !review->item.recorded, form = open && !other && !was_first;
    journal_.note({value.reference, "consulted", visit.person.name, visit.person.called, {}, visit.now});
    if (form && error.empty())
        journal_.note({value.reference, "claimed", visit.person.name, visit.person.called, {}, visit.now});
    const auto due = web::due_of(from_us(value.decide_by_us), visit.now);
    std::vector<View> details, verdicts, reasons;
    for (const auto& row : value.compared)
        details.push_back(View{}
                              .text("detail", row->detail)
                              .text("police", detail_in_words(row->police))
                              .text("theirs", detail_in_words(row->theirs))
                              .text("how", agreeing_in_words(row->how)));
    for (const auto& [code, words] : verdict_codes) {
        if (code == "permit" && value.will_be_told.empty()) continue;
        verdicts.push_back(web::choice(std::string{code}, std::string{words}, verdicts.size()));
    }
    for (const auto& [code, words] : review_codes)
        reasons.push_back(View{}.text("reason", std::string{code}).text("reason_words", std::string{words}));

    Page page{"review", (error.empty() ? "" : "Error: ") + ("Match " + value.reference)};
    page.view.text("reference", value.reference)
        .text("why", why_of(value))
        .text("act_by", web::near(from_us(value.decide_by_us), visit.now))
        .text("act_left", open ? due.left : "")
        .text("due_style", open ? due.style : "fp-due")
        .flag("two_people", value.two_people)
        .flag("has_details", !details.empty())
        .list("details", details)
        .text("bound_for", recipient_in_words(value))
        .text("subject", desk::printable(value.subject))
        .text("incident", force_in_words(value) + ", " + desk::printable(value.incident_reference) +
                              ", version " + std::to_string(value.incident_version))
        .flag("can_send", !value.will_be_told.empty())
        .text("told", told_in_words(value))
        .flag("form", form)
        .maybe("held_by", open && was_first ? "You have decided. A second person must decide alike."
                          : open && other   ? desk::printable(other->first) + " has it until " +
                                                web::time_of_day(other->second) + "."
                                          : "")
        .maybe("decided", open ? ""
                               : "Decided by " + desk::printable(review->item.recorded_by) + ", " +
                                     web::near(*review->item.recorded, visit.now) + ".")
        .maybe("error", error)
        .text("path", path_of(value.reference))
        .text("form_token", form ? site_.token(visit.session) : "")
        .text("once", form ? site_.once() : "")
        .list("verdicts", verdicts)
        .list("reasons", reasons);
    page.status = error.empty() ? 200 : 422;
    page.section = page.back_href = "/review";
    page.back_text = "Matches to review";
    page.reference = value.reference;
    return site_.page(visit, page);
}

Response ReviewPages::decide(const Visit& visit) {
    const auto review = find(visit.person, visit.part("ref"));
    if (!review) return site_.not_found(visit);
    const auto verdict = verdict_of(visit.request.field("choice"));
    const std::string reason = visit.request.field("reason");
    const bool is_reason =
        std::ranges::any_of(review_codes, [&](const auto& each) { return each.code == reason; });
    if (!review->item.recorded) {
        if (const auto other = claimed_by_other(visit, *review))
            return site_.message(visit, 409, "Somebody else has this match",
                                 desk::printable(other->first) + " has it until " +
                                     web::time_of_day(other->second) + ". Your choice was not recorded.");
        if (!verdict || (*verdict == Verdict::permit && review->value.will_be_told.empty()))
            return show(visit, "Choose what you decide");
        if (!is_reason) return show(visit, "Choose a reason");
    }
    const auto done = handover_.ask({review->value.reference, schemas::Level::recorded, visit.person.called,
                                     reason, verdict.value_or(Verdict::unsure)});
    if (!done || !done->decided) return site_.problem(&visit);
    switch (*done->decided) {
        case Box::Decided::same_person:
            return site_.message(
                visit, 409, "A second person must decide",
                "You were the first to decide this match. Your choice was not recorded again.");
        case Box::Decided::already:
            return site_.message(visit, 409, "Already decided",
                                 desk::printable(done->now->recorded_by) + " decided this at " +
                                     web::time_of_day(done->now->recorded.value_or(visit.now)) +
                                     ". Your choice was not recorded.");
        default:
            break;
    }
    const bool asked = *done->decided == Box::Decided::asked;
    journal_.note({review->value.reference, asked ? "asked" : "decided", visit.person.name,
                   visit.person.called, reason, visit.now});
    const std::string told =
        *done->decided == Box::Decided::first_of_two ? "first" : visit.request.field("choice");
    return web::redirect("/review?done=" + told);
}

}  // namespace flagpost::social_care
