// The worked example of schemas/README.md: read from the page, decoded, and made again. To print it anew after a
// change of schema: unit_client "[worked-example]"

#include <fstream>
#include <iostream>
#include <sstream>

#include "broker/crypto/digest.h"
#include "broker/crypto/signature.h"
#include "broker/log/leaf.h"
#include "broker/log/merkle.h"
#include "broker/log/note.h"
#include "broker/wire/frames.h"
#include "incident_generated.h"
#include "load_generated.h"
#include "tests/support/catch.h"

using namespace flagpost;

namespace {

const Instant told_at = from_us(1'741'122'600'000'000);  // 2025-03-04T21:10:00Z
constexpr auto log_name = "nottinghamshire.example/log";

Id16 id_of(std::string_view hex) { return *exactly<16>(*from_hex(hex)); }

crypto::NoteKey log_key() {
    std::array<std::uint8_t, 32> seed{};
    for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<std::uint8_t>(i);
    return crypto::NoteKey::from_seed(seed);
}

log::VerifierKey log_vkey() { return {log_name, log::VerifierKey::Type::note, log_key().public_key()}; }

/// The log before the incident: the broker's start and the session's opening. The incident is leaf 2.
std::vector<Digest> leaf_hashes() {
    log::Leaf started, opened, published;
    started.kind = log::LeafKind::recovered;
    started.actor = opened.actor = "spiffe://nottinghamshire.example/broker/main";
    opened.kind = log::LeafKind::session_opened;
    opened.index = 1;
    published.kind = log::LeafKind::published;
    published.operation = log::Operation::collection;
    published.index = 2;
    published.time = told_at;
    published.actor = "spiffe://nottinghamshire.example/police/31";
    published.topic = "incidents/31";
    published.message = id_of("019562fe7c407abc8def0123456789ab");
    return {log::leaf_hash(log::encode(started)), log::leaf_hash(log::encode(opened)),
            log::leaf_hash(log::encode(published))};
}

Digest root_of(std::size_t size) {
    auto leaves = leaf_hashes();
    leaves.resize(size);
    return log::root_at(size, [&](log::TileId) { return leaves; });
}

Bytes hello() {
    schemas::HelloValue hello;
    hello.version = 1;
    hello.software = "stranger/1.0";
    return wire::pack_frame(std::move(hello));
}

Bytes welcome() {
    log::SignedNote head{
        log::Checkpoint{log_name,    2, root_of(2)}
        .format(), {          }
    };
    head.signatures.push_back(log::sign_note(head.text, log_name, log_key()));
    schemas::WelcomeValue welcome;
    welcome.session = copy(id_of("5e5510000000000000000000000000aa"));
    welcome.agency = "police/31";
    welcome.frame_size_max = 1024 * 1024;
    welcome.publish_window = 2048;
    welcome.heartbeat_ms = 5000;
    welcome.time_us = to_us(told_at);
    welcome.checkpoint = head.format();
    return wire::pack_frame(std::move(welcome));
}

Bytes envelope() {
    schemas::IncidentValue incident;
    incident.force = "31";
    incident.reference = "NP-20250304-0412";
    incident.version = 1;
    incident.occurred_us = to_us(told_at) - 1'800'000'000;
    incident.recorded_us = to_us(told_at);
    incident.category = "Domestic";
    incident.domestic_abuse = true;
    incident.place = std::make_unique<schemas::PlaceValue>();
    incident.place->line_1 = "14 Oak Road";
    incident.place->postcode = "S80 1AB";
    wire::Draft draft{schemas::Kind::incident, "incidents/31", incident.reference, {}, {}, {}, {}};
    draft.payload = wire::pack<schemas::Incident>(incident);
    return wire::make_envelope(draft, id_of("019562fe7c407abc8def0123456789ab"),
                               id_of("a17e000000000000000000000000005a"), told_at);
}

/// A batch of one: its leaf is its root.
Bytes signed_message() { return wire::origin_message(log::leaf_hash(crypto::sha256(envelope()))); }

Bytes publish(const Bytes& signature) {
    schemas::OriginValue origin;
    origin.signature = signature;
    origin.size = 1;
    return wire::publish_frame(envelope(), origin);
}

Bytes confirm() {
    return wire::confirm_frame(id_of("019562fe7c407abc8def0123456789ab"), false, 2, leaf_hashes()[2], 3,
                               root_of(3));
}

std::string page() {
    std::ifstream file{TEST_SOURCE_DIR "/schemas/README.md"};
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

/// What stands in the fenced block of this name.
std::string block(const std::string& name) {
    const std::string text = page();
    const auto fence = text.find("```" + name + "\n");
    REQUIRE(fence != std::string::npos);
    const auto begin = text.find('\n', fence) + 1;
    return text.substr(begin, text.find("\n```", begin) - begin);
}

Bytes hex_block(const std::string& name) {
    std::string digits = block(name);
    std::erase_if(digits, [](char c) { return c == '\n' || c == ' '; });
    const auto bytes = from_hex(digits);
    REQUIRE(bytes);
    return *bytes;
}

void print(const std::string& name, const Bytes& bytes) {
    std::cout << "```" << name << "\n";
    const std::string hex = to_hex(bytes);
    for (std::size_t i = 0; i < hex.size(); i += 96) std::cout << hex.substr(i, 96) << "\n";
    std::cout << "```\n";
}

}  // namespace

TEST_CASE("the worked example is the bytes this code makes", "[client]") {
    CHECK(block("log-vkey") == log_vkey().text());
    CHECK(hex_block("hello") == hello());
    CHECK(hex_block("welcome") == welcome());
    CHECK(hex_block("envelope") == envelope());
    CHECK(hex_block("confirm") == confirm());

    const auto signature = hex_block("signature");
    const auto key = crypto::OriginVerifier::parse(hex_block("origin-key"));
    REQUIRE(key);
    CHECK(hex_block("signed") == signed_message());
    CHECK(key->verify(signed_message(), signature));
    CHECK(hex_block("publish") == publish(signature));
}

TEST_CASE("the worked example says what a reader would check", "[client]") {
    const auto greeting = hex_block("welcome");
    const auto* welcome = wire::read_frame(greeting).value()->body_as_Welcome();
    REQUIRE(welcome != nullptr);
    const auto head = log::open_checkpoint(welcome->checkpoint()->str(),
                                           log::VerifierKey::parse(block("log-vkey")).value());
    REQUIRE(head);
    CHECK(head->size == 2);

    const auto answer = hex_block("confirm");
    const auto* confirm = wire::read_frame(answer).value()->body_as_Confirm();
    REQUIRE(confirm != nullptr);
    CHECK(confirm->index() == 2);
    const auto leaf = *exactly<32>({confirm->leaf()->data(), confirm->leaf()->size()});
    const auto root = *exactly<32>({confirm->root()->data(), confirm->root()->size()});
    // Leaf 2 of 3: its sibling is the root of the first two.
    CHECK(log::verify_inclusion(confirm->index(), confirm->size(), leaf, {head->root}, root));

    const auto message = hex_block("publish");
    const auto* publish = wire::read_frame(message).value()->body_as_Publish();
    const auto envelope = wire::read_envelope({publish->envelope()->data(), publish->envelope()->size()});
    REQUIRE(envelope);
    CHECK(to_hex(envelope->id) == to_hex({confirm->id()->data(), confirm->id()->size()}));
    const auto incident = wire::read_table<schemas::Incident>(envelope->payload, "incident");
    REQUIRE(incident);
    CHECK((*incident)->reference()->str() == "NP-20250304-0412");
}

TEST_CASE("every frame, kind, reason and file code has its row", "[client]") {
    const std::string text = page();
    const auto has = [&](const std::string& row) {
        CAPTURE(row);
        CHECK(text.find(row) != std::string::npos);
    };
    for (const auto reason : schemas::EnumValuesReason())
        has("| " + std::to_string(static_cast<int>(reason)) + " | `" + schemas::EnumNameReason(reason) +
            "` |");
    for (const auto body : schemas::EnumValuesBody())
        if (body != schemas::Body::NONE) has(std::string{"| `"} + schemas::EnumNameBody(body) + "` |");
    for (const auto kind : schemas::EnumValuesKind())
        if (kind != schemas::Kind::none) has(std::string{"`"} + schemas::EnumNameKind(kind) + "`");
    for (const auto query : schemas::EnumValuesQueryKind())
        has(std::string{"| `"} + schemas::EnumNameQueryKind(query) + "` |");
    for (const auto code : schemas::EnumValuesFileCode())
        has(std::string{"| `"} + schemas::EnumNameFileCode(code) + "` |");
}

TEST_CASE("print the worked example", "[.][worked-example]") {
    const auto key = crypto::OriginKey::generate();
    const Bytes signature = key.sign(signed_message());
    std::cout << "```log-vkey\n" << log_vkey().text() << "\n```\n";
    print("origin-key", key.public_der());
    print("hello", hello());
    print("welcome", welcome());
    print("envelope", envelope());
    print("signed", signed_message());
    print("signature", signature);
    print("publish", publish(signature));
    print("confirm", confirm());
}
