/// make_inbox FILE [trust|desk|crowd COUNT]: an inbox with a notice in every state pages know, of social care or of a trust of two
/// schools, for tests/browser; `desk` is social care with matches to review, a recall and a question besides; `crowd` is COUNT notices
/// of social care, four in ten of them overdue, come over 400 days. Times are relative to now.
#include <cstdlib>
#include <iostream>
#include <utility>

#include "adapters/client/box.h"
#include "broker/crypto/keys.h"
#include "notice_generated.h"

using namespace flagpost;
using namespace std::chrono_literals;

namespace {

schemas::SocialCareNoticeValue notice(std::uint8_t number, const std::string& reference,
                                      const std::string& given, const std::string& family, Instant act_by,
                                      Instant now) {
    schemas::SocialCareNoticeValue value;
    value.notice.assign(16, number);
    value.reference = reference;
    value.la = "E10000024";
    value.la_child_id = "C10" + std::to_string(number);
    value.child = std::make_unique<schemas::PersonValue>();
    value.child->given_names = given;
    value.child->family_name = family;
    value.child->date_of_birth = "2019-03-04";
    value.flag_start = "2025-06-19";
    value.outcome = schemas::Outcome::match;
    value.hit = schemas::HitKind::both;
    value.reasons = {"Surname and date of birth agree", "Address agrees"};
    value.force = "31";
    value.incident_reference = "NP-2026-00" + std::to_string(number);
    value.incident_version = 1;
    value.occurred_us = to_us(now - 14h);
    value.place = "14 Example Street, Norham NH1 1AB";
    value.category = "Domestic abuse";
    value.circumstances =
        "Police were called to the address by a neighbour who heard shouting. Both adults had been drinking. "
        "One "
        "was arrested; the children were found upstairs in one bedroom.";
    value.assessment =
        "Third call to this address since October. The officer is worried about the effect on the children.";
    value.risk = std::make_unique<schemas::RiskGradeValue>();
    value.risk->grade = "medium";
    value.risk->tool = "DARA";
    value.risk->tool_version = "2";
    value.children_named = 2;
    value.children_unidentified = 1;
    value.child_present = true;
    value.voice_of_child = "Spoken to alone: yes. \"I heard them fighting and hid with my brother.\"";
    for (const auto& [role, relation] : {
             std::pair{schemas::Role::victim,  "mother"},
             {schemas::Role::suspect, "man"   }
    }) {
        auto adult = std::make_unique<schemas::AdultInvolvedValue>();
        adult->role = role;
        adult->relation = relation;
        value.adults.push_back(std::move(adult));
    }
    value.not_a_referral = "x";
    value.worker = std::make_unique<schemas::WorkerValue>();
    value.worker->name = "Sam Patel";
    value.team = "North team";
    value.duty_contact = "MASH, 01632 960100";
    value.feed_age_hours = 5;
    value.act_by_us = to_us(act_by);
    value.police_contact = "Norham PPU, 01632 960101";
    return value;
}

schemas::SchoolNoticeValue school_notice(std::uint8_t number, const std::string& reference,
                                         const std::string& given, Instant read_by, Instant now) {
    schemas::SchoolNoticeValue value;
    value.notice.assign(16, number);
    value.reference = reference;
    value.urn = 900001;
    value.school_name = "Oak Primary School";
    value.child_given_names = given;
    value.child_family_name = "Example";
    value.child_date_of_birth = "2019-03-04";
    value.upn = "B801200005001";
    value.force = "31";
    value.incident_reference = "NP-2026-00" + std::to_string(number);
    value.incident_version = 1;
    value.occurred_us = to_us(now - 14h);
    value.child_present = true;
    value.voice_of_child = "Spoken to alone: yes. \"I heard them fighting and hid with my brother.\"";
    value.circumstances = "Police were called to the address by a neighbour who heard shouting.";
    value.handling = {"Only the DSL and deputies may read this."};
    value.read_by_us = to_us(read_by);
    value.police_contact = "Norham PPU, 01632 960101";
    value.addressed_to = "Jo Wren";
    return value;
}

template <class Table, class Value> client::Incoming item_of(const std::string& topic, schemas::Kind kind,
                                                             std::uint64_t number, const Value& value,
                                                             Instant received, Random& random) {
    client::Incoming item{};
    item.topic = topic;
    item.number = number;
    item.kind = kind;
    item.id = random.bytes<16>();
    item.payload = wire::pack<Table>(value);
    item.received = received;
    return item;
}

std::vector<client::Incoming> trust_items(Instant now, Random& random) {
    std::vector<schemas::SchoolNoticeValue> notices;
    notices.push_back(school_notice(1, "FP-AAAA-LATE", "Ava", now - 42min, now));
    notices.push_back(school_notice(2, "FP-BBBB-SOON", "Ben", now + 90min, now));
    notices.push_back(school_notice(3, "FP-CCCC-WAS1", "Cora", now + 10h, now));
    notices.push_back(school_notice(4, "FP-DDDD-NOW2", "Cora", now + 20h, now));
    notices.back().incident_reference = "NP-2026-003";
    notices.back().incident_version = 2;
    notices.back().voice_of_child = "Not spoken to.";
    notices.push_back(school_notice(5, "FP-EEEE-ODD1",
                                    "<script>alert(1)</script> D'Arcy Si\xC3\xA2n " + std::string(200, 'w'),
                                    now + 11h, now));
    notices.back().voice_of_child = "</dd><script>document.title='x'</script>";
    notices.push_back(school_notice(6, "FP-FFFF-BARE", "Dylan", Instant{}, now));
    auto& bare = notices.back();
    bare.child_date_of_birth = bare.upn = bare.voice_of_child = bare.circumstances = bare.police_contact = "";
    bare.handling.clear();
    bare.child_present = false;
    bare.read_by_us = 0;
    notices.push_back(school_notice(7, "FP-GGGG-ELM1", "Ela", now + 12h, now));
    notices.back().urn = 900002;
    notices.back().school_name = "Elm Academy";
    std::vector<client::Incoming> items;
    for (const auto& each : notices)
        items.push_back(item_of<schemas::SchoolNotice>("notices/school/" + std::to_string(each.urn),
                                                       schemas::Kind::school_notice, items.size() + 1'000'000,
                                                       each, now - 13h, random));
    return items;
}

schemas::ReviewItemValue review(std::uint8_t number, const std::string& reference, Instant decide_by) {
    schemas::ReviewItemValue value;
    value.review.assign(16, number);
    value.reference = reference;
    value.la = "E10000024";
    value.force = "31";
    value.incident_reference = "NP-2026-0" + std::to_string(number);
    value.incident_version = 1;
    value.outcome = schemas::Outcome::low;
    value.bound_for = "school/900001";
    value.bound_for_name = "Oak Primary School";
    value.force_name = "Norham Police";
    value.subject = "B801200005001";
    value.why = {"Same surname and date of birth, another first name. A twin?"};
    value.decide_by_us = to_us(decide_by);
    value.will_be_told = {"child_given_names", "child_family_name", "incident_reference", "occurred_us"};
    for (const auto& [detail, police, theirs, how] : {
             std::tuple{"First names",   "Eve",               "Ava",           schemas::Agreeing::differ      },
             std::tuple{"Surname",       "Example",           "Example",       schemas::Agreeing::agree       },
             std::tuple{"Date of birth", "2019-03-04",        "2019-03-04",    schemas::Agreeing::agree       },
             std::tuple{"Address",       "14 Example Street", "14 Example St", schemas::Agreeing::agree       },
             std::tuple{"Pupil number",  "",                  "B801200005001", schemas::Agreeing::not_compared}
    }) {
        auto row = std::make_unique<schemas::ComparedDetailValue>();
        row->detail = detail;
        row->police = police;
        row->theirs = theirs;
        row->how = how;
        value.compared.push_back(std::move(row));
    }
    for (const auto& [detail, found, weight] : {
             std::tuple{"To begin with",       "How likely it is of any record, before anything is compared.",
                        -11'800                                                                                      },
             std::tuple{"First names",         "First name differs.",                                          -3'500},
             std::tuple{"Surname",             "Family name agrees.",                                          8'720 },
             std::tuple{"Date of birth",       "Date of birth agrees.",                                        12'200},
             std::tuple{"Address",             "House number and street agree.",                               6'500 },
             std::tuple{"Sex",                 "Agrees.",                                                      900   },
             std::tuple{"Pupil or NHS number", "One side does not say.",                                       0     }
    }) {
        auto row = std::make_unique<schemas::WeighedDetailValue>();
        row->detail = detail;
        row->found = found;
        row->weight = weight;
        value.weighed.push_back(std::move(row));
    }
    value.score = -3'300;
    value.weighed_by = "SCH-1, agreement 3f2a90c41b7d";
    return value;
}

/// Matches a person must look at, a notice that was taken back, and one about which police were asked and have answered.
void add_desk(client::Box& box, Instant now, Random& random) {
    const std::string topic = "notices/social-care/E10000024";
    std::vector<client::Incoming> items;
    std::uint64_t number = 2'000'000;
    const auto add_review = [&](schemas::ReviewItemValue value) {
        items.push_back(item_of<schemas::ReviewItem>("reviews/E10000024", schemas::Kind::review_item,
                                                     ++number, value, now - 1h, random));
    };
    add_review(review(71, "RV-AAAA-0NE1", now + 3h));
    auto two = review(72, "RV-BBBB-TW02", now + 4h);
    two.two_people = true;
    two.why = {"The child is shielded: two people must agree before anything is sent."};
    add_review(std::move(two));
    add_review(review(73, "RV-CCCC-LATE", now - 10min));
    auto nothing = review(74, "RV-DDDD-N0NE", now + 5h);
    nothing.will_be_told.clear();
    nothing.compared.clear();
    nothing.bound_for = "education/E10000024";
    nothing.bound_for_name = "Norham education safeguarding team";
    nothing.why = {"A child related to an adult of a domestic-abuse incident has no known school."};
    add_review(std::move(nothing));
    std::uint8_t rival = 75;
    for (const auto& [reference, given, school, name, score] : {
             std::tuple{"RV-EEEE-M4NY", "Eva",  "900001", "Oak Primary School", 2'100 },
             std::tuple{"RV-FFFF-M4NY", "Evie", "900002", "Elm Academy",        4'400 },
             std::tuple{"RV-GGGG-M4NY", "Ava",  "900001", "Oak Primary School", -3'300}
    }) {
        auto value = review(rival, reference, now + 6h);
        value.incident_reference = "NP-2026-090";
        value.person = 2;
        value.subject = "B8012000050" + std::to_string(rival++);
        value.compared[0]->theirs = given;
        value.bound_for = std::string{"school/"} + school;
        value.bound_for_name = name;
        value.score = score;
        value.why = {"Several records fit this person."};
        add_review(std::move(value));
    }

    auto gone = notice(91, "FP-JJJJ-G0NE", "Greta", "Gone", now + 7h, now);
    items.push_back(item_of<schemas::SocialCareNotice>(topic, schemas::Kind::social_care_notice, ++number,
                                                       gone, now - 2h, random));
    schemas::RecallValue recall;
    recall.notice.assign(16, 92);
    recall.reference = "FP-KKKK-TAKE";
    recall.recalls.assign(16, 91);
    recall.recalled_reference = gone.reference;
    recall.reason = schemas::RecallReason::corrected;
    recall.force = "31";
    recall.incident_reference = gone.incident_reference;
    recall.incident_version = 2;
    recall.recalled_at_us = to_us(now - 1h);
    recall.act_by_us = to_us(now + 6h);
    recall.police_contact = "Norham PPU, 01632 960101";
    items.push_back(
        item_of<schemas::Recall>(topic, schemas::Kind::recall, ++number, recall, now - 1h, random));

    auto asked = notice(93, "FP-LLLL-ASKD", "Ada", "Asked", now + 7h, now);
    const auto about = item_of<schemas::SocialCareNotice>(topic, schemas::Kind::social_care_notice, ++number,
                                                          asked, now - 3h, random);
    items.push_back(about);
    box.receive(items);
    const auto agency = AgencyId::parse("social-care/E10000024").value();
    box.ask(about, {"people", "Was anybody else in the house that night?", "Sam Patel"}, agency);
    schemas::QuestionAnswerValue answer;
    answer.answer.assign(16, 94);
    answer.reference = "QU-LLLL-ASKD";
    const auto question = box.questions_about(about).at(0).id;
    answer.question.assign(question.begin(), question.end());
    answer.notice.assign(16, 93);
    answer.outcome = "answered";
    answer.text = "Her aunt was; she has gone home since. Nobody else was seen.";
    answer.by = "PC Lowe";
    answer.answered_us = to_us(now - 5min);
    answer.read_by_us = to_us(now + 20h);
    box.receive({item_of<schemas::QuestionAnswer>(topic, schemas::Kind::answer, ++number, answer, now - 4min,
                                                  random)});
}

/// So many notices, not in the order of their deadlines, as `make` makes them from a number in digits and when each is due.
template <class Table, class Make> void add_crowd(client::Box& box, int count, const char* topic,
                                                  schemas::Kind kind, Instant now, Random& random,
                                                  Make&& make) {
    constexpr std::size_t batch = 500;
    std::vector<client::Incoming> items;
    for (int i = 0; i < count; ++i) {
        const std::string number = std::to_string(10'000 + i * 7 % count);
        const auto apart = std::chrono::minutes{i + 1};
        auto value = make(number, i % 5 < 2 ? now - apart : now + 1h + apart);
        const auto id = random.bytes<16>();
        value.notice.assign(id.begin(), id.end());
        value.incident_reference = "NP-2026-" + number;
        items.push_back(item_of<Table>(topic, kind, static_cast<std::uint64_t>(i) + 1'000'000, value,
                                       now - 13h - 24h * (i * 4 % 400), random));
        if (items.size() == batch || i + 1 == count) box.receive(std::exchange(items, {}));
    }
}

/// Of one school.
void add_school_crowd(client::Box& box, int count, Instant now, Random& random) {
    add_crowd<schemas::SchoolNotice>(box, count, "notices/school/900001", schemas::Kind::school_notice, now,
                                     random, [&](const std::string& number, Instant due) {
                                         return school_notice(1, "FP-CR0W-" + number, "Ava", due, now);
                                     });
}

void add_social_care_crowd(client::Box& box, int count, Instant now, Random& random) {
    add_crowd<schemas::SocialCareNotice>(
        box, count, "notices/social-care/E10000024", schemas::Kind::social_care_notice, now, random,
        [&](const std::string& number, Instant due) {
            auto value = notice(1, "FP-CR0W-" + number, "Ava", "Crowd", due, now);
            value.la_child_id = "C" + number;
            return value;
        });
}

}  // namespace

int main(int argc, char** argv) {
    const std::string of = argc >= 3 ? argv[2] : "";
    const int crowd = argc == 4 ? std::atoi(argv[3]) : 0;
    if (argc < 2 || (argc == 3 && of != "trust" && of != "desk") ||
        (argc == 4 && ((of != "crowd" && of != "school") || crowd < 1)) || argc > 4) {
        std::cerr << "usage: make_inbox FILE [trust|desk|crowd COUNT|school COUNT]\n";
        return 2;
    }
    SystemClock clock;
    crypto::SystemRandom random;
    const Instant now = clock.now();
    if (of == "trust") {
        client::Box{argv[1], clock, random}.receive(trust_items(now, random));
        return 0;
    }
    if (of == "school") {
        client::Box box{argv[1], clock, random};
        add_school_crowd(box, crowd, now, random);
        return 0;
    }
    if (of == "crowd") {
        client::Box box{argv[1], clock, random};
        add_social_care_crowd(box, crowd, now, random);
        return 0;
    }
    std::vector<schemas::SocialCareNoticeValue> notices;
    notices.push_back(notice(1, "FP-AAAA-LATE", "Ava", "Example", now - 42min, now));
    notices.push_back(notice(2, "FP-BBBB-SOON", "Ben", "Example", now + 90min, now));
    notices.push_back(notice(3, "FP-CCCC-POSS", "Cora", "Sample", now + 8h, now));
    notices.back().outcome = schemas::Outcome::potential;
    notices.back().reasons = {"Date of birth agrees", "The first name differs in spelling"};
    notices.push_back(notice(4, "FP-DDDD-HIST", "Dylan", "Sample", now + 9h, now));
    notices.back().flag_end = "2026-06-01";
    notices.back().feed_age_hours = 51;
    notices.push_back(notice(5, "FP-EEEE-WAS1", "Ela", "Specimen", now + 10h, now));
    notices.push_back(notice(6, "FP-FFFF-NOW2", "Ela", "Specimen", now + 20h, now));
    notices.back().la_child_id = "C105";
    notices.back().incident_reference = "NP-2026-005";
    notices.back().incident_version = 2;
    notices.back().category = "Anti-social behaviour";
    notices.push_back(notice(7, "FP-GGGG-ODD1",
                             "<script>alert(1)</script> D'Arcy \xD8\xA3\xD9\x85\xD9\x84 Si\xC3\xA2n",
                             "\"><img src=x onerror=alert(1)>" + std::string(200, 'w'), now + 11h, now));
    notices.back().worker.reset();
    notices.back().circumstances = "</dd><script>document.title='x'</script>";
    notices.push_back(notice(8, "FP-HHHH-BARE", "", "", Instant{}, now));
    auto& bare = notices.back();
    bare.child->date_of_birth.clear();
    bare.flag_kind = schemas::FlagKind::unborn_child_protection_plan;
    bare.child->family_name = "Fairweather";
    bare.circumstances = bare.voice_of_child = bare.place = bare.assessment = bare.category = "";
    bare.adults.clear();
    bare.risk.reset();
    bare.occurred_us = bare.act_by_us = 0;

    client::Box box{argv[1], clock, random};
    std::vector<client::Incoming> items;
    for (const auto& each : notices)
        items.push_back(item_of<schemas::SocialCareNotice>(
            "notices/social-care/E10000024", schemas::Kind::social_care_notice, items.size() + 1'000'000,
            each, now - 13h, random));
    box.receive(items);
    if (of == "desk") add_desk(box, now, random);
}
