#include "adapters/school/pages.h"

#include "adapters/desk/fields.h"
#include "adapters/school/contacts.h"
#include "adapters/school/staff_kind.h"
#include "adapters/web/words.h"
#include "school_templates.h"
#include "tests/support/catch.h"
#include "tests/support/office.h"
#include "tests/support/templates.h"
#include "web_templates.h"

using namespace flagpost;
using namespace flagpost::school;
using namespace std::chrono_literals;
namespace words = flagpost::web::words;
using test::has;
using test::person;

namespace {

const Instant now = *desk::parse_instant("2026-01-11T08:12:00Z");

schemas::SchoolNoticeValue notice(std::uint8_t number, const std::string& reference,
                                  std::uint32_t urn = 900001) {
    schemas::SchoolNoticeValue value;
    value.notice.assign(16, number);
    value.reference = reference;
    value.urn = urn;
    value.school_name = urn == 900001 ? "Oak Primary" : "Elm Academy";
    value.child_given_names = "Ava";
    value.child_family_name = "Example";
    value.child_date_of_birth = "2019-03-04";
    value.force = "31";
    value.incident_reference = "NP-" + std::to_string(number);
    value.incident_version = 1;
    value.occurred_us = to_us(now - 11h);
    value.child_present = true;
    value.voice_of_child = "I heard shouting.";
    value.handling = {std::string{words::school_warning} + " " + words::school_warning_rest,
                      words::school_inset};
    value.read_by_us = to_us(now + 24h);
    value.police_contact = "Norham PPU, 01632 960101";
    value.addressed_to = "Jo Wren";
    return value;
}

struct Office : test::Office {
    explicit Office(const std::string& agency_name = "school/900001")
        : test::Office{*AgencyId::parse(agency_name),
                       now,
                       {person("jo", "Jo Wren", "dsl", {"900001"}),
                        person("kit", "Kit Bell", "deputy", {"900001"}),
                        person("elm", "Eli Moss", "dsl", {"900002"}),
                        person("lea", "Lea Dale", "lead", {"900001", "900002"}),
                        person("ned", "Ned Firth", "lead", {"900002"}), person("all", "Al Lowe", "lead", {}),
                        person("adi", "Adi Rao", "admin", {"900001"})},
                       roles()},
          pages{*site, reader, handover, journal, *people, agency},
          staff{*site, journal, *people, random, handover, agency, staff_kind(pages, agency)} {
        begin();
    }
    void receive(const schemas::SchoolNoticeValue& value) {
        test::Office::receive<schemas::SchoolNotice>("notices/school/" + std::to_string(value.urn),
                                                     schemas::Kind::school_notice, value);
    }
    /// The notice number 1, by the recall FP-TAKE.
    void take_back(const std::string& reference) {
        schemas::RecallValue recall;
        recall.notice.assign(16, 2);
        recall.reference = "FP-TAKE";
        recall.recalls.assign(16, 1);
        recall.recalled_reference = reference;
        recall.reason = schemas::RecallReason::corrected;
        recall.force = "31";
        recall.incident_reference = "NP-1";
        recall.recalled_at_us = to_us(now);
        recall.act_by_us = to_us(now + 6h);
        test::Office::receive<schemas::Recall>("notices/school/900001", schemas::Kind::recall, recall);
    }
    Pages pages;
    web::PeoplePages staff;
};

web::Fields chosen(const char* field, const char* code) {
    return {
        {field, code}
    };
}

std::size_t place(const std::string& page, const std::string& words) {
    CAPTURE(words);
    CHECK(has(page, words));
    return page.find(words);
}

}  // namespace

TEST_CASE("every template of the school's pages escapes what it is given and bears empty values",
          "[school]") {
    web::Templates templates;
    templates.add_all(web::frame_templates);
    templates.add_all(page_templates);
    test::check_templates(templates);
}

