/// What serves connections of cpp-httplib, bounded.
#pragma once

#include <httplib.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <semaphore>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace flagpost::http {

/// A thread for each open connection, up to a bound, and a short queue: while it is full, accepting waits. The library leaves a
/// connection its thread however slowly its bytes come, so there are many: some slow callers keep nobody else out. How much is
/// worked on at once is for Turn to say.
class BoundedQueue final : public httplib::TaskQueue {
public:
    BoundedQueue(std::size_t connections_max, std::size_t waiting_max)
        : connections_max_{connections_max}, waiting_max_{waiting_max} {}

    void enqueue(std::function<void()> task) override {
        std::unique_lock lock{lock_};
        room_.wait(lock, [this] { return tasks_.size() < waiting_max_ || over_; });
        tasks_.push_back(std::move(task));
        if (tasks_.size() > idle_ && threads_.size() < connections_max_) add_thread();
        some_.notify_one();
    }

    void shutdown() override {
        {
            const std::lock_guard lock{lock_};
            over_ = true;
        }
        some_.notify_all();
        room_.notify_all();
        for (auto& thread : threads_) thread.join();
    }

private:
    void add_thread() {
        try {
            threads_.emplace_back([this] { work(); });
        } catch (const std::system_error&) {
            if (threads_.empty()) throw;  // else those there are take it, one after the other
        }
    }

    void work() {
        for (;;) {
            std::function<void()> task;
            {
                std::unique_lock lock{lock_};
                ++idle_;
                some_.wait(lock, [this] { return !tasks_.empty() || over_; });
                --idle_;
                if (tasks_.empty()) return;
                task = std::move(tasks_.front());
                tasks_.pop_front();
            }
            room_.notify_one();
            task();
        }
    }

    const std::size_t connections_max_, waiting_max_;
    std::mutex lock_;  // guards what follows
    std::condition_variable some_, room_;
    std::deque<std::function<void()>> tasks_;
    std::size_t idle_ = 0;  // threads
    bool over_ = false;
    std::vector<std::thread> threads_;
};

/// One of the requests that are worked on at once, for as long as it lives; waits for its turn.
class Turn {
public:
    explicit Turn(std::counting_semaphore<>& turns) : turns_{turns} { turns_.acquire(); }
    ~Turn() { turns_.release(); }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

private:
    std::counting_semaphore<>& turns_;
};

/// Whether only this machine can reach it.
inline bool is_loopback(const std::string& host) {
    return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace flagpost::http
