/// Most of those a search comes across are somebody else: this sees it by what the register holds of them in brief.
#pragma once

#include <vector>

#include "broker/match/candidates.h"

namespace flagpost::match {

/// Made for one search in one pool. What it leaves out could not have reached the lowest outcome.
class Screen {
public:
    /// `start`: the prior and what else may speak for a row.
    Screen(const Query& query, const registry::Pool& pool, Millibits start);

    /// False only if the score of the row is below `low_from`.
    bool may_be_found(const registry::RowBrief& row) const;

private:
    /// A name of ours.
    struct Name {
        registry::PartBrief given, family;
        // What the parts that equal them bear as number and weight.
        std::optional<std::uint32_t> given_number, family_number;
        Millibits given_exact, family_exact;
    };
    /// An address of ours.
    struct Home {
        std::uint16_t postcode, number;
        bool uprn, town;
        bool attended;  // where police went: counts only where it agrees
    };
    Millibits where_at_most(const registry::RowBrief& row) const;
    Millibits given_at_most(const Name& ours, const registry::RowBrief& row) const;
    Millibits family_at_most(const Name& ours, const registry::RowBrief& row) const;
    bool perhaps_swapped(const Name& ours, const registry::RowBrief& row) const;
    bool perhaps_crosswise(const Name& ours, const registry::RowBrief& row) const;

    const registry::PersonForm& ours_;
    const registry::Pool& pool_;
    Millibits start_;
    std::vector<Name> names_;
    std::vector<Home> homes_;
    Millibits given_most_ = 0, family_most_ = 0, names_most_ = 0;  // whoever it is
    bool identified_;
};

}  // namespace flagpost::match
