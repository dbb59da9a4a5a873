/// simulate: runs seeded worlds and names those in which a promise was broken.
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <thread>

#include "tests/simulation/world.h"
#include "tests/support/figures.h"

using namespace flagpost::simulation;

namespace {

struct Tally {
    std::uint64_t seeds = 0, failing = 0;
    Summary sum;

    void add(const Summary& one) {
        sum.events += one.events;
        sum.lasted += one.lasted;
        sum.records += one.records;
        sum.confirmed += one.confirmed;
        sum.proven += one.proven;
        sum.stored += one.stored;
        sum.deaths += one.deaths;
        sum.faults += one.faults;
        sum.digest ^= one.digest;
    }
    void add(const Tally& other) {
        seeds += other.seeds;
        failing += other.failing;
        add(other.sum);
    }
};

void tell_failure(const Settings& settings, const char* what) {
    std::printf("seed %llu FAILED: %s\n  again: tools/simulate --seed %llu --trace\n",
                static_cast<unsigned long long>(settings.seed), what,
                static_cast<unsigned long long>(settings.seed));
    std::fflush(stdout);
}

Tally run_one(const Settings& settings) {
    Tally tally;
    tally.seeds = 1;
    World world{settings};
    try {
        tally.add(world.run());
    } catch (const std::exception& failure) {
        tally.failing = 1;
        tell_failure(settings, failure.what());
    }
    return tally;
}

/// Every `workers`-th seed, in a process of its own: a world is one thread and much global state of libraries.
int fork_worker(Settings settings, std::uint64_t count, std::uint64_t worker, std::uint64_t workers) {
    std::array<int, 2> ends{};
    if (pipe(ends.data()) != 0) throw std::system_error{errno, std::generic_category(), "pipe"};
    const pid_t child = fork();
    if (child < 0) throw std::system_error{errno, std::generic_category(), "fork"};
    if (child > 0) {
        close(ends[1]);
        return ends[0];
    }
    const auto first = settings.seed;
    Tally tally;
    for (std::uint64_t i = worker; i < count; i += workers) {
        settings.seed = first + i;
        tally.add(run_one(settings));
    }
    const bool written = write(ends[1], &tally, sizeof tally) == sizeof tally;
    _exit(written ? 0 : 1);
}

Tally run_all(const Settings& settings, std::uint64_t count, std::uint64_t workers) {
    std::vector<int> results;
    for (std::uint64_t worker = 0; worker < workers; ++worker)
        results.push_back(fork_worker(settings, count, worker, workers));
    Tally sum;
    for (const int end : results) {
        Tally tally;
        if (read(end, &tally, sizeof tally) != sizeof tally) throw std::runtime_error{"a worker died"};
        close(end);
        sum.add(tally);
    }
    while (wait(nullptr) > 0) continue;
    return sum;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{
        "Runs simulated counties: the real exchange, broker and client machines under seeded faults."};
    std::uint64_t seeds = 100, workers = std::max(1U, std::thread::hardware_concurrency());
    std::optional<std::uint64_t> seed;
    Settings settings;
    app.add_option("--seeds", seeds, "how many worlds");
    app.add_option("--first", settings.seed, "seed of the first");
    app.add_option("--seed", seed, "one world only");
    app.add_option("--jobs", workers, "processes side by side");
    app.add_flag("--trace", settings.trace, "print what happens");
    app.add_option("--only", settings.only, "the one sentence to watch");
    int plant = 0;
    app.add_option("--plant", plant, "number of a bug of plant.h to plant");
    CLI11_PARSE(app, argc, argv);
    settings.plant = static_cast<Plant>(plant);
    if (seed) {
        settings.seed = *seed;
        seeds = 1;
    }
    if (settings.trace) seeds = workers = 1;

    const Tally tally = seeds == 1 ? run_one(settings) : run_all(settings, seeds, std::min(workers, seeds));
    const double hours = std::chrono::duration<double, std::ratio<3600>>(tally.sum.lasted).count();
    std::printf(
        "%llu seeds, %llu failing; %.1f simulated hours, %llu events, %llu faults, %llu deaths, %llu "
        "records, "
        "%llu confirmed, %llu of them proven, %llu deliveries stored; digest %016llx\n",
        static_cast<unsigned long long>(tally.seeds), static_cast<unsigned long long>(tally.failing), hours,
        static_cast<unsigned long long>(tally.sum.events), static_cast<unsigned long long>(tally.sum.faults),
        static_cast<unsigned long long>(tally.sum.deaths), static_cast<unsigned long long>(tally.sum.records),
        static_cast<unsigned long long>(tally.sum.confirmed),
        static_cast<unsigned long long>(tally.sum.proven), static_cast<unsigned long long>(tally.sum.stored),
        static_cast<unsigned long long>(tally.sum.digest));
    if (seeds > 1)
        flagpost::tests::figure("T44", {
                                           {"seeds",           tally.seeds     },
                                           {"failing",         tally.failing   },
                                           {"simulated_hours", hours           },
                                           {"events",          tally.sum.events},
                                           {"deaths",          tally.sum.deaths}
        });
    return tally.failing == 0 ? 0 : 1;
}
