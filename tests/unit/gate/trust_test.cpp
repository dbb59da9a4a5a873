#include <fstream>

#include "tests/unit/gate/fake_broker.h"

using namespace flagpost;
using namespace flagpost::test;
using namespace std::chrono_literals;
using gate::Cause;

namespace {

/// A partnership whose files a test changes.
struct ChangingFixture {
    PracticePki own{"--agency police/31 --agency school/122802"};
    GateFixture gates{own.broker()};

    std::unique_ptr<TlsClient> client(const std::string& party, Id16& session) {
        auto made = std::make_unique<TlsClient>(gates.gate.port());
        REQUIRE(made->handshake(own.client(party)));
        REQUIRE(made->send_greeting());
        session = gates.broker.next_session();
        return made;
    }
};

}  // namespace

TEST_CASE("a revoked certificate loses its live session when the list on disk changes", "[gate]") {
    ChangingFixture world;
    Id16 police, school;
    auto revoked = world.client("police-31", police);
    auto good = world.client("school-122802", school);
    world.own.revoke("police/31");
    world.gates.pass(1s);
    CHECK(goodbye(revoked->next_message()) == "revoked certificate: revoked");
    CHECK(revoked->ended());
    const auto close = world.gates.broker.next(ItemKind::close);
    CHECK(close.session == police);
    CHECK(fabric::read_ending(close.content)->reason == Reason::revoked);
    CHECK(world.gates.counters().reloads.value() == 1);

    REQUIRE(good->send_message(Bytes{1}));
    CHECK(world.gates.broker.next(ItemKind::frame).session == school);

    TlsClient again{world.gates.gate.port()};
    again.handshake(world.own.client("police-31"));
    CHECK(again.ended());
    CHECK(text(world.gates.broker.next(ItemKind::refused).content) == "revoked");
}

TEST_CASE(
    "the broker is told what peers are shown and judged by, before the first of them and after each change",
    "[gate]") {
    ChangingFixture world;
    const auto text_of = [&](const char* file) {
        std::ifstream in{world.own.path(file)};
        return std::string{std::istreambuf_iterator<char>{in}, {}};
    };
    /// SHA-256 of the DER, by another reader than the gate's.
    const auto fingerprint = [&] {
        const auto out = world.own.path("fingerprint");
        const std::string command = "openssl x509 -in " + world.own.path("broker/tls.crt").string() +
                                    " -outform DER | sha256sum | cut -c1-64 > " + out.string();
        REQUIRE(std::system(command.c_str()) == 0);
        return text_of("fingerprint").substr(0, 64);
    };
    struct Told {
        std::string certificate;
        Instant certificate_ends, lists_end;
        std::uint64_t number;
        std::string lists;
    };
    const auto told = [&] {
        const auto item = world.gates.broker.next(ItemKind::credentials);
        CHECK(item.session == Id16{});
        const auto read = fabric::read_credentials(item.content).value();
        return Told{to_hex(read.certificate), read.certificate_ends, read.lists_end.value(), read.number,
                    std::string{read.lists}};
    };
    Id16 police;
    const auto client = world.client("police-31", police);
    REQUIRE(world.gates.broker.kept(ItemKind::credentials) == 1);
    const auto first = text_of("crl.pem");
    const auto before = told();
    CHECK(before.lists == first);
    CHECK(before.certificate == fingerprint());
    CHECK(before.certificate_ends > world.gates.clock.now() + 60 * 24h);
    CHECK(before.lists_end > world.gates.clock.now() + 29 * 24h);
    CHECK(before.lists_end < world.gates.clock.now() + 31 * 24h);

    world.own.revoke("school/122802");
    world.gates.gate.reload();
    const auto after = told();
    CHECK(after.number == before.number + 1);
    CHECK(after.lists == text_of("crl.pem"));
    CHECK(after.lists != first);
    CHECK(after.certificate == before.certificate);

    std::ofstream{world.own.path("crl.pem")} << first;  // older: not in force
    world.gates.gate.reload();
    REQUIRE(world.gates.eventually([&] { return world.gates.counters().reloads_failed.value() == 1; }));
    REQUIRE(client->send_message(Bytes{1}));
    world.gates.broker.next(ItemKind::frame);
    CHECK(world.gates.broker.kept(ItemKind::credentials) == 0);

    // Another certificate of the broker's: another CA's, with all its files.
    const PracticePki other{"--agency police/31"};
    for (const char* file : {"ca.crt", "crl.pem", "broker/tls.crt", "broker/tls.key"})
        std::filesystem::copy_file(other.path(file), world.own.path(file),
                                   std::filesystem::copy_options::overwrite_existing);
    world.gates.gate.reload();
    const auto renewed = told();
    CHECK(renewed.certificate == fingerprint());
    CHECK(renewed.certificate != before.certificate);
}

TEST_CASE("a certificate revoked between TLS and ZMTP never becomes a session", "[gate]") {
    ChangingFixture world;
    TlsClient client{world.gates.gate.port()};
    REQUIRE(client.handshake(world.own.client("police-31")));
    REQUIRE(client.read());  // the gate's greeting: TLS is done
    world.own.revoke("police/31");
    world.gates.gate.reload();
    REQUIRE(world.gates.eventually([&] { return world.gates.counters().reloads.value() == 1; }));
    REQUIRE(client.send_greeting());
    CHECK(client.ended());
    CHECK(text(world.gates.broker.next(ItemKind::refused).content) == "revoked");
    CHECK(world.gates.counters().opened.value() == 0);
}

