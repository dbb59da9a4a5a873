#include "broker/store/sqlite/pooled_random.h"

#include "tests/support/catch.h"
#include "world.h"

using namespace flagpost;
using namespace flagpost::test;

TEST_CASE("pooled bytes are the source's, each once and in order, however they are asked for", "[store]") {
    CountingRandom source;
    CountingRandom same_source;
    store::sqlite::PooledRandom pooled{source};
    for (const std::size_t size : {1u, 72u, 4000u, 0u, 23u, 1u, 9000u, 4096u}) {
        Bytes expected(size);
        same_source.fill(expected);
        Bytes got(size);
        pooled.fill(got);
        CHECK(got == expected);
    }
}
