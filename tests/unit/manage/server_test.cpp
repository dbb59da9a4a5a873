#include "broker/manage/server.h"

#include <httplib.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "broker/manage/metrics.h"
#include "broker/manage/page.h"
#include "broker/standing/report.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::manage;
using namespace std::chrono_literals;

namespace {

const Instant now = from_us(1'770'000'000'000'000);

/// One in which everything there is to tell is there.
standing::Standing full() {
    standing::Standing standing{now, now - 1h, "operator/duty"};
    standing.counts.published = 7;
    standing.peers = {
        {"school/122802", "Oak \"Primary\""}
    };
    standing.peers[0].seen = standing.peers[0].certificate_ends = now;
    standing.feeds = {
        {"E10000024", now}
    };
    standing.rolls.push_back({"education/E10000024", true, now});
    standing.flows = {
        {"incidents/31", 9}
    };
    standing.volumes.resize(1);
    standing.volumes[0].topic = "incidents/31";
    standing.volumes[0].window = std::chrono::hours{6};
    standing.volumes[0].observed = 120;
    standing.volumes[0].expected = 246.5;
    standing.log = {3, 2, now, now, {}};
    standing.disk = standing::Disk{100, 50, 1};
    standing.clock = standing::KernelClock{true, 1500us};
    standing.certificate_ends = standing.revocation_list_ends = now;
    standing.gate = standing::GateCounts{};
    standing.gate->refused = {
        {"revoked", 4}
    };
    return standing;
}

std::shared_ptr<const Sheet> sheet(std::chrono::steady_clock::time_point hung_up) {
    const auto standing = full();
    const auto alarms = standing::alarms_of(standing, {});
    return std::make_shared<const Sheet>(
        Sheet{standing, alarms, standing::report(standing, alarms), hung_up});
}

std::string figures() { return "hour,kind\n"; }

std::string text_of(const char* file) {
    std::ifstream stream{std::string{TEST_SOURCE_DIR} + "/" + file};
    std::stringstream text;
    text << stream.rdbuf();
    REQUIRE(stream);
    return text.str();
}

std::set<std::string> names_in(const std::string& text) {
    static const std::regex name{"flagpost_[a-z_]+"};
    std::set<std::string> names;
    for (std::sregex_iterator at{text.begin(), text.end(), name}, end; at != end; ++at)
        names.insert(at->str());
    return names;
}

/// The names of all metrics of which this text has a series.
std::set<std::string> metrics_in(const std::string& text) {
    std::set<std::string> names;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);)
        if (!line.empty() && line[0] != '#') names.insert(line.substr(0, line.find_first_of("{ ")));
    return names;
}

}  // namespace

TEST_CASE("Prometheus is told each value with its unit and its labels", "[manage]") {
    const auto standing = full();
    const auto text = metrics(standing, standing::alarms_of(standing, {}));
    for (const char* line :
         {"# TYPE flagpost_published_total counter\nflagpost_published_total 7\n",
          "flagpost_disk_free_bytes 50\n", "flagpost_clock_error_max_seconds 0.0015\n",
          "flagpost_gate_refused_total{cause=\"revoked\"} 4\n",
          "flagpost_peer_sessions{agency=\"school/122802\"} 0\n",
          "flagpost_roll_loaded_time_seconds{agency=\"education/E10000024\",list=\"not_in_school\"} "
          "1770000000\n",
          "flagpost_flow_total{topic=\"incidents/31\"} 9\n",
          "flagpost_volume_expected{topic=\"incidents/31\"} 246.5\n",
          "flagpost_certificate_end_time_seconds 1770000000\n",
          "flagpost_alarm{code=\"reserve_missing\",about=\"\",urgency=\"now\",owner=\"operator/duty\"} 1\n"})
        CHECK_THAT(text, Catch::Contains(line));
}

TEST_CASE("the dashboard and the guide know every metric, and none that is not there", "[manage]") {
    const auto told = metrics_in(metrics(full(), standing::alarms_of(full(), {})));
    CHECK(names_in(text_of("docs/operate/dashboard.json")) == told);
    CHECK(names_in(text_of("docs/guides/operate.md")) == told);
    CHECK(nlohmann::json::parse(text_of("docs/operate/dashboard.json"))["panels"].size() > 5);
}

TEST_CASE("the management address answers what it is asked and nothing else", "[manage]") {
    Board board;
    Server server{"127.0.0.1", 0, board, figures};
    httplib::Client client{"127.0.0.1", server.port()};
    CHECK(client.Get("/healthz")->status == 503);  // nothing is on the board yet
    CHECK(client.Get("/status.json")->status == 503);
    CHECK(client.Get("/status")->status == 503);

    board.hang_up(sheet(std::chrono::steady_clock::now()));
    CHECK(client.Get("/healthz")->body == "ok\n");
    const auto status = client.Get("/status.json");
    CHECK(status->get_header_value("Content-Type") == "application/json");
    CHECK(nlohmann::json::parse(status->body)["log"]["size"] == 3);
    CHECK(metrics_in(client.Get("/metrics")->body).contains("flagpost_log_leaves"));
    CHECK(client.Head("/metrics")->status == 200);
    const auto page = client.Get("/status");
    CHECK(page->get_header_value("Content-Type") == "text/html; charset=utf-8");
    CHECK_THAT(page->get_header_value("Content-Security-Policy"), Catch::Contains("default-src 'none'"));
    CHECK_THAT(page->body, Catch::Contains("href=\"/status.css\""));
    CHECK(client.Get("/status.css")->status == 200);

    CHECK(client.Get("/")->status == 404);
    CHECK(client.Post("/status.json", "x", "text/plain")->status == 405);
    CHECK(client.Delete("/status.json")->status == 405);
}

