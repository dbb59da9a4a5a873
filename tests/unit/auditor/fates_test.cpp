#include "adapters/auditor/fates.h"

#include "adapters/auditor/charts.h"
#include "adapters/auditor/replay.h"
#include "tests/support/catch.h"
#include "tests/unit/auditor/sealed_log.h"

using namespace flagpost;
using namespace flagpost::auditor;
using namespace std::chrono_literals;
using log::LeafKind;

namespace {

const Instant now = *parse_time("2026-01-11T08:00:00");

Fate owed(const std::string& recipient, Instant due, std::optional<std::chrono::seconds> answered) {
    Fate fate;
    fate.recipient = recipient;
    fate.issued = due - 16h;
    fate.due = due;
    if (answered) fate.answered = fate.closed = due + *answered;
    return fate;
}

Fate unknown(const std::string& recipient) {
    Fate fate;
    fate.recipient = recipient;
    fate.issued = now;
    return fate;
}

Record record(LeafKind kind, std::uint64_t index, std::uint64_t message, std::uint64_t number = 0,
              const std::string& outcome = {}) {
    Record made;
    made.index = index;
    made.leaf.kind = kind;
    made.leaf.message = test::id_of(message);
    made.leaf.number = number;
    made.leaf.outcome = outcome;
    made.leaf.recipient = "school/900001";
    made.leaf.time = now + std::chrono::minutes{index};
    return made;
}

}  // namespace

TEST_CASE("a notice's fate is told by the entries that name it, and only as far as they do", "[auditor]") {
    Fates fates;
    fates.add(record(LeafKind::notice_issued, 1, 7, 1));
    fates.add(record(LeafKind::notice_issued, 2, 8, 2));
    fates.add(record(LeafKind::notice_issued, 3, 9, 3));
    fates.add(record(LeafKind::opened, 4, 7));
    auto elsewhere = record(LeafKind::escalated, 5, 7, 9);
    elsewhere.leaf.recipient = "education/E10000024";
    fates.add(elsewhere);
    fates.add(record(LeafKind::escalated, 5, 9, 10));  // a reminder to the same school
    fates.add(record(LeafKind::recorded, 6, 7, 1, "contacted"));
    fates.add(record(LeafKind::recorded, 7, 8, 2, "not_this_child"));
    fates.add(record(LeafKind::escalated, 8, 8, 9));  // after it was closed
    fates.add(record(LeafKind::recorded, 9, 77, 2));  // of a notice nobody owes
    const auto& all = fates.all();
    REQUIRE(all.size() == 3);
    CHECK(all[0].answered == now + 4min);
    CHECK(all[0].closed == now + 6min);
    CHECK(all[0].escalated);
    CHECK_FALSE(all[0].given_back);
    CHECK(all[1].given_back);
    CHECK_FALSE(all[1].escalated);
    CHECK_FALSE(all[2].escalated);
    CHECK_FALSE(all[2].answered);
    CHECK_FALSE(all[2].closed);
    CHECK_FALSE(all[2].due);
}

TEST_CASE("deadlines are known from bodies that are open, and from no others", "[auditor]") {
    const test::SealedExport exported{test::busy_records()};
    for (const bool with_key : {true, false}) {
        Records records{exported.directory, with_key ? &exported.key : nullptr};
        Fates fates;
        while (const auto each = records.next()) fates.add(*each);
        REQUIRE(fates.all().size() >= 2);
        for (const auto& fate : fates.all()) {
            CAPTURE(fate.index, with_key);
            CHECK(fate.due.has_value() == with_key);
            if (with_key) CHECK(*fate.due > fate.issued);
        }
    }
}

