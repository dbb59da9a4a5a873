#include "adapters/desk/inbox.h"

#include <algorithm>
#include <ostream>

#include "adapters/client/text.h"
#include "adapters/desk/kept_from.h"
#include "adapters/desk/recall.h"
#include "adapters/desk/words.h"

namespace flagpost::desk {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds sending_patience{10};
constexpr std::size_t label_width = 20;

bool is_recall_code(const std::string& outcome) {
    return std::ranges::any_of(recall_codes, [&](const auto& each) { return each.code == outcome; });
}

json mark_one(Desk& desk, const std::string& reference, const std::set<schemas::Kind>& kinds,
              const Mark& mark) {
    const auto item = desk.box().find(reference);
    // To whoever must not see it, it is not there.
    if (!item || !kinds.contains(item->kind) || is_kept_from(desk.box(), *item, mark.by))
        return {
            {"reference", reference  },
            {"result",    "not_found"}
        };
    if (mark.level == schemas::Level::recorded &&
        (item->kind == schemas::Kind::recall) != is_recall_code(mark.outcome))
        return {
            {"reference", reference      },
            {"result",    "other_outcome"}
        };
    const bool fresh = desk.box().acknowledge(*item, mark.level, mark.by, mark.outcome, desk.agency());
    const auto now = desk.box().find(reference);
    json entry{
        {"reference", reference                 },
        {"result",    fresh ? "done" : "already"}
    };
    if (now) add_marks(entry, *now);
    return entry;
}

std::string said(const json& entry, const Mark& mark) {
    const bool recorded = mark.level == schemas::Level::recorded;
    const std::string result = entry["result"];
    const std::string reference = printable(entry["reference"].get<std::string>());
    if (result == "not_found") return reference + ": no such notice here";
    if (result == "other_outcome") return reference + ": that outcome is for another kind of notice";
    const std::string by = entry[recorded ? "recorded_by" : "opened_by"].get<std::string>();
    const char* verb = recorded ? "recorded" : "opened";
    if (result == "already")
        return reference + ": was already " + verb + " by " + printable(by) + "; that stays as it is";
    return reference + ": " + verb + " by " + printable(by);
}

}  // namespace

std::string state_of(const client::Incoming& item) {
    if (item.recorded) return "recorded";
    return item.opened ? "opened" : "new";
}

std::vector<client::Incoming> items_of(client::Box& box, const std::set<schemas::Kind>& kinds,
                                       bool closed_too) {
    auto items = box.inbox(closed_too);
    std::erase_if(items, [&](const client::Incoming& item) { return !kinds.contains(item.kind); });
    return items;
}

int mark_items(Desk& desk, const std::vector<std::string>& references, const std::set<schemas::Kind>& kinds,
               const Mark& mark, bool as_json, std::ostream& out) {
    if (client::trimmed(mark.by).empty()) throw std::runtime_error{"--by must name a person"};
    json entries = json::array();
    for (const auto& reference : references) entries.push_back(mark_one(desk, reference, kinds, mark));
    const bool sent = desk.send_now(sending_patience);
    if (as_json) {
        print_json(entries, out);
    } else {
        for (const auto& entry : entries) out << said(entry, mark) << "\n";
        if (!sent)
            out << "Recorded here. Not yet received by Flagpost (" << desk.last_problem()
                << "); it is kept and sent when the connection is back.\n";
    }
    return std::ranges::any_of(entries, [](const json& entry) { return !entry.contains("state"); }) ? 1 : 0;
}

