#include <fstream>
#include <iterator>

#include "broker/crypto/digest.h"
#include "broker/log/leaf.h"
#include "broker/log/merkle.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::log;

namespace {

std::string readme() {
    std::ifstream file{TEST_SOURCE_DIR "/broker/log/README.md"};
    return {std::istreambuf_iterator<char>{file}, {}};
}

/// The n-th fenced block of the page, without its white space.
std::string block(const std::string& page, int n) {
    std::size_t at = 0;
    for (int fence = 0; fence < 2 * n; ++fence) at = page.find("```", at) + 3;
    const auto begin = page.find("```", at) + 3;
    std::string found;
    for (const char c : page.substr(begin, page.find("```", begin) - begin))
        if (c != ' ' && c != '\n') found.push_back(c);
    return found;
}

}  // namespace

TEST_CASE("the page's worked leaf is the leaf it says, to the byte", "[log]") {
    const auto page = readme();
    const auto bytes = from_hex(block(page, 0));
    REQUIRE(bytes);
    const auto leaf = decode_leaf(*bytes);
    REQUIRE(leaf);

    Leaf told;
    told.kind = LeafKind::published;
    told.operation = Operation::collection;
    told.index = 41;
    told.time = from_us(1'772'487'612'345'678);
    told.actor = "spiffe://notts.example/police/31";
    told.session = exactly<16>(*from_hex("000102030405060708090a0b0c0d0e0f"));
    told.topic = "incidents/31";
    told.message = exactly<16>(*from_hex("019cb0a6f47a7000808182838485868f"));
    told.body = crypto::sha256(view("salt and ciphertext"));
    told.agreement = crypto::sha256(view("agreement.toml"));
    CHECK(*leaf == told);
    CHECK(encode(told) == *bytes);
    CHECK(to_hex(leaf_hash(*bytes)) == block(page, 1));
}

TEST_CASE("the page's catalogue names every kind of leaf", "[log]") {
    const auto page = readme();
    for (const auto kind : schemas::EnumValuesLeafKind()) {
        if (kind == LeafKind::none) continue;
        CAPTURE(schemas::EnumNameLeafKind(kind));
        CHECK(page.find("`" + std::string{schemas::EnumNameLeafKind(kind)} + "`") != std::string::npos);
    }
}
