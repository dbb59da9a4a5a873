#include "adapters/auditor/signatures.h"

#include "broker/log/merkle.h"
#include "tests/support/catch.h"
#include "tests/unit/auditor/sealed_log.h"

using namespace flagpost;
using namespace flagpost::auditor;
using log::LeafKind;

namespace {

using Records = std::vector<log::Record>;

const crypto::OriginKey police = crypto::OriginKey::generate(), care = crypto::OriginKey::generate();

std::string party(const char* agency, const crypto::OriginKey& key, const char* from = "2020-01-01",
                  const char* to = "2099-01-01") {
    return "[[party]]\nagency = \"" + std::string{agency} + "\"\norigin_key = \"" +
           to_base64(key.public_der()) + "\"\nwitness_vkey = \"of no interest here\"\nfrom = \"" + from +
           "\"\nto = \"" + to + "\"\n";
}
const std::string parties = party("police/31", police) + party("social-care/E10000024", care);

bool is_said(const log::Record& record) {
    return record.leaf.kind == LeafKind::published || record.leaf.kind == LeafKind::opened ||
           record.leaf.kind == LeafKind::recorded;
}

void change_body(log::Record& record, const std::function<void(schemas::RecordBodyValue&)>& change) {
    schemas::RecordBodyValue body;
    exchange::read_body(record.body).UnPackTo(&body);
    change(body);
    record.body = exchange::pack_body(body);
}

/// The first of a batch of two, so that there is a path.
Bytes signed_origin(BytesView envelope, const crypto::OriginKey& key) {
    const auto tree = log::batch_tree({crypto::sha256(envelope), Digest{7}});
    schemas::OriginValue origin;
    origin.signature = key.sign(wire::origin_message(tree.root));
    origin.index = 0;
    origin.size = 2;
    for (const auto& hash : tree.paths[0]) {
        origin.path.push_back(std::make_unique<schemas::HashValue>());
        origin.path.back()->bytes = copy(hash);
    }
    return wire::pack<schemas::Origin>(origin);
}

void sign(log::Record& record, const crypto::OriginKey& key) {
    change_body(record, [&](auto& body) { body.origin = signed_origin(body.envelope, key); });
}

void put_in_force(log::Record& record, const std::string& text) {
    record.leaf.setting = crypto::sha256(view(text));
    change_body(record, [&](auto& body) { body.setting->text = text; });
}

/// What an exchange did, each message signed by whom its entry names.
Records signed_records() {
    auto records = test::busy_records();
    for (auto& record : records) {
        if (record.leaf.kind == LeafKind::parties_set) put_in_force(record, parties);
        if (is_said(record)) sign(record, record.leaf.actor.ends_with("police/31") ? police : care);
    }
    return records;
}

std::size_t place_of(const Records& records, LeafKind kind, const char* topic = "") {
    for (std::size_t i = 0; i < records.size(); ++i)
        if (records[i].leaf.kind == kind && records[i].leaf.topic.starts_with(topic)) return i;
    FAIL("no such record");
    return 0;
}

Signatures check(const Records& records, std::set<std::uint64_t> erased = {}) {
    const test::SealedExport exported{records, std::move(erased)};
    return check_signatures(exported.directory, exported.key);
}

}  // namespace

TEST_CASE("each message and receipt is signed by the agency its entry names", "[auditor]") {
    const auto records = signed_records();
    const auto said = static_cast<std::uint64_t>(std::ranges::count_if(records, is_said));
    REQUIRE(said > 8);
    const auto found = check(records);
    CHECK(found.damages.empty());
    CHECK(found.held == said);
    CHECK(found.unreadable == 0);
    CHECK(found.of_lists == 3);
    CHECK(in_words(found).starts_with("signatures: " + std::to_string(said) + " messages"));
}

TEST_CASE("what a broker makes up, alters, or lays at another's door is named by its entry", "[auditor]") {
    struct Row {
        const char* why;
        LeafKind kind;
        std::function<void(log::Record&)> spoil;
        const char* said;
    };
    static constexpr auto not_signed = "holds a message that the agency it names did not sign";
    const auto rows = std::vector<Row>{
        {"signed by another agency",   LeafKind::published, [](auto& r) { sign(r, care); },                      not_signed},
        {"no signature",               LeafKind::published,
         [](auto& r) { change_body(r, [](auto& body) { body.origin.clear(); }); },
         "holds a message without a signature"                                                                             },
        {"another message",            LeafKind::published,
         [](auto& r) { change_body(r, [](auto& body) { body.envelope[body.envelope.size() - 9] ^= 1; }); },
         not_signed                                                                                                        },
        {"another place in the batch", LeafKind::published,
         [](auto& r) {
             change_body(r, [](auto& body) {
                 schemas::OriginValue origin;
                 (*wire::read_table<schemas::Origin>(body.origin, ""))->UnPackTo(&origin);
                 origin.index = 1;
                 body.origin = wire::pack<schemas::Origin>(origin);
             });
         },                                                                                                      not_signed},
        {"another publisher",          LeafKind::published,
         [](auto& r) { r.leaf.actor = "spiffe://county.example/social-care/E10000024"; },                        not_signed},
        {"a stranger",                 LeafKind::published,
         [](auto& r) { r.leaf.actor = "spiffe://county.example/police/99"; },                                    not_signed},
        {"another topic",              LeafKind::published, [](auto& r) { r.leaf.topic = "incidents/32"; },
         "is of another topic than the message"                                                                            },
        {"another id",                 LeafKind::published, [](auto& r) { (*r.leaf.message)[3] ^= 1; },
         "names another message than the one it holds"                                                                     },
        {"no body",                    LeafKind::published, [](auto& r) { r.body.clear(); },
         "says what an agency said, and holds no message"                                                                  },
        {"of another notice",          LeafKind::recorded,  [](auto& r) { (*r.leaf.message)[3] ^= 1; },
         "is not the receipt that was signed"                                                                              },
        {"of another outcome",         LeafKind::recorded,  [](auto& r) { r.leaf.outcome = "child_spoken_to"; },
         "is not the receipt that was signed"                                                                              },
        {"recorded, not only opened",  LeafKind::recorded,  [](auto& r) { r.leaf.kind = LeafKind::opened; },
         "is not the receipt that was signed"                                                                              },
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        auto records = signed_records();
        const auto place =
            place_of(records, row.kind, row.kind == LeafKind::published ? "incidents/31" : "receipts/");
        row.spoil(records[place]);
        const auto found = check(records);
        REQUIRE(found.damage_count == 1);
        CHECK(found.damages[0] == Damage{"entry " + std::to_string(place), row.said});
        CHECK(in_words(found).starts_with("NOT SIGNED: "));
    }
}

