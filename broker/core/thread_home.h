/// One thread owns one piece of state; this member says which, and checks.
#pragma once

#include <stdexcept>
#include <thread>

namespace flagpost {

/// A member of each class that belongs to the thread that constructed it.
class ThreadHome {
public:
    void check() const {
        if (std::this_thread::get_id() != id_) throw std::logic_error{"called off its own thread"};
    }

private:
    std::thread::id id_ = std::this_thread::get_id();
};

}  // namespace flagpost