TEST_CASE("a school's people see its notices, a trust's only those of the schools given to them",
          "[school]") {
    const auto to = [](const char* addressed_to) {
        auto value = notice(1, "FP-1");
        value.addressed_to = addressed_to;
        Notice made{};
        made.value = std::make_shared<const schemas::SchoolNoticeValue>(std::move(value));
        return made;
    };
    const Notice one = to("Somebody Else"), named = to("Lea Dale");
    Notice passed = one;
    passed.holder = "ned";
    const auto trust = *AgencyId::parse("trust/forest"), own = *AgencyId::parse("school/900001"),
               team = *AgencyId::parse("education/E10000024");
    struct Row {
        const char* why;
        const AgencyId& agency;
        web::Person who;
        const Notice& what;
        bool sees, stops;
    };
    const std::vector<Row> rows{
        {"the school's DSL",           own,   person("jo",  "Jo Wren",   "dsl",    {}),         one,    true,  true },
        {"its deputy",                 own,   person("kit", "Kit Bell",  "deputy", {}),         one,    true,  true },
        {"DSL in a trust",             trust, person("jo",  "Jo Wren",   "dsl",    {"900001"}), one,    true,  true },
        {"DSL of another school",      trust, person("eli", "Eli Moss",  "dsl",    {"900002"}), one,    false, false},
        {"DSL of no school",           trust, person("eli", "Eli Moss",  "dsl",    {}),         one,    false, false},
        {"lead of the school",         trust, person("lea", "Lea Dale",  "lead",   {"900001"}), one,    true,  false},
        {"lead the notice names",      trust, person("lea", "Lea Dale",  "lead",   {"900001"}), named,  true,  true },
        {"named, but not theirs",      trust, person("lea", "Lea Dale",  "lead",   {"900002"}), named,  false, false},
        {"lead of another school",     trust, person("ned", "Ned Firth", "lead",   {"900002"}), one,    false, false},
        {"lead it was passed to",      trust, person("ned", "Ned Firth", "lead",   {"900002"}), passed, true,  true },
        {"lead of nothing",            trust, person("al",  "Al Lowe",   "lead",   {}),         one,    false, false},
        {"education team",             team,  person("al",  "Al Lowe",   "lead",   {}),         one,    true,  true },
        {"education team, one school", team,  person("al",  "Al Lowe",   "lead",   {"900002"}), one,    false, false},
        {"admin",                      own,   person("adi", "Adi Rao",   "admin",  {"900001"}), one,    false, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.why);
        CHECK(may_see(row.who, row.agency, row.what) == row.sees);
        CHECK(is_intended(row.who, row.agency, row.what) == row.stops);
    }
}

TEST_CASE("the inbox of a school: overdue, changed, to do; what was read in time is late no more",
          "[school]") {
    Office office;
    auto late = notice(1, "FP-LATE"), corrected = notice(2, "FP-CORRECTED"), read = notice(3, "FP-READ"),
         soon = notice(4, "FP-SOON");
    late.read_by_us = to_us(now - 42min);
    corrected.incident_version = 2;
    read.read_by_us = to_us(now + 1h);
    for (const auto* each : {&soon, &read, &corrected, &late}) office.receive(*each);
    office.get("kit", "/notices/FP-READ");
    office.clock.advance(2h);
    const auto page = office.get("jo", "/inbox");
    std::vector<std::size_t> places;
    for (const auto* each : {"Overdue (1)", "FP-LATE", "Changed after you were told (1)", "FP-CORRECTED",
                             "To do (2)", "FP-SOON", "FP-READ"})
        places.push_back(place(page, each));
    CHECK(std::ranges::is_sorted(places));
    CHECK(has(page, "4 notices need something from you or a colleague. 1 is overdue."));
    CHECK(has(page, "Overdue by 2 hours"));
    CHECK(has(page, "<title>Inbox - Flagpost</title>"));
    CHECK(has(page, ">For<"));
    CHECK_FALSE(has(page, ">School<"));
    CHECK_FALSE(has(page, "<form method=\"get\""));
}

