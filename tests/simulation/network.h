/// The network between agencies and the gate: bytes that come late, in pieces, in part, or never.
///
/// What it may do is what TCP under TLS may do: within one connection bytes keep their order and none is invented;
/// how they are cut up, when they come, whether the end is told, and what other connections do meanwhile is chance.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>

#include "broker/core/bytes.h"
#include "tests/simulation/scheduler.h"

namespace flagpost::simulation {

enum class End : std::uint8_t { client, gate };
inline End other(End end) { return end == End::client ? End::gate : End::client; }

class Connection : public std::enable_shared_from_this<Connection> {
public:
    struct Receiver {
        std::function<void(BytesView)> bytes;
        std::function<void()> hung_up;
        std::weak_ptr<const char> life;
    };

    Connection(Scheduler& scheduler, Dice& dice, microseconds slowest)
        : scheduler_{scheduler}, dice_{dice}, slowest_{slowest} {}

    /// When the gate will have accepted it. What is sent before waits until then.
    void accepted_at(Moment when) { way_to(End::gate).last = when; }
    void receive_at(End end, Receiver receiver) { way_to(end).receiver = std::move(receiver); }
    void send(End from, BytesView bytes);
    /// This end has closed: what it sent before still arrives, then the other end hears of it.
    void close(End from);
    /// Broken somewhere between: of what was under way a part arrives, to the byte; both ends hear of it.
    void cut();
    /// As cut, but nobody is told: what is sent from here on goes nowhere.
    void fall_silent();

    bool silent() const { return silent_since_.has_value(); }
    std::optional<Moment> silent_since() const { return silent_since_; }
    bool open_at(End end) const { return !way_to(end).closed_by_receiver; }

private:
    struct Way {
        Receiver receiver;
        std::deque<Bytes> under_way;
        Moment last{0};  // arrival planned
        bool closed_by_receiver = false;
        bool over = false;  // nothing more arrives
    };
    Way& way_to(End end) { return ways_[static_cast<std::size_t>(end)]; }
    const Way& way_to(End end) const { return ways_[static_cast<std::size_t>(end)]; }
    microseconds delay();
    void arrive(End at);
    void lose_under_way(End to);
    void hang_up(End at);

    Scheduler& scheduler_;
    Dice& dice_;
    microseconds slowest_;
    std::array<Way, 2> ways_;  // by the end they lead to
    std::optional<Moment> silent_since_;
};

}  // namespace flagpost::simulation
