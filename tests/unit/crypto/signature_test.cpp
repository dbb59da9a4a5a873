#include "broker/crypto/signature.h"

#include <openssl/pem.h>

#include <functional>

#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::crypto;

namespace {

std::array<std::uint8_t, 32> seed_of(std::string_view hex) { return *exactly<32>(*from_hex(hex)); }

PKey new_key(const char* type, const char* group = nullptr) {
    return PKey{group ? EVP_PKEY_Q_keygen(nullptr, nullptr, type, group)
                      : EVP_PKEY_Q_keygen(nullptr, nullptr, type)};
}

Bytes public_der_of(const PKey& key) {
    std::uint8_t* encoded = nullptr;
    const int size = i2d_PUBKEY(key.get(), &encoded);
    Bytes der{encoded, encoded + size};
    OPENSSL_free(encoded);
    return der;
}

std::string pem_of(const PKey& key) {
    const std::unique_ptr<BIO, FreeWith<BIO_free_all>> bio{BIO_new(BIO_s_mem())};
    REQUIRE(PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
    char* text = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &text);
    return {text, static_cast<std::size_t>(size)};
}

}  // namespace

TEST_CASE("Ed25519 gives the answers of RFC 8032", "[crypto]") {
    const auto [seed, key, message,
                signature] = GENERATE(table<const char*, const char*, const char*, const char*>({
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
         "d25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
         "387b2eaeb4302aeeb00d291612bb0c00"},
    }));
    const auto note_key = NoteKey::from_seed(seed_of(seed));
    CHECK(to_hex(note_key.public_key()) == key);
    CHECK(to_hex(note_key.sign(*from_hex(message))) == signature);
    CHECK(verify_ed25519(seed_of(key), *from_hex(message), *from_hex(signature)));
}

TEST_CASE("the checkpoint of the published log vector verifies, and only that one", "[crypto]") {
    const auto vkey = from_base64("ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    const auto line = from_base64(
        "Dr5urC2UJ7PRUGpy19XfsDdCb+vsK0DWZLHL6zQQ+YeL9T+7swpTHkn4hC03SVeJylHH4zxrCCpVOjw0148hJm+PEQQ=");
    REQUIRE(vkey);
    REQUIRE(line);
    const auto key = exactly<32>(BytesView{*vkey}.subspan(1));
    const auto signature = BytesView{*line}.subspan(4);
    REQUIRE(key);
    const std::string text = "broker.example/audit\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n";
    CHECK(verify_ed25519(*key, view(text), signature));
    CHECK_FALSE(verify_ed25519(*key, view("broker.example/audit\n9" + text.substr(22)), signature));
    CHECK_FALSE(verify_ed25519(*key, view(text + "\n"), signature));
    CHECK_FALSE(verify_ed25519(*key, view(text), signature.first(63)));
    CHECK_FALSE(verify_ed25519(*key, view(text), {}));
}

TEST_CASE("an origin signature holds for its message and its key, and for nothing else", "[crypto]") {
    const auto key = OriginKey::generate();
    const auto verifier = OriginVerifier::parse(key.public_der());
    REQUIRE(verifier);
    const auto message = copy(view("flagpost-origin/1\n and a root"));
    const auto signature = key.sign(message);
    REQUIRE(verifier->verify(message, signature));
    struct Case {
        Bytes message, signature;
    };
    const auto [why, spoil] = GENERATE_COPY(table<const char*, std::function<void(Case&)>>({
        {"another message",             [](Case& c) { c.message[0] ^= 1; }                                  },
        {"a longer message",            [](Case& c) { c.message.push_back(0); }                             },
        {"a bit of the signature",      [](Case& c) { c.signature.back() ^= 1; }                            },
        {"the signature cut",           [](Case& c) { c.signature.pop_back(); }                             },
        {"a byte behind the signature", [](Case& c) { c.signature.push_back(0); }                           },
        {"no signature",                [](Case& c) { c.signature.clear(); }                                },
        {"zeros for r and s",           [](Case& c) { c.signature = {0x30, 6, 2, 1, 0, 2, 1, 0}; }          },
        {"another key's",               [](Case& c) { c.signature = OriginKey::generate().sign(c.message); }},
    }));
    CAPTURE(why);
    Case spoilt{message, signature};
    spoil(spoilt);
    CHECK_FALSE(verifier->verify(spoilt.message, spoilt.signature));
    CHECK(verifier->verify(message, signature));
}

TEST_CASE("an origin key is a P-256 key in its one encoding", "[crypto]") {
    const auto good = OriginKey::generate().public_der();
    REQUIRE(OriginVerifier::parse(good));
    auto longer = good, shorter = good, off_curve = good;
    longer.push_back(0);
    shorter.pop_back();
    off_curve.back() ^= 1;
    const auto p384 = public_der_of(new_key("EC", "P-384"));
    const auto secp256k1 = public_der_of(new_key("EC", "secp256k1"));
    const auto ed25519 = public_der_of(new_key("ED25519"));
    const Bytes noise(91, 0x30);
    const auto [why, der] = GENERATE_COPY(table<const char*, Bytes>({
        {"empty",                 Bytes{}  },
        {"cut",                   shorter  },
        {"a byte more",           longer   },
        {"a point off the curve", off_curve},
        {"another curve",         p384     },
        {"another 256-bit curve", secp256k1},
        {"Ed25519",               ed25519  },
        {"noise",                 noise    },
    }));
    CAPTURE(why);
    const auto parsed = OriginVerifier::parse(der);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().reason == Reason::malformed);
}

TEST_CASE("keys load only from private files of the right type", "[crypto]") {
    const test::TemporaryDirectory directory;
    const auto p256 = directory.write("p256.key", pem_of(new_key("EC", "P-256")), 0600);
    const auto ed25519 = directory.write("ed25519.key", pem_of(new_key("ED25519")), 0400);
    CHECK(OriginKey::load(p256).public_der().size() == 91);
    CHECK_NOTHROW(NoteKey::load(ed25519));
    CHECK_THROWS_AS(OriginKey::load(ed25519), CryptoFailure);
    CHECK_THROWS_AS(NoteKey::load(p256), CryptoFailure);
    CHECK_THROWS_AS(OriginKey::load(directory.path() / "absent.key"), CryptoFailure);
    CHECK_THROWS_AS(OriginKey::load(directory.write("noise.key", "no key at all\n", 0600)), CryptoFailure);
    CHECK_THROWS_AS(OriginKey::load(directory.write("open.key", pem_of(new_key("EC", "P-256")), 0640)),
                    CryptoFailure);
}