TEST_CASE("a trust's lead has a column and a filter of schools, and sees no other", "[school]") {
    Office office{"trust/forest"};
    office.receive(notice(1, "FP-OAK"));
    office.receive(notice(2, "FP-ELM", 900002));
    office.receive(notice(3, "FP-ASH", 900003));
    const auto all = office.get("lea", "/inbox"), elm = office.get("lea", "/inbox?show=900002");
    CHECK(has(all, ">School<"));
    CHECK(has(all, "Oak Primary</td>"));
    CHECK(has(all, "value=\"900002\""));
    CHECK_FALSE(has(all, "FP-ASH"));
    CHECK_FALSE(has(all, "900003"));
    CHECK(has(elm, "FP-ELM"));
    CHECK_FALSE(has(elm, "FP-OAK"));
    CHECK(has(office.get("elm", "/inbox"), "FP-ELM"));
    CHECK_FALSE(has(office.get("elm", "/inbox"), "FP-OAK"));
    for (const auto* path : {"/notices/FP-OAK", "/notices/FP-OAK/print", "/notices/FP-OAK/pass",
                             "/notices/FP-OAK/not-on-roll"}) {
        CAPTURE(path);
        CHECK(office.send("elm", "GET", path).status == 404);
        CHECK(office.send("adi", "GET", path).status == 404);
    }
    CHECK_FALSE(office.item("FP-OAK")->opened);
    CHECK(has(office.get("elm", "/notices/FP-OAK"), "There is no such page, or it is not yours to see."));
    CHECK(office.get("elm", "/notices/FP-NONE").size() == office.get("elm", "/notices/FP-OAK").size());
    CHECK(office.journal.consultations_of("FP-OAK").empty());
}

TEST_CASE("a lead's look stops no clock and closes nothing, but may pass the notice to the school",
          "[school]") {
    Office office{"trust/forest"};
    office.receive(notice(1, "FP-1"));
    const auto page = office.get("lea", "/notices/FP-1");
    CHECK(has(page,
              "You are not one of this school&apos;s contacts, so opening it has not stopped the clock."));
    CHECK_FALSE(has(page, "Record and close"));
    CHECK_FALSE(office.item("FP-1")->opened);
    CHECK(office.post("lea", "/notices/FP-1/record", chosen("outcome", "quiet_support")).status == 404);
    CHECK(office.post("lea", "/notices/FP-1/take", {}).status == 404);
    CHECK_FALSE(office.item("FP-1")->recorded);
    CHECK(has(office.get("lea", "/notices/FP-1/pass"), "Kit Bell, deputy"));
    CHECK_FALSE(has(office.get("lea", "/notices/FP-1/pass"), "Eli Moss"));
    CHECK(office.post("lea", "/notices/FP-1/pass", chosen("choice", "elm")).status == 422);
    CHECK(office.post("lea", "/notices/FP-1/pass", chosen("choice", "kit")).header("Location") ==
          "/inbox?done=passed");
    CHECK(has(office.get("kit", "/inbox"), "Taken by Kit Bell"));
    REQUIRE(office.journal.consultations_of("FP-1").size() == 1);
    CHECK(office.journal.consultations_of("FP-1")[0].person == "lea");
}

TEST_CASE("the notice holds the warning first, its own fields in order, and nothing else", "[school]") {
    Office office;
    auto full = notice(1, "FP-1");
    full.upn = "B801200005001";
    full.circumstances = "Police were called.";
    office.receive(full);
    for (const auto* path : {"/notices/FP-1", "/notices/FP-1/print"}) {
        CAPTURE(path);
        const auto page = office.get("jo", path);
        std::vector<std::size_t> places;
        for (const auto& each : std::vector<std::string>{
                 words::school_warning, words::school_warning_rest,
                 "Keep this in the child&apos;s protection file", ">Child<", ">Born<", ">Pupil number<",
                 ">School<", ">Police reference<", ">When<", ">Was the child there<", ">What the child said<",
                 ">What happened<", ">Ask police<", words::nobody_else})
            places.push_back(place(page, each));
        CHECK(std::ranges::is_sorted(places));
        CHECK(has(page, "<title>Police notice FP-1 - Flagpost</title>"));
        CHECK(has(page, "Ava Example, 6</h1>"));
        CHECK(has(page, "Norham PPU, 01632 960101, quote NP-1"));
        CHECK_FALSE(has(page, ">Handling<"));  // said already, once
        const bool paper = std::string_view{path} == "/notices/FP-1/print";
        CHECK(has(page, "Record and close") != paper);
        CHECK(has(page, "Saturday 10 January 2026, 9:12pm") == paper);
        CHECK(has(page, "oday, 8:12am") != paper);
    }
}

