#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <sstream>

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

namespace {

constexpr const char* broker = "spiffe://notts.example/broker/main";
constexpr const char* force = "spiffe://notts.example/police/31";
constexpr const char* care = "spiffe://notts.example/social-care/E10000024";
constexpr const char* school = "spiffe://notts.example/school/122802";
constexpr const char* duty = "spiffe://notts.example/operator/duty";
constexpr const char* audit = "spiffe://notts.example/auditor/audit-office";

Id16 short_of(std::string_view what) {
    const auto digest = crypto::sha256(view(what));
    return *exactly<16>(BytesView{digest}.first(16));
}

/// A day of a small partnership, one leaf of each kind, by the order of the catalogue. What one follows from is the leaf
/// of that kind here.
std::vector<Leaf> one_of_each() {
    std::vector<Leaf> leaves;
    const auto notice = short_of("notice"), child = short_of("child"), incident = short_of("incident");
    const auto agreement = crypto::sha256(view("agreement.toml"));
    const auto add = [&](LeafKind kind, Operation operation, const char* actor) -> Leaf& {
        Leaf leaf;
        leaf.kind = kind;
        leaf.operation = operation;
        leaf.index = leaves.size();
        leaf.time = from_us(1'772'487'612'345'678 + static_cast<std::int64_t>(leaves.size()) * 1'000'000);
        leaf.actor = actor;
        if (actor != broker) leaf.session = short_of(actor);
        return leaves.emplace_back(std::move(leaf));
    };
    const auto with_body = [&](Leaf& leaf) -> Leaf& {
        leaf.body = crypto::sha256(view("salt and ciphertext of " + std::to_string(leaf.index)));
        return leaf;
    };
    const auto owed = [&](Leaf& leaf) -> Leaf& {
        leaf.message = notice;
        leaf.recipient = "school/122802";
        leaf.topic = "notices/school/122802";
        leaf.number = 7;
        return leaf;
    };

    auto* leaf = &with_body(add(LeafKind::published, Operation::collection, force));
    leaf->topic = "incidents/31";
    leaf->message = short_of("envelope");
    leaf->purpose = "safeguarding";
    leaf->legal_basis = {"VPA2024-s20"};
    leaf->subjects = {incident};

    leaf = &add(LeafKind::refused, Operation::none, school);
    leaf->topic = "incidents/31";
    leaf->message = short_of("refused envelope");
    leaf->outcome = "not_permitted";
    leaf->rule = "topic: incidents/<force> is for police/<force>";
    leaf->agreement = agreement;

    leaf = &with_body(add(LeafKind::decided, Operation::combination, broker));
    leaf->message = short_of("envelope");
    leaf->related = 0;
    leaf->outcome = "match=1";
    leaf->candidates = 3;
    leaf->engine = crypto::sha256(view("engine"));
    leaf->agreement = agreement;
    leaf->subjects = {incident, child};

    leaf = &owed(with_body(add(LeafKind::notice_issued, Operation::disclosure, broker)));
    leaf->outcome = "first";
    leaf->rule = "SN-1";
    leaf->purpose = "safeguarding";
    leaf->legal_basis = {"VPA2024-s20"};
    leaf->agreement = agreement;
    leaf->subjects = {incident, child};
    leaf->related = 2;

    add(LeafKind::delivered, Operation::disclosure, broker).recipient = "school/122802";

    leaf = &with_body(owed(add(LeafKind::escalated, Operation::disclosure, broker)));
    leaf->recipient = "education/E10000024";
    leaf->topic = "notices/education/E10000024";
    leaf->number = 2;
    leaf->outcome = "stored";
    leaf->rule = "SN-1";
    leaf->purpose = "safeguarding";
    leaf->legal_basis = {"VPA2024-s20"};
    leaf->agreement = agreement;
    leaf->subjects = {incident, child};
    leaf->related = 3;

    leaf = &with_body(add(LeafKind::overdue, Operation::none, broker));
    leaf->message = notice;
    leaf->recipient = "school/122802";
    leaf->outcome = "stored";
    leaf->subjects = {incident, child};
    leaf->related = 3;

    leaf = &with_body(add(LeafKind::reported, Operation::none, broker));
    leaf->message = notice;
    leaf->recipient = "police/31";
    leaf->topic = "reports/police/31";
    leaf->number = 4;
    leaf->outcome = "overdue";
    leaf->subjects = {incident};
    leaf->related = 6;

    leaf = &with_body(owed(add(LeafKind::dead_lettered, Operation::none, broker)));
    leaf->outcome = "attempts";
    leaf->candidates = 5;
    leaf->recipient = "operator/duty";
    leaf->subjects = {incident};

    leaf = &with_body(owed(add(LeafKind::reinserted, Operation::none, duty)));
    leaf->recipient.clear();
    leaf->number = 8;
    leaf->user = short_of("user");
    leaf->outcome = "consumer_mended";
    leaf->related = 8;

    leaf = &owed(add(LeafKind::discarded, Operation::none, duty));
    leaf->recipient.clear();
    leaf->number = 0;
    leaf->user = short_of("user");
    leaf->outcome = "told_by_telephone";
    leaf->related = 8;

    leaf = &with_body(add(LeafKind::stored, Operation::none, school));
    leaf->topic = "notices/school/122802";
    leaf->number = 8;
    leaf->outcome = "stored";

    leaf = &with_body(add(LeafKind::opened, Operation::none, school));
    leaf->topic = "receipts/school/122802";
    leaf->message = notice;
    leaf->number = 7;
    leaf->user = short_of("user");
    leaf->subjects = {incident};

    leaf = &with_body(add(LeafKind::recorded, Operation::none, care));
    leaf->topic = "receipts/social-care/E10000024";
    leaf->message = short_of("another notice");
    leaf->number = 3;
    leaf->user = short_of("user");
    leaf->outcome = "allocated_worker_told";
    leaf->subjects = {incident};

    leaf = &with_body(add(LeafKind::load_applied, Operation::none, broker));
    leaf->recipient = "social-care/E10000024";
    leaf->topic = "flags/E10000024";
    leaf->number = 12;
    leaf->outcome = "applied";
    leaf->candidates = 2;
    leaf->related = 13;

    leaf = &with_body(add(LeafKind::record_set, Operation::collection, care));
    leaf->topic = "flags/E10000024";
    leaf->related = 14;
    leaf->agreement = agreement;
    leaf->subjects = {child};

    leaf = &with_body(add(LeafKind::record_removed, Operation::alteration, care));
    leaf->topic = "flags/E10000024";
    leaf->related = 14;
    leaf->agreement = agreement;
    leaf->subjects = {child};

    add(LeafKind::session_opened, Operation::none, school).certificate = crypto::sha256(view("certificate"));
    add(LeafKind::session_closed, Operation::none, school).outcome = "goodbye";

    with_body(add(LeafKind::agreement_set, Operation::none, broker)).agreement = agreement;
    with_body(add(LeafKind::parties_set, Operation::none, broker)).setting =
        crypto::sha256(view("parties.toml"));
    with_body(add(LeafKind::keys_set, Operation::none, broker)).setting = crypto::sha256(view("keys"));
    leaf = &with_body(add(LeafKind::crl_set, Operation::none, broker));
    leaf->number = 3;
    leaf->setting = crypto::sha256(view("crl.pem"));
    add(LeafKind::recovered, Operation::none, broker);

    leaf = &with_body(add(LeafKind::clock_step, Operation::none, broker));
    leaf->outcome = "forward";
    leaf->number = 2'500'000;

    leaf = &add(LeafKind::consulted, Operation::consultation, audit);
    leaf->outcome = "bodies all";
    leaf->purpose = "ICO-2026-17";
    leaf->agreement = agreement;

    leaf = &with_body(add(LeafKind::reviewed, Operation::none, broker));
    leaf->message = short_of("review");
    leaf->outcome = "sent";
    leaf->related = 13;
    leaf->agreement = agreement;
    leaf->subjects = {incident, child};

    leaf = &with_body(add(LeafKind::marked, Operation::disclosure, broker));
    leaf->recipient = "police/31";
    leaf->topic = "markers/31";
    leaf->number = 2;
    leaf->message = short_of("markers");
    leaf->rule = "MK-1";
    leaf->purpose = "safeguarding";
    leaf->legal_basis = {"CA2004-s11"};
    leaf->agreement = agreement;
    leaf->candidates = 1;
    leaf->subjects = {child};
    leaf->related = 13;

    leaf = &add(LeafKind::disclosed, Operation::disclosure, broker);
    leaf->recipient = "auditor/audit-office";
    leaf->outcome = "all";
    leaf->purpose = "ICO-2026-17";
    leaf->certificate = crypto::sha256(view("seal.pub"));
    leaf->agreement = agreement;
    leaf->related = 25;

    leaf = &with_body(add(LeafKind::erased, Operation::erasure, broker));
    leaf->outcome = "retention";
    leaf->rule = "incident";
    leaf->agreement = agreement;
    leaf->candidates = 2;
    leaf->erased = {
        {0, 0},
        {2, 2}
    };

    leaf = &with_body(add(LeafKind::held, Operation::none, care));
    leaf->user = short_of("user");
    leaf->outcome = "court_order";
    leaf->purpose = "FD26P00123";
    leaf->recipient = "social-care/E10000024";
    leaf->subjects = {child};
    leaf->related = 15;
    leaf->agreement = agreement;

    leaf = &with_body(add(LeafKind::lifted, Operation::none, care));
    leaf->user = short_of("user");
    leaf->outcome = "case_closed";
    leaf->purpose = "FD26P00123";
    leaf->recipient = "social-care/E10000024";
    leaf->subjects = {child};
    leaf->related = 30;
    leaf->agreement = agreement;

    leaf = &with_body(add(LeafKind::staff_changed, Operation::none, care));
    leaf->topic = "receipts/social-care/E10000024";
    leaf->message = short_of("staff change");
    leaf->user = short_of("user");
    leaf->outcome = "added: worker";
    leaf->subjects = {short_of("another user")};
    return leaves;
}

/// The fields of a leaf that are set, as the page tells them; digests by their first four bytes.
std::string told(const Leaf& leaf) {
    std::ostringstream line;
    const auto text = [&](const char* name, const std::string& value) {
        if (!value.empty()) line << ", " << name << " `" << value << "`";
    };
    const auto bytes = [&](const char* name, const auto& value) {
        if (value) text(name, to_hex(BytesView{*value}.first(4)) + "…");
    };
    const auto count = [&](const char* name, std::uint64_t value) {
        if (value != 0) line << ", " << name << " " << value;
    };
    line << schemas::EnumNameOperation(leaf.operation);
    text("actor", leaf.actor.substr(leaf.actor.find('/', 9) + 1));
    bytes("session", leaf.session);
    bytes("user", leaf.user);
    text("recipient", leaf.recipient);
    text("topic", leaf.topic);
    bytes("message", leaf.message);
    count("number", leaf.number);
    text("outcome", leaf.outcome);
    text("rule", leaf.rule);
    text("purpose", leaf.purpose);
    for (const auto& code : leaf.legal_basis) text("legal basis", code);
    count("candidates", leaf.candidates);
    bytes("engine", leaf.engine);
    bytes("agreement", leaf.agreement);
    bytes("certificate", leaf.certificate);
    bytes("setting", leaf.setting);
    for (const auto& subject : leaf.subjects) bytes("subject", std::optional{subject});
    if (leaf.related) line << ", related " << *leaf.related;
    for (const auto& range : leaf.erased) line << ", erased " << range.first << " to " << range.last;
    bytes("body", leaf.body);
    return line.str();
}

/// How the page shows one: its fields, its bytes, and the hash of them behind the last.
std::string entry_of(const Leaf& leaf) {
    const auto bytes = encode(leaf);
    auto base64 = to_base64(bytes);
    for (std::size_t at = 116; at < base64.size(); at += 117) base64.insert(at, 1, '\n');
    return "`" + std::string{schemas::EnumNameLeafKind(leaf.kind)} + "` " + std::to_string(leaf.index) +
           ": " + told(leaf) + "\n\n```\n" + base64 + "\n" + to_hex(leaf_hash(bytes)) + "\n```\n";
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

struct Shown {
    std::string kind, told, base64, hash;
};

/// What the page has under its last heading.
std::vector<Shown> shown_on(const std::string& page) {
    std::vector<Shown> all;
    bool in_block = false;
    for (const auto& line : lines_of(page.substr(page.find("## One of each")))) {
        if (line == "```")
            in_block = !in_block;
        else if (!in_block && line.starts_with("`"))
            all.push_back({line.substr(1, line.find('`', 1) - 1), line.substr(line.find(": ") + 2), {}, {}});
        else if (in_block && !all.empty())
            (line.size() == 64 && from_hex(line) ? all.back().hash : all.back().base64) += line;
    }
    return all;
}

}  // namespace

TEST_CASE("prints the page's examples, to be put there after a change of the schema", "[.][print]") {
    for (const auto& leaf : one_of_each()) std::cout << entry_of(leaf) << "\n";
}

TEST_CASE("the page shows one leaf of every kind, its fields, its bytes and its hash", "[log]") {
    const auto shown = shown_on(readme());
    const auto leaves = one_of_each();
    std::set<std::string> kinds;
    REQUIRE(shown.size() == leaves.size());
    for (std::size_t i = 0; i < shown.size(); ++i) {
        CAPTURE(shown[i].kind);
        const auto bytes = from_base64(shown[i].base64);
        REQUIRE(bytes);
        const auto leaf = decode_leaf(*bytes);
        REQUIRE(leaf);
        CHECK(schemas::EnumNameLeafKind(leaf->kind) == shown[i].kind);
        CHECK(leaf->index == i);
        CHECK(told(*leaf) == shown[i].told);
        CHECK(to_hex(leaf_hash(*bytes)) == shown[i].hash);
        CHECK(*leaf == leaves[i]);
        CHECK(encode(leaves[i]) == *bytes);
        kinds.insert(shown[i].kind);
    }
    CHECK(kinds.size() == std::size(schemas::EnumValuesLeafKind()) - 1);  // all but `none`
}

TEST_CASE("the page's catalogue names every kind of leaf", "[log]") {
    const auto page = readme();
    for (const auto kind : schemas::EnumValuesLeafKind()) {
        if (kind == LeafKind::none) continue;
        CAPTURE(schemas::EnumNameLeafKind(kind));
        CHECK(page.find("`" + std::string{schemas::EnumNameLeafKind(kind)} + "`") != std::string::npos);
    }
}
