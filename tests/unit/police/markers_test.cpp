#include "adapters/police/markers.h"

#include <date/date.h>

#include <set>

#include "adapters/client/load.h"
#include "broker/crypto/keys.h"
#include "tests/support/catch.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::police;

namespace {

constexpr auto county = "E10000024", city = "E06000018";

std::unique_ptr<schemas::DatedPlaceValue> place(std::uint64_t uprn, const std::string& line,
                                                const std::string& from = {}, const std::string& to = {}) {
    auto dated = std::make_unique<schemas::DatedPlaceValue>();
    dated->place = std::make_unique<schemas::PlaceValue>();
    dated->place->uprn = uprn;
    dated->place->line_1 = line;
    dated->place->postcode = "XN1 1AA";
    dated->from = from;
    dated->to = to;
    return dated;
}

/// A marker of one address that stands from 2024 on.
std::unique_ptr<schemas::MarkerValue> marker(std::uint8_t number, const std::string& line,
                                             const std::string& end = {}) {
    auto value = std::make_unique<schemas::MarkerValue>();
    value->marker.assign(16, number);
    value->places.push_back(place(number, line));
    value->start_date = "2024-01-10";
    value->end_date = end;
    value->contact = "Duty \"desk\", 01632 960100";
    return value;
}
std::unique_ptr<schemas::MarkerValue> removed(std::uint8_t number) {
    auto value = std::make_unique<schemas::MarkerValue>();
    value->marker.assign(16, number);
    value->removed = true;
    return value;
}

/// A force's box and its gazetteer's folder; each use opens the box anew, as after a crash.
class World {
public:
    World() { std::filesystem::create_directory(folder()); }

    std::filesystem::path folder() const { return directory_.path() / "gazetteer"; }
    Instant now() { return clock_.now(); }
    void pass(Instant::duration time) { clock_.advance(time); }

    template <class Use> auto with(Use use) {
        client::Box box{directory_.path() / "box.db", clock_, random_};
        return use(box);
    }

    template <class... Change> void arrives(const char* la, Instant as_of, Change... change) {
        schemas::MarkersValue message;
        message.la = la;
        message.as_of_us = to_us(as_of);
        (message.changes.push_back(std::move(change)), ...);
        with([&](client::Box& box) {
            client::Incoming item{};
            item.topic = "markers/31";
            item.number = ++number_;
            item.kind = schemas::Kind::markers;
            item.id = random_.bytes<16>();
            item.payload = wire::pack<schemas::Markers>(message);
            item.received = clock_.now();
            box.receive({item});
        });
    }
    bool take() {
        return with([](client::Box& box) { return Markers{box}.take(); });
    }
    Markers::Written write() {
        return with([&](client::Box& box) { return Markers{box}.write(folder(), clock_.now()); });
    }
    Markers::Written take_and_write() {
        take();
        return write();
    }
    std::vector<MarkerList> lists() {
        return with([&](client::Box& box) { return Markers{box}.lists(clock_.now()); });
    }
    std::vector<client::CsvRow> rows(const std::string& file) {
        const auto csv = client::CsvFile::read(folder() / file);
        REQUIRE(csv);
        CHECK(csv->bad_rows().empty());
        return csv->rows();
    }
    std::set<std::string> marked() {
        std::set<std::string> lines;
        for (const auto& row : rows("markers.csv")) lines.insert(row.cells.at("line_1"));
        return lines;
    }
    /// action and line of each row.
    std::set<std::string> changes(std::uint64_t number) {
        std::set<std::string> all;
        for (const auto& row : rows("changes-0000000" + std::to_string(number) + ".csv"))
            all.insert(row.cells.at("action") + " " + row.cells.at("marker").substr(0, 2) + " " +
                       row.cells.at("line_1"));
        return all;
    }

private:
    test::TemporaryDirectory directory_;
    test::ManualClock clock_{date::sys_days{date::year{2026} / 11 / 17} + std::chrono::hours{10}};
    crypto::SystemRandom random_;
    std::uint64_t number_ = 0;
};

}  // namespace

TEST_CASE("the gazetteer gets all markers and what changed, each with the age of its list", "[markers]") {
    World world;
    world.arrives(county, world.now() - std::chrono::hours{3}, marker(1, "1 Oak Road"),
                  marker(2, "2 Oak Road"));
    world.arrives(city, world.now() - std::chrono::minutes{30}, marker(3, "3 Elm \"Court\", Flat 2"));
    const auto first = world.take_and_write();
    CHECK(
        (first.markers == 3 && first.rows == 3 && first.set == 3 && first.removed == 0 && first.change == 1));
    CHECK(world.marked() == std::set<std::string>{"1 Oak Road", "2 Oak Road", "3 Elm \"Court\", Flat 2"});
    for (const auto& row : world.rows("markers.csv")) {
        const bool of_county = row.cells.at("authority") == county;
        CHECK(row.cells.at("list_age_hours") == (of_county ? "3.0" : "0.5"));
        CHECK(row.cells.at("contact") == "Duty \"desk\", 01632 960100");
        CHECK(row.cells.at("kind") == "child_protection_plan");
    }
    const auto lists = world.rows("lists.csv");
    REQUIRE(lists.size() == 2);
    CHECK((lists[1].cells.at("authority") == county && lists[1].cells.at("markers") == "2"));

    // Nothing changed: no file of changes, but the ages go on.
    world.pass(std::chrono::hours{2});
    CHECK(world.take_and_write().set == 0);
    CHECK_FALSE(std::filesystem::exists(world.folder() / "changes-00000002.csv"));
    CHECK(world.rows("markers.csv")[0].cells.at("list_age_hours") == "5.0");

    world.arrives(county, world.now(), removed(1), marker(2, "20 New Street"));
    const auto second = world.take_and_write();
    CHECK((second.set == 1 && second.removed == 1 && second.change == 2));
    CHECK(world.marked() == std::set<std::string>{"20 New Street", "3 Elm \"Court\", Flat 2"});
    CHECK(world.changes(2) == std::set<std::string>{"remove 01 ", "set 02 20 New Street"});
}

