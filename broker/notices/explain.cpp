#include "broker/notices/explain.h"

#include <date/date.h>

#include <algorithm>
#include <map>

namespace flagpost::notices {
namespace {

using agreement::Agreement;
using schemas::Kind;
using schemas::Outcome;
using schemas::Role;

// Sexes and dates that pass every check; the names are nobody's.
constexpr const char* child_given = "Example";
constexpr const char* family = "Madeupfamily";
constexpr int child_age_years = 9;
constexpr int parents_age_years = 34;
constexpr std::uint32_t neighbour_urn = 1;  // no school of GIAS has it
constexpr std::uint32_t far_urn = 2;        // nor this
constexpr std::chrono::hours old_list{42 * 24};

std::string day_text(date::sys_days day) { return date::format("%F", day); }

std::string born(Instant now, int age) {
    const auto today = date::floor<date::days>(now);
    return day_text(today - date::days{age * 365 + age / 4 + 60});
}

std::unique_ptr<schemas::PersonValue> someone(const char* given, const std::string& born_on,
                                              const char* sex) {
    auto person = std::make_unique<schemas::PersonValue>();
    person->given_names = given;
    person->family_name = family;
    person->date_of_birth = born_on;
    person->sex = sex;
    return person;
}

std::unique_ptr<schemas::PersonValue> the_child(Instant now) {
    return someone(child_given, born(now, child_age_years), "F");
}
std::unique_ptr<schemas::PersonValue> the_mother(Instant now) {
    return someone("Motherof", born(now, parents_age_years), "F");
}

schemas::FlagValue the_flag(const Case& of, Instant now) {
    const auto today = date::floor<date::days>(now);
    schemas::FlagValue flag;
    flag.la = of.la;
    flag.la_child_id = "EXAMPLE";
    flag.kind = of.kind;
    flag.start_date = day_text(today - date::days{1000});
    if (of.flag == Standing::ended) flag.end_date = day_text(today - date::days{100});
    if (of.flag == Standing::ended_long_ago) flag.end_date = day_text(today - date::days{500});
    if (of.flag == Standing::deleted) flag.delete_date = day_text(today - date::days{10});
    if (of.kind == schemas::FlagKind::unborn_child_protection_plan) {
        flag.child = std::make_unique<schemas::PersonValue>();
        flag.child->family_name = family;
        flag.child->sex = "U";
        flag.expected_date_of_birth = day_text(today + date::days{90});
    } else {
        flag.child = the_child(now);
    }
    flag.shield = of.shield;
    flag.team = "the team";
    flag.duty_contact = "the duty contact";
    auto mother = std::make_unique<schemas::LinkedAdultValue>();
    mother->person = the_mother(now);
    mother->relation = "mother";
    flag.linked_adults.push_back(std::move(mother));
    return flag;
}

/// A school nearby says whose place it is.
std::unique_ptr<schemas::PlaceValue> place_in(const char* postcode) {
    auto place = std::make_unique<schemas::PlaceValue>();
    place->line_1 = "1 Example Street";
    place->postcode = postcode;
    return place;
}
constexpr const char* elsewhere = "ZZ2 2ZZ";

/// Where it happened, and whose child it is where no flag and no roll says so.
std::unique_ptr<schemas::PlaceValue> the_home() { return place_in("ZZ1 1ZZ"); }

schemas::SchoolValue school_of(const std::string& la, std::uint32_t urn) {
    schemas::SchoolValue school;
    school.urn = urn;
    school.la = la;
    school.name = "a school";
    school.status = 1;
    school.place = the_home();
    return school;
}

std::string joined(const std::vector<std::string>& parts, std::string_view between = ", ") {
    std::string out;
    for (const auto& part : parts) out += (out.empty() ? std::string{} : std::string{between}) + part;
    return out;
}

std::string span_text(std::chrono::minutes span) {
    if (span.count() % (24 * 60) == 0 && span.count() > 24 * 60)
        return std::to_string(span.count() / (24 * 60)) + " days";
    if (span.count() % 60 == 0) return std::to_string(span.count() / 60) + " hours";
    return std::to_string(span.count()) + " minutes";
}

std::string local_text(Instant at, const date::time_zone* zone) {
    const auto local = date::make_zoned(zone, date::floor<std::chrono::minutes>(at)).get_local_time();
    return date::format("%a %d %b %Y, %H:%M", local);
}

const char* role_text(Role role) {
    switch (role) {
        case Role::victim:
            return "the victim";
        case Role::suspect:
            return "the suspect";
        case Role::witness:
            return "a witness";
        default:
            return "somebody involved";
    }
}

std::string flag_text(const Case& of) {
    const char* kind = of.kind == schemas::FlagKind::looked_after ? "looked after"
                       : of.kind == schemas::FlagKind::unborn_child_protection_plan
                           ? "unborn and on a child protection plan"
                           : "on a child protection plan";
    switch (of.flag) {
        case Standing::unflagged:
            return "not flagged by anybody";
        case Standing::standing:
            return std::string{kind} + " of social-care/" + of.la;
        case Standing::ended:
            return std::string{kind} + " of social-care/" + of.la + ", which ended 100 days ago";
        case Standing::ended_long_ago:
            return std::string{kind} + " of social-care/" + of.la + ", which ended 500 days ago";
        default:
            return std::string{kind} + " of social-care/" + of.la + ", which was deleted as a mistake";
    }
}

std::string sure_text(Outcome outcome) {
    switch (outcome) {
        case Outcome::match:
            return "certain";
        case Outcome::potential:
            return "possible, not certain";
        case Outcome::many:
            return "as good with several people";
        default:
            return "weak";
    }
}

std::string heading(const Case& of) {
    std::string out = "Police/" + of.force + " report " +
                      (of.domestic_abuse ? "domestic abuse" : "an incident that is not domestic abuse");
    if (!of.qualifiers.empty()) out += " (" + joined(of.qualifiers) + ")";
    const bool is_named = of.is_named && of.kind != schemas::FlagKind::unborn_child_protection_plan;
    out += ". " + std::string{is_named ? "A child is named in it" : "A child is not named in it"} +
           ", whose mother is " + role_text(of.adult) + ". The child is " + flag_text(of);
    if (of.shield != schemas::Shield::none)
        out += ", shielded (" + std::string{schemas::EnumNameShield(of.shield)} + ")";
    out +=
        of.urn == 0 ? ", and on no school's roll" : ", and on the roll of school/" + std::to_string(of.urn);
    if (of.not_in_school) out += ", and on education/" + of.la + "'s register of children not in school";
    if (of.is_list_old && (of.urn != 0 || of.not_in_school))
        out += ", which nobody has confirmed for six weeks";
    if (!of.lives_in.empty()) out += ", and lives in the area of " + of.lives_in;
    if (of.how_sure) out += ". Comparing the details is " + sure_text(*of.how_sure);
    return out + ".\n";
}

class Words {
public:
    Words(const Agreement& agreement, const Case& of, Instant now, const date::time_zone* zone)
        : agreement_{agreement}, case_{of}, now_{now}, zone_{zone} {}

