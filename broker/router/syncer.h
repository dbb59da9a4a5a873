/// The thread that waits for the disk: what the store thread has written becomes durable here, in order, while the store
/// thread writes what comes next. Why: docs/decisions/0014.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "broker/store/store.h"

namespace flagpost::router {

class Syncer {
public:
    /// Batches written and not yet on disk, while the next is being written.
    static constexpr std::size_t unsynced_max = 2;

    struct Setting {
        std::function<void()> sync;  // Store::sync
        /// What one sync has made durable, oldest first.
        std::function<void(std::vector<store::Committed>)> durable;
        /// A sync failed. There are no more: every further call here rethrows it.
        std::function<void(std::exception_ptr)> failed;
    };

    explicit Syncer(Setting setting);
    /// Waits for the sync that is under way, no more.
    ~Syncer();
    Syncer(const Syncer&) = delete;
    Syncer& operator=(const Syncer&) = delete;

    // For the store thread.

    /// Whether nothing waits and none is under way.
    bool idle();
    /// To be made durable. Waits while unsynced_max others are not.
    void add(store::Committed written);
    /// Waits until all of it is.
    void settle();

private:
    void run();

    Setting setting_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<store::Committed> waiting_;
    std::size_t under_way_ = 0;
    bool stopping_ = false;
    std::exception_ptr failure_;
    std::thread thread_;  // last: everything above exists when it starts
};

}  // namespace flagpost::router
