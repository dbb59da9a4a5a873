#include "tools/bench/measure.h"

#include <time.h>

#include <algorithm>
#include <cmath>
#include <iostream>

namespace flagpost::bench {
namespace {

std::int64_t clock_ns(clockid_t clock) {
    timespec time{};
    clock_gettime(clock, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::int64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }

std::int64_t thread_cpu_ns() { return clock_ns(CLOCK_THREAD_CPUTIME_ID); }

double Durations::us_at(double share) {
    if (ns_.empty()) return 0;
    const auto place =
        std::min(ns_.size() - 1, static_cast<std::size_t>(share * static_cast<double>(ns_.size())));
    std::nth_element(ns_.begin(), ns_.begin() + static_cast<std::ptrdiff_t>(place), ns_.end());
    return rounded(static_cast<double>(ns_[place]) / 1000);
}

CpuUse::CpuUse() : cpu_ns_{clock_ns(CLOCK_PROCESS_CPUTIME_ID)}, wall_ns_{now_ns()} {}

double CpuUse::cores() const {
    const auto wall = static_cast<double>(now_ns() - wall_ns_);
    return wall <= 0 ? 0 : rounded(static_cast<double>(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns_) / wall);
}

double rounded(double value) { return std::round(value * 100) / 100; }

void print(const Json& line) { std::cout << line.dump() << std::endl; }

}  // namespace flagpost::bench
