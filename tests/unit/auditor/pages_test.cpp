#include "adapters/auditor/pages.h"

#include <regex>

#include "adapters/auditor/proof.h"
#include "auditor_templates.h"
#include "broker/crypto/keys.h"
#include "tests/support/catch.h"
#include "tests/support/manual_clock.h"
#include "tests/support/templates.h"
#include "tests/unit/auditor/sealed_log.h"
#include "web_templates.h"

using namespace flagpost;
using namespace flagpost::auditor;
using namespace std::chrono_literals;
using test::SampleLog;

namespace {

const Instant now = *parse_time("2026-03-03T08:12:00");
const std::string secret = "a secret of the proxy";

/// The desk's pages over an export, with somebody signed in by a proxy.
struct Desk {
    explicit Desk(const std::filesystem::path& of, const crypto::BoxKey* key = nullptr,
                  log::Policy policy = log::Policy::of_log(test::log_vkey()))
        : export_directory{of} {
        web::Person jo;
        jo.name = "jo";
        jo.called = "Jo Wren";
        jo.role = "auditor";
        web::write_person(directory.path() / "people.toml", jo, roles());
        people.emplace(directory.path() / "people.toml", roles());
        web::SiteSettings settings;
        settings.proxy_header = "Remote-User";
        settings.proxy_secret = secret;
        settings.help = "01632 960100";
        site.emplace(settings, *people, clock, random);
        pages.emplace(*site, clock,
                      DeskOf{
                          export_directory, std::move(policy),
                          std::shared_ptr<const crypto::BoxKey>{std::shared_ptr<void>{}, key},
                           "ICO-1",
                          "--vkey log.vkey"
        });
        while (get("/audit").body.find("id=\"progress\"") != std::string::npos)
            std::this_thread::sleep_for(1ms);
        std::filesystem::remove(export_directory.string() + ".readings");
    }

    web::Response send(const std::string& method, const std::string& path, const web::Fields& form = {}) {
        web::Request request;
        request.method = method;
        const auto question = path.find('?');
        request.path = path.substr(0, question);
        if (question != std::string::npos) request.query = *web::parse_fields(path.substr(question + 1));
        request.form = form;
        request.headers.emplace("Remote-User", "jo");
        request.headers.emplace("Flagpost-Proxy-Secret", secret);
        request.headers.emplace("Sec-Fetch-Site", "same-origin");
        if (!cookie.empty()) request.headers.emplace("Cookie", cookie);
        auto response = site->handle(request);
        if (const auto set = response.header("Set-Cookie")) cookie = set->substr(0, set->find(';'));
        return response;
    }
    web::Response get(const std::string& path) { return send("GET", path); }
    /// As a browser does, again and again until the page is whole.
    web::Response whole(const std::string& path) {
        auto response = get(path);
        while (response.header("Refresh")) response = get(path);
        return response;
    }
    std::string readings() const { return test::read_file(export_directory.string() + ".readings"); }

    std::filesystem::path export_directory;
    test::TemporaryDirectory directory;
    test::ManualClock clock{now};
    crypto::SystemRandom random;
    std::optional<web::People> people;
    std::optional<web::Site> site;
    std::optional<Pages> pages;
    std::string cookie;
};

struct PublicExport {
    test::TemporaryDirectory temporary;
    std::filesystem::path directory = temporary.path() / "export";
    explicit PublicExport(SampleLog& log) { take(log); }
    void take(SampleLog& log) {
        std::filesystem::remove_all(directory);
        write_export(log, test::log_vkey(), directory);
    }
};

bool has(const web::Response& page, const std::string& words) {
    return page.body.find(words) != std::string::npos;
}

std::vector<std::uint64_t> entries_on(const web::Response& page) {
    static const std::regex row{"<li><a [^>]*href=\"/audit/entries/([0-9]+)\""};
    std::vector<std::uint64_t> entries;
    for (std::sregex_iterator at{page.body.begin(), page.body.end(), row}, end; at != end; ++at)
        entries.push_back(std::stoul((*at)[1]));
    return entries;
}

std::string next_on(const web::Response& page) {
    static const std::regex link{"govuk-pagination__next\"><a [^>]*href=\"([^\"]*)\""};
    std::smatch found;
    return std::regex_search(page.body, found, link)
               ? std::regex_replace(found[1].str(), std::regex{"&amp;"}, "&")
               : "";
}

std::uint64_t published(const std::vector<log::Record>& records) {
    std::uint64_t index = 0;
    for (const auto& each : records) {
        if (each.leaf.kind == log::LeafKind::published && each.leaf.topic == "incidents/31") return index;
        ++index;
    }
    return index;
}

}  // namespace

