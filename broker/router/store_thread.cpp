#include "broker/router/store_thread.h"

#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "broker/core/limits.h"
#include "broker/log/merkle.h"

namespace flagpost::router {
namespace {

constexpr auto statistics_interval = std::chrono::seconds{15};

}  // namespace

StoreThread::StoreThread(Setting setting)
    : setting_{std::move(setting)},
      wake_fd_{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)},
      syncer_{{[this] { setting_.store->sync(); },
               [this](std::vector<store::Committed> durable) {
                   tell([&](News& news) { std::ranges::move(durable, std::back_inserter(news.committed)); });
               },
               [this](std::exception_ptr failure) { fail(std::move(failure)); }}} {
    if (wake_fd() < 0) throw std::system_error{errno, std::generic_category(), "eventfd"};
    thread_ = std::thread{[this] { run(); }};
}

StoreThread::~StoreThread() { stop(); }

void StoreThread::stop() {
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    handed_over_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void StoreThread::hand_over(store::Batch batch) {
    if (writing_) throw std::logic_error{"the store thread is writing"};
    writing_ = true;
    {
        const std::lock_guard lock{mutex_};
        batch_ = std::move(batch);
    }
    handed_over_.notify_one();
}

void StoreThread::keep_cosigned(std::string note) {
    const std::lock_guard lock{
        mutex_};  // nobody is woken: it waits for the next commit, or for the thread to look
    cosigned_ = std::move(note);
}

void StoreThread::sign_soon() {
    {
        const std::lock_guard lock{mutex_};
        head_wanted_ = true;
    }
    handed_over_.notify_one();
}

StoreThread::News StoreThread::take() {
    std::uint64_t wakes = 0;
    // Emptied before the news are taken: news that come in between wake us once more, for nothing.
    if (read(wake_fd(), &wakes, sizeof wakes) < 0 && errno != EAGAIN)
        throw std::system_error{errno, std::generic_category(), "eventfd"};
    const std::lock_guard lock{mutex_};
    has_news_ = false;
    if (failure_) std::rethrow_exception(failure_);
    News news = std::exchange(news_, {{}, {}, news_.wal_bytes});
    if (news.written) writing_ = false;
    return news;
}

void StoreThread::finish() {
    {
        const std::lock_guard lock{mutex_};
        finishing_ = true;
    }
    stop();
    const std::lock_guard lock{mutex_};
    if (failure_) std::rethrow_exception(failure_);
}

// --- On the store thread

void StoreThread::run() {
    try {
        const auto reader = setting_.open_reader();
        sign(*reader);
        store::Batch batch;
        for (;;) {
            const Duty duty = wait(std::min(until_tidying(), until_signing()), batch);
            if (duty == Duty::stop) break;
            if (duty == Duty::commit) {
                commit(std::exchange(batch, {}));
                when_there_is_room([&] { relieve(); });
                tidied_ = false;
            }
            when_there_is_room([&] { sign_if_due(*reader); });
            keep_statistics(false);
            if (duty == Duty::idle && !tidied_) when_there_is_room([&] { tidy(); });
        }
        if (finishing_) {
            when_there_is_room([&] { sign(*reader); });
            when_there_is_room([&] { tidy(); });
            keep_statistics(true);
        }
    } catch (...) {
        fail(std::current_exception());
    }
}

/// One message at a time is told by this thread itself: a third one woken would only cost time.
void StoreThread::commit(store::Batch batch) {
    store::Tally tally;
    if (setting_.keep_statistics)
        for (const auto& record : batch.records) tally.add(record);
    auto written = setting_.store->write(std::move(batch));
    const std::uint64_t wal_bytes = setting_.store->wal_bytes();
    const bool ahead = !syncer_.idle() || more_waits_.load(std::memory_order_relaxed);
    if (ahead)
        syncer_.add(std::move(written));
    else
        setting_.store->sync();
    tell([&](News& news) {
        if (!ahead) news.committed.push_back(std::move(written));
        news.wal_bytes = wal_bytes;
        news.written = true;
    });
    tally_.add(tally);
}

/// Does what nobody has been promised yet, or leaves it for later: a full disk must not end what still can be done.
template <class Step> void StoreThread::when_there_is_room(Step&& step) {
    try {
        step();
    } catch (const store::NoRoom& none) {
        if (!std::exchange(no_room_, true))
            spdlog::critical("no room on the disk, heads of the log and erasures are late: free some ({})",
                             none.what());
        signed_at_ = std::chrono::steady_clock::now();  // tried again in a while, not at once
        tidied_ = false;
    } catch (const log::SignerAway& away) {
        // Each reason once: they call for different things to be done.
        if (std::exchange(signer_away_, away.what()) != away.what())
            spdlog::critical("heads of the log are late: {}", away.what());
        signed_at_ = std::chrono::steady_clock::now();
    }
}

/// Now and then: nobody looks at figures by the second, and a commit must not wait for them.
void StoreThread::keep_statistics(bool at_once) {
    const auto now = std::chrono::steady_clock::now();
    if (tally_.empty() || (!at_once && now < kept_at_ + statistics_interval)) return;
    kept_at_ = now;
    syncer_.settle();  // what a power cut takes back was not there to be counted
    if (setting_.keep_statistics(tally_)) tally_ = {};
}

void StoreThread::relieve() {
    setting_.store->relieve();
    const bool stuck = setting_.store->wal_bytes() >= limits::wal_bytes_max;
    if (stuck && !std::exchange(wal_stuck_, true))
        spdlog::critical(
            "a reader of the database keeps {} MiB of its WAL: publishes are refused until it ends",
            setting_.store->wal_bytes() >> 20);
}

void StoreThread::tidy() {
    syncer_.settle();
    const bool rewrapping = setting_.store->rewraps_left() > 0;
    const bool more = setting_.store->tidy();
    if (rewrapping && setting_.store->rewraps_left() == 0)
        spdlog::info("every wrap is under the new master key: the one before is not needed any more");
    if (std::exchange(no_room_, false)) spdlog::info("room on the disk again");
    const bool was_stuck = wal_stuck_;
    wal_stuck_ = wal_stuck_ && setting_.store->wal_bytes() >= limits::wal_bytes_max;
    if (was_stuck && !wal_stuck_) {
        spdlog::info("the WAL is moved again");
        tell([&](News& news) { news.wal_bytes = setting_.store->wal_bytes(); });
    }
    tidied_ = !more && !wal_stuck_;
}

std::chrono::milliseconds StoreThread::until_tidying() const {
    if (tidied_ || no_room_ || wal_stuck_) return limits::checkpoint_interval;
    return limits::tidy_after_idle;
}

StoreThread::Duty StoreThread::wait(std::chrono::milliseconds longest, store::Batch& batch) {
    std::unique_lock lock{mutex_};
    handed_over_.wait_for(lock, longest, [&] { return batch_ || stopping_ || (head_wanted_ && !hurry_); });
    hurry_ |= std::exchange(head_wanted_, false);
    if (cosigned_) {
        setting_.store->save_cosigned(*std::exchange(cosigned_, std::nullopt));
        tidied_ = false;
    }
    if (batch_) {
        batch = *std::exchange(batch_, std::nullopt);
        return Duty::commit;
    }
    return stopping_ ? Duty::stop : Duty::idle;
}

template <class Change> void StoreThread::tell(Change&& change) {
    {
        const std::lock_guard lock{mutex_};
        change(news_);
        has_news_ = true;
    }
    const std::uint64_t one = 1;
    if (write(wake_fd(), &one, sizeof one) < 0 && errno != EAGAIN)
        throw std::system_error{errno, std::generic_category(), "eventfd"};
}

/// The first failure is the one that says why.
void StoreThread::fail(std::exception_ptr failure) {
    tell([&](News&) {
        if (!failure_) failure_ = std::move(failure);
    });
}

std::chrono::milliseconds StoreThread::until_signing() const {
    const std::uint64_t unsigned_leaves = setting_.store->size() - signed_size_;
    if (unsigned_leaves == 0) return limits::checkpoint_interval;
    const bool sooner = hurry_ || unsigned_leaves >= limits::checkpoint_leaves;
    const std::chrono::milliseconds spacing =
        sooner ? limits::checkpoint_spacing : limits::checkpoint_interval;
    const auto since = std::chrono::steady_clock::now() - signed_at_;
    const auto left = spacing - std::chrono::duration_cast<std::chrono::milliseconds>(since);
    return std::max(left, std::chrono::milliseconds{0});
}

void StoreThread::sign_if_due(store::Reader& reader) {
    if (setting_.store->size() == signed_size_)
        hurry_ = false;
    else if (until_signing() == std::chrono::milliseconds{0})
        sign(reader);
}

/// Of what is durable: nobody may show a head that a power cut takes back.
void StoreThread::sign(store::Reader& reader) {
    syncer_.settle();
    const std::uint64_t size = setting_.store->size();
    const std::uint64_t last = setting_.signer->last().size;
    const auto proof =
        last == 0 || last >= size
            ? std::vector<Digest>{}
            : log::consistency_proof(last, size, [&](log::TileId id) { return reader.tile(id); });
    auto note = setting_.signer->sign(size, setting_.store->root(), proof);
    if (!note)
        throw store::StorageFailure{"the log contradicts the head signed last (" + note.error().where +
                                    "): this store is not the one that was signed"};
    if (!std::exchange(signer_away_, {}).empty()) spdlog::info("the signer signs again");
    signed_size_ = size;
    hurry_ = false;
    signed_at_ = std::chrono::steady_clock::now();
    setting_.store->save_checkpoint(*note);
    tidied_ = false;
    tell([&](News& news) {
        news.heads.push_back(std::move(*note));
        news.wal_bytes = setting_.store->wal_bytes();
    });
}

}  // namespace flagpost::router
