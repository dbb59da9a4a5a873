#include "adapters/desk/fields.h"
#include "adapters/desk/questions.h"
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
const std::string box_topic = "notices/social-care/E10000024";

schemas::SocialCareNoticeValue notice(std::uint8_t number, const std::string& reference,
                                      std::uint32_t version = 1) {
    schemas::SocialCareNoticeValue value;
    value.notice.assign(16, number);
    value.reference = reference;
    value.la = "E10000024";
    value.la_child_id = "C1";
    value.child = std::make_unique<schemas::PersonValue>();
    value.child->given_names = "Ava";
    value.child->family_name = "Example";
    value.force = "31";
    value.incident_reference = "NP-1";
    value.incident_version = version;
    value.not_a_referral = "x";
    value.team = "North";
    value.act_by_us = to_us(now + 8h);
    value.police_contact = "Norham PPU, 01632 960101";
    return value;
}

struct Office : test::Office {
    Office()
        : test::Office{*AgencyId::parse("social-care/E10000024"),
                       now,
                       {person("sam", "Sam Patel", "worker", {"North"}),
                        person("lee", "Lee Jones", "worker", {"South"}),
                        person("max", "Max Reid", "manager", {"North"})},
                       roles()},
          pages{*site, reader, handover, journal, *people, PageSettings{}} {
        begin();
        receive<schemas::SocialCareNotice>(box_topic, schemas::Kind::social_care_notice, notice(1, "FP-1"));
    }
    web::Response ask(const std::string& who, const std::string& text,
                      const std::string& about = "children_present", const std::string& once = "1") {
        return post(who, "/notices/FP-1/ask",
                    {
                        {"about", about},
                        {"text",  text },
                        {"once",  once }
        });
    }
    std::vector<desk::Thread> threads(const std::string& reference = "FP-1") {
        return reader.read(
            [&](const client::Box& box) { return desk::threads_about(box, *box.find(reference)); });
    }
    void answer(const Id16& question, const std::string& text = "Only the child and her mother.") {
        schemas::QuestionAnswerValue value;
        value.answer.assign(16, ++answers);
        value.reference = "QU-1";
        value.question.assign(question.begin(), question.end());
        value.notice.assign(16, 1);
        value.outcome = "answered";
        value.text = text;
        value.by = "P. Officer";
        value.answered_us = to_us(clock.now());
        value.read_by_us = to_us(clock.now() + 24h);
        receive<schemas::QuestionAnswer>(box_topic, schemas::Kind::answer, value);
    }
    std::size_t receipts(const std::string& thing) {
        return reader.read([&](const client::Box& box) { return box.last_about(thing) ? 1u : 0u; });
    }
    std::uint8_t answers = 200;
    Pages pages;
};

}  // namespace

TEST_CASE("a worker asks police about a notice, and the question stands under it", "[social_care]") {
    Office office;
    const auto form = office.get("sam", "/notices/FP-1/ask");
    CHECK(has(form, "Norham PPU, 01632 960101 about incident NP-1"));
    CHECK_FALSE(has(form, " checked"));
    CHECK_FALSE(has(form, "Ava"));

    CHECK(office.ask("sam", "Who was at home?", "").status == 422);
    const auto empty = office.ask("sam", " \r\n ");
    CHECK(empty.status == 422);
    CHECK(has(empty.body, "Write what you want to say"));
    CHECK(has(empty.body, "value=\"children_present\" checked"));
    const auto longer = office.ask("sam", std::string(2001, 'x'));
    CHECK(longer.status == 422);
    CHECK(has(longer.body, "Use 2000 characters or fewer"));
    CHECK(has(longer.body, std::string(2001, 'x')));
    CHECK(office.threads().empty());

    const auto asked = office.ask("sam", "Who was at <home>?");
    CHECK(asked.status == 303);
    CHECK(asked.header("Location") == "/notices/FP-1?done=asked");
    CHECK(office.ask("sam", "Who was at <home>?").status == 303);  // a double click
    REQUIRE(office.threads().size() == 1);
    const auto page = office.get("sam", "/notices/FP-1?done=asked");
    CHECK(has(page, "Your question is kept and goes to police."));
    CHECK(has(page, "Who was at &lt;home&gt;?"));
    CHECK(has(page, "Asked by you"));
    CHECK(has(page, "Not yet received by Flagpost."));
    CHECK(has(page, "Police asked by you"));
    CHECK(office.ask("sam", "And who else?", "people", "2").status == 303);
    CHECK(office.threads().size() == 2);
}

