#include "adapters/social_care/flag_folder.h"

#include <filesystem>
#include <fstream>

#include "adapters/desk/fields.h"
#include "tests/support/catch.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::social_care;
using Became = FlagFolder::Became;

namespace {

const Instant now = *desk::parse_instant("2026-01-11T08:12:00Z");

std::string rows(int from, int until) {
    std::string all = "LAchildID,GivenNames,FamilyName,PersonBirthDate,FlagKind,CPPstartDate\n";
    for (int i = from; i < until; ++i)
        all += "C" + std::to_string(i) + ",Ava,Example,2019-03-04,child_protection_plan,2025-06-19\n";
    return all;
}

struct Watched {
    Watched() {
        std::filesystem::create_directory(in());
        folder.emplace(in(), settings, book);
    }
    std::filesystem::path in() const { return directory.path() / "in"; }
    void write(const std::string& name, const std::string& text) const { std::ofstream{in() / name} << text; }
    std::optional<FlagFolder::Report> next() { return folder->next(box, now, random); }
    /// What the broker says of the load sent last.
    void answer(std::uint32_t accepted) {
        const auto load = book.recent(1).at(0);
        schemas::LoadResultValue result;
        result.load.assign(load.load.begin(), load.load.end());
        result.of = schemas::LoadOf::flags;
        result.sequence = load.sequence;
        result.code = schemas::FileCode::all_loaded;
        result.accepted = accepted;
        client::Incoming item{};
        item.topic = "results/social-care/E10000024";
        item.number = ++answers;
        item.kind = schemas::Kind::load_result;
        item.id = random.bytes<16>();
        item.payload = wire::pack<schemas::LoadResult>(result);
        item.received = now;
        box.receive({item});
    }
    bool lies(const std::string& name) const { return std::filesystem::exists(in() / name); }

    test::TemporaryDirectory directory;
    test::ManualClock clock{now};
    crypto::SystemRandom random;
    client::Box box{directory.path() / "box.db", clock, random};
    FlagBook book{directory.path() / "box.db.flags"};
    FlagPageSettings settings{"E10000024", "", 24, 10};
    std::optional<FlagFolder> folder;
    std::uint64_t answers = 0;
};

}  // namespace

TEST_CASE("a list put into the folder is sent once and archived", "[social_care]") {
    Watched watched;
    CHECK_FALSE(watched.next());
    watched.write("flags.csv", rows(0, 3) + "C9,,,,,\n");
    watched.write("notes.txt", "not a list");
    const auto report = watched.next();
    REQUIRE(report);
    CHECK(report->became == Became::sent);
    CHECK(report->rejected == 1);
    CHECK(watched.lies("archive/flags.csv"));
    CHECK(watched.lies("rejects/flags.csv.rejects.csv"));
    CHECK(watched.lies("notes.txt"));
    const auto load = watched.book.recent(1).at(0);
    CHECK(load.by_called == "Watch folder");
    CHECK(load.step == LoadStep::sent);
    CHECK(load.as_delta);

    // The next waits until the broker has answered, and the same again is known.
    watched.write("next.csv", rows(0, 3) + "C9,,,,,\n");
    CHECK_FALSE(watched.next());
    CHECK(watched.lies("next.csv"));
    watched.answer(3);
    const auto again = watched.next();
    REQUIRE(again);
    CHECK(again->became == Became::known);
    CHECK(watched.book.list().size() == 3);
    CHECK(watched.book.recent(10).size() == 1);
}

TEST_CASE("a list that would end many flags waits for people, and changes only are by name",
          "[social_care]") {
    Watched watched;
    watched.write("flags.csv", rows(0, 20));
    REQUIRE(watched.next()->became == Became::sent);
    watched.answer(20);
    watched.write("flags.csv", rows(0, 2));
    const auto report = watched.next();
    REQUIRE(report);
    CHECK(report->became == Became::waits_for_people);
    CHECK(watched.book.find(report->number)->step == LoadStep::preview);
    CHECK(watched.book.find(report->number)->changes.ended == 18);
    watched.write("flags.delta.csv", rows(20, 22));
    REQUIRE(watched.next()->became == Became::sent);
    CHECK(watched.book.recent(1).at(0).mode == schemas::LoadMode::delta);
}

TEST_CASE("a census takes its details from beside it", "[social_care]") {
    Watched watched;
    watched.write("cin.details.csv", "LAchildID,GivenNames,FamilyName\nC1,Ava,Example\n");
    CHECK_FALSE(watched.next());
    watched.write(
        "cin.xml",
        "<Message><Header><CollectionDetails><Collection>CIN</Collection></CollectionDetails></"
        "Header><Children>"
        "<Child><ChildIdentifiers><LAchildID>C1</LAchildID><PersonBirthDate>2019-03-04</PersonBirthDate>"
        "</ChildIdentifiers><CINdetails><ChildProtectionPlans><CPPstartDate>2025-06-19</CPPstartDate>"
        "</ChildProtectionPlans></CINdetails></Child></Children></Message>");
    REQUIRE(watched.next()->became == Became::sent);
    CHECK(watched.lies("archive/cin.details.csv"));
    CHECK_FALSE(watched.lies("cin.details.csv"));
}

TEST_CASE("what cannot be read is set aside with its reason and changes nothing", "[social_care]") {
    Watched watched;
    watched.write("flags.xml", "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>");
    REQUIRE(watched.next()->became == Became::unreadable);
    CHECK(watched.lies("rejects/flags.xml"));
    std::ifstream why{watched.in() / "rejects/flags.xml.rejects.csv"};
    const std::string text{std::istreambuf_iterator<char>{why}, {}};
    CHECK(text.find("CPF01: file: has a document type declaration") != std::string::npos);
    CHECK(watched.book.recent(1).empty());
    CHECK_FALSE(watched.box.counts().waiting);
}

TEST_CASE("a list in hand when the program ended is taken over at the next start, once", "[social_care]") {
    Watched watched;
    watched.folder.reset();
    std::ofstream{watched.in() / "working/flags.csv"} << rows(0, 3);
    watched.folder.emplace(watched.in(), watched.settings, watched.book);
    REQUIRE(watched.next()->became == Became::sent);
    // Killed before it was archived.
    std::filesystem::rename(watched.in() / "archive/flags.csv", watched.in() / "working/flags.csv");
    watched.answer(3);
    REQUIRE(watched.next()->became == Became::known);
    CHECK(watched.book.recent(10).size() == 1);
}
