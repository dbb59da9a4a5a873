#include "adapters/social_care/review_pages.h"

#include "adapters/desk/fields.h"
#include "adapters/social_care/pages.h"
#include "tests/support/catch.h"
#include "tests/support/office.h"

using namespace flagpost;
using namespace flagpost::social_care;
using namespace std::chrono_literals;
using test::has;
using test::person;

namespace {

const Instant now = *desk::parse_instant("2026-01-11T08:12:00Z");
const std::string topic = "reviews/E10000024";

schemas::ReviewItemValue review(std::uint8_t number, const std::string& reference) {
    schemas::ReviewItemValue value;
    value.review.assign(16, number);
    value.reference = reference;
    value.la = "E10000024";
    value.force = "31";
    value.incident_reference = "NP-" + std::to_string(number);
    value.incident_version = 1;
    value.bound_for = "school/900001";
    value.subject = "H243278544154";
    value.why = {"Same surname and date of birth, another first name. A twin?"};
    value.decide_by_us = to_us(now + 4h);
    value.will_be_told = {"child_given_names", "occurred_us"};
    const auto row = [&](const char* detail, const char* police, const char* theirs, schemas::Agreeing how) {
        value.compared.push_back(std::make_unique<schemas::ComparedDetailValue>());
        value.compared.back()->detail = detail;
        value.compared.back()->police = police;
        value.compared.back()->theirs = theirs;
        value.compared.back()->how = how;
    };
    row("First names", "Eve", "Ava <b>", schemas::Agreeing::differ);
    row("Surname", "Example", "Example", schemas::Agreeing::agree);
    row("Date of birth", "2019-03-04", "2019-03-04", schemas::Agreeing::agree);
    row("Pupil number", "", "H243278544154", schemas::Agreeing::not_compared);
    return value;
}

struct Office : test::Office {
    Office()
        : test::Office{*AgencyId::parse("social-care/E10000024"),
                       now,
                       {person("lee", "Lee Jones", "reviewer", {}), person("kim", "Kim Osei", "reviewer", {}),
                        person("sam", "Sam Patel", "worker", {"North"}), person("dot", "Dot Hall", "duty", {})},
                       roles()},
          pages{*site, reader, handover, journal, *people, PageSettings{}} {
        begin();
    }
    void receive(const schemas::ReviewItemValue& value) {
        test::Office::receive<schemas::ReviewItem>(topic, schemas::Kind::review_item, value);
    }
    Pages pages;
};

}  // namespace

TEST_CASE("the list of matches names nobody, and only reviewers see it", "[social_care]") {
    Office office;
    office.receive(review(1, "RV-1"));
    const auto list = office.get("lee", "/review");
    CHECK(has(list, "RV-1"));
    CHECK(has(list, "To decide (1)"));
    CHECK(has(list, "Review (1)"));
    CHECK_FALSE(has(list, "Ava"));
    CHECK_FALSE(has(list, "Eve"));
    for (const char* who : {"sam", "dot"}) {
        CHECK(office.send(who, "GET", "/review").status == 404);
        CHECK(office.send(who, "GET", "/review/RV-1").status == 404);
        CHECK(office
                  .post(who, "/review/RV-1/decide",
                        {
                            {"choice", "permit"     },
                            {"reason", "known_to_us"}
        })
                  .status == 404);
    }
    CHECK(office.send("lee", "GET", "/inbox").status == 404);
    CHECK(office.send("lee", "GET", "/review/RV-9").status == 404);
}

TEST_CASE("a match stands side by side, what differs first, with nothing chosen", "[social_care]") {
    Office office;
    office.receive(review(1, "RV-1"));
    const auto page = office.get("lee", "/review/RV-1");
    CHECK(has(page, "Is this the same child?"));
    CHECK(has(page, "Ava &lt;b&gt;"));
    CHECK(page.find("First names") < page.find("Surname"));
    CHECK(has(page, "Cannot compare"));
    CHECK(has(page, "School URN 900001 will be told the child&apos;s first names, when it happened."));
    CHECK(has(page, "4 March 2019"));
    CHECK_FALSE(has(page, "2019-03-04"));
    CHECK_FALSE(has(page, " checked"));
    CHECK_FALSE(has(page, "<b>\""));
    const auto title = page.substr(page.find("<title>"), 60);
    CHECK_FALSE(has(title, "Ava"));
}

