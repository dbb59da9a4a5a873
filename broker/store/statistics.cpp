#include "broker/store/statistics.h"

#include <algorithm>

namespace flagpost::store {
namespace {

// Only these words are ever kept: a topic that somebody was refused may be any text.
constexpr std::array<std::string_view, 13> topic_classes{
    "bench",    "flags",     "incidents", "markers", "notices", "operations", "orders",
    "receipts", "reference", "reports",   "results", "reviews", "rolls"};

std::string_view topic_class(std::string_view topic) {
    const auto name = topic.substr(0, topic.find('/'));
    const auto* known = std::ranges::find(topic_classes, name);
    if (known != topic_classes.end()) return *known;
    return topic.empty() ? "" : "other";
}

/// "school" of "school/122802" and of "spiffe://notts.example/school/122802".
std::string_view agency_kind(std::string_view agency) {
    constexpr std::string_view scheme = "spiffe://";
    if (agency.starts_with(scheme))
        agency.remove_prefix(std::min(agency.size(), agency.find('/', scheme.size()) + 1));
    return agency.substr(0, agency.find('/'));
}

Event event_of(const log::Record& record) {
    const auto& leaf = record.leaf;
    const auto hour = std::chrono::floor<std::chrono::hours>(leaf.time);
    const auto agency = agency_kind(leaf.recipient.empty() ? leaf.actor : leaf.recipient);
    Event event{hour, leaf.kind, std::string{agency}, topic_class(leaf.topic), {}};
    if (!record.since) return event;
    const auto* step = std::ranges::lower_bound(within_steps, leaf.time - *record.since);
    event.within = step == within_steps.end() ? within_steps.back() : *step;
    return event;
}

}  // namespace

void Tally::add(const log::Record& record) {
    auto& count = counts_[event_of(record)];
    ++count.count;
    if (record.since)
        count.waited += std::chrono::floor<std::chrono::seconds>(record.leaf.time - *record.since);
}

void Tally::add(const Tally& other) {
    for (const auto& [event, more] : other.counts_) {
        auto& count = counts_[event];
        count.count += more.count;
        count.waited += more.waited;
    }
}

}  // namespace flagpost::store
