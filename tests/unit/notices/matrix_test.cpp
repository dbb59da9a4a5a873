// T33, who is told: agreements x qualifiers x flags x parts in the incident, held against a second reading of the rules.
#include <iostream>

#include "broker/notices/explain.h"
#include "tests/support/catch.h"
#include "tests/support/figures.h"
#include "tests/support/people.h"
#include "tests/support/second_reading.h"

using namespace flagpost;
using namespace flagpost::tests;
using notices::Case;
using notices::Standing;
using schemas::FlagKind;
using schemas::Outcome;
using schemas::Role;
using schemas::Shield;

namespace {

constexpr const char* la = "E10000024";
constexpr const char* far = "E10000007";
constexpr std::uint32_t urn = 900001;

std::string party(const std::string& agency, const std::string& more = "") {
    return "[[party]]\nagency = \"" + agency + "\"\nname = \"N\"\n" + more;
}

std::string share(const char* id, const char* what, const char* to, const char* purpose,
                  const std::string& escalate) {
    const std::string fields =
        std::string{what} == "review_item" ? "\"incident\", \"why\"" : "\"child\", \"incident\"";
    return std::string{"[[share]]\nid = \""} + id + "\"\nwhat = \"" + what +
           "\"\nfrom = \"police\"\nto = \"" + to + "\"\npurpose = \"" + purpose +
           "\"\nlegal_basis = [\"CA2004-s10\", \"" + id + "-basis\"]\nfields = [" + fields +
           "]\nrespond_within = \"4h\"\nretention = \"r-" + id + "\"\n" +
           (escalate.empty() ? "" : "escalate = [" + escalate + "]\n");
}

/// Which parties there are and which rules, one bit each.
std::string agreement_text(unsigned parties, unsigned rules) {
    std::string out = "partnership = \"county.example\"\n" +
                      party("police/31", std::string{"areas = [\""} + la + "\", \"E06000018\"]\n") +
                      party("social-care/E06000018");
    const bool with_residence = (rules & 16U) != 0;
    if (with_residence || (parties & 8U) != 0)
        out += party("police/30", std::string{"areas = [\""} + far + "\"]\n");
    if ((parties & 1U) != 0)
        out += party(std::string{"social-care/"} + la,
                     (parties & 2U) != 0 ? "review_desk = \"social-care/E06000018\"\n" : "");
    if ((parties & 4U) != 0) out += party("school/900001");
    if ((parties & 8U) != 0) out += party("trust/north", "acts_for = [\"school/900001\"]\n");
    if ((parties & 16U) != 0) out += party(std::string{"education/"} + la);
    const bool with_education = (rules & 4U) != 0;
    if ((rules & 1U) != 0)
        out += share("SC-1", "social_care_notice", "social-care", "safeguarding",
                     R"({to = "again", after = "4h", unless = "opened"}, {to = "sender", after = "30h"})");
    if ((rules & 2U) != 0)
        out += share("SCH-1", "school_notice", "school", "duty",
                     with_education
                         ? R"({to = "education", before_deadline = "3h"}, {to = "again", after = "2h"})"
                         : R"({to = "sender", before_deadline = "1h"})");
    if (with_education) out += share("SCH-2", "school_notice", "education", "duty", "");
    if (with_residence) out += share("RES-1", "school_notice", "police", "duty", "");
    if ((rules & 8U) != 0)
        out +=
            share("REV-1", "review_item", "social-care", "safeguarding", R"({to = "sender", after = "3h"})");
    return out;
}

std::string ground(const std::string& rule, const std::string& purpose, const std::vector<std::string>& basis,
                   const std::string& retention) {
    std::string out = rule + " " + purpose;
    for (const auto& each : basis) out += " " + each;
    return out + " keep " + retention;
}

std::string ground(const notices::Planned& planned) {
    std::multiset<std::string> rungs;
    for (const auto& rung : planned.rungs) rungs.insert("[" + rung.recipient + " " + rung.rule + "]");
    std::string out = ground(planned.rule, planned.purpose, planned.legal_basis, planned.retention);
    for (const auto& rung : rungs) out += " " + rung;
    return out;
}

std::string about(const std::string& subject) {
    return subject == "EXAMPLE" ? "the flag" : subject.starts_with("person ") ? "no school" : "the pupil";
}

std::string what_of(schemas::Kind kind) {
    return kind == schemas::Kind::social_care_notice ? "social_care_notice"
           : kind == schemas::Kind::school_notice    ? "school_notice"
                                                     : "review_item";
}

/// What the broker would do, one line for each thing, as the second reading writes them.
std::vector<std::string> done(const notices::Plan& plan) {
    std::vector<std::string> lines;
    for (const auto& withheld : plan.withheld)
        lines.push_back(withheld.recipient + " " + what_of(withheld.kind) + " withheld");
    for (const auto& planned : plan.planned) {
        auto line = planned.recipient + " " + what_of(planned.kind) + " " + ground(planned);
        if (const auto* item = std::get_if<schemas::ReviewItemValue>(&planned.payload))
            line += " for " + item->bound_for + " about " + about(item->subject) +
                    (item->two_people ? " by two" : "") + " then " +
                    (planned.held ? ground(*planned.held) : "nothing");
        lines.push_back(std::move(line));
    }
    std::ranges::sort(lines);
    return lines;
}

second::Situation as_read(const Case& of) {
    second::Situation out;
    out.la = of.la;
    out.urn = of.urn == 0 ? "" : std::to_string(of.urn);
    out.registered = of.not_in_school && of.kind != FlagKind::unborn_child_protection_plan;
    out.list_old = of.is_list_old;
    out.lives_in = of.lives_in;
    out.domestic_abuse = of.domestic_abuse;
    out.hold = std::ranges::find(of.qualifiers, "hold_for_person") != of.qualifiers.end();
    out.shielded = of.shield != Shield::none;
    out.unborn = of.kind == FlagKind::unborn_child_protection_plan;
    out.flag_stands = of.flag == Standing::standing;
    out.flag_counts = out.flag_stands || of.flag == Standing::ended;
    out.child_named = of.is_named;
    out.adult_is_party = of.adult == Role::victim || of.adult == Role::suspect;
    out.sure = of.how_sure ? schemas::EnumNameOutcome(*of.how_sure) : "match";
    return out;
}

std::vector<Case> situations() {
    const std::vector<std::vector<std::string>> qualifiers{
        {},
        {          "alcohol"},
        { "alcohol", "hold_for_person"}
    };
    const std::vector<std::optional<Outcome>> sure{std::nullopt, Outcome::potential, Outcome::many,
                                                   Outcome::low};
    std::vector<Case> out;
    for (const auto abuse : {true, false})
        for (const auto& qualifier : qualifiers)
            for (const auto flag : {Standing::unflagged, Standing::standing, Standing::ended,
                                    Standing::ended_long_ago, Standing::deleted})
                for (const auto kind : {FlagKind::child_protection_plan,
                                        FlagKind::unborn_child_protection_plan, FlagKind::looked_after})
                    for (const auto shield : {Shield::none, Shield::refuge})
                        for (const auto named : {true, false})
                            for (const auto adult : {Role::victim, Role::suspect, Role::witness})
                                for (const auto& outcome : sure)
                                    for (const std::uint32_t school : {0U, urn}) {
                                        // What would be the same question again is asked once.
                                        if (!abuse && !qualifier.empty()) continue;
                                        if (flag == Standing::unflagged &&
                                            (kind != FlagKind::child_protection_plan ||
                                             shield != Shield::none))
                                            continue;
                                        Case of;
                                        of.force = "31";
                                        of.la = la;
                                        of.urn = school;
                                        of.domestic_abuse = abuse;
                                        of.qualifiers = qualifier;
                                        of.flag = flag;
                                        of.kind = kind;
                                        of.shield = shield;
                                        of.is_named = named;
                                        of.adult = adult;
                                        of.how_sure = outcome;
                                        out.push_back(of);
                                        // Where the child learns and lives: beside few of the rest.
                                        if (!abuse || qualifier.size() == 1 || adult != Role::victim ||
                                            kind != FlagKind::child_protection_plan ||
                                            (flag != Standing::unflagged && flag != Standing::standing))
                                            continue;
                                        for (const auto registered : {false, true})
                                            for (const auto old : {false, true})
                                                for (const auto* lives : {"", la, far}) {
                                                    if (!registered && !old && *lives == '\0') continue;
                                                    of.not_in_school = registered;
                                                    of.is_list_old = old;
                                                    of.lives_in = lives;
                                                    out.push_back(of);
                                                }
                                    }
    return out;
}

}  // namespace

