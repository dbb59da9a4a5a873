#include "adapters/client/new_log_key.h"

#include <sys/stat.h>

#include <sstream>

#include "adapters/client/agent.h"
#include "broker/crypto/keys.h"
#include "broker/log/merkle.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::client;

namespace {

constexpr auto log_name = "notts.example/log";
const auto old_key = crypto::NoteKey::from_seed({1}), new_key = crypto::NoteKey::from_seed({2});

log::VerifierKey vkey(const crypto::NoteKey& key, const std::string& name = log_name) {
    return {name, log::VerifierKey::Type::note, key.public_key()};
}

std::string head(const std::vector<const crypto::NoteKey*>& keys, const std::string& name = log_name) {
    const auto text = log::Checkpoint{name, 7, Digest{3}}.format();
    log::SignedNote note{text, {}};
    for (const auto* key : keys) note.signatures.push_back(log::sign_note(text, name, *key));
    return note.format();
}

/// An agency whose settings name the new key of the log, and whose box remembers `remembered`.
struct Agency {
    explicit Agency(const std::optional<std::string>& remembered) {
        directory.write("log.vkey", vkey(new_key).text() + "\n");
        if (remembered) box.set_fact(checkpoint_fact, *remembered);
        box.set_fact(evidence_fact, "what the alarm said\n");
        box.set_fact(confirm_fact, "7 promised");
    }
    std::filesystem::path forget(const NewLogKey& asked) { return forget_head(config, box, asked, now); }
    std::string refusal(const NewLogKey& asked) {
        try {
            forget(asked);
        } catch (const std::runtime_error& error) {
            return error.what();
        }
        return {};
    }
    std::size_t files_of_evidence() const {
        std::size_t count = 0;
        for (const auto& file : std::filesystem::directory_iterator{directory.path()})
            count += file.path().filename().string().starts_with("police.db.head-") ? 1 : 0;
        return count;
    }

    test::TemporaryDirectory directory;
    Config config{"localhost",
                  1,
                  "notts.example",
                  AgencyId::parse("police/31").value(),
                  {},
                  {},
                  {},
                  directory.path() / "log.vkey",
                  directory.path() / "police.db",
                  "main",
                  {},
                  {}};
    SystemClock clock;
    crypto::SystemRandom random;
    Box box{config.data, clock, random};
    Instant now = from_us(1'740'000'000'000'000);
};

const NewLogKey good{vkey(new_key).text(), "T. Manager", "away since May; read to me by telephone"};

}  // namespace

TEST_CASE("a head that only the key before signed is kept as evidence and forgotten", "[client]") {
    const auto remembered = head({&old_key});
    Agency agency{remembered};
    const auto file = agency.forget(good);
    CHECK(file == agency.directory.path() / "police.db.head-20250219T212000Z");
    std::ifstream in{file};
    const std::string kept{std::istreambuf_iterator<char>{in}, {}};
    CHECK(kept ==
          "by: T. Manager\nat: 2025-02-19T21:20:00Z\nreason: away since May; read to me by telephone\n"
          "new key: " +
              good.vkey + "\nremembered:\n" + remembered + "\nlast alarm:\nwhat the alarm said\n");
    struct stat facts {};
    REQUIRE(::stat(file.c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
    CHECK_FALSE(agency.box.fact(checkpoint_fact));
    // What was confirmed the log has to hold under any key, and the alarm is not undone.
    CHECK(agency.box.fact(confirm_fact) == "7 promised");
    CHECK(agency.box.fact(evidence_fact) == "what the alarm said\n");

    CHECK(agency.refusal(good).starts_with("not needed: "));  // a second time
    CHECK(agency.files_of_evidence() == 1);
}

TEST_CASE("a head is not forgotten without need, name, reason or the key itself", "[client]") {
    struct Row {
        const char* why;
        std::optional<std::string> remembered;
        NewLogKey asked;
        std::string says;
    };
    const auto with = [](auto&& change) {
        auto asked = good;
        change(asked);
        return asked;
    };
    auto spoilt = head({&old_key, &new_key});
    spoilt[log::Checkpoint{log_name, 7, Digest{3}}.format().find("\n7\n") + 1] = '8';
    const auto row = GENERATE_REF(values<Row>({
        {"nothing remembered",    std::nullopt,               good,                 "not needed: "                                                        },
        {"signed by both",        head({&old_key, &new_key}), good,                 "not needed: "                                                        },
        {"signed by the new one", head({&new_key}),           good,                 "not needed: "                                                        },
        {"another log's",         head({&old_key},            "other.example/log"), good,                                                                   "the head remembered is of"},
        {"altered in the box",                       spoilt,                              good,                      "no change of the log's key"                                                          },
        {"no head",                       "rubbish",                                         good,                              "no change of the log's key"},
        {"the old key named",                       head({&old_key}),                               with([](auto& a) { a.vkey = vkey(old_key).text(); }),
         "--vkey: is not the key in "   },
        {"no key",                       head({&old_key}),                                          with([](auto& a) { a.vkey.clear(); }),                        "--vkey: is not the key in "            },
        {"nobody",                       head({&old_key}),                                          with([](auto& a) { a.by.clear(); }),                        "--by: "     },
        {"a name that forges a line",                       head({&old_key}),                       with([](auto& a) { a.by = "T. Manager\nat: 2020"; }),
         "--by: "},
        {"no reason",                       head({&old_key}),                                       with([](auto& a) { a.reason.clear(); }),                     "--reason: "                  },
    }));
    CAPTURE(row.why);
    Agency agency{row.remembered};
    CHECK_THAT(agency.refusal(row.asked), Catch::Contains(row.says));
    CHECK(agency.box.fact(checkpoint_fact) == row.remembered);
    CHECK(agency.files_of_evidence() == 0);
}

TEST_CASE("evidence that is there already is not written over, and nothing is forgotten then", "[client]") {
    Agency agency{head({&old_key})};
    const auto there = agency.directory.write("police.db.head-20250219T212000Z", "earlier");
    CHECK_THAT(agency.refusal(good), Catch::Contains("exists already"));
    CHECK(agency.box.fact(checkpoint_fact));
}

TEST_CASE("the command does nothing while a daemon serves the box", "[client]") {
    Agency agency{head({&old_key})};
    std::ostringstream out;
    {
        const auto daemon = BoxLock::take(agency.config.data);
        CHECK_THROWS_WITH(follow_new_log_key(agency.config, good, out), Catch::Contains("stop it first"));
    }
    CHECK(agency.box.fact(checkpoint_fact));
    CHECK(follow_new_log_key(agency.config, good, out) == 0);
    CHECK_FALSE(agency.box.fact(checkpoint_fact));
    CHECK_THAT(out.str(),
               Catch::Contains("is forgotten and kept as evidence in " + agency.config.data.string()));
}
