#include <sys/epoll.h>

#include <cerrno>
#include <system_error>

#include "broker/gate/gate.h"

namespace flagpost::gate {
namespace {

constexpr std::size_t batch_size_max =
    128 * 1024;  // handed over in the middle of a turn, so that the broker can begin

}  // namespace

void Gate::on_event(Connection& connection, std::uint32_t events) {
    const bool broken = (events & (EPOLLHUP | EPOLLERR)) != 0;
    switch (connection.stage) {
        case Stage::tls:
            shake_hands(connection);
            break;
        case Stage::zmtp:
        case Stage::session:
            if (connection.stream.wants_write()) flush(connection);
            if (connection.stage != Stage::zmtp && connection.stage != Stage::session) break;
            if (may_read(connection))
                read(connection);
            else if (broken)
                close(connection, Reason::none);
            break;
        case Stage::farewell:
            if (broken)
                drop(connection);
            else
                flush(connection);
            break;
        case Stage::draining:
            if (!connection.stream.discard(buffer_)) drop(connection);
            break;
        case Stage::waiting:
        case Stage::over:
            break;
    }
    watch(connection);
}

bool Gate::may_take(const Connection& connection) const {
    return connection.stage == Stage::zmtp ||
           (connection.stage == Stage::session && connection.window > 0 && !full_ &&
            connection.in_flight.bytes() < limits::fabric_window_bytes);
}

bool Gate::may_read(const Connection& connection) const {
    return may_take(connection) && connection.held.empty();
}

void Gate::read(Connection& connection) {
    const auto got = connection.stream.read(buffer_);
    counters_.bytes_in.add(got.size);
    check_key_updates(connection);
    take(connection, BytesView{buffer_}.first(got.size));
    if (connection.stage != Stage::zmtp && connection.stage != Stage::session) return;
    if (got.ended) return close(connection, Reason::none);
    if (got.more && may_read(connection)) resume(connection);
}

void Gate::take(Connection& connection, BytesView bytes) {
    while (may_take(connection)) {
        const auto event = connection.parser.next(bytes);
        if (!event) return fail(connection, event.error());
        if (!*event) break;
        connection.frame_since.reset();
        take_event(connection, **event);
    }
    if (connection.stage != Stage::zmtp && connection.stage != Stage::session) return;
    connection.held.assign(bytes.begin(), bytes.end());
    connection.paused = !may_take(connection);
    note_partial(connection);
}

void Gate::take_event(Connection& connection, const wire::zmtp::Event& event) {
    if (const auto* message = std::get_if<wire::zmtp::Message>(&event))
        take_message(connection, message->content);
    else if (const auto* ping = std::get_if<wire::zmtp::Ping>(&event))
        queue(connection, ping->pong);
    else
        open_session(connection);
}

void Gate::take_message(Connection& connection, BytesView content) {
    link_.add(wire::fabric::ItemKind::frame, connection.session, content);
    counters_.frames_in.add(1);
    --connection.window;
    const std::size_t size = content.size() + wire::fabric::header_size;
    connection.in_flight.add(size);
    counters_.fabric_bytes.add(size);
    full_ = full_ || counters_.fabric_bytes.value() >= limits::fabric_bytes_max;
    if (link_.waiting() >= batch_size_max) hand_over();
}

void Gate::note_partial(Connection& connection) {
    const std::size_t buffered = connection.parser.buffered() + connection.held.size();
    counters_.input_bytes.add(buffered);
    counters_.input_bytes.subtract(connection.buffered);
    connection.buffered = buffered;
    if (!connection.parser.inside_frame())
        connection.frame_since.reset();
    else if (!connection.frame_since)
        connection.frame_since = now_;
    if (counters_.input_bytes.value() > limits::input_total_max)
        fail(connection, {Reason::busy, "gate: too many messages begun"});
}

void Gate::check_key_updates(Connection& connection) {
    const std::size_t updates = connection.stream.take_key_updates();
    if (updates == 0) return;
    const bool too_soon = connection.rekeyed && now_ - *connection.rekeyed < limits::key_update_interval_min;
    connection.rekeyed = now_;
    if (updates > 1 || too_soon) fail(connection, {Reason::not_permitted, "tls: key updates"});
}

// Reading goes on in this turn or the next, after others have had theirs.
void Gate::resume(Connection& connection) {
    if (connection.to_read) return;
    connection.to_read = true;
    if (connection.paused && connection.frame_since) connection.frame_since = now_;
    connection.paused = false;
    to_read_.push_back(&connection);
}

void Gate::read_resumed() {
    for (Connection* connection : std::exchange(to_read_, {})) {
        connection->to_read = false;
        if (!connection->held.empty() && may_take(*connection))
            take(*connection, Bytes{std::exchange(connection->held, {})});
        if (may_read(*connection)) read(*connection);
        connection->paused = connection->stage == Stage::session && !may_take(*connection);
        watch(*connection);
    }
}

void Gate::queue(Connection& connection, BytesView bytes) {
    Bytes& tail = connection.stream.output().tail();
    const std::size_t before = tail.size();
    tail.insert(tail.end(), bytes.begin(), bytes.end());
    queued(connection, before);
}

void Gate::queue_message(Connection& connection, BytesView content) {
    Bytes& tail = connection.stream.output().tail();
    const std::size_t before = tail.size();
    wire::zmtp::append_message(tail, content);
    counters_.frames_out.add(1);
    queued(connection, before);
}

void Gate::queued(Connection& connection, std::size_t size_before) {
    OutputQueue& output = connection.stream.output();
    counters_.output_bytes.add(output.tail().size() - size_before);
    if (!connection.to_flush) {
        connection.to_flush = true;
        to_flush_.push_back(&connection);
    }
    const bool over =
        output.size() > limits::output_queue_max || counters_.output_bytes.value() > limits::output_total_max;
    if (over) close(connection, Reason::idle);
}

void Gate::flush(Connection& connection) {
    OutputQueue& output = connection.stream.output();
    const std::size_t before = output.size();
    const bool whole = connection.stream.flush();
    const std::size_t sent = before - output.size();
    counters_.bytes_out.add(sent);
    counters_.output_bytes.subtract(sent);
    if (output.empty())
        connection.output_since.reset();
    else if (sent > 0 || !connection.output_since)
        connection.output_since = now_;
    if (!whole) return close(connection, Reason::none);
    if (output.empty() && connection.stage == Stage::farewell) drain(connection);
}

void Gate::flush_all() {
    for (Connection* connection : std::exchange(to_flush_, {})) {
        connection->to_flush = false;
        if (connection->stage == Stage::over || connection->stage == Stage::draining) continue;
        flush(*connection);
        watch(*connection);
    }
}

void Gate::watch(Connection& connection) {
    std::uint32_t wanted = 0;
    if (connection.stage == Stage::over) return;
    if (connection.stage == Stage::tls || connection.stage == Stage::draining || may_read(connection))
        wanted |= EPOLLIN;
    if (connection.stream.wants_write()) wanted |= EPOLLOUT;
    if (connection.registered && wanted == connection.watched) return;
    epoll_event event{wanted, {.ptr = &connection}};
    const int operation = connection.registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (::epoll_ctl(epoll_.get(), operation, connection.stream.descriptor(), &event) != 0)
        throw std::system_error{errno, std::generic_category(), "epoll_ctl"};
    connection.registered = true;
    connection.watched = wanted;
}

}  // namespace flagpost::gate
