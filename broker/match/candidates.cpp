#include "broker/match/candidates.h"

#include <algorithm>
#include <climits>
#include <tuple>

#include "broker/match/screen.h"

namespace flagpost::match {
namespace {

using registry::PersonForm;
using registry::PlaceForm;
using registry::Row;
using schemas::Outcome;

bool share_an_address(const PersonForm& a, const PersonForm& b) {
    return std::any_of(a.places.begin(), a.places.end(), [&](const auto& here) {
        return std::any_of(b.places.begin(), b.places.end(), [&](const auto& there) {
            return compare_places(*here.place, *there.place) <= Where::full;
        });
    });
}

/// Two entries for one and the same person: two authorities' flags, two schools' rolls, one father on two flags.
bool same_identity(const PersonForm& a, const PersonForm& b) {
    if (!a.upn.empty() && a.upn == b.upn) return true;
    if (!a.nhs_number.empty() && a.nhs_number == b.nhs_number) return true;
    if (!a.upn.empty() && !b.upn.empty()) return false;
    if (a.names.empty() || b.names.empty() || !(a.names.front() == b.names.front()) || !(a.born == b.born))
        return false;
    return a.born.whole() || share_an_address(a, b);
}

/// Whether `other` casts doubt on `mine`. Beside a child whose whole name and date agree, one of another first name is
/// a twin and no rival.
bool rivals(const Candidate& mine, const Candidate& other) {
    const auto whole = [](const Comparison& c) {
        return c.given == Given::exact && c.family == Family::exact && c.born == Born::exact && !c.swapped;
    };
    if (whole(mine.comparison) && other.comparison.given != Given::exact) return false;
    return !same_identity(mine.row->person, other.row->person);
}

/// So old that few live with a parent, and so hardly any with a twin.
bool left_home(const PersonForm& person, int year) {
    return person.born.year != 0 && year - person.born.year > left_home_age;
}

/// An order of rows that does not depend on when they were added.
bool before(const Row& a, const Row& b) {
    static const registry::FlagKey no_flag;
    static const registry::PupilKey no_pupil;
    const auto key = [](const Row& row) {
        return std::tie(row.flag ? *row.flag : no_flag, row.pupil ? *row.pupil : no_pupil, row.number);
    };
    return key(a) < key(b);
}

bool is_of_adult(const Candidate& candidate) {
    return candidate.row->kind == registry::RowKind::linked_adult ||
           candidate.row->kind == registry::RowKind::contact;
}

/// Nobody gave an address; the date is at most misspelt, and so is one of the names, or both are far from unlike. Of grown
/// people a first name with a date that is only nearly theirs is not enough: too many in a county have those in common.
bool alike_without_home(const Candidate& candidate) {
    const auto& c = candidate.comparison;
    if (c.where != Where::missing || c.born > Born::one_digit) return false;
    if (c.family <= Family::similar) return true;
    return (!is_of_adult(candidate) || c.born <= Born::exact_new_year) &&
           (c.given <= Given::similar || (c.family == Family::distant && c.given == Given::distant));
}

Outcome outcome_of(const Candidate& candidate) {
    if (candidate.margin < low_from) return Outcome::none;
    const auto& c = candidate.comparison;
    // Without an address there are many strangers to be alike to, most of all by name alone.
    const bool elsewhere =
        !place_agrees(c) && !alike_without_home(candidate) && c.identifier != Identifier::same;
    if (elsewhere &&
        candidate.margin < (c.born == Born::conflict || c.born == Born::near_year ? 0 : low_from_elsewhere))
        return Outcome::none;
    const bool name_alone =
        c.born == Born::missing && c.where == Where::missing && c.identifier != Identifier::same;
    if (candidate.margin < potential_from || name_alone) return Outcome::low;
    if (candidate.margin < match_from || candidate.held) return Outcome::potential;
    return Outcome::match;
}

/// A margin lifts some holds, but of a grown person only near a place of theirs: police hear of several hundred adults for
/// each who is linked to a flag, far more than the score supposes, and some have another's first name, date of birth and
/// nearly the family name.
std::optional<std::string> held(const Candidate& candidate) {
    const auto hold = held_back(candidate.comparison);
    if (!hold) return std::nullopt;
    const bool may_be_lifted = !is_of_adult(candidate) || place_agrees(candidate.comparison);
    if (may_be_lifted && candidate.margin >= hold->lifted_from) return std::nullopt;
    return hold->why;
}

/// How the strongest of those that stand against `mine` does: alone, and against a stranger.
struct Rival {
    Millibits score = INT_MIN / 4, apart = INT_MIN / 4;
};
Rival best_rival(const std::vector<Candidate>& candidates, const Candidate& mine) {
    Rival best;
    for (const auto& other : candidates) {
        if (&other == &mine || !rivals(mine, other)) continue;
        best.score = std::max(best.score, other.score);
        best.apart = std::max(best.apart, other.apart);
    }
    return best;
}

void drop(std::vector<Candidate>& candidates, const std::function<bool(const Candidate&)>& unwanted) {
    candidates.erase(std::remove_if(candidates.begin(), candidates.end(), unwanted), candidates.end());
}

}  // namespace

namespace {

/// The rows that may reach an outcome. Briefs are fetched ahead of their use, and so are those of names.
std::vector<std::uint32_t>& screened(const Query& query, const registry::Pool& pool, Millibits start,
                                     std::vector<std::uint32_t>& rows) {
    const Screen screen{query, pool, start};
    std::size_t kept = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (i + 16 < rows.size()) __builtin_prefetch(&pool.brief(rows[i + 16]));
        if (i + 6 < rows.size()) {
            const auto& ahead = pool.brief(rows[i + 6]);
            __builtin_prefetch(&pool.given_brief(ahead.given));
            __builtin_prefetch(&pool.family_brief(ahead.family));
        }
        if (screen.may_be_found(pool.brief(rows[i]))) rows[kept++] = rows[i];
    }
    rows.resize(kept);
    return rows;
}

}  // namespace

