#include "broker/exchange/mailbox.h"

#include <algorithm>

namespace flagpost::exchange {

std::optional<std::pair<std::uint64_t, std::uint64_t>> Mailbox::next(std::uint64_t after) const {
    const auto found = pending_.upper_bound(after);
    if (found == pending_.end()) return std::nullopt;
    return *found;
}

std::vector<NumberRange> Mailbox::ranges() const {
    std::vector<NumberRange> all;
    all.reserve(ranges_.size());
    for (const auto& [first, last] : ranges_) all.emplace_back(first, last);
    return all;
}

// Items are added in the order of their numbers, with gaps only where recovery leaves out what is acknowledged.
void Mailbox::add(std::uint64_t number, std::uint64_t index) {
    if (number <= high_water_) return;
    high_water_ = number;
    pending_.emplace_hint(pending_.end(), number, index);
    if (!ranges_.empty() && ranges_.rbegin()->second + 1 == number)
        ranges_.rbegin()->second = number;
    else
        ranges_.emplace_hint(ranges_.end(), number, number);
}

void Mailbox::acknowledge(std::uint64_t number) {
    if (pending_.erase(number) == 0) return;
    auto range = std::prev(ranges_.upper_bound(number));
    const auto [first, last] = *range;
    ranges_.erase(range);
    if (first < number) ranges_.emplace(first, number - 1);
    if (number < last) ranges_.emplace(number + 1, last);
}

std::vector<NumberRange> Mailbox::ranges_without(const std::vector<std::uint64_t>& ascending) const {
    std::vector<NumberRange> remaining;
    auto next = ascending.begin();
    for (const auto& [start, last] : ranges_) {
        auto first = start;
        next = std::lower_bound(next, ascending.end(), first);
        for (; next != ascending.end() && *next <= last; ++next) {
            if (first < *next) remaining.emplace_back(first, *next - 1);
            first = *next + 1;
        }
        if (first <= last) remaining.emplace_back(first, last);
    }
    return remaining;
}

std::vector<std::uint64_t> Mailbox::settle(std::uint64_t high_water,
                                           const std::vector<NumberRange>& remaining) {
    high_water_ = std::max(high_water_, high_water);
    const auto as_remaining = [](const auto& mine, const NumberRange& other) {
        return mine.first == other.first() && mine.second == other.last();
    };
    if (std::ranges::equal(ranges_, remaining, as_remaining)) return {};
    std::map<std::uint64_t, std::uint64_t> kept;
    for (const auto& range : remaining)
        kept.insert(pending_.lower_bound(range.first()), pending_.upper_bound(range.last()));
    std::vector<std::uint64_t> forgotten;
    for (const auto& [number, index] : pending_)
        if (!kept.contains(number)) forgotten.push_back(number);
    pending_ = std::move(kept);
    ranges_.clear();
    std::vector<std::uint64_t> numbers;
    for (const auto& [number, index] : pending_) numbers.push_back(number);
    for (const auto& range : to_ranges(numbers)) ranges_.emplace(range.first(), range.last());
    return forgotten;
}

std::vector<NumberRange> to_ranges(const std::vector<std::uint64_t>& ascending) {
    std::vector<NumberRange> ranges;
    for (const auto number : ascending) {
        if (!ranges.empty() && ranges.back().last() + 1 == number)
            ranges.back() = {ranges.back().first(), number};
        else
            ranges.emplace_back(number, number);
    }
    return ranges;
}

}  // namespace flagpost::exchange
