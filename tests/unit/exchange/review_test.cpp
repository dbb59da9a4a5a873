#include "tests/unit/exchange/world.h"

using namespace flagpost;
using namespace flagpost::exchange;
using namespace flagpost::exchange::testing;
using log::LeafKind;
using schemas::Level;
using schemas::Verdict;
using namespace std::chrono_literals;

namespace {

const std::string desk = "reviews/E10000024";
const std::string county = "notices/social-care/E10000024";
const std::string first_school = "notices/school/900001";

/// A county with one pupil, and incidents that a person must look at before the school hears of them.
struct Desk : World {
    explicit Desk(schemas::Shield shield = schemas::Shield::none) {
        give(Started{texts(1, 1)});
        load_schools(*this);
        Load roll;
        roll.agency = "education/E10000024";
        roll.topic = "rolls/E10000024";
        roll.of = schemas::LoadOf::rolls;
        roll.scope = "la:E10000024";
        auto child = pupil(child_a, 900001);
        child.shield = shield;
        child.home = place(home_a);
        roll.items = {wire::pack<schemas::Pupil>(child)};
        load(roll);
    }
    schemas::IncidentValue held(const std::string& reference, std::uint32_t version = 1) const {
        auto value = abuse_with(child_a, reference, version);
        value.qualifiers = {"hold_for_person"};
        return value;
    }
    schemas::ReviewItemValue item() const {
        auto items = delivered<schemas::ReviewItem>(desk);
        REQUIRE(items.size() == 1);
        return std::move(items[0]);
    }
    Id16 id() const { return id16(item().review); }
};

}  // namespace

TEST_CASE("what a person permits is sent at once, as it was decided, and owed like any notice",
          "[exchange]") {
    Desk world;
    world.send(world.held("NP-1"));
    CHECK(world.delivered<schemas::SchoolNotice>(first_school).empty());
    const auto item = world.item();
    CHECK(item.will_be_told.size() == 9);
    CHECK_FALSE(item.two_people);
    const auto review = id16(item.review);

    world.now += 2h;
    REQUIRE(confirmed(world.decide_review(review, Verdict::permit)));
    REQUIRE(world.kinds() == std::vector{LeafKind::recorded, LeafKind::reviewed, LeafKind::notice_issued});
    const auto& decided = world.last.records[0];
    CHECK(decided.leaf.kind == LeafKind::recorded);
    CHECK(decided.leaf.outcome == "permit: looked_at");
    CHECK(decided.leaf.number == 1);
    CHECK(decided.user == "R. Viewer");
    const auto& reviewed = world.last.records[1].leaf;
    CHECK(reviewed.related == decided.leaf.index);
    const auto& sent = world.last.records[2].leaf;
    CHECK(sent.outcome == "permitted");
    CHECK(sent.related == reviewed.index);
    CHECK(sent.rule == "SCH-1");
    const auto told = world.delivered<schemas::SchoolNotice>(first_school);
    REQUIRE(told.size() == 1);
    CHECK(told[0].child_given_names == child_a.given);
    CHECK(told[0].read_by_us == to_us(at("2025-03-06", 8h + 40min)));
    const auto open = world.exchange.open_obligations();
    REQUIRE(open.size() == 1);
    CHECK(open[0].topic == first_school);
    CHECK(open[0].due == at("2025-03-06", 8h + 40min));

    // The first rung stands three hours before the deadline that now counts.
    world.now = at("2025-03-06", 5h + 41min);
    world.give(Tick{});
    CHECK(world.delivered<schemas::SchoolNotice>("notices/education/E10000024").size() == 1);
}

TEST_CASE("what a person denies is not sent, and is not asked again until police say something new",
          "[exchange]") {
    Desk world;
    world.send(world.held("NP-1"));
    REQUIRE(confirmed(world.decide_review(world.id(), Verdict::deny)));
    CHECK(world.exchange.open_obligations().empty());
    CHECK(world.kinds() == std::vector{LeafKind::recorded});

    world.send(world.held("NP-1", 2));
    CHECK(world.last.deliveries.empty());
    auto news = world.held("NP-1", 3);
    news.people[1]->present = false;
    world.send(news);
    CHECK(world.item().incident_version == 3);
}

