#include "tests/unit/gate/fake_broker.h"

using namespace flagpost;
using namespace flagpost::test;
using gate::Cause;

namespace {

using MakeContext = crypto::TlsContext (*)();

crypto::TlsContext plain_context(const char* party) {
    crypto::TlsContext context{SSL_CTX_new(TLS_client_method())};
    if (party != nullptr) {
        const auto files = pki().client(party);
        SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str());
        SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM);
    }
    return context;
}

crypto::TlsContext offering(std::string_view protocol) {
    auto context = plain_context("police-31");
    Bytes offer{static_cast<std::uint8_t>(protocol.size())};
    offer.insert(offer.end(), protocol.begin(), protocol.end());
    SSL_CTX_set_alpn_protos(context.get(), offer.data(), static_cast<unsigned>(offer.size()));
    return context;
}

/// The gate has refused exactly one, for this cause, and has opened nothing.
void check_refused(GateFixture& fixture, Cause cause) {
    CHECK(text(fixture.broker.next(ItemKind::refused).content) == gate::name(cause));
    for (std::size_t i = 0; i < gate::cause_count; ++i) {
        CAPTURE(gate::name(static_cast<Cause>(i)));
        CHECK(fixture.counters().refused[i].value() == (static_cast<Cause>(i) == cause ? 1 : 0));
    }
    fixture.broker.look();
    CHECK(fixture.broker.kept(ItemKind::open) == 0);
    CHECK(fixture.counters().opened.value() == 0);
}

}  // namespace

TEST_CASE("a certificate with one thing wrong is refused for it, and the next peer is served", "[gate]") {
    struct Row {
        const char* certificate;
        Cause cause;
        const char* why;
    };
    const std::vector<Row> rows{
        {"other-ca",               Cause::untrusted,         "a CA of the same name, but not ours"},
        {"revoked",                Cause::revoked,           "on the list"                        },
        {"expired",                Cause::outside_validity,  "over"                               },
        {"not-yet-valid",          Cause::outside_validity,  "not begun"                          },
        {"wrong-partnership",      Cause::other_partnership, "our CA, but a name elsewhere"       },
        {"no-uri",                 Cause::certificate,       "nobody is named"                    },
        {"two-uris",               Cause::certificate,       "two are named"                      },
        {"ca-true",                Cause::certificate,       "it could sign others"               },
        {"server-eku",             Cause::certificate,       "good for a broker only"             },
        {"both-ekus",              Cause::certificate,       "stolen, it could pose as the broker"},
        {"no-eku",                 Cause::certificate,       "good for anything"                  },
        {"no-key-usage",           Cause::certificate,       "SPIFFE wants key usage"             },
        {"key-usage-not-critical", Cause::certificate,       "SPIFFE wants it critical"           },
    };
    for (const auto& row : rows) {
        CAPTURE(row.certificate, row.why);
        GateFixture fixture;
        TlsClient client{fixture.gate.port()};
        client.handshake(pki().client(std::string{"zoo/"} + row.certificate));
        client.send_greeting();
        CHECK(client.ended());
        check_refused(fixture, row.cause);
        Peer good{fixture};
        CHECK(fixture.counters().opened.value() == 1);
    }
}

TEST_CASE("every certificate of the zoo has a row above", "[gate]") {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator{pki().path("zoo")})
        count += entry.is_directory() && entry.path().filename().string().front() != '.';
    CHECK(count == 13);
}

TEST_CASE("a handshake outside the rules is refused for its cause", "[gate]") {
    struct Row {
        const char* why;
        MakeContext make;
        Cause cause;
    };
    const std::vector<Row> rows{
        {"no certificate",           [] { return plain_context(nullptr); }, Cause::no_certificate},
        {"TLS 1.2",
         [] {
             auto context = plain_context("police-31");
             SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
             return context;
         },                                                                 Cause::tls_version   },
        {"another protocol by ALPN", [] { return offering("http/1.1"); },   Cause::protocol      },
        {"a newer version of ours",  [] { return offering("flagpost/2"); }, Cause::protocol      },
        {"no group in common",
         [] {
             auto context = plain_context("police-31");
             SSL_CTX_set1_groups_list(context.get(), "P-521");
             return context;
         },                                                                 Cause::tls           },
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        GateFixture fixture;
        TlsClient client{fixture.gate.port()};
        client.handshake(row.make().get());
        CHECK(client.ended());
        check_refused(fixture, row.cause);
    }
}

TEST_CASE("a chain of certificates larger than a handshake may be is refused", "[gate]") {
    GateFixture fixture;
    const auto context = plain_context("police-31");
    X509* leaf = SSL_CTX_get0_certificate(context.get());
    for (int i = 0; i < 200; ++i) SSL_CTX_add1_chain_cert(context.get(), leaf);
    TlsClient client{fixture.gate.port()};
    client.handshake(context.get());
    CHECK(client.ended());
    check_refused(fixture, Cause::handshake_size);
}

TEST_CASE("a client without ALPN is served, as stunnel 5.68 has none", "[gate]") {
    GateFixture fixture;
    TlsClient client{fixture.gate.port()};
    REQUIRE(client.handshake(plain_context("police-31").get()));
    REQUIRE(client.send_greeting());
    fixture.broker.next_session();
}

