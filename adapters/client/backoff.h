/// How long to wait before the next connection: longer each time, and never all adapters at once.
#pragma once

#include <algorithm>
#include <chrono>
#include <utility>

#include "broker/core/clock.h"

namespace flagpost::client {

inline constexpr std::chrono::milliseconds reconnect_delay_min{100};
inline constexpr std::chrono::milliseconds reconnect_spread_first{
    1000};  // a broker that starts again at once meets all of them
inline constexpr std::chrono::milliseconds reconnect_delay_max{10'000};

class Backoff {
public:
    explicit Backoff(Random& random) : random_{random} {}

    /// Anything between the least delay and a ceiling that doubles with each failure.
    std::chrono::milliseconds next() {
        const auto ceiling = std::exchange(ceiling_, std::min(ceiling_ * 2, reconnect_delay_max));
        const auto bytes = random_.bytes<4>();
        const std::uint32_t draw =
            static_cast<std::uint32_t>(bytes[0]) << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
        return reconnect_delay_min + (ceiling - reconnect_delay_min) * (draw >> 16) / 0xFFFF;
    }
    void succeeded() { ceiling_ = reconnect_spread_first; }

private:
    Random& random_;
    std::chrono::milliseconds ceiling_ = reconnect_spread_first;
};

}  // namespace flagpost::client
