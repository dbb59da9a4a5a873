#include "broker/gate/gate.h"

#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace flagpost::gate {
namespace {

constexpr std::size_t buffer_size = 64 * 1024;
constexpr int events_at_once = 64;
constexpr int wait_max_ms = 250;                    // then the clock is looked at
constexpr std::size_t connections_wanted = 24'000;  // every school of England, once
constexpr auto sweep_interval = std::chrono::seconds{1};
constexpr std::size_t swept_at_once = 1024;
constexpr std::size_t judged_at_once = 32;  // some 200 µs each, and others wait meanwhile

Descriptor checked(int value, const char* what) {
    if (value < 0) throw std::system_error{errno, std::generic_category(), what};
    return Descriptor{value};
}

/// Of what the process has left: under a low limit the store's own descriptors are a good part of it.
std::size_t default_connections_max() {
    const std::filesystem::directory_iterator in_use{"/proc/self/fd"};
    const auto used = static_cast<std::size_t>(std::distance(begin(in_use), end(in_use)));
    const auto allowed = std::max(raise_descriptor_limit(), used) - used;
    return static_cast<std::size_t>(static_cast<double>(allowed) * limits::descriptors_used_max);
}

// A peer that has gone must not end the process: writing then says EPIPE.
void block_broken_pipe_signal() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

std::size_t Gate::SessionHash::operator()(const Id16& id) const {
    std::size_t hash = 0;
    std::memcpy(&hash, id.data(), sizeof hash);  // the id is random already
    return hash;
}

Gate::Gate(GateConfig config, zmq::context_t& fabric, Clock& clock, Random& random)
    : config_{std::move(config)},
      clock_{clock},
      random_{random},
      listener_{config_.host, config_.port},
      trust_{config_.tls},
      link_{fabric, config_.fabric_endpoint, config_.fabric_key},
      epoll_{checked(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")},
      wake_{checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd")},
      started_{clock.running()},
      wall_{clock.now()},
      buffer_(buffer_size) {
    if (config_.connections_max == 0) {
        config_.connections_max = default_connections_max();
        connections_limited_ = config_.connections_max < connections_wanted;
    }
    const auto add = [&](int descriptor, void* source) {
        epoll_event event{EPOLLIN, {.ptr = source}};
        if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) != 0)
            throw std::system_error{errno, std::generic_category(), "epoll_ctl"};
    };
    add(wake_.get(), &wake_);
    add(link_.descriptor(), &look_);
    if (const auto monitor = link_.monitor_descriptor()) add(*monitor, &link_);
}

void Gate::run() {
    block_broken_pipe_signal();
    spdlog::info("gate: listening on port {}, at most {} connections", port(), config_.connections_max);
    if (connections_limited_)
        spdlog::warn(
            "gate: this process may have too few descriptors for {} connections: let it have {} "
            "(LimitNOFILE), "
            "or run further flagpost-gate processes beside it",
            connections_wanted,
            static_cast<std::size_t>(static_cast<double>(connections_wanted) / limits::descriptors_used_max));
    tell_credentials();
    on_ready(&link_, 0);  // libzmq signals changes only from the first look on
    while (!stopping_) turn();
    for (const auto& connection : connections_)
        if (connection->stage == Stage::session) say_goodbye(*connection, Reason::shutting_down, "");
    exchange_with_broker();
    connections_.clear();
}

void Gate::stop() {
    stopping_ = true;
    wake();
}

void Gate::reload() {
    reload_asked_ = true;
    wake();
}

void Gate::wake() {
    const std::uint64_t one = 1;
    // The only failure is a count already at its highest, which wakes as well.
    [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

void Gate::turn() {
    watch_listener();
    const bool busy = look_ || !to_read_.empty() || !to_judge_.empty() || to_sweep_ > 0;
    std::array<epoll_event, events_at_once> events;
    const int count = ::epoll_wait(epoll_.get(), events.data(), events_at_once, busy ? 0 : wait_max_ms);
    if (count < 0 && errno != EINTR) throw std::system_error{errno, std::generic_category(), "epoll_wait"};
    tick();
    handshake_steps_ = 0;
    for (int i = 0; i < count; ++i) on_ready(events[i].data.ptr, events[i].events);
    read_resumed();
    judge_anew();
    exchange_with_broker();
    reap();
}

void Gate::on_ready(void* source, std::uint32_t events) {
    if (source == &listener_) return accept_waiting();
    if (source == &look_) {
        look_ = true;
    } else if (source == &link_) {
        if (link_.watch()) lose_broker();
        look_ = true;
    } else if (source == &wake_) {
        std::uint64_t count = 0;
        [[maybe_unused]] const auto got = ::read(wake_.get(), &count, sizeof count);
    } else {
        on_event(*static_cast<Connection*>(source), events);
    }
}

void Gate::tick() {
    wall_ = clock_.now();
    now_ = clock_.running() - started_;
    if (reload_asked_.exchange(false)) reload_trust();
    if (now_ - swept_ >= sweep_interval) {
        swept_ = now_;
        sweep();
    }
    sweep_some();
}

void Gate::sweep() {
    if (trust_.changed_on_disk()) reload_trust();
    on_ready(&link_, 0);
    link_.ask();
    rest_accept_ = false;
    report_refusals();
    to_sweep_ = connections_.size();
}

/// Many connections are looked at in many turns: those with something to say are not to wait for all of them.
void Gate::sweep_some() {
    to_sweep_ = std::min(to_sweep_, connections_.size());
    for (std::size_t i = 0; i < swept_at_once && to_sweep_ > 0; ++i) sweep(*connections_[--to_sweep_]);
}

void Gate::sweep(Connection& connection) {
    const Elapsed age = now_ - connection.since;
    const auto overdue = [&](const std::optional<Elapsed>& since, Elapsed allowed) {
        return since && now_ - *since > allowed;
    };
    switch (connection.stage) {
        case Stage::waiting:
        case Stage::tls:
        case Stage::zmtp:
            if (age > limits::handshake_time_max) refuse(connection, Cause::slow_handshake);
            return;
        case Stage::session:
            if (connection.not_after <= wall_)
                return say_goodbye(connection, Reason::revoked, "certificate: expired");
            if (overdue(connection.output_since, limits::output_stalled_max))
                return close(connection, Reason::idle);
            if (!connection.paused && overdue(connection.frame_since, limits::message_time_max))
                return say_goodbye(connection, Reason::idle, "zmtp.message: not ended in time");
            connection.stream.output().shrink();
            connection.in_flight.shrink();
            return;
        case Stage::farewell:
        case Stage::draining:
            if (age > limits::goodbye_time_max) drop(connection);
            return;
        case Stage::over:
            return;
    }
}

// Numbers only: an address or a certificate's name is not for a log that anybody may read.
void Gate::report_refusals() {
    for (std::size_t i = 0; i < cause_count; ++i) {
        const std::uint64_t count = counters_.refused[i].value();
        if (count != reported_[i])
            spdlog::warn("gate: refused {}: {}", count - reported_[i], name(static_cast<Cause>(i)));
        reported_[i] = count;
    }
}

void Gate::reload_trust() {
    try {
        trust_.reload();
    } catch (const crypto::CryptoFailure& failure) {
        counters_.reloads_failed.add(1);
        spdlog::error("gate: the certificates on disk are not taken, the old ones stay: {}", failure.what());
        return;
    }
    counters_.reloads.add(1);  // last: who sees it counted sees what it brought
    spdlog::info("gate: certificates and revocation list reloaded");
    tell_credentials();
    // Who is on the list goes at once; whole chains are dearer and follow a few a turn.
    to_judge_.clear();
    for (const auto& connection : connections_) {
        if (connection->stage != Stage::session) continue;
        if (trust_.revoked(connection->stream.tls()))
            say_goodbye(*connection, Reason::revoked, "certificate: revoked");
        else
            to_judge_.push_back(connection->session);
    }
}

void Gate::judge_anew() {
    for (std::size_t i = 0; i < judged_at_once && !to_judge_.empty(); ++i) {
        const auto found = sessions_.find(to_judge_.back());
        to_judge_.pop_back();
        if (found != sessions_.end() && !trust_.still_trusted(found->second->stream.tls()))
            say_goodbye(*found->second, Reason::revoked, "certificate: no longer trusted");
    }
}

void Gate::reap() {
    if (over_.empty()) return;
    const auto is_over = [](const Connection* connection) { return connection->stage == Stage::over; };
    std::erase_if(to_flush_, is_over);
    std::erase_if(to_read_, is_over);
    for (const Connection* gone : over_) {
        const std::size_t place = gone->place;
        std::swap(connections_[place], connections_.back());
        connections_[place]->place = place;
        connections_.pop_back();
    }
    over_.clear();
    counters_.connections.subtract(counters_.connections.value() - connections_.size());
}

}  // namespace flagpost::gate
