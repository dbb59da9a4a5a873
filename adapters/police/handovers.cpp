#include "adapters/police/handovers.h"

#include <algorithm>
#include <ostream>
#include <set>

#include "adapters/desk/inbox.h"
#include "adapters/desk/recall.h"
#include "adapters/police/police.h"

namespace flagpost::police {
namespace {

using nlohmann::json;
using schemas::Kind;
using schemas::SchoolNoticeValue;

const std::set<Kind> handed_over{Kind::school_notice, Kind::recall};

SchoolNoticeValue handover_of(const client::Incoming& item) {
    return desk::payload_of<schemas::SchoolNotice>(item);
}

bool is_recall(const client::Incoming& item) { return item.kind == Kind::recall; }

/// A recall is owed until the copies are gone, all else until somebody has read it.
bool is_done(const client::Incoming& item) { return is_recall(item) ? !!item.recorded : !!item.opened; }

std::int64_t due_us(const client::Incoming& item) {
    return is_recall(item) ? desk::recall_of(item).act_by_us : handover_of(item).read_by_us;
}

json entry_of(const client::Incoming& item) {
    if (is_recall(item)) return desk::recall_entry(item);
    const auto notice = handover_of(item);
    json entry{
        {"notice",             to_hex(notice.notice)                },
        {"reference",          notice.reference                     },
        {"given_names",        notice.child_given_names             },
        {"family_name",        notice.child_family_name             },
        {"date_of_birth",      notice.child_date_of_birth           },
        {"urn",                notice.urn                           },
        {"school_name",        notice.school_name                   },
        {"attended_by",        notice.force                         },
        {"incident_reference", notice.incident_reference            },
        {"occurred",           desk::iso_or_null(notice.occurred_us)},
        {"handling",           notice.handling                      },
        {"read_by",            desk::iso_or_null(notice.read_by_us) }
    };
    desk::add_marks(entry, item);
    return entry;
}

std::string child_in_words(const SchoolNoticeValue& notice) {
    return desk::printable(notice.child_given_names + " " + notice.child_family_name) +
           (notice.child_date_of_birth.empty()
                ? ""
                : " (born " + desk::date_in_words(notice.child_date_of_birth) + ")");
}

std::string line_of(const client::Incoming& item, Instant now) {
    if (is_recall(item)) return desk::recall_line(item, now);
    const auto notice = handover_of(item);
    return notice.reference + "  " + desk::state_of(item) + "  " + child_in_words(notice) + "\n    Read by " +
           desk::in_words(from_us(notice.read_by_us)) + ". Attended by force " + notice.force + ", " +
           desk::printable(notice.incident_reference);
}

std::string school_in_words(const SchoolNoticeValue& notice) {
    if (notice.urn == 0) return "Not known";
    return desk::printable(notice.school_name) + (notice.school_name.empty() ? "URN " : ", URN ") +
           std::to_string(notice.urn);
}

void show(const client::Incoming& item, std::ostream& out) {
    const auto notice = handover_of(item);
    out << "Handed over by police force " << notice.force << ", " << notice.reference << "\n"
        << child_in_words(notice) << "\n\n";
    for (const auto& words : notice.handling) out << desk::wrapped(desk::printable(words), 0) << "\n\n";
    desk::print_field(out, "School", school_in_words(notice));
    desk::print_field(out, "Incident", desk::printable(notice.incident_reference));
    desk::print_field(out, "When",
                      notice.occurred_us == 0 ? "Not said" : desk::in_words(from_us(notice.occurred_us)));
    desk::print_field(out, "Was the child there", notice.child_present ? "Yes" : "Not recorded as present");
    desk::print_field(out, "The child said", desk::printable(notice.voice_of_child));
    desk::print_field(out, "What happened", desk::printable(notice.circumstances));
    desk::print_field(out, "Ask", desk::printable(notice.police_contact));
    desk::print_field(out, "Read by", desk::in_words(from_us(notice.read_by_us)));
    desk::print_field(out, "So far", desk::marks_in_words(item));
    if (!item.opened)
        out << "Say that you take it on: flagpost-police handovers acknowledge " << notice.reference
            << " --by NAME\n";
}

}  // namespace

int list_handovers(const std::filesystem::path& config, bool opened_too, const std::string& by, bool as_json,
                   std::ostream& out) {
    desk::Desk desk{config, {"police"}, own_settings()};
    auto all = desk::items_of(desk.box(), handed_over, true);
    if (!opened_too) std::erase_if(all, is_done);
    auto found = desk::items_for(desk.box(), std::move(all), by);
    auto& items = found.shown;
    std::ranges::stable_sort(items, {}, due_us);
    if (as_json) {
        json entries = json::array();
        for (const auto& item : items) entries.push_back(entry_of(item));
        found.add_to(entries);
        desk::print_json(entries, out);
        return 0;
    }
    for (const auto& item : items) out << line_of(item, desk.now()) << "\n";
    if (items.empty() && found.ask_who.empty())
        out << "Nothing was handed over" << (opened_too ? ".\n" : " that nobody has read.\n");
    out << found.words();
    return 0;
}

int show_handover(const std::filesystem::path& config, const std::string& reference, const std::string& by,
                  bool as_json, std::ostream& out) {
    desk::Desk desk{config, {"police"}, own_settings()};
    auto item = desk::find_for(desk.box(), reference, by);
    if (!item || !handed_over.contains(item->kind))
        throw std::runtime_error{"nothing of this reference was handed over"};
    // What was taken back is not shown again: the recall stands in its place.
    if (const auto recall = desk.box().recalled_by(*item))
        if (auto newer = desk.box().find(*recall)) item = std::move(newer);
    if (as_json)
        desk::print_json(entry_of(*item), out);
    else if (is_recall(*item))
        out << desk::recall_screen(*item, desk.now());
    else
        show(*item, out);
    return 0;
}

int acknowledge_handovers(const std::filesystem::path& config, const std::vector<std::string>& references,
                          const std::string& by, bool as_json, std::ostream& out) {
    desk::Desk desk{config, {"police"}, own_settings()};
    std::vector<std::string> recalls, others;
    for (const auto& reference : references) {
        const auto item = desk.box().find(reference);
        (item && is_recall(*item) ? recalls : others).push_back(reference);
    }
    int result = 0;
    if (!others.empty())
        result |= desk::mark_items(desk, others, handed_over, {schemas::Level::opened, by, {}}, as_json, out);
    if (!recalls.empty())
        result |= desk::mark_items(desk, recalls, handed_over, {schemas::Level::recorded, by, "removed"},
                                   as_json, out);
    return result;
}

}  // namespace flagpost::police