int decide_reviews(Desk& desk, const std::vector<std::string>& references, const ReviewMark& mark,
                   bool as_json, std::ostream& out) {
    using Decided = client::Box::Decided;
    if (client::trimmed(mark.by).empty()) throw std::runtime_error{"--by must name a person"};
    json entries = json::array();
    bool failed = false;
    for (const auto& reference : references) {
        const auto item = desk.box().find(reference);
        std::string result = "not_found", words = "no such match here";
        if (item && item->kind == schemas::Kind::review_item && !is_kept_from(desk.box(), *item, mark.by)) {
            switch (desk.box().decide(*item, mark.verdict, mark.by, mark.reason, desk.agency())) {
                case Decided::settled:
                    result = "done", words = "decided by " + mark.by;
                    break;
                case Decided::first_of_two:
                    result = "first_of_two", words = "noted for " + mark.by + "; a second person must decide";
                    break;
                case Decided::asked:
                    result = "asked", words = "stays open; police are asked";
                    break;
                case Decided::already:
                    result = "already", words = "was already decided; that stays as it is";
                    break;
                case Decided::same_person:
                    result = "same_person", words = "the second must be another person than " + mark.by;
                    break;
            }
        }
        failed = failed || result == "not_found" || result == "same_person";
        entries.push_back({
            {"reference", reference},
            {"result",    result   }
        });
        if (!as_json) out << printable(reference) << ": " << printable(words) << "\n";
    }
    const bool sent = desk.send_now(sending_patience);
    if (as_json)
        print_json(entries, out);
    else if (!sent)
        out << "Recorded here. Not yet received by Flagpost (" << desk.last_problem()
            << "); it is kept and sent when the connection is back.\n";
    return failed ? 1 : 0;
}

ForReader items_for(const client::Box& box, std::vector<client::Incoming> items, const std::string& by) {
    ForReader parted;
    for (auto& item : items) {
        const auto kept_from = box.kept_from(item);
        if (kept_from.empty() || (!by.empty() && !is_kept_from(kept_from, by)))
            parted.shown.push_back(std::move(item));
        else if (by.empty())
            parted.ask_who.push_back(item.topic + "#" + std::to_string(item.number));
    }
    return parted;
}

std::string ForReader::words() const {
    if (ask_who.empty()) return {};
    return (ask_who.size() == 1 ? std::string{"1 more has"} : std::to_string(ask_who.size()) + " more have") +
           " a conflict list and may not be shown to everybody: say who looks, with --by \"Sam Patel\".\n";
}

void ForReader::add_to(json& entries) const {
    for (const auto& item : ask_who)
        entries.push_back({
            {"item",          item},
            {"conflict_list", true}
        });
}

std::optional<client::Incoming> find_for(const client::Box& box, const std::string& reference,
                                         const std::string& by) {
    auto item = box.find(reference);
    if (!item) return std::nullopt;
    const auto kept_from = box.kept_from(*item);
    if (kept_from.empty()) return item;
    if (by.empty())
        throw std::runtime_error{"this case has a conflict list: say who looks, with --by \"Sam Patel\""};
    if (is_kept_from(kept_from, by)) return std::nullopt;
    return item;
}

void add_marks(json& entry, const client::Incoming& item) {
    entry["state"] = state_of(item);
    entry["received"] = in_iso(item.received);
    entry["opened"] = item.opened ? json(in_iso(*item.opened)) : json();
    entry["opened_by"] = item.opened_by;
    entry["recorded"] = item.recorded ? json(in_iso(*item.recorded)) : json();
    entry["recorded_by"] = item.recorded_by;
    entry["recorded_outcome"] = item.recorded ? item.outcome : "";
}

std::string marks_in_words(const client::Incoming& item) {
    std::string words = "Received " + in_words(item.received) + ".";
    if (item.opened) words += " Opened by " + printable(item.opened_by) + ", " + in_words(*item.opened) + ".";
    if (item.recorded)
        words += " Recorded by " + printable(item.recorded_by) + ", " + in_words(*item.recorded) + ": " +
                 printable(item.outcome) + ".";
    if (!item.opened && !item.recorded) words += " Not opened yet.";
    return words;
}

json iso_or_null(std::int64_t us) { return us == 0 ? json() : json(in_iso(from_us(us))); }

void print_json(const json& value, std::ostream& out) {
    out << value.dump(1, ' ', false, json::error_handler_t::replace) << "\n";
}

void print_field(std::ostream& out, const std::string& label, const std::string& text) {
    if (text.empty()) return;
    const std::size_t blanks = label.size() < label_width ? label_width - label.size() : 1;
    out << label << std::string(blanks, ' ') << wrapped(printable(text), label_width) << "\n";
}

}  // namespace flagpost::desk
