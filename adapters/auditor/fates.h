/// What became of every notice owed, and what charts and pages count of it. Pure: records in, numbers out.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adapters/auditor/records.h"

namespace flagpost::auditor {

/// One notice, from the entry that owes it to the one that closes it.
struct Fate {
    std::uint64_t index = 0;  // of the entry that owes it
    std::string recipient;
    Instant issued;
    std::optional<Instant> due;       // nothing where the body that says so is not open
    std::optional<Instant> answered;  // first opened or recorded by a named person
    std::optional<Instant> closed;
    bool escalated = false;   // somebody else was told before it was closed
    bool given_back = false;  // closed as not about them: "not_this_child", "not_on_roll"
};

class Fates {
public:
    /// Of every record of a log, in order.
    void add(const Record& record);
    const std::vector<Fate>& all() const { return all_; }

private:
    std::vector<Fate> all_;
    std::map<Id16, std::size_t> places_;  // of those open, in all_
};

struct Share {
    std::size_t count = 0, of = 0;
};
/// "97.8 %"; all of nothing is "100 %". Never rounded up to 100: what is missing must show.
std::string percent_of(const Share& share);

/// Were schools told in time? Notices to schools, owed by `now` with a deadline that is known: how long before or after it
/// each was first answered.
struct InTime {
    std::vector<std::chrono::minutes> answered;  // after the deadline, ascending; before it: negative
    std::size_t never = 0;                       // overdue, and nobody has answered
    std::size_t not_yet_due = 0;                 // not answered; not counted among those owed
    std::size_t deadline_unknown = 0;            // not counted either

    std::size_t owed() const { return answered.size() + never; }
    std::size_t by(std::chrono::minutes offset) const;  // answered until then
    Share in_time() const { return {by(std::chrono::minutes{0}), owed()}; }
};
InTime in_time(const std::vector<Fate>& fates, Instant now);

/// Was every notice finished? By the week, Monday first, in which it was due, or was issued where that is not known.
struct Week {
    Instant begins;             // midnight in London
    std::size_t first = 0;      // closed by whoever was told first
    std::size_t escalated = 0;  // closed after somebody else was told
    std::size_t given_back = 0;
    std::size_t open = 0;
    std::size_t all() const { return first + escalated + given_back + open; }
};
inline constexpr std::size_t weeks_shown = 13;
struct Finished {
    std::vector<Week> weeks;      // the last 13 up to `now`, also those with none, the oldest first
    std::size_t before = 0;       // notices of weeks before those
    std::size_t open_before = 0;  // of them still open
    std::size_t later = 0;        // due after this week
    std::size_t by_issue = 0;     // of unknown deadline, and so by when they were issued
};
Finished finished(const std::vector<Fate>& fates, Instant now);

}  // namespace flagpost::auditor
