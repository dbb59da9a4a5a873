#include "adapters/school/notice_text.h"

#include <sstream>

#include "adapters/desk/inbox.h"
#include "adapters/desk/recall.h"
#include "adapters/desk/words.h"
#include "adapters/web/words.h"
#include "notice_generated.h"

namespace flagpost::school {
namespace {

using desk::print_field;
using nlohmann::json;
using schemas::SchoolNoticeValue;

// Said whatever the notice holds, and before anything of it.
const std::string do_not_approach =
    std::string{web::words::school_warning} + " " + web::words::school_warning_rest;
const std::string keep_apart = web::words::school_inset;

std::string child_in_words(const SchoolNoticeValue& notice) {
    return name_of(notice) + " (born " + desk::date_in_words(notice.child_date_of_birth) + ")";
}

std::string read_by_in_words(const SchoolNoticeValue& notice, Instant now, const client::Incoming& item) {
    if (notice.read_by_us == 0) return "as soon as you can";
    const Instant at = from_us(notice.read_by_us);
    std::string words = desk::in_words(at);
    const auto distance = std::chrono::duration_cast<std::chrono::seconds>(at > now ? at - now : now - at);
    if (!item.opened)
        words += (at > now ? " (in " : " (overdue by ") + desk::duration_in_words(distance) + ")";
    return words;
}

void print_inset(std::ostream& out, const std::string& text) { out << desk::wrapped(text, 0) << "\n\n"; }

}  // namespace

SchoolNoticeValue notice_of(const client::Incoming& item) {
    return desk::payload_of<schemas::SchoolNotice>(item);
}

std::string name_of(const SchoolNoticeValue& notice) {
    const bool both = !notice.child_given_names.empty() && !notice.child_family_name.empty();
    const std::string name = notice.child_given_names + (both ? " " : "") + notice.child_family_name;
    return name.empty() ? "Child not named" : desk::printable(name);
}

std::string school_in_words(const SchoolNoticeValue& notice) {
    return desk::printable(notice.school_name) + (notice.school_name.empty() ? "URN " : ", URN ") +
           std::to_string(notice.urn);
}

std::string police_in_words(const SchoolNoticeValue& notice) {
    return desk::printable(notice.police_contact.empty() ? "force " + notice.force : notice.police_contact) +
           ", quote " + desk::printable(notice.incident_reference);
}

std::vector<std::string> further_handling(const SchoolNoticeValue& notice) {
    auto rules = notice.handling;
    std::erase_if(rules,
                  [](const std::string& rule) { return rule == do_not_approach || rule == keep_apart; });
    return rules;
}

bool has_detail(const SchoolNoticeValue& notice) {
    return notice.child_present || !notice.voice_of_child.empty() || !notice.circumstances.empty();
}

nlohmann::json notice_entry(const client::Incoming& item) {
    const auto notice = notice_of(item);
    json entry{
        {"notice",             to_hex(notice.notice)                },
        {"reference",          notice.reference                     },
        {"urn",                notice.urn                           },
        {"school_name",        notice.school_name                   },
        {"given_names",        notice.child_given_names             },
        {"family_name",        notice.child_family_name             },
        {"date_of_birth",      notice.child_date_of_birth           },
        {"upn",                notice.upn                           },
        {"force",              notice.force                         },
        {"incident_reference", notice.incident_reference            },
        {"incident_version",   notice.incident_version              },
        {"occurred",           desk::iso_or_null(notice.occurred_us)},
        {"child_present",      notice.child_present                 },
        {"read_by",            desk::iso_or_null(notice.read_by_us) }
    };
    desk::add_marks(entry, item);
    return entry;
}

std::string notice_line(const client::Incoming& item, Instant now) {
    const auto notice = notice_of(item);
    return notice.reference + "  " + desk::state_of(item) + "  " + child_in_words(notice) + "\n    Read by " +
           read_by_in_words(notice, now, item) + ". " + school_in_words(notice);
}

std::string notice_screen(const client::Incoming& item, Instant now) {
    const auto notice = notice_of(item);
    std::ostringstream out;
    for (const auto& words : {do_not_approach, keep_apart}) print_inset(out, words);
    out << "Police notice " << notice.reference << "\n" << child_in_words(notice) << "\n\n";
    print_field(out, "School", school_in_words(notice));
    print_field(out, "UPN", notice.upn);
    print_field(out, "Police reference", notice.incident_reference);
    print_field(out, "When",
                notice.occurred_us == 0 ? "Police did not say" : desk::in_words(from_us(notice.occurred_us)));
    print_field(out, "Was the child there", notice.child_present ? "Yes" : "Not recorded as present");
    print_field(out, "The child said", notice.voice_of_child);
    print_field(out, "What happened", notice.circumstances);
    for (const auto& rule : further_handling(notice)) print_field(out, "Handling", rule);
    print_field(out, "Ask police", police_in_words(notice));
    out << "\n" << web::words::nobody_else << "\n\n";
    print_field(out, "Read by", read_by_in_words(notice, now, item));
    print_field(out, "So far", desk::marks_in_words(item));
    if (!item.opened)
        out << "Say that you have read it: flagpost-school inbox acknowledge " << notice.reference
            << " --by NAME\n";
    if (!item.recorded)
        out << "Record what the school will do: flagpost-school inbox record " << notice.reference
            << " --by NAME --outcome CODE\n";
    return out.str();
}

Instant due(const client::Incoming& item) {
    const std::int64_t us =
        item.kind == schemas::Kind::recall ? desk::recall_of(item).act_by_us : notice_of(item).read_by_us;
    return us == 0 ? Instant::max() : from_us(us);
}

}  // namespace flagpost::school
