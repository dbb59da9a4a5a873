#include "tests/simulation/county.h"

#include <algorithm>
#include <array>

#include "tests/simulation/seeded_openssl.h"
#include "tests/support/people.h"

namespace flagpost::simulation {
namespace {

constexpr const char* agreement_text = R"(
partnership = "county.example"
[[party]]
agency = "police/31"
name = "Force"
[[party]]
agency = "social-care/E10000024"
name = "County"
[[party]]
agency = "social-care/E06000018"
name = "City"
[[party]]
agency = "education/E10000024"
name = "County education"
[[party]]
agency = "school/900001"
name = "First school"
[[party]]
agency = "school/900002"
name = "Second school"
[[party]]
agency = "trust/north"
name = "Trust"
acts_for = ["school/900003"]
[[party]]
agency = "operator/duty"
name = "Operations"
[[party]]
agency = "auditor/office"
name = "Audit"
[[party]]
agency = "bench/1"
name = "Measurement"
[[party]]
agency = "bench/2"
name = "Measurement"
[[share]]
id = "SC-1"
what = "social_care_notice"
from = "police"
to = "social-care"
purpose = "safeguarding"
legal_basis = ["CA2004-s10"]
fields = ["child", "flag", "reasons", "incident", "place", "category", "circumstances", "children", "adults", "worker"]
respond_within = "24h"
retention = "notice"
[[share]]
id = "SCH-1"
what = "school_notice"
from = "police"
to = "school"
purpose = "safeguarding"
legal_basis = ["DAA2021-s49A"]
fields = ["child", "upn", "incident", "child_present"]
respond_within = "1m"
retention = "notice"
[[share]]
id = "REV-1"
what = "review_item"
from = "police"
to = "social-care"
purpose = "safeguarding"
legal_basis = ["CA2004-s10"]
fields = ["incident", "why"]
respond_within = "2m"
retention = "notice"
[[share]]
id = "ASK-1"
what = "question"
from = "social-care"
to = "police"
purpose = "safeguarding"
legal_basis = ["CA2004-s10"]
fields = ["text", "by"]
respond_within = "2m"
retention = "notice"
escalate = [{to = "again", after = "1m", unless = "opened"}, {to = "sender", after = "2m"}]
[[share]]
id = "ASK-2"
what = "answer"
from = "police"
to = "social-care"
purpose = "safeguarding"
legal_basis = ["CA2004-s10"]
fields = ["text"]
respond_within = "1m"
retention = "notice"
[[retention]]
id = "RET-mailbox"
class = "mailbox"
keep = "1m"
[[retention]]
id = "RET-receipt"
class = "receipt"
keep = "1m"
[[retention]]
id = "RET-notice"
class = "notice"
keep = "2m"
[[retention]]
id = "RET-load"
class = "load"
keep = "1m"
[[retention]]
id = "RET-report"
class = "report"
keep = "1m"
[[retention]]
id = "RET-flag"
class = "flag"
keep = "1m"
[[retention]]
id = "RET-roll"
class = "roll"
keep = "1m"
[[retention]]
id = "RET-bench"
class = "bench"
keep = "1m"
[[retention]]
id = "RET-operation"
class = "operation"
keep = "1m"
)";

struct Child {
    const char *given, *family, *born, *mother, *flag, *la;
    std::uint32_t school;
    std::uint64_t home;
};
constexpr std::array children{
    Child{"Amelia Rose", "Ravenscroft", "2015-04-17", "Katherine", "C-1", "E10000024", 900001, 100031234567},
    Child{"Oskar",       "Lindqvist",   "2012-11-03", "Ingrid",    "C-2", "E10000024", 900002, 100031234568},
    Child{"Tadeusz",     "Wojcik",      "2016-02-29", "Halina",    "C-3", "E06000018", 900003, 100031234569},
    Child{"Maryam",      "Al-Sayed",    "2011-07-21", "Noor",      "C-4", "E06000018", 900001, 100031234570},
    Child{"Finn",        "O'Donoghue",  "2014-12-01", "Siobhan",   "C-5", "E10000024", 900003, 100031234571},
};

std::unique_ptr<schemas::PlaceValue> home_of(const Child& child) {
    auto place = std::make_unique<schemas::PlaceValue>();
    place->uprn = child.home;
    return place;
}

std::vector<Bytes> flags_of(Dice& dice, const std::string& la) {
    std::vector<Bytes> records;
    for (const Child& child : children) {
        if (la != child.la || dice.one_in(4)) continue;
        auto flag = tests::flag(child.flag, tests::person(child.given, child.family, child.born), child.la);
        if (dice.one_in(2)) flag.places.push_back(tests::dated(home_of(child)));
        tests::add_adult(flag, tests::person(child.mother, child.family, "1985-05-05"), "mother");
        records.push_back(wire::pack<schemas::Flag>(flag));
    }
    return records;
}

std::vector<Bytes> roll_of(Dice& dice, std::optional<std::uint32_t> urn) {
    std::vector<Bytes> records;
    for (const Child& child : children) {
        if ((urn && *urn != child.school) || dice.one_in(4)) continue;
        records.push_back(wire::pack<schemas::Pupil>(
            tests::pupil(child.school, tests::person(child.given, child.family, child.born))));
    }
    return records;
}

client::Load load_of(schemas::LoadOf of, std::string topic, std::string scope) {
    return {of, schemas::LoadMode::full, 0, std::move(scope), std::move(topic), "simulated", {}};
}

std::string code_of(const std::string& agency) { return agency.substr(agency.find('/') + 1); }

Role social_care(const std::string& la) {
    Role role{
        "social-care/" + la, {"notices/social-care/" + la, "results/social-care/" + la, "reviews/" + la},
           {               }
    };
    role.loads.push_back(load_of(schemas::LoadOf::flags, "flags/" + la, ""));
    return role;
}

Role school(const std::string& agency, const std::string& urn) {
    Role role{
        agency, {"notices/school/" + urn, "results/" + agency},
         {                       }
    };
    role.loads.push_back(load_of(schemas::LoadOf::rolls, "rolls/school/" + urn, "urn:" + urn));
    return role;
}

}  // namespace

