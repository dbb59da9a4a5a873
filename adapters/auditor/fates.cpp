#include "adapters/auditor/fates.h"

#include <date/tz.h>

#include <algorithm>

#include "broker/exchange/body.h"

namespace flagpost::auditor {
namespace {

using log::LeafKind;

std::optional<Instant> due_in(const Record& record) {
    if (record.state != BodyState::open) return std::nullopt;
    const auto* const owed = exchange::read_body(record.body).obligation();
    if (owed == nullptr || owed->due_us() == 0) return std::nullopt;
    return from_us(owed->due_us());
}

/// Midnight in London of the Monday of that week.
date::local_days monday_of(Instant instant) {
    static const date::time_zone* const london = date::locate_zone("Europe/London");
    const auto day = date::floor<date::days>(london->to_local(instant));
    return day - (date::weekday{day} - date::Monday);
}

Instant midnight(date::local_days day) {
    static const date::time_zone* const london = date::locate_zone("Europe/London");
    return Instant{london->to_sys(day, date::choose::earliest).time_since_epoch()};
}

}  // namespace

void Fates::add(const Record& record) {
    const auto& leaf = record.leaf;
    if (!leaf.message) return;
    if (leaf.kind == LeafKind::notice_issued) {
        places_[*leaf.message] = all_.size();
        all_.push_back({record.index, leaf.recipient, leaf.time, due_in(record), {}, {}, false, false});
        return;
    }
    const auto place = places_.find(*leaf.message);
    if (place == places_.end()) return;
    auto& fate = all_[place->second];
    // A reminder goes to the same recipient again.
    if (leaf.kind == LeafKind::escalated && leaf.recipient != fate.recipient) fate.escalated = true;
    if (leaf.kind != LeafKind::opened && leaf.kind != LeafKind::recorded) return;
    const bool recalled = leaf.outcome == "recalled";
    if (!fate.answered && !recalled) fate.answered = leaf.time;
    if (leaf.number == 0) return;
    fate.closed = leaf.time;
    fate.given_back = recalled || leaf.outcome == "not_this_child" || leaf.outcome == "not_on_roll";
    places_.erase(place);
}

std::string percent_of(const Share& share) {
    if (share.count >= share.of) return "100 %";
    const auto tenths = std::min<std::size_t>((share.count * 1000 + share.of / 2) / share.of, 999);
    return std::to_string(tenths / 10) + (tenths % 10 == 0 ? "" : "." + std::to_string(tenths % 10)) + " %";
}

std::size_t InTime::by(std::chrono::minutes offset) const {
    return static_cast<std::size_t>(std::ranges::upper_bound(answered, offset) - answered.begin());
}

InTime in_time(const std::vector<Fate>& fates, Instant now) {
    InTime result;
    for (const Fate& fate : fates) {
        if (!fate.recipient.starts_with("school/")) continue;
        if (fate.given_back && !fate.answered)
            continue;  // taken back before anybody read it: nothing was owed
        if (!fate.due)
            ++result.deadline_unknown;
        else if (fate.answered)
            // Rounded up: a second late is late.
            result.answered.push_back(std::chrono::ceil<std::chrono::minutes>(*fate.answered - *fate.due));
        else
            ++(*fate.due <= now ? result.never : result.not_yet_due);
    }
    std::ranges::sort(result.answered);
    return result;
}

Finished finished(const std::vector<Fate>& fates, Instant now) {
    Finished result;
    const auto last = monday_of(now), first = last - date::days{7 * (weeks_shown - 1)};
    for (std::size_t i = 0; i < weeks_shown; ++i)
        result.weeks.push_back({midnight(first + date::days{7 * static_cast<int>(i)})});
    for (const Fate& fate : fates) {
        if (!fate.due) ++result.by_issue;
        const auto week = monday_of(fate.due.value_or(fate.issued));
        if (week < first) {
            ++result.before;
            if (!fate.closed) ++result.open_before;
            continue;
        }
        if (week > last) {
            ++result.later;
            continue;
        }
        Week& into = result.weeks[static_cast<std::size_t>((week - first).count() / 7)];
        ++(!fate.closed      ? into.open
           : fate.given_back ? into.given_back
           : fate.escalated  ? into.escalated
                             : into.first);
    }
    return result;
}

}  // namespace flagpost::auditor