TEST_CASE(
    "in time means until the deadline to the second, and what was never opened keeps the share below 100",
    "[auditor]") {
    const Instant due = now - 1h;
    std::vector<Fate> fates;
    for (const auto answered : {-20h, 5h}) fates.push_back(owed("school/1", due, answered));
    for (const auto answered : {0s, 1s}) fates.push_back(owed("school/2", due, answered));
    fates.push_back(owed("school/3", due, std::nullopt));
    fates.push_back(owed("school/4", now + 1h, std::nullopt));
    fates.push_back(owed("school/5", now + 1h, -3h));
    fates.push_back(owed("social-care/E10000024", due, std::nullopt));
    fates.push_back(unknown("school/6"));
    const auto counted = in_time(fates, now);
    CHECK(counted.owed() == 6);
    CHECK(counted.in_time().count == 3);
    CHECK(counted.never == 1);
    CHECK(counted.not_yet_due == 1);
    CHECK(counted.deadline_unknown == 1);

    const auto chart = chart_of(counted);
    CHECK(chart.finding ==
          "3 of 6 notices to schools were opened in time (50 %). 2 were opened late, 1 never.");
    CHECK(chart.more.find("1 notice is not due yet") != std::string::npos);
    CHECK(chart.more.find("The deadline of 1 notice is not known") != std::string::npos);
    std::size_t all = 0;
    for (const auto& row : chart.rows) all += static_cast<std::size_t>(std::stoul(row[1]));
    CHECK(all == counted.owed());
    CHECK(chart.rows[4] == std::vector<std::string>{"The last 2 hours before", "1", "3", "50 %"});
    CHECK(chart.rows.back() == std::vector<std::string>{"Never", "1", "", ""});
    CHECK(chart.drawings.size() == 2);
}

TEST_CASE("a share is never rounded up to all of them", "[auditor]") {
    CHECK(percent_of({176, 180}) == "97.8 %");
    CHECK(percent_of({99'999, 100'000}) == "99.9 %");
    CHECK(percent_of({5, 5}) == "100 %");
    CHECK(percent_of({0, 5}) == "0 %");
}

TEST_CASE("every notice stands in the week it was due, by how it ended", "[auditor]") {
    // 11 January 2026 is a Sunday: the week began on Monday the 5th, the first of 13 on 13 October 2025.
    auto escalated = owed("school/1", now - 1h, 2h), back = owed("school/2", now - 24h, 1h);
    escalated.escalated = back.escalated = true;
    back.given_back = true;
    std::vector<Fate> fates{escalated, back, unknown("school/6")};
    fates.push_back(owed("social-care/E10000024", *parse_time("2026-01-05T00:00:00"), -1h));
    fates.push_back(owed("school/1", *parse_time("2026-01-04T23:59:59"), std::nullopt));
    // Midnight in London, by summer time, is an hour before that in UTC.
    fates.push_back(owed("school/3", *parse_time("2025-10-12T22:59:59"), std::nullopt));
    fates.push_back(owed("school/4", *parse_time("2025-10-12T23:00:00"), 1h));
    fates.push_back(owed("school/5", *parse_time("2026-01-12T00:00:00"), std::nullopt));
    const auto counted = finished(fates, now);
    REQUIRE(counted.weeks.size() == 13);
    const auto& last = counted.weeks.back();
    CHECK(last.first == 1);
    CHECK(last.escalated == 1);
    CHECK(last.given_back == 1);
    CHECK(last.open == 1);
    CHECK(counted.weeks[11].open == 1);
    CHECK(counted.weeks[0].first == 1);
    CHECK(counted.before == 1);
    CHECK(counted.open_before == 1);
    CHECK(counted.later == 1);
    CHECK(counted.by_issue == 1);

    const auto chart = chart_of(counted);
    CHECK(chart.finding == "In 13 weeks 6 notices were due. 4 are finished, 2 are still open.");
    REQUIRE(chart.rows.size() == 13);
    CHECK(chart.rows.back() == std::vector<std::string>{"Monday 5 January 2026", "1", "1", "1", "1"});
    CHECK(chart.csv().starts_with("\"Week of\",\"Closed by whoever was told first\","));
    CHECK(chart.csv().ends_with("\"Monday 5 January 2026\",\"1\",\"1\",\"1\",\"1\"\r\n"));
}

TEST_CASE("with nothing owed there is a sentence and no drawing", "[auditor]") {
    CHECK(chart_of(in_time({}, now)).drawings.empty());
    CHECK(chart_of(finished({}, now)).drawings.empty());
    CHECK_FALSE(chart_of(in_time({}, now)).finding.empty());
}
