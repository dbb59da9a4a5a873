#include <algorithm>
#include <iterator>
#include <utility>

#include "broker/core/limits.h"
#include "broker/exchange/decider.h"

namespace flagpost::exchange {

using log::LeafKind;
using log::Operation;

namespace {

struct Closing {
    Due due;
    bool is_window;  // else the end of its threads
};

// A version come late, older than the newest, has opened the window anew for longer: without the threads it would be the newest
// one known.
bool is_outlasted(const Due& thread_end, const RetainedIncident& incident) {
    return incident.window && thread_end < *incident.window;
}

// What is due, oldest first, at most `count`.
std::vector<Closing> closings_due(const State& state, Instant now, std::size_t count) {
    std::vector<Closing> due;
    auto window = state.windows.begin();
    auto thread = state.thread_ends.begin();
    while (due.size() < count) {
        while (thread != state.thread_ends.end() &&
               is_outlasted(thread->first, state.incidents.at(*thread->second)))
            ++thread;
        const bool has_window = window != state.windows.end() && window->first.at <= now;
        const bool has_thread = thread != state.thread_ends.end() && thread->first.at <= now;
        if (!has_window && !has_thread) break;
        const bool take_window = has_window && (!has_thread || window->first < thread->first);
        due.push_back({take_window ? (window++)->first : (thread++)->first, take_window});
    }
    return due;
}

}  // namespace

// A leaf names what it destroyed, and a leaf is bounded: what does not fit goes into records behind it, which
// change no state.
void Decider::emit_erasure(log::Record record) {
    auto shreds = std::move(record.shreds);
    auto erases = std::move(record.erases);
    auto more = record;
    more.body.clear();
    more.drops.clear();
    const auto take = [](auto& from, auto& into, std::size_t most) {
        const auto count = std::min(from.size(), most);
        const auto end = from.begin() + static_cast<std::ptrdiff_t>(count);
        into.assign(std::make_move_iterator(from.begin()), std::make_move_iterator(end));
        from.erase(from.begin(), end);
        return count;
    };
    do {
        auto count = take(shreds, record.shreds, limits::erased_per_record_max);
        count += take(erases, record.erases, limits::erased_per_record_max - count);
        record.leaf.candidates = static_cast<std::uint32_t>(count);
        emit(std::exchange(record, more));
    } while (!shreds.empty() || !erases.empty());
}

// Once an incident's threads are not kept any more, nobody it was escalated to can answer late either.
void Decider::forget_escalations(const RetainedIncident& incident, log::Record& record) const {
    for (const auto& [child, thread] : incident.threads)
        for (const auto& notice : thread.notices) {
            if (state.obligations.contains(notice)) continue;  // until it is closed
            forget_escalations(notice, record);
            const auto waiting = state.answered_elsewhere.find(notice);
            if (waiting != state.answered_elsewhere.end() && !state.holds(waiting->second))
                record.drops.push_back(closed_key(notice));
        }
}

void Decider::forget_escalations(const Id16& notice, log::Record& record) const {
    const auto others = state.escalated.find(notice);
    if (others == state.escalated.end()) return;
    for (const auto& [rung, item] : others->second)
        if (!state.holds(item)) record.drops.push_back(escalated_key(notice, rung));
}

// The late-flag window of an incident ends 72 hours after its newest version came. If nobody was told anything, all
// that was kept of it is destroyed, but for what a legal hold keeps; if somebody was, it is their business record and stays for its retention class,
// while the exchange keeps only what it needs to thread an update.
void Decider::close_windows() {
    for (std::size_t done = 0; done < limits::closings_per_tick_max;) {
        const auto closings = closings_due(state, now_, limits::closings_per_record_max);
        if (closings.empty()) return;
        done += closings.size();

        auto record = record_by_broker(LeafKind::erased, Operation::none);
        schemas::RecordBodyValue body;
        body.at_us = to_us(now_);
        std::set<std::uint64_t>
            decisions_dropped;  // an incident may be there twice: its window and its threads
        for (const auto& closing : closings) {
            if (!closing.is_window) {
                const auto& incident = state.incidents.at(*state.thread_ends.at(closing.due));
                body.threads.emplace_back(std::make_unique<schemas::ClosedThreadValue>());
                body.threads.back()->ends_us = to_us(closing.due.at);
                body.threads.back()->index = closing.due.index;
                decisions_dropped.insert(incident.decisions.begin(), incident.decisions.end());
                forget_escalations(incident, record);
                continue;
            }
            const auto& incident = state.incidents.at(*state.windows.at(closing.due));
            const bool matched = !incident.threads.empty();
            body.windows.emplace_back(std::make_unique<schemas::ClosedWindowValue>());
            body.windows.back()->ends_us = to_us(closing.due.at);
            body.windows.back()->index = closing.due.index;
            body.windows.back()->matched = matched;
            const bool held = !matched && is_held(*state.windows.at(closing.due), incident);
            body.windows.back()->held = held;
            auto& ended = matched || held ? record.drops : record.shreds;
            for (const auto index : incident.received) ended.push_back(incident_key(index));
            if (matched)
                decisions_dropped.insert(incident.decisions.begin(), std::prev(incident.decisions.end()));
            else if (held)
                decisions_dropped.insert(incident.decisions.begin(), incident.decisions.end());
            else
                for (const auto index : incident.decisions) record.shreds.push_back(decision_key(index));
        }
        for (const auto index : decisions_dropped) record.drops.push_back(decision_key(index));
        if (!record.shreds.empty()) record.leaf.operation = Operation::erasure;
        record.leaf.outcome = "late_flag_window";
        record.body = pack_body(body);
        record.controller = setting_.self.agency().text();
        record.retention = "erasure";
        emit_erasure(std::move(record));
    }
}

}  // namespace flagpost::exchange
