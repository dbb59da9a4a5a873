#include "broker/gate/gate.h"
#include "broker/wire/frames.h"

namespace flagpost::gate {
namespace {

using wire::fabric::ItemKind;

Bytes goodbye_frame(Reason reason, std::string_view text) {
    schemas::GoodbyeValue body;
    body.reason = static_cast<schemas::Reason>(reason);
    body.where = text;
    return wire::pack_frame(std::move(body));
}

}  // namespace

void Gate::say_goodbye(Connection& connection, Reason reason, std::string_view text) {
    end_session(connection, reason);
    connection.stage = Stage::farewell;
    connection.since = now_;
    if (reason != Reason::none) queue_message(connection, goodbye_frame(reason, text));
    if (connection.stage != Stage::farewell) return;
    flush(connection);
    watch(connection);
}

void Gate::fail(Connection& connection, const Refusal& refusal) {
    if (connection.stage == Stage::session)
        say_goodbye(connection, refusal.reason, refusal.where);
    else if (connection.stage == Stage::zmtp)
        refuse(connection, Cause::zmtp);
}

void Gate::close(Connection& connection, Reason reason) {
    if (connection.handshaking()) return refuse(connection, Cause::hung_up);
    end_session(connection, reason);
    drop(connection);
}

void Gate::drain(Connection& connection) {
    connection.stream.finish();
    connection.stage = Stage::draining;
    connection.since = now_;
    watch(connection);
}

void Gate::drop(Connection& connection) {
    if (connection.stage == Stage::over) return;
    leave_handshake(connection);
    connection.stage = Stage::over;
    counters_.output_bytes.subtract(connection.stream.output().size());
    counters_.input_bytes.subtract(connection.buffered);
    connection.stream.output().clear();
    over_.push_back(&connection);
}

void Gate::end_session(Connection& connection, Reason reason) {
    if (connection.stage != Stage::session) return;
    link_.add(ItemKind::close, connection.session, wire::fabric::write_ending(reason));
    sessions_.erase(connection.session);
    counters_.sessions.subtract(1);
    counters_.ended[static_cast<std::size_t>(reason)].add(1);
    counters_.fabric_bytes.subtract(connection.in_flight.bytes());
    relieve();
}

}  // namespace flagpost::gate