/// A day on which schools are told: pupils without a UPN are named by what is known of them.
std::vector<log::Record> records_with_pupils() {
    using namespace exchange::testing;
    World world;
    world.give(exchange::Started{texts(1, 1)});
    Load flags;
    flags.items = {wire::pack<schemas::Flag>(flag_at(child_a, "100", home_a))};
    world.load(flags);
    Load roll;
    roll.agency = "education/E10000024";
    roll.topic = "rolls/E10000024";
    roll.of = schemas::LoadOf::rolls;
    roll.scope = "la:E10000024";
    roll.items = {wire::pack<schemas::Pupil>(pupil(child_a, 900001)),
                  wire::pack<schemas::Pupil>(pupil(child_b, 900002))};
    world.load(roll);
    for (const auto* reference : {"OCC-1", "OCC-4"}) world.send(abuse_with(child_a, reference));
    return world.records;
}

TEST_CASE("every template of the desk escapes what it is given and bears empty values", "[auditor]") {
    web::Templates templates;
    templates.add_all(web::frame_templates);
    templates.add_all(page_templates);
    test::check_templates(templates);
}

TEST_CASE("the overview says what was verified, by whom it is signed, and what nobody has finished",
          "[auditor]") {
    auto records = test::busy_records();
    records.back().leaf.erased = {
        {2, 4},
        {6, 6}
    };
    const test::SealedExport exported{records};
    Desk desk{exported.directory, &exported.key};
    const auto page = desk.get("/audit");
    CHECK(has(page, "4, as the log says"));
    CHECK(page.status == 200);
    for (const std::string& words :
         {std::string{words::verifies}, std::string{words::own_check},
          std::to_string(records.size()) +
              " entries, checked at 8:12am against the head that log.example/audit signed",
          std::string{"Yes: every entry leads to the signed root"},
          std::string{"names no witness: a log rewritten whole by whoever holds its key would not show"},
          std::string{"First check of this log on this machine"},
          std::string{"0 differ, 0 cannot be made again"},
          std::string{"Working from an export whose last entry is of"}, std::string{"It verifies."},
          std::string{"<title>Audit desk - Flagpost</title>"}, std::string{"Was every notice finished?"},
          std::string{"Were schools told in time?"}, std::string{"<svg "}, std::string{"Jo Wren, auditor"}}) {
        CAPTURE(words);
        CHECK(has(page, words));
    }
    CHECK_FALSE(has(page, "Findings ("));
    CHECK_FALSE(page.header("Refresh"));
    CHECK_FALSE(has(page, "The export has changed"));
    const auto open = desk.get("/audit/open");
    const auto known = complete(exported.directory);
    REQUIRE_FALSE(known.open.empty());
    CHECK(has(open, "Not closed by anybody (" + std::to_string(known.open.size()) + ")"));
    CHECK(has(open, "href=\"/audit/entries/" + std::to_string(known.open.front().index) + "\""));
    CHECK(has(open, "SC-1"));
    CHECK(has(open, ">Open (" + std::to_string(known.open.size()) + ")<"));
}