TEST_CASE("whoever may not see a notice cannot ask about it", "[social_care]") {
    Office office;
    CHECK(office.send("lee", "GET", "/notices/FP-1/ask").status == 404);
    CHECK(office.ask("lee", "Who was at home?").status == 404);
    CHECK(office.threads().empty());
}

TEST_CASE("an answer shows on the inbox until somebody of those it is for has opened it", "[social_care]") {
    Office office;
    office.ask("sam", "Who was at home?");
    const auto question = office.threads().at(0).question.id;
    office.answer(question);
    CHECK(has(office.get("sam", "/inbox"), "Police answered"));
    CHECK_FALSE(has(office.get("lee", "/inbox"), "Police answered"));
    CHECK(has(office.get("max", "/notices/FP-1"), "Only the child and her mother."));
    CHECK(has(office.get("sam", "/inbox"), "Police answered"));  // a manager's look stops no clock
    const std::string answer = "c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9";
    CHECK(office.receipts(answer) == 0);

    const auto page = office.get("sam", "/notices/FP-1");
    CHECK(has(page, "Only the child and her mother."));
    CHECK(has(page, "Answered by P. Officer"));
    CHECK(office.receipts(answer) == 1);
    CHECK(office.item(answer)->opened_by == "Sam Patel");
    CHECK_FALSE(has(office.get("sam", "/inbox"), "Police answered"));
    CHECK(has(office.get("sam", "/notices/FP-1/print"), "Only the child and her mother."));
    // It is still to do: asking is not acting.
    CHECK(has(office.get("sam", "/inbox"), "To do (1)"));
}

TEST_CASE("what was asked stands under later versions of the notice too", "[social_care]") {
    Office office;
    office.ask("sam", "Who was at home?");
    office.receive<schemas::SocialCareNotice>(box_topic, schemas::Kind::social_care_notice,
                                              notice(2, "FP-2", 2));
    CHECK(has(office.get("sam", "/notices/FP-2"), "Who was at home?"));
    auto other = notice(3, "FP-3");
    other.la_child_id = "C2";
    office.receive<schemas::SocialCareNotice>(box_topic, schemas::Kind::social_care_notice, other);
    CHECK_FALSE(has(office.get("sam", "/notices/FP-3"), "Who was at home?"));
}

TEST_CASE("of a recalled notice only what police answered since is shown", "[social_care]") {
    Office office;
    office.ask("sam", "Who was at home?", "children_present", "1");
    office.ask("sam", "Why was it recalled?", "other", "2");
    const auto threads = office.threads();
    office.answer(threads.at(0).question.id, "The first answer.");
    schemas::RecallValue recall;
    recall.notice.assign(16, 9);
    recall.reference = "FP-9";
    recall.recalls.assign(16, 1);
    recall.recalled_reference = "FP-1";
    recall.force = "31";
    recall.incident_reference = "NP-1";
    office.clock.advance(1min);
    office.receive<schemas::Recall>(box_topic, schemas::Kind::recall, recall);
    CHECK(office.item("c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9c9")->outcome == "recalled");
    CHECK_FALSE(has(office.get("sam", "/inbox"), "Police answered"));
    CHECK(office.send("sam", "GET", "/notices/FP-1/ask").status == 404);
    office.clock.advance(1min);
    office.answer(threads.at(1).question.id, "The second answer.");
    const auto page = office.get("sam", "/notices/FP-9");
    CHECK(has(page, "The second answer."));
    CHECK_FALSE(has(page, "The first answer."));
}
