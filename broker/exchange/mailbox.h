/// One recipient's mailbox: which items stand in it, and which are not yet acknowledged.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "record_generated.h"

namespace flagpost::exchange {

using schemas::NumberRange;

/// Numbers are contiguous from 1. What is pending is kept twice: as numbers, with the record that holds each item,
/// and as ranges, which is how an acknowledgement is written down.
class Mailbox {
public:
    std::uint64_t high_water() const { return high_water_; }
    bool holds(std::uint64_t number) const { return pending_.contains(number); }
    /// The oldest pending item above `after`: its number and the index of its record.
    std::optional<std::pair<std::uint64_t, std::uint64_t>> next(std::uint64_t after) const;
    const std::map<std::uint64_t, std::uint64_t>& pending() const { return pending_; }
    std::vector<NumberRange> ranges() const;
    /// What would be pending without these.
    std::vector<NumberRange> ranges_without(const std::vector<std::uint64_t>& ascending) const;

    void add(std::uint64_t number, std::uint64_t index);
    void acknowledge(std::uint64_t number);
    /// The mailbox as an acknowledgement left it: forgets what is pending here and not among `remaining`, and says
    /// which numbers that were.
    std::vector<std::uint64_t> settle(std::uint64_t high_water, const std::vector<NumberRange>& remaining);

private:
    std::uint64_t high_water_ = 0;
    std::map<std::uint64_t, std::uint64_t> pending_;  // number to index
    std::map<std::uint64_t, std::uint64_t> ranges_;   // first to last
};

/// Ascending numbers as the fewest ranges.
std::vector<NumberRange> to_ranges(const std::vector<std::uint64_t>& ascending);

}  // namespace flagpost::exchange
