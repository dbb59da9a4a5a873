#include "broker/router/recent_ids.h"

#include "tests/support/catch.h"
#include "tests/unit/router/peer.h"

using namespace flagpost;
using namespace flagpost::router;
using namespace flagpost::test;
using namespace std::chrono_literals;

namespace {

const AgencyId police = AgencyId::parse("police/31").value();
const AgencyId school = AgencyId::parse("school/122802").value();

}  // namespace

TEST_CASE("an id is known for the agency that used it and no other", "[recent]") {
    SeededRandom random;
    RecentIds recent{start_time};
    const Id16 id = make_uuid7(start_time, random);
    recent.remember(police, id, {Digest{1}, 7});
    REQUIRE(recent.find(police, id));
    CHECK(recent.find(police, id)->index == 7);
    CHECK_FALSE(recent.find(school, id));
}

TEST_CASE("the first to use an id stays the first", "[recent]") {
    SeededRandom random;
    RecentIds recent{start_time};
    const Id16 id = make_uuid7(start_time, random);
    recent.remember(police, id, {Digest{1}, 7});
    recent.remember(police, id, {Digest{2}, 8});
    CHECK(recent.find(police, id)->index == 7);
}

TEST_CASE("only an id made since what is remembered is complete can be new without a look at the disk",
          "[recent]") {
    SeededRandom random;
    const RecentIds recent{start_time};
    CHECK_FALSE(recent.may_be_stored(make_uuid7(start_time + 1s, random)));
    CHECK(recent.may_be_stored(make_uuid7(start_time, random)));
    CHECK(recent.may_be_stored(make_uuid7(start_time - 24h, random)));
    CHECK(recent.may_be_stored(Id16{1}));  // no UUIDv7: nothing is known of it
}

TEST_CASE("what is forgotten may be stored, and so may all that is older", "[recent]") {
    SeededRandom random;
    RecentIds recent{start_time - 1h, 3};
    std::vector<Id16> ids;
    for (int i = 0; i < 5; ++i) {
        ids.push_back(make_uuid7(start_time + std::chrono::seconds{i}, random));
        recent.remember(police, ids.back(), {Digest{}, static_cast<std::uint64_t>(i)});
    }
    CHECK_FALSE(recent.find(police, ids[0]));
    CHECK_FALSE(recent.find(police, ids[1]));
    CHECK(recent.may_be_stored(ids[0]));
    CHECK(recent.may_be_stored(ids[1]));
    CHECK(recent.find(police, ids[2]));
    CHECK_FALSE(recent.may_be_stored(make_uuid7(start_time + 10s, random)));
}
