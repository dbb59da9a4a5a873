#include "broker/router/broker_loop.h"

#include <poll.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace flagpost::router {
namespace {

using std::chrono::milliseconds;

/// Fewer gain more from sharing the next sync than from being written during this one.
constexpr std::size_t written_ahead_min = limits::batch_records_max / 4;

zmq::socket_t make_router(zmq::context_t& context, const std::optional<std::string>& endpoint) {
    zmq::socket_t socket{context, zmq::socket_type::router};
    socket.set(zmq::sockopt::router_mandatory, true);  // a message for nobody is an error, not silence
    socket.set(zmq::sockopt::router_handover, false);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::sndhwm, limits::fabric_batches_max);
    socket.set(zmq::sockopt::rcvhwm, limits::fabric_batches_max);
    if (endpoint) socket.bind(*endpoint);
    return socket;
}

}  // namespace

BrokerLoop::BrokerLoop(LoopSetting setting, BrokerSetting broker, StoreThread& store)
    : setting_{std::move(setting)},
      time_{setting_.clock.now(), setting_.clock.running().time_since_epoch(), broker.newest_stored},
      inproc_{make_router(setting_.context, setting_.inproc), 'i'},
      ipc_{make_router(setting_.context, setting_.ipc), 'x'},
      store_{store},
      broker_{std::move(broker), time_.moment()},
      next_tick_{time_.moment().running},
      next_standing_{next_tick_} {
    await_first_commit();
    tell_standing();
}

void BrokerLoop::await_first_commit() {
    do {
        hand_over();
        pollfd wake{store_.wake_fd(), POLLIN, 0};
        poll(&wake, 1, -1);
        take_news();
    } while (!broker_.idle());
}

void BrokerLoop::tell_standing() {
    setting_.tell_standing(broker_.stands(time_.latest()));
    next_standing_ = time_.moment().running + standing_interval;
}

Now BrokerLoop::now() {
    time_.advance(setting_.clock.now(), setting_.clock.running().time_since_epoch());
    return time_.moment();
}

void BrokerLoop::files_changed(exchange::InForce in_force) {
    broker_.files_changed(std::move(in_force), now());
}

void BrokerLoop::run() {
    while (!stopping_) turn(patience());
    shut_down();
}

/// How long there is nothing to do if nobody says anything.
milliseconds BrokerLoop::patience() const {
    if (broker_.behind()) return milliseconds{0};
    if (store_.takes() && broker_.has_pending()) return limits::acknowledgements_wait_max;
    const auto until_tick = std::chrono::ceil<milliseconds>(next_tick_ - time_.moment().running);
    return std::clamp(until_tick, milliseconds{0}, milliseconds{limits::tick_interval});
}

void BrokerLoop::turn(milliseconds longest) {
    std::array<pollfd, 4> items{
        {{inproc_.socket.get(zmq::sockopt::fd), POLLIN, 0},
         {ipc_.socket.get(zmq::sockopt::fd), POLLIN, 0},
         {store_.wake_fd(), POLLIN, 0},
         {setting_.control_fd, POLLIN, 0}}
    };
    const bool look = inproc_.look || ipc_.look;
    if (poll(items.data(), items.size(), look ? 0 : static_cast<int>(longest.count())) < 0 && errno != EINTR)
        throw std::system_error{errno, std::generic_category(), "poll"};
    if (items[3].revents != 0 && !setting_.control()) stopping_ = true;
    if (items[2].revents != 0) take_news();
    inproc_.look |= items[0].revents != 0;
    ipc_.look |= items[1].revents != 0;
    for (Door* door : {&inproc_, &ipc_})
        if (door->look) take_batches(*door);
    if (const Now moment = now(); moment.running >= next_tick_) {
        if (const auto step = time_.step()) broker_.clock_stepped(*step, moment);
        broker_.tick(moment, time_.ahead() >= limits::clock_hold_min);
        next_tick_ = moment.running + limits::tick_interval;
        if (moment.running >= next_standing_) tell_standing();
    }
    if (auto note = broker_.take_cosigned()) store_.keep_cosigned(std::move(*note));
    if (broker_.take_head_wanted()) store_.sign_soon();
    if (broker_.behind()) broker_.deliver_backlog();
    hand_over();
    flush();
}

