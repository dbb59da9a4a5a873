/// Two people compared field by field, and what each agreement or difference counts for.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/match/fields.h"
#include "broker/match/match.h"
#include "broker/match/names.h"
#include "broker/match/place.h"
#include "broker/register/person_index.h"

namespace flagpost::match {

/// How two people compare.
struct Comparison : NameComparison {
    Born born = Born::missing;
    Where where = Where::missing;
    Millibits where_weight = 0;  // a town by how many live there
    Sex sex = Sex::missing;
    Identifier identifier = Identifier::missing;
    bool surely_child = false;  // police say that this is a child, so it is no parent of the same name
    bool left_home = false;     // so old that a twin lives elsewhere
    bool estimate_of_few =
        false;             // both born on 1 January, and hardly anybody else of that date is called so
    int years_apart = -1;  // -1: of one the year is not known
};

/// Everything but the addresses, which are dear to compare. `names` is of the same person as `ours`.
Comparison compare(const registry::PersonForm& ours, const registry::PersonForm& theirs, NameComparer& names);
/// The addresses as well: the best of theirs beside the best of ours.
void compare_homes(Comparison& comparison, const registry::PersonForm& ours,
                   const registry::PersonForm& theirs, const registry::Pool& pool);
/// Whether the 1 January on which both were born is theirs alone, going by what others born on one are called.
void weigh_estimate(Comparison& comparison, const registry::PersonForm& theirs, const registry::Pool& pool);
/// Where police went speaks for a person who is on the register there, and not against one who is not.
void add_attended(Comparison& comparison, const registry::PlaceForm& attended,
                  const registry::PersonForm& theirs);
/// Takes another place as the one by which the two agree.
void set_where(Comparison& comparison, Where where);

// What a name at this level counts for against a stranger; an exact one by how many of the pool bear it.
Millibits given_weight(Given value, const registry::NamePart& theirs, const registry::Pool& pool);
Millibits family_weight(Family value, const registry::NamePart& theirs, const registry::Pool& pool);
Millibits swapped_weight(bool exact);
inline constexpr Millibits swapped_less =
    4500;  // one name in some twenty is written so, where it is not both
inline constexpr Millibits crosswise_other_max = 5000;  // of the part that does not agree
inline constexpr Millibits name_weight_min = 4500;
inline constexpr Millibits name_weight_max = 10500;
inline constexpr Millibits near_less = 2500;  // a name few bear is also one that few come near to
inline constexpr Millibits near_weight_max = name_weight_max - near_less;

// What a level counts for; exact names as if nobody else bore them.
Millibits weight_of(Given value);
Millibits weight_of(Family value);
Millibits weight_of(Born value);
Millibits weight_of(Where value);
Millibits weight_of(Sex value);
inline constexpr Millibits town_weight_max = 5500;

/// Each weight of the comparison, `prior` first; their sum is the score against a stranger.
std::vector<Evidence> evidence(const Comparison& comparison, Millibits prior);

/// The lesser of two scores: against a stranger, and against another member of the same household, who shares family
/// name and address and, as a twin, even the date of birth.
Millibits score(const Comparison& comparison, Millibits prior);

/// The score against a stranger alone.
Millibits stranger_score(const Comparison& comparison, Millibits prior);

/// What the score cannot exceed, whatever the addresses are.
Millibits score_at_most(const Comparison& comparison, Millibits prior);

/// Why a comparison is not acted on without a person's look, and the margin from which it is after all.
struct Hold {
    const char* why;
    Millibits lifted_from;
};
inline constexpr Millibits never = std::numeric_limits<Millibits>::max();

/// An address or a telling town agrees: somebody of that name elsewhere is another person more often than one nearby.
bool place_agrees(const Comparison& comparison);

/// Nothing if the margin alone decides.
std::optional<Hold> held_back(const Comparison& comparison);

/// What a comparison is of, "Date of birth", and what it found, in a sentence without names. Also of evidence that other parts add.
std::pair<const char*, const char*> finding(const Evidence& evidence);

/// What agrees and what differs, each in a sentence without names.
std::vector<std::string> in_words(const Comparison& comparison);

/// Chance of a match before anything is compared.
Millibits prior_of(const registry::Pool& pool, Millibits share_on_register);

/// Weights and thresholds as text, for the engine digest.
std::string weights_text();

}  // namespace flagpost::match