    std::string of(const Planned& planned) const {
        std::string out = "  " + planned.recipient + " gets a " +
                          std::string{schemas::EnumNameKind(planned.kind)} + " in " + planned.topic +
                          ", under rule " + planned.rule + "\n";
        out += ground(planned.purpose, planned.legal_basis, planned.retention, planned.recipient);
        out += "    by when: " + local_text(planned.due, zone_) +
               (planned.urn != 0 ? ", the start of the school's next day (its calendar decides)"
                                 : ", " + span_text(since(planned.due)) + " after the incident is known") +
               "\n";
        if (const auto* rule = rule_of(planned.kind, planned.recipient))
            out += "    what: " + joined({rule->fields.begin(), rule->fields.end()}) + "\n";
        for (const auto& rung : planned.rungs) out += step(planned, rung);
        return out;
    }

    std::string held(const Planned& review) const {
        std::string out = of(review);
        for (const auto& why : std::get<schemas::ReviewItemValue>(review.payload).why)
            out += "    why a person looks: " + why + "\n";
        if (review.two_people) out += "    two people must decide alike\n";
        out += review.held ? "    if it is permitted:\n" + indented(of(*review.held))
                           : "    nothing can be sent, whatever is decided\n";
        return out;
    }

private:
    const agreement::Rule* rule_of(Kind kind, const std::string& recipient) const {
        return agreement_.rule_for(schemas::EnumNameKind(kind), "police",
                                   recipient.substr(0, recipient.find('/')));
    }

    std::chrono::minutes since(Instant at) const {
        return std::chrono::duration_cast<std::chrono::minutes>(at - now_);
    }

    std::string ground(const std::string& purpose, const std::vector<std::string>& basis,
                       const std::string& retention, const std::string& controller) const {
        std::string out = "    why: purpose " + purpose + "; legal basis " + joined(basis) + "\n";
        const auto* row = agreement_.retention_for(retention, controller);
        out += "    kept: " +
               (row ? span_text(row->keep) + ", by " + row->id : "until somebody orders its erasure") + "\n";
        return out;
    }