TEST_CASE("what was damaged is named by its entry, first of all", "[auditor]") {
    SampleLog log{600};
    const PublicExport exported{log};
    const auto file = exported.directory / "tile/entries/001";
    auto content = test::read_file(file);
    content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 1);
    test::write_file(file, content);
    const auto expected = verify(exported.directory, log::Policy::of_log(test::log_vkey()));
    REQUIRE(expected.damages.size() == 1);
    const auto bad = std::to_string(*entry_of(expected.damages.front()));
    Desk desk{exported.directory};
    const auto page = desk.get("/audit");
    CHECK(has(page, std::string{"class=\"govuk-error-summary__title\">"} + words::does_not_verify));
    CHECK(has(page, "First bad entry: " + bad +
                        ". Do not rely on anything after it. Keep this export. Tell: 01632 960100."));
    CHECK(has(page, "Findings (1)"));
    CHECK(has(page, "href=\"/audit/entries/" + bad + "\""));
    CHECK(has(page, "is not what was logged"));
    CHECK_FALSE(has(page, words::verifies));
    CHECK(has(page, "It does not verify."));
    CHECK(has(desk.get("/audit/entries/" + bad), "This entry is not proven"));
    CHECK(has(desk.get("/audit/entries/5"), "Proven just now"));
}

TEST_CASE("a log that is not the one verified before is not believed, though it is signed", "[auditor]") {
    SampleLog first{300}, grown{700}, shorter{200}, other{299};
    other.append(
        [] {
            log::Leaf leaf;
            leaf.kind = log::LeafKind::recovered;
            leaf.actor = "spiffe://notts.example/broker/main";
            return leaf;
        }(),
        {});
    PublicExport exported{first};
    CHECK(has(Desk{exported.directory}.get("/audit"), "First check of this log on this machine"));
    CHECK(has(Desk{exported.directory}.get("/audit"), "Yes: the same 300 entries verified here before"));
    exported.take(other);
    const auto rewritten = Desk{exported.directory}.get("/audit");
    CHECK(has(rewritten, words::does_not_verify));
    CHECK(has(rewritten, "This is not the log that was verified here before."));
    CHECK(has(rewritten, "No: the 300 entries verified here before are others now"));
    exported.take(shorter);
    CHECK(has(Desk{exported.directory}.get("/audit"),
              "No: 300 entries verified here before, and now there are fewer"));
    exported.take(grown);
    CHECK(has(Desk{exported.directory}.get("/audit"),
              "Yes: the 300 entries verified here before are all in it"));
}

TEST_CASE("witnesses that are missing are named", "[auditor]") {
    SampleLog log{10};
    const PublicExport exported{log};
    const log::VerifierKey care{"care.example/w1", log::VerifierKey::Type::cosignature,
                                crypto::NoteKey::from_seed({8}).public_key()};
    const auto text = "log " + test::log_vkey().text() + "\nwitness care " + care.text() + "\n";
    Desk lenient{exported.directory, nullptr, log::Policy::parse(text + "quorum none\n").value()};
    CHECK(has(lenient.get("/audit"), "0 of 1 witness; missing: care"));
    Desk strict{exported.directory, nullptr, log::Policy::parse(text + "quorum care\n").value()};
    const auto page = strict.get("/audit");
    CHECK(has(page, words::does_not_verify));
    CHECK(has(page, "No entry can be relied on."));
    CHECK(has(page, "Not met, or not signed"));
}

TEST_CASE("an export that changes under the desk is said to, and is checked again when asked", "[auditor]") {
    SampleLog log{100}, grown{130};
    PublicExport exported{log};
    Desk desk{exported.directory};
    exported.take(grown);
    const auto page = desk.get("/audit");
    CHECK(has(page, "The export has changed since."));
    const auto token = page.body.substr(page.body.find("name=\"csrf\" value=\"") + 19, 128);
    CHECK(desk.send("POST", "/audit/check",
                    {
                        {"csrf", "00"}
    })
              .status == 400);
    CHECK(desk.send("POST", "/audit/check",
                    {
                        {"csrf", token}
    })
              .status == 303);
    while (!has(desk.get("/audit"), "130 entries, checked")) std::this_thread::sleep_for(1ms);
    CHECK_FALSE(has(desk.get("/audit"), "The export has changed since."));
}

