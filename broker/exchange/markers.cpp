// What an authority's flags mean for a force's own markers on addresses: told when its list was loaded.
#include <algorithm>
#include <iterator>

#include "broker/core/limits.h"
#include "broker/exchange/decider.h"

namespace flagpost::exchange {

using log::LeafKind;
using log::Operation;

namespace {

constexpr const char* marker_kind = "flag_marker";

registry::FlagKey flag_key(const std::string& key) {
    const auto slash = key.find('/', 5);
    return {key.substr(5, slash - 5), key.substr(slash + 1)};
}

// A plan that stands now, of a child whose whereabouts are nobody else's to know of.
bool is_marked(const schemas::FlagValue& flag, const std::string& today) {
    return flag.delete_date.empty() && (flag.end_date.empty() || flag.end_date > today) &&
           flag.shield == schemas::Shield::none;
}

// What the rule does not list is not told.
void keep_listed(schemas::MarkerValue& marker, const std::set<std::string>& fields) {
    if (!fields.contains("kind")) marker.kind = {};
    if (!fields.contains("places")) marker.places.clear();
    if (!fields.contains("start_date")) marker.start_date.clear();
    if (!fields.contains("end_date")) marker.end_date.clear();
    if (!fields.contains("contact")) marker.contact.clear();
    if (!fields.contains("out_of_hours_contact")) marker.out_of_hours_contact.clear();
}

}  // namespace

// No name, no reference of the authority's: an address, how long, and whom to ask.
Decider::Changes Decider::marker_changes(const std::vector<std::string>& keys) const {
    const auto today = date::format("%F", date::floor<date::days>(now_));
    Changes changes;
    for (const auto& key : keys) {
        auto marker = std::make_unique<schemas::MarkerValue>();
        const auto id = setting_.make_id("marker|" + key);
        marker->marker.assign(id.begin(), id.end());
        const auto* held = state.known.flag(flag_key(key));
        marker->removed = held == nullptr || !is_marked(held->value, today);
        if (!marker->removed) {
            const auto& flag = held->value;
            marker->kind = flag.kind;
            for (const auto& place : flag.places)
                if (place) marker->places.push_back(std::make_unique<schemas::DatedPlaceValue>(*place));
            marker->start_date = flag.start_date;
            marker->end_date = flag.end_date;
            marker->contact = flag.duty_contact;
            marker->out_of_hours_contact = flag.out_of_hours_contact;
        }
        changes.push_back(std::move(marker));
    }
    return changes;
}

// Also when nothing changed: a force must be able to say how old an authority's list is. A force that was never told
// anything is told of all that stands.
void Decider::tell_forces(const std::string& la, const std::vector<std::string>& changed,
                          std::uint64_t commit) {
    const auto* rule = setting_.agreement.rule_for(marker_kind, "social-care", "police");
    if (rule == nullptr) return;
    for (const auto& [force, party] : setting_.agreement.parties()) {
        if (force.kind() != "police") continue;
        const std::string topic = "markers/" + std::string{force.code()};
        auto keys = changed;
        if (next_number(topic) == 1) {
            keys.clear();
            for (auto held = state.known.flags().lower_bound({la, ""});
                 held != state.known.flags().end() && held->first.la == la; ++held)
                keys.push_back(registry::text(held->first));
        }
        auto changes = marker_changes(keys);
        std::size_t from = 0;
        do {
            const auto count = std::min(changes.size() - from, limits::markers_per_message_max);
            schemas::MarkersValue message;
            message.la = la;
            message.as_of_us = to_us(now_);
            std::move(changes.begin() + static_cast<std::ptrdiff_t>(from),
                      changes.begin() + static_cast<std::ptrdiff_t>(from + count),
                      std::back_inserter(message.changes));
            for (auto& marker : message.changes) keep_listed(*marker, rule->fields);
            std::vector<std::string> subjects(keys.begin() + static_cast<std::ptrdiff_t>(from),
                                              keys.begin() + static_cast<std::ptrdiff_t>(from + count));
            from += count;

            const auto number = next_number(topic);
            const std::string seed = topic + "|" + la + "|" + std::to_string(number);
            const auto id = setting_.make_id("markers|" + seed);
            const wire::Draft draft{schemas::Kind::markers,
                                    topic,
                                    "",
                                    rule->purpose,
                                    rule->legal_basis,
                                    std::nullopt,
                                    wire::pack<schemas::Markers>(message)};
            auto envelope = wire::make_envelope(draft, id, setting_.make_id("markers-salt|" + seed), now_);
            schemas::RecordBodyValue body;
            body.at_us = to_us(now_);
            body.envelope = envelope;
            body.item = item_facts(topic, number);
            auto record = record_by_broker(LeafKind::marked, Operation::disclosure);
            record.leaf.recipient = force.text();
            record.leaf.topic = topic;
            record.leaf.message = id;
            record.leaf.number = number;
            record.leaf.agreement = setting_.agreement.digest();
            record.leaf.rule = rule->id;
            record.leaf.purpose = rule->purpose;
            record.leaf.legal_basis = rule->legal_basis;
            record.leaf.candidates = static_cast<std::uint32_t>(count);
            record.leaf.related = commit;
            record.subjects = std::move(subjects);
            record.body = pack_body(body);
            record.controller = force.text();
            record.retention = rule->retention;
            record.sets.push_back(delivery_key(topic, number));
            const auto index = emit(std::move(record));
            outcome_.deliveries.push_back({topic, number, index, std::move(envelope)});
        } while (from < changes.size());
    }
}

}  // namespace flagpost::exchange
