#include <algorithm>

#include "broker/core/limits.h"
#include "broker/exchange/checks.h"
#include "broker/exchange/decider.h"
#include "broker/log/reference.h"

namespace flagpost::exchange {

using log::LeafKind;
using log::Operation;
using schemas::Kind;

namespace {

// Time as the publisher tells it, twice: in `created`, and in the id. The past is welcome, an outbox may have waited;
// but an id is remembered for so long and no longer, so an older one could be a replay.
std::optional<Refusal> fault_in_time(const wire::EnvelopeView& envelope, Instant now) {
    const auto made = uuid7_time(envelope.id);
    if (!made) return Refusal{Reason::invalid_value, "envelope.id: not a UUIDv7"};
    if (*made > now + limits::clock_ahead_max) return Refusal{Reason::clock_ahead, "envelope.id"};
    if (envelope.created > now + limits::clock_ahead_max)
        return Refusal{Reason::clock_ahead, "envelope.created_us"};
    if (*made < now - limits::dedup_kept) return Refusal{Reason::too_old, "envelope.id"};
    return std::nullopt;
}

/// What the publisher says a message is for stands in its leaf.
std::optional<Refusal> fault_in_codes(const schemas::Envelope& envelope) {
    if (envelope.purpose() != nullptr && envelope.purpose()->size() > 0 &&
        !log::is_reference(envelope.purpose()->string_view()))
        return Refusal{Reason::invalid_value, "envelope.purpose: a code, no words"};
    if (envelope.legal_basis() != nullptr)
        for (const auto* code : *envelope.legal_basis())
            if (!log::is_reference(code->string_view()))
                return Refusal{Reason::invalid_value, "envelope.legal_basis: codes, no words"};
    return std::nullopt;
}

}  // namespace

Received Decider::Message::received() const {
    return {at, command.actor.id.agency().text(), command.envelope, command.origin};
}

log::Record Decider::published(const Message& message) {
    auto record = record_by(message.command.actor, LeafKind::published, Operation::collection);
    record.leaf.topic = message.envelope.topic;
    record.leaf.message = message.envelope.id;
    const auto& table = *message.envelope.table;
    if (table.purpose() != nullptr) record.leaf.purpose = table.purpose()->str();
    if (table.legal_basis() != nullptr)
        for (const auto* code : *table.legal_basis()) record.leaf.legal_basis.push_back(code->str());
    record.controller = message.command.actor.id.agency().text();
    return record;
}

Reply Decider::take(const Published& published) {
    const auto envelope = wire::read_envelope(published.envelope);
    if (!envelope) return refused(published.actor, envelope.error(), "", std::nullopt);
    const auto say_no = [&](Refusal refusal) {
        return refused(published.actor, std::move(refusal), envelope->topic, envelope->id);
    };
    if (published.earlier) {
        if (published.earlier->same_bytes) return Confirmed{published.earlier->index, true};
        return say_no({Reason::conflict, "envelope.id"});
    }
    if (auto fault = fault_in_time(*envelope, now_)) return say_no(std::move(*fault));
    if (auto fault = fault_in_codes(*envelope->table)) return say_no(std::move(*fault));
    if (auto permitted = setting_.agreement.may_publish(published.actor.id.agency(), envelope->topic);
        !permitted)
        return say_no(permitted.error());
    auto reply = take_message({published, *envelope, now_});
    if (auto* refusal = std::get_if<Refusal>(&reply)) return say_no(std::move(*refusal));
    return reply;
}

// What a topic is for decides what may be said there. The topic is known to be the publisher's.
Reply Decider::take_message(const Message& message) {
    const auto topic = message.envelope.topic;
    const Refusal wrong_kind{Reason::invalid_value, "envelope.kind: not on this topic"};
    if (topic.starts_with("bench/"))
        return message.envelope.kind == Kind::opaque ? take_opaque(message) : wrong_kind;
    if (topic.starts_with("incidents/"))
        return message.envelope.kind == Kind::incident ? take_incident(message) : wrong_kind;
    if (topic.starts_with("receipts/")) {
        if (message.envelope.kind == Kind::review_decision) return take_review(message);
        if (message.envelope.kind == Kind::question) return take_question(message);
        if (message.envelope.kind == Kind::answer) return take_answer(message);
        if (message.envelope.kind == Kind::staff_change) return take_staff_change(message);
        return message.envelope.kind == Kind::receipt ? take_receipt(message) : wrong_kind;
    }
    if (topic.starts_with("operations/") && message.envelope.kind == Kind::operator_action)
        return take_operator_action(message);
    if (topic.starts_with("operations/") || topic.starts_with("orders/"))
        return message.envelope.kind == Kind::record_order ? take_record_order(message) : wrong_kind;
    const auto target = load_target(topic);
    if (!target) return Refusal{Reason::unknown_topic, "envelope.topic: code"};
    switch (message.envelope.kind) {
        case Kind::load_begin:
            return take_load_begin(message, *target);
        case Kind::load_part:
            return take_load_part(message);
        case Kind::load_commit:
            return take_load_commit(message, *target);
        default:
            return wrong_kind;
    }
}

// One record does both: the message is kept, and stands in the mailbox of its own topic.
Reply Decider::take_opaque(const Message& message) {
    const auto topic = message.topic();
    const auto number = next_number(topic);
    auto record = published(message);
    record.leaf.number = number;
    record.body = received_item(message.received(), topic, number);
    record.retention = "bench";
    record.sets.push_back(delivery_key(topic, number));
    const auto index = emit(std::move(record));
    outcome_.deliveries.push_back({topic, number, index, message.command.envelope});
    return Confirmed{index, false};
}

}  // namespace flagpost::exchange
