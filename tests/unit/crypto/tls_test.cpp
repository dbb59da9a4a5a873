#include "broker/crypto/tls.h"

#include <openssl/err.h>

#include <cstdlib>
#include <functional>

#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::crypto;
namespace fs = std::filesystem;

namespace {

using FilePointer = std::unique_ptr<std::FILE, FreeWith<std::fclose>>;

constexpr const char* partnership = "notts.example";

void run(const std::string& command) {
    if (std::system((command + " >&2").c_str()) != 0) throw std::runtime_error{command};
}

/// One practice partnership for all cases of this file, made by the script that everybody uses.
class Pki {
public:
    Pki() {
        run(TEST_SOURCE_DIR
            "/certs/make-dev-pki --partnership notts.example --agency police/31 --agency "
            "school/122802 --zoo --out " +
            root().string());
        run("cd " + root().string() +
            " && openssl ca -config ca-db/openssl.cnf -gencrl -out stale-crl.pem"
            " -crl_lastupdate 20200101000000Z -crl_nextupdate 20200201000000Z 2>/dev/null");
    }
    const fs::path& root() const { return directory_.path(); }
    TlsFiles files(const std::string& folder) const {
        return {root() / folder / "tls.crt", root() / folder / "tls.key", root() / "ca.crt",
                root() / "crl.pem"};
    }

private:
    test::TemporaryDirectory directory_;
};

const Pki& pki() {
    static const Pki made;
    return made;
}

/// Two ends of a connection that lie in memory.
struct Ends {
    TlsConnection client, server;

    Ends(SSL_CTX* client_context, SSL_CTX* server_context, const std::string& host = "localhost")
        : client{begin_client(client_context, host)}, server{SSL_new(server_context)} {
        BIO *client_side = nullptr, *server_side = nullptr;
        REQUIRE(BIO_new_bio_pair(&client_side, 0, &server_side, 0) == 1);
        SSL_set_bio(client.get(), client_side, client_side);
        SSL_set_bio(server.get(), server_side, server_side);
        SSL_set_accept_state(server.get());
    }
    /// Whether the server, which decides, has let the client in, and the client has let the server in.
    bool shake_hands() {
        for (int i = 0; i < 10; ++i) {
            SSL_do_handshake(client.get());
            SSL_do_handshake(server.get());
        }
        ERR_clear_error();
        return SSL_is_init_finished(client.get()) == 1 && SSL_is_init_finished(server.get()) == 1;
    }
};

/// A client as a stranger might build one: nothing of ours but what the test gives it.
TlsContext plain_client(const std::string& folder) {
    TlsContext context{SSL_CTX_new(TLS_client_method())};
    if (!folder.empty()) {
        const auto files = pki().files(folder);
        REQUIRE(SSL_CTX_use_certificate_file(context.get(), files.certificate.c_str(), SSL_FILETYPE_PEM) ==
                1);
        REQUIRE(SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) == 1);
    }
    return context;
}

void offer(SSL_CTX* context, std::string_view protocols) {
    const auto bytes = view(protocols);
    REQUIRE(SSL_CTX_set_alpn_protos(context, bytes.data(), static_cast<unsigned int>(bytes.size())) == 0);
}

Certificate peer_of(const TlsConnection& end) { return Certificate{SSL_get1_peer_certificate(end.get())}; }

}  // namespace

TEST_CASE("two parties of the partnership meet over TLS 1.3 and know each other", "[crypto][tls]") {
    const auto server = make_server_context(pki().files("broker"));
    const auto client = make_client_context(pki().files("police-31"));
    Ends ends{client.get(), server.get()};
    REQUIRE(ends.shake_hands());
    CHECK(SSL_version(ends.server.get()) == TLS1_3_VERSION);

    const std::uint8_t* protocol = nullptr;
    unsigned int size = 0;
    SSL_get0_alpn_selected(ends.client.get(), &protocol, &size);
    CHECK(text({protocol, size}) == "flagpost/1");

    const auto agency = read_peer(peer_of(ends.server).get(), partnership, Purpose::client);
    REQUIRE(agency);
    CHECK(agency->id.agency().text() == "police/31");
    CHECK(agency->serial.size() >= 2);
    CHECK(agency->not_after > SystemClock{}.now());
    const auto broker = read_peer(peer_of(ends.client).get(), partnership, Purpose::server);
    REQUIRE(broker);
    CHECK(broker->id.text() == "spiffe://notts.example/broker/main");
    CHECK(broker->fingerprint != agency->fingerprint);
}

