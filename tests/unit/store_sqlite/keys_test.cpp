#include "broker/store/sqlite/keys.h"

#include "tests/support/catch.h"
#include "world.h"

using namespace flagpost;
using namespace flagpost::test;
using store::sqlite::KeyStep;
using store::sqlite::Pseudonyms;

TEST_CASE("one name has unlike HMACs as user, as subject and as state key", "[store]") {
    const Pseudonyms pseudonyms{key_of(1)};
    const auto key = pseudonyms.state_key({"name", true});
    CHECK(pseudonyms.user("name") != pseudonyms.subject("name"));
    CHECK_FALSE(contains(key, pseudonyms.user("name")));
    CHECK_FALSE(contains(key, pseudonyms.subject("name")));
    CHECK(key.size() == 17);
}

TEST_CASE("clear keys keep the order of their names, and never meet a personal one", "[store]") {
    const Pseudonyms pseudonyms{key_of(1)};
    CHECK(pseudonyms.state_key({"a/1", false}) < pseudonyms.state_key({"a/2", false}));
    CHECK(pseudonyms.state_key({"z", false})[0] != pseudonyms.state_key({"z", true})[0]);
}

TEST_CASE("steps read back as written, and every cut of them is refused", "[store]") {
    Bytes steps;
    append_step(steps, KeyStep::shred, view("a"));
    append_step(steps, KeyStep::set, view("bb"));
    std::string seen;
    const auto note = [&](KeyStep step, BytesView key) {
        seen += std::to_string(static_cast<int>(step)) + std::string{text(key)};
    };
    REQUIRE(store::sqlite::read_steps(steps, note));
    CHECK(seen == "1a3bb");
    for (std::size_t size = 1; size < steps.size(); ++size) {
        if (size == 4) continue;  // the first step by itself
        CAPTURE(size);
        CHECK_FALSE(store::sqlite::read_steps(BytesView{steps}.first(size), note));
    }
    steps[0] = 9;
    CHECK_FALSE(store::sqlite::read_steps(steps, note));
}
