#include "broker/log/leaf.h"

#include <functional>

#include "broker/core/limits.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::log;

namespace {

template <std::size_t N> std::array<std::uint8_t, N> filled(std::uint8_t byte) {
    std::array<std::uint8_t, N> bytes;
    bytes.fill(byte);
    return bytes;
}

Leaf full_leaf() {
    Leaf leaf;
    leaf.kind = LeafKind::notice_issued;
    leaf.operation = Operation::disclosure;
    leaf.index = 1234;
    leaf.time = from_us(1'772'487'612'345'678);
    leaf.actor = "spiffe://notts.example/broker/main";
    leaf.certificate = filled<32>(1);
    leaf.user = filled<16>(2);
    leaf.recipient = "school/122802";
    leaf.session = filled<16>(3);
    leaf.topic = "notices/school/122802";
    leaf.message = filled<16>(4);
    leaf.number = 7;
    leaf.subjects = {filled<16>(5), filled<16>(6)};
    leaf.body = filled<32>(7);
    leaf.agreement = filled<32>(8);
    leaf.rule = "SN-1";
    leaf.purpose = "safeguarding";
    leaf.legal_basis = {"VCA2024-s7", "DPA18-s35"};
    leaf.outcome = "match";
    leaf.engine = filled<32>(9);
    leaf.candidates = 3;
    leaf.related = 1230;
    return leaf;
}

Leaf bare_leaf() {
    Leaf leaf;
    leaf.kind = LeafKind::recovered;
    return leaf;
}

/// A leaf as another writer might make it, one thing spoilt.
Bytes foreign_leaf(const std::function<void(schemas::LeafValue&)>& spoil) {
    schemas::LeafValue value;
    value.kind = schemas::LeafKind::published;
    value.index = 1;
    spoil(value);
    flatbuffers::FlatBufferBuilder builder;
    builder.Finish(schemas::Leaf::Pack(builder, &value), schemas::LeafIdentifier());
    return {builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize()};
}

}  // namespace

TEST_CASE("a leaf reads back as it was written", "[log]") {
    for (const auto& leaf : {full_leaf(), bare_leaf()}) {
        const auto bytes = encode(leaf);
        CHECK(bytes.size() % 8 == 0);
        const auto decoded = decode_leaf(bytes);
        REQUIRE(decoded);
        CHECK(*decoded == leaf);
        CHECK(encode(*decoded) == bytes);
    }
}

TEST_CASE("a leaf that follows from leaf 0 says so", "[log]") {
    auto leaf = bare_leaf();
    leaf.related = 0;
    CHECK(decode_leaf(encode(leaf))->related == 0u);
    leaf.related.reset();
    CHECK_FALSE(decode_leaf(encode(leaf))->related);
}

TEST_CASE("every truncation of a leaf is refused", "[log]") {
    for (const auto& leaf : {full_leaf(), bare_leaf()}) {
        const auto bytes = encode(leaf);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            CAPTURE(size);
            REQUIRE_FALSE(decode_leaf(BytesView{bytes}.first(size)));
        }
    }
}

TEST_CASE("a leaf with any byte changed is refused or read as another, never misread in silence", "[log]") {
    const auto bytes = encode(full_leaf());
    for (std::size_t at = 0; at < bytes.size(); ++at)
        for (const std::uint8_t mask : {0x01, 0x80, 0xff}) {
            auto bad = bytes;
            bad[at] ^= mask;
            const auto decoded = decode_leaf(bad);
            if (decoded) REQUIRE_NOTHROW(encode(*decoded));
        }
}

