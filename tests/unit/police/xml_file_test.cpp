#include "adapters/police/xml_file.h"

#include "adapters/police/incident_file.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::police;

namespace {

const Instant today = *desk::parse_instant("2026-11-28T12:00:00Z");

Place place(const char* path) { return {path, std::make_shared<const pugi::xpath_query>(path)}; }

std::string refusal(std::string text, const char* record = "/a/r") {
    const auto file = XmlFile::parse(std::move(text), place(record), 10);
    return file ? "" : file.error().where;
}

std::filesystem::path example(const std::string& name) {
    return std::filesystem::path{TEST_SOURCE_DIR} / "adapters" / "police" / "mappings" / name;
}

}  // namespace

TEST_CASE("a document in the shape of an incident transfer is read by XPath", "[police]") {
    const auto mapping = Mapping::load(example("mait-shaped.toml"));
    const auto file = IncidentFile::read(example("mait-shaped.sample.xml"), "31", &mapping, today);
    REQUIRE(file);
    REQUIRE(file->incidents().size() == 1);
    const auto table = wire::read_table<schemas::Incident>(file->incidents()[0].payload, "payload");
    schemas::IncidentValue incident;
    (*table)->UnPackTo(&incident);
    CHECK(incident.reference == "NP-20261117-00750");
    CHECK(incident.version == 2);
    CHECK(incident.status == schemas::IncidentStatus::closed);
    CHECK(incident.category == "Domestic incident");
    CHECK(incident.domestic_abuse);
    CHECK(incident.occurred_us == 1'794'916'800'000'000);
    CHECK(incident.place->uprn == 999'000'007'523u);
    CHECK(incident.place->line_1 == "197 Quarry Crescent");
    CHECK(incident.circumstances == "Called by a neighbour. Tom & Jerry\u2019s house.");
    CHECK(incident.unidentified_children == 1);
    REQUIRE(incident.people.size() == 2);
    CHECK(incident.people[1]->role == schemas::Role::child);
    CHECK(incident.people[1]->person->date_of_birth == "2019-00-00");
    CHECK(incident.people[1]->person->also_known_as.at(0)->given == "Evie");
    CHECK(incident.people[1]->relationships.at(0)->to == 0);
    CHECK(incident.people[1]->home->line_1 == "197 Quarry Crescent");
    CHECK(incident.people[1]->present);
    REQUIRE(file->rejected() == 1);
    const auto& reject = file->rejects().back();
    CHECK(reject.line == 16);
    CHECK(reject.reason.find("occurred: is no time of the form") != std::string::npos);
}

TEST_CASE("the rejected incidents of a document make a document", "[police]") {
    const test::TemporaryDirectory directory;
    const auto mapping = Mapping::load(example("mait-shaped.toml"));
    auto file = IncidentFile::read(example("mait-shaped.sample.xml"), "31", &mapping, today);
    REQUIRE(file);
    file->write_rejects(directory.path(), "day.xml");
    const auto again = IncidentFile::read(directory.path() / "day.again.xml", "31", &mapping, today);
    REQUIRE(again);
    CHECK(again->incidents().empty());
    CHECK(again->rejected() == 1);
    CHECK(again->rejects()[0].row.find("NP-20261117-00751") != std::string::npos);
}

TEST_CASE("a document is refused by what is wrong with it", "[police]") {
    std::string deep;
    for (int i = 0; i <= xml_depth_max; ++i) deep += "<a>";
    for (int i = 0; i <= xml_depth_max; ++i) deep += "</a>";
    std::string many = "<a>";
    for (int i = 0; i < 11; ++i) many += "<r/>";
    many += "</a>";
    CHECK(refusal("<a><r></a>").starts_with("file: line 1: "));
    CHECK(refusal("<a>\n<r>\n").starts_with("file: line "));
    CHECK(refusal("").starts_with("file: "));
    CHECK(refusal("<!DOCTYPE a [<!ENTITY x \"xx\">]><a><r>&x;</r></a>") ==
          "file: has a document type declaration");
    CHECK(refusal("<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a><r/></a>") ==
          "file: has a document type declaration");
    CHECK(refusal(deep) == "file: depth");
    CHECK(refusal(many) == "file: records");
    CHECK(refusal("<a/>") == "file: nothing at /a/r");
    CHECK(refusal("<a><r><r/></r></a>", "//r") == "file: records within records");
    CHECK(refusal(std::string(xml_size_max + 1, ' ')) == "file");
    CHECK(refusal("<a><r>\xff</r></a>").starts_with("file: not in the encoding"));
    CHECK(refusal("<?xml version='1.0' encoding='UTF-16'?><a><r/></a>")
              .starts_with("file: not in the encoding"));
    CHECK(refusal(std::string{"<a><r>\0</r></a>", 15}) == "file: not text");
}

TEST_CASE("entities of a document's own are never expanded", "[police]") {
    const auto file = XmlFile::parse("<a><r>&amp;&other;&#65;</r></a>", place("/a/r"), 10);
    REQUIRE(file);
    CHECK(XmlRecord{file->records()[0]}.values(place(".")) == std::vector<std::string>{"&&other;A"});
}

TEST_CASE("values are those of elements, attributes and XPath's own answers", "[police]") {
    const auto file = XmlFile::parse(
        "<?xml version='1.0' encoding='windows-1252'?>\n<a>\n<r k=' one '><b>Zo\xeb<c> and</c> "
        "more</b><b/><b><![CDATA[<x>]]></b></r></a>",
        place("/a/r"), 10);
    REQUIRE(file);
    CHECK(file->line(0) == 3);
    const XmlRecord record{file->records()[0]};
    CHECK(record.values(place("b")) == std::vector<std::string>{"Zo\u00eb and more", "<x>"});
    CHECK(record.values(place("@k")) == std::vector<std::string>{"one"});
    CHECK(record.values(place("count(b)")) == std::vector<std::string>{"3"});
    CHECK(record.values(place("@k = 'x'")) == std::vector<std::string>{"false"});
    CHECK(record.values(place("nothing")).empty());
    CHECK(record.each(place("b")).size() == 3);
}
