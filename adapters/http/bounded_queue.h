/// What serves connections of cpp-httplib, bounded.
#pragma once

#include <httplib.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace flagpost::http {

/// A fixed number of threads and a short queue: while it is full, accepting waits.
class BoundedQueue final : public httplib::TaskQueue {
public:
    BoundedQueue(std::size_t threads, std::size_t waiting_max) : waiting_max_{waiting_max} {
        for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
    }

    void enqueue(std::function<void()> task) override {
        std::unique_lock lock{lock_};
        room_.wait(lock, [this] { return tasks_.size() < waiting_max_ || over_; });
        tasks_.push_back(std::move(task));
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
    void work() {
        for (;;) {
            std::function<void()> task;
            {
                std::unique_lock lock{lock_};
                some_.wait(lock, [this] { return !tasks_.empty() || over_; });
                if (tasks_.empty()) return;
                task = std::move(tasks_.front());
                tasks_.pop_front();
            }
            room_.notify_one();
            task();
        }
    }

    const std::size_t waiting_max_;
    std::mutex lock_;
    std::condition_variable some_, room_;
    std::deque<std::function<void()>> tasks_;
    bool over_ = false;
    std::vector<std::thread> threads_;
};

/// Whether only this machine can reach it.
inline bool is_loopback(const std::string& host) {
    return host == "localhost" || host == "::1" || host.starts_with("127.");
}

}  // namespace flagpost::http