TEST_CASE("whoever cannot tell asks police, and the item stays open", "[exchange]") {
    Desk world;
    world.send(world.held("NP-1"));
    const auto review = world.id();
    REQUIRE(confirmed(world.decide_review(review, Verdict::unsure)));
    CHECK(world.kinds() == std::vector{LeafKind::recorded, LeafKind::reported});
    const auto reports = world.delivered<schemas::Report>("reports/police/31");
    REQUIRE(reports.size() == 1);
    CHECK(reports[0].what == schemas::ReportOf::asked);
    CHECK(reports[0].about == "NP-1");
    CHECK(world.exchange.open_obligations().size() == 1);
    CHECK(confirmed(world.decide_review(review, Verdict::permit)));
}

TEST_CASE("a shielded child is told of only when two people agree", "[exchange]") {
    Desk world{schemas::Shield::refuge};
    world.send(abuse_with(child_a, "NP-1"));
    CHECK(world.item().two_people);
    const auto review = world.id();
    REQUIRE(confirmed(world.decide_review(review, Verdict::permit, "R. One")));
    CHECK(world.last.deliveries.empty());
    CHECK(world.exchange.open_obligations().size() == 1);

    SECTION("the second must be another") {
        const auto reply = world.decide_review(review, Verdict::permit, "R. One");
        CHECK(refusal(reply)->where == "review_decision.by: the second must be another person");
        CHECK(world.last.deliveries.empty());
    }
    SECTION("and think the same") {
        REQUIRE(confirmed(world.decide_review(review, Verdict::permit, "R. Two")));
        CHECK(world.delivered<schemas::SchoolNotice>(first_school).size() == 1);
    }
    SECTION("else nothing is sent, and the desk hears of it") {
        REQUIRE(confirmed(world.decide_review(review, Verdict::deny, "R. Two")));
        CHECK(world.delivered<schemas::SchoolNotice>(first_school).empty());
        CHECK(world.exchange.open_obligations().empty());
        CHECK(world.delivered<schemas::Report>("reports/social-care/E10000024").at(0).what ==
              schemas::ReportOf::disagreed);
    }
    SECTION("one who cannot tell is not the second") {
        REQUIRE(confirmed(world.decide_review(review, Verdict::unsure, "R. Two")));
        CHECK(world.exchange.open_obligations().size() == 1);
    }
}

TEST_CASE("a shield on a flag holds the school's notice, and its own authority is told", "[exchange]") {
    Desk world;
    Load flags;
    auto shielded = flag_at(child_a, "1", home_a);
    shielded.shield = schemas::Shield::adoption;
    flags.items = {wire::pack<schemas::Flag>(shielded)};
    world.load(flags);
    world.send(abuse_with(child_a, "NP-1"));
    CHECK(world.delivered<schemas::SocialCareNotice>(county).size() == 1);
    CHECK(world.delivered<schemas::SchoolNotice>(first_school).empty());
    CHECK(world.item().two_people);
}

TEST_CASE("a school whose contact is in the incident waits for a person", "[exchange]") {
    Desk world;
    auto value = abuse_with(child_a, "NP-1");
    involve(value, {"Anne", "First", "1980-01-01"}, schemas::Role::suspect);
    world.send(value);  // "A. First" is the school's first contact
    CHECK(world.delivered<schemas::SchoolNotice>(first_school).empty());
    CHECK(world.item().why.front() == "Somebody in the incident has the name of a contact of the school.");
    REQUIRE(confirmed(world.decide_review(world.id(), Verdict::permit)));
    CHECK(world.delivered<schemas::SchoolNotice>(first_school).size() == 1);
}

TEST_CASE("after a permit later versions go straight to whom it was for, on the same thread", "[exchange]") {
    Desk world;
    world.send(world.held("NP-1"));
    world.decide_review(world.id(), Verdict::permit);
    const auto first = world.delivered<schemas::SchoolNotice>(first_school).at(0).notice;
    world.send(world.held("NP-1", 2));
    CHECK(world.last.deliveries.empty());
    auto news = world.held("NP-1", 3);
    news.people[1]->present = false;
    world.send(news);
    REQUIRE(world.last.deliveries.size() == 1);
    CHECK(world.last.deliveries[0].topic == first_school);
    const auto update = wire::read_envelope(world.last.deliveries[0].envelope).value();
    CHECK(Bytes(update.table->correlation()->begin(), update.table->correlation()->end()) == first);
}