TEST_CASE("the timeline shows every entry once, the oldest first, however it is paged", "[auditor]") {
    SampleLog log{120};
    const PublicExport exported{log};
    Desk desk{exported.directory};
    std::vector<std::uint64_t> seen;
    std::string path = "/audit/timeline";
    for (int pages = 0; !path.empty(); ++pages) {
        REQUIRE(pages < 10);
        const auto page = desk.get(path);
        const auto entries = entries_on(page);
        CHECK(entries.size() <= rows_a_page);
        seen.insert(seen.end(), entries.begin(), entries.end());
        path = next_on(page);
    }
    REQUIRE(seen.size() == 120);
    for (std::uint64_t i = 0; i < 120; ++i) CHECK(seen[i] == i);
    const auto filtered =
        desk.get("/audit/timeline?from=2026-03-02T21:40:20&to=2026-03-02T21:40:25&agency=police/31");
    CHECK(entries_on(filtered) == std::vector<std::uint64_t>{8, 9, 10, 11, 12});
    CHECK(has(filtered, "police/31 published an incident on incidents/31"));
    CHECK(has(filtered, "2026-03-02 21:40:20 UTC"));
    CHECK(has(desk.get("/audit/timeline?agency=school/1"), "Nothing in this export fits."));
    CHECK(entries_on(desk.get("/audit/timeline?incident=7")) == std::vector<std::uint64_t>{7});
}

TEST_CASE("what follows from one incident is shown once, however long it goes on", "[auditor]") {
    SampleLog log{3};
    for (std::size_t i = 0; i < thread_rows_max + 40; ++i) {
        log::Leaf leaf;
        leaf.kind = log::LeafKind::reported;
        leaf.actor = "spiffe://notts.example/broker/main";
        leaf.related = 1;
        log.append(leaf, {});
    }
    const PublicExport exported{log};
    Desk desk{exported.directory};
    std::set<std::uint64_t> seen;
    std::size_t rows = 0;
    std::string path = "/audit/timeline?incident=1";
    for (int pages = 0; !path.empty(); ++pages) {
        REQUIRE(pages < 5);
        const auto page = desk.get(path);
        for (const auto entry : entries_on(page)) seen.insert(entry), ++rows;
        path = next_on(page);
    }
    CHECK(rows == thread_rows_max + 41);
    CHECK(seen.size() == rows);
}

TEST_CASE("a filter that makes no sense is sent back with what was typed, and nothing is shown",
          "[auditor]") {
    SampleLog log{20};
    const PublicExport exported{log};
    Desk desk{exported.directory};
    const auto page =
        desk.get("/audit/timeline?from=yesterday&agency=nobody&subject=12&incident=31/OCC-1&to=2026-03-03");
    CHECK(page.status == 422);
    CHECK(has(page, "<title>Error: Timeline - Flagpost</title>"));
    CHECK(has(page, "<a href=\"#from\">Enter a time such as"));
    CHECK(has(page, "<a href=\"#agency\">Enter an agency such as"));
    CHECK(has(page, "<a href=\"#subject\">Enter a reference of 32 digits"));
    CHECK(has(page, "<a href=\"#incident\">Enter the number of an entry"));
    CHECK(has(page, "value=\"yesterday\""));
    CHECK(has(page, "id=\"from-error\""));
    CHECK_FALSE(has(page, "id=\"to-error\""));
    CHECK(entries_on(page).empty());
}

TEST_CASE("an explanation gives rule, purpose, evidence and answers, and says if it comes out the same again",
          "[auditor]") {
    const test::SealedExport exported{test::busy_records()};
    Desk desk{exported.directory, &exported.key};
    const auto page = desk.whole("/audit/explain?incident=31/OCC-1");
    CHECK(page.status == 200);
    for (const auto* part :
         {"31/OCC-1", "flag/E10000024/100", "Match, by",
          "under rule <strong>SC-1</strong>, for safeguarding by CA2004-s10", "recorded it",
          "which closes it", "The weights", "<dd class=\"govuk-summary-list__value\">The same</dd>",
          "Not told", "Agreement then in force", words::with_key}) {
        CAPTURE(part);
        CHECK(has(page, part));
    }
    CHECK(has(desk.whole("/audit/explain?incident=31/OCC-4"), "Decided again, as the register had changed"));
    const auto nothing = desk.whole("/audit/explain?incident=31/OCC-9");
    CHECK(nothing.status == 422);
    CHECK(has(nothing, "No incident of this reference is in this export"));
    const auto thread = desk.whole("/audit/timeline?incident=31/OCC-1");
    CHECK(entries_on(thread).size() >= 5);
    CHECK(has(thread, "had a named person record what was done about"));
}