TEST_CASE("both ends have one channel binding, and no other connection has it", "[crypto][tls]") {
    const auto server = make_server_context(pki().files("broker"));
    const auto client = make_client_context(pki().files("police-31"));
    Ends first{client.get(), server.get()};
    Ends second{client.get(), server.get()};
    REQUIRE(first.shake_hands());
    REQUIRE(second.shake_hands());
    CHECK(channel_binding(first.client.get()) == channel_binding(first.server.get()));
    CHECK(channel_binding(first.client.get()) != channel_binding(second.client.get()));
}

TEST_CASE("a certificate with one thing wrong is stopped", "[crypto][tls]") {
    const auto [folder, stopped_by] = GENERATE(table<const char*, const char*>({
        {"police-31",                  ""                                   },
        {"zoo/other-ca",               "handshake"                          },
        {"zoo/expired",                "handshake"                          },
        {"zoo/not-yet-valid",          "handshake"                          },
        {"zoo/revoked",                "handshake"                          },
        {"zoo/server-eku",             "handshake"                          },
        {"broker",                     "handshake"                          },
        {"zoo/no-uri",                 "certificate: no URI"                },
        {"zoo/two-uris",               "certificate: more than one URI"     },
        {"zoo/wrong-partnership",      "certificate: of another partnership"},
        {"zoo/ca-true",                "certificate: a CA"                  },
        {"zoo/both-ekus",              "certificate: extended key usage"    },
        {"zoo/no-eku",                 "certificate: no extended key usage" },
        {"zoo/no-key-usage",           "certificate: no key usage"          },
        {"zoo/key-usage-not-critical", "certificate: key usage not critical"},
    }));
    CAPTURE(folder);
    const auto server = make_server_context(pki().files("broker"));
    const auto client = plain_client(folder);
    Ends ends{client.get(), server.get()};
    if (!ends.shake_hands()) {
        CHECK(std::string{"handshake"} == stopped_by);
        return;
    }
    const auto peer = read_peer(peer_of(ends.server).get(), partnership, Purpose::client);
    CHECK((peer ? std::string{} : peer.error().where) == stopped_by);
}

TEST_CASE("a client the settings do not allow never gets past the handshake", "[crypto][tls]") {
    const auto [why, folder, change,
                accepted] = GENERATE(table<const char*, const char*, std::function<void(SSL_CTX*)>, bool>({
        {"stunnel: no ALPN",  "police-31", [](SSL_CTX*) {},                                                      true },
        {"ours among others", "police-31",
         [](SSL_CTX* c) {
             offer(c,
                   "\x02h2\x0a"
                   "flagpost/1");
         },                                                                                                      true },
        {"another protocol",  "police-31", [](SSL_CTX* c) { offer(c, "\x02h2"); },                               false},
        {"a longer name",     "police-31",
         [](SSL_CTX* c) {
             offer(c,
                   "\x0b"
                   "flagpost/10");
         },                                                                                                      false},
        {"no certificate",    "",          [](SSL_CTX*) {},                                                      false},
        {"TLS 1.2",           "police-31", [](SSL_CTX* c) { SSL_CTX_set_max_proto_version(c, TLS1_2_VERSION); }, false},
        {"P-521 only",        "police-31", [](SSL_CTX* c) { SSL_CTX_set1_groups_list(c, "P-521"); },             false},
    }));
    CAPTURE(why);
    const auto server = make_server_context(pki().files("broker"));
    const auto client = plain_client(folder);
    change(client.get());
    Ends ends{client.get(), server.get()};
    CHECK(ends.shake_hands() == accepted);
}

TEST_CASE("nothing is left to resume a session with", "[crypto][tls]") {
    const auto server = make_server_context(pki().files("broker"));
    const auto client = make_client_context(pki().files("police-31"));
    Ends ends{client.get(), server.get()};
    REQUIRE(ends.shake_hands());
    std::uint8_t byte = 7;
    REQUIRE(SSL_write(ends.server.get(), &byte, 1) == 1);
    REQUIRE(SSL_read(ends.client.get(), &byte, 1) == 1);  // a ticket would have come before it
    CHECK(SSL_SESSION_is_resumable(SSL_get0_session(ends.client.get())) == 0);
    CHECK(SSL_SESSION_get_max_early_data(SSL_get0_session(ends.client.get())) == 0);
}

