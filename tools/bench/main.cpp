// flagpost-bench: one client process that publishes, subscribes and idles, and what the machine itself can
// do.
#include <CLI/CLI.hpp>
#include <csignal>
#include <iostream>

#include "tools/bench/modes.h"

namespace {

int run(const flagpost::bench::Options& options) {
    using namespace flagpost::bench;
    if (options.mode == "pub") return run_publish(options);
    if (options.mode == "lat") return run_latency(options);
    if (options.mode == "fanout") return run_fanout(options);
    if (options.mode == "idle") return run_idle(options);
    if (options.mode == "storm") return run_storm(options);
    if (options.mode == "drain") return run_drain(options);
    if (options.mode == "match") return run_match(options);
    return run_limits(options);
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // a broker that is gone is an error of the write, and counted
    try {
        return run(flagpost::bench::read_options(argc, argv));
    } catch (const CLI::ParseError& error) {
        return CLI::App{}.exit(error) == 0 ? 0 : 2;
    } catch (const std::exception& error) {
        std::cerr << "flagpost-bench: " << error.what() << "\n";
        return 1;
    }
}
