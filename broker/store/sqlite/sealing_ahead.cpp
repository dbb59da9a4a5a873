#include "broker/store/sqlite/sealing_ahead.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace flagpost::store::sqlite {
namespace {

constexpr std::size_t drawn_each = 72;    // a salt, a key and two nonces
constexpr std::size_t worth_waking = 16;  // records: waking a thread takes as long as sealing a few

}  // namespace

void SealingAhead::Drawn::fill(std::span<std::uint8_t> out) {
    if (out.size() > left_.size()) throw std::logic_error{"a body is sealed with more than was drawn for it"};
    std::memcpy(out.data(), left_.data(), out.size());
    left_ = left_.subspan(out.size());
}

SealingAhead::SealingAhead(const crypto::MasterKeys& masters, Random& random)
    : random_{random}, mine_{masters}, other_{masters} {}

SealingAhead::~SealingAhead() {
    end();
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    begun_.notify_one();
    if (thread_.joinable()) thread_.join();
}

void SealingAhead::begin(std::span<const log::Record> records) {
    end();
    if (records.size() > most) throw std::logic_error{"more records than are sealed ahead"};
    records_ = records;
    drawn_.resize(records.size() * drawn_each);
    random_.fill(drawn_);
    for (std::size_t i = 0; i < records.size(); ++i) slots_[i].ready.store(false, std::memory_order_relaxed);
    taken_ = 0;
    if (records.size() < worth_waking) return;
    if (!thread_.joinable()) thread_ = std::thread{[this] { run(); }};
    {
        const std::lock_guard lock{mutex_};
        busy_ = true;
    }
    begun_.notify_one();
}

crypto::SealedBody SealingAhead::take(std::size_t place) {
    taken_.store(place + 1, std::memory_order_relaxed);
    auto& slot = slots_.at(place);
    if (slot.ready.load(std::memory_order_acquire)) return std::move(slot.sealed);
    return seal(place, mine_);
}

void SealingAhead::end() {
    taken_ = most;
    std::unique_lock lock{mutex_};
    let_go_.wait(lock, [this] { return !busy_; });
    records_ = {};
    OPENSSL_cleanse(drawn_.data(), drawn_.size());
}

crypto::SealedBody SealingAhead::seal(std::size_t place, Hand& hand) {
    const auto& record = records_[place];
    hand.drawn.is(BytesView{drawn_}.subspan(place * drawn_each, drawn_each));
    return hand.sealer.seal(record.body, {record.controller, record.retention, record.leaf.index});
}

// --- On the other thread

void SealingAhead::run() {
    std::unique_lock lock{mutex_};
    for (;;) {
        begun_.wait(lock, [this] { return busy_ || stopping_; });
        if (!busy_) return;
        lock.unlock();
        try {
            go_ahead();
        } catch (...) {
            // The writer seals for itself what it does not find, and meets the same.
        }
        lock.lock();
        busy_ = false;
        let_go_.notify_one();
    }
}

/// From the one after the next that is wanted: the next would be sealed by both.
void SealingAhead::go_ahead() {
    for (std::size_t place = 1; place < records_.size(); ++place) {
        place = std::max(place, taken_.load(std::memory_order_relaxed) + 1);
        if (place >= records_.size()) return;
        if (records_[place].body.empty()) continue;
        auto& slot = slots_[place];
        slot.sealed = seal(place, other_);
        slot.ready.store(true, std::memory_order_release);
    }
}

}  // namespace flagpost::store::sqlite
