#include "broker/notices/scrub.h"

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "broker/core/ids.h"
#include "broker/plain/text.h"

namespace flagpost::notices {
namespace {

using WordList = std::vector<std::string>;

constexpr std::array<std::string_view, 52> never_for_schools{
    // what police know of somebody
    "CONVICTION", "CONVICTIONS", "CONVICTED", "PNC", "PND", "INTELLIGENCE", "ANTECEDENTS", "MARAC", "MAPPA",
    "MATAC", "DASH", "DARA", "OFFENDER", "REOFFENDER", "BAIL", "INFORMANT", "WARRANT", "NONMOLESTATION",
    "PRISON", "PROBATION", "PAROLE", "SENTENCED", "REHABILITATION",
    // where somebody may be hidden
    "REFUGE", "UPRN", "SAFEHOUSE", "HOSTEL", "SANCTUARY",
    // anybody's health
    "HEALTH", "MENTAL", "MENTALLY", "DEPRESSION", "DEPRESSED", "SUICIDE", "SUICIDAL", "OVERDOSE", "OVERDOSED",
    "PREGNANT", "PREGNANCY", "MISCARRIAGE", "DIAGNOSIS", "DIAGNOSED", "MEDICATION", "PRESCRIBED",
    "PSYCHIATRIC", "SECTIONED", "BIPOLAR", "SCHIZOPHRENIA", "HIV", "METHADONE", "DETOX", "ADDICTION"};

// Words of a street that say nothing of where it is.
constexpr std::array<std::string_view, 26> street_kinds{
    "ROAD",  "STREET", "LANE", "AVENUE", "DRIVE",    "CLOSE", "COURT", "GARDENS", "GROVE",
    "PLACE", "SQUARE", "PARK", "HOUSE",  "TERRACE",  "WAY",   "HILL",  "THE",     "WALK",
    "GREEN", "VIEW",   "RISE", "FLAT",   "CRESCENT", "NORTH", "SOUTH", "FLOOR"};

template <std::size_t N> bool listed(std::string_view word, const std::array<std::string_view, N>& list) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

/// Every word that must not stand in the text.
class Forbidden {
public:
    Forbidden(const schemas::PersonValue& child, const schemas::IncidentValue& incident,
              const std::vector<const schemas::PlaceValue*>& hidden) {
        add_names(child, own_);
        for (const auto* place : hidden) add_place(*place);
        if (incident.place) add_place(*incident.place);
        for (const auto& person : incident.people) {
            if (!person) continue;
            if (person->person) add_names(*person->person, words_);
            if (person->home) add_place(*person->home);
        }
        if (incident.risk) {
            for (const auto* text : {&incident.risk->grade, &incident.risk->tool}) {
                for (auto& word : plain::words(*text)) words_.insert(std::move(word));
            }
        }
        for (const auto& word : own_) words_.erase(word);
    }

    bool stands_in(const WordList& text) const {
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (words_.count(text[i]) != 0 || listed(text[i], never_for_schools)) return true;
            if (normal_postcode(text[i])) return true;
            if (i + 1 < text.size() && normal_postcode(text[i] + text[i + 1])) return true;
        }
        return false;
    }

private:
    static void add_names(const schemas::PersonValue& person, std::set<std::string>& out) {
        add_words(person.given_names, out);
        add_words(person.family_name, out);
        for (const auto& other : person.also_known_as) {
            if (!other) continue;
            add_words(other->given, out);
            add_words(other->family, out);
        }
    }
    static void add_words(std::string_view text, std::set<std::string>& out) {
        for (auto& word : plain::words(text)) out.insert(std::move(word));
    }
    void add_place(const schemas::PlaceValue& place) {
        for (const auto* line : {&place.line_1, &place.line_2}) {
            for (auto& word : plain::words(*line)) {
                const bool number = word[0] >= '0' && word[0] <= '9';
                if (!number && word.size() > 2 && !listed(word, street_kinds)) words_.insert(std::move(word));
            }
        }
        for (auto& word : plain::words(place.postcode)) words_.insert(std::move(word));
        if (place.uprn != 0) words_.insert(std::to_string(place.uprn));
    }

    std::set<std::string> words_, own_;
};

}  // namespace

std::string fit_for_school(std::string_view text, const schemas::PersonValue& child,
                           const schemas::IncidentValue& incident,
                           const std::vector<const schemas::PlaceValue*>& hidden) {
    if (Forbidden{child, incident, hidden}.stands_in(plain::words(text))) return {};
    return std::string{text};
}

}  // namespace flagpost::notices
