#include "adapters/social_care/flag_file.h"

#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::social_care;

namespace {

schemas::FlagValue flag_of(const Bytes& bytes) {
    const auto table = wire::read_table<schemas::Flag>(bytes, "flag");
    REQUIRE(table);
    schemas::FlagValue flag;
    (*table)->UnPackTo(&flag);
    return flag;
}

Result<FlagFile> read(const std::string& text, const ChildDetails* details = nullptr,
                      const std::string& dfe_la = "891") {
    return read_flag_file(text, {"E10000024", dfe_la, "2026-11-27", {}, details});
}

std::string all_reasons(const FlagFile& file) {
    std::string all;
    for (const auto& reject : file.prepared.rejects)
        all += std::to_string(reject.line) + (reject.used ? " used " : " ") + reject.reason + "\n";
    return all;
}

std::string api_child(const std::string& id, const std::string& episodes, const std::string& more = "") {
    return R"({"la_child_id": ")" + id +
           R"(", "child_details": {"unique_pupil_number": "B801200005001", "first_name": "Ava", "surname": "Example",
  "date_of_birth": "2019-03-04", "sex": "F", "postcode": "S801AB"}, "social_care_episodes": [)" +
           episodes + "]" + more + "}";
}
const std::string plan = R"({"care_worker_details": [
    {"worker_id": "W1", "start_date": "2025-01-01", "end_date": "2025-06-01"},
    {"worker_id": "W2", "start_date": "2025-06-01"}],
  "child_protection_plans": [
    {"child_protection_plan_id": "P1", "start_date": "2024-01-01", "end_date": "2024-08-01", "purge": false},
    {"child_protection_plan_id": "P2", "start_date": "2025-06-19", "end_date": null}]})";

std::string census(const std::string& children) {
    return R"(<?xml version="1.0" encoding="utf-8"?>
<Message><Header><CollectionDetails><Collection>CIN</Collection></CollectionDetails><Source><LEA>891</LEA></Source></Header>
<Children>)" +
           children + "</Children></Message>";
}
std::string census_child(
    const std::string& id, const std::string& plans,
    const std::string& identifiers = "<PersonBirthDate>2019-03-04</PersonBirthDate><Sex>F</Sex>") {
    return "\n<Child><ChildIdentifiers><LAchildID>" + id + "</LAchildID>" + identifiers +
           "</ChildIdentifiers><CINdetails>" + plans + "</CINdetails></Child>";
}
std::string census_plan(const std::string& start, const std::string& end = "") {
    return "<ChildProtectionPlans><CPPstartDate>" + start + "</CPPstartDate>" +
           (end.empty() ? "" : "<CPPendDate>" + end + "</CPPendDate>") +
           "<InitialCategoryOfAbuse>PHY</InitialCategoryOfAbuse><LatestCategoryOfAbuse>NEG</"
           "LatestCategoryOfAbuse>"
           "</ChildProtectionPlans>";
}
const std::string names =
    "LAchildID,GivenNames,FamilyName,UPRN,Line1,Town,Postcode,AddressFrom,AddressTo,AllocatedWorker\n";

}  // namespace

TEST_CASE("a child of the CSC API becomes a flag with the plan that stands and the worker of now",
          "[social_care]") {
    const std::string child = api_child("C1", plan);
    std::vector<std::string> shapes;
    shapes.push_back("[" + child + "]");
    shapes.push_back("{\"la_code\": 891, \"Children\": [" + child + "]}");
    shapes.push_back("{\"la_code\": \"891\", \"Children\": " + child + "}");
    shapes.push_back(child + "\n");
    shapes.push_back("\xEF\xBB\xBF [" + api_child("C1", plan, ", \"la_code\": 891") + "] ");
    const auto text = GENERATE_COPY(from_range(shapes));
    CAPTURE(text);
    const auto file = read(text);
    REQUIRE(file);
    CHECK(all_reasons(*file).empty());
    CHECK(file->format == FlagFormat::csc_api);
    REQUIRE(file->prepared.records.size() == 1);
    const auto flag = flag_of(file->prepared.records[0]);
    CHECK(flag.la == "E10000024");
    CHECK(flag.la_child_id == "C1");
    CHECK(flag.kind == schemas::FlagKind::child_protection_plan);
    CHECK(flag.child->family_name == "Example");
    CHECK(flag.child->upn == "B801200005001");
    CHECK(flag.start_date == "2025-06-19");
    CHECK(flag.end_date.empty());
    CHECK(flag.worker->name == "W2");
    REQUIRE(flag.places.size() == 1);
    CHECK(flag.places[0]->place->postcode == "S801AB");
}

