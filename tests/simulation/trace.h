/// What happened, as one number and, when wanted, as lines: the same seed must give the same number.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string_view>

#include "broker/core/bytes.h"
#include "tests/simulation/scheduler.h"

namespace flagpost::simulation {

class Trace {
public:
    explicit Trace(bool prints) : prints_{prints} {}

    void note(Moment now, std::string_view who, std::string_view what, std::uint64_t a = 0,
              std::uint64_t b = 0) {
        mix(static_cast<std::uint64_t>(now.count()));
        mix(view(who));
        mix(view(what));
        mix(a);
        mix(b);
        if (!prints_) return;
        std::printf("%12.6f  %-24.*s %.*s %llu %llu\n", static_cast<double>(now.count()) / 1e6,
                    static_cast<int>(who.size()), who.data(), static_cast<int>(what.size()), what.data(),
                    static_cast<unsigned long long>(a), static_cast<unsigned long long>(b));
    }
    std::uint64_t mix(BytesView bytes) {
        for (const auto byte : bytes) step(byte);
        return digest_;
    }
    std::uint64_t digest() const { return digest_; }

private:
    void mix(std::uint64_t word) {
        for (int shift = 0; shift < 64; shift += 8) step(static_cast<std::uint8_t>(word >> shift));
    }
    void step(std::uint8_t byte) { digest_ = (digest_ ^ byte) * 0x100000001b3; }  // FNV-1a

    bool prints_;
    std::uint64_t digest_ = 0xcbf29ce484222325;
};

}  // namespace flagpost::simulation
