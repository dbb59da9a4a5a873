#include "adapters/school/notice_text.h"

#include "adapters/desk/fields.h"
#include "notice_generated.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::school;

namespace {

const Instant now = *desk::parse_instant("2026-01-11T08:12:00Z");

client::Incoming item() {
    schemas::SchoolNoticeValue value;
    value.notice.assign(16, 7);
    value.reference = "FP-7K3M-29QD";
    value.urn = 122802;
    value.school_name = "Oak Primary";
    value.child_given_names = "Ava";
    value.child_family_name = "Example";
    value.child_date_of_birth = "2019-03-04";
    value.upn = "B801200005001";
    value.force = "31";
    value.incident_reference = "NP-1";
    value.incident_version = 1;
    value.occurred_us = to_us(*desk::parse_instant("2026-01-10T21:40:00Z"));
    value.child_present = true;
    value.handling = {"Keep it in the protection file."};
    value.read_by_us = to_us(*desk::parse_instant("2026-01-12T08:40:00Z"));
    client::Incoming received{};
    received.topic = "notices/school/122802";
    received.number = 1;
    received.kind = schemas::Kind::school_notice;
    received.payload = wire::pack<schemas::SchoolNotice>(value);
    received.received = now;
    return received;
}

}  // namespace

TEST_CASE("a school reads first that it must not approach the parents", "[school]") {
    const auto screen = notice_screen(item(), now);
    CHECK(screen.starts_with("Do not approach parents or carers because of this notice."));
    CHECK(screen.find("Keep this in the child's protection file") < screen.find("Ava Example"));
    for (const char* words :
         {"Oak Primary, URN 122802", "4 March 2019", "Saturday 10 January 2026, 9:40pm",
          "Monday 12 January 2026, 8:40am (in 1 day)", "Other children in this incident", "quote NP-1"}) {
        CAPTURE(words, screen);
        CHECK(screen.find(words) != std::string::npos);
    }
}

TEST_CASE("an entry for programs carries what they select by", "[school]") {
    const auto entry = notice_entry(item());
    CHECK(entry["urn"] == 122802);
    CHECK(entry["upn"] == "B801200005001");
    CHECK(entry["incident_reference"] == "NP-1");
    CHECK(entry["read_by"] == "2026-01-12T08:40:00Z");
    CHECK(entry["state"] == "new");
}

TEST_CASE("a line of the list says by when it must be read, and warns when that is over", "[school]") {
    auto received = item();
    CHECK(notice_line(received, now).find("Read by Monday 12 January 2026, 8:40am") != std::string::npos);
    CHECK(notice_line(received, now + std::chrono::hours{48}).find("overdue by 23 hours") !=
          std::string::npos);
    received.opened = now;
    CHECK(notice_line(received, now + std::chrono::hours{48}).find("overdue") == std::string::npos);
}