TEST_CASE("no session can be resumed", "[gate]") {
    GateFixture fixture;
    TlsClient client{fixture.gate.port()};
    const auto context = plain_context("police-31");
    REQUIRE(client.handshake(context.get()));
    REQUIRE(client.send_greeting());
    REQUIRE(client.read());
    CHECK(SSL_SESSION_is_resumable(SSL_get_session(client.tls())) == 0);
}

TEST_CASE("bytes that are no TLS are refused", "[gate]") {
    using namespace std::string_view_literals;
    const auto [why, bytes] = GENERATE(table<const char*, std::string_view>({
        {"plain ZMTP",  "\xff\0\0\0\0\0\0\0\1\x7f"sv},
        {"plain HTTP",  "GET / HTTP/1.1\r\n\r\n"sv  },
        {"random text", "hello hello hello"sv       },
    }));
    CAPTURE(why);
    GateFixture fixture;
    TlsClient client{fixture.gate.port()};
    client.send_plain(view(bytes));
    check_refused(fixture, Cause::not_tls);
}

TEST_CASE("a port scan is counted, and no news for the broker", "[gate]") {
    GateFixture fixture;
    { TlsClient client{fixture.gate.port()}; }
    CHECK(fixture.eventually([&] { return fixture.counters().refused_for(Cause::hung_up) == 1; }));
    Peer good{fixture};
    CHECK(fixture.broker.kept(ItemKind::refused) == 0);
}

TEST_CASE("after a good handshake anything but a DEALER's greeting is refused", "[gate]") {
    const auto [why, bytes] = GENERATE(table<const char*, Bytes>({
        {"garbage", Bytes(100,     0x42)},
        {"HTTP inside TLS",         copy(view("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))     },
        {"a greeting of ZMTP 2",         Bytes{0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 1}},
    }));
    CAPTURE(why);
    GateFixture fixture;
    TlsClient client{fixture.gate.port()};
    REQUIRE(client.handshake(pki().client("police-31")));
    REQUIRE(client.send(bytes));
    CHECK(client.ended());
    check_refused(fixture, Cause::zmtp);
}

TEST_CASE("a ROUTER or a SUB is not taken for a DEALER", "[gate]") {
    const auto* type = GENERATE("ROUTER", "SUB", "REQ", "");
    GateFixture fixture;
    TlsClient client{fixture.gate.port()};
    REQUIRE(client.handshake(pki().client("police-31")));
    REQUIRE(client.send(wire::zmtp::greeting()));
    REQUIRE(client.send(wire::zmtp::ready_command(type)));
    CHECK(client.ended());
    check_refused(fixture, Cause::zmtp);
}

TEST_CASE("a session that breaks the protocol is told why and ends; its neighbour goes on", "[gate]") {
    struct Row {
        const char* why;
        Bytes bytes;
        const char* goodbye;
        Reason reason;
    };
    const std::vector<Row> rows{
        {"a message of two frames", Bytes{1, 1, 'x', 0, 1, 'y'},         "malformed zmtp.more",    Reason::malformed},
        {"a message of 2 MiB",      Bytes{2, 0, 0, 0, 0, 0, 0x20, 0, 0}, "too_large zmtp.message",
         Reason::too_large                                                                                          },
        {"a message of 2^63 bytes", Bytes{2, 0x80, 0, 0, 0, 0, 0, 0, 0}, "too_large zmtp.message",
         Reason::too_large                                                                                          },
        {"a command nobody knows",  Bytes{4, 2, 1, 'X'},                 "malformed zmtp.command", Reason::malformed},
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        GateFixture fixture;
        Peer good{fixture, "school-122802"};
        Peer bad{fixture};
        REQUIRE(bad.client.send(row.bytes));
        CHECK(goodbye(bad.client.next_message()) == row.goodbye);
        CHECK(bad.client.ended());
        const auto close = fixture.broker.next(ItemKind::close);
        CHECK(close.session == bad.session);
        CHECK(fabric::read_ending(close.content)->reason == row.reason);
        CHECK(fixture.counters().ended_for(row.reason) == 1);
        REQUIRE(good.client.send_message(Bytes{7}));
        CHECK(fixture.broker.next(ItemKind::frame).session == good.session);
    }
}

TEST_CASE("frames without end cost the gate one frame", "[gate]") {
    GateFixture fixture;
    Peer peer{fixture};
    Bytes frames;
    for (int i = 0; i < 1000; ++i) frames.insert(frames.end(), {1, 4, 'm', 'o', 'r', 'e'});
    while (peer.client.send(frames)) fixture.pass(std::chrono::milliseconds{100});
    CHECK(fixture.broker.next(ItemKind::close).session == peer.session);
    CHECK(fixture.counters().frames_in.value() == 0);
    CHECK(fixture.counters().input_bytes.value() == 0);
}

TEST_CASE("a peer may change its keys once a minute, not more", "[gate]") {
    GateFixture fixture;
    Peer peer{fixture};
    REQUIRE(SSL_key_update(peer.client.tls(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
    REQUIRE(peer.client.send_message(Bytes{1}));
    fixture.broker.next(ItemKind::frame);
    fixture.pass(std::chrono::seconds{61});
    REQUIRE(SSL_key_update(peer.client.tls(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
    REQUIRE(peer.client.send_message(Bytes{2}));
    fixture.broker.next(ItemKind::frame);
    REQUIRE(SSL_key_update(peer.client.tls(), SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
    REQUIRE(peer.client.send_message(Bytes{3}));
    CHECK(goodbye(peer.client.next_message()) == "not_permitted tls: key updates");
}
