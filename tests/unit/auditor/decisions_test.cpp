#include "adapters/auditor/decisions.h"

#include <sstream>

#include "adapters/auditor/explain.h"
#include "adapters/auditor/subject.h"
#include "adapters/auditor/verify.h"
#include "tests/support/catch.h"
#include "tests/unit/auditor/sealed_log.h"

using namespace flagpost;
using namespace flagpost::auditor;
using test::SealedExport;

namespace {

std::size_t place_of(const std::vector<log::Record>& records, log::LeafKind kind, std::size_t nth = 0) {
    for (std::size_t i = 0; i < records.size(); ++i)
        if (records[i].leaf.kind == kind && nth-- == 0) return i;
    throw std::out_of_range{"no such record"};
}

/// The body with one value changed by whoever could write it.
void rewrite(log::Record& record, const std::function<void(schemas::RecordBodyValue&)>& change) {
    schemas::RecordBodyValue value;
    exchange::read_body(record.body).UnPackTo(&value);
    change(value);
    record.body = exchange::pack_body(value);
}

}  // namespace

TEST_CASE("every decision, made again from what was known then, comes out the same", "[auditor]") {
    const SealedExport exported{test::busy_records()};
    CHECK(verify(exported.directory, log::Policy::of_log(test::log_vkey())).verified());
    const auto decisions = replay_decisions(exported.directory, exported.key);
    CAPTURE(decisions.why_not, decisions.differences.size());
    CHECK(decisions.differs == 0);
    CHECK(decisions.not_replayable == 0);
    CHECK(decisions.other_engine == 0);
    CHECK(decisions.same == 6);
    CHECK(decisions.late == 1);
}

TEST_CASE("a decision that was logged otherwise than it was made is found, and its entry named",
          "[auditor]") {
    struct Row {
        const char* why;
        std::function<std::uint64_t(std::vector<log::Record>&)> plant;  // answers with the entry to be named
    };
    using log::LeafKind;
    const std::vector<Row> rows{
        {"a score",
         [](auto& records) {
             const auto at = place_of(records, LeafKind::decided);
             rewrite(records[at], [](auto& body) { body.decision->flags.at(0)->score += 1; });
             return at;
         }},
        {"a recipient",
         [](auto& records) {
             const auto at = place_of(records, LeafKind::notice_issued);
             records[at].leaf.recipient = "social-care/E06000018";
             return at;
         }},
        {"the rule",
         [](auto& records) {
             const auto at = place_of(records, LeafKind::notice_issued);
             records[at].leaf.rule = "SC-2";
             return at;
         }},
        {"a deadline",
         [](auto& records) {
             const auto at = place_of(records, LeafKind::notice_issued);
             rewrite(records[at], [](auto& body) { body.obligation->due_us += 1; });
             return at;
         }},
        {"a late one",
         [](auto& records) {
             const auto at = place_of(records, LeafKind::decided, 5);
             CHECK(records[at].leaf.outcome.starts_with("late: "));
             records[at].leaf.outcome = "late: nothing";
             return at;
         }},
        {"how many were compared",
         [](auto& records) {
             const auto at = place_of(records, LeafKind::decided, 3);
             records[at].leaf.candidates += 1;
             return at;
         }},
        {"the register before it",
         [](auto& records) {
             rewrite(records[place_of(records, LeafKind::record_set)], [](auto& body) {
                 auto flag = exchange::testing::flag(exchange::testing::stranger, "100");
                 body.unit->item = wire::pack<schemas::Flag>(flag);
             });
             return place_of(records, LeafKind::decided);
         }},
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        auto records = test::busy_records();
        const auto planted = row.plant(records);
        const SealedExport exported{records};
        const auto decisions = replay_decisions(exported.directory, exported.key);
        CHECK(decisions.differs >= 1);
        REQUIRE_FALSE(decisions.differences.empty());
        CHECK(decisions.differences[0].index == planted);
    }
}