TEST_CASE("of the minimum, child, reference and time, no empty line is made", "[school]") {
    Office office;
    auto least = notice(1, "FP-1");
    least.child_date_of_birth = least.voice_of_child = least.upn = least.police_contact = "";
    least.child_present = false;
    office.receive(least);
    const auto page = office.get("jo", "/notices/FP-1");
    CHECK(has(page, "Ava Example</h1>"));
    for (const auto* absent :
         {"Was the child there", "What the child said", "What happened<", "Born", "Pupil number"}) {
        CAPTURE(absent);
        CHECK_FALSE(has(page, absent));
    }
    CHECK(has(page, "force 31, quote NP-1"));
    auto some = notice(2, "FP-2");
    some.voice_of_child = "";
    office.receive(some);
    CHECK(has(office.get("jo", "/notices/FP-2"), words::did_not_say));
    CHECK_FALSE(has(office.get("jo", "/notices/FP-2"), "What happened<"));  // the agreement may leave it out
}

TEST_CASE("opening is recorded once and removes nothing; recording closes once", "[school]") {
    Office office;
    office.receive(notice(1, "FP-1"));
    CHECK(has(office.get("jo", "/notices/FP-1"), words::opened("at 8:12am")));
    office.get("kit", "/notices/FP-1");
    CHECK(office.item("FP-1")->opened_by == "Jo Wren");
    CHECK(office.reader.read([](const client::Box& box) { return box.counts().waiting; }) == 1);
    CHECK(has(office.get("jo", "/inbox"), "FP-1"));
    const auto wrong = office.post("jo", "/notices/FP-1/record", {});
    CHECK(wrong.status == 422);
    CHECK(has(wrong.body, "Choose what the school will do"));
    for (int click = 0; click < 2; ++click)
        CHECK(office.post("jo", "/notices/FP-1/record", chosen("outcome", "quiet_support"))
                  .header("Location") == "/notices/FP-1?done=recorded");
    const auto second = office.post("kit", "/notices/FP-1/record", chosen("outcome", "contact_police"));
    CHECK(second.status == 409);
    CHECK(has(second.body, "Jo Wren recorded this at 8:12am. Your choice was not recorded."));
    CHECK(office.item("FP-1")->outcome == "quiet_support");
    CHECK(office.reader.read([](const client::Box& box) { return box.counts().waiting; }) == 2);
    CHECK_FALSE(has(office.get("jo", "/inbox"), "FP-1"));
    CHECK(has(office.get("kit", "/done"), "Quiet support, no approach to the child"));
    const auto page = office.get("jo", "/notices/FP-1");
    CHECK(has(page, words::not_yet_received("at 8:12am")));
    CHECK_FALSE(has(page, "Record and close"));
    CHECK(office.post("jo", "/notices/FP-1/pass", chosen("choice", "kit")).status == 404);
}

TEST_CASE("a pupil of nobody here: a reason first, then it is recorded and sent back at once", "[school]") {
    Office office;
    office.receive(notice(1, "FP-1"));
    CHECK(office.post("jo", "/notices/FP-1/record", chosen("outcome", "not_on_roll")).header("Location") ==
          "/notices/FP-1/not-on-roll");
    CHECK_FALSE(office.item("FP-1")->recorded);
    CHECK(has(office.get("jo", "/notices/FP-1/not-on-roll"),
              "tell police: Norham PPU, 01632 960101, quote NP-1"));
    CHECK(office.post("jo", "/notices/FP-1/not-on-roll", chosen("choice", "because")).status == 422);
    CHECK_FALSE(office.item("FP-1")->recorded);
    const auto sent = office.post("jo", "/notices/FP-1/not-on-roll", chosen("choice", "left"));
    CHECK(sent.header("Location") == "/notices/FP-1?done=given_back");
    const auto page = office.get("jo", "/notices/FP-1?done=given_back");
    CHECK(has(page, "Flagpost now tells the school that has the child"));
    CHECK(has(page, "Said by you not to be on roll: The pupil has left this school"));
    CHECK_FALSE(has(office.get("jo", "/inbox"), "FP-1"));
    CHECK(office.item("FP-1")->outcome == "not_on_roll");
}

