#include "broker/crypto/digest.h"

#include <algorithm>
#include <string>
#include <thread>

#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::crypto;

namespace {

SymmetricKey key_of(std::string_view hex) {
    std::array<std::uint8_t, 32> key{};  // RFC 2104 pads a shorter key with zeros, so this is the same key
    const auto bytes = from_hex(hex);
    REQUIRE(bytes);
    REQUIRE(bytes->size() <= key.size());
    std::copy(bytes->begin(), bytes->end(), key.begin());
    return SymmetricKey{key};
}

}  // namespace

TEST_CASE("SHA-256 gives the answers of FIPS 180-4", "[crypto]") {
    const std::string million(1'000'000, 'a');
    const std::string two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    const auto [message, digest] = GENERATE_COPY(table<std::string, const char*>({
        {"",         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc",      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {two_blocks, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {million,    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    }));
    CAPTURE(message.size());
    CHECK(to_hex(sha256(view(message))) == digest);
}

TEST_CASE("a digest does not depend on where its parts are cut", "[crypto]") {
    const std::string message = "one message in three parts";
    const auto all = view(message);
    for (std::size_t a = 0; a <= all.size(); ++a) {
        CHECK(sha256({all.first(a), {}, all.subspan(a)}) == sha256(all));
    }
}

TEST_CASE("HMAC-SHA-256 gives the answers of RFC 4231", "[crypto]") {
    const auto [why, key, data, mac] = GENERATE(table<const char*, const char*, const char*, const char*>({
        {"case 1", "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",           "4869205468657265",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"                                                                                                                            },
        {"case 2", "4a656665",                                           "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"                                                                                                                            },
        {"case 4", "0102030405060708090a0b0c0d0e0f10111213141516171819",
         "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdc"
         "d",                                                                                                                        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    }));
    CAPTURE(why);
    const auto whole = hmac_sha256(key_of(key), {*from_hex(data)});
    CHECK(to_hex(whole) == mac);
    CHECK(to_hex(hmac16(key_of(key), {*from_hex(data)})) == std::string{mac}.substr(0, 32));
}

TEST_CASE("threads that hash at once do not disturb each other", "[crypto]") {
    const auto key = key_of("0102");
    const auto digest = sha256(view("shared"));
    const auto mac = hmac_sha256(key, {view("shared")});
    std::array<int, 4> wrong{};
    std::vector<std::jthread> threads;
    for (int& count : wrong)
        threads.emplace_back([&] {
            for (int i = 0; i < 2000; ++i)
                count += sha256(view("shared")) != digest || hmac_sha256(key, {view("shared")}) != mac;
        });
    threads.clear();
    CHECK(wrong == std::array<int, 4>{});
}