TEST_CASE("a leaf spoilt in one field is refused for that field", "[log]") {
    using Value = schemas::LeafValue;
    struct Row {
        const char* why;
        std::function<void(Value&)> spoil;
        Reason reason;
        const char* where;
    };
    const auto subject = [](std::size_t size) {
        auto mac = std::make_unique<schemas::MacValue>();
        mac->bytes.assign(size, 1);
        return mac;
    };
    const auto too_many_subjects = [&](Value& v) {
        for (std::size_t i = 0; i <= limits::leaf_subjects_max; ++i) v.subjects.push_back(subject(16));
    };
    const auto short_subject = [&](Value& v) { v.subjects.push_back(subject(15)); };
    const std::vector<Row> rows{
        {"a later version",      [](Value& v) { v.version = 2; },                        Reason::unsupported_version, "leaf.version" },
        {"no kind",              [](Value& v) { v.kind = LeafKind::none; },              Reason::invalid_value,       "leaf.kind"    },
        {"an unknown kind",      [](Value& v) { v.kind = LeafKind{999}; },               Reason::invalid_value,       "leaf.kind"    },
        {"an unknown operation", [](Value& v) { v.operation = Operation{7}; },           Reason::invalid_value,
         "leaf.operation"                                                                                                            },
        {"a certificate cut",    [](Value& v) { v.certificate.assign(31, 1); },          Reason::malformed,
         "leaf.certificate"                                                                                                          },
        {"a user too long",      [](Value& v) { v.user.assign(17, 1); },                 Reason::malformed,           "leaf.user"    },
        {"a session cut",        [](Value& v) { v.session.assign(15, 1); },              Reason::malformed,           "leaf.session" },
        {"a message id cut",     [](Value& v) { v.message.assign(1, 1); },               Reason::malformed,           "leaf.message" },
        {"a body digest cut",    [](Value& v) { v.body.assign(16, 1); },                 Reason::malformed,           "leaf.body"    },
        {"an agreement cut",     [](Value& v) { v.agreement.assign(16, 1); },            Reason::malformed,
         "leaf.agreement"                                                                                                            },
        {"an engine cut",        [](Value& v) { v.engine.assign(16, 1); },               Reason::malformed,           "leaf.engine"  },
        {"a subject cut",        short_subject,                                          Reason::malformed,           "leaf.subjects"},
        {"an endless actor",     [](Value& v) { v.actor.assign(256, 'a'); },             Reason::too_large,           "leaf.actor"   },
        {"an endless outcome",   [](Value& v) { v.outcome.assign(256, 'a'); },           Reason::too_large,
         "leaf.outcome"                                                                                                              },
        {"an endless code",      [](Value& v) { v.legal_basis.emplace_back(256, 'a'); }, Reason::too_large,
         "leaf.legal_basis"                                                                                                          },
        {"seventeen codes",      [](Value& v) { v.legal_basis.assign(17, "a"); },        Reason::too_large,
         "leaf.legal_basis"                                                                                                          },
        {"too many subjects",    too_many_subjects,                                      Reason::malformed,           "leaf"         },
    };
    REQUIRE(decode_leaf(foreign_leaf([](Value&) {})));
    for (const auto& row : rows) {
        CAPTURE(row.why);
        const auto decoded = decode_leaf(foreign_leaf(row.spoil));
        REQUIRE_FALSE(decoded);
        CHECK(decoded.error() == Refusal{row.reason, row.where});
    }
}

TEST_CASE("other buffers are no leaves", "[log]") {
    auto bytes = encode(full_leaf());
    bytes[4] = 'X';
    CHECK_FALSE(decode_leaf(bytes));
    CHECK_FALSE(decode_leaf({}));
    CHECK(decode_leaf(Bytes(limits::leaf_size_max + 1)).error().reason == Reason::too_large);
    auto longer = encode(full_leaf());
    longer.push_back(0);
    CHECK_FALSE(decode_leaf(longer));
}

TEST_CASE("a leaf at every limit still fits a tile entry, and one beyond is never made", "[log]") {
    auto leaf = full_leaf();
    leaf.subjects.assign(limits::leaf_subjects_max, filled<16>(1));
    leaf.legal_basis.assign(limits::leaf_legal_basis_max, std::string(limits::leaf_text_size_max, 'l'));
    for (auto* text : {&leaf.actor, &leaf.recipient, &leaf.topic, &leaf.rule, &leaf.purpose, &leaf.outcome})
        text->assign(limits::leaf_text_size_max, 't');
    const auto bytes = encode(leaf);
    CHECK(bytes.size() <= limits::leaf_size_max);
    CHECK(decode_leaf(bytes) == leaf);

    const std::vector<std::pair<const char*, std::function<void(Leaf&)>>> rows{
        {"a text",    [](Leaf& l) { l.outcome.push_back('t'); }           },
        {"a code",    [](Leaf& l) { l.legal_basis[0].push_back('l'); }    },
        {"codes",     [](Leaf& l) { l.legal_basis.emplace_back("l"); }    },
        {"a subject", [](Leaf& l) { l.subjects.push_back(filled<16>(2)); }},
    };
    for (const auto& [why, spoil] : rows) {
        CAPTURE(why);
        auto over = leaf;
        spoil(over);
        CHECK_THROWS(encode(over));
    }
}
