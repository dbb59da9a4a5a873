/// The names of one person compared with those of many.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "broker/match/fields.h"
#include "broker/match/match.h"
#include "broker/register/person_index.h"

namespace flagpost::match {

/// How the names of two people compare in their best reading.
struct NameComparison {
    Given given = Given::missing;
    Family family = Family::missing;
    bool swapped = false;                           // given and family name stand in each other's field
    bool other_name = false;                        // an alias or former name agreed better than the main one
    bool look_alike = false;                        // the given names differ, and each is a name of its own
    Millibits given_weight = 0, family_weight = 0;  // against a stranger, by how common the name is
};

/// Made for one search in one pool. Many candidates share a family name, and some a given name: what a part of a name
/// comes to beside ours is worked out once.
class NameComparer {
public:
    /// `candidates`: about how many rows will be compared.
    NameComparer(const registry::PersonForm& ours, const registry::Pool& pool, std::size_t candidates);

    NameComparison best(const registry::PersonForm& theirs);

private:
    /// A part of a row's name beside one of our names. Given or family name of ours, as theirs is.
    struct Beside {
        const registry::NamePart* theirs;  // null: nothing here yet
        Millibits weight;
        std::uint8_t number;  // of our name
        Given given;
        Family family;
        bool look_alike : 1;
        bool swapped : 1, nearly_swapped : 1;  // it is our other part
    };
    static_assert(sizeof(Beside) == 16, "or clearing the table costs more than it saves");
    using Compare = Beside (NameComparer::*)(const registry::NameForm& ours,
                                             const registry::NamePart& theirs) const;
    const Beside& beside(std::size_t number, const registry::NamePart* theirs, Compare compare_part);
    /// Our names in each other's place, of which at least one agrees; `straight` if that says more.
    NameComparison crosswise(const NameComparison& straight, std::size_t number,
                             const registry::NameForm& theirs) const;
    Beside compare_given_part(const registry::NameForm& ours, const registry::NamePart& theirs) const;
    Beside compare_family_part(const registry::NameForm& ours, const registry::NamePart& theirs) const;
    NameComparison compare(std::size_t number, const registry::NameForm& theirs);

    const registry::PersonForm& ours_;
    const registry::Pool& pool_;
    static constexpr std::size_t places_max = 1024;
    std::size_t places_;                   // in use, a power of two: few for few candidates
    std::array<Beside, places_max> seen_;  // a newer part takes the place of an older one
};

}  // namespace flagpost::match
