#include "broker/app/config.h"

#include <date/date.h>

#include "broker/app/parties.h"
#include "broker/crypto/digest.h"
#include "broker/crypto/signature.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::app;
using test::TemporaryDirectory;

namespace {

constexpr const char* smallest = R"(partnership = "county.example"
listen = "127.0.0.1:7400"
data = "data"
pki = "pki"
agreement = "agreement.toml"
)";

/// The message of the std::runtime_error it ends with, without the folder.
template <class Load> std::string fault(const TemporaryDirectory& folder, Load&& load) {
    try {
        load();
    } catch (const std::runtime_error& error) {
        const std::string text = error.what();
        const std::string prefix = folder.path().string() + "/";
        return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
    }
    return "no error";
}

std::string party(const std::string& agency, const std::string& from, const std::string& to) {
    const auto origin = crypto::OriginKey::generate();
    const log::VerifierKey witness{"county.example/" + agency, log::VerifierKey::Type::cosignature,
                                   crypto::NoteKey::from_seed({1}).public_key()};
    return "[[party]]\nagency = \"" + agency + "\"\norigin_key = \"" + to_base64(origin.public_der()) +
           "\"\nwitness_vkey = \"" + witness.text() + "\"\nfrom = \"" + from + "\"\nto = \"" + to + "\"\n";
}

std::string outside(const std::string& vkey) {
    return "[[witness]]\nvkey = \"" + vkey + "\"\nfrom = \"2026-01-01\"\nto = \"2027-01-01\"\n";
}

Instant day(int year, unsigned month, unsigned day_of_month) {
    return Instant{date::sys_days{date::year{year} / date::month{month} / date::day{day_of_month}}};
}

}  // namespace

TEST_CASE("the smallest broker config finds everything in the pki folder", "[config]") {
    const TemporaryDirectory folder;
    const auto config = load_broker_config(folder.write("broker.toml", smallest));
    const auto pki = folder.path() / "pki";
    CHECK(config.partnership == "county.example");
    CHECK(config.listen->host == "127.0.0.1");
    CHECK(config.listen->port == 7400);
    CHECK(config.data == folder.path() / "data");
    CHECK(config.parties == pki / "parties.toml");
    CHECK(config.tls.certificate == pki / "broker/tls.crt");
    CHECK(config.tls.crl == pki / "crl.pem");
    CHECK(config.keys == pki / "broker");
    CHECK(config.log.vkey == pki / "broker/log.vkey");
    CHECK_FALSE(config.fabric);
}

