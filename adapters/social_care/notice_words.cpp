#include "adapters/social_care/notice_words.h"

#include <algorithm>
#include <cstdlib>

#include "adapters/desk/fields.h"
#include "adapters/desk/inbox.h"
#include "adapters/desk/words.h"

namespace flagpost::social_care {

using schemas::SocialCareNoticeValue;

SocialCareNoticeValue notice_of(const client::Incoming& item) {
    return desk::payload_of<schemas::SocialCareNotice>(item);
}
schemas::ReviewItemValue review_of(const client::Incoming& item) {
    return desk::payload_of<schemas::ReviewItem>(item);
}
std::string name_of(const schemas::PersonValue& person) {
    const bool both = !person.given_names.empty() && !person.family_name.empty();
    return desk::printable(person.given_names + (both ? " " : "") + person.family_name);
}

std::string child_in_words(const SocialCareNoticeValue& notice) {
    if (!notice.child) return "Child not named";
    const schemas::PersonValue& child = *notice.child;
    if (notice.flag_kind == schemas::FlagKind::unborn_child_protection_plan && child.date_of_birth.empty())
        return "Unborn child, family " + name_of(child);
    return name_of(child) + " (born " + desk::date_in_words(child.date_of_birth) + ")";
}

const char* flag_in_words(schemas::FlagKind kind) {
    switch (kind) {
        case schemas::FlagKind::child_protection_plan:
            return "Child protection plan";
        case schemas::FlagKind::unborn_child_protection_plan:
            return "Child protection plan, unborn child";
        case schemas::FlagKind::looked_after:
            return "Looked-after child";
    }
    return "";
}

const char* hit_in_words(schemas::HitKind hit) {
    switch (hit) {
        case schemas::HitKind::person:
            return "The child was named.";
        case schemas::HitKind::address:
            return "Police went to an address of the child; the child was not named.";
        case schemas::HitKind::both:
            return "The child was named, and police went to an address of the child.";
        case schemas::HitKind::shell:
            return "The building agrees; which dwelling in it is not known.";
        case schemas::HitKind::historic:
            return "An earlier address of the child agrees.";
        case schemas::HitKind::linked_adult:
            return "An adult linked to the child was involved.";
    }
    return "";
}

std::string referral_in_words(const SocialCareNoticeValue& notice) {
    switch (notice.referral) {
        case schemas::ReferralStatus::made:
            return "made" + (notice.referral_reference.empty() ? std::string{}
                                                               : ", reference " + notice.referral_reference);
        case schemas::ReferralStatus::not_made:
            return "not made";
        case schemas::ReferralStatus::not_known:
            break;
    }
    return "not known";
}

std::string children_in_words(const SocialCareNoticeValue& notice) {
    return std::to_string(notice.children_named) + " named, " + std::to_string(notice.children_unidentified) +
           " not identified. This child was " + (notice.child_present ? "" : "not ") + "recorded as present.";
}

namespace {
std::string role_in_words(schemas::Role role) {
    const char* const name = schemas::EnumNameRole(role);
    return role == schemas::Role::other ? "role not given" : name;
}
}  // namespace

std::string adults_in_words(const SocialCareNoticeValue& notice) {
    std::string words;
    for (const auto& adult : notice.adults)
        words += (words.empty() ? "" : "; ") + (adult->relation.empty() ? "adult" : adult->relation) + " (" +
                 role_in_words(adult->role) + ")";
    return words;
}

std::string worker_in_words(const SocialCareNoticeValue& notice) {
    std::string words;
    const auto add = [&](const std::string& label, const std::string& text) {
        if (!text.empty()) words += (words.empty() ? "" : "; ") + label + text;
    };
    if (notice.worker) {
        add("", notice.worker->name);
        add("", notice.worker->contact);
    }
    add("team: ", notice.team);
    add("duty: ", notice.duty_contact);
    return words;
}

namespace {

/// Fields of notices that a match waits to send, as the agreement names them.
constexpr desk::CodeWords told_words[] = {
    {"child",                 "who the child is"                },
    {"la",                    "your authority"                  },
    {"la_child_id",           "your reference of the child"     },
    {"child_given_names",     "the child's first names"         },
    {"child_family_name",     "the child's surname"             },
    {"child_date_of_birth",   "the child's date of birth"       },
    {"upn",                   "the pupil number"                },
    {"flag_kind",             "the kind of flag"                },
    {"flag_start",            "when the flag began"             },
    {"flag_end",              "when the flag ended"             },
    {"feed_age_hours",        "how old your list was"           },
    {"outcome",               "how sure the match is"           },
    {"hit",                   "what the match rests on"         },
    {"reasons",               "what agrees"                     },
    {"force",                 "the police force"                },
    {"incident_reference",    "the police reference"            },
    {"incident_version",      "which version of the record"     },
    {"occurred_us",           "when it happened"                },
    {"place",                 "where it happened"               },
    {"category",              "the kind of incident"            },
    {"circumstances",         "what happened"                   },
    {"assessment",            "what police think"               },
    {"risk",                  "the police's risk grade"         },
    {"children_named",        "how many children were named"    },
    {"children_unidentified", "how many children were not named"},
    {"child_present",         "whether the child was there"     },
    {"voice_of_child",        "what the child said"             },
    {"adults",                "which adults were involved"      },
    {"referral",              "whether police referred it"      },
    {"referral_reference",    "the reference of the referral"   },
    {"worker",                "the allocated worker"            },
    {"team",                  "the team"                        },
    {"duty_contact",          "the duty desk's contact"         },
    {"addressed_to",          "whose turn it is"                },
    {"police_contact",        "whom to ask at the police"       },
    {"school_name",           "the school"                      },
    {"urn",                   "the school's number"             },
    {"handling",              "how to handle it"                },
};

}  // namespace

std::string recipient_in_words(const schemas::ReviewItemValue& review) {
    static constexpr std::string_view school_kind = "school/";
    static constexpr std::pair<std::string_view, const char*> kinds[] = {
        {school_kind,    "School URN "               },
        {"education/",   "Education team of "        },
        {"social-care/", "Children's social care of "},
    };
    const std::string name = desk::printable(review.bound_for_name);
    for (const auto& [kind, words] : kinds) {
        if (!review.bound_for.starts_with(kind)) continue;
        const auto code = desk::printable(review.bound_for.substr(kind.size()));
        if (name.empty()) return words + code;
        return kind == school_kind ? name + " (URN " + code + ")" : name;  // many schools share a name
    }
    return name.empty() ? desk::printable(review.bound_for) : name;
}

std::string force_in_words(const schemas::ReviewItemValue& review) {
    return review.force_name.empty() ? "force " + desk::printable(review.force)
                                     : desk::printable(review.force_name);
}

std::string told_in_words(const schemas::ReviewItemValue& review) {
    std::string words;
    for (const auto& field : review.will_be_told)
        words += (words.empty() ? "" : ", ") + desk::in_words(told_words, field);
    return words;
}

std::string record_in_words(const schemas::ReviewItemValue& review) {
    return review.bound_for.starts_with("school/") ? "School roll says" : "Your record says";
}

std::string points_in_words(std::int64_t thousandths) {
    const auto tenths = (std::abs(thousandths) + 50) / 100;
    const char* sign = tenths == 0 ? "" : thousandths < 0 ? "\u2212" : "+";
    return sign + std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}

std::string score_in_words(const schemas::ReviewItemValue& review) {
    std::int64_t sum = 0;
    for (const auto& each : review.weighed) sum += each->weight;
    if (review.score >= sum) return "The system went by the sum.";
    return "The system went by " + points_in_words(review.score) +
           ": another record, or another child of the same household, fits as well or nearly as well.";
}

std::string detail_in_words(const std::string& detail) {
    if (detail.empty()) return "Not given";
    const bool is_date = detail.size() == 10 && desk::parse_instant(detail + "T12:00:00Z");
    return is_date ? desk::date_in_words(detail) : desk::printable(detail);
}

std::string risk_in_words(const SocialCareNoticeValue& notice) {
    if (!notice.risk) return {};
    return notice.risk->grade + ", by " + notice.risk->tool +
           (notice.risk->tool_version.empty() ? "" : " " + notice.risk->tool_version) +
           ", as police recorded it";
}

}  // namespace flagpost::social_care
