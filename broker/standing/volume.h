/// Whether less comes than is to be expected: each topic is held against its own past, hour by hour of the week.
///
/// What is expected of an hour is what that hour of the week brought in the up to eight weeks before, in London's time. The last
/// 3, 6, 12, 24, 72, 168 and 336 hours are looked at, of which each asks: how likely are so few, or fewer, if nothing is wrong? The
/// answer is a negative binomial's, whose variance is what windows of that length showed in the past, and never below a
/// Poisson's. Only windows of which at least volume_expected_min are expected count, so that a quiet night alarms nobody.
///
/// - While the broker did not run nothing is counted and nothing expected.
/// - Bank holidays are neither judged nor learnt from.
/// - Before there are volume_history_min of watched time, nothing is said.
/// - A backlog handed over at once counts for at most four times what nine of ten hours stay below.
#pragma once

#include <date/tz.h>

#include <map>
#include <string>
#include <string_view>

#include "broker/core/result.h"
#include "broker/standing/standing.h"

namespace flagpost::standing {

/// P(X <= observed) of a negative binomial with this mean and variance = mean * dispersion; a Poisson's at dispersion 1.
double chance_of_at_most(std::uint64_t observed, double mean, double dispersion);

class Volumes {
public:
    explicit Volumes(const date::time_zone* zone) : zone_{zone} {}

    /// Counts of a process that began at 0, at a time that never goes back. Between two calls no more than a minute apart the
    /// broker was there; a longer time nobody watched.
    void count(const std::vector<Flow>& flows, Instant at);

    /// Each topic ever counted, by the whole hours that are over. By topic.
    std::vector<Volume> judge(Instant now, const std::set<std::string>& bank_holidays) const;

    /// What was counted, as JSON, to be kept over a restart; and back, instead of what is here.
    std::string text() const;
    Result<void> restore(std::string_view text);

private:
    using Hour = std::int64_t;  // since 1970, UTC
    struct Cell {
        std::int64_t watched_us = 0;
        std::map<std::string, std::uint64_t> counts{};
    };

    Volume judge(const std::string& topic, Hour end, const std::map<Hour, int>& slots) const;

    const date::time_zone* zone_;
    std::map<Hour, Cell> hours_;
    std::map<std::string, std::uint64_t> seen_;  // of this process
    std::optional<Instant> looked_;
};

}  // namespace flagpost::standing
