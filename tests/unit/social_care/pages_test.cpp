#include "adapters/social_care/pages.h"

#include "adapters/desk/fields.h"
#include "adapters/web/words.h"
#include "social_care_templates.h"
#include "tests/support/catch.h"
#include "tests/support/office.h"
#include "tests/support/templates.h"
#include "web_templates.h"

using namespace flagpost;
using namespace flagpost::social_care;
using namespace std::chrono_literals;
namespace words = flagpost::web::words;
using test::has;
using test::person;

namespace {

const Instant now = *desk::parse_instant("2026-01-11T08:12:00Z");

schemas::SocialCareNoticeValue notice(std::uint8_t number, const std::string& reference) {
    schemas::SocialCareNoticeValue value;
    value.notice.assign(16, number);
    value.reference = reference;
    value.la = "E10000024";
    value.la_child_id = "C" + std::to_string(number);
    value.child = std::make_unique<schemas::PersonValue>();
    value.child->given_names = "Ava";
    value.child->family_name = "Example";
    value.child->date_of_birth = "2019-03-04";
    value.flag_start = "2025-06-19";
    value.outcome = schemas::Outcome::match;
    value.reasons = {"Address agrees", "First name differs"};
    value.force = "31";
    value.incident_reference = "NP-" + std::to_string(number);
    value.incident_version = 1;
    value.occurred_us = to_us(now - 11h);
    value.category = "Domestic abuse";
    value.circumstances = "Police were called.";
    value.not_a_referral = "x";
    value.worker = std::make_unique<schemas::WorkerValue>();
    value.worker->name = "Sam Patel";
    value.team = "North";
    value.act_by_us = to_us(now + 8h);
    return value;
}

/// The department's pages.
struct Office : test::Office {
    Office()
        : test::Office{*AgencyId::parse("social-care/E10000024"),
                       now,
                       {person("sam", "Sam Patel", "worker", {"North"}),
                        person("lee", "Lee Jones", "worker", {"South"}),
                        person("ann", "Ann Hall", "worker", {"North"}), person("kim", "Kim Osei", "duty", {}),
                        person("max", "Max Reid", "manager", {"North"}), person("fay", "Fay Dunn", "feeder", {})},
                       roles()},
          pages{*site, reader, handover, journal, *people, PageSettings{}} {
        begin();
    }
    void receive(const schemas::SocialCareNoticeValue& value) {
        test::Office::receive<schemas::SocialCareNotice>("notices/social-care/E10000024",
                                                         schemas::Kind::social_care_notice, value);
    }
    Pages pages;
};

}  // namespace

TEST_CASE("every template of the pages escapes what it is given and bears empty values", "[social_care]") {
    web::Templates templates;
    templates.add_all(web::frame_templates);
    templates.add_all(page_templates);
    test::check_templates(templates);
}

TEST_CASE("who may see a notice, and whose opening stops its clock", "[social_care]") {
    const auto said = std::make_shared<const schemas::SocialCareNoticeValue>(notice(1, "FP-1"));
    const Notice one{{}, said, ""}, passed_to_lee{{}, said, "lee"};
    struct Row {
        const char* why;
        web::Person who;
        bool sees, stops;
    };
    const std::vector<Row> rows{
        {"allocated worker",          person("sam", "Sam Patel", "worker",  {}),        true,  true },
        {"of the team",               person("ann", "Ann Hall",  "worker",  {"North"}), true,  true },
        {"of another team",           person("lee", "Lee Jones", "worker",  {"South"}), false, false},
        {"duty has every notice",     person("kim", "Kim Osei",  "duty",    {}),        true,  true },
        {"manager of the team",       person("max", "Max Reid",  "manager", {"North"}), true,  false},
        {"manager of all teams",      person("max", "Max Reid",  "manager", {}),        true,  false},
        {"manager of another team",   person("max", "Max Reid",  "manager", {"South"}), false, false},
        {"manager who is the worker", person("sam", "Sam Patel", "manager", {"South"}), false, true },
        {"feeder",                    person("sam", "Sam Patel", "feeder",  {"North"}), false, false},
        {"admin",                     person("ann", "Ann Hall",  "admin",   {"North"}), false, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.why);
        if (std::string_view{row.why} == "manager who is the worker") {
            CHECK(may_see(row.who, one));
            CHECK(is_intended(row.who, one));
            continue;
        }
        CHECK(may_see(row.who, one) == row.sees);
        CHECK((row.sees && is_intended(row.who, one)) == row.stops);
    }
    const auto lee = person("lee", "Lee Jones", "worker", {"South"});
    CHECK(may_see(lee, passed_to_lee));
    CHECK(is_intended(lee, passed_to_lee));
}

