#include "adapters/social_care/social_care.h"

#include <algorithm>
#include <ostream>
#include <stdexcept>

#include "adapters/client/text.h"
#include "adapters/desk/inbox.h"
#include "adapters/desk/kept_from.h"
#include "adapters/desk/questions.h"
#include "adapters/desk/recall.h"
#include "adapters/desk/words.h"
#include "adapters/social_care/flag_book.h"
#include "adapters/social_care/flag_pages.h"
#include "adapters/social_care/notice_text.h"
#include "adapters/social_care/serve.h"

namespace flagpost::social_care {
namespace {

using nlohmann::json;
using schemas::Kind;

const std::vector<std::string> agency_kinds{"social-care"};
const std::set<Kind> notices{Kind::social_care_notice, Kind::recall};
const std::set<Kind> reviews{Kind::review_item};
const std::set<Kind> any{Kind::social_care_notice, Kind::recall, Kind::review_item};
const std::set<Kind> opened_only{Kind::social_care_notice, Kind::recall, Kind::review_item, Kind::answer};

json entry_of(const client::Incoming& item) {
    return item.kind == Kind::recall ? desk::recall_entry(item) : notice_entry(item);
}
std::string line_of(const client::Incoming& item, Instant now) {
    return item.kind == Kind::recall ? desk::recall_line(item, now) : notice_line(item, now);
}

/// The overdue and the soonest due first; nobody can sort them away.
std::vector<client::Incoming> in_order(std::vector<client::Incoming> items) {
    std::ranges::stable_sort(items, {}, due);
    return items;
}

template <class Entry, class Line> int list(const Call& call, const std::set<Kind>& kinds,
                                            const ToList& listed, Entry entry, Line line, const char* empty,
                                            std::ostream& out) {
    desk::Desk desk{call.config, agency_kinds, page_settings()};
    const auto found = desk::items_for(
        desk.box(), in_order(desk::items_of(desk.box(), kinds, listed.closed_too)), listed.by);
    const auto& items = found.shown;
    if (call.json) {
        json entries = json::array();
        for (const auto& item : items) entries.push_back(entry(item));
        found.add_to(entries);
        desk::print_json(entries, out);
        return 0;
    }
    if (items.empty() && found.ask_who.empty()) out << empty << "\n";
    for (const auto& item : items) out << line(item, desk.now()) << "\n";
    out << found.words();
    return 0;
}

/// The same rule as for a list that is uploaded or put into the folder: two people look at it, each signed in with their own second
/// step, which a terminal cannot know.
int wait_for_people(const desk::Desk& desk, FlagBook& book, const FlagLoad& load, const LoadContent& content,
                    const std::string& authority, const std::string& why, bool as_json, std::ostream& out) {
    if (authority != desk.agency().code())
        throw std::runtime_error{
            why + " Nothing was sent. Two people of that authority have to look at such a list."};
    const auto number = book.add(load, content);
    if (as_json)
        desk::print_json(
            {
                {"result", "waits_for_people"},
                {"load",   number            },
                {"why",    why               }
        },
            out);
    else
        out << why
            << "\nNothing was sent. Two people have to look at it, one after the other: it waits on the page "
               "Flags we send, /flags/loads/"
            << number << ".\n";
    return 1;
}

}  // namespace

int load_flags(const Call& call, const FlagsToLoad& flags, std::ostream& out) {
    desk::Desk desk{call.config, agency_kinds, page_settings()};
    const std::string authority = flags.la.empty() ? std::string{desk.agency().code()} : flags.la;
    const auto unread = [&](const Refusal& refusal) {
        return desk::report_unsent(schemas::FileCode::malformed, refusal.where, flags.load, out);
    };
    std::optional<ChildDetails> details;
    std::string details_bytes;
    if (!flags.details.empty()) {
        details_bytes = desk::read_file(flags.details);
        auto read = ChildDetails::parse(details_bytes);
        if (!read) return unread(read.error());
        details = std::move(*read);
    }
    const std::string bytes = desk::read_file(flags.load.file);
    auto file = read_flag_file(bytes, {authority, dfe_la_of(desk.config()), desk::local_day(desk.now()),
                                       flags.format, details ? &*details : nullptr});
    if (!file) return unread(file.error());
    if (flags.count && *flags.count != file->count())
        return desk::report_unsent(schemas::FileCode::wrong_count,
                                   "file: " + std::to_string(file->count()) + " records where " +
                                       std::to_string(*flags.count) + " were declared",
                                   flags.load, out);
    if (!flags.load.json) {
        out << "Read as " << in_words(file->format) << (file->windows_1252 ? ", in Windows-1252" : "")
            << ".\n";
        if (file->without_flag > 0)
            out << file->without_flag << " children in it have no plan and are not looked after: no flag.\n";
    }
    FlagBook book{book_of(desk.config())};
    FlagLoad load = load_of(*file, flags.load.mode);
    load.at = desk.now();
    load.by_called = "Command line";
    load.file_name = flags.load.file.filename().string();
    load.declared = flags.count;
    if (load.has_no_flags() && !load.of_nobody())
        return desk::report_unsent(
            schemas::FileCode::none_loaded,
            "file: nobody in it is flagged; where that is so, send it as the whole list and say how "
            "many records it has: --count " +
                std::to_string(load.records),
            flags.load, out);
    load.digest = crypto::sha256({view(bytes), view(details_bytes)});
    const FlagList list = list_of(file->prepared);
    load.changes = changes(book.list(), list, load.sent_as());
    if (const auto why = why_two(load, flag_settings(desk.config()).shrink_percent_max); !why.empty())
        return wait_for_people(desk, book, load, {bytes, details_bytes}, authority, why, flags.load.json,
                               out);
    desk::LoadOptions options = flags.load;
    options.none = load.of_nobody();
    options.begun = [&](const Id16& id, std::uint64_t sequence) {
        const auto number = book.add(load, {});  // the file and its rejects are where the command was given
        book.claim(number, LoadStep::preview, "", load.by_called, list, file->prepared.keys);
        book.sent_as(number, id, sequence);
    };
    const int result = desk::send_load(desk, {schemas::LoadOf::flags, "flags/" + authority, ""},
                                       desk::Prepared{file->prepared}, options, out);
    book.settle(desk.box(), desk.now());
    return result;
}

int run(const Call& call) {
    const desk::StopAtSignal stop;
    desk::Desk desk{call.config, agency_kinds, page_settings()};
    FlagBook book{book_of(desk.config())};
    book.recover();
    desk.serve(stop.token(), watch(desk, call.config, book));
    return 0;
}

int list_inbox(const Call& call, const ToList& listed, std::ostream& out) {
    return list(
        call, notices, listed, entry_of, line_of,
        "Nothing to act on. This does not mean that nothing has happened: Flagpost knows only what police "
        "recorded and what was matched.",
        out);
}

int list_reviews(const Call& call, const ToList& listed, std::ostream& out) {
    return list(call, reviews, listed, review_entry, review_line, "No matches to review.", out);
}

int show(const Call& call, const std::string& reference, const std::string& by, std::ostream& out) {
    desk::Desk desk{call.config, agency_kinds, page_settings()};
    auto item = desk::find_for(desk.box(), reference, by);
    if (!item || !any.contains(item->kind)) throw std::runtime_error{"no such notice here"};
    // What was taken back is not shown again: the recall stands in its place.
    if (const auto recall = desk.box().recalled_by(*item))
        if (auto newer = desk.box().find(*recall)) item = std::move(newer);
    const bool review = item->kind == Kind::review_item, recall = item->kind == Kind::recall;
    const auto threads = desk::threads_about(desk.box(), *item);
    if (call.json) {
        json entry = review ? review_entry(*item) : entry_of(*item);
        for (const auto& thread : threads) entry["questions"].push_back(desk::thread_entry(thread));
        desk::print_json(entry, out);
    } else {
        out << (review   ? review_screen(*item, desk.now())
                : recall ? desk::recall_screen(*item, desk.now())
                         : notice_screen(*item, desk.now()))
            << desk::threads_screen(threads);
    }
    return 0;
}

int ask(const Call& call, const std::string& reference, const client::Box::Asking& asking,
        std::ostream& out) {
    desk::Desk desk{call.config, agency_kinds, page_settings()};
    if (client::trimmed(asking.by).empty()) throw std::runtime_error{"--by must name a person"};
    if (const auto fault = desk::fault_in_text(asking.text); !fault.empty())
        throw std::runtime_error{"--text: " + fault};
    const auto item = desk.box().find(reference);
    const bool found = item && item->kind == Kind::social_care_notice &&
                       !desk.box().recalled_by(*item).has_value() &&
                       !desk::is_kept_from(desk.box(), *item, asking.by);
    if (found) desk.box().ask(*item, asking, desk.agency());
    const bool sent = !found || desk.send_now(std::chrono::seconds{10});
    std::string state = "not_found";
    if (found) state = desk::threads_about(desk.box(), *item).back().standing;
    if (call.json)
        desk::print_json(
            {
                {"reference", reference},
                {"result",    state    }
        },
            out);
    else if (!found)
        out << desk::printable(reference) << ": no such notice here\n";
    else if (state == "refused")
        out << desk::printable(reference) << ": Flagpost did not accept this question\n";
    else
        out << desk::printable(reference) << ": police are asked by " << desk::printable(asking.by) << "\n";
    if (!sent && !call.json)
        out << "Kept here. Not yet received by Flagpost (" << desk.last_problem()
            << "); it is sent when the connection is back.\n";
    return found && state != "refused" ? 0 : 1;
}

int acknowledge(const Call& call, const std::vector<std::string>& references, const std::string& by,
                std::ostream& out) {
    desk::Desk desk{call.config, agency_kinds, page_settings()};
    return desk::mark_items(desk, references, opened_only, {schemas::Level::opened, by, {}}, call.json, out);
}

int record(const Call& call, const std::vector<std::string>& references, const std::string& by,
           const std::string& outcome, std::ostream& out) {
    desk::Desk desk{call.config, agency_kinds, page_settings()};
    return desk::mark_items(desk, references, notices, {schemas::Level::recorded, by, outcome}, call.json,
                            out);
}

int decide(const Call& call, const std::vector<std::string>& references, const desk::ReviewMark& mark,
           std::ostream& out) {
    desk::Desk desk{call.config, agency_kinds, page_settings()};
    return desk::decide_reviews(desk, references, mark, call.json, out);
}

}  // namespace flagpost::social_care