TEST_CASE("a list that is cut off anywhere is refused, also behind a backslash", "[social_care]") {
    const std::string child = R"({"la_child_id": "C\"1", "child_details": {"surname": "O\\"}})";
    const std::string whole = "[" + child + "]";
    for (std::size_t size = 1; size < whole.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(read(whole.substr(0, size)));
    }
}

TEST_CASE("what the CSC API purges is taken back, and who has no plan is no flag", "[social_care]") {
    const std::string purged_plan =
        R"({"child_protection_plans": [{"start_date": "2025-06-19", "purge": true}]})";
    const std::string placed = R"({"child_looked_after_placements": [{"start_date": "2026-02-01"}]})";
    const std::string ended =
        R"({"child_protection_plans": [{"start_date": "2025-06-19", "end_date": "2026-05-01"}]})";
    const auto file = read("[" + api_child("C1", purged_plan) + ",\n" +
                           api_child("C2", plan, R"(, "purge": true)") + ",\n" + api_child("C3", "") + "," +
                           api_child("C4", placed + "," + ended) + "," + api_child("C5", ended) + "]");
    REQUIRE(file);
    CHECK(all_reasons(*file).empty());
    CHECK(file->without_flag == 1);
    CHECK(file->prepared.keys == std::vector<std::string>{"C1", "C2", "C4", "C5"});
    CHECK(flag_of(file->prepared.records[0]).delete_date == "2026-11-27");
    CHECK(flag_of(file->prepared.records[0]).start_date == "2025-06-19");
    CHECK(flag_of(file->prepared.records[1]).delete_date == "2026-11-27");
    CHECK(flag_of(file->prepared.records[2]).kind == schemas::FlagKind::looked_after);
    CHECK(flag_of(file->prepared.records[3]).end_date == "2026-05-01");
    CHECK(flag_of(file->prepared.records[3]).delete_date.empty());
}

TEST_CASE("a census child gets name, address and worker from the details file", "[social_care]") {
    const auto details =
        ChildDetails::parse(names +
                            "C1,Ava,Example,10001,14 Oak Road,Worksop,S80 1AB,2025-01-01,,Sam Patel\n"
                            "C1,,,10002,2 Elm Road,Worksop,S80 2AB,2023-01-01,2025-01-01,\n"
                            "C2,,Baby Sample,,,,,,,\n"
                            "C9,Not,Flagged,,,,,,,\n");
    REQUIRE(details);
    const auto file =
        read(census(census_child("C1", census_plan("2024-01-01", "2024-08-01") + census_plan("2025-06-19")) +
                    census_child("C2", census_plan("2026-06-19"),
                                 "<ExpectedPersonBirthDate>2027-01-04</"
                                 "ExpectedPersonBirthDate><GenderCurrent>0</GenderCurrent>") +
                    census_child("C3", "")),
             &*details);
    REQUIRE(file);
    CHECK(all_reasons(*file).empty());
    CHECK(file->format == FlagFormat::cin_census);
    CHECK(file->without_flag == 1);
    CHECK(file->count() == 3);
    REQUIRE(file->prepared.records.size() == 2);
    const auto ava = flag_of(file->prepared.records[0]), unborn = flag_of(file->prepared.records[1]);
    CHECK(ava.child->given_names == "Ava");
    CHECK(ava.start_date == "2025-06-19");
    CHECK(ava.category == "NEG");
    CHECK(ava.worker->name == "Sam Patel");
    REQUIRE(ava.places.size() == 2);
    CHECK(ava.places[0]->place->uprn == 10001);
    CHECK(ava.places[1]->to == "2025-01-01");
    CHECK(unborn.kind == schemas::FlagKind::unborn_child_protection_plan);
    CHECK(unborn.expected_date_of_birth == "2027-01-04");
    CHECK(unborn.child->sex == "U");
    CHECK(file->prepared.lines == std::vector<std::uint64_t>{4, 5});
}

