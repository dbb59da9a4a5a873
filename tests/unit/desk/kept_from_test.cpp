#include "adapters/desk/kept_from.h"

#include "adapters/desk/inbox.h"
#include "broker/crypto/keys.h"
#include "broker/wire/frames.h"
#include "tests/support/catch.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::desk;
using test::ManualClock;
using test::TemporaryDirectory;

TEST_CASE("who is on a list is known by the name they go by and the one they sign in with", "[desk]") {
    const auto [listed, called, name, kept] =
        GENERATE(table<std::vector<std::string>, const char*, const char*, bool>({
            {{"Łukasz Weiß"}, "Lukasz Weiss", "lw",      true },
            {{"Łukasz Weiß"}, "Luke",         "l.weiss", true },
            {{"Łukasz Weiß"}, "Jo Wren",      "jo.wren", false},
            {{},                "Jo Wren",      "jo.wren", false},
    }));
    CAPTURE(listed, called, name);
    CHECK(is_kept_from(listed, called, name) == kept);
}

TEST_CASE("what has a conflict list is shown on a terminal to those who say who they are, and are not on it",
          "[desk]") {
    const TemporaryDirectory directory;
    ManualClock clock{Instant{std::chrono::hours{490'000}}};
    crypto::SystemRandom random;
    client::Box box{directory.path() / "box.db", clock, random};
    const auto receive = [&](const char* topic, std::uint64_t number, schemas::Kind kind, Bytes payload) {
        client::Incoming item{};
        item.topic = topic;
        item.number = number;
        item.kind = kind;
        item.id = random.bytes<16>();
        item.payload = std::move(payload);
        item.received = clock.now();
        box.receive({item});
    };
    for (const std::uint8_t number : {1, 2}) {
        schemas::SchoolNoticeValue notice;
        notice.notice.assign(16, number);
        notice.reference = "FP-" + std::to_string(number);
        notice.force = "31";
        notice.incident_reference = "NP-1";
        notice.child_given_names = "Ava";
        receive("notices/school/900001", number, schemas::Kind::school_notice,
                wire::pack<schemas::SchoolNotice>(notice));
    }
    schemas::ReportValue report;
    report.notice.assign(16, 2);
    report.reference = "FP-2";
    report.about = "NP-1";
    report.recipient = "school";
    report.person = "Sam Patel";
    report.what = schemas::ReportOf::kept_from;
    receive("reports/school/900001", 1, schemas::Kind::report, wire::pack<schemas::Report>(report));

    schemas::RecallValue recall;
    recall.notice.assign(16, 3);
    recall.recalls.assign(16, 2);
    recall.reference = "FP-3";
    recall.recalled_reference = "FP-2";
    recall.force = "31";
    recall.incident_reference = "NP-1";
    schemas::QuestionAnswerValue answer;
    answer.answer.assign(16, 4);
    answer.reference = "QU-4";
    answer.question.assign(16, 5);
    answer.notice.assign(16, 2);
    answer.outcome = "answered";
    answer.text = "Her aunt was in the house.";

    const auto shown = [&](const std::string& by) {
        auto found = items_for(box, items_of(box, {schemas::Kind::school_notice}, false), by);
        return std::pair{found.shown.size(), found.ask_who};
    };
    using Names = std::vector<std::string>;
    CHECK(shown("") == std::pair{std::size_t{1}, Names{"notices/school/900001#2"}});
    CHECK(shown("S. Patel") == std::pair{std::size_t{1}, Names{}});
    CHECK(shown("Jo Wren") == std::pair{std::size_t{2}, Names{}});

    receive("notices/school/900001", 3, schemas::Kind::recall, wire::pack<schemas::Recall>(recall));
    receive("notices/school/900001", 4, schemas::Kind::answer, wire::pack<schemas::QuestionAnswer>(answer));
    for (const auto* reference : {"FP-3", "QU-4"}) {  // as the notice they are about
        CAPTURE(reference);
        CHECK_FALSE(find_for(box, reference, "S. Patel"));
        CHECK(find_for(box, reference, "Jo Wren"));
        CHECK_THROWS_WITH(find_for(box, reference, ""), Catch::Contains("conflict list"));
    }
    CHECK(find_for(box, "FP-1", ""));
    CHECK_THROWS_WITH(find_for(box, "FP-2", ""), Catch::Contains("conflict list") && Catch::Contains("--by"));
    CHECK_FALSE(find_for(box, "FP-2", "sam.patel"));
    CHECK(find_for(box, "FP-2", "Jo Wren"));

    report.what = schemas::ReportOf::not_kept_from;
    receive("reports/school/900001", 2, schemas::Kind::report, wire::pack<schemas::Report>(report));
    CHECK(find_for(box, "FP-2", ""));
    CHECK(box.kept_from().empty());
}
