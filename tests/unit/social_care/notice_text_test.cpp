#include "adapters/social_care/notice_text.h"

#include "adapters/desk/fields.h"
#include "notice_generated.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::social_care;

namespace {

const Instant now = *desk::parse_instant("2026-01-11T08:12:00Z");

schemas::SocialCareNoticeValue notice() {
    schemas::SocialCareNoticeValue value;
    value.notice.assign(16, 7);
    value.reference = "FP-7K3M-29QD";
    value.la = "E10000024";
    value.la_child_id = "C1";
    value.child = std::make_unique<schemas::PersonValue>();
    value.child->given_names = "Ava";
    value.child->family_name = "Example";
    value.child->date_of_birth = "2019-03-04";
    value.flag_start = "2025-06-19";
    value.outcome = schemas::Outcome::match;
    value.reasons = {"Address agrees", "Surname agrees"};
    value.force = "31";
    value.incident_reference = "NP-1";
    value.incident_version = 1;
    value.occurred_us = to_us(*desk::parse_instant("2026-01-10T21:40:00Z"));
    value.circumstances = "Police were called.";
    value.not_a_referral = "x";
    value.referral = schemas::ReferralStatus::made;
    value.referral_reference = "R9";
    value.act_by_us = to_us(*desk::parse_instant("2026-01-11T07:30:00Z"));
    value.police_contact = "Norham PPU, 01632 960101";
    value.team = "North";
    return value;
}

client::Incoming item_of(const schemas::SocialCareNoticeValue& value) {
    client::Incoming item{};
    item.topic = "notices/social-care/E10000024";
    item.number = 3;
    item.kind = schemas::Kind::social_care_notice;
    item.payload = wire::pack<schemas::SocialCareNotice>(value);
    item.received = now;
    return item;
}

bool says(const std::string& screen, const std::string& words) {
    std::string flat;
    for (const char c : screen)
        if (!(c == '\n' || c == ' ') || (!flat.empty() && flat.back() != ' ')) flat += c == '\n' ? ' ' : c;
    return flat.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("a notice says that it is information, what happened, why you got it and what to do",
          "[social_care]") {
    const auto screen = notice_screen(item_of(notice()), now);
    const std::vector<std::string> wanted{
        "Police notice FP-7K3M-29QD",
        "Ava Example (born 4 March 2019)",
        "This is information, not a referral. It does not replace a police referral. Police referral: made, "
        "reference R9.",
        "What police recorded",
        "Saturday 10 January 2026, 9:40pm",
        "Why you got this",
        "Address agrees",
        "team: North",
        "Act by Sunday 11 January 2026, 7:30am (overdue by 42 minutes)",
        "Ask police Norham PPU, 01632 960101, quote NP-1",
        "Not opened yet.",
    };
    for (const auto& words : wanted) {
        CAPTURE(words, screen);
        CHECK(says(screen, words));
    }
    CHECK_FALSE(says(screen, "Possible match"));
    CHECK_FALSE(says(screen, "What police think"));
}

TEST_CASE("a possible match says so before anything else can be read", "[social_care]") {
    auto value = notice();
    value.outcome = schemas::Outcome::potential;
    const auto screen = notice_screen(item_of(value), now);
    CHECK(says(screen, "Possible match: verify before acting."));
    CHECK(screen.find("verify before acting") < screen.find("What police recorded"));
    CHECK(says(notice_line(item_of(value), now), "[Possible match]"));
}

TEST_CASE("opinion stands apart from fact, and a grade is given as received", "[social_care]") {
    auto value = notice();
    value.assessment = "Officer was worried.";
    value.risk = std::make_unique<schemas::RiskGradeValue>();
    value.risk->tool = "DARA";
    value.risk->tool_version = "2";
    value.risk->grade = "medium";
    const auto screen = notice_screen(item_of(value), now);
    CHECK(screen.find("What police think (opinion, not fact)") > screen.find("What police recorded"));
    CHECK(says(screen, "medium, by DARA 2, as police recorded it"));
}

TEST_CASE("nothing a notice holds can command the terminal", "[social_care]") {
    auto value = notice();
    value.child->given_names = "\x1b[2J";
    value.circumstances = "\x1b]0;title\x07";
    value.police_contact = "\x1b[31m";
    value.reasons = {"\x1b[1m"};
    CHECK(notice_screen(item_of(value), now).find('\x1b') == std::string::npos);
    CHECK(notice_line(item_of(value), now).find('\x1b') == std::string::npos);
}

TEST_CASE("an entry for programs carries what they select by", "[social_care]") {
    auto item = item_of(notice());
    const auto fresh = notice_entry(item);
    CHECK(fresh["reference"] == "FP-7K3M-29QD");
    CHECK(fresh["notice"] == "07070707070707070707070707070707");
    CHECK(fresh["incident_reference"] == "NP-1");
    CHECK(fresh["la_child_id"] == "C1");
    CHECK(fresh["outcome"] == "match");
    CHECK(fresh["state"] == "new");
    item.opened = now;
    item.opened_by = "Sam Patel";
    CHECK(notice_entry(item)["state"] == "opened");
    item.recorded = now;
    item.outcome = "contacted";
    CHECK(notice_entry(item)["state"] == "recorded");
    CHECK(notice_entry(item)["recorded_outcome"] == "contacted");
}

TEST_CASE("a notice without a time to act by comes last", "[social_care]") {
    auto value = notice();
    const auto first = due(item_of(value));
    value.act_by_us = 0;
    CHECK(first < due(item_of(value)));
}

TEST_CASE("a payload that is not what it says stops the list with its place, not its content",
          "[social_care]") {
    auto item = item_of(notice());
    item.payload.resize(20);
    CHECK_THROWS_WITH(notice_line(item, now), Catch::Contains("notices/social-care/E10000024#3"));
}
