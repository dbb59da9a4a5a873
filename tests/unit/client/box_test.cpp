#include "adapters/client/box.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "broker/crypto/keys.h"
#include "load_generated.h"
#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::client;

namespace {

class FixedClock final : public Clock {
public:
    Instant now() override { return at += std::chrono::seconds{1}; }
    Instant at = from_us(1'740'000'000'000'000);
};

/// A box in a directory of its own that can be closed and opened again.
struct Desk {
    Desk() { reopen(); }
    void reopen() { box.emplace(file(), clock, random); }
    std::filesystem::path file() const { return directory.path() / "box.db"; }

    test::TemporaryDirectory directory;
    FixedClock clock;
    crypto::SystemRandom random;
    std::optional<Box> box;
};

wire::Draft draft(std::string subject) {
    wire::Draft draft{schemas::Kind::incident, "incidents/31", std::move(subject), {}, {}, {}, {}};
    draft.payload = {1, 2, 3};
    return draft;
}

Bytes school_notice(const Id16& notice, const std::string& reference) {
    schemas::SchoolNoticeValue value;
    value.notice.assign(notice.begin(), notice.end());
    value.reference = reference;
    value.force = "31";
    value.incident_reference = "NP-1";
    value.handling = {"keep in the protection file"};
    return wire::pack<schemas::SchoolNotice>(value);
}

Incoming delivery(std::uint64_t number, std::uint8_t tag, const std::string& reference = "FP-7K3M-29QD") {
    Id16 id{};
    id.fill(tag);
    return {"notices/school/122802",
            number,
            100 + number,
            schemas::Kind::school_notice,
            id,
            school_notice(id, reference),
            from_us(1'740'000'000'000'000),
            {},
            {},
            {},
            {},
            {}};
}

const AgencyId school = AgencyId::parse("school/122802").value();

}  // namespace

TEST_CASE("the box can be read by its owner alone, whatever the umask", "[client]") {
    const mode_t before = ::umask(0);
    Desk desk;
    ::umask(before);
    struct stat status {};
    REQUIRE(::stat(desk.file().c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("what is enqueued waits in its order until it is confirmed or refused", "[client]") {
    Desk desk;
    const auto ids = desk.box->enqueue({
        {draft("a"), "day.csv:2"},
        {draft("b"), "day.csv:3"},
        {draft("c"), "day.csv:4"}
    });
    REQUIRE(ids.size() == 3);
    desk.reopen();

    auto waiting = desk.box->waiting(10);
    REQUIRE(waiting.size() == 3);
    CHECK(waiting[0].id == ids[0]);
    CHECK(waiting[2].source == "day.csv:4");
    CHECK(wire::read_envelope(waiting[1].envelope)->table->subject()->str() == "b");
    CHECK(desk.box->waiting(2).size() == 2);
    CHECK(desk.box->waiting(10, ids[0]).front().id == ids[1]);
    CHECK(desk.box->waiting(10, ids[2]).empty());

    desk.box->confirmed({
        {ids[1], 77}
    });
    desk.box->refused(ids[0], {Reason::not_permitted, "topic"});
    CHECK(desk.box->waiting(10).size() == 1);
    CHECK(desk.box->waiting(10, ids[1]).front().id == ids[2]);  // also from behind one that is confirmed

    const auto confirmed = desk.box->status(ids[1]);
    CHECK(confirmed.state == OutgoingState::confirmed);
    CHECK(confirmed.index == 77);
    CHECK(confirmed.subject == "b");
    const auto refused = desk.box->status(ids[0]);
    CHECK(refused.state == OutgoingState::refused);
    CHECK(refused.refusal == Refusal{Reason::not_permitted, "topic"});
    CHECK(desk.box->refusals(10).size() == 1);

    const auto counts = desk.box->counts();
    CHECK(counts.waiting == 1);
    CHECK(counts.confirmed == 1);
    CHECK(counts.refused == 1);
    CHECK(counts.oldest_waiting == desk.box->status(ids[2]).enqueued);
    CHECK_THROWS_AS(desk.box->status(Id16{}), std::out_of_range);
}

TEST_CASE("a confirm after a refusal is believed, a refusal after a confirm is not", "[client]") {
    Desk desk;
    const auto id = desk.box
                        ->enqueue({
                            {draft("a"), ""}
    })
                        .front();
    desk.box->refused(id, {Reason::conflict, "id"});
    desk.box->confirmed({
        {id, 5}
    });
    CHECK(desk.box->status(id).state == OutgoingState::confirmed);
    desk.box->refused(id, {Reason::conflict, "id"});
    CHECK(desk.box->status(id).state == OutgoingState::confirmed);
    CHECK_FALSE(desk.box->status(id).refusal);
}

TEST_CASE("what is confirmed leaves no contents in the file", "[client]") {
    Desk desk;
    auto secret = draft("a");
    const std::string words = "the circumstances of one family";
    secret.payload.assign(words.begin(), words.end());
    const auto id = desk.box
                        ->enqueue({
                            {secret, ""}
    })
                        .front();
    const auto holds_words = [&] {
        std::ifstream file(desk.file(), std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
        return bytes.find(words) != std::string::npos;
    };
    CHECK(holds_words());
    desk.box->confirmed({
        {id, 1}
    });
    desk.box.reset();
    CHECK_FALSE(holds_words());
}

TEST_CASE("a mark and its messages are kept together or not at all", "[client]") {
    Desk desk;
    CHECK_FALSE(desk.box->marked("day.csv sha256:1"));
    desk.box->enqueue(
        {
            {draft("a"), ""}
    },
        "day.csv sha256:1");
    CHECK(desk.box->marked("day.csv sha256:1"));
    CHECK_THROWS(desk.box->enqueue(
        {
            {draft("b"), ""}
    },
        "day.csv sha256:1"));
    CHECK(desk.box->counts().waiting == 1);
}

TEST_CASE("two processes may use one box", "[client]") {
    Desk desk;
    Box second(desk.file(), desk.clock, desk.random);
    const auto id = second
                        .enqueue({
                            {draft("a"), ""}
    })
                        .front();
    CHECK(desk.box->waiting(10).size() == 1);
    desk.box->confirmed({
        {id, 3}
    });
    CHECK(second.status(id).state == OutgoingState::confirmed);
}

TEST_CASE("a delivery is stored once, however often it comes", "[client]") {
    Desk desk;
    desk.box->receive({delivery(1, 0xA1), delivery(2, 0xA2)});
    desk.box->acknowledge(delivery(1, 0xA1), schemas::Level::opened, "J. Okafor", "", school);
    const auto before = desk.box->inbox();
    desk.reopen();
    desk.box->receive({delivery(1, 0xA1), delivery(2, 0xA2), delivery(1, 0xA1)});

    const auto after = desk.box->inbox();
    REQUIRE(after.size() == 2);
    CHECK(after[0].number == 1);
    CHECK(after[0].opened == before[0].opened);
    CHECK(after[0].opened_by == "J. Okafor");
    CHECK(after[1].payload == delivery(2, 0xA2).payload);
}

TEST_CASE("a number used again for another notice does not hide it", "[client]") {
    Desk desk;
    desk.box->receive({delivery(1, 0xA1, "FP-1"), delivery(1, 0xB1, "FP-2")});
    REQUIRE(desk.box->inbox().size() == 2);
    desk.box->acknowledge(delivery(1, 0xB1, "FP-2"), schemas::Level::recorded, "J. Okafor", "filed", school);
    CHECK(desk.box->find("FP-2")->recorded);
    CHECK_FALSE(desk.box->find("FP-1")->recorded);
}

TEST_CASE("a delivery is found by what people call it", "[client]") {
    Desk desk;
    auto item = delivery(1, 0xA1);
    desk.box->receive({item, delivery(2, 0xA2, "FP-2222-2222")});
    Incoming result{
        "results/school/122802", 1, 9, schemas::Kind::load_result, {}, {}, {}, {}, {}, {}, {}, {}};
    schemas::LoadResultValue value;
    value.load = Bytes(16, 0xEE);
    result.payload = wire::pack<schemas::LoadResult>(value);
    desk.box->receive({result});

    CHECK(desk.box->find("FP-2222-2222")->number == 2);
    CHECK(desk.box->find("notices/school/122802#1")->id == item.id);
    CHECK(desk.box->find(to_hex(item.id))->number == 1);
    CHECK(desk.box->find(std::string(32, 'e'))->kind == schemas::Kind::load_result);
    CHECK_FALSE(desk.box->find("FP-0000-0000"));
    CHECK_FALSE(desk.box->find("notices/school/122802#3"));
    CHECK_FALSE(desk.box->find("notices/school/122802#"));
    CHECK_FALSE(desk.box->find(""));

    CHECK(desk.box->inbox().size() == 2);  // a load's result asks nothing of anybody
    CHECK(desk.box->inbox(true).size() == 3);
}

TEST_CASE("what is known already is listed without its payload, and when each first came with none",
          "[client]") {
    Desk desk;
    auto again = delivery(3, 3, "FP-1");
    again.received += std::chrono::hours{4};
    desk.box->receive({delivery(1, 1, "FP-1"), delivery(2, 2, "FP-2"), again});
    const auto kind = schemas::Kind::school_notice;
    const auto listed = desk.box->unrecorded(kind, 10, [](const Id16& id) { return id[0] == 2; });
    REQUIRE(listed.size() == 3);
    CHECK(listed[0].payload == delivery(1, 1, "FP-1").payload);
    CHECK(listed[1].payload.empty());
    CHECK(listed[1].number == 2);
    CHECK(desk.box->unrecorded(kind, 10)[1].payload == delivery(2, 2, "FP-2").payload);

    const auto arrivals = desk.box->arrivals(kind);
    REQUIRE(arrivals.size() == 2);
    CHECK(arrivals[0].reference == "FP-1");
    CHECK(arrivals[0].topic == "notices/school/122802");
    CHECK(arrivals[0].received == delivery(1, 1).received);
    CHECK(desk.box->arrivals(schemas::Kind::social_care_notice).empty());

    CHECK(desk.box->holding(kind, "FP-1").size() == 2);
    CHECK(desk.box->holding(kind, "NP-1").size() == 3);
    CHECK(desk.box->holding(kind, "FP-3").empty());
    CHECK(desk.box->holding(schemas::Kind::social_care_notice, "FP-1").empty());
}

TEST_CASE("whoever reads a file sees that another changed it", "[client]") {
    Desk desk;
    const Box reader{desk.file(), desk.clock, desk.random};
    const auto before = reader.data_version();
    CHECK(reader.data_version() == before);
    desk.box->receive({delivery(1, 1)});
    const auto after = reader.data_version();
    CHECK(after != before);
    CHECK(reader.data_version() == after);
    desk.box->acknowledge(delivery(1, 1), schemas::Level::opened, "Jo Wren", "", school);
    CHECK(reader.data_version() != after);
}

TEST_CASE("an acknowledgement and its receipt are one step, taken once a level", "[client]") {
    Desk desk;
    const auto item = delivery(1, 0xA1);
    desk.box->receive({item});
    CHECK(desk.box->acknowledge(item, schemas::Level::opened, "J. Okafor", "", school));
    CHECK_FALSE(desk.box->acknowledge(item, schemas::Level::opened, "S. Patel", "", school));
    CHECK(desk.box->acknowledge(item, schemas::Level::recorded, "S. Patel", "filed", school));
    CHECK_FALSE(desk.box->acknowledge(item, schemas::Level::recorded, "S. Patel", "other", school));
    CHECK_THROWS_AS(desk.box->acknowledge(item, schemas::Level::stored, "", "", school), std::logic_error);

    const auto waiting = desk.box->waiting(10);
    REQUIRE(waiting.size() == 2);
    const auto envelope = wire::read_envelope(waiting[1].envelope);
    REQUIRE(envelope);
    CHECK(envelope->kind == schemas::Kind::receipt);
    CHECK(envelope->topic == "receipts/school/122802");
    const auto receipt = wire::read_table<schemas::Receipt>(envelope->payload, "receipt");
    REQUIRE(receipt);
    CHECK((*receipt)->level() == schemas::Level::recorded);
    CHECK((*receipt)->by()->str() == "S. Patel");
    CHECK((*receipt)->outcome()->str() == "filed");

    CHECK(desk.box->inbox().empty());
    const auto kept = desk.box->find("FP-7K3M-29QD");
    CHECK(kept->opened_by == "J. Okafor");
    CHECK(kept->recorded_by == "S. Patel");
    CHECK(kept->outcome == "filed");
}

TEST_CASE("a match is decided once, and a shielded child's by two people", "[client]") {
    using Decided = Box::Decided;
    const auto agency = AgencyId::parse("social-care/E10000024").value();
    const bool two_people = GENERATE(false, true);
    CAPTURE(two_people);
    Desk desk;
    schemas::ReviewItemValue value;
    value.review.assign(16, 9);
    value.reference = "RV-1";
    value.la = "E10000024";
    value.force = "31";
    value.incident_reference = "NP-1";
    value.bound_for = "school/900001";
    value.subject = "H243278544154";
    value.why = {"A twin?"};
    value.two_people = two_people;
    auto item = delivery(1, 9);
    item.kind = schemas::Kind::review_item;
    item.topic = "reviews/E10000024";
    item.payload = wire::pack<schemas::ReviewItem>(value);
    desk.box->receive({item});
    const auto decide = [&](schemas::Verdict verdict, const char* by) {
        return desk.box->decide(*desk.box->find("RV-1"), verdict, by, "known_to_us", agency,
                                by == std::string{"Kim Osei"} ? "Ask at the desk." : "");
    };
    CHECK(decide(schemas::Verdict::unsure, "Lee Jones") == Decided::asked);
    CHECK_FALSE(desk.box->find("RV-1")->recorded);
    if (two_people) {
        CHECK(decide(schemas::Verdict::permit, "Lee Jones") == Decided::first_of_two);
        CHECK_FALSE(desk.box->find("RV-1")->recorded);
        CHECK(desk.box->waits_for_second(*desk.box->find("RV-1")));
        CHECK(decide(schemas::Verdict::permit, "Lee Jones") == Decided::same_person);
        desk.reopen();
    }
    CHECK(decide(schemas::Verdict::permit, "Kim Osei") == Decided::settled);
    CHECK(desk.box->find("RV-1")->outcome == "permit: known_to_us");
    CHECK(decide(schemas::Verdict::deny, "Lee Jones") == Decided::already);
    const auto sent = desk.box->waiting(10);
    REQUIRE(sent.size() == (two_people ? 3 : 2));
    const auto envelope = wire::read_envelope(sent.back().envelope).value();
    CHECK(envelope.topic == "receipts/social-care/E10000024");
    const auto decision = wire::read_table<schemas::ReviewDecision>(envelope.payload, "payload").value();
    CHECK(decision->verdict() == schemas::Verdict::permit);
    CHECK(decision->by()->str() == "Kim Osei");
    CHECK(decision->note()->str() == "Ask at the desk.");
}

TEST_CASE("a question is kept with its notice, sent once, and finds its answer", "[client]") {
    const auto agency = AgencyId::parse("social-care/E10000024").value();
    Desk desk;
    schemas::SocialCareNoticeValue value;
    value.notice.assign(16, 4);
    value.reference = "FP-4";
    value.la = "E10000024";
    value.la_child_id = "C4";
    value.child = std::make_unique<schemas::PersonValue>();
    value.force = "31";
    value.incident_reference = "NP-1";
    value.not_a_referral = "x";
    auto item = delivery(1, 4);
    item.kind = schemas::Kind::social_care_notice;
    item.payload = wire::pack<schemas::SocialCareNotice>(value);
    desk.box->receive({item});
    const Box::Asking asking{"people", "Who was there?", "Sam Patel"};
    CHECK(desk.box->ask(item, asking, agency, "once"));
    CHECK_FALSE(desk.box->ask(item, asking, agency, "once"));
    CHECK_THROWS_AS(desk.box->ask(delivery(9, 9), asking, agency), std::logic_error);
    desk.reopen();
    const auto sent = desk.box->waiting(10);
    REQUIRE(sent.size() == 1);
    const auto envelope = wire::read_envelope(sent[0].envelope).value();
    CHECK(envelope.topic == "receipts/social-care/E10000024");
    CHECK(envelope.kind == schemas::Kind::question);
    const auto question = wire::read_table<schemas::Question>(envelope.payload, "payload").value();
    CHECK(question->incident_reference()->str() == "NP-1");
    CHECK(question->text()->str() == "Who was there?");
    CHECK(question->notice()->size() == 16);

    auto questions = desk.box->questions_about(item);
    REQUIRE(questions.size() == 1);
    CHECK(questions[0].id == sent[0].id);
    CHECK_FALSE(questions[0].answer);
    schemas::QuestionAnswerValue answer;
    answer.answer.assign(16, 5);
    answer.reference = "QU-5";
    answer.question.assign(sent[0].id.begin(), sent[0].id.end());
    answer.notice.assign(16, 4);
    answer.outcome = "answered";
    auto back = delivery(2, 5);
    back.kind = schemas::Kind::answer;
    back.payload = wire::pack<schemas::QuestionAnswer>(answer);
    desk.box->receive({back});
    questions = desk.box->questions_about(item);
    REQUIRE(questions.at(0).answer);
    CHECK(questions[0].answer->kind == schemas::Kind::answer);
    CHECK(desk.box->inbox().size() == 2);
    CHECK(desk.box->acknowledge(*questions[0].answer, schemas::Level::opened, "Sam Patel", "", agency));
    CHECK(desk.box->inbox().size() == 1);
}

TEST_CASE("a force answers a question once, however often it was asked", "[client]") {
    const auto force = AgencyId::parse("police/31").value();
    Desk desk;
    schemas::QuestionValue value;
    value.question.assign(16, 6);
    value.reference = "QU-6";
    value.force = "31";
    value.incident_reference = "NP-1";
    value.about = "people";
    auto item = delivery(1, 6);
    item.kind = schemas::Kind::question;
    item.topic = "questions/31";
    item.payload = wire::pack<schemas::Question>(value);
    auto again = item;
    again.number = 2;
    again.id[0] ^= 1;
    desk.box->receive({item, again});
    CHECK(desk.box->answer(*desk.box->find("QU-6"), "answered", "Nobody else.", "P. Officer", force));
    CHECK_FALSE(desk.box->answer(*desk.box->find("QU-6"), "answered", "Another.", "Q. Officer", force));
    CHECK(desk.box->inbox().empty());
    CHECK(desk.box->answer_given(item) == "Nobody else.");
    const auto sent = desk.box->waiting(10);
    REQUIRE(sent.size() == 1);
    const auto envelope = wire::read_envelope(sent[0].envelope).value();
    CHECK(envelope.topic == "receipts/police/31");
    CHECK(envelope.kind == schemas::Kind::answer);
    // Without a reference, as no broker of ours sends one: kept, and nothing falls over.
    value.reference.clear();
    value.question.clear();
    item.id[1] ^= 1;
    item.payload = wire::pack<schemas::Question>(value);
    desk.box->receive({item});
    CHECK(desk.box->inbox().size() == 1);
}

TEST_CASE("a recall closes every notice it names, before or after it was opened", "[client]") {
    Desk desk;
    const auto first = delivery(1, 1, "FP-1"), update = delivery(2, 2, "FP-2"),
               other = delivery(3, 3, "FP-3");
    desk.box->receive({first, update, other});
    schemas::RecallValue value;
    value.notice.assign(16, 7);
    value.reference = "FP-7";
    value.recalled_reference = "FP-1";
    value.force = "31";
    value.incident_reference = "NP-1";
    value.recalls.assign(16, 1);
    value.recalls.insert(value.recalls.end(), 16, 2);
    auto recall = delivery(4, 7, "FP-7");
    recall.kind = schemas::Kind::recall;
    recall.payload = wire::pack<schemas::Recall>(value);
    desk.box->receive({recall});
    desk.box->receive({recall});  // again
    std::vector<std::string> open;
    for (const auto& item : desk.box->inbox()) open.push_back(to_hex(item.id));
    CHECK(open == std::vector{to_hex(other.id), to_hex(recall.id)});
    CHECK(desk.box->find("FP-1")->outcome == "recalled");
    CHECK(desk.box->recalled_by(first) == "FP-7");
    CHECK(desk.box->recalled_by(update) == "FP-7");
    CHECK_FALSE(desk.box->recalled_by(other));
    // That it was removed is owed like any answer.
    CHECK(desk.box->acknowledge(*desk.box->find("FP-7"), schemas::Level::recorded, "Jo Wren", "removed",
                                AgencyId::parse("school/122802").value()));
    CHECK(desk.box->waiting(10).size() == 1);
}

TEST_CASE("a process killed at any moment leaves each step done or not begun", "[client]") {
    // The child never returns: it works on the box until it is killed somewhere in the middle.
    Desk desk;
    const auto item = delivery(1, 0xA1);
    desk.box->receive({item});
    desk.box.reset();
    for (int round = 0; round < 8; ++round) {
        const pid_t child = ::fork();
        if (child == 0) {
            FixedClock clock;
            crypto::SystemRandom random;
            Box box(desk.file(), clock, random);
            for (int i = 0;; ++i) {
                const auto ids = box.enqueue(
                    {
                        {draft("a"), ""},
                        {draft("b"), ""}
                },
                    std::to_string(round) + "/" + std::to_string(i));
                box.confirmed({
                    {ids[0], 1},
                    {ids[1], 2}
                });
            }
        }
        ::usleep(static_cast<useconds_t>(3'000 + 2'700 * round));
        REQUIRE(::kill(child, SIGKILL) == 0);
        REQUIRE(::waitpid(child, nullptr, 0) == child);

        desk.reopen();
        const auto counts = desk.box->counts();
        CHECK(counts.waiting % 2 == 0);
        CHECK(counts.confirmed % 2 == 0);
        CHECK(counts.waiting == desk.box->waiting(1000).size());  // no status without its envelope
        CHECK(desk.box->inbox().size() == 1);
        desk.box.reset();
    }
}

TEST_CASE("a copy of the file taken between any two steps is a box at one of them", "[client]") {
    Desk desk;
    const auto item = delivery(1, 0xA1);
    desk.box->receive({item});
    const auto copy_file = desk.directory.path() / "copy.db";
    std::filesystem::copy_file(desk.file(), copy_file);
    desk.box->acknowledge(item, schemas::Level::opened, "J. Okafor", "", school);

    Box before(copy_file, desk.clock, desk.random);
    CHECK_FALSE(before.inbox().front().opened);
    CHECK(before.counts().waiting == 0);  // neither the note of opening nor its receipt
    CHECK(desk.box->inbox().front().opened);
    CHECK(desk.box->counts().waiting == 1);
}

TEST_CASE("facts are kept and replaced", "[client]") {
    Desk desk;
    CHECK_FALSE(desk.box->fact("log-checkpoint"));
    desk.box->set_fact("log-checkpoint", "one");
    desk.box->set_fact("log-checkpoint", "two");
    desk.reopen();
    CHECK(desk.box->fact("log-checkpoint") == "two");
}

TEST_CASE("a file of another version is left alone", "[client]") {
    Desk desk;
    desk.box.reset();
    {
        // SQLite keeps user_version as four bytes, most significant first, at offset 60.
        std::fstream file(desk.file(), std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(63);
        file.put(9);
    }
    CHECK_THROWS_WITH(desk.reopen(), Catch::Contains("another version"));
}

TEST_CASE("a file that is no data file is named, with what to do, and another program's is left alone",
          "[client]") {
    Desk desk;
    desk.box.reset();
    const auto put = [&](const std::string& bytes) {
        std::ofstream{desk.file(), std::ios::binary | std::ios::trunc} << bytes;
    };
    put("not a database, however long it is");
    CHECK_THROWS_WITH(desk.reopen(),
                      Catch::StartsWith(desk.file().string() + ": file is not a database. If another file"));

    put("");
    {
        SQLite::Database other{desk.file().string(), SQLite::OPEN_READWRITE};
        other.exec("CREATE TABLE sale (price INTEGER)");
    }
    CHECK_THROWS_WITH(desk.reopen(),
                      desk.file().string() + " holds another program's tables: name another file");
    SQLite::Database other{desk.file().string()};
    CHECK(other.execAndGet("SELECT group_concat(name) FROM sqlite_schema").getString() == "sale");

    std::filesystem::remove(desk.file());
    std::filesystem::create_directory(desk.file());
    CHECK_THROWS_WITH(desk.reopen(), Catch::Contains(desk.file().string() + ": Is a directory"));
}

TEST_CASE("a month of incidents is enqueued and confirmed whole", "[client]") {
    Desk desk;
    std::vector<std::pair<wire::Draft, std::string>> month(45'000, {draft("a"), "month.csv"});
    const auto ids = desk.box->enqueue(month);
    CHECK(desk.box->counts().waiting == 45'000);
    std::vector<std::pair<Id16, std::uint64_t>> leaves;
    for (const auto& id : ids) leaves.emplace_back(id, leaves.size());
    desk.box->confirmed(leaves);
    CHECK(desk.box->counts().confirmed == 45'000);
    CHECK(desk.box->waiting(1).empty());
}