TEST_CASE("the page begins with the answer, names who is to act, and escapes what parties are called",
          "[manage]") {
    auto standing = full();
    standing.peers.push_back({"school/900001", "<script>alert(1)</script>"});
    standing.peers[1].sessions = 1;
    standing.peers[1].witness = true;
    standing.obligations = {5, 2, 1, now - 2h};
    const auto alarms = standing::alarms_of(standing, {});
    REQUIRE_FALSE(alarms.empty());
    const auto page = status_page(standing, alarms, true);
    const auto answer = std::to_string(alarms.size()) + " things need somebody";
    CHECK_THAT(page, Catch::Contains("<title>" + answer + " - Flagpost broker</title>"));
    CHECK_THAT(page, Catch::Contains("<h1>" + answer + "</h1>"));
    for (const auto& alarm : alarms) {
        const auto quoted = std::regex_replace(alarm.what, std::regex{"\""}, "&quot;");
        CHECK_THAT(page, Catch::Contains(std::regex_replace(quoted, std::regex{"'"}, "&apos;")));
        CHECK_THAT(page, Catch::Contains(alarm.owner));
    }
    for (const char* part :
         {"<strong class=\"tag tag-now\">Now</strong> 1 notice is overdue", "&lt;script&gt;alert(1)",
          "Oak &quot;Primary&quot;", "tag-well\">Connected</strong>", "tag-away\">Away</strong>",
          "<th scope=\"row\">Due within the hour</th><td><span class=\"label\" aria-hidden=\"true\">How "
          "many</span>2</td>",
          "Kept right, at most 1 ms wrong", "E10000024"}) {
        CAPTURE(part);
        CHECK_THAT(page, Catch::Contains(part));
    }
    CHECK(page.find("<script") == std::string::npos);
    CHECK(page.find("style=") == std::string::npos);
    CHECK(page.find("{{") == std::string::npos);
    CHECK_THAT(status_page(standing, {}, true), Catch::Contains("<h1>Everything is working</h1>"));
    CHECK_THAT(status_page(standing, {}, false), Catch::Contains("<h1>The broker says nothing any more"));
}

TEST_CASE("a broker thread that says nothing any more is told apart from one that is well", "[manage]") {
    Board board;
    const Server server{"127.0.0.1", 0, board, figures};
    httplib::Client client{"127.0.0.1", server.port()};
    board.hang_up(sheet(std::chrono::steady_clock::now() - sheet_age_max));
    CHECK(client.Get("/healthz")->status == 503);
    CHECK(client.Get("/status.json")->status == 200);  // with its time in it
}

TEST_CASE("a page on the web cannot read it through its reader's browser", "[manage]") {
    Board board;
    board.hang_up(sheet(std::chrono::steady_clock::now()));
    const Server server{"127.0.0.1", 0, board, figures};
    httplib::Client client{"127.0.0.1", server.port()};
    const auto [host, status] = GENERATE(table<const char*, int>({
        {"127.0.0.1:9110",             200},
        {"localhost:8000",             200}, // through a tunnel
        {"[::1]:9110",                 200},
        {"attacker.example:9110",      421},
        {"127.attacker.example",       421},
        {"localhost.attacker.example", 421},
        {"",                           421},
    }));
    CAPTURE(host);
    CHECK(client
              .Get("/status.json",
                   {
                       {"Host", host}
    })
              ->status == status);
}

TEST_CASE("it listens on this machine's own addresses only", "[manage]") {
    const Board board;
    CHECK_THROWS_WITH((Server{"0.0.0.0", 0, board, figures}),
                      "management: 0.0.0.0 is not this machine alone");
    CHECK_THROWS_WITH((Server{"192.0.2.1", 0, board, figures}), Catch::Contains("not this machine alone"));
    const Server first{"127.0.0.1", 0, board, figures};
    CHECK_THROWS_WITH((Server{"127.0.0.1", first.port(), board, figures}), Catch::Contains("cannot listen"));
}

TEST_CASE("more connections at once than threads are answered one after the other", "[manage]") {
    Board board;
    board.hang_up(sheet(std::chrono::steady_clock::now()));
    const Server server{"127.0.0.1", 0, board, figures};
    std::vector<std::thread> readers;
    std::atomic<int> well = 0;
    for (std::size_t i = 0; i < threads * 5; ++i)
        readers.emplace_back([&] {
            httplib::Client client{"127.0.0.1", server.port()};
            client.set_read_timeout(60s);
            const auto got = client.Get("/metrics");
            if (got && got->status == 200) ++well;
        });
    for (auto& reader : readers) reader.join();
    CHECK(well == threads * 5);
}

TEST_CASE("figures that cannot be read are said to be so, and the rest is still served", "[manage]") {
    Board board;
    board.hang_up(sheet(std::chrono::steady_clock::now()));
    const Server sound{"127.0.0.1", 0, board, figures};
    auto answer = httplib::Client{"127.0.0.1", sound.port()}.Get("/statistics.csv");
    REQUIRE(answer);
    CHECK(answer->status == 200);
    CHECK(answer->get_header_value("Content-Type") == "text/csv; charset=utf-8");
    CHECK(answer->body == "hour,kind\n");

    const Server damaged{"127.0.0.1", 0, board,
                         []() -> std::string { throw std::runtime_error{"no such table"}; }};
    httplib::Client client{"127.0.0.1", damaged.port()};
    answer = client.Get("/statistics.csv");
    REQUIRE(answer);
    CHECK(answer->status == 503);
    CHECK(answer->body.find("table") == std::string::npos);
    CHECK(client.Get("/metrics")->status == 200);
}
