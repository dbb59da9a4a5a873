#include "adapters/police/spool.h"

#include <fstream>
#include <functional>
#include <iterator>

#include "broker/crypto/digest.h"
#include "broker/crypto/keys.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::police;
namespace fs = std::filesystem;

namespace {

const std::string header = "reference,version,occurred,domestic_abuse,people\n";
const std::string two_good_rows =
    header +
    "NP-1,1,2026-11-17T12:00:00Z,no,[]\n"
    "NP-2,1,2026-11-17T12:00:00Z,yes,\"[{\"\"family_name\"\": \"\"Example\"\"}]\"\n";

/// A spool folder and a box, opened anew as often as a process would after a crash.
class World {
public:
    fs::path spool() const { return directory_.path() / "spool"; }
    World() { fs::create_directory(spool()); }

    void hand_over(const std::string& name, const std::string& content) const {
        directory_.write("spool/" + name, content);
    }
    std::vector<FileReport> feed() {
        client::Box box{directory_.path() / "box.db", clock_, random_};
        Intake intake{box, "31", clock_};
        Spool from{spool(), "31"};
        std::vector<FileReport> reports;
        while (auto report = from.next(intake)) reports.push_back(*report);
        return reports;
    }
    std::vector<std::string> sources() {
        client::Box box{directory_.path() / "box.db", clock_, random_};
        std::vector<std::string> all;
        for (const auto& message : box.waiting(1000)) all.push_back(message.source);
        return all;
    }
    bool has(const std::string& name) const { return fs::exists(spool() / name); }
    std::string text(const std::string& name) const {
        std::ifstream stream(spool() / name, std::ios::binary);
        return {std::istreambuf_iterator<char>{stream}, {}};
    }
    const test::TemporaryDirectory& directory() const { return directory_; }

private:
    test::TemporaryDirectory directory_;
    SystemClock clock_;
    crypto::SystemRandom random_;
};

const std::vector<std::string> both_rows{"day.csv:2", "day.csv:3"};

}  // namespace

TEST_CASE("a file's good rows are enqueued, its bad ones kept with line and reason, and it is archived",
          "[police]") {
    World world;
    world.hand_over("day.csv", two_good_rows + "NP-3,0,2026-11-17T12:00:00Z,no,[]\nNP-4,1,yes\n");
    const auto reports = world.feed();
    REQUIRE(reports.size() == 1);
    CHECK(reports[0].published == 2);
    CHECK(reports[0].rejected == 2);
    CHECK(world.sources() == both_rows);
    CHECK(world.has("archive/day.csv"));
    CHECK_FALSE(world.has("day.csv"));
    const auto rejects = world.text("rejects/day.csv.rejects.csv");
    CHECK(
        rejects.find("\n4,rejected,\"version: must be 1 or more\",\"NP-3,0,2026-11-17T12:00:00Z,no,[]\"\n") !=
        std::string::npos);
    CHECK(rejects.find("\n5,rejected,\"3 cells where the header has 5\",\"NP-4,1,yes\"\n") !=
          std::string::npos);
}

TEST_CASE("NDJSON is read line by line, and one bad line is only that", "[police]") {
    World world;
    world.hand_over("day.ndjson",
                    "\xEF\xBB\xBF{\"reference\":\"NP-1\",\"version\":1,\"occurred\":\"2026-11-17T12:00:00Z\","
                    "\"domestic_abuse\":false}\r\n"
                    "\n"
                    "[1,2]\n"
                    "{\"reference\":\n"
                    "{\"reference\":\"\xff\"}\n" +
                        std::string(incident_line_size_max + 1, ' ') +
                        "x\n"
                        "{\"reference\":\"NP-2\",\"version\":1,\"occurred\":\"2026-11-17T12:00:00Z\","
                        "\"domestic_abuse\":false}");
    const auto reports = world.feed();
    REQUIRE(reports.size() == 1);
    CHECK(reports[0].published == 2);
    CHECK(reports[0].rejected == 4);
    const auto rejects = world.text("rejects/day.ndjson.rejects.csv");
    for (const char* line :
         {"\n3,rejected,\"not a JSON object\"", "\n4,rejected,\"not JSON, from byte 14 on\"",
          "\n5,rejected,\"not UTF-8\"", "\n6,rejected,\"not JSON, from byte 1 on\""})
        CHECK(rejects.find(line) != std::string::npos);
    CHECK(world.sources() == std::vector<std::string>{"day.ndjson:1", "day.ndjson:7"});
}

