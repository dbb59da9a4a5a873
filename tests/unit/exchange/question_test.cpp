#include "tests/unit/exchange/world.h"

using namespace flagpost;
using namespace flagpost::exchange;
using namespace flagpost::exchange::testing;
using namespace std::chrono_literals;
using log::LeafKind;
using log::Operation;
using schemas::Level;

namespace {

const std::string county = "social-care/E10000024";
const std::string county_box = "notices/social-care/E10000024";
const std::string force_box = "questions/31";

/// A county that was told of an incident about a child it has flagged.
struct Told : World {
    Id16 notice{};

    Told() {
        load_schools(*this);
        Load flags;
        flags.items = {wire::pack<schemas::Flag>(flag_at(child_a, "1", home_a))};
        load(flags);
        send(incident_with(child_a, "NP-1"));
        const auto notices = delivered<schemas::SocialCareNotice>(county_box);
        REQUIRE(notices.size() == 1);
        notice = id16(notices[0].notice);
    }
    Id16 question() {
        REQUIRE(confirmed(ask(county, notice, "NP-1")));
        const auto asked = delivered<schemas::Question>(force_box);
        REQUIRE(asked.size() == 1);
        return id16(asked[0].question);
    }
    std::optional<OpenObligation> open(const Id16& which) const {
        for (const auto& owed : exchange.open_obligations())
            if (owed.notice == which) return owed;
        return std::nullopt;
    }
    std::vector<std::string> reports(const std::string& agency) const {
        std::vector<std::string> all;
        for (const auto& report : delivered<schemas::Report>("reports/" + agency))
            all.push_back(std::string{schemas::EnumNameReportOf(report.what)} + " " + report.about + " " +
                          report.recipient);
        return all;
    }
};

std::string where(const Reply& reply) {
    const auto refused = refusal(reply);
    return refused ? refused->where : "";
}

}  // namespace

TEST_CASE("a question goes to the force of the incident, is logged as the Act asks, and is owed an answer",
          "[exchange]") {
    Told world;
    REQUIRE(confirmed(world.ask(county, world.notice, "NP-1")));
    REQUIRE(world.kinds() == std::vector{LeafKind::published, LeafKind::notice_issued});
    const auto& taken = world.last.records[0];
    CHECK(taken.leaf.operation == Operation::collection);
    CHECK(taken.leaf.outcome == "children_present");
    CHECK(taken.user == "S. Worker");
    CHECK(taken.controller == county);
    CHECK(taken.retention == "notice");
    CHECK(taken.subjects == std::vector<std::string>{"flag/E10000024/1", "incident/31/NP-1"});
    const auto& owed = world.last.records[1];
    CHECK(owed.leaf.operation == Operation::disclosure);
    CHECK(owed.leaf.recipient == "police/31");
    CHECK(owed.leaf.topic == force_box);
    CHECK(owed.leaf.rule == "ASK-1");
    CHECK(owed.leaf.related == taken.leaf.index);
    CHECK(owed.controller == "police/31");
    CHECK(owed.subjects == taken.subjects);
    // What was asked stands in bodies only.
    for (const auto& record : world.last.records)
        for (const auto* text : {&record.leaf.outcome, &record.leaf.rule, &record.leaf.topic})
            CHECK(text->find("home") == std::string::npos);

    const auto asked = world.delivered<schemas::Question>(force_box);
    REQUIRE(asked.size() == 1);
    CHECK(asked[0].reference.starts_with("QU-"));
    CHECK(asked[0].incident_reference == "NP-1");
    CHECK(asked[0].about == "children_present");
    CHECK(asked[0].text == "Who was at home?");
    CHECK(asked[0].by == "S. Worker");
    CHECK(asked[0].asked_by == county);
    CHECK(asked[0].notice.empty());
    CHECK(asked[0].answer_by_us == to_us(world.now + 24h));
    const auto open = world.open(id16(asked[0].question));
    REQUIRE(open);
    CHECK(open->recipient == "police/31");
    CHECK(open->due == world.now + 24h);
    check_recovery(world);
}

