#include "adapters/client/config.h"

#include <cstdlib>

#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::client;

namespace {

/// A practice partnership with one party of each kind, made once.
const std::filesystem::path& pki() {
    static const test::TemporaryDirectory directory;
    static const auto made = [] {
        const auto folder = directory.path() / "pki";
        const std::string command = TEST_SOURCE_DIR "/certs/make-dev-pki --out " + folder.string() +
                                    " --partnership notts.example --agency police/31 --agency school/122802"
                                    " --agency social-care/E10000024 --agency education/E10000024"
                                    " --agency trust/north --agency auditor/audit-office";
        if (std::system(command.c_str()) != 0) throw std::runtime_error{"make-dev-pki failed"};
        return folder;
    }();
    return made;
}

std::string good(const std::string& party = "police-31") {
    return "broker = \"broker.notts.example:7400\"\npartnership = \"notts.example\"\nidentity = \"" +
           (pki() / party).string() +
           "\"\nca = \"pki/ca.crt\"\nlog_vkey = \"pki/log.vkey\"\ndata = \"police.db\"\n";
}

}  // namespace

TEST_CASE("a config file says who we are and where things lie", "[client]") {
    const test::TemporaryDirectory directory;
    const auto config = load_config(directory.write("police.toml", good() + "spool = \"in\"\nretries = 3\n"),
                                    {"spool", "retries", "unused"});
    CHECK(config.broker_host == "broker.notts.example");
    CHECK(config.broker_port == 7400);
    CHECK(config.agency.text() == "police/31");
    CHECK(config.tls.certificate == pki() / "police-31" / "tls.crt");
    CHECK(config.tls.ca == directory.path() / "pki/ca.crt");
    CHECK(config.tls.crl.empty());
    CHECK(config.origin_key == pki() / "police-31" / "origin.key");
    CHECK(config.data == directory.path() / "police.db");
    CHECK(config.durable == "main");
    CHECK(config.extra == std::map<std::string, std::string>{
                              {"spool",   "in"},
                              {"retries", "3" }
    });
}

TEST_CASE("each kind of agency receives its own mailboxes unless told otherwise", "[client]") {
    const auto [party, topics] = GENERATE(table<const char*, std::vector<std::string>>({
        {"police-31",
         {"results/police/31", "reports/police/31", "markers/31", "questions/31", "notices/police/31"}       },
        {"social-care-E10000024",
         {"results/social-care/E10000024", "reports/social-care/E10000024", "notices/social-care/E10000024",
          "reviews/E10000024"}                                                                               },
        {"school-122802",         {"results/school/122802", "reports/school/122802", "notices/school/122802"}},
        {"education-E10000024",
         {"results/education/E10000024", "reports/education/E10000024", "notices/education/E10000024"}       },
        {"trust-north",           {"results/trust/north", "reports/trust/north"}                             },
        {"auditor-audit-office",  {}                                                                         },
    }));
    CAPTURE(party);
    const test::TemporaryDirectory directory;
    CHECK(load_config(directory.write("a.toml", good(party)), {}).topics == topics);
    const auto told = good(party) + "topics = [\"notices/school/1\"]\n";
    CHECK(load_config(directory.write("b.toml", told), {}).topics ==
          std::vector<std::string>{"notices/school/1"});
}

TEST_CASE("a spoilt config file is refused with file, line and key", "[client]") {
    const auto [why, from, to, says] = GENERATE(table<const char*, const char*, const char*, const char*>({
        {"no TOML",                "ca =",                      "ca",                   "police.toml:"                   },
        {"a key nobody knows",     "ca =",                      "cas =",                "police.toml:4: cas: no such"    },
        {"no port",                ":7400",                     "",                     "police.toml:1: broker: should"  },
        {"a port that is none",    ":7400",                     ":70000",               "police.toml:1: broker: should"  },
        {"a port with a tail",     ":7400",                     ":7400x",               "police.toml:1: broker: should"  },
        {"no host",                "broker.notts.example:7400", ":7400",                "police.toml:1: broker: should"  },
        {"a number for a text",    "\"police.db\"",             "[]",                   "police.toml:6: data: should"    },
        {"an empty text",          "\"police.db\"",             "\"\"",                 "police.toml:6: data: is missing"},
        {"no identity there",      "police-31",                 "police-32",            "police.toml:3: identity: "      },
        {"of another partnership", "partnership = \"notts",     "partnership = \"kent",
         "police.toml:3: identity: "                                                                                     },
        {"a broker's certificate", "police-31",                 "broker",               "police.toml:3: identity: "      },
    }));
    CAPTURE(why);
    std::string text = good();
    const std::string wanted = from;
    text.replace(text.find(wanted), wanted.size(), to);
    const test::TemporaryDirectory directory;
    const auto file = directory.write("police.toml", text);
    CHECK_THROWS_WITH(load_config(file, {}), Catch::Contains(says));
}

TEST_CASE("an address of version 6 is written in brackets", "[client]") {
    std::string text = good();
    text.replace(text.find("broker.notts.example"), 20, "[::1]");
    const test::TemporaryDirectory directory;
    CHECK(load_config(directory.write("a.toml", text), {}).broker_host == "::1");
}