TEST_CASE("whatever step a crash came after, each row is enqueued once and the file archived", "[police]") {
    const auto handed_over = [](World& w) { w.hand_over("day.csv", two_good_rows); };
    const auto taken = [](World& w) { w.hand_over("working/day.csv", two_good_rows); };
    const auto rejects_half_written = [](World& w) {
        w.hand_over("working/day.csv", two_good_rows);
        w.hand_over("rejects/.day.csv.rejects.csv.tmp", "half a li");
    };
    const auto enqueued = [](World& w) {
        w.hand_over("day.csv", two_good_rows);
        (void)w.feed();
        fs::rename(w.spool() / "archive/day.csv", w.spool() / "working/day.csv");
    };
    const auto archived = [](World& w) {
        w.hand_over("day.csv", two_good_rows);
        (void)w.feed();
    };
    const auto [after, leave] = GENERATE_COPY(table<const char*, std::function<void(World&)>>({
        {"handed over",          handed_over         },
        {"taken",                taken               },
        {"rejects half written", rejects_half_written},
        {"enqueued",             enqueued            },
        {"archived",             archived            },
    }));
    CAPTURE(after);
    World world;
    leave(world);
    (void)world.feed();
    (void)world.feed();
    CHECK(world.sources() == both_rows);
    CHECK(world.has("archive/day.csv"));
    CHECK_FALSE(world.has("working/day.csv"));
    CHECK(std::distance(fs::directory_iterator{world.spool() / "archive"}, {}) == 1);
}

TEST_CASE("the same content under another name is not published again", "[police]") {
    World world;
    world.hand_over("day.csv", two_good_rows);
    (void)world.feed();
    world.hand_over("copy.csv", two_good_rows);
    const auto reports = world.feed();
    REQUIRE(reports.size() == 1);
    CHECK(reports[0].published_before);
    CHECK(world.sources().size() == 2);
    CHECK(world.has("archive/copy.csv"));
}

TEST_CASE("another content under the same name is published, and both files are kept", "[police]") {
    World world;
    world.hand_over("day.csv", two_good_rows);
    (void)world.feed();
    world.hand_over("day.csv", header + "NP-9,1,2026-11-17T12:00:00Z,no,[]\nbad\n");
    const auto reports = world.feed();
    REQUIRE(reports.size() == 1);
    CHECK(reports[0].published == 1);
    CHECK(reports[0].name.starts_with("day-"));
    CHECK(world.text("archive/day.csv") == two_good_rows);
    CHECK(world.has("archive/" + reports[0].name));
    CHECK(world.has("rejects/" + reports[0].name + ".rejects.csv"));
}

TEST_CASE("what is still being written, or is no file of incidents, is left alone", "[police]") {
    World world;
    for (const char* name :
         {".day.csv", "day.csv.part", "day.csv.tmp", "day.csv.filepart", "notes.txt", "day.xml"})
        world.hand_over(name, two_good_rows);
    fs::create_directory(world.spool() / "folder.csv");
    fs::create_symlink("/etc/passwd", world.spool() / "link.csv");
    CHECK(world.feed().empty());
    CHECK(world.has("day.csv.part"));
    CHECK(Spool{world.spool(), "31"}.left_alone() ==
          std::vector<std::string>{"day.xml", "folder.csv", "link.csv", "notes.txt"});
}

TEST_CASE("an ending in capitals is the same ending", "[police]") {
    World world;
    world.hand_over("DAY.CSV", two_good_rows + "bad\n");
    world.hand_over("NIGHT.NDJSON",
                    "{\"reference\": \"NP-9\", \"version\": 1, \"occurred\": "
                    "\"2026-11-17T12:00:00Z\", \"domestic_abuse\": false}\n");
    const auto reports = world.feed();
    REQUIRE(reports.size() == 2);
    CHECK(reports[0].published == 2);
    CHECK(reports[1].published == 1);
    CHECK(world.has("archive/DAY.CSV"));
    CHECK(world.has("rejects/DAY.again.CSV"));
}

TEST_CASE("a file that cannot be read at all is set aside with its reason", "[police]") {
    const std::string zeros(9, '\0');
    const auto [why, name, content, reason] =
        GENERATE_COPY(table<const char*, const char*, std::string, const char*>({
            {"empty",           "day.csv",    "",                       "header: missing"                      },
            {"another header",  "day.csv",    "name,age\nAva,6\n",      "header: no column"                    },
            {"two of one name", "day.csv",    "version,version\n1,1\n", "header: two columns"                  },
            {"binary",          "day.csv",    zeros,                    "file: not text"                       },
            {"UTF-16",          "day.csv",    "\xFF\xFEr",              "file: not text in UTF-8 but in UTF-16"},
            {"JSON in UTF-16",  "day.ndjson", "\xFF\xFE{",              "file: not text in UTF-8 but in UTF-16"},
    }));
    CAPTURE(why);
    World world;
    world.hand_over(name, content);
    const auto reports = world.feed();
    REQUIRE(reports.size() == 1);
    CHECK(reports[0].published == 0);
    CHECK(reports[0].rejected == 1);
    CHECK_THAT(reports[0].unread, Catch::StartsWith(reason));
    CHECK(world.has(std::string{"rejects/"} + name));
    CHECK(world.text(std::string{"rejects/"} + name + ".rejects.csv").find(reason) != std::string::npos);
    CHECK(world.sources().empty());
}

TEST_CASE("one version of an incident stands in a file once", "[police]") {
    World world;
    world.hand_over(
        "day.csv",
        two_good_rows + "NP-1,1,2026-11-17T13:00:00Z,yes,[]\nNP-1,2,2026-11-17T13:00:00Z,yes,[]\n");
    CHECK(world.feed().at(0).published == 3);
    CHECK(world.text("rejects/day.csv.rejects.csv").find("already stands on line 2") != std::string::npos);
}

