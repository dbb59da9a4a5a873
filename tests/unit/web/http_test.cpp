#include "adapters/web/http.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <fstream>
#include <iterator>

#include "adapters/web/journal.h"
#include "adapters/web/when.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::web;
using namespace std::chrono_literals;

TEST_CASE("forms are read as browsers write them, and no more fields than anybody needs", "[web]") {
    const auto fields = parse_fields("a=1&b=two+words&c=%3Cx%3E%26&d&=e&f=%zz&a=3");
    REQUIRE(fields);
    CHECK(fields->find("a")->second == "1");
    CHECK(fields->find("b")->second == "two words");
    CHECK(fields->find("c")->second == "<x>&");
    CHECK(fields->find("d")->second.empty());
    CHECK(fields->find("f")->second == "%zz");
    CHECK(parse_fields("")->empty());
    std::string many;
    for (std::size_t i = 0; i <= fields_max; ++i) many += "a=1&";
    CHECK_FALSE(parse_fields(many));
    CHECK(encoded("a b/é") == "a%20b%2F%C3%A9");
}

TEST_CASE("one cookie is found among others, and no part of another's name", "[web]") {
    Request request;
    request.headers.emplace("cookie", "x__Host-a=1; __Host-a=2;__Host-ab=3");
    CHECK(request.cookie("__Host-a") == "2");
    CHECK(request.cookie("__Host-ab") == "3");
    CHECK(request.cookie("Host-a").empty());
    CHECK(request.header("COOKIE") == request.header("cookie"));
}

TEST_CASE("near times are said by day, deadlines with what is left", "[web]") {
    const Instant now = from_us(1'768'119'120'000'000);  // Sunday 11 January 2026, 8:12am
    CHECK(near(now, now) == "today, 8:12am");
    CHECK(near(now + 24h, now) == "tomorrow, 8:12am");
    CHECK(near(now - 24h, now) == "yesterday, 8:12am");
    CHECK(near(now - 72h, now) == "Thursday 8 January, 8:12am");
    CHECK(near(now - 24h * 40, now) == "Tuesday 2 December 2025, 8:12am");
    CHECK(time_of_day(now) == "8:12am");
    CHECK(moment(now, now) == "at 8:12am");
    CHECK(moment(now - 24h, now) == "yesterday at 8:12am");
    CHECK(moment(now + 24h, now) == "tomorrow at 8:12am");
    CHECK(moment(now - 72h, now) == "on Thursday 8 January at 8:12am");
    CHECK(moment(now - 24h * 40, now) == "on Tuesday 2 December 2025 at 8:12am");
    CHECK(day_in_words(now) == "Sunday 11 January 2026");
    const auto late = due_of(now - 42min, now);
    CHECK(late.at == "Today, 7:30am");
    CHECK(late.left == "Overdue by 42 minutes");
    CHECK(late.style == "fp-due fp-due--late");
    CHECK(due_of(now + 90min, now).style == "fp-due fp-due--soon");
    CHECK(due_of(now + 8h, now).left == "Due in 8 hours");
    CHECK(due_of(now + 8h, now).style == "fp-due");
    CHECK(due_of(now, now).late);
}

TEST_CASE("the journal keeps who looked and who has what, once", "[web]") {
    const test::TemporaryDirectory directory;
    const auto file = directory.path() / "pages.db";
    const Instant at = from_us(1'768'119'120'000'000);
    {
        Journal journal{file};
        CHECK(journal.note({"FP-1", "consulted", "sam", "Sam Patel", "", at}));
        CHECK(journal.note({"FP-1", "consulted", "sam", "Sam Patel", "", at}));
        CHECK(journal.note({"FP-1", "taken", "sam", "Sam Patel", "", at}, "once-1"));
        CHECK_FALSE(journal.note({"FP-1", "taken", "sam", "Sam Patel", "", at}, "once-1"));
        CHECK(journal.note({"FP-1", "passed", "sam", "Sam Patel", "kim", at}, "once-2"));
        CHECK(journal.note({"FP-2", "taken", "max", "Max Reid", "", at}, "once-3"));
    }
    const Journal journal{file};
    CHECK(journal.consultations_of("FP-1").size() == 2);
    REQUIRE(journal.story_of("FP-1").size() == 2);
    CHECK(journal.story_of("FP-1")[0].what == "passed");
    CHECK(journal.last("FP-1", "taken") == at);
    CHECK_FALSE(journal.last("FP-1", "signed in"));
    CHECK(journal.holders() == std::map<std::string, std::string>{
                                   {"FP-1", "kim"},
                                   {"FP-2", "max"}
    });
    CHECK((std::filesystem::status(file).permissions() & std::filesystem::perms{077}) ==
          std::filesystem::perms::none);
}

TEST_CASE("the lock of the pages' packages holds no download address", "[web]") {
    std::ifstream file{TEST_SOURCE_DIR "/adapters/web/package-lock.json"};
    const std::string lock{std::istreambuf_iterator<char>{file}, {}};
    CHECK(lock.find("\"integrity\"") != std::string::npos);
    CHECK(lock.find("resolved") == std::string::npos);
    CHECK(lock.find("registry") == std::string::npos);
}

TEST_CASE("the journal knows when the broker was not heard, whether the program ran or not", "[web]") {
    using namespace std::chrono_literals;
    const test::TemporaryDirectory directory;
    const auto file = directory.path() / "pages";
    const Instant begin = from_us(1'768'118'520'000'000);
    {
        Journal journal{file};
        CHECK_FALSE(journal.first_heard());
        CHECK(journal.silences(24h, begin).empty());
        for (auto at = begin; at <= begin + 3h; at += 1min) journal.heard(at);
        journal.heard(begin + 4h);
        journal.heard(begin + 34h);
    }
    Journal journal{file};
    CHECK(journal.first_heard() == begin);
    REQUIRE(journal.silences(24h, begin + 35h).size() == 1);
    CHECK(journal.silences(24h, begin + 35h)[0].from == begin + 4h);
    CHECK(journal.silences(24h, begin + 35h)[0].until == begin + 34h);
    CHECK(journal.silences(30h, begin + 35h).empty());
    REQUIRE(journal.silences(24h, begin + 60h).size() == 2);  // it is still silent
    CHECK(journal.silences(24h, begin + 60h)[1].from == begin + 34h);
    journal.heard(begin + 33h);  // a clock set back
    CHECK(journal.silences(24h, begin + 35h).size() == 1);
}

TEST_CASE("a file that is no journal is named", "[web]") {
    const test::TemporaryDirectory directory;
    const auto file = directory.path() / "pages";
    std::ofstream{file} << "not a database, however long it is";
    CHECK_THROWS_WITH(Journal{file},
                      Catch::StartsWith(file.string() + ": file is not a database. If another file"));
}

TEST_CASE("a journal of before is carried over with what is in it", "[web]") {
    const test::TemporaryDirectory directory;
    const auto file = directory.path() / "pages";
    const Instant at = from_us(1'768'118'520'000'000);
    Journal{file}.note({"FP-1", "taken", "kim", "Kim Osei", {}, at});
    {
        SQLite::Database db{file.string(), SQLite::OPEN_READWRITE};
        db.exec("DROP TABLE contact; PRAGMA user_version = 1");
    }
    Journal journal{file};
    journal.heard(at);
    CHECK(journal.first_heard() == at);
    CHECK(journal.holders().at("FP-1") == "kim");
}