TEST_CASE("a permit holds for the doubts it was given for: one more, and a person looks again",
          "[exchange]") {
    Desk world;
    auto value = abuse_with(child_a, "NP-1");
    value.qualifiers = {"hold_for_person"};
    world.send(value);
    REQUIRE(confirmed(world.decide_review(world.id(), Verdict::permit)));
    REQUIRE(world.delivered<schemas::SchoolNotice>(first_school).size() == 1);

    const auto [why, shielded, word] = GENERATE(table<const char*, bool, const char*>({
        {"the suspect has the name of a contact of the school", false,
         "Somebody in the incident has the name of a contact of the school."    },
        {"the child is shielded by now",                        true,
         "The child is shielded: two people must agree before anything is sent."},
    }));
    CAPTURE(why);
    if (shielded) {
        Load flags;
        auto flag = flag_at(child_a, "1", home_a);
        flag.shield = schemas::Shield::refuge;
        flags.items = {wire::pack<schemas::Flag>(flag)};
        world.load(flags);
    } else {
        involve(value, {"Anne", "First", "1980-01-01"}, schemas::Role::suspect);
    }
    value.version = 2;
    value.people[1]->present = false;
    world.send(value);
    CHECK(world.delivered<schemas::SchoolNotice>(first_school).empty());
    const auto item = world.item();
    CHECK(std::ranges::find(item.why, word) != item.why.end());
    CHECK(item.two_people == shielded);
    REQUIRE(confirmed(world.decide_review(id16(item.review), Verdict::permit, "R. One")));
    if (shielded) {
        CHECK(world.delivered<schemas::SchoolNotice>(first_school).empty());
        REQUIRE(confirmed(world.decide_review(id16(item.review), Verdict::permit, "R. Two")));
    }
    // And now it is the correction of what was sent before.
    const auto sent = world.delivered<schemas::SchoolNotice>(first_school);
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].incident_version == 2);

    value.version = 3;
    value.people[1]->present = true;
    world.send(value);
    CHECK(world.delivered<schemas::SchoolNotice>(first_school).size() == 1);
    check_recovery(world);
}

TEST_CASE("what was told at once, and of a later version is held, is corrected when a person permits it",
          "[exchange]") {
    Desk world;
    world.send(abuse_with(child_a, "NP-1"));
    const auto first = world.delivered<schemas::SchoolNotice>(first_school).at(0).notice;
    auto news = world.held("NP-1", 2);
    news.people[1]->present = false;
    world.send(news);
    CHECK(world.delivered<schemas::SchoolNotice>(first_school).empty());
    const auto review = world.id();
    REQUIRE(confirmed(world.decide_review(review, Verdict::permit)));
    const auto sent = world.delivered<schemas::SchoolNotice>(first_school);
    REQUIRE(sent.size() == 1);
    CHECK_FALSE(sent[0].child_present);
    const auto update = wire::read_envelope(world.last.deliveries.at(0).envelope).value();
    CHECK(Bytes(update.table->correlation()->begin(), update.table->correlation()->end()) == first);
    check_recovery(world);
}

TEST_CASE("another child at the same place of a later version is looked at for itself", "[exchange]") {
    Desk world;
    const auto with = [&](const Who& child, std::uint32_t version) {
        auto value = abuse_with(child, "NP-1", version);
        value.people[1]->school_urn = 900001;  // no roll has it, but the authority is known
        return value;
    };
    world.send(with(child_b, 1));
    const auto reviews = world.delivered<schemas::ReviewItem>(desk);
    REQUIRE(reviews.size() == 1);
    REQUIRE(reviews[0].bound_for == "education/E10000024");
    REQUIRE(confirmed(world.decide_review(id16(reviews[0].review), Verdict::permit)));
    const std::string officer = "notices/education/E10000024";
    CHECK(world.delivered<schemas::SchoolNotice>(officer).size() == 1);
    const Who other{"Marek", "Wolanski", "2013-05-21"};
    world.send(with(other, 2));
    CHECK(world.delivered<schemas::SchoolNotice>(officer).empty());
    const auto again = world.delivered<schemas::ReviewItem>(desk);
    REQUIRE(again.size() == 1);
    REQUIRE(confirmed(world.decide_review(id16(again[0].review), Verdict::permit)));
    const auto told = world.delivered<schemas::SchoolNotice>(officer);
    REQUIRE(told.size() == 1);
    CHECK(told[0].child_given_names == other.given);
}

