#include "broker/log/add_checkpoint.h"

#include "broker/core/limits.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::log;

namespace {

const auto log_key = crypto::NoteKey::from_seed({1});
const auto witness_key = crypto::NoteKey::from_seed({2});
const std::string origin = "broker.example/audit", witness_name = "witness.example/w1";
const Instant at{std::chrono::seconds{1'700'000'000}};
const VerifierKey witness{witness_name, VerifierKey::Type::cosignature, witness_key.public_key()};

const std::string head_text = Checkpoint{origin, 8, Digest{9}}.format();
const std::string head = SignedNote{head_text, {sign_note(head_text, origin, log_key)}}.format();

std::string lines_of(std::vector<NoteSignature> signatures) {
    const auto note = SignedNote{head_text, std::move(signatures)}.format();
    return note.substr(head_text.size() + 1);
}

NoteSignature cosignature() { return cosign_note(head_text, witness_name, witness_key, at); }

}  // namespace

TEST_CASE("a head is put to a witness with the proof from the one it saw last", "[log]") {
    CHECK(add_checkpoint_body(0, {}, head) == "old 0\n\n" + head);
    CHECK(add_checkpoint_body(3, {Digest{1}, Digest{2}}, head) ==
          "old 3\n" + to_base64(Digest{1}) + "\n" + to_base64(Digest{2}) + "\n\n" + head);
}

TEST_CASE("a witness's line is taken over if it holds, and nothing else of what it sends", "[log]") {
    const auto stranger = cosign_note(head_text, "stranger.example", crypto::NoteKey::from_seed({3}), at);
    const auto answer = read_add_checkpoint(200, lines_of({stranger, cosignature()}), head, witness);
    REQUIRE(answer);
    CHECK(std::get<Cosigned>(*answer).note ==
          SignedNote{
              head_text, {sign_note(head_text, origin, log_key), cosignature()}
    }
              .format());
}

TEST_CASE("what a witness may answer otherwise", "[log]") {
    auto spoilt = cosignature();
    spoilt.signature.back() ^= 1;
    const auto of_other_head =
        cosign_note(Checkpoint{origin, 9, Digest{9}}.format(), witness_name, witness_key, at);
    struct Row {
        const char* why;
        int status;
        std::string body;
        Reason reason;
    };
    const std::vector<Row> rows{
        {"a signature that fails",           200, lines_of({spoilt}),                                Reason::bad_signature},
        {"a good one behind one that fails", 200, lines_of({spoilt, cosignature()}),                 Reason::bad_signature},
        {"a cosignature of another head",    200, lines_of({of_other_head}),                         Reason::bad_signature},
        {"only the log's own line back",     200, lines_of({sign_note(head_text, origin, log_key)}),
         Reason::bad_signature                                                                                            },
        {"nothing",                          200, "",                                                Reason::malformed    },
        {"a page of HTML",                   200, "<html></html>\n",                                 Reason::malformed    },
        {"a second note inside the lines",   200, "x\n\n" + lines_of({cosignature()}),               Reason::bad_signature},
        {"more than a note may be",          200, std::string(limits::note_size_max + 1,             'x'),                  Reason::too_large},
        {"a size that is no number",                                  409,            "many\n",                         Reason::malformed                          },
        {"a size with something behind it",                                  409,     "8\n9\n",                  Reason::malformed},
        {"a size below nothing",                                  409,                "-1\n",                             Reason::malformed                            },
        {"unknown log",                                  404,                         "",                                      Reason::not_found    },
        {"unknown key",                                  403,                         "",                                      Reason::bad_signature                            },
        {"another history",                                  422,                     "",                                  Reason::not_consistent    },
        {"our own mistake",                                  400,                     "",                                  Reason::malformed                            },
        {"sent elsewhere",                                  302,                      "",                                   Reason::malformed    },
        {"too often",                                  429,                           "",                                        Reason::busy                            },
        {"out of order",                                  503,                        "",                                     Reason::busy    },
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        const auto answer = read_add_checkpoint(row.status, row.body, head, witness);
        REQUIRE_FALSE(answer);
        CHECK(answer.error().reason == row.reason);
    }
    const auto answer = read_add_checkpoint(409, "5\n", head, witness);
    REQUIRE(answer);
    CHECK(std::get<SawLast>(*answer).size == 5);
}