TEST_CASE("a decision left out, and a notice nobody decided, are found", "[auditor]") {
    auto records = test::busy_records();
    const auto notice = place_of(records, log::LeafKind::notice_issued);
    SECTION("a notice is missing") {
        records[notice].leaf.kind = log::LeafKind::consulted;
        records[notice].body.clear();
    }
    SECTION("the decision is missing") {
        records[notice - 1].leaf.kind = log::LeafKind::consulted;
        records[notice - 1].body.clear();
    }
    SECTION("a withheld one too many") {
        auto one_more = records[notice];
        one_more.leaf.kind = log::LeafKind::refused;
        one_more.body.clear();
        records[notice + 1] = one_more;
    }
    const SealedExport exported{records};
    CHECK(replay_decisions(exported.directory, exported.key).differs >= 1);
}

TEST_CASE("what rests on an erased body is not replayable, and is no difference", "[auditor]") {
    const auto records = test::busy_records();
    const auto decisions_without = [&](std::uint64_t index, const std::string& scope = "all") {
        const SealedExport exported{records, {index}, scope};
        return replay_decisions(exported.directory, exported.key);
    };
    SECTION("the incident") {
        const auto found = decisions_without(place_of(records, log::LeafKind::decided) - 1);
        CHECK(found.differs == 0);
        CHECK(found.not_replayable >= 1);
        CHECK(found.why_not.contains("the incident's body is erased"));
    }
    SECTION("a record of the register") {
        const auto found = decisions_without(place_of(records, log::LeafKind::record_set));
        CHECK(found.differs == 0);
        CHECK(found.not_replayable >= 1);
        CHECK(found.same >= 1);
        CHECK(found.why_not.contains("part of what was known is erased"));
    }
    SECTION("out of scope") {
        const SealedExport exported{records, {}, "controller=police/31"};
        const auto found = replay_decisions(exported.directory, exported.key);
        CHECK(found.differs == 0);
        CHECK(found.why_not.contains("part of what was known was not handed over"));
    }
}

TEST_CASE("decisions of another engine, or under an agreement nobody has, are counted apart", "[auditor]") {
    auto records = test::busy_records();
    records[place_of(records, log::LeafKind::decided)].leaf.engine = Digest{9};
    const SealedExport exported{records};
    const auto found = replay_decisions(exported.directory, exported.key);
    CHECK(found.other_engine == 1);
    CHECK(found.differs == 0);
    CHECK(found.same == 5);
    std::ostringstream words;
    tell(words, found, false);
    CHECK(words.str() == "decided again: 5 the same, 0 differing, 0 not replayable, 1 of another engine\n");

    std::filesystem::remove_all(exported.directory / "policies");
    std::filesystem::create_directory(exported.directory / "policies");
    const auto unknown = replay_decisions(exported.directory, exported.key);
    CHECK(unknown.same + unknown.differs == 0);
    CHECK(unknown.why_not.at("the agreement's text is not in the export") == 6);
}

TEST_CASE("an export opens for the auditor it is for, and for nobody else", "[auditor]") {
    const SealedExport exported{test::busy_records()};
    CHECK_THROWS_WITH(replay_decisions(exported.directory, crypto::BoxKey::generate()),
                      Catch::Contains("another key"));
}

TEST_CASE("a body changed in an export, or a key of another, stops a reading by its entry", "[auditor]") {
    const SealedExport exported{test::busy_records()};
    for (const auto& file : std::filesystem::recursive_directory_iterator{exported.directory / "bodies"}) {
        if (!file.is_regular_file()) continue;
        auto content = test::read_file(file.path());
        content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 1);
        test::write_file(file.path(), content);
    }
    CHECK_THROWS_WITH(replay_decisions(exported.directory, exported.key), Catch::Contains("entry "));
}