TEST_CASE("who is told of what, and who decides, is what a second reading of the rules says", "[notices]") {
    const auto now = at("2025-03-04T21:10Z");
    const auto* zone = date::locate_zone("Europe/London");
    const auto cases = situations();
    struct Asked {
        agreement::Agreement ours;
        second::Reading theirs;
        bool with_residence;
    };
    std::vector<Asked> agreements;
    for (unsigned parties = 0; parties < 32; ++parties)
        for (unsigned rules = 0; rules < 32; ++rules) {
            const auto text = agreement_text(parties, rules);
            agreements.push_back(
                {agreement::Agreement::parse(text).value(), second::Reading{text}, (rules & 16U) != 0});
        }
    std::size_t asked = 0, different = 0;
    std::map<std::string, std::size_t> ends;
    // Matching is done once a situation: it knows no agreement.
    for (const auto& of : cases) {
        const auto made = notices::made_up(of, now);
        const auto decision = notices::decided(of, made, now);
        const auto situation = as_read(of);
        // The rule with other forces changes nothing for a child of whom nobody knows that it lives elsewhere.
        for (const auto& [ours, theirs, with_residence] : agreements) {
            if (with_residence && of.lives_in.empty()) continue;
            const auto said = done(notices::plan(ours, made.known, made.incident, decision, now, zone));
            const auto meant = second::happens(theirs, situation);
            ++asked;
            for (const auto& line : said) {
                const auto words = second::Reading::split(line).size();
                ++ends[line.ends_with("withheld")                        ? "withheld"
                       : line.find(" review_item ") != std::string::npos ? "asked"
                       : words > 1                                       ? "told"
                                                                         : ""];
            }
            if (said == meant) continue;
            if (++different > 20) continue;
            std::cout << "  differs: " << notices::explain(ours, of, now, zone, std::nullopt).substr(0, 400)
                      << "\n";
            for (const auto& line : said) std::cout << "    done:  " << line << "\n";
            for (const auto& line : meant) std::cout << "    meant: " << line << "\n";
        }
    }
    figure("T33", {
                      {"sharing_asked",            asked           },
                      {"sharing_different",        different       },
                      {"sharing_told",             ends["told"]    },
                      {"sharing_left_to_a_person", ends["asked"]   },
                      {"sharing_withheld",         ends["withheld"]}
    });
    CHECK(different == 0);
    CHECK(ends["told"] > 1000);
    CHECK(ends["asked"] > 1000);
    CHECK(ends["withheld"] > 1000);
}