void BrokerLoop::take_news() {
    auto news = store_.take();
    broker_.wal_stands_at(news.wal_bytes);
    for (const auto& head : news.heads) broker_.head_signed(head);
    if (news.committed.empty() && !news.written) return;
    for (const auto& committed : news.committed) broker_.committed(committed, now());
    // Before anybody new is heard, which may take milliseconds: the store is not to stand idle when something waits for it,
    // and publishers are told what they can go on from.
    hand_over();
    flush();
}

/// Until there is nothing more, others have to have their turn, or the store has something to say.
void BrokerLoop::take_batches(Door& door) {
    for (int taken = 0; taken < limits::fabric_batches_per_turn && !store_.has_news(); ++taken) {
        zmq::message_t gate;
        if (!door.socket.recv(gate, zmq::recv_flags::dontwait)) {
            door.look = false;
            return;
        }
        zmq::message_t batch;
        if (!gate.more() || !door.socket.recv(batch, zmq::recv_flags::dontwait)) continue;
        bool single = true;
        while (batch.more() && door.socket.recv(batch, zmq::recv_flags::dontwait)) single = false;
        if (!single) {
            spdlog::error("fabric message of more than one part ignored");
            continue;
        }
        broker_.from_gate(door.prefix + gate.to_string(), door.prefix == inproc_.prefix,
                          {static_cast<const std::uint8_t*>(batch.data()), batch.size()}, now());
    }
}

void BrokerLoop::hand_over() {
    if (store_.takes())
        if (auto batch = broker_.next_batch(now())) store_.hand_over(std::move(*batch));
    store_.more_waits(broker_.urgent() >= written_ahead_min);
}

void BrokerLoop::flush() {
    for (const auto& [gate, batch] : broker_.take_output()) {
        Door& door = door_of(gate);
        door.look = true;
        try {
            const bool sent = door.socket.send(zmq::buffer(std::string_view{gate}.substr(1)),
                                               zmq::send_flags::sndmore | zmq::send_flags::dontwait) &&
                              door.socket.send(zmq::buffer(batch), zmq::send_flags::dontwait);
            if (sent) continue;
            // Windows and credit keep what is under way below the mark: reading anything but 0 here is a bug.
            spdlog::critical("a gate takes nothing: {} batches are waiting for it",
                             limits::fabric_batches_max);
            broker_.gate_stuck(gate, now());
            continue;
        } catch (const zmq::error_t& error) {
            if (error.num() != EHOSTUNREACH) throw;
        }
        broker_.gate_lost(gate, now());
    }
}

void BrokerLoop::shut_down() {
    const Figures figures = broker_.figures();
    broker_.shut_down(now());
    const Running latest_end = now().running + limits::shutdown_time_max;
    flush();
    while (!broker_.idle()) {
        if (now().running > latest_end) throw store::StorageFailure{"the last commit did not come to an end"};
        hand_over();
        pollfd wake{store_.wake_fd(), POLLIN, 0};
        poll(&wake, 1, static_cast<int>(milliseconds{limits::tick_interval}.count()));
        take_news();
        flush();
    }
    store_.finish();
    spdlog::info(
        "since the start: published={} repeated={} refused={} delivered={} commits={} records={} "
        "turned_away={} "
        "gates_stuck={} sessions_at_the_end={}",
        figures.published, figures.repeated, figures.refused, figures.delivered, figures.commits,
        figures.records, figures.turned_away, figures.gates_stuck, figures.sessions);
}

}  // namespace flagpost::router