TEST_CASE("whom a match is sent to, and whose incident it is, stand by their names", "[social_care]") {
    Office office;
    auto item = review(1, "RV-1");
    item.bound_for_name = "Oak Primary School";
    item.force_name = "Nottinghamshire <b> Police";
    office.receive(item);
    auto team = review(2, "RV-2");
    team.bound_for = "education/E10000024";
    team.bound_for_name = "Norham education safeguarding team";
    office.receive(team);
    const auto list = office.get("lee", "/review");
    CHECK(has(list, "Oak Primary School (URN 900001)"));
    CHECK(has(list, "Norham education safeguarding team<"));
    CHECK_FALSE(has(list, "School URN"));
    const auto page = office.get("lee", "/review/RV-1");
    CHECK(has(page, "Oak Primary School (URN 900001) will be told"));
    CHECK(has(page, "Nottinghamshire &lt;b&gt; Police, NP-1, version 1"));
}

TEST_CASE("a decision needs a choice and a reason, is made once, and the next one hears who was first",
          "[social_care]") {
    Office office;
    office.receive(review(1, "RV-1"));
    CHECK(office
              .post("lee", "/review/RV-1/decide",
                    {
                        {"reason", "known_to_us"}
    })
              .status == 422);
    CHECK(office
              .post("lee", "/review/RV-1/decide",
                    {
                        {"choice", "permit"}
    })
              .status == 422);
    CHECK(office
              .post("lee", "/review/RV-1/decide",
                    {
                        {"choice", "permit" },
                        {"reason", "because"}
    })
              .status == 422);
    CHECK_FALSE(office.item("RV-1")->recorded);
    const auto done = office.post("lee", "/review/RV-1/decide",
                                  {
                                      {"choice", "permit"       },
                                      {"reason", "details_agree"}
    });
    CHECK(done.status == 303);
    CHECK(office.item("RV-1")->outcome == "permit: details_agree");
    CHECK(office.item("RV-1")->recorded_by == "Lee Jones");
    const auto late = office.post("kim", "/review/RV-1/decide",
                                  {
                                      {"choice", "deny"       },
                                      {"reason", "other_child"}
    });
    CHECK(late.status == 409);
    CHECK(has(late.body, "Lee Jones decided this at"));
    CHECK(has(office.get("lee", "/review"), "No matches to review."));
}

TEST_CASE("whoever opens a match has it for ten minutes, and nobody once little time is left",
          "[social_care]") {
    Office office;
    auto urgent = review(2, "RV-2");
    urgent.decide_by_us = to_us(now + 14min);
    office.receive(review(1, "RV-1"));
    office.receive(urgent);
    office.get("lee", "/review/RV-1");
    office.get("lee", "/review/RV-2");
    CHECK(has(office.get("kim", "/review/RV-1"), "Lee Jones has it until 8:22am"));
    CHECK(office
              .post("kim", "/review/RV-1/decide",
                    {
                        {"choice", "deny"       },
                        {"reason", "other_child"}
    })
              .status == 409);
    CHECK(has(office.get("kim", "/review/RV-2"), "Record decision"));
    office.clock.advance(11min);
    CHECK(has(office.get("kim", "/review/RV-1"), "Record decision"));
}

TEST_CASE("two people decide on a shielded child, and the second does not see what the first chose",
          "[social_care]") {
    Office office;
    auto value = review(1, "RV-1");
    value.two_people = true;
    office.receive(value);
    CHECK(office
              .post("lee", "/review/RV-1/decide",
                    {
                        {"choice", "permit"     },
                        {"reason", "known_to_us"}
    })
              .status == 303);
    CHECK(has(office.get("lee", "/review/RV-1"), "You have decided. A second person must decide alike."));
    CHECK_FALSE(has(office.get("lee", "/review/RV-1"), "Record decision"));
    CHECK(has(office.get("kim", "/review"), "Waiting for a second person (1)"));
    CHECK(has(office.get("kim", "/review/RV-1"), "Record decision"));  // it is not kept from the second
    CHECK_FALSE(has(office.get("kim", "/review/RV-1"), "permit:"));
    CHECK(office
              .post("lee", "/review/RV-1/decide",
                    {
                        {"choice", "permit"     },
                        {"reason", "known_to_us"}
    })
              .status == 409);
    CHECK(office
              .post("kim", "/review/RV-1/decide",
                    {
                        {"choice", "permit"     },
                        {"reason", "known_to_us"}
    })
              .status == 303);
    CHECK(office.item("RV-1")->recorded_by == "Kim Osei");
}