TEST_CASE("a stored notice is hidden from whoever is put on the conflict list of its case", "[school]") {
    Office office;
    office.receive(notice(1, "FP-1", 900001));
    schemas::ReportValue report;
    report.notice.assign(16, 1);
    report.reference = "FP-1";
    report.what = schemas::ReportOf::kept_from;
    report.about = "NP-1";
    report.recipient = "school";
    report.person = "Kit Bell";
    CHECK(has(office.get("kit", "/inbox"), "FP-1"));
    office.test::Office::receive<schemas::Report>("reports/school/900001", schemas::Kind::report, report);
    CHECK(office.send("kit", "GET", "/notices/FP-1").status == 404);
    CHECK(office.post("kit", "/notices/FP-1/record", chosen("outcome", "quiet_support")).status == 404);
    CHECK_FALSE(has(office.get("kit", "/inbox"), "FP-1"));
    CHECK_FALSE(has(office.get("kit", "/done"), "FP-1"));
    CHECK(office.send("jo", "GET", "/notices/FP-1").status == 200);
    CHECK_FALSE(has(office.get("jo", "/notices/FP-1/pass"), "Kit Bell"));
    CHECK(office.item("FP-1")->opened_by == "Jo Wren");
}

TEST_CASE("a recall is opened and recorded like a notice, by whoever could see what it takes back",
          "[school]") {
    Office office{"trust/forest"};
    office.receive(notice(1, "FP-GONE"));
    schemas::ReportValue report;
    report.notice.assign(16, 1);
    report.reference = "FP-GONE";
    report.what = schemas::ReportOf::kept_from;
    report.recipient = "school";
    report.person = "Kit Bell";
    office.test::Office::receive<schemas::Report>("reports/school/900001", schemas::Kind::report, report);
    office.take_back("FP-GONE");

    CHECK(has(office.get("jo", "/inbox"), "FP-TAKE"));
    CHECK(office.send("jo", "GET", "/notices/FP-GONE").header("Location") == "/notices/FP-TAKE");
    CHECK(office.send("jo", "GET", "/notices/FP-GONE/print").header("Location") == "/notices/FP-TAKE");
    for (const auto* who : {"kit", "elm", "adi"}) {  // on the conflict list; of another school; no reader
        CAPTURE(who);
        CHECK_FALSE(has(office.get(who, "/inbox"), "FP-TAKE"));
        CHECK(office.send(who, "GET", "/notices/FP-TAKE").status == 404);
        CHECK(office.send(who, "GET", "/notices/FP-GONE").status == 404);
        CHECK(office.post(who, "/notices/FP-TAKE/record", chosen("outcome", "removed")).status == 404);
    }
    // A lead sees that it is there, and stops nothing.
    CHECK_FALSE(has(office.get("lea", "/notices/FP-TAKE"), "Record and close"));
    CHECK(office.post("lea", "/notices/FP-TAKE/record", chosen("outcome", "removed")).status == 404);
    CHECK_FALSE(office.item("FP-TAKE")->opened);

    const auto page = office.get("jo", "/notices/FP-TAKE");
    CHECK(has(page, "Notice FP-GONE is recalled"));
    CHECK(has(page, "Record and close"));
    CHECK_FALSE(has(page, "Ava"));
    CHECK(office.item("FP-TAKE")->opened_by == "Jo Wren");
    CHECK(office.post("jo", "/notices/FP-TAKE/record", chosen("outcome", "quiet_support")).status == 422);
    CHECK(office.post("jo", "/notices/FP-TAKE/record", chosen("outcome", "removed")).status == 303);
    CHECK(office.item("FP-TAKE")->recorded_by == "Jo Wren");
    CHECK_FALSE(has(office.get("jo", "/inbox"), "FP-TAKE"));
    CHECK(has(office.get("jo", "/done"), "FP-TAKE"));
    CHECK_FALSE(has(office.get("kit", "/done"), "FP-TAKE"));
}

