/// Time and randomness as arguments: only `main` makes the real ones.
#pragma once

#include <chrono>
#include <cstdint>

#include "broker/core/bytes.h"

namespace flagpost {

/// Wall-clock time to the microsecond, UTC.
using Instant = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

inline std::int64_t to_us(Instant instant) { return instant.time_since_epoch().count(); }
inline Instant from_us(std::int64_t us) { return Instant{std::chrono::microseconds{us}}; }

/// Time that only runs: nobody sets it, and it says nothing of the date. For how long something has lasted.
using Running = std::chrono::time_point<std::chrono::steady_clock, std::chrono::microseconds>;

/// One moment by both.
struct Now {
    Instant wall;  // what leaves, deadlines and certificates go by
    Running running;
};

class Clock {
public:
    virtual ~Clock() = default;
    virtual Instant now() = 0;  // may step back; whoever needs order keeps its own maximum
    virtual Running running() {
        return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::steady_clock::now());
    }
};

class SystemClock final : public Clock {
public:
    Instant now() override {
        return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
};

/// Source of random bytes; crypto::SystemRandom is the real one.
class Random {
public:
    virtual ~Random() = default;
    virtual void fill(std::span<std::uint8_t> out) = 0;

    template <std::size_t N> std::array<std::uint8_t, N> bytes() {
        std::array<std::uint8_t, N> out;
        fill(out);
        return out;
    }
};

}  // namespace flagpost
