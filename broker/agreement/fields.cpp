#include "broker/agreement/fields.h"

#include <algorithm>
#include <array>
#include <span>

namespace flagpost::agreement {
namespace {

struct Group {
    std::string_view name;
    std::vector<std::string_view> fields;
};

// A kind of message: the schema's fields by their own names, and the groups people write.
struct Vocabulary {
    std::string_view what;
    std::vector<std::string_view> fields;
    std::vector<Group> groups;
};

std::span<const Vocabulary> vocabularies() {
    static const std::array<Vocabulary, 6> all{
        Vocabulary{"social_care_notice",
                   {"notice",
                    "reference",
                    "la",
                    "la_child_id",
                    "child",
                    "flag_kind",
                    "flag_start",
                    "flag_end",
                    "outcome",
                    "hit",
                    "reasons",
                    "force",
                    "incident_reference",
                    "incident_version",
                    "occurred_us",
                    "place",
                    "category",
                    "circumstances",
                    "assessment",
                    "risk",
                    "children_named",
                    "children_unidentified",
                    "child_present",
                    "voice_of_child",
                    "adults",
                    "referral",
                    "referral_reference",
                    "not_a_referral",
                    "worker",
                    "team",
                    "duty_contact",
                    "feed_age_hours",
                    "act_by_us",
                    "police_contact",
                    "addressed_to"},
                   {{"child", {"child", "la", "la_child_id"}},
                    {"flag", {"flag_kind", "flag_start", "flag_end", "feed_age_hours", "outcome", "hit"}},
                    {"incident", {"force", "incident_reference", "incident_version", "occurred_us"}},
                    {"children", {"children_named", "children_unidentified", "child_present"}},
                    {"referral", {"referral", "referral_reference"}},
                    {"worker", {"worker", "team", "duty_contact", "addressed_to"}}}                  },
        Vocabulary{"school_notice",
                   {"notice", "reference", "urn", "school_name", "child_given_names", "child_family_name",
                    "child_date_of_birth", "upn", "force", "incident_reference", "incident_version",
                    "occurred_us", "child_present", "voice_of_child", "circumstances", "handling",
                    "read_by_us", "police_contact", "addressed_to"},
                   {{"child", {"child_given_names", "child_family_name", "child_date_of_birth"}},
                    {"incident", {"force", "incident_reference", "incident_version", "occurred_us"}}}},
        Vocabulary{"review_item",
                   {"review",           "reference", "la",           "force",      "incident_reference",
                    "incident_version", "outcome",   "bound_for",    "subject",    "why",
                    "decide_by_us",     "compared",  "will_be_told", "two_people", "bound_for_name",
                    "force_name",       "person",    "weighed",      "score",      "weighed_by"},
                   {{"incident", {"force", "incident_reference", "incident_version", "person"}},
                    {"weights", {"weighed", "score", "weighed_by"}}}                                 },
        Vocabulary{"flag_marker",
                   {"marker", "kind", "places", "start_date", "end_date", "contact", "out_of_hours_contact",
                    "removed"},
                   {}                                                                                },
        Vocabulary{"question",
                   {"question", "reference", "notice", "force", "incident_reference", "about", "text", "by",
                    "asked_by", "asked_us", "answer_by_us"},
                   {}                                                                                },
        Vocabulary{"answer",
                   {"answer", "reference", "question", "notice", "force", "incident_reference", "outcome",
                    "text", "by", "answered_us", "read_by_us"},
                   {}                                                                                },
    };
    return all;
}

const Vocabulary* vocabulary_of(std::string_view what) {
    const auto all = vocabularies();
    const auto found = std::ranges::find(all, what, &Vocabulary::what);
    return found == all.end() ? nullptr : &*found;
}

}  // namespace

bool is_shared(std::string_view what) { return vocabulary_of(what) != nullptr; }

std::vector<std::string_view> fields_named(std::string_view what, std::string_view name) {
    const auto* words = vocabulary_of(what);
    if (words == nullptr) return {};
    if (const auto group = std::ranges::find(words->groups, name, &Group::name); group != words->groups.end())
        return group->fields;
    if (std::ranges::find(words->fields, name) != words->fields.end()) return {name};
    return {};
}

std::vector<std::string_view> names_for(std::string_view what) {
    const auto* words = vocabulary_of(what);
    if (words == nullptr) return {};
    auto names = words->fields;
    for (const auto& group : words->groups)
        if (std::ranges::find(names, group.name) == names.end()) names.push_back(group.name);
    return names;
}

}  // namespace flagpost::agreement
