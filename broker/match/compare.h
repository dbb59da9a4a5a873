/// Two people compared field by field, and what each agreement or difference counts for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/match/fields.h"
#include "broker/match/match.h"
#include "broker/match/place.h"
#include "broker/register/person_index.h"

namespace flagpost::match {

/// How two people compare in their best reading of names.
struct Comparison {
    Given given = Given::missing;
    Family family = Family::missing;
    bool swapped = false;     // given and family name stand in each other's field
    bool other_name = false;  // an alias or former name agreed better than the main one
    Born born = Born::missing;
    Where where = Where::missing;
    Sex sex = Sex::missing;
    Identifier identifier = Identifier::missing;
    bool look_alike = false;    // the given names differ, and each is a name of its own
    bool surely_child = false;  // police say that this is a child, so it is no parent of the same name
    int years_apart = 0;
    Millibits given_weight = 0, family_weight = 0;  // against a stranger, by how common the name is
};

Comparison compare(const registry::PersonForm& ours, const registry::PersonForm& theirs,
                   const registry::Pool& pool);

/// Each weight of the comparison, `prior` first; their sum is the score against a stranger.
std::vector<Evidence> evidence(const Comparison& comparison, Millibits prior);

/// The lesser of two scores: against a stranger, and against another member of the same household, who shares family
/// name and address and, as a twin, even the date of birth.
Millibits score(const Comparison& comparison, Millibits prior);

/// Why this comparison may not be acted on without a person's look, however high its score; nothing if it may.
std::optional<std::string> held_back(const Comparison& comparison);

/// What agrees and what differs, each in a sentence without names.
std::vector<std::string> in_words(const Comparison& comparison);

/// Chance of a match before anything is compared.
Millibits prior_of(const registry::Pool& pool, Millibits share_on_register);

/// Weights and thresholds as text, for the engine digest.
std::string weights_text();

}  // namespace flagpost::match
