#include "broker/crypto/keys.h"

#include "broker/crypto/handles.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::crypto;

namespace {
const std::string hex_key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
}

TEST_CASE("a key file anybody else may read is refused by name", "[crypto]") {
    const test::TemporaryDirectory directory;
    const auto [mode, accepted] = GENERATE(table<unsigned, bool>({
        {0600, true },
        {0400, true },
        {0640, false},
        {0604, false},
        {0660, false},
        {0644, false},
        {0610, false},
    }));
    CAPTURE(mode);
    const auto file = directory.write("master.key", hex_key, mode);
    if (accepted) {
        CHECK_NOTHROW(require_private_mode(file));
        CHECK_NOTHROW(load_symmetric_key(file));
    } else {
        CHECK_THROWS_WITH(require_private_mode(file), Catch::Contains("master.key"));
        CHECK_THROWS_WITH(load_symmetric_key(file), Catch::Contains("master.key"));
    }
}

TEST_CASE("a symmetric key is exactly 64 hexadecimal characters", "[crypto]") {
    const test::TemporaryDirectory directory;
    const std::string large(100'000, '0');
    const auto [why, text, accepted] = GENERATE_COPY(table<const char*, std::string, bool>({
        {"as made",          hex_key + "\n",           true },
        {"without newline",  hex_key,                  true },
        {"short",            hex_key.substr(2),        false},
        {"long",             hex_key + "00",           false},
        {"not hexadecimal",  "zz" + hex_key.substr(2), false},
        {"two newlines",     hex_key + "\n\n",         false},
        {"empty",            "",                       false},
        {"larger than keys", large,                    false},
    }));
    CAPTURE(why);
    const auto file = directory.write("some.key", text, 0600);
    if (accepted)
        CHECK(to_hex(load_symmetric_key(file).reveal()) == hex_key);
    else
        CHECK_THROWS_AS(load_symmetric_key(file), CryptoFailure);
}

TEST_CASE("the broker's keys are four files, and no two are mixed up", "[crypto]") {
    const test::TemporaryDirectory directory;
    directory.write("master.key", std::string(64, '1'), 0600);
    directory.write("seed.key", std::string(64, '2'), 0600);
    directory.write("digest.key", std::string(64, '3'), 0600);
    CHECK_THROWS_WITH(BrokerKeys::load(directory.path()), Catch::Contains("dedup.key"));
    directory.write("dedup.key", std::string(64, '4'), 0600);
    const auto keys = BrokerKeys::load(directory.path());
    CHECK(keys.master.current.reveal()[0] == 0x11);
    CHECK(keys.seed.reveal()[0] == 0x22);
    CHECK(keys.digest.reveal()[0] == 0x33);
    CHECK(keys.dedup.reveal()[0] == 0x44);
}

TEST_CASE("random bytes do not repeat", "[crypto]") {
    SystemRandom random;
    CHECK(random.bytes<32>() != random.bytes<32>());
}

TEST_CASE(
    "a key may come from a file, a credential of systemd or the environment, and stays in none of the last",
    "[crypto]") {
    const test::TemporaryDirectory directory;
    const auto file = directory.write("flagpost-master", hex_key, 0400);
    CHECK(to_hex(load_symmetric_key_from(file.string()).reveal()) == hex_key);

    unsetenv("CREDENTIALS_DIRECTORY");
    CHECK_THROWS_WITH(load_symmetric_key_from("credential:flagpost-master"),
                      Catch::Contains("credential:flagpost-master"));
    setenv("CREDENTIALS_DIRECTORY", directory.path().c_str(), 1);
    CHECK(to_hex(load_symmetric_key_from("credential:flagpost-master").reveal()) == hex_key);
    for (const char* name :
         {"credential:", "credential:../flagpost-master", "credential:.hidden", "credential:absent"}) {
        CAPTURE(name);
        CHECK_THROWS_AS(load_symmetric_key_from(name), CryptoFailure);
    }
    unsetenv("CREDENTIALS_DIRECTORY");

    setenv("FLAGPOST_TEST_KEY", hex_key.c_str(), 1);
    const char* const where = getenv("FLAGPOST_TEST_KEY");
    CHECK(to_hex(load_symmetric_key_from("env:FLAGPOST_TEST_KEY").reveal()) == hex_key);
    CHECK(getenv("FLAGPOST_TEST_KEY") == nullptr);
    CHECK(*where == '\0');
    CHECK_THROWS_WITH(load_symmetric_key_from("env:FLAGPOST_TEST_KEY"), Catch::Contains("no such variable"));
    setenv("FLAGPOST_TEST_KEY", "not a key", 1);
    CHECK_THROWS_WITH(load_symmetric_key_from("env:FLAGPOST_TEST_KEY"), !Catch::Contains("not a key"));
}
