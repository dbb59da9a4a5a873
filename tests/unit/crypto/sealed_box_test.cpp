#include "broker/crypto/sealed_box.h"

#include <fstream>

#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::crypto;

namespace {

const Bytes message = copy(view("thirty-two bytes of a body's key"));
const Bytes context = copy(view("page 7"));

}  // namespace

TEST_CASE("a box opens with the key it is for, whatever its size", "[crypto]") {
    const auto key = BoxKey::generate();
    for (const std::size_t size : {0u, 1u, 32u, 100'000u}) {
        CAPTURE(size);
        const Bytes large(size, 0x5a);
        CHECK(key.open(context, seal_to(key.public_key(), context, large)) == large);
    }
}

TEST_CASE("no two boxes are alike, though they hold the same", "[crypto]") {
    const auto key = BoxKey::generate();
    CHECK(seal_to(key.public_key(), context, message) != seal_to(key.public_key(), context, message));
}

TEST_CASE("a box does not open for another key, in another context, or with any bit changed", "[crypto]") {
    const auto key = BoxKey::generate();
    const auto box = seal_to(key.public_key(), context, message);
    CHECK_FALSE(BoxKey::generate().open(context, box));
    CHECK_FALSE(key.open(copy(view("page 8")), box));
    CHECK_FALSE(key.open(context, {}));
    for (std::size_t at = 0; at < box.size(); ++at) {
        CAPTURE(at);
        auto changed = box;
        changed[at] ^= 1;
        CHECK_FALSE(key.open(context, changed));
        CHECK_FALSE(key.open(context, BytesView{box}.first(at)));
    }
}

TEST_CASE("a public key that agrees with every private key on the same secret is refused", "[crypto]") {
    CHECK_THROWS_AS(seal_to(BoxPublicKey{}, context, message), CryptoFailure);
    CHECK_FALSE(BoxKey::generate().open(context, Bytes(48 + message.size())));
}

TEST_CASE("keys are read from the files openssl writes", "[crypto]") {
    const test::TemporaryDirectory temporary;
    temporary.write("seal.key",
                    "-----BEGIN PRIVATE KEY-----\n"
                    "MC4CAQAwBQYDK2VuBCIEIBBH01M+5H1BjlPS0/gty/GwN5p1EiEmCmSaBcdAoJ12\n"
                    "-----END PRIVATE KEY-----\n");
    temporary.write("seal.pub",
                    "-----BEGIN PUBLIC KEY-----\n"
                    "MCowBQYDK2VuAyEAiIFRZD37c+ihsJCoPcc5MNcy7dbytFNCK5S+6/2lWUc=\n"
                    "-----END PUBLIC KEY-----\n");
    std::filesystem::permissions(temporary.path() / "seal.key", std::filesystem::perms::owner_read);
    const auto key = BoxKey::load(temporary.path() / "seal.key");
    CHECK(to_hex(key.public_key()) == "888151643dfb73e8a1b090a83dc73930d732edd6f2b453422b94beebfda55947");
    CHECK(load_box_public_key(temporary.path() / "seal.pub") == key.public_key());
    CHECK_THROWS_AS(load_box_public_key(temporary.path() / "seal.key"), CryptoFailure);
}
