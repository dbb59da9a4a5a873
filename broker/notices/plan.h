/// Who must be told what, by when, of one decided incident, under which rule of the agreement.
#pragma once

#include <date/tz.h>

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "broker/agreement/agreement.h"
#include "broker/match/match.h"
#include "broker/register/register.h"
#include "envelope_generated.h"

namespace flagpost::notices {

using Payload =
    std::variant<schemas::SocialCareNoticeValue, schemas::SchoolNoticeValue, schemas::ReviewItemValue,
                 schemas::RecallValue, schemas::QuestionValue, schemas::QuestionAnswerValue>;

/// Whose turn it is, and what they may know then.
struct PlannedRung {
    Instant at;
    schemas::Level unless{};
    std::string recipient;  // empty: the sender steps in
    std::string topic;
    std::string rule, purpose, retention;
    std::vector<std::string> legal_basis;
    Payload payload;
    bool before_deadline = false;  // counted back from the notice's due time, and moves with it
};

/// One notice owed. `notice`/`review` and `reference` in the payload are empty: the exchange names obligations.
struct Planned {
    std::string recipient;  // agency: "social-care/E10000024", "school/122802"
    std::string topic;      // "notices/social-care/E10000024", "notices/school/122802", "reviews/E10000024"
    schemas::Kind kind{};   // social_care_notice, school_notice or review_item
    std::vector<std::string> subjects;  // whom it is about: registry::text of the keys
    Payload payload;                    // already cut down to the rule's fields
    std::string rule;                   // id in the agreement
    std::string purpose;
    std::vector<std::string> legal_basis;
    std::string retention;
    std::vector<PlannedRung> rungs;  // by time
    Instant due;                     // act_by, read_by or decide_by
    std::string
        dedup;  // child, recipient and kind: the same for every version of one incident (prefix it with
                // force and reference)
    Bytes fingerprint;      // of what the recipient sees: equal when a new version changes nothing for them
    std::uint32_t urn = 0;  // set: due when this school's next day begins
    std::unique_ptr<Planned>
        held;  // of a review: the notice that is sent if a person permits it; none: nothing can be
    bool two_people = false;  // of a review: a second person must decide alike
    std::vector<std::string>
        doubts;  // of a review: all that a person has to look at, and about whom where no record says it
    std::optional<Id16> recalls;  // of a recall: the first notice of what it takes back
};

/// What takes back what `topic` was told under `rule_of`, the kind of the first notice. Holds nothing about a child.
/// Sent under whatever rule the first would be now, or under none: whoever was told wrongly must hear of it (Data
/// Protection Act 2018, s.38(5)).
struct ToRecall {
    std::string dedup;
    std::string topic;
    schemas::Kind kind{};
    std::vector<Id16> notices;  // oldest first
    std::string reference;      // "FP-7K3M-29QD"
    schemas::RecallReason reason{};
};
Planned recall(const agreement::Agreement& agreement, const schemas::IncidentValue& incident,
               const ToRecall& what, Instant now);

/// A notice that would be owed, but that nobody agreed to or nobody can receive: to be logged as refused.
struct Withheld {
    std::string recipient;
    schemas::Kind kind{};
    std::vector<std::string> subjects;
    std::string why;  // "no rule: review_item from police to social-care"; holds no personal data
};

/// Somebody who may neither see nor decide on a case, as a conflict list has them.
struct KeptFrom {
    std::string person;
    std::string works_for;  // their agency, "school/900001"; empty: any
    friend auto operator<=>(const KeptFrom&, const KeptFrom&) = default;
};

/// Whether somebody who works for one agency may be among the people of another: it is the same, or one acts for the other.
bool may_work_at(const agreement::Agreement& agreement, std::string_view works_for, std::string_view agency);

/// Whether a grown person in the incident may be the one of this name ("Sam Patel", "sam.patel"): first name, or its
/// initial, and surname. Whoever may be must neither be told by name nor decide.
bool may_be_party(const schemas::IncidentValue& incident, std::string_view name);

struct Plan {
    std::vector<Planned> planned;  // in a fixed order: social care, schools, reviews, each by dedup
    std::vector<Withheld> withheld;
};

/// Police ask that a person looks before any school is told: an arrest is still to be made, say.
inline constexpr std::string_view hold_qualifier = "hold_for_person";

/// A hit on a flag whose list was last confirmed longer ago is told as possible, to be verified. Of a child whose roll, or
/// register of children not in school, is as old, a person looks before the school or the officer is told.
inline constexpr std::chrono::hours lists_stand_for{35 * 24};

/// The exact words of the pages, section 1; adapters show what the notice carries.
inline constexpr std::string_view not_a_referral_words =
    "This is information, not a referral. It does not replace a police referral.";

/// Pure: the same arguments give the same plan.
///
/// zone  Europe/London, handed in because a time zone is data from outside
/// not_on_roll  threads (Planned::dedup) of schools that have said that the child is none of their pupils: they are not told
///              again, and where no other school is, the authority's education officer is, as of a child not in school
/// kept_from  whoever is on a conflict list of this incident or of a child the decision is about
///
/// Nothing is told without a person where the child is shielded (then two must agree), where whoever would be told is
/// named in the incident or on the conflict list of the case, or where police ask for it by the qualifier `hold_for_person`.
Plan plan(const agreement::Agreement& agreement, const registry::Register& known,
          const schemas::IncidentValue& incident, const match::Decision& decision, Instant now,
          const date::time_zone* zone, const std::set<std::string>& not_on_roll = {},
          const std::vector<KeptFrom>& kept_from = {});

/// The level of acknowledgement that ends a step of a ladder.
schemas::Level level_of(agreement::Reached reached);

}  // namespace flagpost::notices