TEST_CASE("an inbox read before shows what has come, been passed on or been closed since", "[social_care]") {
    Office office;
    office.receive(notice(1, "FP-1"));
    CHECK(has(office.get("sam", "/inbox"), "Inbox (1)"));
    office.receive(notice(2, "FP-2"));
    CHECK(has(office.get("sam", "/inbox"), "Inbox (2)"));
    office.journal.note({"FP-2", "passed", "max", "Max Reid", "lee", now});
    CHECK(has(office.get("sam", "/inbox"), "Taken by Lee Jones"));
    CHECK(has(office.get("lee", "/inbox"), "FP-2"));
    const auto item = office.item("FP-1");
    client::Box{office.file, office.clock, office.random}.acknowledge(
        *item, schemas::Level::recorded, "Sam Patel", "contacted", office.agency);
    CHECK_FALSE(has(office.get("sam", "/inbox"), "FP-1"));
}

TEST_CASE(
    "a stored notice is hidden from whoever is put on the conflict list of its case, until they are taken "
    "off",
    "[social_care]") {
    Office office;
    office.receive(notice(1, "FP-1"));
    const auto told = [&](schemas::ReportOf what, const char* person) {
        schemas::ReportValue report;
        report.notice = notice(1, "FP-1").notice;
        report.reference = "FP-1";
        report.what = what;
        report.about = "NP-1";
        report.recipient = "social-care";
        report.person = person;
        office.test::Office::receive<schemas::Report>("reports/social-care/E10000024", schemas::Kind::report,
                                                      report);
    };
    CHECK(has(office.get("ann", "/inbox"), "FP-1"));
    CHECK(office.send("ann", "GET", "/notices/FP-1").status == 200);
    told(schemas::ReportOf::kept_from, "A. Hall");
    for (const auto* path : {"/notices/FP-1", "/notices/FP-1/print", "/notices/FP-1/ask",
                             "/notices/FP-1/pass", "/notices/FP-1/not-this-child"})
        CHECK(office.send("ann", "GET", path).status == 404);
    CHECK_FALSE(has(office.get("ann", "/inbox"), "FP-1"));
    CHECK(has(office.get("ann", "/inbox"), "Inbox (0)"));
    CHECK_FALSE(has(office.get("ann", "/done"), "FP-1"));
    CHECK(office.send("sam", "GET", "/notices/FP-1").status == 200);
    CHECK_FALSE(has(office.get("sam", "/notices/FP-1/pass"), "Ann Hall"));
    told(schemas::ReportOf::not_kept_from, "A. Hall");
    CHECK(has(office.get("sam", "/notices/FP-1/pass"), "Ann Hall"));
    CHECK(office.send("ann", "GET", "/notices/FP-1").status == 200);
}

TEST_CASE("overdue stands before changed before to do, and the soonest first", "[social_care]") {
    Office office;
    auto late = notice(1, "FP-LATE");
    late.act_by_us = to_us(now - 42min);
    auto corrected = notice(2, "FP-CORRECTED");
    corrected.incident_version = 2;
    auto soon = notice(3, "FP-SOON"), later = notice(4, "FP-LATER");
    soon.act_by_us = to_us(now + 1h);
    for (const auto* each : {&later, &soon, &corrected, &late}) office.receive(*each);
    const auto page = office.get("sam", "/inbox");
    std::vector<std::size_t> places;
    for (const auto* words : {"Overdue (1)", "FP-LATE", "Changed after you were told (1)", "FP-CORRECTED",
                              "To do (2)", "FP-SOON", "FP-LATER"}) {
        CAPTURE(words);
        CHECK(has(page, words));
        places.push_back(page.find(words));
    }
    CHECK(std::ranges::is_sorted(places));
    CHECK(has(page, "4 notices need something from you or your team. 1 is overdue."));
    CHECK(has(page, "<title>Inbox - Flagpost</title>"));
    CHECK(has(page, "Overdue by 42 minutes"));
    CHECK(has(page, "Inbox (4)"));
    CHECK(has(office.get("lee", "/inbox"), words::empty_inbox));
}