namespace {

void weigh(schemas::ReviewItemValue& value, const char* detail, const char* found, std::int32_t weight) {
    value.weighed.push_back(std::make_unique<schemas::WeighedDetailValue>());
    value.weighed.back()->detail = detail;
    value.weighed.back()->found = found;
    value.weighed.back()->weight = weight;
}

/// One of several records that fit the second person police named.
schemas::ReviewItemValue rival(std::uint8_t number, const std::string& reference, const std::string& name,
                               std::int32_t score) {
    auto value = review(number, reference);
    value.incident_reference = "NP-many";
    value.person = 2;
    value.subject = "pupil-" + name;
    value.bound_for = "school/90000" + std::to_string(number);
    value.compared[0]->theirs = name;
    value.score = score;
    return value;
}

std::size_t count(const std::string& page, const std::string& words) {
    std::size_t found = 0;
    for (auto at = page.find(words); at != std::string::npos; at = page.find(words, at + 1)) ++found;
    return found;
}

}  // namespace

TEST_CASE("what each comparison counted for stands in numbers beside the words", "[social_care]") {
    Office office;
    auto value = review(1, "RV-1");
    office.receive(value);
    CHECK_FALSE(has(office.get("lee", "/review/RV-1"), "How the system weighed this"));
    auto weighed = review(2, "RV-2");
    weigh(weighed, "To begin with", "Before.", -13240);
    weigh(weighed, "Date of birth", "Date of birth <i>agrees</i>.", 12200);
    weigh(weighed, "Sex", "Not known.", 0);
    weighed.score = -3000;
    weighed.weighed_by = "SCH-1, agreement 0123456789ab";
    office.receive(weighed);
    const auto page = office.get("lee", "/review/RV-2");
    CHECK(has(page, "How the system weighed this"));
    CHECK(has(page, "\u221213.2"));
    CHECK(has(page, "+12.2"));
    CHECK(has(page, "0.0"));
    CHECK(has(page, "<b>\u22121.0</b>"));  // the sum
    CHECK(has(page, "The system went by \u22123.0: another record"));
    CHECK(has(page, "&lt;i&gt;agrees"));
    CHECK(has(page, "Held under SCH-1, agreement 0123456789ab."));
}

TEST_CASE("of several records that fit one person a reviewer names one, and the others are denied with it",
          "[social_care]") {
    Office office;
    office.receive(rival(1, "RV-1", "Ava", 2000));
    office.receive(rival(2, "RV-2", "Eva", 5000));
    office.receive(rival(3, "RV-3", "Eve", -100));
    auto elsewhere = rival(4, "RV-4", "Eve", 0);  // of another person of the incident
    elsewhere.person = 3;
    office.receive(elsewhere);
    CHECK(has(office.get("lee", "/review"), "To decide (2)"));
    CHECK(has(office.get("lee", "/review"), "3 records to choose from"));
    CHECK(has(office.get("lee", "/review"), "Review (2)"));
    CHECK_FALSE(has(office.get("lee", "/review/RV-4"), "Which of these"));

    const auto page = office.get("lee", "/review/RV-1");
    CHECK(has(page, "Which of these is the same child?"));
    CHECK(page.find("RV-2") < page.find("Details side by side: A"));  // the likeliest first
    CHECK(page.find("Details side by side: B") < page.find("Details side by side: C"));
    CHECK(has(page, "C is the same child: send it"));
    CHECK_FALSE(has(page, "Same child: send it"));
    CHECK_FALSE(has(page, " checked"));
    for (const char* each : {"RV-1", "RV-2", "RV-3"})
        CHECK(has(office.get("kim", std::string{"/review/"} + each), "Lee Jones has it until"));

    const std::string shown = "RV-2 RV-1 RV-3";
    const auto decide = [&](const std::string& choice, const std::string& seen, const std::string& reason) {
        return office.post("lee", "/review/RV-3/decide",
                           {
                               {"choice", choice},
                               {"reason", reason},
                               {"shown",  seen  }
        });
    };
    CHECK(decide("permit", shown, "known_to_us").status == 422);  // which one?
    CHECK(decide("RV-4", shown, "known_to_us").status == 422);
    const auto changed = decide("RV-1", "RV-2 RV-1", "known_to_us");
    CHECK(changed.status == 422);
    CHECK(has(changed.body, "The records to choose from have changed"));
    CHECK(has(decide("RV-1", shown, "").body, "Choose a reason"));
    CHECK(has(decide("RV-1", shown, "").body, "value=\"RV-1\" aria-describedby=\"choice-2-hint\" checked"));
    for (const char* each : {"RV-1", "RV-2", "RV-3"}) CHECK_FALSE(office.item(each)->recorded);

    CHECK(decide("RV-1", shown, "known_to_us").status == 303);
    CHECK(office.item("RV-1")->outcome == "permit: known_to_us");
    CHECK(office.item("RV-2")->outcome == "deny: other_child");
    CHECK(office.item("RV-3")->outcome == "deny: other_child");
    CHECK_FALSE(office.item("RV-4")->recorded);
    CHECK_FALSE(has(office.get("kim", "/review/RV-2"), "Which of these"));
}