    std::string step(const Planned& planned, const PlannedRung& rung) const {
        const char* unless = rung.unless == schemas::Level::stored   ? "received"
                             : rung.unless == schemas::Level::opened ? "opened"
                                                                     : "answered";
        std::string out = std::string{"    if not "} + unless + " by " + local_text(rung.at, zone_) + ": ";
        if (rung.recipient.empty()) return out + "police/" + case_.force + " step in\n";
        if (rung.recipient == planned.recipient) return out + "the next contact there is asked\n";
        return out + rung.recipient + " is told, under rule " + rung.rule + "\n";
    }

    static std::string indented(const std::string& lines) {
        std::string out = "    ";
        for (const char c : lines.substr(0, lines.size() - 1)) {
            out += c;
            if (c == '\n') out += "    ";
        }
        return out + "\n";
    }

    const Agreement& agreement_;
    const Case& case_;
    Instant now_;
    const date::time_zone* zone_;
};

bool takes_part(const Agreement& agreement, const AgencyId& agency) {
    return agreement.party(agency) || std::ranges::any_of(agreement.parties(), [&](const auto& entry) {
               return agreement.acts_as(entry.first, agency);
           });
}

std::string why_not_social_care(const Case& of, const AgencyId& agency) {
    if (agency.code() != of.la) return "The child has no flag of this authority.";
    switch (of.flag) {
        case Standing::unflagged:
            return "The child has no flag of this authority.";
        case Standing::deleted:
            return "The flag was deleted: it should never have been there.";
        case Standing::ended_long_ago:
            return "The flag ended more than 12 months before the incident.";
        default:
            return "Nobody in the incident is known to be the child or an adult linked to the flag.";
    }
}

std::string why_not_school(const Case& of, const AgencyId& agency) {
    if (std::to_string(of.urn) != agency.code()) return "The child is not on this school's roll.";
    if (!of.domestic_abuse) return "Schools are told of domestic abuse only.";
    if (!of.is_named && of.flag != Standing::standing)
        return "The child is not named, and no standing flag links the adult to it.";
    return "The adult is neither victim nor suspect of the abuse.";
}

std::string why_not_force(const Agreement& agreement, const Case& of, const AgencyId& agency) {
    const auto force = agreement.force_of(of.lives_in);
    if (!force || *force != agency) return "The child does not live in its area.";
    if (!of.domestic_abuse) return "The force of residence is told of domestic abuse only.";
    const auto attended = AgencyId::parse("police/" + of.force);
    const auto* party = attended ? agreement.party(*attended) : nullptr;
    if (!party || party->areas.empty())
        return "The force that attended names no areas, and so hands nothing over.";
    return "Nobody concerned is a child who is known to live in its area.";
}

}  // namespace

Made made_up(const Case& of, Instant now) {
    Made made;
    if (of.flag != Standing::unflagged) {
        made.known.set_feed(of.la, now);
        made.known.set_flag(the_flag(of, now), now);
    }
    const bool is_born = of.kind != schemas::FlagKind::unborn_child_protection_plan;
    const Instant confirmed = of.is_list_old ? now - old_list : now;
    if (of.urn != 0 && is_born) {
        made.known.set_school(school_of(of.la, of.urn));
        schemas::PupilValue pupil;
        pupil.urn = of.urn;
        pupil.child = the_child(now);
        pupil.enrolment = "C";
        made.known.set_pupil(std::move(pupil), confirmed, "urn:" + std::to_string(of.urn));
    }
    if (of.not_in_school && is_born) {
        schemas::PupilValue registered;
        registered.la = of.la;
        registered.child = the_child(now);
        made.known.set_pupil(std::move(registered), confirmed, "not-in-school:" + of.la);
    }

    auto& incident = made.incident;
    incident.force = of.force;
    incident.reference = "EXAMPLE";
    incident.version = 1;
    incident.occurred_us = to_us(now);
    incident.recorded_us = to_us(now);
    incident.domestic_abuse = of.domestic_abuse;
    incident.qualifiers = of.qualifiers;
    incident.place = the_home();
    made.known.set_school(school_of(of.la, neighbour_urn));
    auto adult = std::make_unique<schemas::IncidentPersonValue>();
    adult->person = the_mother(now);
    adult->role = of.adult;
    incident.people.push_back(std::move(adult));
    if (of.is_named && is_born) {
        auto child = std::make_unique<schemas::IncidentPersonValue>();
        child->person = the_child(now);
        child->role = Role::child;
        child->present = true;
        auto to_mother = std::make_unique<schemas::RelationshipValue>();
        to_mother->to = 0;
        to_mother->relation = "child";
        child->relationships.push_back(std::move(to_mother));
        if (!of.lives_in.empty()) {
            auto far = school_of(of.lives_in, far_urn);
            far.place = place_in(elsewhere);
            made.known.set_school(std::move(far));
            child->home = place_in(elsewhere);
        }
        incident.people.push_back(std::move(child));
    }
    return made;
}

match::Decision decided(const Case& of, const Made& made, Instant now) {
    auto decision = match::decide(made.known, made.incident, now);
    if (of.how_sure) {
        for (auto& hit : decision.flags) hit.outcome = *of.how_sure;
        for (auto& hit : decision.pupils) hit.outcome = std::min(hit.outcome, *of.how_sure);
    }
    return decision;
}

std::string why_not(const Agreement& agreement, const Case& of, const Plan& plan, const AgencyId& agency) {
    const auto& name = agency.text();
    for (const auto& planned : plan.planned) {
        if (planned.kind != Kind::review_item && planned.recipient == name) return {};
        if (planned.kind != Kind::review_item) continue;
        if (planned.recipient == name) return "It is asked, not told: a person there looks first.";
        if (std::get<schemas::ReviewItemValue>(planned.payload).bound_for == name)
            return "A person at " + planned.recipient + " looks first.";
    }
    for (const auto& withheld : plan.withheld)
        if (withheld.recipient == name) return "The agreement stops it: " + withheld.why + ".";
    if (!takes_part(agreement, agency)) return "It takes no part in the agreement.";
    if (agency.kind() == "social-care") return why_not_social_care(of, agency);
    if (agency.kind() == "school") return why_not_school(of, agency);
    for (const auto& planned : plan.planned)
        for (const auto& rung : planned.rungs)
            if (rung.recipient == name) return "Only if " + planned.recipient + " does not answer in time.";
    if (agency.kind() == "police")
        return agency.code() == of.force ? "It sent the incident; it hears what became of each notice."
               : of.lives_in.empty()
                   ? "The child lives where it happened, and that is not known to be another force's area."
                   : why_not_force(agreement, of, agency);
    const bool is_officer = agency.kind() == "education" && agency.code() == of.la &&
                            agreement.rule_for("school_notice", "police", "education");
    if (is_officer) {
        if (!of.domestic_abuse)
            return "The officer for children not in school is told of domestic abuse only.";
        if (!of.not_in_school)
            return "The child is not on the authority's register of children not in school.";
    }
    return "No rule shares an incident with agencies of kind " + std::string{agency.kind()} + ".";
}

std::string explain(const Agreement& agreement, const Case& of, Instant now, const date::time_zone* zone,
                    const std::optional<AgencyId>& only) {
    const auto made = made_up(of, now);
    const auto plan = notices::plan(agreement, made.known, made.incident, decided(of, made, now), now, zone);
    const auto concerns = [&](const std::string& agency) { return !only || only->text() == agency; };
    const Words words{agreement, of, now, zone};
    std::string told, looked_at, untold;
    for (const auto& planned : plan.planned) {
        if (planned.kind != Kind::review_item) {
            if (concerns(planned.recipient)) told += words.of(planned);
        } else if (concerns(planned.recipient) ||
                   concerns(std::get<schemas::ReviewItemValue>(planned.payload).bound_for)) {
            looked_at += words.held(planned);
        }
    }
    std::vector<std::string> others{"social-care/" + of.la};
    if (of.urn != 0) others.push_back("school/" + std::to_string(of.urn));
    others.push_back("education/" + of.la);
    if (const auto force = of.lives_in.empty() ? std::nullopt : agreement.force_of(of.lives_in))
        others.push_back(force->text());
    if (only) others = {only->text()};
    for (const auto& other : others) {
        const auto agency = AgencyId::parse(other);
        const auto why = agency ? why_not(agreement, of, plan, *agency) : "It is no agency.";
        if (!why.empty()) untold.append("  ").append(other).append(": ").append(why).append("\n");
    }
    std::string out = heading(of) + "Agreement " + to_hex(agreement.digest()).substr(0, 16) + ".\n";
    if (!told.empty()) out += "\nTold at once:\n" + told;
    if (!looked_at.empty()) out += "\nA person looks first:\n" + looked_at;
    if (!untold.empty()) out += "\nNot told at once:\n" + untold;
    return out;
}

}  // namespace flagpost::notices