TEST_CASE("a wall screen's inbox loads itself anew until somebody stops it", "[social_care]") {
    Office office;
    office.receive(notice(1, "FP-1"));
    const auto usual = office.send("sam", "GET", "/inbox");
    CHECK_FALSE(usual.header("Refresh"));
    CHECK(has(usual.body, "href=\"/inbox?show=all&amp;watch=60\">Update every minute"));
    const auto watching = office.send("sam", "GET", "/inbox?show=mine&watch=60");
    CHECK(watching.header("Refresh") == "60");
    CHECK(has(watching.body, "href=\"/inbox?show=mine\">Stop updating"));
    CHECK(has(watching.body, "FP-1"));
    for (const auto* other : {"/inbox?watch=1", "/done?watch=60", "/notices/FP-1?watch=60"})
        CHECK_FALSE(office.send("sam", "GET", other).header("Refresh"));
}

TEST_CASE("page 1 holds every overdue row, however many wait", "[social_care]") {
    Office office;
    for (std::uint8_t i = 0; i < 60; ++i) {
        auto each = notice(i, "FP-" + std::to_string(i));
        each.act_by_us = to_us(i < 30 ? now - 1h : now + 1h);
        office.receive(each);
    }
    const auto rows = [](const std::string& page) {
        std::size_t count = 0;
        for (auto at = page.find("fp-reference"); at != std::string::npos;
             at = page.find("fp-reference", at + 1))
            ++count;
        return count;
    };
    const auto first = office.get("sam", "/inbox"), second = office.get("sam", "/inbox?show=all&page=2");
    CHECK(rows(first) == 55);
    CHECK(has(first, "Showing 1 to 25 of 30"));
    CHECK(rows(second) == 5);
    CHECK(has(second, "Showing 26 to 30 of 30"));
    CHECK(rows(office.get("sam", "/inbox?page=99")) == 55);
}

TEST_CASE("opening is recorded once, by the first person it was sent to, and every look is noted",
          "[social_care]") {
    Office office;
    office.receive(notice(1, "FP-1"));
    CHECK(has(office.get("max", "/notices/FP-1"), words::opened_by_manager));
    CHECK_FALSE(office.item("FP-1")->opened);
    CHECK(has(office.get("sam", "/notices/FP-1"), words::opened("at 8:12am")));
    CHECK(office.item("FP-1")->opened_by == "Sam Patel");
    office.get("ann", "/notices/FP-1/print");
    CHECK(office.item("FP-1")->opened_by == "Sam Patel");
    CHECK(office.reader.read([](const client::Box& box) { return box.counts().waiting; }) == 1);
    const auto looks = office.journal.consultations_of("FP-1");
    REQUIRE(looks.size() == 3);
    CHECK(looks[0].person == "max");
    CHECK(looks[2].what == "printed");
    CHECK(has(office.get("sam", "/inbox"), "FP-1"));  // opened is not done
    CHECK(office.send("lee", "GET", "/notices/FP-1").status == 404);
    CHECK(office.send("fay", "GET", "/notices/FP-1").status == 404);
    CHECK(office.journal.consultations_of("FP-1").size() == 3);
}

TEST_CASE("recording closes once; the second person is told who was first", "[social_care]") {
    Office office;
    office.receive(notice(1, "FP-1"));
    office.get("sam", "/notices/FP-1");
    CHECK(office.post("sam", "/notices/FP-1/record", {}).status == 422);
    CHECK(office
              .post("sam", "/notices/FP-1/record",
                    {
                        {"outcome", "nonsense"}
    })
              .status == 422);
    for (int click = 0; click < 2; ++click)
        CHECK(office
                  .post("sam", "/notices/FP-1/record",
                        {
                            {"outcome", "contacted"}
        })
                  .header("Location") == "/notices/FP-1?done=recorded");
    const auto second = office.post("kim", "/notices/FP-1/record",
                                    {
                                        {"outcome", "no_action"}
    });
    CHECK(second.status == 409);
    CHECK(has(second.body, "Sam Patel recorded this at 8:12am. Your choice was not recorded."));
    CHECK(office.item("FP-1")->outcome == "contacted");
    CHECK(office.reader.read([](const client::Box& box) { return box.counts().waiting; }) == 2);
    CHECK(has(office.get("sam", "/notices/FP-1"), words::not_yet_received("at 8:12am")));
    const auto waiting = office.reader.read([](const client::Box& box) { return box.waiting(10); });
    client::Box box{office.file, office.clock, office.random};
    box.confirmed({
        {waiting[0].id, 7}
    });
    box.refused(waiting[1].id, {Reason::unknown_message, "receipt"});
    CHECK(has(office.get("sam", "/notices/FP-1"), words::not_accepted("01632 960101")));
    CHECK_FALSE(has(office.get("sam", "/notices/FP-1"), "Received by Flagpost"));
    CHECK_FALSE(has(office.get("sam", "/inbox"), "FP-1"));
    CHECK(has(office.get("ann", "/done"), "FP-1"));
    CHECK_FALSE(has(office.get("lee", "/done"), "FP-1"));
}