TEST_CASE("a stale or missing revocation list lets nobody in", "[crypto][tls]") {
    auto files = pki().files("broker");
    files.crl = pki().root() / "stale-crl.pem";
    const auto server = make_server_context(files);
    const auto client = plain_client("police-31");
    Ends ends{client.get(), server.get()};
    CHECK_FALSE(ends.shake_hands());
    files.crl.clear();
    CHECK_THROWS_AS(make_server_context(files), CryptoFailure);
}

TEST_CASE("a revocation list that the CA did not sign lets nobody in", "[crypto][tls]") {
    auto files = pki().files("broker");
    const auto forged = pki().root() / "forged-crl.pem";
    {
        const FilePointer in{std::fopen(files.crl.c_str(), "r")}, out{std::fopen(forged.c_str(), "w")};
        const std::unique_ptr<X509_CRL, FreeWith<X509_CRL_free>> list{
            PEM_read_X509_CRL(in.get(), nullptr, nullptr, nullptr)};
        std::uint8_t* bytes = nullptr;
        const int size = i2d_X509_CRL(list.get(), &bytes);
        REQUIRE(size > 0);
        bytes[size - 1] ^= 1;  // of the signature
        const std::uint8_t* at = bytes;
        const std::unique_ptr<X509_CRL, FreeWith<X509_CRL_free>> changed{d2i_X509_CRL(nullptr, &at, size)};
        OPENSSL_free(bytes);
        REQUIRE(PEM_write_X509_CRL(out.get(), changed.get()) == 1);
    }
    files.crl = forged;
    const auto server = make_server_context(files);
    const auto client = plain_client("police-31");
    for (int again = 0; again < 2; ++again) {
        Ends ends{client.get(), server.get()};
        CHECK_FALSE(ends.shake_hands());
    }
}

TEST_CASE("our client speaks only with the broker it looked for", "[crypto][tls]") {
    const auto [why, folder, host, accepted] = GENERATE(table<const char*, const char*, const char*, bool>({
        {"by name",                         "broker",        "localhost",      true },
        {"by address",                      "broker",        "127.0.0.1",      true },
        {"another host",                    "broker",        "broker.example", false},
        {"another address",                 "broker",        "127.0.0.2",      false},
        {"a stolen school certificate",     "school-122802", "localhost",      false},
        {"a broker of another partnership", "zoo/other-ca",  "localhost",      false},
    }));
    CAPTURE(why);
    TlsContext server{SSL_CTX_new(TLS_server_method())};
    const auto files = pki().files(folder);
    REQUIRE(SSL_CTX_use_certificate_file(server.get(), files.certificate.c_str(), SSL_FILETYPE_PEM) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey_file(server.get(), files.key.c_str(), SSL_FILETYPE_PEM) == 1);
    const auto client = make_client_context(pki().files("police-31"));
    Ends ends{client.get(), server.get(), host};
    CHECK(ends.shake_hands() == accepted);
}

TEST_CASE("an agency's certificate is not the broker's, whatever it was issued for", "[crypto][tls]") {
    const auto server = make_server_context(pki().files("broker"));
    const auto client = plain_client("police-31");
    Ends ends{client.get(), server.get()};
    REQUIRE(ends.shake_hands());
    const auto leaf = peer_of(ends.server);
    CHECK(read_peer(leaf.get(), partnership, Purpose::client));
    CHECK(read_peer(leaf.get(), partnership, Purpose::server).error().reason == Reason::not_permitted);
    CHECK(read_peer(leaf.get(), "kent.example", Purpose::client).error().reason == Reason::unknown_sender);
}

TEST_CASE("files that do not belong together are named, not used", "[crypto][tls]") {
    const auto [why, spoil, named] =
        GENERATE(table<const char*, std::function<void(TlsFiles&)>, const char*>({
            {"another's key",            [](TlsFiles& f) { f.key = pki().files("police-31").key; }, "police-31"  },
            {"no such certificate",      [](TlsFiles& f) { f.certificate = "/nowhere.crt"; },       "nowhere.crt"},
            {"a key for a CA",           [](TlsFiles& f) { f.ca = f.key; },                         "tls.key"    },
            {"a certificate for a list", [](TlsFiles& f) { f.crl = f.ca; },                         "ca.crt"     },
            {"a key others may read",    [](TlsFiles& f) { f.key = f.ca; },                         "chmod"      },
    }));
    CAPTURE(why);
    auto files = pki().files("broker");
    spoil(files);
    CHECK_THROWS_WITH(make_server_context(files), Catch::Contains(named));
}
