/// The modes of flagpost-bench; each prints its result lines and returns the exit code.
#pragma once

#include <cstdint>

#include "tools/bench/options.h"

namespace flagpost::bench {

inline constexpr std::int64_t connect_ns_max = 60'000'000'000;  // by then every connection stands
inline constexpr std::int64_t settle_ns_max = 5'000'000'000;    // what is late by more than that is lost

int run_publish(const Options& options);
int run_latency(const Options& options);
int run_fanout(const Options& options);
int run_idle(const Options& options);
int run_storm(const Options& options);
int run_drain(const Options& options);
int run_match(const Options& options);
int run_limits(const Options& options);

}  // namespace flagpost::bench