TEST_CASE("two programs never feed from one folder", "[police]") {
    World world;
    const Spool first{world.spool(), "31"};
    CHECK_THROWS_WITH((Spool{world.spool(), "31"}), Catch::Contains("another program"));
    CHECK_THROWS_WITH((Spool{world.spool() / "absent", "31"}), Catch::Contains("no such folder"));
}

TEST_CASE("noise handed over is refused or rejected, and the feed goes on", "[police]") {
    World world;
    std::uint32_t state = 12345;
    for (int i = 0; i < 200; ++i) {
        std::string noise = i % 2 == 0 ? header : "";
        for (int j = 0; j < 300; ++j) {
            state = state * 1'664'525u + 1'013'904'223u;
            constexpr std::string_view likely = "\",\n{}[]:\\ NP1Z-\xc3\x80\xff";
            noise += likely[(state >> 16) % likely.size()];
        }
        world.hand_over("noise" + std::to_string(i) + (i % 3 == 0 ? ".csv" : ".ndjson"), noise);
    }
    world.hand_over("z.csv", two_good_rows);
    const auto reports = world.feed();
    CHECK(reports.size() == 201);
    CHECK(reports.back().published == 2);
}

TEST_CASE("a file is read only when it has been closed, or moved in", "[police]") {
    World world;
    std::ofstream before{world.spool() / "before.csv"};
    before << two_good_rows.substr(0, 80) << std::flush;
    world.hand_over("whole.csv", header + "NP-7,1,2026-11-17T12:00:00Z,no,[]\n");
    SystemClock clock;
    crypto::SystemRandom random;
    client::Box box{world.directory().path() / "box.db", clock, random};
    Intake intake{box, "31", clock};
    Spool spool{world.spool(), "31"};
    const auto next = [&] {
        const auto report = spool.next(intake);
        return report ? report->name : "";
    };
    CHECK(next() == "whole.csv");  // the other is still open
    CHECK(next().empty());
    before << two_good_rows.substr(80);
    before.close();
    CHECK(next() == "before.csv");

    std::ofstream written{world.spool() / "written.csv"};
    written << header << std::flush;
    CHECK(next().empty());
    written << "NP-8,1,2026-11-17T12:00:00Z,no,[]\n";
    written.close();
    {
        std::ofstream more{world.spool() / "written.csv", std::ios::app};
        more << "NP-9,1,2026-11-17T12:00:00Z,no,[]\n" << std::flush;
        CHECK(next().empty());  // closed once, and written to again
    }
    CHECK(next() == "written.csv");

    world.hand_over("moved.csv.part", header + "NP-10,1,2026-11-17T12:00:00Z,no,[]\n");
    CHECK(next().empty());
    fs::rename(world.spool() / "moved.csv.part", world.spool() / "moved.csv");
    spool.wait(std::chrono::seconds{10});
    CHECK(next() == "moved.csv");
    CHECK(box.counts().waiting == 6);
}

TEST_CASE("what was rejected lies ready to be corrected and handed over again", "[police]") {
    World world;
    world.hand_over("day.csv", two_good_rows + "NP-3,0,2026-11-17T12:00:00Z,no,[]\nNP-4,1,yes\n");
    (void)world.feed();
    CHECK(world.text("rejects/day.again.csv") == header + "NP-3,0,2026-11-17T12:00:00Z,no,[]\nNP-4,1,yes\n");
    world.hand_over("day.again.csv",
                    header + "NP-3,1,2026-11-17T12:00:00Z,no,[]\nNP-4,1,2026-11-17T12:00:00Z,yes,[]\n");
    const auto reports = world.feed();
    CHECK(reports.at(0).published == 2);
    CHECK(reports.at(0).rejected == 0);
    CHECK(world.sources().size() == 4);
}

TEST_CASE("an incident that another file has published is not published again", "[police]") {
    World world;
    world.hand_over("day.csv", two_good_rows);
    (void)world.feed();
    world.hand_over("week.csv", two_good_rows + "NP-3,1,2026-11-17T12:00:00Z,no,[]\n");
    const auto reports = world.feed();
    CHECK(reports.at(0).published == 1);
    CHECK(reports.at(0).known == 2);
    world.hand_over("other.csv", header + "NP-3,1,2026-11-17T13:00:00Z,no,[]\n");
    CHECK(world.feed().at(0).rejected == 1);
    CHECK(world.text("rejects/other.csv.rejects.csv")
              .find("version: was published before with other content") != std::string::npos);
    CHECK(world.sources().size() == 3);
}

TEST_CASE("a file set aside is never lost to a good one of its name", "[police]") {
    World world;
    world.hand_over("day.csv", "name,age\nAva,6\n");
    (void)world.feed();
    world.hand_over("day.csv", two_good_rows);
    CHECK(world.feed().at(0).published == 2);
    CHECK(world.text("rejects/day.csv") == "name,age\nAva,6\n");
    CHECK(world.has("rejects/day.csv.rejects.csv"));
}