TEST_CASE("what was recorded is changed by another record, and the first stays in the story", "[school]") {
    Office office;
    office.receive(notice(1, "FP-1"));
    CHECK(office.send("jo", "GET", "/notices/FP-1/change").status == 404);
    office.post("jo", "/notices/FP-1/record", chosen("outcome", "quiet_support"));
    CHECK(has(office.get("jo", "/notices/FP-1"), "Change this"));
    const auto form = office.get("kit", "/notices/FP-1/change");
    CHECK(has(form, "Recorded now: Quiet support, no approach to the child, by Jo Wren."));
    CHECK_FALSE(has(form, "value=\"quiet_support\""));
    CHECK(office.post("kit", "/notices/FP-1/change", chosen("choice", "")).status == 422);
    CHECK(office.post("kit", "/notices/FP-1/change", chosen("choice", "contact_police")).status == 303);
    CHECK(office.post("kit", "/notices/FP-1/change", chosen("choice", "contact_police")).status == 303);
    CHECK(office.item("FP-1")->outcome == "contact_police");
    CHECK(office.item("FP-1")->recorded_by == "Kit Bell");
    CHECK(office.reader.read([](const client::Box& box) { return box.counts().waiting; }) ==
          2);  // each once, though the second was posted twice
    CHECK(has(office.get("jo", "/notices/FP-1"),
              "Changed by Kit Bell. Before: Quiet support, no approach to the child"));
}

TEST_CASE("a notice sent again says so, and a corrected one what it was", "[school]") {
    Office office;
    office.receive(notice(1, "FP-1"));
    office.clock.advance(1h);
    office.receive(notice(1, "FP-1"));
    CHECK(has(office.get("jo", "/notices/FP-1"), "Sent again: nobody had answered"));
    CHECK(has(office.get("jo", "/inbox"), "Inbox (1)"));
    auto newer = notice(1, "FP-2");
    newer.notice.assign(16, 9);
    newer.incident_version = 2;
    newer.voice_of_child = "I was asleep.";
    office.receive(newer);
    const auto page = office.get("jo", "/notices/FP-2");
    CHECK(has(page, "This notice was corrected at 9:12am."));
    CHECK(has(page, "I heard shouting.</td>"));
    CHECK(has(page, "I was asleep.</td>"));
    auto of_another = notice(1, "FP-3");
    of_another.notice.assign(16, 10);
    of_another.incident_version = 3;
    of_another.child_given_names = "Ben";
    office.receive(of_another);
    CHECK_FALSE(has(office.get("jo", "/notices/FP-3"), "I heard shouting.</td>"));
}

TEST_CASE("nothing in a school's notice is trusted", "[school]") {
    Office office;
    auto odd = notice(1, "FP-1");
    odd.child_given_names = "<script>alert(1)</script> D'Arcy Siân " + std::string(200, 'w');
    odd.voice_of_child = "<img src=x onerror=alert(1)>";
    odd.school_name = "\"><script>";
    odd.handling.push_back("<script>");
    office.receive(odd);
    for (const auto* path : {"/inbox", "/notices/FP-1", "/notices/FP-1/print", "/notices/FP-1/pass",
                             "/notices/FP-1/not-on-roll"}) {
        CAPTURE(path);
        CHECK_FALSE(has(office.get("jo", path), "<script"));
        CHECK_FALSE(has(office.get("jo", path), "<img"));
    }
    CHECK(has(office.get("jo", "/notices/FP-1"), ">Handling<"));
}

