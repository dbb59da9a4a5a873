#include "broker/router/syncer.h"

#include <utility>

namespace flagpost::router {

Syncer::Syncer(Setting setting) : setting_{std::move(setting)}, thread_{[this] { run(); }} {}

Syncer::~Syncer() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

bool Syncer::idle() {
    const std::lock_guard lock{mutex_};
    if (failure_) std::rethrow_exception(failure_);
    return waiting_.empty() && under_way_ == 0;
}

void Syncer::add(store::Committed written) {
    {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return failure_ || waiting_.size() + under_way_ < unsynced_max; });
        if (failure_) std::rethrow_exception(failure_);
        waiting_.push_back(std::move(written));
    }
    changed_.notify_all();
}

void Syncer::settle() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return failure_ || (waiting_.empty() && under_way_ == 0); });
    if (failure_) std::rethrow_exception(failure_);
}

void Syncer::run() {
    for (;;) {
        std::vector<store::Committed> some;
        {
            std::unique_lock lock{mutex_};
            changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
            if (stopping_) return;
            some = std::exchange(waiting_, {});
            under_way_ = some.size();
        }
        std::exception_ptr failure;
        try {
            setting_.sync();
            setting_.durable(std::move(some));  // told before settle() says so
        } catch (...) {
            failure = std::current_exception();
        }
        {
            const std::lock_guard lock{mutex_};
            under_way_ = 0;
            failure_ = failure;
        }
        changed_.notify_all();
        if (failure) return setting_.failed(failure);
    }
}

}  // namespace flagpost::router