TEST_CASE("a notice passed on is open in the colleague's inbox, and taking stops the clock",
          "[social_care]") {
    Office office;
    office.receive(notice(1, "FP-1"));
    CHECK(office
              .post("sam", "/notices/FP-1/record",
                    {
                        {"outcome", "passed"}
    })
              .header("Location") == "/notices/FP-1/pass");
    CHECK(has(office.get("sam", "/notices/FP-1/pass"), "Ann Hall, worker"));
    CHECK_FALSE(has(office.get("sam", "/notices/FP-1/pass"), "Lee Jones"));
    CHECK(office
              .post("sam", "/notices/FP-1/pass",
                    {
                        {"choice", "lee"}
    })
              .status == 422);  // not of the team
    CHECK(office
              .post("max", "/notices/FP-1/pass",
                    {
                        {"choice", "lee"},
                        {"once",   "1"  }
    })
              .status == 303);
    CHECK(office
              .post("max", "/notices/FP-1/pass",
                    {
                        {"choice", "lee"},
                        {"once",   "1"  }
    })
              .status == 303);
    CHECK(office.journal.story_of("FP-1").size() == 1);
    CHECK(has(office.get("lee", "/inbox"), "FP-1"));
    CHECK_FALSE(office.item("FP-1")->recorded);
    CHECK(office.post("max", "/notices/FP-1/take", {}).header("Location") == "/notices/FP-1?done=taken");
    CHECK(office.item("FP-1")->opened_by == "Max Reid");
}

TEST_CASE("saying that it is another child closes nothing before a reason is given", "[social_care]") {
    Office office;
    office.receive(notice(1, "FP-1"));
    CHECK(office
              .post("sam", "/notices/FP-1/record",
                    {
                        {"outcome", "not_this_child"}
    })
              .header("Location") == "/notices/FP-1/not-this-child");
    CHECK(office
              .post("sam", "/notices/FP-1/not-this-child",
                    {
                        {"choice", "because"}
    })
              .status == 422);
    CHECK(office
              .post("sam", "/notices/FP-1/not-this-child",
                    {
                        {"choice", "other_birth"}
    })
              .status == 303);
    CHECK_FALSE(office.item("FP-1")->recorded);
    CHECK(has(office.get("sam", "/notices/FP-1"), "This is not the child, and police know"));
    CHECK(office
              .post("sam", "/notices/FP-1/record",
                    {
                        {"outcome", "not_this_child"}
    })
              .status == 303);
    CHECK(office.item("FP-1")->recorded);
}

TEST_CASE("a possible match always carries the warning, a match never", "[social_care]") {
    Office office;
    auto possible = notice(1, "FP-POSSIBLE");
    possible.outcome = schemas::Outcome::potential;
    office.receive(possible);
    office.receive(notice(2, "FP-MATCH"));
    for (const auto* path : {"/notices/FP-POSSIBLE", "/notices/FP-POSSIBLE/print"}) {
        const auto page = office.get("sam", path);
        CHECK(has(page, words::possible));
        CHECK(has(page, "First name differs. Check that this is the same child"));
    }
    CHECK_FALSE(has(office.get("sam", "/notices/FP-MATCH"), words::possible));
    CHECK(has(office.get("sam", "/inbox"), "Possible match"));
}

TEST_CASE("on paper times have their whole date", "[social_care]") {
    Office office;
    office.receive(notice(1, "FP-1"));
    CHECK(has(office.get("sam", "/notices/FP-1"), "Yesterday, 9:12pm"));
    const auto paper = office.get("sam", "/notices/FP-1/print");
    CHECK(has(paper, "Saturday 10 January 2026, 9:12pm"));
    CHECK(has(paper,
              "Opened by you<br><time datetime=\"2026-01-11T08:12:00Z\">Sunday 11 January 2026, 8:12am"));
}