TEST_CASE("whoever may be in the incident does not decide about it", "[exchange]") {
    const auto [why, by, refused] = GENERATE(table<const char*, const char*, bool>({
        {"the victim herself",               "Katherine Ravenscroft",    true },
        {"by what the pages call people",    "katherine.ravenscroft",    true },
        {"by an initial, as some sign",      "K. Ravenscroft",           true },
        {"with blanks around",               " Katherine  Ravenscroft ", true },
        {"a namesake by surname alone",      "Lee Ravenscroft",          false},
        {"a namesake by first name alone",   "Katherine Jones",          false},
        {"the child's name: no child works", "Amelia Ravenscroft",       false},
        {"one word, no name",                "duty",                     false},
        {"nobody of it",                     "Lee Jones",                false},
    }));
    CAPTURE(why);
    Desk world;
    world.send(world.held("NP-1"));
    const auto review = world.id();
    for (const auto verdict : {Verdict::permit, Verdict::deny, Verdict::unsure}) {
        if (!refused && verdict != Verdict::permit) continue;
        const auto said = refusal(world.decide_review(review, verdict, by));
        REQUIRE(said.has_value() == refused);
        if (refused) CHECK(said->where.starts_with("review_decision.by: somebody in the incident"));
        CHECK(world.delivered<schemas::SchoolNotice>(first_school).empty() == refused);
    }
    if (!refused) return;
    CHECK(world.exchange.open_obligations().size() == 1);
    REQUIRE(confirmed(world.decide_review(review, Verdict::permit, "Lee Jones")));
    check_recovery(world);
}

TEST_CASE("one thing wrong with a decision refuses it and sends nothing", "[exchange]") {
    Desk world;
    world.send(world.held("NP-1"));
    const auto review = world.id();
    auto news = world.held("NP-1", 2);
    news.people[1]->present = false;
    world.send(news);
    const auto newer = world.id();
    auto unknown = incident("NP-2");
    unknown.domestic_abuse = true;
    involve(unknown, mother_a, schemas::Role::victim);
    involve(unknown, child_b, schemas::Role::child);
    unknown.people[1]->relationships.push_back(std::make_unique<schemas::RelationshipValue>());
    unknown.people[1]->relationships.back()->relation = "child";
    world.send(unknown);
    // Nobody knows whose child it is: the first authority's desk looks.
    const auto no_school = id16(world.delivered<schemas::ReviewItem>("reviews/E06000018").at(0).review);

    const auto where = [&](const Reply& reply) {
        CHECK(world.last.deliveries.empty());
        const auto refused = refusal(reply);
        return refused ? refused->where : "";
    };
    CHECK(where(world.decide_review(review, Verdict::permit)) == "review_decision.review: a newer one waits");
    CHECK(where(world.decide_review(no_school, Verdict::permit, "R. One", "social-care/E06000018")) ==
          "review_decision.verdict: there is nothing to send");
    CHECK(where(world.decide_review(newer, Verdict::permit, "")) == "review_decision.by");
    CHECK(where(world.decide_review(Id16{1}, Verdict::permit)) == "review_decision.review");
    CHECK(where(world.decide_review(newer, Verdict::permit, "R. One", "school/900001")) != "");
    CHECK(where(world.receipt("social-care/E10000024", newer, Level::recorded)) ==
          "receipt.level: a review is decided");
    REQUIRE(confirmed(world.decide_review(newer, Verdict::deny)));
    CHECK(where(world.decide_review(newer, Verdict::permit)) == "review_decision.review: already decided");
    CHECK(where(world.decide_review(no_school, Verdict::deny, "R. One", "social-care/E06000018")) == "");
}

TEST_CASE("the details of both sides stand side by side, what differs first", "[exchange]") {
    Desk world;
    auto value = world.held("NP-1");
    value.people[1]->home = place(home_a);
    world.send(value);
    const auto item = world.item();
    REQUIRE(item.compared.size() == 6);
    std::map<std::string, schemas::Agreeing> how;
    for (const auto& row : item.compared) how[row->detail] = row->how;
    CHECK(how["First names"] == schemas::Agreeing::agree);
    CHECK(how["Date of birth"] == schemas::Agreeing::agree);
    CHECK(how["Pupil number"] == schemas::Agreeing::not_compared);
}

