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
    struct Row {
        const char* why;
        std::string note;
        Reason reason;
    };
    const auto good = saying + "\n" + peter_line;
    const auto endless = std::string(64 * 1024, 'a') + "\n\n" + peter_line;
    std::string hundred_and_one = saying + "\n";
    for (int i = 0; i < 101; ++i) hundred_and_one += peter_line;
    const std::vector<Row> rows{
        {"nothing",                    "",                            Reason::malformed              },
        {"text alone",                 saying,                        Reason::malformed              },
        {"no signature after the gap", saying + "\n",                 Reason::malformed              },
        {"last line not ended",        good.substr(0,                 good.size() - 1),                Reason::malformed},
        {"a NUL",                            saying + std::string(1,                                                   '\0') + "\n\n" + peter_line,                                 Reason::malformed},
        {"a tab",           "a\tb\n\n" + peter_line,                                        Reason::malformed                                },
        {"a carriage return",           "a\r\n\n" + peter_line, Reason::malformed},
        {"half a UTF-8 character",           "\xc3\n\n" + peter_line,                                        Reason::malformed                                                                  },
        {"UTF-8 longer than need be",           "\xc0\xaf\n\n" + peter_line, Reason::malformed},
        {"a surrogate in UTF-8",           "\xed\xa0\x80\n\n" + peter_line,                                        Reason::malformed                                                                                                              },
        {"beyond the last code point",           "\xf4\x90\x80\x80\n\n" + peter_line, Reason::malformed},
        {"a hyphen for the dash",           spoilt(good,                                        "— ",                                                                                                                                                           "- "), Reason::malformed},
        {"no space after the dash",                      spoilt(good,       "— ","—"), Reason::malformed},
        {"no name",    spoilt(good, "PeterNeumann ",                    ""), Reason::malformed},
        {"a plus in the name",           spoilt(good,                                        "PeterN",                                                               "Peter+N"), Reason::malformed},
        {"a no-break space in the name",             spoilt(good,                                       "PeterN",                                  "Peter\u00a0N"), Reason::malformed},
        {"base64 without its padding",         spoilt(good,                 "nAM=", "nAM"), Reason::malformed},
        {"base64 with stray bits",           spoilt(good,                                        "nAM=",                                          "nAN="), Reason::malformed},
        {"a key id and no signature",                    saying + "\n— Peter AAAAAA==\n",Reason::malformed},
        {"a line that is none", good + "hello\n",           Reason::malformed                   },
        {"101 signatures",           hundred_and_one,                                        Reason::too_large                                               },
        {"more than 64 KiB",                      endless,     Reason::too_large},
    };
    REQUIRE(SignedNote::parse(good));
    for (const auto& row : rows) {
        CAPTURE(row.why);
        const auto note = SignedNote::parse(row.note);
        REQUIRE_FALSE(note);
        CHECK(note.error().reason == row.reason);
    }
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
    const std::vector<std::pair<const char*, std::string>> rows{
        {"an extension line", head + "more\n"                                                     },
        {                              "two lines",                                                                             "broker.example/audit\n8\n"                                                                      },
        { "an empty origin", spoilt(head,                                                                 "broker.example/audit", "")},
        {                                                                 "a space in the origin",  spoilt(head,                                                                "broker.example/audit", "broker example")},
        {                                                                "a sign before the size",                 spoilt(head,                                                                "\n8\n", "\n+8\n")},
        {                                                                "a zero before the size",  spoilt(head,                                                                               "\n8\n", "\n08\n")},
        {                                                                               "no size",              spoilt(head,                                                                   "\n8\n", "\n \n")},
        {                                                                   "a size over 64 bits",             spoilt(head,                                                                    "\n8\n", "\n18446744073709551616\n")},
        {                                                                    "a root of 31 bytes",                  spoilt(head,                                                              "RgQyg=", "RgQw==")},
        {                                                              "a root that is no base64",                                                                                 spoilt(head, "Xcna", "Xcn*")},
    };
    REQUIRE(Checkpoint::parse(head));
    REQUIRE(Checkpoint::parse(spoilt(head, "\n8\n", "\n18446744073709551615\n")));
    for (const auto& [why, bad] : rows) {
        CAPTURE(why);
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
    const std::vector<std::pair<const char*, std::string>> rows{
        {"no plus at all", "PeterNeumann"                                                         },
        {                            "no key",                                                                                  "PeterNeumann+c74f20a3"                                                                       },
        { "another key id",           spoilt(peter,                                                                     "c74f20a3", "c74f20a4")},
        {                                                                     "upper-case key id",      spoilt(peter,                                                                          "c74f20a3", "C74F20A3")},
        {                                                                          "seven digits", spoilt(peter,                                                                               "c74f20a3", "c74f20a")},
        {                                                                               "no name",         spoilt(peter,                                                                   "PeterNeumann", "")},
        {                                                                   "a space in the name",     spoilt(peter,                                                                       "PeterNeumann", "Peter Neumann")},
        {                                                                       "an unknown type",              spoilt(peter,                                                                     "+ARpc", "+Bhpc")},
        {                                                                     "a key of 31 bytes",                          spoilt(peter,                                                          "10TW", "1w==")},
        {                                                          "a name the key id is not for",                                                                           spoilt(peter, "PeterNeumann", "PaulNeumann")},
    };
    REQUIRE(VerifierKey::parse(peter));
    CHECK_FALSE(VerifierKey::parse(peter + "\n"));
    CHECK_FALSE(VerifierKey::parse(""));
    for (const auto& [why, vkey] : rows) {
        CAPTURE(why);
        CHECK_FALSE(VerifierKey::parse(vkey));
    }
}
