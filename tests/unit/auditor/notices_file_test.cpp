#include "adapters/auditor/notices_file.h"

#include "adapters/auditor/commands.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::auditor;

namespace {

const std::string head = "Authority,Month,Notices,ExpectedLow,ExpectedHigh,FlagListLate,ConnectionLost\n";

struct Files {
    test::TemporaryDirectory directory;
    std::vector<std::filesystem::path> all;
    std::vector<NoticesYear> read(const std::string& rows, const std::string& with = head) {
        all.push_back(directory.write("notices-" + std::to_string(all.size()) + ".csv", with + rows));
        return read_notices(all);
    }
    std::string fault(const std::string& rows, const std::string& with = head) {
        all.clear();
        try {
            read(rows, with);
        } catch (const WrongUsage& error) {
            const std::string words = error.what();
            return words.substr(words.find(".csv") + 4);
        }
        return "none";
    }
};

std::string whole(const Chart& chart) {
    std::string words = chart.finding;
    for (const auto& row : chart.rows)
        for (const auto& cell : row) words += "|" + cell;
    return words;
}

}  // namespace

TEST_CASE("authorities' own counts are charted a year each, and what may be missing is said", "[auditor]") {
    Files files;
    files.read(
        "E10000024,2025-04,12,8,20,no,no\nE10000024,2025-05,3,8,20,yes,no\nE10000024,2026-03,9,,,no,yes\n");
    const auto years = files.read("E06000018,2025-04,1 to 4,,,no,no\n");
    REQUIRE(years.size() == 2);
    const auto charts = charts_of(years);
    CHECK(charts[0].heading == "Notices each month, authority E06000018, April 2025 to March 2026");
    CHECK(charts[0].finding ==
          "1 to 4 notices came. No month has an expected range, so whether fewer came than expected is not "
          "known. "
          "The authority knows of no month in which some may be missing.");
    CHECK(charts[1].name == "notices-2");
    CHECK(charts[1].finding ==
          "24 notices came. Fewer than expected: May. Some may be missing, and the month is hatched: May, "
          "March.");
    CHECK(charts[1].rows[0] == std::vector<std::string>{"April", "12", "8 to 20", "No", "No"});
    CHECK(charts[1].rows[1] == std::vector<std::string>{"May", "3", "8 to 20", "Yes", "No"});
    CHECK(charts[1].rows[2] == std::vector<std::string>{"June", "Not told", "", "", ""});
    CHECK(charts[1].rows[11] == std::vector<std::string>{"March", "9", "", "No", "Yes"});
    CHECK(charts[1].drawings.size() == 2);
    CHECK(whole(charts[0]).find("E10000024") == std::string::npos);
}

TEST_CASE("that no month brought fewer than expected is said only where every month had a range",
          "[auditor]") {
    const auto [why, rows, words] = GENERATE(table<const char*, const char*, const char*>({
        {"all have one",  "E1,2025-04,12,8,20,no,no\nE1,2025-05,8,8,20,no,no\n",
         "No month brought fewer than expected."                                                                                                                                           },
        {"none has",      "E1,2025-04,12,,,no,no\nE1,2025-05,8,,,no,no\n",
         "No month has an expected range, so whether fewer came than expected is not known."                                                                                               },
        {"one has",       "E1,2025-04,12,8,20,no,no\nE1,2025-05,8,,,no,no\n",
         "The one month with an expected range did not bring fewer. 1 month has none."                                                                                                     },
        {"some have",
         "E1,2025-04,12,8,20,no,no\nE1,2025-05,8,8,9,no,no\nE1,2025-06,1,,,no,no\nE1,2025-07,1,,,no,no\n", "None of the 2 months with an expected range brought fewer. 2 months have none."},
        {"hidden",        "E1,2025-04,1 to 4,3,9,no,no\n",
         "Whether fewer came than expected cannot be told of April."                                                                                                                       },
        {"hidden, fewer", "E1,2025-04,1 to 4,5,9,no,no\n",                                                 "Fewer than expected: April."                                                   },
    }));
    CAPTURE(why);
    Files files;
    const auto finding = charts_of(files.read(rows))[0].finding;
    CAPTURE(finding);
    CHECK(finding.find(words) != std::string::npos);
    CHECK((finding.find("No month brought fewer") != std::string::npos) ==
          (std::string{"all have one"} == why));
}

TEST_CASE("a file of counts that cannot be one names line and column", "[auditor]") {
    Files files;
    CHECK(files.fault("E10000024,April,12,,,no,no\n") == ":2: Month: should be as 2025-04");
    CHECK(files.fault("E10000024,2025-13,12,,,no,no\n") == ":2: Month: should be as 2025-04");
    CHECK(files.fault("E10000024,2025-04,many,,,no,no\n") == ":2: Notices: should be a number, or 1 to 4");
    CHECK(files.fault("E10000024,2025-04,4 to 1,,,no,no\n") == ":2: Notices: should be a number, or 1 to 4");
    CHECK(files.fault("E10000024,2025-04,99999999999,,,no,no\n") ==
          ":2: Notices: should be a number, or 1 to 4");
    CHECK(files.fault("E10000024,2025-04,1,9,8,no,no\n") ==
          ":2: ExpectedLow: should be no more than ExpectedHigh");
    CHECK(files.fault("E10000024,2025-04,1,,,perhaps,no\n") == ":2: FlagListLate: should be yes or no");
    CHECK(files.fault(",2025-04,1,,,no,no\n") == ":2: Authority: should be a code");
    CHECK(files.fault("E10000024,2025-04,1,,,no,no\nE10000024,2025-04,2,,,no,no\n") ==
          ":3: Month: is there twice");
    CHECK(files.fault("E10000024,2025-04\n", "Authority,Month\n") == ":2: has no column Notices");
    CHECK(files.fault("E10000024,2025-04\n") != "none");
    CHECK_THROWS_AS(read_notices({files.directory.path() / "absent.csv"}), std::runtime_error);
}