TEST_CASE("an explanation says who was told under which rule, on what evidence, and who was not",
          "[auditor]") {
    const SealedExport exported{test::busy_records()};
    const auto story = explain(exported.directory, &exported.key, "31/OCC-1");
    REQUIRE(story.size() == 4);
    CHECK(story[0]["what"] == "published");
    CHECK(story[1]["what"] == "decided");
    CHECK(story[1]["hits"][0]["subject"] == "flag/E10000024/100");
    CHECK(story[1]["hits"][0]["outcome"] == "match");
    CHECK_FALSE(story[1]["hits"][0]["evidence"].empty());
    CHECK(story[1]["told"][0]["recipient"] == "social-care/E10000024");
    CHECK(story[1]["told"][0]["rule"] == "SC-1");
    CHECK(story[1]["told"][0]["answers"][0]["what"] == "recorded");
    CHECK(story[2]["version"] == 2);
    const auto words = explained_in_words(story);
    for (const auto* part : {"published incident 31/OCC-1, version 1", "under rule SC-1",
                             "evidence in bits: ", "which closes it", "not told:"}) {
        CAPTURE(words, part);
        CHECK(words.find(part) != std::string::npos);
    }
    const auto by_entry = explain(exported.directory, &exported.key, story[0]["index"].dump());
    CHECK(by_entry == story);
    const auto nobody = explained_in_words(explain(exported.directory, &exported.key, "31/OCC-3"));
    CHECK(nobody.find("nobody, or nothing new") != std::string::npos);
    CHECK(explain(exported.directory, &exported.key, "31/OCC-9").empty());
}

TEST_CASE("a draft holds everything shared about one child, and of others nothing a decision said",
          "[auditor]") {
    const SealedExport exported{test::busy_records()};
    const auto keys = subject_keys(exported.directory, exported.key, "ravenscroft", "2015-04-17");
    REQUIRE(keys == std::set<std::string>{"flag/E10000024/100"});
    const auto draft = subject_draft(exported.directory, exported.key, keys);
    std::vector<std::string> kinds;
    for (const auto& item : draft["items"]) kinds.push_back(item["what"]);
    CHECK(kinds == std::vector<std::string>{"record_set", "published", "decided", "notice_issued", "recorded",
                                            "published", "decided", "notice_issued"});
    CHECK(draft.dump().find("flag/E10000024/200") == std::string::npos);
    CHECK(draft["items"][3]["content"]["child"]["family_name"] == "Ravenscroft");
    // The first of its kind and "no" are said as well, and times as people read them.
    CHECK(draft["items"][0]["content"]["kind"] == "child_protection_plan");
    CHECK(draft["items"][3]["content"]["flag_kind"] == "child_protection_plan");
    CHECK(draft["items"][1]["content"]["domestic_abuse"] == false);
    CHECK(draft["items"][1]["content"]["occurred"] == "2025-03-04T00:00:00Z");
    CHECK_FALSE(draft["items"][1]["content"].contains("recorded"));
    CHECK(draft.dump().find("_us\"") == std::string::npos);
}

TEST_CASE("nothing is released before each item is marked, and redacted parts do not go out", "[auditor]") {
    const SealedExport exported{test::busy_records()};
    auto draft = subject_draft(exported.directory, exported.key, {"flag/E10000024/100"});
    CHECK_THROWS_WITH(release(draft), Catch::Contains("is not marked"));
    for (auto& item : draft["items"]) item["mark"] = "keep";
    CHECK(release(draft).text.find("It went on.") != std::string::npos);
    CHECK(release(draft).kept == draft["items"].size());
    auto& incident = draft["items"][5];
    REQUIRE(incident["content"]["circumstances"] == "It went on.");
    incident["mark"] = "redact";
    CHECK_THROWS_WITH(release(draft), Catch::Contains("does not say why"));
    incident["why"] = "names a neighbour";
    CHECK_THROWS_WITH(release(draft), Catch::Contains("does not say of what"));
    incident["redact"] = {"/nowhere"};
    CHECK_THROWS_WITH(release(draft), Catch::Contains("nothing at"));
    incident["redact"] = {"/circumstances"};
    draft["items"][7]["mark"] = "withhold";
    draft["items"][7]["why"] = "third parties";
    const auto released = release(draft);
    CHECK(released.text.find("It went on.") == std::string::npos);
    CHECK(released.text.find("[redacted]") != std::string::npos);
    CHECK(released.text.find("withheld: third parties") != std::string::npos);
    CHECK(released.redacted == 1);
    CHECK(released.withheld == 1);
}
