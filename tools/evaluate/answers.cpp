#include "tools/evaluate/answers.h"

#include <algorithm>
#include <climits>
#include <map>
#include <ostream>

#include "broker/match/candidates.h"
#include "broker/register/person_index.h"

namespace flagpost::evaluate {
namespace {

using registry::FlagKey;

constexpr const char* authority = "E00000000";
constexpr std::int64_t when_us = 1'741'125'600'000'000;  // sets have no day of their own
constexpr int year = 2025;

std::unique_ptr<schemas::DatedPlaceValue> current(const schemas::PlaceValue& place) {
    auto dated = std::make_unique<schemas::DatedPlaceValue>();
    dated->place = std::make_unique<schemas::PlaceValue>(place);
    return dated;
}

bool is_given(const schemas::PlaceValue& place) { return !registry::place_form(place).empty(); }

/// The people of a register without roles, each with its address, as the broker's register holds flagged children.
class People {
public:
    explicit People(const Sheet& known) {
        for (const auto& entry : known.entries) {
            if (!entry.names_somebody()) continue;
            const auto key = keys_.emplace(entry.id, FlagKey{authority, entry.id}).first;
            registry::Row row;
            row.kind = registry::RowKind::flagged_child;
            row.person = form_of(entry);
            row.flag = &key->second;
            pool_.add(std::move(row));
        }
    }

    std::vector<Answer> ask(const Entry& query) const {
        const auto person = form_of(query);
        const auto keys = registry::query_keys(person);
        const registry::PlaceForm attended;
        match::Effort effort;
        auto candidates = match::search(
            {&person, &keys, false, &attended, year}, pool_, match::share_flagged,
            [](const registry::Row&) { return true; }, {}, effort);
        match::weigh_together(candidates);
        std::vector<Answer> answers;
        for (const auto& candidate : candidates) {
            Answer answer{query.id, candidate.row->flag->la_child_id, candidate.margin, candidate.outcome, {},
                          {}};
            if (candidate.held) answer.reasons.push_back(*candidate.held);
            for (auto& words : match::in_words(candidate.comparison))
                answer.reasons.push_back(std::move(words));
            answer.evidence = match::evidence(candidate.comparison, candidate.prior);
            answers.push_back(std::move(answer));
        }
        std::sort(answers.begin(), answers.end(),
                  [](const Answer& a, const Answer& b) { return a.flag_id < b.flag_id; });
        return answers;
    }

private:
    static registry::PersonForm form_of(const Entry& entry) {
        auto form = registry::person_form(entry.person);
        form.upn = entry.identifier;
        if (auto place = registry::place_form(entry.place); !place.empty() || !place.town.empty())
            form.places.push_back(
                {std::make_shared<const registry::PlaceForm>(std::move(place)), INT_MIN, INT_MAX});
        return form;
    }

    std::map<std::string, FlagKey> keys_;
    registry::Pool pool_;
};

/// A register of flags, for incidents and for addresses alone.
registry::Register register_of(const Sheet& known) {
    std::map<std::string, schemas::FlagValue> flags;
    for (const auto& entry : known.entries) {
        auto& flag = flags[entry.id];
        flag.la = authority;
        flag.la_child_id = entry.id;
        if (entry.role == "linked_adult") {
            auto adult = std::make_unique<schemas::LinkedAdultValue>();
            adult->person = std::make_unique<schemas::PersonValue>(entry.person);
            if (is_given(entry.place)) adult->places.push_back(current(entry.place));
            flag.linked_adults.push_back(std::move(adult));
            continue;
        }
        if (entry.names_somebody()) flag.child = std::make_unique<schemas::PersonValue>(entry.person);
        if (is_given(entry.place)) flag.places.push_back(current(entry.place));
    }
    registry::Register filled;
    for (auto& [id, flag] : flags) filled.set_flag(std::move(flag), from_us(when_us));
    return filled;
}

std::vector<Answer> decide(const registry::Register& known, const schemas::IncidentValue& incident,
                           const std::string& query_id) {
    std::vector<Answer> answers;
    for (auto& hit : match::decide(known, incident, from_us(when_us)).flags)
        answers.push_back({query_id, hit.flag.la_child_id, hit.score, hit.outcome, std::move(hit.reasons),
                           std::move(hit.evidence)});
    return answers;
}

schemas::IncidentValue incident_of(const std::vector<const Entry*>& rows) {
    schemas::IncidentValue incident;
    incident.occurred_us = when_us;
    for (const auto* row : rows) {
        if (!incident.place && is_given(row->place))
            incident.place = std::make_unique<schemas::PlaceValue>(row->place);
        if (!row->names_somebody()) continue;
        auto involved = std::make_unique<schemas::IncidentPersonValue>();
        involved->person = std::make_unique<schemas::PersonValue>(row->person);
        incident.people.push_back(std::move(involved));
    }
    return incident;
}

const char* name_of(schemas::Outcome outcome) {
    switch (outcome) {
        case schemas::Outcome::match:
            return "match";
        case schemas::Outcome::potential:
            return "potential";
        case schemas::Outcome::many:
            return "many";
        default:
            return "low";
    }
}

}  // namespace

std::vector<Answer> answer(const Sheet& known, const Sheet& queries) {
    const auto flags = register_of(known);
    const People people{known};
    std::vector<std::string> order;
    std::map<std::string, std::vector<const Entry*>> rows;
    for (const auto& entry : queries.entries) {
        auto& of_query = rows[entry.id];
        if (of_query.empty()) order.push_back(entry.id);
        of_query.push_back(&entry);
    }
    std::vector<Answer> all;
    for (const auto& id : order) {
        const auto& first = *rows[id].front();
        const bool one_person = !queries.roles && first.names_somebody();
        auto answers = one_person ? people.ask(first) : decide(flags, incident_of(rows[id]), id);
        std::move(answers.begin(), answers.end(), std::back_inserter(all));
    }
    return all;
}

void write_predictions(const std::vector<Answer>& answers, std::ostream& out) {
    out << "query_id,flag_id,score,decision\n";
    for (const auto& answer : answers)
        out << answer.query_id << ',' << answer.flag_id << ',' << answer.score << ','
            << (answer.outcome == schemas::Outcome::match ? "auto" : "review") << '\n';
}

void write_explanation(const std::vector<Answer>& answers, const std::string& query_id, std::ostream& out) {
    bool any = false;
    for (const auto& answer : answers) {
        if (query_id != "*" && answer.query_id != query_id) continue;
        any = true;
        if (query_id == "*") out << answer.query_id << ' ';
        out << answer.flag_id << ": " << name_of(answer.outcome) << ", " << answer.score << " millibits\n";
        for (const auto& reason : answer.reasons) out << "  " << reason << '\n';
        for (const auto& each : answer.evidence)
            out << "  " << each.field << (each.level.empty() ? "" : ".") << each.level << ' ' << each.weight
                << '\n';
    }
    if (!any) out << query_id << ": nothing comes near enough\n";
}

}  // namespace flagpost::evaluate
