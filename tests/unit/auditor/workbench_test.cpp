#include "adapters/auditor/workbench.h"

#include <atomic>
#include <future>

#include "tests/support/catch.h"

using namespace flagpost::auditor;
using namespace std::chrono_literals;

TEST_CASE("work is done once, in turn, and what came of it stays while it is done again", "[auditor]") {
    Workbench bench;
    CHECK_FALSE(bench.look("sum").asked);
    CHECK(bench.begin("sum", [](const Progress&) -> std::any { return 5; }));
    auto state = bench.look("sum", 10s);
    CHECK_FALSE(state.running);
    CHECK(std::any_cast<int>(state.result) == 5);

    std::promise<void> go;
    std::atomic<int> times = 0;
    const auto slow = [&, wait = go.get_future().share()](const Progress& progress) -> std::any {
        ++times;
        progress(1, 4);
        wait.wait();
        return 6;
    };
    CHECK(bench.begin("sum", slow));
    CHECK(bench.begin("sum", slow));
    while (bench.look("sum").percent != 25) std::this_thread::yield();
    state = bench.look("sum");
    CHECK(state.running);
    CHECK(std::any_cast<int>(state.result) == 5);
    CHECK(
        bench.begin("other", [](const Progress&) -> std::any { throw std::runtime_error{"no such thing"}; }));
    CHECK(bench.look("other").running);
    go.set_value();
    CHECK(std::any_cast<int>(bench.look("sum", 10s).result) == 6);
    state = bench.look("other", 10s);
    CHECK(state.failure == "no such thing");
    CHECK_FALSE(state.result.has_value());
    CHECK(times == 1);
}

TEST_CASE("a bench takes no more than it can hold, and forgets what nobody looks at", "[auditor]") {
    Workbench bench;
    std::promise<void> go;
    CHECK(bench.begin("first", [wait = go.get_future().share()](const Progress&) -> std::any {
        wait.wait();
        return 0;
    }));
    std::size_t taken = 1;
    const auto quick = [](const Progress&) -> std::any { return 1; };
    while (bench.begin(std::to_string(taken), quick)) REQUIRE(++taken < 100);
    CHECK(taken == pieces_waiting_max);
    go.set_value();
    for (int i = 0; i < 40; ++i) {
        CHECK_FALSE(bench.look("first", 10s).running);
        const auto name = "later " + std::to_string(i);
        while (!bench.begin(name, quick)) std::this_thread::yield();
        bench.look(name, 10s);
    }
    CHECK(bench.look("first").asked);
    CHECK_FALSE(bench.look("later 0").asked);
}

TEST_CASE("a bench that goes away ends the work at hand at its next word", "[auditor]") {
    std::atomic<bool> begun = false;
    {
        Workbench bench;
        CHECK(bench.begin("endless", [&](const Progress& progress) -> std::any {
            begun = true;
            for (std::uint64_t i = 0;; ++i) progress(i % 100, 100);
        }));
        while (!begun) std::this_thread::yield();
    }
    CHECK(begun);
}