TEST_CASE("without a key the desk says what it cannot see, and shows what entries alone say", "[auditor]") {
    const auto records = test::busy_records();
    const test::SealedExport exported{records};
    Desk desk{exported.directory};
    CHECK(has(desk.get("/audit"), words::no_key));
    CHECK(has(desk.get("/audit"), "Not done: the bodies that decisions rest on are not open to this desk"));
    CHECK(has(desk.get("/audit"), "The deadline is not known here") == false);
    CHECK(has(desk.get("/audit/open"), "Not known here"));
    const auto refused = desk.whole("/audit/explain?incident=31/OCC-1");
    CHECK(refused.status == 422);
    CHECK(has(refused, "references stand in bodies, which are not open to this desk"));
    const auto page = desk.whole("/audit/explain/" + std::to_string(published(records)));
    CHECK(page.status == 200);
    CHECK(has(page, "under rule <strong>SC-1</strong>"));
    CHECK(has(page, "On what evidence cannot be told: the explanation is not handed over."));
    CHECK_FALSE(has(page, "flag/E10000024/100"));

    SampleLog log{10};
    const PublicExport open{log};
    CHECK(has(Desk{open.directory}.get("/audit/export"), words::public_export));
}

TEST_CASE("no page of the desk shows what was said about a child", "[auditor]") {
    const auto records = records_with_pupils();
    const test::SealedExport exported{records};
    Desk desk{exported.directory, &exported.key};
    std::string all;
    for (const auto* path :
         {"/audit", "/audit/timeline", "/audit/explain?incident=31/OCC-1", "/audit/explain?incident=31/OCC-4",
          "/audit/open", "/audit/export", "/audit/in-time.csv", "/audit/finished.csv"})
        all += desk.whole(path).body;
    CHECK(all.find("A pupil of school/900001") != std::string::npos);
    for (std::uint64_t i = 0; i < records.size(); ++i) {
        all += desk.get("/audit/entries/" + std::to_string(i)).body;
        all += desk.get("/audit/entries/" + std::to_string(i) + "/leaf").body;
    }
    for (const auto* said :
         {"Amelia", "Ravenscroft", "Lindqvist", "neighbour", "It went on", "2015-04-17", "100031234567"}) {
        CAPTURE(said);
        CHECK(all.find(said) == std::string::npos);
    }
}

TEST_CASE("a proof downloaded from the desk proves the entry to anybody, and no other", "[auditor]") {
    SampleLog log{300};
    const PublicExport exported{log};
    Desk desk{exported.directory};
    const auto page = desk.get("/audit/entries/257");
    CHECK(has(page, "exactly these bytes are entry 257 of the signed log"));
    CHECK(has(page, "flagpost-audit check entry-257.tlog-proof entry-257.leaf --vkey log.vkey"));
    const auto proof = desk.get("/audit/entries/257/proof"), leaf = desk.get("/audit/entries/257/leaf");
    CHECK(proof.header("Content-Disposition") == "attachment; filename=\"entry-257.tlog-proof\"");
    const auto parsed = log::TlogProof::parse(proof.body);
    REQUIRE(parsed);
    const auto policy = log::Policy::of_log(test::log_vkey());
    CHECK(log::check_proof(*parsed, view(leaf.body), policy));
    CHECK_FALSE(log::check_proof(*parsed, view(desk.get("/audit/entries/256/leaf").body), policy));
    for (const auto* path :
         {"/audit/entries/300", "/audit/entries/x", "/audit/entries/-1",
          "/audit/entries/99999999999999999999", "/audit/entries/300/proof", "/audit/entries/300/leaf"}) {
        CAPTURE(path);
        CHECK(desk.get(path).status == 404);
    }
}