TEST_CASE("an incident that is withdrawn is recalled from everybody it went to", "[exchange]") {
    Desk world;
    Load flags;
    flags.items = {wire::pack<schemas::Flag>(flag_at(child_a, "1", home_a))};
    world.load(flags);
    world.send(abuse_with(child_a, "NP-1"));
    const auto to_county = world.delivered<schemas::SocialCareNotice>(county).at(0);
    const auto to_school = world.delivered<schemas::SchoolNotice>(first_school).at(0);
    world.receipt("school/900001", id16(to_school.notice), Level::opened);
    world.now = at("2025-03-06", 6h);
    auto withdrawn = incident("NP-1", 2);
    withdrawn.status = schemas::IncidentStatus::withdrawn;
    world.send(withdrawn);

    const auto recall = world.delivered<schemas::Recall>(county);
    REQUIRE(recall.size() == 1);
    CHECK(recall[0].recalls == to_county.notice);
    CHECK(recall[0].recalled_reference == to_county.reference);
    CHECK(recall[0].reason == schemas::RecallReason::withdrawn);
    REQUIRE(world.delivered<schemas::Recall>(first_school).size() == 1);
    CHECK(world.kinds() == std::vector{LeafKind::published, LeafKind::decided, LeafKind::recorded,
                                       LeafKind::notice_issued, LeafKind::notice_issued});
    // What is recalled is not delivered any more; that it was removed is owed until somebody says so.
    CHECK_FALSE(world.exchange.pending(county, 1));
    CHECK(world.exchange.open_obligations().size() == 2);
    REQUIRE(confirmed(world.receipt("social-care/E10000024", id16(recall[0].notice), Level::opened)));
    CHECK(world.exchange.open_obligations().size() == 2);
    REQUIRE(confirmed(world.receipt("social-care/E10000024", id16(recall[0].notice), Level::recorded)));
    CHECK(world.exchange.open_obligations().size() == 1);

    withdrawn.version = 3;
    world.send(withdrawn);
    CHECK(world.last.deliveries.empty());
}

TEST_CASE("whoever was escalated to hears of the recall too", "[exchange]") {
    Desk world;
    world.send(abuse_with(child_a, "NP-1"));
    world.now = at("2025-03-06", 5h + 45min);
    world.give(Tick{});
    REQUIRE(world.delivered<schemas::SchoolNotice>("notices/education/E10000024").size() == 1);
    auto withdrawn = incident("NP-1", 2);
    withdrawn.status = schemas::IncidentStatus::withdrawn;
    world.send(withdrawn);
    CHECK(world.delivered<schemas::Recall>(first_school).size() == 1);
    const auto recall = world.delivered<schemas::Recall>("notices/education/E10000024");
    REQUIRE(recall.size() == 1);
    CHECK(confirmed(world.receipt("education/E10000024", id16(recall[0].notice), Level::recorded)));
}

TEST_CASE("a child whom a corrected incident does not concern is recalled; one who left the roll is not",
          "[exchange]") {
    Desk world;
    world.send(abuse_with(child_a, "NP-1"));
    const auto told = world.delivered<schemas::SchoolNotice>(first_school).at(0);
    const bool left = GENERATE(false, true);
    CAPTURE(left);
    if (left) {
        Load roll;
        roll.agency = "education/E10000024";
        roll.topic = "rolls/E10000024";
        roll.of = schemas::LoadOf::rolls;
        roll.scope = "la:E10000024";
        roll.sequence = 2;
        roll.items = {wire::pack<schemas::Pupil>(pupil(stranger, 900002))};
        world.load(roll);
        world.send(abuse_with(child_a, "NP-1", 2));
        CHECK(world.delivered<schemas::Recall>(first_school).empty());
        return;
    }
    world.send(abuse_with(child_b, "NP-1", 2));
    const auto recall = world.delivered<schemas::Recall>(first_school);
    REQUIRE(recall.size() == 1);
    CHECK(recall[0].reason == schemas::RecallReason::corrected);
    // And should it concern the child after all, the school hears of it again.
    world.send(abuse_with(child_a, "NP-1", 3));
    CHECK(world.delivered<schemas::SchoolNotice>(first_school).size() == 1);
    static_cast<void>(told);
}
