#include "broker/log/policy.h"

#include "broker/log/merkle.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::log;

namespace {

const std::string origin = "log.example/audit";

crypto::NoteKey key(std::uint8_t seed) { return crypto::NoteKey::from_seed({seed}); }
std::string log_vkey(std::uint8_t seed, const std::string& name = origin) {
    return VerifierKey{name, VerifierKey::Type::note, key(seed).public_key()}.text();
}
std::string witness_vkey(std::uint8_t seed) {
    return VerifierKey{"w" + std::to_string(seed), VerifierKey::Type::cosignature, key(seed).public_key()}
        .text();
}

/// A head signed by the log of seed 1 and cosigned by witnesses of the seeds given.
std::string head(const std::vector<std::uint8_t>& witnesses) {
    const auto text = Checkpoint{origin, 0, empty_root()}.format();
    SignedNote note{text, {sign_note(text, origin, key(1))}};
    for (const auto seed : witnesses)
        note.signatures.push_back(
            cosign_note(text, "w" + std::to_string(seed), key(seed), from_us(1'700'000'000'000'000)));
    return note.format();
}

const std::string three_witnesses = "log " + log_vkey(1) + "\nwitness A " + witness_vkey(11) +
                                    "\nwitness B " + witness_vkey(12) + "\nwitness C " + witness_vkey(13) +
                                    "\n";

}  // namespace

TEST_CASE("a head is believed when a listed log signed it and a quorum witnessed it", "[log]") {
    struct Row {
        const char* why;
        const char* quorum;
        std::vector<std::uint8_t> witnesses;
        bool believed;
    };
    const std::vector<Row> rows{
        {"no quorum asked, none there",        "quorum none\n",                                {},           true },
        {"no quorum asked, one there",         "quorum none\n",                                {11},         true },
        {"that witness is there",              "quorum B\n",                                   {12},         true },
        {"another witness is there",           "quorum B\n",                                   {11},         false},
        {"any of three",                       "group g any A B C\nquorum g\n",                {13},         true },
        {"any of three, none there",           "group g any A B C\nquorum g\n",                {},           false},
        {"a stranger does not count",          "group g any A B C\nquorum g\n",                {14},         false},
        {"two of three",                       "group g 2 A B C\nquorum g\n",                  {11, 13},     true },
        {"one of two wanted",                  "group g 2 A B C\nquorum g\n",                  {11},         false},
        {"the same witness twice is one",      "group g 2 A B C\nquorum g\n",                  {11, 11},     false},
        {"all of three",                       "group g all A B C\nquorum g\n",                {11, 12, 13}, true },
        {"all of three, one missing",          "group g all A B C\nquorum g\n",                {11, 12},     false},
        {"groups of groups",                   "group g any A B\ngroup h all g C\nquorum h\n", {12, 13},     true },
        {"groups of groups, one half missing",
         "group g any A B\ngroup h all g C\nquorum h\n",                                       {11, 12},
         false                                                                                                    },
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        const auto policy = Policy::parse(three_witnesses + row.quorum);
        REQUIRE(policy);
        CHECK(policy->witness_count() == 3);
        const auto judged = policy->judge(head(row.witnesses));
        CHECK(judged.has_value() == row.believed);
        if (!judged) CHECK(judged.error().reason == Reason::bad_signature);
    }
}

TEST_CASE("a head without its quorum is refused with whose cosignatures it lacks", "[log]") {
    const auto policy = Policy::parse(three_witnesses + "group g 2 A B C\nquorum g\n");
    CHECK(policy->judge(head({12})).error().where ==
          "checkpoint: the witnesses do not make the quorum, without A, C");
}

TEST_CASE("a judged head names its witnesses as the policy does", "[log]") {
    const auto judged = Policy::parse(three_witnesses + "quorum none\n")->judge(head({13, 11}));
    REQUIRE(judged);
    CHECK(judged->witnesses == std::vector<std::string>{"A", "C"});
    CHECK(judged->head == Checkpoint{origin, 0, empty_root()});
}

TEST_CASE("a failing line of anybody trusted condemns the head", "[log]") {
    const auto policy = Policy::parse(three_witnesses + "quorum none\n");
    auto note = SignedNote::parse(head({11, 12})).value();
    REQUIRE(policy->judge(note.format()));
    for (auto& signature : note.signatures) {
        signature.signature.back() ^= 1;
        CAPTURE(signature.name);
        CHECK_FALSE(policy->judge(note.format()));
        signature.signature.back() ^= 1;
    }
    CHECK(policy->judge(note.format()));
}

TEST_CASE("only the logs listed are believed", "[log]") {
    CHECK(Policy::of_log(*VerifierKey::parse(log_vkey(1))).judge(head({})));
    CHECK_FALSE(Policy::of_log(*VerifierKey::parse(log_vkey(2))).judge(head({})));
    CHECK_FALSE(Policy::of_log(*VerifierKey::parse(log_vkey(1, "log.example/other"))).judge(head({})));
    CHECK(Policy::parse("log " + log_vkey(2) + "\nlog " + log_vkey(1) + "\nquorum none\n")->judge(head({})));
    CHECK_FALSE(Policy::parse("quorum none\n")->judge(head({})));
}

TEST_CASE("a policy is read as it was written", "[log]") {
    CHECK(Policy::parse("# whom we trust\n\n \tlog\t" + log_vkey(1) +
                        " https://log.example/ \n  # end\nquorum none"));
    CHECK(Policy::parse("quorum none\nlog " + log_vkey(1)));
}

TEST_CASE("a policy with a mistake is refused, and the line is named", "[log]") {
    const auto log = "log " + log_vkey(1) + "\n";
    const auto a = "witness A " + witness_vkey(11) + "\n";
    const auto again = "log " + log_vkey(1, "log.example/other") + "\n";
    const auto log_as_witness = "witness A " + log_vkey(1) + "\n";
    const auto witness_as_log = "log " + witness_vkey(11) + "\n";
    const auto same_key = "witness B " + witness_vkey(11) + "\n";
    const auto same_name = "witness A " + witness_vkey(12) + "\n";
    const auto named_none = "witness none " + witness_vkey(12) + "\n";
    const auto keyless = std::string{"witness A\n"};
    const auto endless = std::string(70'000, '#');
    struct Row {
        const char* why;
        std::string text;
        const char* where;
    };
    const std::vector<Row> rows{
        {"no quorum",                 log,                                "policy: no quorum line"                                },
        {"two quorums",               log + "quorum none\nquorum none\n", "policy:3: quorum: a second one"                        },
        {"a quorum of two names",     log + a + "quorum A A\n",           "policy:3: quorum: wants one name"                      },
        {"a quorum nobody defined",   log + "quorum A\n" + a,             "policy:2: quorum: not defined above"                   },
        {"a log without a key",       "log\n",                            "policy:1: log: wants a key"                            },
        {"a log twice",               log + again,                        "policy:2: log: listed twice"                           },
        {"a witness's key for a log", witness_as_log,                     "policy:1: log: not the key of a log"                   },
        {"a witness without a key",   keyless,                            "policy:1: witness: wants a name and a key"             },
        {"a log's key for a witness", log_as_witness,                     "policy:1: witness: not the key of a witness"           },
        {"one key, two witnesses",    a + same_key,                       "policy:2: witness: listed twice"                       },
        {"one name, two witnesses",   a + same_name,                      "policy:2: name already taken"                          },
        {"a witness named none",      named_none,                         "policy:1: name already taken"                          },
        {"an empty group",            a + "group g any\n",                "policy:2: group: wants a name, a threshold and members"},
        {"a group of nobody known",   a + "group g any B\n",              "policy:2: group: member not defined above"             },
        {"a group holding itself",    a + "group g any g\n",              "policy:2: group: member not defined above"             },
        {"none in a group",           a + "group g any none\n",           "policy:2: group: member not defined above"             },
        {"a member twice",            a + "group g 1 A A\n",              "policy:2: group: member listed before"                 },
        {"a member of two groups",    a + "group g 1 A\ngroup h 1 A\n",   "policy:3: group: member listed before"                 },
        {"a threshold of none",       a + "group g 0 A\n",                "policy:2: group: threshold"                            },
        {"a threshold too high",      a + "group g 2 A\n",                "policy:2: group: threshold"                            },
        {"a threshold in words",      a + "group g most A\n",             "policy:2: group: threshold"                            },
        {"an unknown keyword",        "\nlogs x\n",                       "policy:2: unknown keyword"                             },
        {"a carriage return",         "quorum none\r\n",                  "policy: control character"                             },
        {"no end of it",              endless,                            "policy: longer than 64 KiB"                            },
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        const auto policy = Policy::parse(row.text);
        REQUIRE_FALSE(policy);
        CHECK(policy.error().where == row.where);
    }
}