TEST_CASE("contacts: one button a person says that they are still right, and the whole list is sent again",
          "[school]") {
    Office office;
    {
        client::Box box{office.file, office.clock, office.random};
        keep_contacts(box, 900001,
                      {
                          {"Jo Wren",  "DSL",    "01632 960301", "",                "2025-11-01"},
                          {"Kit Bell", "Deputy", "",             "kit@oak.example", "2026-01-02"}
        });
    }
    const auto before = office.get("jo", "/contacts");
    CHECK(has(before, "Your contacts were last checked more than 60 days ago."));
    CHECK(has(office.get("jo", "/inbox"), "Your contacts were last checked more than 60 days ago."));
    CHECK(has(before, "1 November 2025"));
    CHECK(office.send("adi", "GET", "/contacts").status == 404);
    CHECK(office.post("jo", "/contacts/900002/confirm", chosen("name", "Jo Wren")).status == 404);
    CHECK(office.post("jo", "/contacts/900001/confirm", chosen("name", "Nobody")).status == 404);
    CHECK(office.reader.read([](const client::Box& box) { return box.counts().waiting; }) == 0);

    CHECK(office.post("jo", "/contacts/900001/confirm", chosen("name", "Jo Wren")).header("Location") ==
          "/contacts?done=checked");
    const auto after = office.get("jo", "/contacts");
    CHECK(has(after, "11 January 2026"));
    CHECK(has(after, "Not yet received by Flagpost."));
    CHECK_FALSE(has(office.get("jo", "/inbox"), "last checked"));
    const auto waiting = office.reader.read([](const client::Box& box) { return box.waiting(10); });
    CHECK(waiting.size() == 3);  // begin, one part, commit
    REQUIRE(office.journal.story_of("contacts/900001").size() == 1);
    CHECK(office.journal.story_of("contacts/900001")[0].detail == "Jo Wren");

    // While the first is on its way another would take its number.
    CHECK(office.post("kit", "/contacts/900001/confirm", chosen("name", "Kit Bell")).status == 503);
    CHECK(has(office.get("kit", "/contacts"), "2 January 2026"));
    CHECK(office.reader.read([](const client::Box& box) { return box.waiting(10); }).size() == 3);
}

TEST_CASE("out of term the inbox says until when the school is closed", "[school]") {
    Office office;
    schemas::TermPeriodValue term;
    term.first_day = "2026-02-23";
    term.last_day = "2026-03-27";
    {
        client::Box box{office.file, office.clock, office.random};
        std::vector<schemas::TermPeriodValue> terms;
        terms.push_back(std::move(term));
        keep_terms(box, 900001, terms);
    }
    CHECK(has(office.get("jo", "/inbox"), "Your school is closed until Monday 23 February 2026."));
    office.clock.advance(24h * 45);
    CHECK_FALSE(has(office.get("jo", "/inbox"), "closed until"));
}

TEST_CASE("a lead who is a contact of the school acts for it, at that school alone", "[school]") {
    Office office{"trust/forest"};
    {
        client::Box box{office.file, office.clock, office.random};
        keep_contacts(box, 900001,
                      {
                          {"Lea Dale", "Lead", "1", "", "2026-01-02"}
        });
    }
    office.receive(notice(1, "FP-OAK"));
    office.receive(notice(2, "FP-ELM", 900002));
    office.get("lea", "/notices/FP-ELM");
    CHECK_FALSE(office.item("FP-ELM")->opened);
    office.get("lea", "/notices/FP-OAK");
    CHECK(office.item("FP-OAK")->opened_by == "Lea Dale");
    CHECK(office.post("lea", "/notices/FP-OAK/record", chosen("outcome", "quiet_support")).status == 303);
    CHECK_FALSE(has(office.get("elm", "/notices/FP-ELM/pass"), "Lea Dale"));

    office.take_back("FP-OAK");
    CHECK(has(office.get("lea", "/notices/FP-TAKE"), "Record and close"));
    CHECK(office.item("FP-TAKE")->opened_by == "Lea Dale");
    CHECK(office.post("lea", "/notices/FP-TAKE/record", chosen("outcome", "removed")).status == 303);
}

