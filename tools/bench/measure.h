/// Clocks, percentiles and the one line of JSON a result is.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

namespace flagpost::bench {

using Json = nlohmann::ordered_json;

/// Monotonic nanoseconds.
std::int64_t now_ns();

/// Nanoseconds this thread has had a core: what a busy machine gives others does not count.
std::int64_t thread_cpu_ns();

/// Durations in nanoseconds, and where they lie.
class Durations {
public:
    void add(std::int64_t ns) { ns_.push_back(ns); }
    std::size_t count() const { return ns_.size(); }
    void clear() { ns_.clear(); }
    /// Microseconds at this share of all, 0 to 1; 0 when there are none.
    double us_at(double share);

private:
    std::vector<std::int64_t> ns_;
};

/// Cores this process kept busy since it was made, on average.
class CpuUse {
public:
    CpuUse();
    double cores() const;

private:
    std::int64_t cpu_ns_;
    std::int64_t wall_ns_;
};

double rounded(double value);
void print(const Json& line);

}  // namespace flagpost::bench