TEST_CASE("a force's answer to a question is held against what it signed, as a receipt is", "[auditor]") {
    auto records = signed_records();
    auto& record = records[place_of(records, LeafKind::recorded, "receipts/")];
    schemas::QuestionAnswerValue answer;
    answer.question.assign(record.leaf.message->begin(), record.leaf.message->end());
    answer.outcome = record.leaf.outcome = "answered";
    answer.by = "P. Officer";
    const wire::Draft draft{schemas::Kind::answer,
                            record.leaf.topic,
                            {},
                            {},
                            {},
                            {},
                            wire::pack<schemas::QuestionAnswer>(answer)};
    change_body(record, [&](auto& body) {
        body.envelope = wire::make_envelope(draft, Id16{9}, Id16{8}, record.leaf.time);
    });
    sign(record, record.leaf.actor.ends_with("police/31") ? police : care);
    CHECK(check(records).hold());
    record.leaf.outcome = "not_known";
    CHECK(check(records).damages.at(0).why == "is not the answer that was signed");
    record.leaf.outcome = "answered";
    (*record.leaf.message)[3] ^= 1;
    CHECK(check(records).damages.at(0).why == "is not the answer that was signed");
}

TEST_CASE("one message is one entry", "[auditor]") {
    auto records = signed_records();
    const auto place = place_of(records, LeafKind::published, "incidents/31");
    records.push_back(records[place]);
    const auto found = check(records);
    REQUIRE(found.damage_count == 1);
    CHECK(found.damages[0].what == "entry " + std::to_string(records.size() - 1));
    CHECK(found.damages[0].why == "holds the message of entry " + std::to_string(place) + " again");
}

TEST_CASE("a key counts while the list of parties in force says so", "[auditor]") {
    // The records are of March 2025.
    const auto with_parties = [](const std::string& text) {
        auto records = signed_records();
        put_in_force(records[place_of(records, LeafKind::parties_set)], text);
        return check(records);
    };
    const auto ours = party("social-care/E10000024", care);
    CHECK(with_parties(ours + party("police/31", police, "2020-01-01", "2025-03-01")).damage_count > 0);
    CHECK(with_parties(ours + party("police/31", police, "2025-04-01")).damage_count > 0);
    CHECK(with_parties(ours).damage_count > 0);
    // While a key is changed, both do.
    const auto both =
        party("police/31", care, "2020-01-01", "2025-06-01") + party("police/31", police, "2025-01-01");
    CHECK(with_parties(ours + both).hold());
    CHECK(with_parties("[[party]]\nagency = \"police/31\"\n").damages.at(0).why ==
          "list of parties: a party without its key");
    CHECK_FALSE(with_parties("no TOML").hold());

    // A list put in force later does not judge what was said before.
    auto records = signed_records();
    auto later = records[place_of(records, LeafKind::parties_set)];
    put_in_force(later, ours);
    later.leaf.time = records.back().leaf.time;
    records.push_back(later);
    CHECK(check(records).hold());
}

TEST_CASE("of what cannot be read nothing is said but how much it is", "[auditor]") {
    const auto records = signed_records();
    const auto all = check(records);
    const auto place = place_of(records, LeafKind::published, "incidents/31");
    const auto found = check(records, {place});
    CHECK(found.hold());
    CHECK(found.unreadable == 1);
    CHECK(found.held == all.held - 1);
}

TEST_CASE("a list of parties that is not in the export judges nobody", "[auditor]") {
    const auto records = signed_records();
    const test::SealedExport exported{records};
    const auto place = place_of(records, LeafKind::parties_set);
    const auto file = exported.directory / ("policies/" + to_hex(*records[place].leaf.setting) + ".toml");
    const auto named = [&] { return check_signatures(exported.directory, exported.key).damages.at(0); };
    test::write_file(file, party("police/31", care));
    CHECK(named() == Damage{"entry " + std::to_string(place),
                            "put another list of parties in force than the one that is here"});
    std::filesystem::remove(file);
    CHECK(named() ==
          Damage{"entry " + std::to_string(place), "put a list of parties in force that is not here"});
}
