#include "adapters/web/parts.h"

#include <algorithm>

#include "adapters/desk/words.h"
#include "adapters/web/words.h"

namespace flagpost::web {
namespace {

constexpr std::size_t overdue_shown_max = 200;
constexpr std::size_t rows_a_page = 25;

View view_of(const InboxRow& row, const InboxKind& kind) {
    View view;
    view.text("child", row.child)
        .text("reference", row.reference)
        .list("tags", row.tags)
        .text("due_label", kind.due_head)
        .text("due_style", row.due.style)
        .text("due_at", row.due.at)
        .text("due_left", row.due.left)
        .text("what_label", kind.what_head)
        .text("what", row.what)
        .text("when", row.when)
        .text("whose_label", kind.whose_head)
        .text("whose", row.whose)
        .list("state", {row.state});
    return view;
}

/// The number asked for, if there is such a page.
std::size_t page_number(const std::string& asked, std::size_t pages) {
    for (std::size_t number = 1; number <= pages; ++number)
        if (std::to_string(number) == asked) return number;
    return 1;
}

std::string summary_of(std::size_t all, std::size_t late, const InboxKind& kind) {
    return std::to_string(all) + (all == 1 ? " notice needs " : " notices need ") + kind.needs + ". " +
           std::to_string(late) + (late == 1 ? " is" : " are") + " overdue.";
}

std::vector<View> filters(const std::string& show, const InboxKind& kind) {
    std::vector<View> all;
    for (const auto& [code, words] : kind.show)
        all.push_back(View{}
                          .text("filter", code)
                          .text("filter_words", words)
                          .text("filter_id", all.empty() ? "show" : "show-" + std::to_string(all.size() + 1))
                          .flag("filter_chosen", code == show));
    return all;
}

}  // namespace

std::string said(const std::string& text) {
    return text.empty() ? words::did_not_say : desk::printable(text);
}

std::string sentence(const std::string& text) {
    const bool ended = text.ends_with('.') || text.ends_with('?') || text.ends_with('!');
    return desk::printable(text) + (ended ? "" : ".");
}

Visit on_paper(const Visit& visit) {
    Visit paper = visit;
    paper.now = Instant{};  // no day is near it
    return paper;
}

std::string age(const std::string& born, Instant now) {
    const std::string today = desk::in_iso(now).substr(0, 10);
    if (born.size() != 10 || born.starts_with("0000") || born.ends_with("00") || born.substr(5, 2) == "00")
        return {};
    int years = std::stoi(today.substr(0, 4)) - std::stoi(born.substr(0, 4));
    if (today.substr(5) < born.substr(5)) --years;
    return years < 0 ? "" : std::to_string(years);
}

View tag(const std::string& words, const std::string& colour) {
    return View{}
        .text("tag", words)
        .text("tag_style", "govuk-tag" + (colour.empty() ? "" : " govuk-tag--" + colour));
}

View fact(const std::string& key, const std::string& value) {
    return View{}.text("key", key).text("value", value);
}

View choice(const std::string& code, const std::string& words, std::size_t before, bool chosen) {
    return View{}
        .text("code", code)
        .text("choice", words)
        .flag("chosen", chosen)
        .text("choice_id", before == 0 ? "choice" : "choice-" + std::to_string(before + 1));
}

View change(const std::string& what, const std::string& was, const std::string& is_now) {
    return View{}.text("what", what).text("was", was).text("is_now", is_now);
}

std::string shown_of(const Visit& visit, const InboxKind& kind) {
    const std::string asked = visit.request.parameter("show");
    for (const auto& [code, words] : kind.show)
        if (code == asked) return code;
    return kind.show.empty() ? "all" : kind.show.front().first;
}

InboxLine line_of(InboxRow row) {
    const Group group = row.group;
    return {group, [row = std::move(row)] { return row; }};
}

Page inbox_page(const Visit& visit, const InboxKind& kind, const std::vector<InboxLine>& lines) {
    const auto count = [&](Group group) {
        return static_cast<std::size_t>(std::ranges::count(lines, group, &InboxLine::group));
    };
    const std::size_t late = count(Group::overdue), waiting = count(Group::to_do);
    const std::size_t pages = std::max<std::size_t>(1, (waiting + rows_a_page - 1) / rows_a_page);
    const std::size_t number = page_number(visit.request.parameter("page"), pages);
    const std::size_t first = (number - 1) * rows_a_page, last = std::min(first + rows_a_page, waiting);
    const std::size_t more_overdue = late > overdue_shown_max ? late - overdue_shown_max : 0;

    std::vector<View> groups;
    const auto group = [&](const std::string& heading, Group which, std::size_t from, std::size_t to) {
        std::vector<View> shown;
        std::size_t place = 0;
        for (const auto& line : lines) {
            if (line.group != which) continue;
            if (place >= from && place < to) shown.push_back(view_of(line.row(), kind));
            ++place;
        }
        if (shown.empty()) return;
        groups.push_back(View{}
                             .text("heading", heading + " (" + std::to_string(place) + ")")
                             .flag("head_shown", groups.empty())
                             .flag("head_hidden", !groups.empty())
                             .text("due_head", kind.due_head)
                             .text("what_head", kind.what_head)
                             .text("whose_head", kind.whose_head)
                             .list("rows", shown));
    };
    if (number == 1) {  // they stand on the first page, all of them
        group("Overdue", Group::overdue, 0, overdue_shown_max);
        group("Changed after you were told", Group::changed, 0, lines.size());
    }
    group("To do", Group::to_do, first, last);

    std::vector<View> notes;
    for (const auto& each : kind.notes) notes.push_back(View{}.text("note", each));
    const bool watching = is_watching(visit.request);
    const std::string show = shown_of(visit, kind), link = "/inbox?show=" + encoded(show) + "&page=";
    Page page{"inbox", "Inbox"};
    page.view.text("summary", summary_of(lines.size(), late, kind))
        .text("made_at", "This list was made at " + time_of_day(visit.now) + ".")
        .text("again", "/inbox?show=" + encoded(show))
        .flag("watching", watching)
        .text("watch", "/inbox?show=" + encoded(show) + "&watch=" + std::to_string(watch_every.count()))
        .list("notes", notes)
        .flag("filtered", kind.show.size() > 1)
        .list("filters", filters(show, kind))
        .list("groups", groups)
        .flag("empty", lines.empty())
        .text("empty_words", words::empty_inbox)
        .text("no_safety", words::no_safety)
        .maybe("more_overdue",
               more_overdue == 0 ? "" : "and " + std::to_string(more_overdue) + " more overdue")
        .flag("paged", pages > 1)
        .text("shown", "Showing " + std::to_string(first + 1) + " to " + std::to_string(last) + " of " +
                           std::to_string(waiting))
        .maybe("previous", number > 1 ? link + std::to_string(number - 1) : "")
        .maybe("next", number < pages ? link + std::to_string(number + 1) : "");
    page.section = "/inbox";
    page.section_itself = true;
    page.watching = watching;
    return page;
}

}  // namespace flagpost::web
