/// The one source of chance in a simulated world: everything that could go either way asks it, in a fixed order.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "broker/core/clock.h"

namespace flagpost::simulation {

using std::chrono::microseconds;

/// xoshiro256** (Blackman and Vigna), seeded by splitmix64: the same numbers on every machine and every library.
class Dice final : public Random {
public:
    explicit Dice(std::uint64_t seed) {
        for (auto& word : state_) {
            seed += 0x9e3779b97f4a7c15;
            std::uint64_t mixed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9;
            mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb;
            word = mixed ^ mixed >> 31;
        }
    }

    std::uint64_t next() {
        const auto turned = [](std::uint64_t word, int by) { return word << by | word >> (64 - by); };
        const std::uint64_t result = turned(state_[1] * 5, 7) * 9;
        const std::uint64_t shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = turned(state_[3], 45);
        return result;
    }
    /// 0 to bound - 1; 0 for a bound of 0.
    std::uint64_t below(std::uint64_t bound) { return bound == 0 ? 0 : next() % bound; }
    bool one_in(std::uint64_t many) { return many != 0 && below(many) == 0; }
    microseconds between(microseconds least, microseconds most) {
        const auto span = static_cast<std::uint64_t>((most - least).count());
        return least + microseconds{static_cast<std::int64_t>(below(span + 1))};
    }
    template <class T> const T& pick(const std::vector<T>& from) { return from[below(from.size())]; }

    void fill(std::span<std::uint8_t> out) override {
        std::uint64_t word = 0;
        for (std::size_t i = 0; i < out.size(); ++i) {
            if (i % 8 == 0) word = next();
            out[i] = static_cast<std::uint8_t>(word >> i % 8 * 8);
        }
    }

private:
    std::uint64_t state_[4];
};

}  // namespace flagpost::simulation
