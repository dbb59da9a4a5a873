/// Bodies of a batch sealed by a second thread, ahead of the one that inserts them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <thread>

#include "broker/crypto/seal.h"
#include "broker/log/record.h"

namespace flagpost::store::sqlite {

/// Belongs to the thread that writes; the other one is its own. What a body is sealed with is drawn beforehand, in the order of the
/// records: whichever thread seals a body, and if both do, the same bytes come of it. So nobody ever waits for the other in the
/// middle of a batch, and a simulated run stays repeatable.
class SealingAhead {
public:
    /// Records sealed ahead at most: what waits sealed is memory, and a load may be of any length.
    static constexpr std::size_t most = 256;

    /// random   used in begin() alone
    SealingAhead(const crypto::MasterKeys& masters, Random& random);
    ~SealingAhead();
    SealingAhead(const SealingAhead&) = delete;
    SealingAhead& operator=(const SealingAhead&) = delete;

    /// From here on take() is about these records, at most `most`. They stay where they are until end().
    void begin(std::span<const log::Record> records);
    /// The body of the record at this place, sealed. Each once, in rising order; of records with a body only.
    crypto::SealedBody take(std::size_t place);
    /// The other thread has let go of the records.
    void end();

private:
    /// What was drawn for one body, as the source of random bytes a Sealer asks.
    class Drawn final : public Random {
    public:
        void is(std::span<const std::uint8_t> bytes) { left_ = bytes; }
        void fill(std::span<std::uint8_t> out) override;

    private:
        std::span<const std::uint8_t> left_;
    };
    struct Hand {
        explicit Hand(const crypto::MasterKeys& masters) : sealer{masters, drawn} {}
        Drawn drawn;
        crypto::Sealer sealer;
    };
    struct Slot {
        crypto::SealedBody sealed;
        std::atomic<bool> ready{false};
    };

    crypto::SealedBody seal(std::size_t place, Hand& hand);
    void run();
    void go_ahead();

    Random& random_;
    Hand mine_, other_;
    Bytes drawn_;  // for the records at hand
    std::span<const log::Record> records_;
    std::array<Slot, most> slots_;
    std::atomic<std::size_t> taken_{0};  // records the writer needs no more

    std::mutex mutex_;
    std::condition_variable begun_, let_go_;
    bool busy_ = false, stopping_ = false;  // under the mutex
    std::thread thread_;                    // from the first batch worth it
};

}  // namespace flagpost::store::sqlite