TEST_CASE("where a child lived is not marked any more, nor what has ended or not begun", "[markers]") {
    World world;
    const auto day = [&](int days) {
        return date::format("%F", date::floor<date::days>(world.now() + date::days{days}));
    };
    auto moves = marker(1, "now");
    moves->places[0]->from = day(-300);
    moves->places[0]->to = day(2);
    moves->places.push_back(place(11, "before", day(-900), day(-300)));
    moves->places.push_back(place(12, "later", day(2)));
    auto begins = marker(3, "begins");
    begins->start_date = day(1);
    world.arrives(county, world.now(), std::move(moves), marker(2, "ends", day(1)), std::move(begins));
    world.take_and_write();
    CHECK(world.marked() == std::set<std::string>{"now", "ends"});

    // No message comes: the days do.
    world.pass(std::chrono::hours{24});
    const auto next = world.take_and_write();
    CHECK((next.set == 1 && next.removed == 1));
    CHECK(world.marked() == std::set<std::string>{"now", "begins"});
    world.pass(std::chrono::hours{24});
    world.take_and_write();
    CHECK(world.marked() == std::set<std::string>{"later", "begins"});
    CHECK(world.changes(3) == std::set<std::string>{"set 01 later"});
}

TEST_CASE("an address that was taken off is nowhere in the box any more", "[markers]") {
    World world;
    const auto in_box = [&] {
        return world.with([](client::Box& box) {
            std::string all;
            for (const auto& [name, value] : box.facts_under("m")) all += name + value;
            for (const auto& item : box.inbox(true)) all += std::string{text(item.payload)};
            return all.find("1 Oak Road") != std::string::npos;
        });
    };
    world.arrives(county, world.now(), marker(1, "1 Oak Road"));
    world.take_and_write();
    CHECK(in_box());
    world.pass(std::chrono::hours{1});
    world.arrives(county, world.now(), removed(1));
    world.take_and_write();
    CHECK_FALSE(in_box());
    CHECK(world.marked().empty());
}

TEST_CASE("a message that comes behind a newer one puts nothing back", "[markers]") {
    World world;
    const auto earlier = world.now();
    world.pass(std::chrono::hours{1});
    world.arrives(county, world.now(), removed(1));
    world.arrives(county, earlier, marker(1, "1 Oak Road"));
    world.take_and_write();
    CHECK(world.marked().empty());
    CHECK(world.lists().at(0).as_of == world.now());
}

TEST_CASE("changes are told again, not lost, if writing was interrupted", "[markers]") {
    World world;
    world.arrives(county, world.now(), marker(1, "1 Oak Road"));
    world.take_and_write();
    world.arrives(county, world.now(), marker(2, "2 Oak Road"));
    world.take();
    // markers.csv cannot be replaced: what was written before that is only the file of changes.
    std::filesystem::remove(world.folder() / "markers.csv");
    std::filesystem::create_directory(world.folder() / "markers.csv");
    CHECK_THROWS(world.write());
    std::filesystem::remove(world.folder() / "changes-00000002.csv");  // the importer was quick
    std::filesystem::remove(world.folder() / "markers.csv");
    world.arrives(county, world.now(), removed(1));
    world.take();
    const auto written = world.write();
    CHECK(written.change == 2);
    CHECK(world.changes(2) == std::set<std::string>{"remove 01 ", "set 02 2 Oak Road"});
    CHECK(world.marked() == std::set<std::string>{"2 Oak Road"});
}

TEST_CASE("the keeper writes what comes, keeps ages true, and tries again when the folder was away",
          "[markers]") {
    World world;
    world.with([&](client::Box& box) {
        MarkerKeeper keeper{box, world.folder()};
        keeper.turn(0, world.now());
        CHECK(world.marked().empty());
        world.arrives(county, world.now(), marker(1, "1 Oak Road"));
        keeper.turn(1, world.now());
        CHECK(world.marked().size() == 1);
        const auto age = [&] { return world.rows("markers.csv").at(0).cells.at("list_age_hours"); };
        world.pass(std::chrono::minutes{59});
        keeper.turn(1, world.now());
        CHECK(age() == "0.0");
        world.pass(std::chrono::minutes{1});
        keeper.turn(1, world.now());
        CHECK(age() == "1.0");

        const auto away = world.folder().string() + ".away";
        std::filesystem::rename(world.folder(), away);
        world.arrives(county, world.now(), removed(1));
        keeper.turn(2, world.now());
        std::filesystem::rename(away, world.folder());
        keeper.turn(2, world.now());
        CHECK(world.marked().size() == 1);  // it waits a minute
        world.pass(std::chrono::minutes{1});
        keeper.turn(2, world.now());
        CHECK(world.marked().empty());
    });
}
