#include "adapters/social_care/notice_text.h"

#include <sstream>

#include "adapters/desk/inbox.h"
#include "adapters/desk/recall.h"
#include "adapters/desk/words.h"
#include "adapters/social_care/notice_words.h"
#include "notice_generated.h"

namespace flagpost::social_care {
namespace {

using desk::print_field;
using nlohmann::json;
using schemas::SocialCareNoticeValue;

std::string due_in_words(std::int64_t us, Instant now, const client::Incoming& item) {
    if (us == 0) return {};
    const Instant at = from_us(us);
    std::string words = desk::in_words(at);
    const auto distance = std::chrono::duration_cast<std::chrono::seconds>(at > now ? at - now : now - at);
    if (!item.recorded)
        words += (at > now ? " (due in " : " (overdue by ") + desk::duration_in_words(distance) + ")";
    return words;
}

void print_heading(std::ostream& out, const std::string& heading) { out << "\n" << heading << "\n"; }

void print_inset(std::ostream& out, const std::string& text) {
    out << "\n  " << desk::wrapped(desk::printable(text), 2) << "\n";
}

void print_facts(std::ostream& out, const SocialCareNoticeValue& notice) {
    print_heading(out, "What police recorded");
    print_field(out, "What happened", notice.circumstances.empty() ? notice.category : notice.circumstances);
    if (!notice.circumstances.empty()) print_field(out, "Kind", notice.category);
    print_field(out, "When",
                notice.occurred_us == 0 ? "Police did not say" : desk::in_words(from_us(notice.occurred_us)));
    print_field(out, "Where", notice.place);
    print_field(out, "Children", children_in_words(notice));
    print_field(out, "The child said", notice.voice_of_child);
    print_field(out, "Adults", adults_in_words(notice));
    if (notice.assessment.empty() && !notice.risk) return;
    print_heading(out, "What police think (opinion, not fact)");
    print_field(out, "Assessment", notice.assessment);
    print_field(out, "Risk grade", risk_in_words(notice));
}

void print_reasons(std::ostream& out, const SocialCareNoticeValue& notice) {
    print_heading(out, "Why you got this");
    print_field(out, "Match", hit_in_words(notice.hit));
    for (const auto& reason : notice.reasons) print_field(out, "", reason);
    std::string flag =
        std::string{flag_in_words(notice.flag_kind)} + " since " + desk::date_in_words(notice.flag_start);
    if (!notice.flag_end.empty())
        flag = std::string{flag_in_words(notice.flag_kind)} + ". The plan ended on " +
               desk::date_in_words(notice.flag_end);
    print_field(out, "Flag", flag + ", your reference " + notice.la_child_id);
    print_field(out, "Flag list", std::to_string(notice.feed_age_hours) + " hours old when this was matched");
    print_field(out, "Worker, team", worker_in_words(notice));
}

}  // namespace

std::string agreeing_in_words(schemas::Agreeing how) {
    switch (how) {
        case schemas::Agreeing::agree:
            return "Agree";
        case schemas::Agreeing::differ:
            return "Differ";
        default:
            return "Cannot compare";
    }
}

nlohmann::json notice_entry(const client::Incoming& item) {
    const auto notice = notice_of(item);
    json entry{
        {"notice",             to_hex(notice.notice)                          },
        {"reference",          notice.reference                               },
        {"la",                 notice.la                                      },
        {"la_child_id",        notice.la_child_id                             },
        {"given_names",        notice.child ? notice.child->given_names : ""  },
        {"family_name",        notice.child ? notice.child->family_name : ""  },
        {"date_of_birth",      notice.child ? notice.child->date_of_birth : ""},
        {"flag_kind",          schemas::EnumNameFlagKind(notice.flag_kind)    },
        {"outcome",            schemas::EnumNameOutcome(notice.outcome)       },
        {"hit",                schemas::EnumNameHitKind(notice.hit)           },
        {"reasons",            notice.reasons                                 },
        {"force",              notice.force                                   },
        {"incident_reference", notice.incident_reference                      },
        {"incident_version",   notice.incident_version                        },
        {"category",           notice.category                                },
        {"occurred",           desk::iso_or_null(notice.occurred_us)          },
        {"act_by",             desk::iso_or_null(notice.act_by_us)            },
        {"worker",             notice.worker ? notice.worker->name : ""       },
        {"team",               notice.team                                    },
        {"feed_age_hours",     notice.feed_age_hours                          }
    };
    desk::add_marks(entry, item);
    return entry;
}

nlohmann::json review_entry(const client::Incoming& item) {
    const auto review = review_of(item);
    json entry{
        {"review",             to_hex(review.review)                   },
        {"reference",          review.reference                        },
        {"la",                 review.la                               },
        {"force",              review.force                            },
        {"incident_reference", review.incident_reference               },
        {"incident_version",   review.incident_version                 },
        {"outcome",            schemas::EnumNameOutcome(review.outcome)},
        {"bound_for",          review.bound_for                        },
        {"subject",            review.subject                          },
        {"why",                review.why                              },
        {"will_be_told",       review.will_be_told                     },
        {"two_people",         review.two_people                       },
        {"compared",           json::array()                           },
        {"weighed",            json::array()                           },
        {"score",              review.score                            },
        {"weighed_by",         review.weighed_by                       },
        {"decide_by",          desk::iso_or_null(review.decide_by_us)  }
    };
    for (const auto& row : review.compared)
        entry["compared"].push_back({
            {"detail", row->detail                        },
            {"police", row->police                        },
            {"theirs", row->theirs                        },
            {"how",    schemas::EnumNameAgreeing(row->how)}
        });
    for (const auto& each : review.weighed)
        entry["weighed"].push_back({
            {"detail", each->detail},
            {"found",  each->found },
            {"weight", each->weight}
        });
    desk::add_marks(entry, item);
    return entry;
}

std::string notice_line(const client::Incoming& item, Instant now) {
    const auto notice = notice_of(item);
    std::string line = notice.reference + "  " + desk::state_of(item) + "  " + child_in_words(notice);
    if (notice.outcome == schemas::Outcome::potential) line += "  [Possible match]";
    if (!notice.flag_end.empty()) line += "  [Historic]";
    const std::string act_by = due_in_words(notice.act_by_us, now, item);
    return line + "\n    " + (act_by.empty() ? "No time set" : "Act by " + act_by) + ". " +
           desk::printable(notice.category);
}

std::string review_line(const client::Incoming& item, Instant now) {
    const auto review = review_of(item);
    const std::string decide_by = due_in_words(review.decide_by_us, now, item);
    std::string line = review.reference + "  " + desk::state_of(item) + "  bound for " +
                       desk::printable(review.bound_for) + "\n    " +
                       (decide_by.empty() ? "No time set" : "Decide by " + decide_by) + ".";
    if (!review.why.empty()) line += " " + desk::printable(review.why.front());
    return line;
}

std::string notice_screen(const client::Incoming& item, Instant now) {
    const auto notice = notice_of(item);
    std::ostringstream out;
    out << "Police notice " << notice.reference
        << (notice.outcome == schemas::Outcome::potential ? "  [Possible match]" : "") << "\n"
        << child_in_words(notice) << "\n";
    print_inset(
        out, "This is information, not a referral. It does not replace a police referral. Police referral: " +
                 referral_in_words(notice) + ".");
    if (notice.outcome == schemas::Outcome::potential)
        print_inset(out,
                    "Possible match: verify before acting. Check that this is the same child before you "
                    "contact anyone "
                    "or write to a child's record.");
    print_facts(out, notice);
    print_reasons(out, notice);
    print_heading(out, "What to do next");
    print_field(out, "Act by", due_in_words(notice.act_by_us, now, item));
    print_field(out, "Ask police",
                (notice.police_contact.empty() ? "force " + notice.force : notice.police_contact) +
                    ", quote " + notice.incident_reference);
    print_field(out, "So far", desk::marks_in_words(item));
    if (!item.recorded)
        out << "Record what you did: flagpost-social-care inbox record " << notice.reference
            << " --by NAME --outcome CODE\n";
    return out.str();
}

std::string review_screen(const client::Incoming& item, Instant now) {
    const auto review = review_of(item);
    std::ostringstream out;
    out << "Match " << review.reference << "\nIs this the same child?\n\n";
    print_field(out, "Decide by", due_in_words(review.decide_by_us, now, item));
    print_field(out, "Why a person", review.why.empty() ? "Police did not say" : review.why.front());
    for (std::size_t i = 1; i < review.why.size(); ++i) print_field(out, "", review.why[i]);
    print_field(out, "Would tell", recipient_in_words(review));
    print_field(out, "About", review.subject);
    print_field(out, "Incident",
                force_in_words(review) + ", " + review.incident_reference + ", version " +
                    std::to_string(review.incident_version));
    if (review.two_people) print_field(out, "Two people", "Two people must decide alike before it is sent");
    print_field(out, "So far", desk::marks_in_words(item));
    if (!review.compared.empty()) print_heading(out, "Details side by side (police / yours)");
    for (const auto& row : review.compared)
        print_field(out, row->detail,
                    agreeing_in_words(row->how) + ": " + detail_in_words(row->police) + " / " +
                        detail_in_words(row->theirs));
    if (!review.weighed.empty()) print_heading(out, "How the system weighed this");
    for (const auto& each : review.weighed)
        print_field(out, each->detail, points_in_words(each->weight) + "  " + each->found);
    if (!review.weighed.empty()) print_field(out, "Together", score_in_words(review));
    if (item.recorded) return out.str();
    out << "\nNothing has been sent to " << recipient_in_words(review) << ".\n"
        << (review.will_be_told.empty() ? "There is nothing to send: deny it once you have acted. "
                                        : "What is permitted is sent at once and cannot be unsent. ")
        << "Decide: flagpost-social-care reviews decide " << review.reference
        << " --verdict permit|deny|unsure --reason CODE --by NAME\n";
    return out.str();
}

Instant due(const client::Incoming& item) {
    const std::int64_t us = item.kind == schemas::Kind::review_item ? review_of(item).decide_by_us
                            : item.kind == schemas::Kind::recall    ? desk::recall_of(item).act_by_us
                                                                    : notice_of(item).act_by_us;
    return us == 0 ? Instant::max() : from_us(us);
}

}  // namespace flagpost::social_care