TEST_CASE("the answer closes the question and goes to whoever asked, and to nobody else", "[exchange]") {
    Told world;
    const auto question = world.question();
    CHECK(where(world.receipt("police/31", question, Level::recorded)) ==
          "receipt.level: a question is answered");
    CHECK(confirmed(world.receipt("police/31", question, Level::opened)));
    CHECK(world.open(question)->state == "opened");
    world.now += 1h;
    REQUIRE(confirmed(world.answer(question)));
    REQUIRE(world.kinds() == std::vector{LeafKind::recorded, LeafKind::notice_issued});
    const auto& taken = world.last.records[0];
    CHECK(taken.leaf.operation == Operation::collection);
    CHECK(taken.leaf.message == question);
    CHECK(taken.leaf.number == 1);
    CHECK(taken.leaf.outcome == "answered");
    CHECK(taken.user == "P. Officer");
    CHECK(taken.controller == "police/31");
    const auto& told = world.last.records[1];
    CHECK(told.leaf.operation == Operation::disclosure);
    CHECK(told.leaf.recipient == county);
    CHECK(told.leaf.rule == "ASK-2");
    CHECK(told.leaf.purpose == "answering");
    CHECK(told.leaf.related == taken.leaf.index);
    CHECK(told.subjects == std::vector<std::string>{"flag/E10000024/1", "incident/31/NP-1"});

    REQUIRE(world.last.deliveries.size() == 1);
    CHECK(world.last.deliveries[0].topic == county_box);
    const auto answers = world.delivered<schemas::QuestionAnswer>(county_box);
    REQUIRE(answers.size() == 1);
    CHECK(answers[0].text == "The child and her mother.");
    CHECK(answers[0].by.empty());  // the agreement does not list it
    CHECK(answers[0].reference.starts_with("QU-"));
    CHECK(id16(answers[0].notice) == world.notice);
    CHECK_FALSE(world.open(question));
    const auto answer = id16(answers[0].answer);
    CHECK(world.open(answer)->due == world.now + 12h);
    check_recovery(world);

    CHECK(reason(world.answer(question)) == Reason::unknown_message);
    CHECK(reason(world.receipt("police/31", answer, Level::opened)) == Reason::not_permitted);
    CHECK(confirmed(world.receipt(county, answer, Level::opened)));
    CHECK_FALSE(world.open(answer));
    CHECK(world.open(world.notice));  // asking is not acting
    check_recovery(world);
}

TEST_CASE("the answer names the question as its publisher knows it", "[exchange]") {
    Told world;
    world.ask(county, world.notice, "NP-1");
    const auto message = *world.last.records[0].leaf.message;
    const auto asked = world.delivered<schemas::Question>(force_box);
    world.answer(id16(asked.at(0).question));
    CHECK(id16(world.delivered<schemas::QuestionAnswer>(county_box).at(0).question) == message);
}

TEST_CASE("only who was told of an incident may ask about it, and all others hear one and the same",
          "[exchange]") {
    Told world;
    const std::string not_theirs = "question.notice: not sent to you about this incident";
    world.send(incident_with(child_b, "NP-2"));  // at the same address: another notice to them
    CHECK(where(world.ask("social-care/E06000018", world.notice, "NP-1")) == not_theirs);
    CHECK(world.last.records.back().leaf.kind == LeafKind::refused);
    CHECK(reason(world.ask(county, world.notice, "NP-2")) == Reason::not_permitted);
    CHECK(where(world.ask(county, world.notice, "NP-3")) == not_theirs);
    CHECK(where(world.ask(county, world.notice, "NP-1", "32")) == not_theirs);
    CHECK(where(world.ask(county, Id16{9}, "NP-1")) == not_theirs);
    CHECK(where(world.ask("school/900001", world.notice, "NP-1")) ==
          "agreement: no rule lets school ask police");
    CHECK(where(world.ask("police/31", world.notice, "NP-1")) == "agreement: no rule lets police ask police");
    CHECK(world.exchange.high_water(force_box) == 0);
    CHECK(world.exchange.open_obligations().size() == 2);

    const auto question = world.question();
    CHECK(reason(world.answer(question, "police/32")) == Reason::not_permitted);
    CHECK(reason(world.answer(question, county)) == Reason::not_permitted);
    CHECK(reason(world.answer(world.notice)) == Reason::unknown_message);
    CHECK(world.open(question));
    check_recovery(world);
}