TEST_CASE("a record that breaks a rule is kept with its line, field and reason, and the others are read",
          "[social_care]") {
    const auto details = ChildDetails::parse(names + "C1,Ava,Example,,,,,,,\nC2,Ben,Example,,,,,,,\n");
    using Row = std::tuple<std::string, const char*>;  // the child, what is said of it
    std::vector<Row> all;
    all.emplace_back(census_child("C1", census_plan("19/06/2025")), "CPPstartDate: should be a date");
    all.emplace_back(census_child("C1", census_plan("2025-01-01") + census_plan("2025-06-19")), "rule 8935");
    all.emplace_back(census_child("C1", census_plan("2025-01-01", "2025-08-01") + census_plan("2025-06-19")),
                     "rule 8940");
    all.emplace_back(census_child("C1", census_plan("2025-01-01", "2025-01-01")),
                     "CPPendDate: not after the start");
    all.emplace_back(census_child("C1", census_plan("2025-01-01"), "<Sex>F</Sex>"),
                     "PersonBirthDate: one of it");
    all.emplace_back(census_child("C1", census_plan("2025-01-01"),
                                  "<PersonBirthDate>2019-03-04</PersonBirthDate>"
                                  "<PersonDeathDate>2024-12-01</PersonDeathDate>"),
                     "rules 8915, 8920");
    all.emplace_back(census_child("C7", census_plan("2025-01-01")), "FamilyName: no name is given");
    const auto [child, reason] = GENERATE_COPY(from_range(all));
    CAPTURE(reason);
    const auto file = read(census(child + census_child("C2", census_plan("2025-06-19"))), &*details);
    REQUIRE(file);
    CHECK(file->prepared.keys == std::vector<std::string>{"C2"});
    REQUIRE(file->prepared.rejects.size() == 1);
    CHECK(file->prepared.rejects[0].line == 4);
    CHECK(file->prepared.rejects[0].reason.find(reason) != std::string::npos);
    CHECK(file->prepared.rejects[0].row.starts_with("<Child>"));
}

TEST_CASE("a faulty child of the CSC API is kept, and says the API's own name of the field",
          "[social_care]") {
    std::string odd = api_child("C2", plan);
    odd.replace(odd.find("2019-03-04"), 10, "04/03/2019");
    const auto file =
        read("[" + api_child("C1", plan) + ",\n" + odd + ",\n" +
             R"({"la_child_id": 7, "child_details": []})" + ",\n{\"la_child_id\": nonsense},\n" +
             api_child("C1", plan) + ",\n" + api_child("C3", plan, R"(, "la_code": 892)") + "]");
    REQUIRE(file);
    CHECK(file->prepared.keys == std::vector<std::string>{"C1"});
    const std::string reasons = all_reasons(*file);
    CAPTURE(reasons);
    CHECK(reasons.find("(from child_details.date_of_birth)") != std::string::npos);
    CHECK(reasons.find("child_details: should be an object") != std::string::npos);
    CHECK(reasons.find("record: no JSON object") != std::string::npos);
    CHECK(reasons.find("row: the same as on line 1") != std::string::npos);
    CHECK(reasons.find("la_code: another authority's") != std::string::npos);
    CHECK(file->count() == 6);
}

