#include "broker/router/subscription.h"

#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::router;

TEST_CASE("credit runs out by messages or by bytes, whichever is first", "[subscription]") {
    CreditLine by_messages;
    by_messages.set(2, 1'000'000);
    CHECK(by_messages.enough());
    by_messages.spend(10);
    by_messages.spend(10);
    CHECK_FALSE(by_messages.enough());
    by_messages.grant(1, 0);
    CHECK(by_messages.enough());

    CreditLine by_bytes;
    by_bytes.set(100, 1000);
    by_bytes.spend(999);
    CHECK(by_bytes.enough());
    by_bytes.spend(5000);  // the last one may overdraw
    CHECK_FALSE(by_bytes.enough());
    by_bytes.grant(0, 3000);
    CHECK_FALSE(by_bytes.enough());  // and is paid back first
    by_bytes.grant(0, 2000);
    CHECK(by_bytes.enough());
}

TEST_CASE("credit never adds up to more than the limits", "[subscription]") {
    CreditLine credit;
    for (int i = 0; i < 10; ++i) credit.grant(limits::credit_messages_max, limits::credit_bytes_max);
    for (std::uint32_t i = 0; i < limits::credit_messages_max; ++i) {
        REQUIRE(credit.enough());
        credit.spend(1);
    }
    CHECK_FALSE(credit.enough());
}

TEST_CASE("an item is in the way after eight deaths at it in a row, or many more silences",
          "[subscription]") {
    Attempts deaths;
    for (std::uint32_t i = 1; i < limits::delivery_attempts_max; ++i) {
        CHECK(deaths.stuck_at(3, Ending::hung_up) == i);
        CHECK_FALSE(deaths.is_in_the_way());
    }
    CHECK(deaths.stuck_at(3, Ending::hung_up) == limits::delivery_attempts_max);
    CHECK(deaths.is_in_the_way());
    deaths.stuck_at(4, Ending::hung_up);  // the one behind it begins anew
    CHECK_FALSE(deaths.is_in_the_way());

    Attempts silences;
    for (std::uint32_t i = 1; i < stuck_sessions_max; ++i) silences.stuck_at(3, Ending::silence);
    CHECK_FALSE(silences.is_in_the_way());
    silences.stuck_at(3, Ending::silence);
    CHECK(silences.is_in_the_way());

    Attempts both;
    for (std::uint32_t i = 1; i < limits::delivery_attempts_max; ++i) both.stuck_at(3, Ending::hung_up);
    for (std::uint32_t i = 0; i < limits::delivery_attempts_max; ++i) both.stuck_at(3, Ending::silence);
    CHECK_FALSE(both.is_in_the_way());
    both.stuck_at(3, Ending::hung_up);
    CHECK(both.is_in_the_way());
}

TEST_CASE("an attempt is counted once for each attach that got that far", "[subscription]") {
    Attempts attempts;
    CHECK(attempts.of(1) == 1);
    attempts.reached(5);
    attempts.begin(3);
    CHECK(attempts.of(3) == 2);
    CHECK(attempts.of(5) == 2);
    CHECK(attempts.of(6) == 1);
    attempts.reached(4);
    attempts.begin(4);
    CHECK(attempts.of(4) == 3);
    CHECK(attempts.of(5) == 2);
    attempts.begin(6);  // everything up to 5 is acknowledged
    CHECK(attempts.of(6) == 1);
}
