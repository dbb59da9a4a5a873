/// The thread that owns the one writing connection: commits what it is handed, signs heads, tidies when idle. While more is
/// waiting, it leaves waiting for the disk to a thread beside it and writes that.
///
/// Values are moved between it and the broker thread through slots under one mutex, with a condition variable one way
/// and an eventfd, which the broker's poll can wait on, the other. Not through ZeroMQ: a batch is a tree of vectors
/// that would have to be copied and parsed again, or sent as a pointer, which ThreadSanitizer cannot follow through
/// Debian's libzmq (docs/decisions/0004).
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "broker/log/signer.h"
#include "broker/router/syncer.h"
#include "broker/store/disk.h"
#include "broker/store/statistics.h"
#include "broker/store/store.h"

namespace flagpost::router {

class StoreThread {
public:
    struct Setting {
        std::unique_ptr<store::Store> store;  // handed over: nobody else uses it from now on
        std::function<std::unique_ptr<store::Reader>()> open_reader;  // called on the store thread
        std::unique_ptr<log::HeadSigner> signer;
        /// Takes what was committed since it took something last, on the store thread; whether it is kept. What is not
        /// comes again with what follows. Null: nobody counts.
        std::function<bool(const store::Tally&)> keep_statistics{};
    };

    /// Starts the thread; the first thing it does is sign the head as it stands.
    explicit StoreThread(Setting setting);
    /// Waits for what it is doing now, no more: without finish(), what was not handed over is as if killed.
    ~StoreThread();
    StoreThread(const StoreThread&) = delete;
    StoreThread& operator=(const StoreThread&) = delete;

    // The rest is for the broker thread.

    /// Readable when take() has something to say.
    int wake_fd() const { return wake_fd_.get(); }
    /// Whether it has, without a system call.
    bool has_news() const { return has_news_.load(std::memory_order_relaxed); }

    /// Commits it as one transaction. To be called only while takes(): what was handed over before is then written, though
    /// perhaps not yet committed.
    void hand_over(store::Batch batch);
    bool takes() const { return !writing_; }
    /// Says whether there is more to hand over, so that take() also tells when takes() is true again, ahead of the commit.
    void more_waits(bool more) { more_waits_.store(more, std::memory_order_relaxed); }

    /// Has this head kept, which a quorum has cosigned. Of two in a row the later one.
    void keep_cosigned(std::string note);

    /// Has what is committed signed as soon as heads may follow each other, not only after the usual time.
    void sign_soon();

    struct News {
        std::vector<store::Committed> committed;  // durable, oldest first
        std::vector<std::string> heads;           // signed notes, oldest first
        std::uint64_t wal_bytes = 0;              // as it stands
        bool written = false;                     // the batch handed over last
    };
    /// What has happened since the last call. Rethrows what ended the store thread.
    News take();

    /// Signs the last head, saves it and ends the thread. Rethrows what ended it earlier.
    void finish();

private:
    enum class Duty { commit, idle, stop };

    void run();
    Duty wait(std::chrono::milliseconds longest, store::Batch& batch);
    void commit(store::Batch batch);
    template <class Change> void tell(Change&& change);
    void fail(std::exception_ptr failure);
    template <class Step> void when_there_is_room(Step&& step);
    void relieve();
    void sign_if_due(store::Reader& reader);
    void sign(store::Reader& reader);
    std::chrono::milliseconds until_signing() const;
    void keep_statistics(bool at_once);
    void tidy();
    std::chrono::milliseconds until_tidying() const;
    void stop();

    // The store thread's
    Setting setting_;
    std::uint64_t signed_size_ = 0;
    std::chrono::steady_clock::time_point signed_at_{};  // intervals, not wall time: steps must not matter
    bool tidied_ = false;
    bool hurry_ = false;       // somebody waits for the next head
    std::string signer_away_;  // why, as it was said; empty: it signs
    bool no_room_ = false;     // something waits for room on the disk
    bool wal_stuck_ = false;   // a reader keeps more of the WAL than may be
    store::Tally tally_;       // committed and not yet kept
    std::chrono::steady_clock::time_point kept_at_ = std::chrono::steady_clock::now();

    // The broker thread's
    bool writing_ = false;
    store::Descriptor wake_fd_;

    // Shared, under the mutex
    std::mutex mutex_;
    std::condition_variable handed_over_;
    std::optional<store::Batch> batch_;
    std::optional<std::string> cosigned_;
    bool head_wanted_ = false;
    bool stopping_ = false;
    bool finishing_ = false;
    News news_;
    std::exception_ptr failure_;
    std::atomic<bool> has_news_{false};    // a hint: set before the other side is woken
    std::atomic<bool> more_waits_{false};  // a hint: saves waking the syncer where nobody gains by it

    Syncer syncer_;
    std::thread thread_;  // last: everything above exists when it starts
};

}  // namespace flagpost::router
