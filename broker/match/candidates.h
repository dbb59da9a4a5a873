/// One person of an incident searched in one pool of the register: who it may be, and how sure that is.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "broker/match/compare.h"

namespace flagpost::match {

// Thresholds on the odds of a candidate against all others and nobody.
inline constexpr Millibits match_from = 6000;           // 1 in 65 wrong, before anything is held back
inline constexpr Millibits potential_from = 2500;       // p 0.85
inline constexpr Millibits low_from = -4250;            // p 0.05
inline constexpr Millibits low_from_elsewhere = -2000;  // p 0.2, where no address agrees
inline constexpr std::size_t candidates_shown = 5;      // unsure ones of one person, to a reviewer

// How likely a person of an incident is on the register at all, before anything is compared.
inline constexpr Millibits share_flagged = -2000;
inline constexpr Millibits share_on_roll = 0;

inline constexpr int left_home_age = 30;  // older than this, twins are believed to have homes of their own

/// Whom to look for.
struct Query {
    const registry::PersonForm* person;
    const std::vector<std::uint64_t>* keys;  // registry::query_keys of the person
    bool surely_child = false;               // police say that this is a child
    const registry::PlaceForm* attended;     // where police went; may be empty
    int year = 0;                            // when that was; 0: not known, and so how old anybody was
};

/// A register entry compared with the person.
struct Candidate {
    const registry::Row* row = nullptr;
    Comparison comparison;
    Millibits prior = 0;
    Millibits score = 0;   // against nobody, and nobody else of the household
    Millibits apart = 0;   // against a stranger alone: what it and a rival are weighed by
    Millibits margin = 0;  // the lesser of `score` and the odds against the best rival
    schemas::Outcome outcome{};
    std::optional<std::string> held;  // why it may not be a match
};

/// What a search looked at, for the decision's summary.
struct Effort {
    std::uint32_t compared = 0;
    std::uint32_t dropped = 0;
};

/// Rows that count, such as flags in force; asked only of rows that compare well.
using Wanted = std::function<bool(const registry::Row&)>;
/// What else speaks for some rows, such as the school police were told of.
struct Bonus {
    Millibits points = 0;
    std::function<bool(const registry::Row&)> speaks_for{};
};

/// All that come near enough, strongest first, not yet weighed against each other.
std::vector<Candidate> search(const Query& query, const registry::Pool& pool, Millibits share,
                              const Wanted& wanted, const Bonus& bonus, Effort& effort);

/// Gives each its margin and outcome, and keeps matches and the strongest of the others.
void weigh_together(std::vector<Candidate>& candidates);

/// The same for entries that may all be right at once, such as one mother on the rolls of each of her children.
void weigh_apart(std::vector<Candidate>& candidates);

}  // namespace flagpost::match
