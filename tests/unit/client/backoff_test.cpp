#include "adapters/client/backoff.h"

#include <set>

#include "broker/crypto/keys.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::client;

namespace {

/// Always the same byte: the least draw there is, or the greatest.
class Constant final : public Random {
public:
    explicit Constant(std::uint8_t byte) : byte_{byte} {}
    void fill(std::span<std::uint8_t> out) override { std::fill(out.begin(), out.end(), byte_); }

private:
    std::uint8_t byte_;
};

}  // namespace

TEST_CASE("waiting grows to its bound and starts over after a success", "[client]") {
    Constant longest{0xFF};
    Backoff backoff{longest};
    CHECK(backoff.next() == reconnect_spread_first);
    CHECK(backoff.next() == 2 * reconnect_spread_first);
    for (int i = 0; i < 100; ++i) CHECK(backoff.next() <= reconnect_delay_max);
    CHECK(backoff.next() == reconnect_delay_max);
    backoff.succeeded();
    CHECK(backoff.next() == reconnect_spread_first);
}

TEST_CASE("no wait is shorter than the least, however lucky the draw", "[client]") {
    Constant shortest{0};
    Backoff backoff{shortest};
    for (int i = 0; i < 100; ++i) CHECK(backoff.next() == reconnect_delay_min);
}

TEST_CASE("adapters that lost one broker do not all come back at once", "[client]") {
    crypto::SystemRandom random;
    std::set<std::chrono::milliseconds> waits;
    for (int i = 0; i < 200; ++i) {
        Backoff backoff{random};
        for (int failures = 0; failures < 10; ++failures) backoff.next();
        waits.insert(backoff.next());
    }
    CHECK(waits.size() > 100);
}
