/// Virtual time: what happens next, and when. One thread; a second passes in no time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <vector>

#include "tests/simulation/dice.h"

namespace flagpost::simulation {

/// Since the world began. Every machine's clocks are made of it.
using Moment = microseconds;

/// A process from its start to its end. What it has planned ends with it.
using Life = std::shared_ptr<const char>;
inline Life new_life() { return std::make_shared<const char>(); }

class Scheduler {
public:
    using Task = std::function<void()>;

    Moment now() const { return now_; }
    std::uint64_t tasks_run() const { return run_; }

    void at(Moment when, Task task) { plan(when, {}, false, std::move(task)); }
    void after(Moment delay, Task task) { at(now_ + delay, std::move(task)); }
    /// Forgotten if that life ends first.
    void after(Moment delay, const Life& life, Task task) { plan(now_ + delay, life, true, std::move(task)); }

    /// Everything up to that moment.
    void run_until(Moment end) {
        while (!planned_.empty() && planned_.top().when <= end) {
            Planned next =
                std::move(const_cast<Planned&>(planned_.top()));  // it is popped before anybody looks
            planned_.pop();
            if (next.mortal && next.life.expired()) continue;
            now_ = next.when;
            ++run_;
            next.task();
        }
        now_ = std::max(now_, end);
    }

private:
    struct Planned {
        Moment when;
        std::uint64_t order;  // of planning, among those of the same moment
        std::weak_ptr<const char> life;
        bool mortal;
        Task task;
    };
    struct Later {
        bool operator()(const Planned& a, const Planned& b) const {
            return a.when != b.when ? a.when > b.when : a.order > b.order;
        }
    };

    void plan(Moment when, std::weak_ptr<const char> life, bool mortal, Task task) {
        planned_.push({std::max(when, now_), order_++, std::move(life), mortal, std::move(task)});
    }

    Moment now_{0};
    std::uint64_t order_ = 0, run_ = 0;
    std::priority_queue<Planned, std::vector<Planned>, Later> planned_;
};

}  // namespace flagpost::simulation
