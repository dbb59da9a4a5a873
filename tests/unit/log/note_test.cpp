#include "broker/log/note.h"

#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::log;

namespace {

// The key of the examples in the documentation of Go's golang.org/x/mod/sumdb/note: published, for tests only.
crypto::NoteKey published_key() {
    const auto skey = *from_base64("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz");
    return crypto::NoteKey::from_seed(*exactly<32>(BytesView{skey}.subspan(1)));
}

const std::string peter = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const std::string enoch = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const std::string saying =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n";
const std::string peter_line =
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
const std::string enoch_line =
    "— EnochRoot "
    "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n";

const std::string log_vkey = "broker.example/audit+0ebe6eac+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
const std::string head = "broker.example/audit\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n";
const std::string log_line =
    "— broker.example/audit "
    "Dr5urC2UJ7PRUGpy19XfsDdCb+vsK0DWZLHL6zQQ+YeL9T+7swpTHkn4hC03SVeJylHH4zxrCCpVOjw0148hJm+PEQQ=\n";
const std::string witness_line =
    "— witness.example/w1 "
    "zJpwRAAAAABlU/EABfLWgO9S5SKgURkhEScilwSi7f3gBoLasDc/J5FdfAklCq/"
    "Re3QN0ZhVDznIhtPDwk0ObhNF7AC6Rf90wOncCw==\n";

SignedNote note_of(const std::string& bytes) {
    const auto note = SignedNote::parse(bytes);
    REQUIRE(note);
    return *note;
}

VerifierKey key_of(const std::string& vkey) {
    const auto key = VerifierKey::parse(vkey);
    REQUIRE(key);
    return *key;
}

std::string spoilt(std::string bytes, std::string_view what, std::string_view with) {
    const auto at = bytes.find(what);
    REQUIRE(at != std::string::npos);
    return bytes.replace(at, what.size(), with);
}

}  // namespace

TEST_CASE("the note of Go's documentation is made and verified to the byte", "[log]") {
    const auto key = published_key();
    const SignedNote note{saying, {sign_note(saying, "PeterNeumann", key)}};
    CHECK(note.format() == saying + "\n" + peter_line);
    CHECK(signed_by(note_of(saying + "\n" + peter_line), key_of(peter)));
    CHECK(VerifierKey("PeterNeumann", VerifierKey::Type::note, key.public_key()).text() == peter);
    CHECK(key_of(peter).id() == 0xc74f20a3);
}

