/// The modes of flagpost-bench; each prints its result lines and returns the exit code.
#pragma once

#include "tools/bench/options.h"

namespace flagpost::bench {

int run_publish(const Options& options);
int run_latency(const Options& options);
int run_fanout(const Options& options);
int run_idle(const Options& options);
int run_storm(const Options& options);
int run_drain(const Options& options);
int run_match(const Options& options);
int run_limits(const Options& options);

}  // namespace flagpost::bench