TEST_CASE("what does not make sense is refused by the field at fault", "[exchange]") {
    Told world;
    CHECK(where(world.ask(county, world.notice, "NP-1", "31", std::string(2001, 'x'))) == "question.text");
    CHECK(where(world.ask(county, world.notice, "NP-1", "31", "\x01")) == "question.text");
    CHECK(where(world.ask(county, world.notice, "")) == "question.incident_reference");
    CHECK(confirmed(world.ask(county, world.notice, "NP-1", "31", std::string(2000, 'x'))));
    const auto question = id16(world.delivered<schemas::Question>(force_box).at(0).question);
    CHECK(where(world.answer(question, "police/31", std::string(2001, 'x'))) == "answer.text");
    for (std::size_t i = 1; i < limits::questions_open_max; ++i)
        REQUIRE(confirmed(world.ask(county, world.notice, "NP-1")));
    CHECK(reason(world.ask(county, world.notice, "NP-1")) == Reason::not_permitted);
    CHECK(confirmed(world.answer(question)));
    CHECK(confirmed(world.ask(county, world.notice, "NP-1")));
}

TEST_CASE("a question nobody answers is asked again, its asker hears, and it stays owed", "[exchange]") {
    Told world;
    const auto question = world.question();
    world.tick(4h);
    REQUIRE(world.delivered<schemas::Question>(force_box).size() == 1);
    CHECK(id16(world.delivered<schemas::Question>(force_box)[0].question) == question);
    CHECK(world.reports(county) == std::vector<std::string>{"escalated NP-1 police"});
    world.tick(18h);
    CHECK(world.delivered<schemas::Question>(force_box).empty());
    CHECK(world.reports(county) == std::vector<std::string>{"escalated NP-1 police/31"});
    world.tick(2h);
    CHECK(world.reports(county) == std::vector<std::string>{"overdue NP-1 police"});
    world.tick(24h * 100);  // longer than the incident is followed
    CHECK(world.open(question)->overdue);
    check_recovery(world);
    REQUIRE(confirmed(world.answer(question)));
    CHECK(world.delivered<schemas::QuestionAnswer>(county_box).size() == 1);
    CHECK(world.reports(county) == std::vector<std::string>{"closed NP-1 police"});
    check_recovery(world);
}

TEST_CASE("a recall takes back what was answered before it, and a question it leaves is still owed",
          "[exchange]") {
    Told world;
    const auto first = world.question();
    world.answer(first);
    const auto answer = id16(world.delivered<schemas::QuestionAnswer>(county_box).at(0).answer);
    const auto second = world.question();
    auto withdrawn = incident_with(child_a, "NP-1", 2);
    withdrawn.status = schemas::IncidentStatus::withdrawn;
    world.send(withdrawn);
    CHECK_FALSE(world.open(world.notice));
    CHECK_FALSE(world.open(answer));
    CHECK(world.open(second));
    check_recovery(world);
    CHECK(confirmed(world.answer(second)));
    CHECK(world.delivered<schemas::QuestionAnswer>(county_box).size() == 1);
    check_recovery(world);
}

TEST_CASE(
    "one may ask about a notice that is closed, and about a later version, while the incident is followed",
    "[exchange]") {
    Told world;
    REQUIRE(confirmed(world.receipt(county, world.notice, Level::recorded)));
    CHECK(confirmed(world.ask(county, world.notice, "NP-1")));
    CHECK(world.last.records[0].subjects == std::vector<std::string>{"flag/E10000024/1", "incident/31/NP-1"});
    world.answer_all();
    world.tick(24h * 10);
    CHECK(confirmed(world.ask(county, world.notice, "NP-1")));
    world.answer_all();
    world.tick(24h * 91);
    CHECK(reason(world.ask(county, world.notice, "NP-1")) == Reason::not_permitted);
    check_recovery(world);
}
