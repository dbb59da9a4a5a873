/// Where the broker thread leaves how it stands, and those who show it to operators find it.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "broker/standing/watch.h"

namespace flagpost::manage {

/// One standing and what was found in it. Never changed once it is on the board.
struct Sheet {
    standing::Standing standing;
    std::vector<standing::Alarm> alarms;
    std::string report;  // of both: JSON
    std::chrono::steady_clock::time_point hung_up;
};

/// Any thread. Readers never wait for more than a pointer to be copied, and nobody waits for readers.
class Board {
public:
    void hang_up(std::shared_ptr<const Sheet> sheet) {
        const std::lock_guard lock{mutex_};
        newest_ = std::move(sheet);
    }
    /// Null before the first.
    std::shared_ptr<const Sheet> newest() const {
        const std::lock_guard lock{mutex_};
        return newest_;
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const Sheet> newest_;
};

}  // namespace flagpost::manage