TEST_CASE("a trust's people see the contacts of their own schools only", "[school]") {
    Office office{"trust/forest"};
    {
        client::Box box{office.file, office.clock, office.random};
        keep_contacts(box, 900001,
                      {
                          {"Jo Wren", "DSL", "1", "", "2026-01-02"}
        });
    }
    CHECK(has(office.get("lea", "/contacts"), "Jo Wren"));
    CHECK(has(office.get("jo", "/contacts"), "At least two people must be named"));
    CHECK_FALSE(has(office.get("elm", "/contacts"), "Jo Wren"));
    CHECK(office.post("elm", "/contacts/900001/confirm", chosen("name", "Jo Wren")).status == 404);
}

TEST_CASE("a school's admin says who may sign in, sees no notice, and the log is told", "[school]") {
    Office office;
    office.receive(notice(1, "FP-1"));
    CHECK(has(office.get("adi", "/users"), "Jo Wren"));
    CHECK(has(office.get("adi", "/users"), ">People"));
    CHECK_FALSE(has(office.get("adi", "/users"), "Covered by"));
    for (const char* path : {"/inbox", "/done", "/contacts", "/notices/FP-1"})
        CHECK(office.send("adi", "GET", path).status == 404);
    for (const char* who : {"jo", "kit"})
        for (const char* path : {"/users", "/users/add", "/users/adi"})
            CHECK(office.send(who, "GET", path).status == 404);
    const auto form = office.get("adi", "/users/add");
    CHECK(has(form, "Name as the list of contacts has it"));
    CHECK_FALSE(has(form, "name=\"teams\""));  // a school's own people are that school's
    CHECK_FALSE(has(form, "lead"));
    const auto add = [&](const char* name, const char* role) {
        return office
            .post("adi", "/users/add",
                  {
                      {"name",   name       },
                      {"called", "Mia Finch"},
                      {"role",   role       }
        })
            .status;
    };
    CHECK(add("mia", "worker") == 422);
    CHECK(add("mia", "deputy") == 200);
    CHECK(office.send("mia", "GET", "/notices/FP-1").status == 200);

    CHECK(has(office.get("adi", "/users/jo"), "Jo Wren has 1 open notice. Who takes it?"));
    CHECK(has(office.get("adi", "/users/jo"), "Kit Bell, deputy"));
    CHECK_FALSE(has(office.get("adi", "/users/jo"), "FP-1"));
    const auto suspend = [&](const char* taker) {
        return office
            .post("adi", "/users/jo/suspend",
                  {
                      {"taker", taker}
        })
            .status;
    };
    CHECK(suspend("") == 422);
    CHECK(suspend("adi") == 422);
    CHECK(suspend("kit") == 303);
    CHECK(office.send("jo", "GET", "/inbox").status == 401);
    CHECK(has(office.get("kit", "/inbox"), "Taken by Kit Bell"));
    CHECK(office.post("adi", "/users/adi/suspend", {}).status == 409);
    CHECK(test::told_of_staff(office.reader, "receipts/school/900001") ==
          std::vector<std::string>{"added Mia Finch by Adi Rao: deputy", "suspended Jo Wren by Adi Rao"});
}

TEST_CASE("a trust's admin names the schools whose notices somebody sees", "[school]") {
    Office office{"trust/forest"};
    const auto fault = [&](const char* role, const char* schools) {
        const auto page =
            office
                .post("adi", "/users/add",
                      {
                          {"name",   "mia"      },
                          {"called", "Mia Finch"},
                          {"role",   role       },
                          {"teams",  schools    }
        })
                .body;
        const auto at = page.find("href=\"#name\">");
        return at == std::string::npos ? std::string{} : page.substr(at + 13, page.find('<', at) - at - 13);
    };
    CHECK(has(office.get("adi", "/users/add"), "Their URNs, with commas between"));
    CHECK(fault("dsl", "") == "Say whose notices they see: the URNs of their schools");
    CHECK(fault("dsl", "900001, Oak") == "Oak is no URN");
    CHECK(fault("dsl", "900001, 900002").empty());
    CHECK(office.people->find("mia")->teams == std::set<std::string>{"900001", "900002"});
    CHECK(has(office.get("adi", "/users"), "900001, 900002"));
}