SpiffeId spiffe(const std::string& agency) {
    return SpiffeId::parse("spiffe://county.example/" + agency).value();
}

std::string county_agreement_text() { return agreement_text; }

const agreement::Agreement& county_agreement() {
    static const auto agreement = agreement::Agreement::parse(agreement_text).value();
    return agreement;
}

client::Witness Identity::witness() const {
    return {"county.example/" + agency, crypto::NoteKey::from_seed(witness_seed)};
}

log::VerifierKey Identity::witness_key() const {
    const auto itself = witness();
    return {itself.name, log::VerifierKey::Type::cosignature, itself.key.public_key()};
}

const std::vector<Identity>& identities() {
    static const auto all = [] {
        seed_openssl(0);
        std::vector<Identity> made;
        std::uint8_t seed = 1;
        for (const auto& [agency, party] : county_agreement().parties())
            made.push_back({agency.text(), crypto::OriginKey::generate(), {seed++}});
        return made;
    }();
    return all;
}

const Identity& identity(const std::string& agency) {
    return *std::ranges::find(identities(), agency, &Identity::agency);
}

router::Parties county_parties() {
    router::Parties parties;
    const Instant from = epoch - std::chrono::hours{24 * 365};
    const Instant until = epoch + std::chrono::hours{24 * 365 * 10};
    for (const Identity& each : identities()) {
        auto& keys = parties.keys[AgencyId::parse(each.agency).value()];
        keys.origin.push_back({crypto::OriginVerifier::parse(each.origin.public_der()).value(), from, until});
        keys.witness.push_back({each.witness_key(), from, until});
    }
    return parties;
}

