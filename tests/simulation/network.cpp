#include "tests/simulation/network.h"

namespace flagpost::simulation {

microseconds Connection::delay() {
    // Mostly quick; now and then a segment is sent again.
    if (dice_.one_in(50)) return dice_.between(slowest_, 10 * slowest_);
    return dice_.between(microseconds{50}, slowest_);
}

void Connection::send(End from, BytesView bytes) {
    Way& way = way_to(other(from));
    if (way.over || silent() || bytes.empty()) return;
    const std::size_t first = dice_.one_in(4) ? 1 + dice_.below(bytes.size()) : bytes.size();
    for (std::size_t at = 0; at < bytes.size();) {
        const std::size_t size = at == 0 ? first : bytes.size() - at;
        way.under_way.push_back(copy(bytes.subspan(at, size)));
        way.last = std::max(way.last, scheduler_.now() + delay());
        scheduler_.at(way.last, [self = shared_from_this(), to = other(from)] { self->arrive(to); });
        at += size;
    }
}

void Connection::arrive(End at) {
    Way& way = way_to(at);
    if (way.under_way.empty()) return;  // lost meanwhile
    const Bytes bytes = std::move(way.under_way.front());
    way.under_way.pop_front();
    if (!way.closed_by_receiver && !way.receiver.life.expired()) way.receiver.bytes(bytes);
}

void Connection::close(End from) {
    way_to(from).closed_by_receiver = true;
    Way& way = way_to(other(from));
    if (way.over) return;
    way.over = true;
    if (silent()) return;
    way.last = std::max(way.last, scheduler_.now() + delay());
    scheduler_.at(way.last, [self = shared_from_this(), to = other(from)] { self->hang_up(to); });
}

void Connection::lose_under_way(End to) {
    Way& way = way_to(to);
    way.over = true;
    if (way.under_way.empty()) return;
    Bytes part = std::move(way.under_way.front());
    part.resize(dice_.below(part.size() + 1));
    way.under_way.clear();
    if (part.empty()) return;
    way.under_way.push_back(std::move(part));
    way.last = scheduler_.now() + delay();
    scheduler_.at(way.last, [self = shared_from_this(), to] { self->arrive(to); });
}

void Connection::cut() {
    for (const End end : {End::client, End::gate}) {
        if (!silent()) lose_under_way(end);
        Way& way = way_to(end);
        way.last = std::max(way.last, scheduler_.now() + delay());
        scheduler_.at(way.last, [self = shared_from_this(), end] { self->hang_up(end); });
    }
}

void Connection::fall_silent() {
    if (silent()) return;
    silent_since_ = scheduler_.now();
    for (const End end : {End::client, End::gate}) lose_under_way(end);
}

void Connection::hang_up(End at) {
    Way& way = way_to(at);
    if (way.closed_by_receiver) return;
    way.closed_by_receiver = true;
    way_to(other(at)).over = true;
    if (!way.receiver.life.expired()) way.receiver.hung_up();
}

}  // namespace flagpost::simulation