TEST_CASE("none of several records is denied for the reason given, and police are asked once",
          "[social_care]") {
    const bool none = GENERATE(true, false);
    Office office;
    office.receive(rival(1, "RV-1", "Ava", 2000));
    office.receive(rival(2, "RV-2", "Eva", 5000));
    CHECK(
        office
            .post(
                "lee", "/review/RV-1/decide",
                {
                    {"choice", none ? "deny" : "unsure"},
                    {"reason", "other_family"          },
                    {"shown",  "RV-2 RV-1"             }
    })
            .status == 303);
    if (none) {
        for (const char* each : {"RV-1", "RV-2"}) CHECK(office.item(each)->outcome == "deny: other_family");
        CHECK(has(office.get("lee", "/review"), "No matches to review."));
        return;
    }
    CHECK(has(office.get("lee", "/review"), "Waiting for police (1)"));
    const auto client_box = office.item("RV-1");
    CHECK_FALSE(client_box->recorded);
}

TEST_CASE("the second of two people sees all records the first chose between", "[social_care]") {
    Office office;
    auto first = rival(1, "RV-1", "Ava", 2000);
    first.two_people = true;
    office.receive(first);
    office.receive(rival(2, "RV-2", "Eva", 5000));
    const auto decide = [&](const char* who, const char* choice) {
        return office
            .post(who, "/review/RV-2/decide",
                  {
                      {"choice", choice       },
                      {"reason", "known_to_us"},
                      {"shown",  "RV-2 RV-1"  }
        })
            .status;
    };
    CHECK(decide("lee", "RV-1") == 303);
    CHECK_FALSE(office.item("RV-2")->recorded);
    CHECK(has(office.get("lee", "/review/RV-2"), "You have decided."));
    const auto page = office.get("kim", "/review/RV-2");
    CHECK(has(page, "Which of these"));
    CHECK_FALSE(has(page, "Lee Jones"));
    CHECK(decide("kim", "RV-1") == 303);
    CHECK(office.item("RV-1")->outcome == "permit: known_to_us");
    CHECK(office.item("RV-2")->outcome == "deny: other_child");
}

TEST_CASE("one child's records at two schools are two matches, and both may be right", "[social_care]") {
    Office office;
    auto first = rival(1, "RV-1", "Ava", 2000), second = rival(2, "RV-2", "Ava", 2000);
    const bool by_number = GENERATE(true, false);
    if (by_number) {
        second.compared[0]->theirs = "Ava May";
        second.subject = first.subject;
    }
    office.receive(first);
    office.receive(second);
    CHECK(has(office.get("lee", "/review"), "To decide (2)"));
    CHECK_FALSE(has(office.get("lee", "/review/RV-1"), "Which of these"));
}

TEST_CASE("a note is kept with the match, with name and time, for the next reviewer alone", "[social_care]") {
    Office office;
    office.receive(review(1, "RV-1"));
    const auto leave = [&](const char* who, const std::string& note, const std::string& once = "1") {
        return office.post(who, "/review/RV-1/note",
                           {
                               {"note", note},
                               {"once", once}
        });
    };
    CHECK(has(leave("lee", " \r\n").body, "Write the note"));
    std::string accents;
    for (int i = 0; i < 200; ++i) accents += "\u00e2";
    const auto kept = leave("lee", accents + "x");
    CHECK(kept.status == 422);
    CHECK(has(kept.body, "Write a note of at most 200 characters"));
    CHECK(has(kept.body, accents));  // as typed
    CHECK(leave("lee", "The twin is <b>Eva</b>.\r\nAsk Norham school.", "2").status == 303);
    leave("lee", "The twin is <b>Eva</b>.\r\nAsk Norham school.", "2");  // a double click
    CHECK(has(office.get("lee", "/review/RV-1?done=noted"), "The next reviewer sees your note."));
    const auto seen = office.get("kim", "/review/RV-1");
    CHECK(count(seen, "The twin is &lt;b&gt;Eva&lt;/b&gt;. Ask Norham school.<br>Lee Jones, today, 8:12am") ==
          1);
    CHECK(has(seen, "Leave the note"));  // also while another has it
    CHECK_FALSE(has(office.get("kim", "/review"), "twin is"));
    CHECK(leave("sam", "x").status == 404);

    CHECK(
        office
            .post(
                "lee", "/review/RV-1/decide",
                {
                    {"choice", "deny"          },
                    {"reason", "other_child"   },
                    {"note",   "Seen by phone."},
                    {"once",   "3"             }
    })
            .status == 303);
    const auto closed = office.get("kim", "/review/RV-1");
    CHECK(has(closed, "Seen by phone.<br>Lee Jones, today"));
    CHECK_FALSE(has(closed, "Leave the note"));
    CHECK(leave("kim", "too late").status == 409);
}