TEST_CASE("a CA replaced ends every session it had let in", "[gate]") {
    ChangingFixture world;
    Id16 police;
    auto client = world.client("police-31", police);
    const PracticePki other{"--agency police/31"};
    for (const char* file : {"ca.crt", "crl.pem", "broker/tls.crt", "broker/tls.key"})
        std::filesystem::copy_file(other.path(file), world.own.path(file),
                                   std::filesystem::copy_options::overwrite_existing);
    world.gates.gate.reload();
    CHECK(goodbye(client->next_message()) == "revoked certificate: no longer trusted");
    TlsClient newcomer{world.gates.gate.port()};
    REQUIRE(newcomer.handshake(other.client("police-31")));
    REQUIRE(newcomer.send_greeting());
    world.gates.broker.next_session();
}

TEST_CASE("a certificate that ends, ends its session", "[gate]") {
    GateFixture fixture;
    Peer peer{fixture};
    fixture.pass(std::chrono::hours{24 * 366});
    CHECK(goodbye(peer.client.next_message()) == "revoked certificate: expired");
    CHECK(fabric::read_ending(fixture.broker.next(ItemKind::close).content)->reason == Reason::revoked);
}

TEST_CASE("files that do not fit together change nothing, and are taken once they do", "[gate]") {
    ChangingFixture world;
    Id16 police, school;
    auto client = world.client("police-31", police);
    const auto list = world.own.path("crl.pem");
    const auto aside = world.own.path("crl.kept");
    std::filesystem::copy_file(list, aside);
    const auto why = GENERATE("half written", "gone", "somebody else's key");
    CAPTURE(why);
    if (std::string_view{why} == "half written") {
        std::ofstream{list} << "-----BEGIN X509 CRL-----\nMIIB";
    } else if (std::string_view{why} == "gone") {
        std::filesystem::remove(list);
    } else {
        std::filesystem::copy_file(world.own.path("police-31/tls.key"), world.own.path("broker/tls.key"),
                                   std::filesystem::copy_options::overwrite_existing);
    }
    world.gates.pass(1s);
    REQUIRE(world.gates.eventually([&] { return world.gates.counters().reloads_failed.value() == 1; }));
    auto another = world.client("school-122802", school);
    REQUIRE(client->send_message(Bytes{1}));
    CHECK(world.gates.broker.next(ItemKind::frame).session == police);
    world.gates.pass(1s);
    REQUIRE(client->send_message(Bytes{2}));
    world.gates.broker.next(ItemKind::frame);
    CHECK(world.gates.counters().reloads_failed.value() == 1);  // once for each change

    if (std::string_view{why} == "somebody else's key") return;
    std::filesystem::copy_file(aside, list, std::filesystem::copy_options::overwrite_existing);
    world.gates.pass(1s);
    CHECK(world.gates.eventually([&] { return world.gates.counters().reloads.value() == 1; }));
    CHECK(world.gates.counters().sessions.value() == 2);
}

TEST_CASE("an older revocation list does not set anybody free", "[gate]") {
    ChangingFixture world;
    const auto list = world.own.path("crl.pem");
    const auto old = world.own.path("crl.old");
    std::filesystem::copy_file(list, old);
    world.own.revoke("police/31");
    world.gates.gate.reload();
    REQUIRE(world.gates.eventually([&] { return world.gates.counters().reloads.value() == 1; }));
    std::filesystem::copy_file(old, list, std::filesystem::copy_options::overwrite_existing);
    world.gates.gate.reload();
    REQUIRE(world.gates.eventually([&] { return world.gates.counters().reloads_failed.value() == 1; }));
    TlsClient client{world.gates.gate.port()};
    client.handshake(world.own.client("police-31"));
    CHECK(client.ended());
    CHECK(text(world.gates.broker.next(ItemKind::refused).content) == "revoked");
}

TEST_CASE("with a revocation list out of date everybody is refused, until it is renewed", "[gate]") {
    ChangingFixture world;
    const std::string command = "openssl ca -config " + world.own.path("ca-db/openssl.cnf").string() +
                                " -gencrl -crl_lastupdate 20200101000000Z -crl_nextupdate 20200201000000Z" +
                                " -out " + world.own.path("crl.pem").string() + " 2>/dev/null";
    REQUIRE(std::system(command.c_str()) == 0);
    world.gates.gate.reload();
    REQUIRE(world.gates.eventually([&] { return world.gates.counters().reloads.value() == 1; }));
    world.gates.broker.next(ItemKind::credentials);  // as it was at first
    const auto told = world.gates.broker.next(ItemKind::credentials);
    CHECK(fabric::read_credentials(told.content)->lists_end < world.gates.clock.now());
    TlsClient client{world.gates.gate.port()};
    client.handshake(world.own.client("police-31"));
    CHECK(client.ended());
    CHECK(text(world.gates.broker.next(ItemKind::refused).content) == "revocation_list");

    world.own.revoke("school/122802");  // which renews the list
    world.gates.pass(1s);
    Id16 police;
    world.client("police-31", police);
}

TEST_CASE("a gate does not start with files that do not fit together", "[gate]") {
    zmq::context_t context;
    crypto::SystemRandom random;
    ManualClock clock{Instant{}};
    auto files = pki().broker();
    const auto start = [&] {
        gate::Gate made{
            {.tls = files, .partnership = "county.example"},
            context, clock, random
        };
    };
    SECTION("no revocation list") { files.crl.clear(); }
    SECTION("another's key") { files.key = pki().client("police-31").key; }
    SECTION("its own certificate is a client's") {
        files.certificate = pki().client("police-31").certificate;
        files.key = pki().client("police-31").key;
    }
    CHECK_THROWS_AS(start(), crypto::CryptoFailure);
}
