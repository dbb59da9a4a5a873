#include <spdlog/spdlog.h>

#include "broker/gate/gate.h"

namespace flagpost::gate {
namespace {

using wire::fabric::ItemKind;

constexpr int batches_at_once = 256;  // then peers have their turn
constexpr int batches_before_flush = 16;

}  // namespace

// Sending may swallow libzmq's signal that something has come: whoever sent has to look. Flushing may end
// sessions, of which the broker must hear: hence the loop.
void Gate::exchange_with_broker() {
    do {
        hand_over();
        if (look_) look_ = receive_batches();
        flush_all();
    } while (link_.waiting() > 0);
}

void Gate::hand_over() {
    if (link_.waiting() == 0) return;
    look_ = true;
    if (!link_.flush()) lose_broker();
}

bool Gate::receive_batches() {
    for (int i = 1; i <= batches_at_once; ++i) {
        const auto batch = link_.receive();
        if (!batch) return false;
        take_batch({static_cast<const std::uint8_t*>(batch->data()), batch->size()});
        if (i % batches_before_flush == 0) flush_all();
    }
    return true;
}

void Gate::take_batch(BytesView batch) {
    const auto items = wire::fabric::read_batch(batch);
    if (!items) {
        spdlog::error("gate: a batch of the broker cannot be read: {}", items.error().where);
        return;
    }
    for (const auto& item : *items) take_item(item);
}

void Gate::take_item(const wire::fabric::Item& item) {
    if (item.kind == ItemKind::challenge) {
        link_.answer(item.content);
        return tell_credentials();
    }
    const auto found = sessions_.find(item.session);
    if (found == sessions_.end()) return;  // ended here before the broker knew
    Connection& connection = *found->second;
    if (item.kind == ItemKind::frame) {
        queue_message(connection, item.content);
    } else if (item.kind == ItemKind::window) {
        grant(connection, item.content);
    } else if (item.kind == ItemKind::kick) {
        if (const auto ending = wire::fabric::read_ending(item.content))
            say_goodbye(connection, ending->reason, ending->text);
    }
}

void Gate::grant(Connection& connection, BytesView content) {
    const auto frames = wire::fabric::read_window(content);
    if (!frames) return;
    connection.window += *frames;
    counters_.fabric_bytes.subtract(connection.in_flight.take(*frames));
    if (connection.paused && may_take(connection)) resume(connection);
    relieve();
}

void Gate::relieve() {
    if (!full_ || counters_.fabric_bytes.value() > limits::fabric_bytes_max / 4 * 3) return;
    full_ = false;
    for (const auto& paused : connections_)
        if (paused->paused && may_take(*paused)) resume(*paused);
}

// The log has to say what peers were shown and by which lists they were judged, and somebody to act before either ends: told before
// the first session, and again whenever they were read.
void Gate::tell_credentials() {
    if (!link_.attached()) return;
    link_.add(ItemKind::credentials, no_session, wire::fabric::write_credentials(trust_.credentials()));
}

void Gate::lose_broker() {
    if (!sessions_.empty()) spdlog::error("gate: the broker is gone; {} sessions end", sessions_.size());
    for (const auto& connection : connections_)
        if (connection->stage == Stage::session)
            say_goodbye(*connection, Reason::shutting_down, "the broker is not there");
}

}  // namespace flagpost::gate