TEST_CASE("what has nothing to send cannot be permitted, and who cannot tell asks police", "[social_care]") {
    Office office;
    auto nothing = review(1, "RV-1");
    nothing.will_be_told.clear();
    office.receive(nothing);
    office.receive(review(2, "RV-2"));
    CHECK_FALSE(has(office.get("lee", "/review/RV-1"), "Same child: send it"));
    CHECK(office
              .post("lee", "/review/RV-1/decide",
                    {
                        {"choice", "permit"     },
                        {"reason", "known_to_us"}
    })
              .status == 422);
    CHECK(office
              .post("lee", "/review/RV-2/decide",
                    {
                        {"choice", "unsure"     },
                        {"reason", "cannot_tell"}
    })
              .status == 303);
    CHECK_FALSE(office.item("RV-2")->recorded);
    CHECK(has(office.get("lee", "/review"), "Waiting for police (1)"));
}

TEST_CASE("a recalled notice shows none of its facts any more, and its removal is recorded",
          "[social_care]") {
    Office office;
    schemas::SocialCareNoticeValue told;
    told.notice.assign(16, 5);
    told.reference = "FP-5";
    told.la = "E10000024";
    told.la_child_id = "C5";
    told.child = std::make_unique<schemas::PersonValue>();
    told.child->given_names = "Quentin";
    told.force = "31";
    told.incident_reference = "NP-5";
    told.circumstances = "A very private fact.";
    told.not_a_referral = "x";
    told.act_by_us = to_us(now + 8h);
    office.test::Office::receive<schemas::SocialCareNotice>("notices/social-care/E10000024",
                                                            schemas::Kind::social_care_notice, told);
    REQUIRE(has(office.get("dot", "/notices/FP-5"), "A very private fact."));
    schemas::RecallValue recall;
    recall.notice.assign(16, 6);
    recall.reference = "FP-6";
    recall.recalls.assign(16, 5);
    recall.recalled_reference = "FP-5";
    recall.reason = schemas::RecallReason::corrected;
    recall.force = "31";
    recall.incident_reference = "NP-5";
    recall.recalled_at_us = to_us(now);
    recall.act_by_us = to_us(now + 24h);
    office.test::Office::receive<schemas::Recall>("notices/social-care/E10000024", schemas::Kind::recall,
                                                  recall);

    const auto inbox = office.get("dot", "/inbox");
    CHECK(has(inbox, "Notice recalled"));
    CHECK_FALSE(has(inbox, "Quentin"));
    CHECK(office.send("dot", "GET", "/notices/FP-5").header("Location") == "/notices/FP-6");
    CHECK(office.send("dot", "GET", "/notices/FP-5/print").header("Location") == "/notices/FP-6");
    const auto page = office.get("dot", "/notices/FP-6");
    CHECK(has(
        page,
        "This notice was recalled at 8:12am. Reason: police corrected the record, and it is not about this "
        "child. Do not use it. Remove any copy you made, then record that you have."));
    CHECK_FALSE(has(page, "Quentin"));
    CHECK_FALSE(has(page, "private"));
    CHECK(office.send("sam", "GET", "/notices/FP-6").status == 404);
    CHECK(office
              .post("dot", "/notices/FP-5/record",
                    {
                        {"outcome", "known"}
    })
              .status == 422);
    CHECK(office
              .post("dot", "/notices/FP-6/record",
                    {
                        {"outcome", "removed"}
    })
              .status == 303);
    CHECK(office.item("FP-6")->outcome == "removed");
    CHECK_FALSE(has(office.get("dot", "/inbox"), "Notice recalled"));
    CHECK(has(office.get("dot", "/done"), "I have removed my copies"));
}