TEST_CASE("the worked checkpoint and its cosignature are made and verified to the byte", "[log]") {
    const auto key = published_key();
    const auto at = Instant{std::chrono::seconds{1'700'000'000}} + std::chrono::milliseconds{999};
    const SignedNote note{
        head,
        {sign_note(head, "broker.example/audit", key), cosign_note(head, "witness.example/w1", key, at)}
    };
    const auto whole = head + "\n" + log_line + witness_line;
    CHECK(note.format() == whole);

    const auto checkpoint = open_checkpoint(whole, key_of(log_vkey));
    REQUIRE(checkpoint);
    CHECK(checkpoint->origin == "broker.example/audit");
    CHECK(checkpoint->size == 8);
    CHECK(to_hex(checkpoint->root) == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
    CHECK(checkpoint->format() == head);

    const VerifierKey witness{"witness.example/w1", VerifierKey::Type::cosignature, key.public_key()};
    CHECK(cosigned_at(note_of(whole), witness) == Instant{std::chrono::seconds{1'700'000'000}});
    CHECK(signed_by(note_of(whole), witness));
    CHECK(VerifierKey::parse(witness.text()).value().id() == witness.id());
}

TEST_CASE("a cosignature spoilt in one place is none", "[log]") {
    const auto key = published_key();
    const VerifierKey witness{"witness.example/w1", VerifierKey::Type::cosignature, key.public_key()};
    const auto good = note_of(head + "\n" + witness_line);
    REQUIRE(signed_by(good, witness));
    for (std::size_t i = 0; i < good.signatures[0].signature.size(); ++i) {
        auto bad = good;
        bad.signatures[0].signature[i] ^= 1;
        CAPTURE(i);
        CHECK_FALSE(signed_by(bad, witness));
    }
    auto shorter = good;
    shorter.signatures[0].signature.pop_back();
    CHECK_FALSE(signed_by(shorter, witness));
    auto other_text = good;
    other_text.text = spoilt(head, "8", "9");
    CHECK_FALSE(signed_by(other_text, witness));
    // A head signed as a log is not thereby witnessed, nor the other way round.
    const VerifierKey as_log{"witness.example/w1", VerifierKey::Type::note, key.public_key()};
    CHECK_FALSE(signed_by(good, as_log));
}

TEST_CASE("whose line counts in a note with several", "[log]") {
    const auto key = key_of(peter);
    const auto failing = spoilt(peter_line, "x08go/ZJ", "x08go/ZK");
    const auto other_id = spoilt(peter_line, "x08go/ZJ", "x08gp/ZJ");
    const auto other_name = spoilt(peter_line, "PeterNeumann", "PaulNeumann");
    const std::string stranger = "— Stranger AAAAAAA=\n";
    struct Row {
        const char* why;
        std::string signatures;
        bool holds;
    };
    const std::vector<Row> rows{
        {"its own line",                                 peter_line,              true },
        {"after a line of somebody unknown",             stranger + peter_line,   true },
        {"after another known key's line",               enoch_line + peter_line, true },
        {"twice the same line",                          peter_line + peter_line, true },
        {"a failing repeat after it is never looked at", peter_line + failing,    true },
        {"a failing line is not excused by a good one",  failing + peter_line,    false},
        {"only other people's lines",                    enoch_line + stranger,   false},
        {"the same name under another key id",           other_id,                false},
        {"the same key id under another name",           other_name,              false},
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        CHECK(signed_by(note_of(saying + "\n" + row.signatures), key) == row.holds);
    }
    CHECK(signed_by(note_of(saying + "\n" + enoch_line), key_of(enoch)));
}

TEST_CASE("what is no signed note is refused", "[log]") {
    const auto good = saying + "\n" + peter_line;
    REQUIRE(SignedNote::parse(good));
    struct Row {
        const char* why;
        std::string_view what;
        std::string_view with;
    };
    using namespace std::string_view_literals;
    const std::vector<Row> rows{
        {"no signature after the gap",   peter_line,                             ""                },
        {"no gap",                       "\n\n",                                 "\n"              },
        {"last line not ended",          "nAM=\n",                               "nAM="            },
        {"a NUL",                        "If",                                   "I\0"sv           },
        {"a tab",                        "If you",                               "If\tyou"         },
        {"a carriage return",            "is.\n",                                "is.\r\n"         },
        {"half a UTF-8 character",       "If",                                   "\xc3"            },
        {"UTF-8 longer than need be",    "If",                                   "\xc0\xaf"        },
        {"a surrogate in UTF-8",         "If",                                   "\xed\xa0\x80"    },
        {"beyond the last code point",   "If",                                   "\xf4\x90\x80\x80"},
        {"a hyphen for the dash",        "— ",                                 "- "              },
        {"no space after the dash",      "— ",                                 "—"             },
        {"no name",                      "PeterNeumann ",                        ""                },
        {"a plus in the name",           "PeterN",                               "Peter+N"         },
        {"a no-break space in the name", "PeterN",                               "Peter\u00a0N"    },
        {"base64 without its padding",   "nAM=",                                 "nAM"             },
        {"base64 with stray bits",       "nAM=",                                 "nAN="            },
        {"a key id and no signature",    std::string_view{peter_line}.substr(4), "Peter AAAAAA==\n"},
        {"a line that is none",          "nAM=\n",                               "nAM=\nhello\n"   },
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        const auto note = SignedNote::parse(spoilt(good, row.what, row.with));
        REQUIRE_FALSE(note);
        CHECK(note.error().reason == Reason::malformed);
    }
    CHECK_FALSE(SignedNote::parse(""));
    CHECK_FALSE(SignedNote::parse(saying));
}

TEST_CASE("a note has at most 100 signatures and 64 KiB", "[log]") {
    const auto with_signatures = [](int count) {
        auto note = saying + "\n";
        for (int i = 0; i < count; ++i) note += peter_line;
        return SignedNote::parse(note);
    };
    CHECK(with_signatures(100));
    CHECK(with_signatures(101).error().reason == Reason::too_large);
    const auto of_size = [](std::size_t size) {
        const auto rest = "\n\n" + peter_line;
        return SignedNote::parse(std::string(size - rest.size(), 'a') + rest);
    };
    CHECK(of_size(64 * 1024));
    CHECK(of_size(64 * 1024 + 1).error().reason == Reason::too_large);
}

TEST_CASE("every truncation of a note is refused or has lost its signature", "[log]") {
    const auto whole = head + "\n" + log_line + witness_line;
    const auto key = key_of(log_vkey);
    for (std::size_t size = 0; size < head.size() + 1 + log_line.size(); ++size) {
        CAPTURE(size);
        REQUIRE_FALSE(open_checkpoint(whole.substr(0, size), key));
    }
}

TEST_CASE("text with empty lines is split at the last one", "[log]") {
    const std::string odd = "one\n\ntwo\n";
    const SignedNote note{odd, {sign_note(odd, "PeterNeumann", published_key())}};
    CHECK(note_of(note.format()).text == odd);
    CHECK(signed_by(note_of(note.format()), key_of(peter)));
}

TEST_CASE("what is no checkpoint is refused even when signed", "[log]") {
    struct Row {
        const char* why;
        const char* what;
        const char* with;
    };
    const std::vector<Row> rows{
        {"an extension line",        "RgQyg=\n",             "RgQyg=\nmore\n"          },
        {"two lines",                "\n8\n",                "\n"                      },
        {"an empty origin",          "broker.example/audit", ""                        },
        {"a space in the origin",    "broker.example/audit", "broker example"          },
        {"a sign before the size",   "\n8\n",                "\n+8\n"                  },
        {"a zero before the size",   "\n8\n",                "\n08\n"                  },
        {"no size",                  "\n8\n",                "\n \n"                   },
        {"a size over 64 bits",      "\n8\n",                "\n18446744073709551616\n"},
        {"a root of 31 bytes",       "RgQyg=",               "RgQw=="                  },
        {"a root that is no base64", "Xcna",                 "Xcn*"                    },
    };
    REQUIRE(Checkpoint::parse(head));
    REQUIRE(Checkpoint::parse(spoilt(head, "\n8\n", "\n18446744073709551615\n")));
    for (const auto& row : rows) {
        CAPTURE(row.why);
        const auto bad = spoilt(head, row.what, row.with);
        CHECK_FALSE(Checkpoint::parse(bad));
        const SignedNote note{bad, {sign_note(bad, "broker.example/audit", published_key())}};
        CHECK_FALSE(open_checkpoint(note.format(), key_of(log_vkey)));
    }
}

TEST_CASE("a log cannot sign under another log's name", "[log]") {
    const auto other = spoilt(head, "broker.example/audit", "broker.example/other");
    const SignedNote note{other, {sign_note(other, "broker.example/audit", published_key())}};
    const auto checkpoint = open_checkpoint(note.format(), key_of(log_vkey));
    REQUIRE_FALSE(checkpoint);
    CHECK(checkpoint.error().reason == Reason::bad_signature);
}

TEST_CASE("a verifier key has one spelling", "[log]") {
    struct Row {
        const char* why;
        const char* what;
        const char* with;
    };
    const std::vector<Row> rows{
        {"no key",                       "+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", ""             },
        {"another key id",               "c74f20a3",                                      "c74f20a4"     },
        {"upper-case key id",            "c74f20a3",                                      "C74F20A3"     },
        {"seven digits",                 "c74f20a3",                                      "c74f20a"      },
        {"no name",                      "PeterNeumann",                                  ""             },
        {"a space in the name",          "PeterNeumann",                                  "Peter Neumann"},
        {"an unknown type",              "+ARpc",                                         "+Bhpc"        },
        {"a key of 31 bytes",            "10TW",                                          "1w=="         },
        {"a newline after it",           "10TW",                                          "10TW\n"       },
        {"a name the key id is not for", "PeterNeumann",                                  "PaulNeumann"  },
    };
    REQUIRE(VerifierKey::parse(peter));
    CHECK_FALSE(VerifierKey::parse(""));
    CHECK_FALSE(VerifierKey::parse("PeterNeumann"));
    for (const auto& row : rows) {
        CAPTURE(row.why);
        CHECK_FALSE(VerifierKey::parse(spoilt(peter, row.what, row.with)));
    }
}