TEST_CASE("every path can be given by itself, and then no pki folder is needed", "[config]") {
    const TemporaryDirectory folder;
    const auto config = load_broker_config(folder.write("broker.toml", R"(
partnership = "county.example"
listen = "[::1]:0"
data = "/srv/data"
agreement = "a.toml"
parties = "p.toml"
[tls]
certificate = "t.crt"
key = "t.key"
ca = "ca.crt"
crl = "crl.pem"
[keys]
directory = "k"
log_key = "log.key"
log_vkey = "log.vkey"
[fabric]
endpoint = "ipc://run/fabric"
key = "fabric.key"
)"));
    CHECK(config.listen->host == "::1");
    CHECK(config.data == "/srv/data");
    CHECK(config.fabric->endpoint == "ipc://" + (folder.path() / "run/fabric").string());
    CHECK(config.fabric->key == folder.path() / "fabric.key");
}

TEST_CASE("the log's key before is named whole, or by its public half alone", "[config]") {
    const TemporaryDirectory folder;
    const std::string begins = std::string{smallest} + "[keys]\n";
    const std::string old_key = "log_key_previous = \"old.key\"\n",
                      old_vkey = "log_vkey_previous = \"old.vkey\"\n";
    const auto both = load_broker_config(folder.write("broker.toml", begins + old_key + old_vkey)).log;
    CHECK(both.key_previous == folder.path() / "old.key");
    CHECK(both.vkey_previous == folder.path() / "old.vkey");
    CHECK_FALSE(load_broker_config(folder.write("broker.toml", begins + old_vkey)).log.key_previous);
    CHECK_THAT(fault(folder, [&] { load_broker_config(folder.write("broker.toml", begins + old_key)); }),
               Catch::Contains("keys.log_key_previous: needs log_vkey_previous"));
}

TEST_CASE("a signer's config names its socket, its memory and the log's keys, and nothing else", "[config]") {
    const TemporaryDirectory folder;
    const std::string good = "state = \"s/last-head\"\npki = \"pki\"\n[signer]\nsocket = \"run/signer\"\n";
    const auto config = load_signer_config(folder.write("signer.toml", good));
    CHECK(config.socket == folder.path() / "run/signer");
    CHECK(config.state == folder.path() / "s/last-head");
    CHECK(config.keys.key == folder.path() / "pki/broker/log.key");
    CHECK(fault(folder, [&] {
              load_signer_config(folder.write("signer.toml", good + "sokcet = \"x\"\n"));
          }) == "signer.toml:5: signer.sokcet: no such setting");
    CHECK(fault(folder, [&] { load_signer_config(folder.write("signer.toml", "pki = \"p\"\n")); }) ==
          "signer.toml: signer.socket: is missing");
}

TEST_CASE("a config with one thing wrong names the line and the key", "[config]") {
    struct Row {
        const char* why;
        std::string text;
        const char* says;
    };
    const std::string good = smallest;
    const std::vector<Row> rows{
        {"no TOML",                   "partnership = county\n",                                                                 "broker.toml:1: "                              },
        {"an unknown key",            good + "lisen = \"x\"\n",                                                                 "broker.toml:6: lisen: no such setting"        },
        {"an unknown key inside",     good + "[tls]\ncertificat = \"x\"\n",
         "broker.toml:7: tls.certificat: no such setting"                                                                                                                      },
        {"a number for a text",       "partnership = 1\n",                                                                      "broker.toml:1: partnership: should be a text" },
        {"something missing",         "partnership = \"a\"\n",                                                                  "broker.toml: data: is missing"                },
        {"nowhere to find keys",      "partnership = \"a\"\ndata = \"d\"\nagreement = \"a\"\nlisten = \"a:1\"\n",
         "broker.toml: parties: is missing, and there is no pki to find it in"                                                                                                 },
        {"no port",                   "partnership = \"a\"\ndata = \"d\"\nagreement = \"a\"\npki = \"p\"\nlisten = \"host\"\n",
         "broker.toml:5: listen: should be address:port"                                                                                                                       },
        {"a port too large",
         "partnership = \"a\"\ndata = \"d\"\nagreement = \"a\"\npki = \"p\"\nlisten = \"h:70000\"\n",                           "broker.toml:5: listen: should be address:port"},
        {"nobody could come",         "partnership = \"a\"\ndata = \"d\"\nagreement = \"a\"\npki = \"p\"\n",
         "broker.toml: listen: is missing, and so is fabric.endpoint"                                                                                                          },
        {"a fabric over the network", good + "[fabric]\nendpoint = \"tcp://1.2.3.4:5\"\n",
         "broker.toml:7: fabric.endpoint: should be ipc://path"                                                                                                                },
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        const TemporaryDirectory folder;
        const auto file = folder.write("broker.toml", row.text);
        const std::string says = fault(folder, [&] { load_broker_config(file); });
        CHECK(says.substr(0, std::string{row.says}.size()) == row.says);
    }
}

TEST_CASE("a gate's config needs TLS and the fabric, and knows no store", "[config]") {
    const TemporaryDirectory folder;
    const std::string good = R"(partnership = "county.example"
listen = "127.0.0.1:0"
pki = "pki"
[fabric]
endpoint = "ipc://fabric"
)";
    const auto config = load_gate_config(folder.write("gate.toml", good));
    CHECK(config.tls.key == folder.path() / "pki/broker/tls.key");
    CHECK(config.fabric.key == folder.path() / "pki/broker/fabric.key");
    const auto with_data = folder.write("data.toml", "data = \"d\"\n" + good);
    CHECK(fault(folder, [&] { load_gate_config(with_data); }) == "data.toml:1: data: no such setting");
}

TEST_CASE("parties.toml binds keys to agencies and days", "[parties]") {
    const TemporaryDirectory folder;
    const std::string text = party("police/31", "2026-01-01", "2027-01-01") +
                             party("police/31", "2026-12-01", "2028-01-01") +
                             party("school/122802", "2026-01-01", "2027-01-01");
    const auto parties = load_parties(folder.write("parties.toml", text));
    CHECK(parties.digest == crypto::sha256(view(text)));
    const auto* police = parties.of(AgencyId::parse("police/31").value());
    REQUIRE(police != nullptr);
    REQUIRE(police->origin.size() == 2);
    CHECK(police->witness.size() == 2);
    CHECK_FALSE(police->origin[0].holds(day(2025, 12, 31)));
    CHECK(police->origin[0].holds(day(2026, 1, 1)));
    CHECK_FALSE(police->origin[0].holds(day(2027, 1, 1)));
    CHECK(police->origin[1].holds(day(2026, 12, 31)));  // rotation: both hold for a while
    CHECK(parties.of(AgencyId::parse("police/32").value()) == nullptr);
}

TEST_CASE("parties.toml names outside witnesses, which count towards the quorum as parties", "[parties]") {
    const TemporaryDirectory folder;
    const log::VerifierKey witness{"witness.example/w1", log::VerifierKey::Type::cosignature,
                                   crypto::NoteKey::from_seed({2}).public_key()};
    const auto police = party("police/31", "2026-01-01", "2027-01-01");
    const auto one = load_parties(folder.write("one.toml", police));
    CHECK(one.quorum == 1);
    const auto both = load_parties(folder.write("both.toml", police + outside(witness.text())));
    REQUIRE(both.outside.size() == 1);
    CHECK(both.outside[0].key.text() == witness.text());
    CHECK(both.quorum == 2);
    const auto rotating = police + outside(witness.text()) + outside(witness.text());
    CHECK(load_parties(folder.write("rotating.toml", rotating)).quorum == 2);
}

