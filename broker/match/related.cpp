#include "broker/match/related.h"

#include <date/date.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "broker/core/clock.h"
#include "broker/match/compare.h"
#include "broker/plain/text.h"
#include "broker/register/normal.h"

namespace flagpost::match {
namespace {

using schemas::IncidentPersonValue;
using schemas::Role;

constexpr int adult_days = 18 * 365 + 4;

/// Words that say that two people are not of one family. Any other word, also one we do not know, is taken to say
/// that they are: a family must not be missed because a system says "stepson" and we expected "child".
bool unrelated_word(std::string_view relation) {
    static constexpr std::array<std::string_view, 12> unrelated{
        "FRIEND",       "NEIGHBOUR",   "STRANGER",  "NONE",          "NOT RELATED",   "UNRELATED",
        "ACQUAINTANCE", "NO RELATION", "COLLEAGUE", "SCHOOL FRIEND", "SOCIAL WORKER", "TEACHER"};
    std::string words;
    for (const auto& word : plain::words(relation)) words += (words.empty() ? "" : " ") + word;
    return std::find(unrelated.begin(), unrelated.end(), words) != unrelated.end();
}

bool under_age(const IncidentPersonValue& person, std::int64_t occurred_us) {
    if (!person.person) return false;
    const auto born = registry::day_number(registry::date_form(person.person->date_of_birth));
    if (!born || occurred_us <= 0) return false;
    const auto day = date::floor<date::days>(from_us(occurred_us)).time_since_epoch().count();
    return day - *born < adult_days;
}

class Reader {
public:
    explicit Reader(const schemas::IncidentValue& incident) : incident_{incident} {
        const auto count = incident.people.size();
        result_.is_child.resize(count);
        result_.is_adult.resize(count);
        result_.to_adult.resize(count, Related::no);
        mentions_family_.resize(count);
    }

    Relations read() {
        for (std::size_t i = 0; i < incident_.people.size(); ++i) roles(i);
        for (std::size_t i = 0; i < incident_.people.size(); ++i) stated(i);
        for (std::size_t i = 0; i < incident_.people.size(); ++i) through_siblings();
        for (std::size_t i = 0; i < incident_.people.size(); ++i) by_home(i);
        for (std::size_t i = 0; i < incident_.people.size(); ++i) as_victim(i);
        return std::move(result_);
    }

private:
    void roles(std::size_t i) {
        const auto& person = incident_.people[i];
        if (!person) return;
        result_.is_adult[i] = person->role == Role::victim || person->role == Role::suspect;
        // Whoever is hit is a party, and under age a child as well, whose school is told; whoever hits is a party alone.
        result_.is_child[i] = person->role == Role::child ||
                              (person->role != Role::suspect && under_age(*person, incident_.occurred_us));
    }

    /// "child of 0" on the child's row, or "parent of 2" on the adult's: either is enough.
    void stated(std::size_t i) {
        const auto& person = incident_.people[i];
        if (!person) return;
        for (const auto& relationship : person->relationships) {
            if (!relationship || relationship->to >= incident_.people.size() || relationship->to == i)
                continue;
            const std::size_t other = relationship->to;
            mentions_family_[i] = mentions_family_[other] = true;
            if (unrelated_word(relationship->relation)) continue;
            if (result_.is_adult[other]) result_.to_adult[i] = Related::yes;
            if (result_.is_adult[i]) result_.to_adult[other] = Related::yes;
            if (result_.is_child[i] && result_.is_child[other]) kin_.emplace_back(i, other);
        }
    }

    void through_siblings() {
        for (const auto& [a, b] : kin_) {
            const auto closest = std::max(result_.to_adult[a], result_.to_adult[b]);
            result_.to_adult[a] = result_.to_adult[b] = closest;
        }
    }

    /// Nothing stated about a child: one home with a party is taken as family, an unknown home is left to a person.
    void by_home(std::size_t i) {
        if (!result_.is_child[i] || result_.to_adult[i] == Related::yes || mentions_family_[i]) return;
        const auto home = home_of(i);
        bool unknown = home.empty();
        for (std::size_t other = 0; other < incident_.people.size(); ++other) {
            if (!result_.is_adult[other] || other == i) continue;
            const auto theirs = home_of(other);
            unknown = unknown || theirs.empty();
            if (!home.empty() && !theirs.empty() && compare_places(home, theirs) <= Where::building) {
                result_.to_adult[i] = Related::yes;
                return;
            }
        }
        if (unknown) result_.to_adult[i] = Related::unclear;
    }

    /// A child that is hit, and nobody said by whom: a person looks.
    void as_victim(std::size_t i) {
        if (result_.is_child[i] && result_.is_adult[i])
            result_.to_adult[i] = std::max(result_.to_adult[i], Related::unclear);
    }

    registry::PlaceForm home_of(std::size_t i) const {
        const auto& person = incident_.people[i];
        return person && person->home ? registry::place_form(*person->home) : registry::PlaceForm{};
    }

    const schemas::IncidentValue& incident_;
    Relations result_;
    std::vector<bool> mentions_family_;
    std::vector<std::pair<std::size_t, std::size_t>> kin_;
};

}  // namespace

Relations relations(const schemas::IncidentValue& incident) { return Reader{incident}.read(); }

}  // namespace flagpost::match