std::vector<Candidate> search(const Query& query, const registry::Pool& pool, Millibits share,
                              const Wanted& wanted, const Bonus& bonus, Effort& effort) {
    registry::Found found;
    pool.find(*query.keys, found);
    effort.dropped += found.dropped;
    effort.compared += static_cast<std::uint32_t>(found.rows.size());
    if (found.rows.empty()) return {};
    const auto prior = prior_of(pool, share);
    const auto& rows = screened(query, pool, prior + bonus.points, found.rows);
    NameComparer names{*query.person, pool, rows.size()};
    std::vector<Candidate> candidates;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        // Rows lie anywhere in much memory: the next ones are asked for while this one is compared.
        if (i + 8 < rows.size()) __builtin_prefetch(&pool.row(rows[i + 8]));
        if (i + 4 < rows.size()) __builtin_prefetch(pool.row(rows[i + 4]).person.names.data());
        const auto& row = pool.row(rows[i]);
        auto comparison = compare(*query.person, row.person, names);
        if (score_at_most(comparison, prior) + bonus.points < low_from) continue;
        comparison.surely_child = query.surely_child;
        comparison.left_home = left_home(*query.person, query.year);
        compare_homes(comparison, *query.person, row.person, pool);
        weigh_estimate(comparison, row.person, pool);
        add_attended(comparison, *query.attended, row.person);
        auto points = score(comparison, prior);
        if (points + bonus.points < low_from) continue;
        if (bonus.points != 0 && bonus.speaks_for(row)) points += bonus.points;
        if (points < low_from || !wanted(row)) continue;
        Candidate candidate;
        candidate.row = &row;
        candidate.comparison = comparison;
        candidate.prior = prior;
        candidate.score = points;
        candidate.apart = points - score(comparison, prior) + stranger_score(comparison, prior);
        candidates.push_back(std::move(candidate));
    }
    std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
        return a.score != b.score ? a.score > b.score : before(*a.row, *b.row);
    });
    return candidates;
}

void weigh_together(std::vector<Candidate>& candidates) {
    for (auto& mine : candidates) {
        const auto rival = best_rival(candidates, mine);
        mine.margin = std::min(mine.score, mine.apart - rival.apart);
        mine.held = held(mine);
        mine.outcome = outcome_of(mine);
        // Two different people both fit: a person must choose, whatever either scores.
        const bool both_fit =
            mine.score >= match_from && rival.score >= potential_from && mine.margin < match_from;
        if (both_fit && mine.outcome != Outcome::none) mine.outcome = Outcome::many;
    }
    std::size_t unsure = 0;
    drop(candidates, [](const Candidate& c) { return c.outcome == Outcome::none; });
    drop(candidates,
         [&](const Candidate& c) { return c.outcome != Outcome::match && ++unsure > candidates_shown; });
}

void weigh_apart(std::vector<Candidate>& candidates) {
    for (auto& candidate : candidates) {
        candidate.margin = candidate.score;
        candidate.held = held(candidate);
        candidate.outcome = outcome_of(candidate);
    }
    drop(candidates, [](const Candidate& c) { return c.outcome < Outcome::potential; });
}

}  // namespace flagpost::match