TEST_CASE("parties.toml with one thing wrong names the line", "[parties]") {
    const std::string good = party("police/31", "2026-01-01", "2027-01-01");
    const auto replaced = [&](const std::string& what, const std::string& with) {
        auto text = good;
        return text.replace(text.find(what), what.size(), with);
    };
    const log::VerifierKey note{"a", log::VerifierKey::Type::note,
                                crypto::NoteKey::from_seed({1}).public_key()};
    const auto witness_line =
        good.substr(good.find("witness_vkey"), good.find("from") - good.find("witness_vkey"));
    const log::VerifierKey stranger{"witness.example/w1", log::VerifierKey::Type::cosignature,
                                    crypto::NoteKey::from_seed({2}).public_key()};
    const auto witness_at = good.find("witness_vkey = \"") + 16;
    struct Row {
        const char* why;
        std::string text;
        const char* says;
    };
    const std::vector<Row> rows{
        {"no such kind of agency",       replaced("police/31",                       "polis/31"),           "parties.toml:2: agency: "},
        {"a key that is no base64",                              replaced("origin_key = \"M",                                                "origin_key = \"!"),
         "parties.toml:3: origin_key: "},
        {"a key that is no P-256 key", replaced("origin_key = \"MFkw",                                           "origin_key = \"AAAA"),
         "parties.toml:3: origin_key: "},
        {"the log's kind of key",        replaced(witness_line,                                             "witness_vkey = \"" + note.text() + "\"\n"),
         "parties.toml:4: witness_vkey: "},
        {"no such day",  replaced("2026-01-01","2026-02-30"),                                                                  "parties.toml:5: from: "},
        {"over before it began",                  replaced("2027-01-01",                                      "2026-01-01"),                                                                                          "parties.toml:6: to: "},
        {"an unknown key",                              good + "until = \"2027-01-01\"\n",                                                   "parties.toml:7: until: "                                 },
        {"an unknown table",        "[other]\n" + good,                                                  "parties.toml:1: other: "},
        {"no TOML",     "[[party]\n","parties.toml:1: "},
        {"an outside witness that is an agency's",
         good + outside(good.substr(witness_at,good.find('"',                                             witness_at) - witness_at)),
         "parties.toml:8: vkey: "},
        {"the log's kind of key outside",            good + outside(note.text()),                                                          "parties.toml:8: vkey: "                                                                        },
        {"more to cosign than there are",                 "quorum = 3\n" + good + outside(stranger.text()),
         "parties.toml:1: quorum: "                                                                         },
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        const TemporaryDirectory folder;
        const auto file = folder.write("parties.toml", row.text);
        const std::string says = fault(folder, [&] { load_parties(file); });
        CHECK(says.substr(0, std::string{row.says}.size()) == row.says);
    }
}

TEST_CASE("the management address is off until it is named, and then on this machine alone", "[config]") {
    const TemporaryDirectory folder;
    const auto load = [&](const std::string& management) {
        return load_broker_config(folder.write("broker.toml", smallest + management));
    };
    CHECK_FALSE(load("").management.listen);
    const auto set = load(
                         "[management]\nlisten = \"127.0.0.1:9110\"\nsilence_hours = 3\nfeed_age_hours = 30\n"
                         "roll_age_hours = 700\n")
                         .management;
    CHECK(set.listen->port == 9110);
    CHECK(set.patience.silence == std::chrono::hours{3});
    CHECK(set.patience.feed_age == std::chrono::hours{30});
    CHECK(set.patience.roll_age == std::chrono::hours{700});
    const auto [setting, why] = GENERATE(table<const char*, const char*>({
        {"listen = \"0.0.0.0:9110\"",
         "management.listen: should be an address of this machine alone, such as 127.0.0.1"                  },
        {"listen = \"127.0.0.1\"",    "management.listen: should be address:port"                            },
        {"silence_hours = 0",         "management.silence_hours: should be a number of hours, 1 to a year's" },
        {"silence_hours = \"3\"",     "management.silence_hours: should be a number of hours, 1 to a year's" },
        {"feed_age_hours = 9000",     "management.feed_age_hours: should be a number of hours, 1 to a year's"},
        {"roll_age_hours = 0",        "management.roll_age_hours: should be a number of hours, 1 to a year's"},
        {"port = 1",                  "management.port: no such setting"                                     },
    }));
    CHECK(fault(folder, [&, line = setting] { load(std::string{"[management]\n"} + line + "\n"); }) ==
          std::string{"broker.toml:7: "} + why);
}
