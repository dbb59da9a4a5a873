#include <fstream>
#include <iterator>

#include "broker/store/sqlite/statistics_file.h"
#include "tests/support/catch.h"
#include "tests/unit/store_sqlite/world.h"

using namespace flagpost;
using namespace flagpost::store;
using namespace flagpost::test;
using namespace std::chrono_literals;
using log::LeafKind;

namespace {

const Instant at = from_us(1'772'487'612'345'678);  // 2026-03-02 21:40

/// One that says all a record can, much of it about a child.
log::Record telling(LeafKind kind) {
    log::Record record;
    record.leaf.kind = kind;
    record.leaf.time = at;
    record.leaf.actor = "spiffe://notts.example/police/31";
    record.leaf.recipient = "school/122802";
    record.leaf.topic = "notices/school/122802";
    record.leaf.message = Id16{0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48};
    record.leaf.rule = "SN-1";
    record.leaf.outcome = "ravenscroft";
    record.leaf.purpose = "OCC-2026-0815";
    record.leaf.legal_basis = {"ravenscroft"};
    record.leaf.user = Id16{0x49, 0x4a};
    record.leaf.subjects = {
        Id16{0x4b, 0x4c}
    };
    record.user = "jo.wren";
    record.subjects = {"upn/A801200099001", "incident/31/OCC-2026-0815"};
    record.body = {'E', 'v', 'e'};
    record.controller = "police/31";
    record.retention = "incident";
    record.sets = {{"flag/E10000024/1234"}};
    return record;
}

struct Figures {
    TemporaryDirectory folder;
    std::filesystem::path file = folder.path() / "statistics.db";
    std::string csv(Instant from = at - 24h) const { return sqlite::statistics_csv(file, from); }
    std::string bytes() const {
        std::ifstream stream{file, std::ios::binary};
        return {std::istreambuf_iterator<char>{stream}, {}};
    }
};

}  // namespace

TEST_CASE("events are counted by hour, kind, kind of agency, class of topic and time taken", "[statistics]") {
    const Figures figures;
    CHECK(figures.csv() ==
          "hour,kind,agency,topic,within_seconds,count,seconds\n");  // nobody has counted yet

    Tally tally;
    auto opened = telling(LeafKind::opened);
    opened.leaf.recipient.clear();  // then it is who did it
    opened.leaf.actor = "spiffe://notts.example/school/122802/desk";
    opened.since = at - 10min;
    tally.add(opened);
    opened.since = at - 15min;
    tally.add(opened);
    opened.since = at - 15min - 1s;
    tally.add(opened);
    opened.since = at - 24h * 1000;
    tally.add(opened);
    tally.add(telling(LeafKind::notice_issued));
    sqlite::add_statistics(figures.file, tally, at);
    Tally more;
    more.add(telling(LeafKind::notice_issued));
    auto later = telling(LeafKind::notice_issued);
    later.leaf.time += 20min;
    more.add(later);
    sqlite::add_statistics(figures.file, more, at);

    CHECK(figures.csv() ==
          "hour,kind,agency,topic,within_seconds,count,seconds\n"
          "2026-03-02T21:00:00Z,notice_issued,school,notices,0,2,0\n"
          "2026-03-02T21:00:00Z,opened,school,notices,900,2,1500\n"
          "2026-03-02T21:00:00Z,opened,school,notices,3600,1,901\n"
          "2026-03-02T21:00:00Z,opened,school,notices,31622400,1,86400000\n"
          "2026-03-02T22:00:00Z,notice_issued,school,notices,0,1,0\n");
    CHECK(figures.csv(at + 1h) ==
          "hour,kind,agency,topic,within_seconds,count,seconds\n"
          "2026-03-02T22:00:00Z,notice_issued,school,notices,0,1,0\n");
    sqlite::add_statistics(figures.file, {}, at + sqlite::statistics_kept);
    CHECK(figures.csv() ==
          "hour,kind,agency,topic,within_seconds,count,seconds\n"
          "2026-03-02T22:00:00Z,notice_issued,school,notices,0,1,0\n");
}

TEST_CASE("nothing a record says of a case is among the figures", "[statistics]") {
    const Figures figures;
    Tally tally;
    for (const auto kind : schemas::EnumValuesLeafKind()) tally.add(telling(kind));
    auto refused = telling(LeafKind::refused);
    refused.leaf.topic = "jo.wren/ravenscroft";  // a refused topic is whatever somebody sent
    tally.add(refused);
    sqlite::add_statistics(figures.file, tally, at);
    const auto csv = figures.csv();
    CHECK(csv.find(",refused,school,other,") != std::string::npos);
    for (const std::string& said : {csv, figures.bytes()})
        for (const char* word : {"122802", "OCC", "0815", "ravenscroft", "wren", "upn", "A8012", "Eve",
                                 "E10000024", "SN-1", "ABCDEFGH", "IJ", "KL", "31,", "/31", "notts"}) {
            CAPTURE(word);
            CHECK(said.find(word) == std::string::npos);
        }
}

TEST_CASE("whoever counts can read the events and nothing of the log, even where both lie in one file",
          "[statistics]") {
    const Figures figures;
    Tally tally;
    tally.add(telling(LeafKind::published));
    sqlite::add_statistics(figures.file, tally, at);
    {
        SQLite::Database database{figures.file.string(), SQLite::OPEN_READWRITE};
        for (const char* table : {"entry", "tile", "live", "subject", "receipt", "meta"})
            database.exec("CREATE TABLE " + std::string{table} + " (idx INTEGER)");
    }
    CHECK(figures.csv().find("published") != std::string::npos);
    auto reader = sqlite::open_statistics(figures.file);
    CHECK(reader.execAndGet("SELECT sum(count) FROM event").getInt() == 1);
    for (const char* table : {"entry", "tile", "live", "subject", "receipt", "meta"}) {
        CAPTURE(table);
        CHECK_THROWS_WITH(reader.execAndGet("SELECT count(idx) FROM " + std::string{table}).getInt(),
                          Catch::Contains("prohibited"));
        CHECK_THROWS(reader.execAndGet("SELECT count(*) FROM " + std::string{table}).getInt());
    }
    CHECK_THROWS(reader.exec("DELETE FROM event"));
    CHECK_THROWS(reader.exec("ATTACH 'flagpost.db' AS log"));
}

TEST_CASE("figures that cannot be kept are a failure to be told, and of the broker's store none",
          "[statistics]") {
    const Figures figures;
    std::ofstream{figures.file} << "this is no database, however long one may look at it, and never was one";
    Tally tally;
    tally.add(telling(LeafKind::published));
    CHECK_THROWS_AS(sqlite::add_statistics(figures.file, tally, at), StorageFailure);
    CHECK_THROWS_AS(figures.csv(), StorageFailure);
}
