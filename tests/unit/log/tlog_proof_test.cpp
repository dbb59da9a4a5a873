#include "broker/log/tlog_proof.h"

#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::log;

namespace {

/// The leaves of the Certificate Transparency tests.
std::vector<Bytes> make_leaves() {
    std::vector<Bytes> made;
    for (const auto* hex :
         {"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"})
        made.push_back(*from_hex(hex));
    return made;
}
const std::vector<Bytes> leaves = make_leaves();

constexpr auto log_vkey = "broker.example/audit+0ebe6eac+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

/// The tree of those leaves, under the published test key, cosigned by one witness.
constexpr auto head =
    "broker.example/audit\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n\n"
    "\u2014 broker.example/audit "
    "Dr5urC2UJ7PRUGpy19XfsDdCb+vsK0DWZLHL6zQQ+YeL9T+7swpTHkn4hC03SVeJylHH4zxrCCpVOjw0148hJm+PEQQ=\n"
    "\u2014 witness.example/w1 "
    "zJpwRAAAAABlU/EABfLWgO9S5SKgURkhEScilwSi7f3gBoLasDc/J5FdfAklCq/"
    "Re3QN0ZhVDznIhtPDwk0ObhNF7AC6Rf90wOncCw==\n";

TlogProof proof_of(std::uint64_t index) {
    std::vector<Digest> hashes;
    for (const auto& leaf : leaves) hashes.push_back(leaf_hash(leaf));
    return {std::nullopt, index, inclusion_proof(index, 8, [&](TileId) { return hashes; }), head};
}

Policy policy() { return Policy::of_log(VerifierKey::parse(log_vkey).value()); }

/// The same, with the witness's key and a quorum of that one: its vkey is the log's key again, as type 04.
Policy policy_with_witness() {
    const auto key = VerifierKey::parse(log_vkey).value();
    const VerifierKey witness{"witness.example/w1", VerifierKey::Type::cosignature, key.key()};
    return Policy::parse("log " + key.text() + "\nwitness w1 " + witness.text() + "\nquorum w1\n").value();
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
    const auto at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), with);
}

}  // namespace

TEST_CASE("a proof file is exactly these lines", "[log]") {
    // The path of leaf 3: leaf 2, the root of leaves 0 and 1, the root of leaves 4 to 7.
    std::vector<Digest> hashes;
    for (const auto& leaf : leaves) hashes.push_back(leaf_hash(leaf));
    const auto right = node_hash(node_hash(hashes[4], hashes[5]), node_hash(hashes[6], hashes[7]));
    CHECK(proof_of(3).format() == "c2sp.org/tlog-proof@v1\nindex 3\n" + to_base64(hashes[2]) + "\n" +
                                      to_base64(node_hash(hashes[0], hashes[1])) + "\n" + to_base64(right) +
                                      "\n\n" + head);
}

TEST_CASE("each leaf of a witnessed tree is proven by its file", "[log]") {
    for (std::uint64_t index = 0; index < 8; ++index) {
        const auto text = proof_of(index).format();
        const auto read = TlogProof::parse(text);
        REQUIRE(read);
        CHECK(read->format() == text);
        const auto judged = check_proof(*read, leaves[index], policy_with_witness());
        REQUIRE(judged);
        CHECK(judged->head.size == 8);
        CHECK(judged->witnesses == std::vector<std::string>{"w1"});
    }
}

TEST_CASE("what the maker of a proof adds is kept and proves nothing", "[log]") {
    auto proof = proof_of(2);
    proof.extra = Bytes{1, 2, 3};
    const auto read = TlogProof::parse(proof.format());
    REQUIRE(read);
    CHECK(*read == proof);
    CHECK(check_proof(*read, leaves[2], policy()));
}

TEST_CASE("a proof of something else is refused", "[log]") {
    auto proof = proof_of(3);
    SECTION("another leaf") {
        CHECK(check_proof(proof, leaves[4], policy()).error().reason == Reason::not_consistent);
    }
    SECTION("another place") {
        proof.index = 2;
        CHECK(check_proof(proof, leaves[3], policy()).error().reason == Reason::not_consistent);
    }
    SECTION("beyond the tree") {
        proof.index = 8;
        CHECK(check_proof(proof, leaves[3], policy()).error().reason == Reason::not_consistent);
    }
    SECTION("a changed hash") {
        proof.path[1][0] ^= 1;
        CHECK(check_proof(proof, leaves[3], policy()).error().reason == Reason::not_consistent);
    }
    SECTION("a missing hash") {
        proof.path.pop_back();
        CHECK(check_proof(proof, leaves[3], policy()).error().reason == Reason::not_consistent);
    }
    SECTION("a head nobody signed") {
        proof.checkpoint = replaced(proof.checkpoint, "/audit\n8\n", "/audit\n9\n");
        CHECK(check_proof(proof, leaves[3], policy()).error().reason == Reason::bad_signature);
    }
    SECTION("a head no witness has seen, where one is wanted") {
        proof.checkpoint.erase(proof.checkpoint.find("\u2014 witness"));
        CHECK(check_proof(proof, leaves[3], policy()));
        CHECK(check_proof(proof, leaves[3], policy_with_witness()).error().reason == Reason::bad_signature);
    }
}

TEST_CASE("a file that is no proof is refused with the line at fault", "[log]") {
    const auto good = proof_of(3).format();
    const auto [why, text, where] = GENERATE_COPY(table<const char*, std::string, const char*>({
        {"empty",         "",                       "proof: first line"        },
        {                                                            "another version",  replaced(good,                    "@v1",                      "@v2"), "proof: first line"},
        {                                         "no index",      replaced(good,            "index 3\n",                 ""), "proof: index"},
        {                "a leading zero",               replaced(good,                        "index 3",                        "index 03"), "proof: index"},
        {                                   "a negative index", replaced(good,                         "index 3",                                   "index -3"), "proof: index"},
        {                                              "an index beyond 64 bits",    replaced(good,              "index 3",       "index 18446744073709551616"), "proof: index"},
        {"extra that is no base64",      replaced(good,"index 3","extra ***\nindex 3"), "proof: extra"},
        {                                                      "extra twice",replaced(good,                         "index 3",                                     "extra AA==\nextra AA==\nindex 3"), "proof: index"},
        {                                                                                  "a hash of 31 bytes",   replaced(good,                  "index 3\n",            "index 3\n" + to_base64(Bytes(31)) + "\n"),
         "proof: hash"},
        {"a carriage return",               replaced(good,                    "index 3\n",                                "index 3\r\n"), "proof: index"},
        {"no checkpoint",   good.substr(0,                           good.find("\n\n") + 1),                                    "proof: no checkpoint"},
        {                                                                                                                         "a head without signatures", good.substr(0,           good.find("\u2014")),       "note: no signatures"},
    }));
    CAPTURE(why);
    const auto read = TlogProof::parse(text);
    REQUIRE_FALSE(read);
    CHECK(read.error().where == where);
}

TEST_CASE("a proof of more hashes than any tree has is refused", "[log]") {
    auto proof = proof_of(3);
    proof.path.resize(63);
    CHECK(TlogProof::parse(proof.format()));
    proof.path.resize(64);
    CHECK(TlogProof::parse(proof.format()).error().where == "proof: hashes");
}