TEST_CASE("a file that is not what it should be is refused whole, and says why", "[social_care]") {
    std::string wide = "LAchildID";
    for (int i = 0; i < 1'000'000; ++i) wide += ",c" + std::to_string(i);
    std::string laughs = "<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"ha\">";
    for (char c = 'b'; c < 'k'; ++c)
        laughs += std::string{"<!ENTITY "} + c + " \"&" + char(c - 1) + ";&" + char(c - 1) + ";&" +
                  char(c - 1) + ";\">";
    laughs +=
        "]><Message><Header><CollectionDetails><Collection>CIN</Collection></CollectionDetails></Header>&j;</"
        "Message>";
    std::string other = census(census_child("C1", census_plan("2025-01-01")));
    other.replace(other.find("891"), 3, "892");
    std::string opened, closed;
    for (int i = 0; i < 90'000; ++i) {
        opened += "<a>";
        closed += "</a>";
    }
    const std::string child = api_child("C1", plan);
    using Row = std::tuple<std::string, const char*>;  // the file, what is said of it
    std::vector<Row> all;
    all.emplace_back(wide + "\n", "header: more than 1000 columns");
    all.emplace_back(laughs, "file: has a document type");
    all.emplace_back(opened + closed, "file: depth");
    all.emplace_back(std::string(100'000, '['), "file: it ends early, or is nested");
    all.emplace_back("[{\"a\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}]",
                     "file: it ends early, or is nested");
    all.emplace_back("[" + child, "file: it ends early");
    all.emplace_back("[" + child + child + "]", "file: line 7: no comma");
    all.emplace_back("[" + child + "] []", "file: something behind the list");
    all.emplace_back("[1,2]", "file: line 1: no object");
    all.emplace_back("[]", "file: no child in it");
    all.emplace_back("[{\"la_child_id\": \"\x92\"}]", "file: JSON has to be UTF-8");
    all.emplace_back(std::string("\xFF\xFE[\0{\0", 6), "file: not text");
    all.emplace_back("<?xml version=\"1.0\" encoding=\"utf-16\"?><Message/>", "file: not in the encoding");
    all.emplace_back("<Message><Header/></Message>", "Header/CollectionDetails");
    all.emplace_back(other, "Header/Source/LEA");
    all.emplace_back("{\"la_code\": 892, \"Children\": [" + child + "]}", "la_code: another");
    all.emplace_back("", "header: missing");
    const auto [text, where] = GENERATE_COPY(from_range(all));
    CAPTURE(where);
    const auto file = read(text);
    REQUIRE_FALSE(file);
    CAPTURE(file.error().where);
    CHECK(file.error().where.starts_with(where));
}

TEST_CASE("details that cannot be read are refused whole: nobody would know whose address is missing",
          "[social_care]") {
    const auto [text, where] = GENERATE(table<const char*, const char*>({
        {"LAchildID,Postcode\nC1\n",         "details: line 2: 1 cells"                   },
        {"Child,Postcode\nC1,S80 1AB\n",     "details: header: no column LAchildID"       },
        {"LAchildID,Postkode\nC1,S80 1AB\n", "details: header: a column that is not known"},
        {"LAchildID,Postcode\n,S80 1AB\n",   "details: line 2: no LAchildID"              }
    }));
    const auto details = ChildDetails::parse(text);
    REQUIRE_FALSE(details);
    CHECK(details.error().where.starts_with(where));
}

TEST_CASE("a list in Windows-1252 is read, and said to be", "[social_care]") {
    const auto file = read(
        "LAchildID,GivenNames,FamilyName,PersonBirthDate,FlagKind,CPPstartDate\n"
        "C1,Ava,O\x92Hara,2019-03-04,child_protection_plan,2025-06-19\n");
    REQUIRE(file);
    CHECK(file->windows_1252);
    CHECK(flag_of(file->prepared.records.at(0)).child->family_name == "O\u2019Hara");
}
