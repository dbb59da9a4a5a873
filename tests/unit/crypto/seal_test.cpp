#include "broker/crypto/seal.h"

#include <functional>

#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::crypto;

namespace {

/// 1, 2, 3, ...: sealed bytes become the same in every run.
class CountingRandom final : public Random {
public:
    void fill(std::span<std::uint8_t> out) override {
        for (auto& byte : out) byte = next_++;
    }

private:
    std::uint8_t next_ = 1;
};

SymmetricKey master() {
    std::array<std::uint8_t, 32> key{};
    key.fill(0x42);
    return SymmetricKey{key};
}

const SealLabel label{"social-care/E10000024", "notice", 48'213};
const Bytes body = copy(view("{\"what\":\"a body\"}"));

}  // namespace

TEST_CASE("a sealed body opens to what was sealed, whatever its size", "[crypto]") {
    CountingRandom random;
    Sealer sealer{master(), random};
    for (const std::size_t size : {0u, 1u, 15u, 16u, 17u, 1024u, 1'000'000u}) {
        CAPTURE(size);
        const Bytes large(size, 0x5a);
        const auto sealed = sealer.seal(large, label);
        CHECK(sealed.wrap.size() == 76);
        CHECK(sealed.ciphertext.size() == size + 28);
        CHECK(sealer.open(sealed.wrap, sealed.ciphertext, label) == large);
        CHECK(body_digest(sealed.wrap, sealed.ciphertext) == sealed.digest);
    }
}

TEST_CASE("the layout on disk is final", "[crypto]") {
    CountingRandom random;
    const auto sealed = Sealer{master(), random}.seal(body, label);
    CHECK(to_hex(BytesView{sealed.wrap}.first(28)) ==
          "0102030405060708090a0b0c0d0e0f10"
          "3132333435363738393a3b3c");
    CHECK(to_hex(BytesView{sealed.ciphertext}.first(12)) == "3d3e3f404142434445464748");
    // Computed by python3-cryptography from the layout in seal.h.
    CHECK(to_hex(sealed.digest) == "f7c24fd0366ddfba455c487d58e12fd18d0e8bcdb73481ce08aaa011d3c0e14f");
    CHECK(to_hex(sha256(sealed.wrap)) == "b74fc2057b52bc917894442aef88ef0f6db6b71ae9403dcb46a9b7f31e84ce33");
}

TEST_CASE("two seals of one body have nothing in common", "[crypto]") {
    CountingRandom random;
    Sealer sealer{master(), random};
    const auto first = sealer.seal(body, label);
    const auto second = sealer.seal(body, label);
    CHECK(first.wrap != second.wrap);
    CHECK(first.ciphertext != second.ciphertext);
    CHECK(first.digest != second.digest);
}

TEST_CASE("whatever is changed after sealing, the body does not open", "[crypto]") {
    CountingRandom random;
    Sealer sealer{master(), random};
    const auto good = sealer.seal(body, label);
    const auto other = sealer.seal(body, label);
    struct Parts {
        Bytes wrap, ciphertext;
        SealLabel label;
    };
    const auto [why, spoil] = GENERATE_COPY(table<const char*, std::function<void(Parts&)>>({
        {"salt",                       [](Parts& p) { p.wrap[0] ^= 1; }                      },
        {"nonce of the wrap",          [](Parts& p) { p.wrap[16] ^= 1; }                     },
        {"wrapped key",                [](Parts& p) { p.wrap[28] ^= 1; }                     },
        {"tag of the wrap",            [](Parts& p) { p.wrap[75] ^= 1; }                     },
        {"wrap too short",             [](Parts& p) { p.wrap.pop_back(); }                   },
        {"wrap too long",              [](Parts& p) { p.wrap.push_back(0); }                 },
        {"wrap destroyed",             [](Parts& p) { p.wrap.clear(); }                      },
        {"wrap of another record",     [=](Parts& p) { p.wrap = other.wrap; }                },
        {"nonce of the body",          [](Parts& p) { p.ciphertext[0] ^= 1; }                },
        {"body",                       [](Parts& p) { p.ciphertext[12] ^= 1; }               },
        {"tag of the body",            [](Parts& p) { p.ciphertext.back() ^= 1; }            },
        {"body cut",                   [](Parts& p) { p.ciphertext.pop_back(); }             },
        {"body shorter than its tag",  [](Parts& p) { p.ciphertext.resize(27); }             },
        {"body empty",                 [](Parts& p) { p.ciphertext.clear(); }                },
        {"body of another record",     [=](Parts& p) { p.ciphertext = other.ciphertext; }    },
        {"layers exchanged",           [](Parts& p) { std::swap(p.wrap, p.ciphertext); }     },
        {"controller",                 [](Parts& p) { p.label.controller = "school/122802"; }},
        {"retention",                  [](Parts& p) { p.label.retention = "flag"; }          },
        {"index",                      [](Parts& p) { ++p.label.index; }                     },
        {"label cut elsewhere",        [](Parts& p) {
             p.label.controller = "social-care/E10000024n";
             p.label.retention = "otice";
         }                                                                       },
    }));
    CAPTURE(why);
    Parts parts{good.wrap, good.ciphertext, label};
    REQUIRE(sealer.open(parts.wrap, parts.ciphertext, parts.label) == body);
    spoil(parts);
    CHECK_FALSE(sealer.open(parts.wrap, parts.ciphertext, parts.label));
}

TEST_CASE("another master key opens nothing", "[crypto]") {
    CountingRandom random;
    const auto sealed = Sealer{master(), random}.seal(body, label);
    const Sealer stranger{SymmetricKey{std::array<std::uint8_t, 32>{}}, random};
    CHECK_FALSE(stranger.open(sealed.wrap, sealed.ciphertext, label));
}

TEST_CASE("the leaf's digest covers the salt and the whole ciphertext", "[crypto]") {
    CountingRandom random;
    auto sealed = Sealer{master(), random}.seal(body, label);
    sealed.wrap[15] ^= 1;
    CHECK(body_digest(sealed.wrap, sealed.ciphertext) != sealed.digest);
    sealed.wrap[15] ^= 1;
    sealed.ciphertext[30] ^= 1;
    CHECK(body_digest(sealed.wrap, sealed.ciphertext) != sealed.digest);
    sealed.wrap.resize(15);
    CHECK_FALSE(body_digest(sealed.wrap, sealed.ciphertext));
}

TEST_CASE("a wrap moves to a new master key, and neither body nor leaf notices", "[crypto]") {
    CountingRandom random;
    const SymmetricKey next{std::array<std::uint8_t, 32>{1}};
    const auto sealed = Sealer{master(), random}.seal(body, label);
    Sealer changing{
        {next, master()},
        random
    };

    const auto moved = changing.rewrap(sealed.wrap, label);
    REQUIRE(moved);
    CHECK(*moved != sealed.wrap);
    CHECK(Sealer{next, random}.open(*moved, sealed.ciphertext, label) == body);
    CHECK_FALSE(Sealer{master(), random}.open(*moved, sealed.ciphertext, label));
    CHECK(body_digest(*moved, sealed.ciphertext) == sealed.digest);
    CHECK(changing.rewrap(*moved, label) == moved);
    CHECK(changing.open(sealed.wrap, sealed.ciphertext, label) == body);

    CHECK_FALSE(Sealer{next, random}.rewrap(sealed.wrap, label));
    CHECK_FALSE(changing.rewrap(sealed.wrap, {label.controller, label.retention, label.index + 1}));
    CHECK_FALSE(changing.rewrap(BytesView{sealed.wrap}.first(75), label));
}