std::vector<Role> county_roles() {
    std::vector<Role> roles;
    roles.push_back({
        "police/31", {"markers/31",    "reports/police/31", "questions/31"},
         {              }
    });
    roles.back().has_incidents = true;
    roles.push_back(social_care("E10000024"));
    roles.back().witness = true;
    roles.push_back(social_care("E06000018"));
    roles.push_back(school("school/900001", "900001"));
    roles.push_back(school("school/900002", "900002"));
    roles.push_back(school("trust/north", "900003"));
    roles.push_back({
        "education/E10000024", {"notices/education/E10000024", "results/education/E10000024"},
         {                             }
    });
    roles.back().loads.push_back(load_of(schemas::LoadOf::rolls, "rolls/E10000024", "la:E10000024"));
    roles.push_back({"operator/duty", {"results/operator/duty"}, {}});
    roles.back().loads.push_back(load_of(schemas::LoadOf::bank_holidays, "reference/bank-holidays", ""));
    roles.back().asks = true;
    roles.push_back({"auditor/office", {}, {}});
    roles.back().asks = true;
    roles.back().witness = true;
    roles.push_back({"bench/1", {"bench/1"}, {}});
    roles.back().has_opaque = true;
    return roles;
}

wire::Draft make_incident(Dice& dice, Instant now) {
    auto incident = tests::incident("NP-" + std::to_string(dice.below(8)));
    incident.version = 1 + static_cast<std::uint32_t>(dice.below(4));
    incident.occurred_us = to_us(now) - 3'600'000'000;
    incident.recorded_us = to_us(now);
    incident.domestic_abuse = dice.one_in(2);
    incident.circumstances = "As told on call " + std::to_string(dice.below(5)) + ".";
    const Child& child = children[dice.below(children.size())];
    if (dice.one_in(2)) incident.place = home_of(child);
    if (incident.domestic_abuse)
        tests::add_person(incident, schemas::Role::victim,
                          tests::person(child.mother, child.family, "1985-05-05"));
    auto& row = tests::add_person(incident, schemas::Role::child,
                                  tests::person(child.given, child.family, child.born));
    if (incident.domestic_abuse) tests::relate(row, 0, "child");
    return {schemas::Kind::incident,
            "incidents/31",
            incident.reference,
            "safeguarding",
            {"CA2004-s10"},
            {},
            wire::pack<schemas::Incident>(incident)};
}

wire::Draft make_question(Dice& dice, const client::Incoming& notice, const std::string& agency) {
    const auto* told = flatbuffers::GetRoot<schemas::SocialCareNotice>(notice.payload.data());
    schemas::QuestionValue question;
    question.notice.assign(told->notice()->begin(), told->notice()->end());
    question.force = told->force()->str();
    question.incident_reference = told->incident_reference()->str();
    if (dice.one_in(8))
        question.incident_reference = "NP-" + std::to_string(dice.below(8));  // perhaps not theirs
    question.about = "people";
    question.text = "Who else was there?";
    question.by = "J. Worker";
    return {schemas::Kind::question,
            "receipts/" + agency,
            question.incident_reference,
            {},
            {},
            notice.id,
            wire::pack<schemas::Question>(question)};
}

wire::Draft make_opaque(Dice& dice, const std::string& topic) {
    Bytes payload(dice.below(200), static_cast<std::uint8_t>(dice.below(256)));
    return {schemas::Kind::opaque, topic, "", "", {}, {}, std::move(payload)};
}

std::vector<Bytes> make_records(Dice& dice, const client::Load& load) {
    if (load.of == schemas::LoadOf::flags) return flags_of(dice, code_of(load.topic));
    if (load.of == schemas::LoadOf::bank_holidays) {
        schemas::BankHolidayValue day;
        day.division = "england-and-wales";
        day.date = "2025-12-2" + std::to_string(dice.below(10));
        return {wire::pack<schemas::BankHoliday>(day)};
    }
    const bool of_school = load.scope.starts_with("urn:");
    return roll_of(dice, of_school
                             ? std::optional{static_cast<std::uint32_t>(std::stoul(load.scope.substr(4)))}
                             : std::nullopt);
}

}  // namespace flagpost::simulation