TEST_CASE("a corrected notice says what it was and what it is now", "[social_care]") {
    Office office;
    office.receive(notice(1, "FP-1"));
    auto newer = notice(1, "FP-2");
    newer.notice.assign(16, 9);
    newer.incident_version = 2;
    newer.circumstances = "Police were called again.";
    office.receive(newer);
    const auto page = office.get("sam", "/notices/FP-2");
    CHECK(has(page, "This notice was corrected at 8:12am."));
    CHECK(has(page, words::corrected_tell));
    CHECK(has(page, "Police were called.</td>"));
    CHECK(has(page, "Police were called again.</td>"));
    CHECK_FALSE(has(office.get("sam", "/notices/FP-1"), "Was / is now"));
}

TEST_CASE("the words on a notice are exact, and nothing in it is trusted", "[social_care]") {
    Office office;
    auto odd = notice(1, "FP-1");
    odd.child->given_names = "<script>alert(1)</script> D'Arcy أمل Siân " + std::string(200, 'w');
    odd.circumstances = "<img src=x onerror=alert(1)>";
    odd.referral = schemas::ReferralStatus::made;
    odd.referral_reference = "R\"9";
    odd.feed_age_hours = 30;
    odd.flag_end = "2025-12-01";
    office.receive(odd);
    const auto page = office.get("sam", "/notices/FP-1");
    CHECK(has(page, "<title>Police notice FP-1 - Flagpost</title>"));
    CHECK(has(page, words::information));
    CHECK(has(page,
              "It does not replace a police referral. Police referral: <strong>made, reference "
              "R&quot;9</strong>."));
    CHECK(has(page,
              "Your authority&apos;s flag list was 30 hours old when this was matched; it should be no older "
              "than 24."));
    CHECK(has(page, words::historic("1 December 2025", "12")));
    CHECK(has(page, words::record_hint));
    for (const auto& path : {"/inbox", "/notices/FP-1", "/notices/FP-1/print", "/notices/FP-1/pass"}) {
        CAPTURE(path);
        CHECK_FALSE(has(office.get("sam", path), "<script"));
        CHECK_FALSE(has(office.get("sam", path), "<img"));
    }
}

TEST_CASE("what was taken over by nobody in time is not done later", "[social_care]") {
    Office office;
    office.receive(notice(1, "FP-1"));
    office.owner.request_stop();
    office.owner.join();
    CHECK(office.send("sam", "GET", "/notices/FP-1").status == 503);
    client::Box box{office.file, office.clock, office.random};
    office.handover.turn({true, 0, {}, 0, now}, box, *AgencyId::parse("social-care/E10000024"));
    CHECK_FALSE(office.item("FP-1")->opened);
}

TEST_CASE("what a worker recorded is changed by another record, and the first stays in the story",
          "[social_care]") {
    Office office;
    office.receive(notice(1, "FP-1"));
    const auto chosen = [](const std::string& name, const std::string& value) {
        return web::Fields{
            {name, value}
        };
    };
    CHECK(office.send("sam", "GET", "/notices/FP-1/change").status == 404);
    office.post("sam", "/notices/FP-1/record", chosen("outcome", "no_action"));
    const auto page = office.get("sam", "/notices/FP-1");
    CHECK(has(page, "href=\"/notices/FP-1/change\">Change this"));
    CHECK_FALSE(has(office.get("max", "/notices/FP-1"), "Change this"));
    CHECK(office.send("max", "GET", "/notices/FP-1/change").status == 404);
    CHECK_FALSE(has(office.get("sam", "/notices/FP-1/change"), "value=\"passed\""));
    CHECK(office.post("sam", "/notices/FP-1/change", chosen("choice", "passed")).status == 422);
    CHECK(office.post("sam", "/notices/FP-1/change", chosen("choice", "contacted")).header("Location") ==
          "/notices/FP-1?done=changed");
    const auto changed = office.get("sam", "/notices/FP-1?done=changed");
    CHECK(has(changed, "Changed. What was recorded before stays in the log."));
    CHECK(has(changed, "Recorded by you at 8:12am: Contacted or visited."));
    CHECK(has(changed, "Changed by you. Before: No action needed"));
    CHECK(office.reader.read([](const client::Box& box) { return box.counts().waiting; }) == 2);
}