TEST_CASE("each page read is written down by whom, for what, before it is shown", "[auditor]") {
    const test::SealedExport exported{test::busy_records()};
    Desk desk{exported.directory, &exported.key};
    std::size_t before = 0;
    for (const auto& [path, read] : {
             std::pair{"/audit",                           "overview"          },
             std::pair{"/audit/timeline",                  "timeline"          },
             std::pair{"/audit/open",                      "open"              },
             std::pair{"/audit/explain?incident=31/OCC-1", "explain"           },
             std::pair{"/audit/entries/3",                 "entry"             },
             std::pair{"/audit/entries/3/proof",           "proof"             },
             std::pair{"/audit/entries/3/leaf",            "proof"             },
             std::pair{"/audit/export",                    "export"            },
             std::pair{"/audit/in-time.csv",               "numbers of a chart"}
    }) {
        CAPTURE(path);
        CHECK(desk.whole(path).status == 200);
        const auto written = desk.readings();
        CHECK(written.find("\"user\":\"jo\",\"read\":\"" + std::string{read} + "\",\"why\":\"ICO-1\"",
                           before) != std::string::npos);
        before = written.size();
    }
    CHECK(desk.readings().find("OCC-1") == std::string::npos);
    CHECK(has(desk.get("/audit/export"), "10, of which the broker was told 0"));
}

TEST_CASE("what cannot be written down is not shown", "[auditor]") {
    const test::SealedExport exported{test::busy_records()};
    Desk desk{exported.directory, &exported.key};
    std::filesystem::create_directory(exported.directory.string() + ".readings");
    for (const auto* path :
         {"/audit", "/audit/timeline", "/audit/open", "/audit/explain?incident=31/OCC-1", "/audit/entries/3",
          "/audit/entries/3/proof", "/audit/export", "/audit/finished.csv"}) {
        CAPTURE(path);
        const auto page = desk.whole(path);
        CHECK(page.status == 503);
        CHECK(has(page, words::not_shown));
        CHECK_FALSE(has(page, "SC-1"));
    }
}

TEST_CASE("what agencies wrote into entries stays text", "[auditor]") {
    SampleLog log{3};
    log::Leaf leaf;
    leaf.kind = log::LeafKind::published;
    leaf.actor = "spiffe://notts.example/police/31";
    leaf.topic = "incidents/\"><script>alert(1)</script>";
    leaf.purpose = "<b>";
    log.append(leaf, {});
    const PublicExport exported{log};
    Desk desk{exported.directory};
    for (const auto* path : {"/audit/timeline", "/audit/entries/3", "/audit/timeline?from=<script>",
                             "/audit/explain?incident=<script>"}) {
        CAPTURE(path);
        CHECK_FALSE(has(desk.whole(path), "<script"));
        CHECK_FALSE(has(desk.whole(path), "<b>"));
    }
    CHECK(has(desk.get("/audit/entries/3"), "&lt;script&gt;"));
}

TEST_CASE("the charts' numbers are the table's and the file's", "[auditor]") {
    const test::SealedExport exported{test::busy_records()};
    Desk desk{exported.directory, &exported.key};
    const auto page = desk.get("/audit"), csv = desk.get("/audit/finished.csv");
    CHECK(csv.type == "text/csv; charset=utf-8");
    static const std::regex cell{"\"([0-9]+)\""};
    const auto newest = csv.body.rfind("\r\n", csv.body.size() - 3) + 2;
    std::string row = csv.body.substr(newest);
    std::string shown = page.body.substr(page.body.rfind("Monday "));
    for (std::sregex_iterator at{row.begin(), row.end(), cell}, end; at != end; ++at) {
        CAPTURE(row);
        CHECK(shown.find("</span>" + (*at)[1].str() + "</td>") != std::string::npos);
    }
    CHECK(has(page, " are still open.</desc>"));
}
