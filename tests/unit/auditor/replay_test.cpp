#include "adapters/auditor/replay.h"

#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "adapters/auditor/complete.h"
#include "adapters/auditor/printable.h"
#include "tests/support/catch.h"
#include "tests/unit/auditor/sample_log.h"

using namespace flagpost;
using namespace flagpost::auditor;
using log::Leaf;
using log::LeafKind;
using test::SampleLog;

namespace {

Leaf leaf_of(LeafKind kind) {
    Leaf leaf;
    leaf.kind = kind;
    leaf.actor = "spiffe://notts.example/broker/main";
    return leaf;
}

Leaf notice(std::uint64_t id, const std::string& school, std::uint64_t number) {
    auto leaf = leaf_of(LeafKind::notice_issued);
    leaf.operation = log::Operation::disclosure;
    leaf.message = test::id_of(id);
    leaf.recipient = school;
    leaf.topic = "notices/" + school;
    leaf.number = number;
    leaf.rule = "SN-1";
    return leaf;
}

Leaf receipt(LeafKind kind, std::uint64_t id, std::uint64_t number, const std::string& outcome = "") {
    auto leaf = leaf_of(kind);
    leaf.actor = "spiffe://notts.example/school/122802";
    leaf.message = test::id_of(id);
    leaf.number = number;
    leaf.outcome = outcome;
    return leaf;
}

struct Day {
    test::TemporaryDirectory temporary;
    std::filesystem::path directory = temporary.path() / "export";
    explicit Day(const std::vector<Leaf>& leaves, std::uint64_t before = 1) {
        SampleLog log{before};
        for (const auto& leaf : leaves) log.append(leaf, {});
        write_export(log, test::log_vkey(), directory);
    }
    std::string told(const ReplayOptions& options) const {
        std::ostringstream out;
        replay(directory, options, out);
        return out.str();
    }
};

std::size_t lines(const std::string& text) {
    return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

}  // namespace

TEST_CASE("names are shown in their own script, and nothing that a terminal obeys", "[auditor]") {
    CHECK(printable("Wiśniewska, آوا, 王") == "Wiśniewska, آوا, 王");
    CHECK(printable("a\x1b[2J\nb \u202Ex\u009B") == "a?[2J?b ?x?");
}

TEST_CASE("each kind of leaf is told in words, and no two alike", "[auditor]") {
    std::set<std::string> told;
    for (const auto kind : schemas::EnumValuesLeafKind()) {
        auto leaf = leaf_of(kind);
        const auto line = in_words(leaf, 7);
        CAPTURE(line);
        CHECK(line.starts_with("1970-01-01 00:00:00  the broker "));
        CHECK(line.ends_with(" [7]"));
        CHECK((kind == LeafKind::none) == (line.find("unknown") != std::string::npos));
        told.insert(line);
    }
    CHECK(told.size() == std::size(schemas::EnumValuesLeafKind()));
}

TEST_CASE("a line says who, what, to whom and where it is written", "[auditor]") {
    Leaf published = leaf_of(LeafKind::published);
    published.actor = "spiffe://notts.example/police/31/feed";
    published.topic = "incidents/31";
    published.time = from_us(1'772'487'612'345'678);
    CHECK(in_words(published, 1234) ==
          "2026-03-02 21:40:12  police/31 published an incident on incidents/31 [1234]");

    auto issued = notice(0xabcd, "school/122802", 7);
    issued.time = published.time;
    issued.related = 1234;
    CHECK(in_words(issued, 1235) ==
          "2026-03-02 21:40:12  the broker owes school/122802 notice 00000000... on notices/school/122802 #7 "
          "under "
          "SN-1, following from [1234] [1235]");
}

TEST_CASE("what a leaf says cannot steer the reader's terminal", "[auditor]") {
    auto leaf = leaf_of(LeafKind::refused);
    leaf.actor = "\x1b[2J";
    leaf.outcome = "\x1b]0;title\x07 \xc2\x9b";
    leaf.topic = "a\nb";
    for (const auto& line : {in_words(leaf, 1), in_json(leaf, 1)})
        for (const char c : line) CHECK((c >= 0x20 && c < 0x7f));
}

TEST_CASE("a leaf in JSON holds every field it has", "[auditor]") {
    auto leaf = notice(5, "school/122802", 7);
    leaf.subjects = {test::id_of(1), test::id_of(2)};
    leaf.legal_basis = {"VCA2024"};
    leaf.related = 0;
    const auto json = nlohmann::json::parse(in_json(leaf, 9));
    CHECK(json["index"] == 9);
    CHECK(json["kind"] == "notice_issued");
    CHECK(json["operation"] == "disclosure");
    CHECK(json["message"] == to_hex(test::id_of(5)));
    CHECK(json["subjects"].size() == 2);
    CHECK(json["legal_basis"][0] == "VCA2024");
    CHECK(json["related"] == 0);
    CHECK_FALSE(json.contains("session"));
}

TEST_CASE("the story can be cut to a time and to an agency", "[auditor]") {
    const Day day{
        {notice(1, "school/122802", 1), notice(2, "school/100000", 1), receipt(LeafKind::opened, 1, 1)},
        10
    };
    CHECK(lines(day.told({})) == 13);
    ReplayOptions school;
    school.agency = *AgencyId::parse("school/122802");
    CHECK(lines(day.told(school)) == 2);
    ReplayOptions early;
    early.to = *parse_time("2026-03-02T21:40:17");
    CHECK(lines(day.told(early)) == 5);
    ReplayOptions late;
    late.from = *parse_time("2026-03-02T21:40:17Z");
    CHECK(lines(day.told(late)) == 8);
    late.json = true;
    std::istringstream in{day.told(late)};
    for (std::string line; std::getline(in, line);) CHECK(nlohmann::json::parse(line).is_object());
}

TEST_CASE("a time is read as one or refused", "[auditor]") {
    CHECK(to_us(*parse_time("1970-01-02")) == 86'400'000'000);
    CHECK(to_us(*parse_time("2026-03-02T21:40:12Z")) == 1'772'487'612'000'000);
    CHECK(parse_time("2026-03-02T21:40:12") == parse_time("2026-03-02T21:40:12Z"));
    for (const auto* text :
         {"", "yesterday", "2026-02-30", "2026-3-2", "2026-03-02T24:00:00", "2026-03-02 21:40:12",
          "2026-03-02T21:40:12+", "2026-03-02T21:40", "02/03/2026"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_time(text));
    }
}

TEST_CASE("a notice is open until its recipient closes it", "[auditor]") {
    struct Row {
        const char* why;
        std::vector<Leaf> leaves;
        std::size_t open;
        std::size_t strays;
    };
    const auto issued = notice(1, "school/122802", 7);
    const std::vector<Row> rows{
        {"nothing owed",                    {},                                                                           0, 0},
        {"owed and nothing more",           {issued},                                                                     1, 0},
        {"opened, which does not close it", {issued, receipt(LeafKind::opened, 1, 0)},                                    1, 0},
        {"opened, which closes it",         {issued, receipt(LeafKind::opened, 1, 7)},                                    0, 0},
        {"recorded, which closes it",       {issued, receipt(LeafKind::recorded, 1, 7, "seen")},                          0, 0},
        {"stored is not enough",            {issued, receipt(LeafKind::stored, 1, 7)},                                    1, 0},
        {"another notice was closed",       {issued, receipt(LeafKind::recorded, 2, 7)},                                  1, 1},
        {"another number was closed",       {issued, receipt(LeafKind::recorded, 1, 8)},                                  1, 1},
        {"closed twice",                    {issued, receipt(LeafKind::opened, 1, 7), receipt(LeafKind::recorded, 1, 7)}, 0, 1},
        {"closed, then told again",
         {issued, receipt(LeafKind::opened, 1, 7), receipt(LeafKind::recorded, 1, 0)},
         0,                                                                                                                  0},
        {"closed before it was owed",       {receipt(LeafKind::opened, 1, 7), issued},                                    1, 1},
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        const auto result = complete(Day{row.leaves}.directory);
        CHECK(result.open.size() == row.open);
        CHECK(result.strays.size() == row.strays);
        CHECK(result.complete() == (row.open + row.strays == 0));
    }
}

TEST_CASE("open notices are listed with whom they wait for", "[auditor]") {
    const Day day{
        {notice(1, "school/122802", 1), notice(2, "school/100000", 1),
         receipt(LeafKind::recorded, 2, 1, "support_in_place")}
    };
    const auto result = complete(day.directory);
    std::ostringstream words, json;
    tell(words, result, false);
    CHECK(words.str().find("open since 2026-03-02 21:40:13: school/122802 owes an answer") !=
          std::string::npos);
    CHECK(words.str().find("2 notices were issued, 1 are closed, 1 are open") != std::string::npos);
    tell(json, result, true);
    const auto object = nlohmann::json::parse(json.str());
    CHECK(object["complete"] == false);
    CHECK(object["open"][0]["recipient"] == "school/122802");
    CHECK(object["open"][0]["index"] == 1);
    CHECK(object["outcomes"]["recorded: support_in_place"] == 1);
    CHECK(object["leaves"]["notice_issued"] == 2);
}

TEST_CASE("a folder that is no export tells no story", "[auditor]") {
    const test::TemporaryDirectory temporary;
    std::ostringstream out;
    CHECK_THROWS(replay(temporary.path(), {}, out));
    CHECK_THROWS(complete(temporary.path()));
}

TEST_CASE("what a decision came to is said in words, and what is no count as it stands", "[auditor]") {
    CHECK(decision_in_words("match=1 potential=0 many=0 low=0 pupils=1 unplaced=0 candidates=2") ==
          "1 match, 1 pupil, of 2 compared");
    CHECK(decision_in_words("late: match=0 potential=2 many=0 low=0 pupils=0 unplaced=1 candidates=30") ==
          "late, 2 possible matches, 1 child whose school is not known, of 30 compared");
    CHECK(decision_in_words("match=0 potential=0 many=0 low=0 pupils=0 unplaced=0 candidates=0") ==
          "nobody, of 0 compared");
    CHECK(decision_in_words("match=1") == "1 match");
    for (const auto* other : {"withdrawn", "match=1 others=2", "two words"})
        CHECK(decision_in_words(other) == other);
}
