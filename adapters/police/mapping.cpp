#include "adapters/police/mapping.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "adapters/client/text.h"
#include "broker/core/ids.h"

namespace flagpost::police {
namespace {

using client::trimmed;
using desk::Findings;
using nlohmann::json;
using Texts = std::vector<std::string>;

/// By these a person is somebody; what else a row says of nobody is left out.
constexpr std::array<std::string_view, 6> says_who{"given_names",   "family_name", "also_known_as",
                                                   "date_of_birth", "upn",         "nhs_number"};

Texts pieces_of(std::string_view text, const std::string& separator) {
    Texts pieces;
    for (bool more = true; more;) {
        const auto end = text.find(separator);
        more = end != std::string_view::npos;
        if (const auto piece = trimmed(text.substr(0, end)); !piece.empty()) pieces.emplace_back(piece);
        if (more) text.remove_prefix(end + separator.size());
    }
    return pieces;
}

Texts one_of(const Texts& pieces, int part) {
    const auto count = static_cast<int>(pieces.size());
    const int at = part > 0 ? part - 1 : count + part;
    if (at < 0 || at >= count) return {};
    return {pieces[static_cast<std::size_t>(at)]};
}

std::string joined(const Texts& texts, const std::string& between) {
    std::string all;
    for (const auto& text : texts) all += (all.empty() ? "" : between) + text;
    return all;
}

std::string names_of(const FieldRule& rule) {
    std::string names;
    for (const Place& place : rule.from) names += (names.empty() ? "" : ", ") + place.text;
    return names;
}

/// What stands where the rule looks.
Texts found(const FieldRule& rule, const Record& record) {
    Texts all;
    for (const Place& place : rule.from) {
        Texts values = record.values(place);
        if (rule.first && !values.empty()) {
            all = std::move(values);
            break;
        }
        all.insert(all.end(), std::make_move_iterator(values.begin()), std::make_move_iterator(values.end()));
    }
    return all;
}

/// The pieces that the rule asks for.
Texts cut(const FieldRule& rule, Texts all) {
    if (rule.split.empty()) return all;
    Texts pieces;
    for (const auto& text : all)
        for (auto& piece : pieces_of(text, rule.split)) pieces.push_back(std::move(piece));
    return rule.part == 0 ? pieces : one_of(pieces, rule.part);
}

Texts translated(const FieldRule& rule, Texts texts, const std::string& where, Findings& findings) {
    if (!rule.codes) return texts;
    Texts ours;
    bool unknown = false;
    for (const auto& text : texts) {
        const auto known = rule.codes->values.find(text);
        if (known != rule.codes->values.end())
            ours.push_back(known->second);
        else if (rule.codes->otherwise)
            ours.push_back(*rule.codes->otherwise);
        else
            unknown = true;
    }
    if (unknown) findings.fault(where, "a code that the mapping does not know");
    std::erase(ours, "");
    return ours;
}

std::optional<bool> truth_of(std::string word) {
    std::ranges::transform(word, word.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    for (const char* yes : {"yes", "y", "true", "t", "1"})
        if (word == yes) return true;
    for (const char* no : {"no", "n", "false", "f", "0"})
        if (word == no) return false;
    return std::nullopt;
}

/// Yes if any of them says yes; null if there is none.
json any_says_yes(const Texts& texts, const std::string& where, Findings& findings) {
    json answer;
    for (const auto& text : texts) {
        const auto truth = truth_of(text);
        if (!truth)
            findings.fault(where, "neither yes nor no");
        else
            answer = *truth || (answer.is_boolean() && answer.get<bool>());
    }
    return answer;
}

json list_of(const Texts& texts) {
    json list = json::array();
    for (const auto& text : texts)
        if (std::ranges::find(list, json(text)) == list.end()) list.push_back(text);
    return list;
}

/// Makes fields of one object by their rules.
class Maker {
public:
    Maker(const Record& record, const date::time_zone& zone, TwiceShown twice, Findings& findings,
          Trace* trace)
        : record_{record}, zone_{zone}, twice_{twice}, findings_{findings}, trace_{trace} {}

    /// `path` is the object's own in findings: "people[2].".
    json object(const Rules& rules, const std::string& path) {
        json made = json::object();
        for (const auto& [name, rule] : rules.fields) {
            json value = this->value(rule, path + name);
            if (!value.is_null()) made[name] = std::move(value);
        }
        if (rules.address) add_address(*rules.address, path, made);
        return made;
    }

    void add_name(const NameRule& rule, const std::string& path, json& person) {
        const std::string whole = text(rule.text, path + "name");
        findings_.came_from(path + "given_names", names_of(rule.text));
        findings_.came_from(path + "family_name", names_of(rule.text));
        const auto comma = whole.find(','), first = whole.find(' '), last = whole.rfind(' ');
        const auto cut = [&](std::size_t at, bool family_first) {
            const bool one_word = at == std::string::npos;
            const std::string before{trimmed(std::string_view{whole}.substr(0, at))};
            const std::string after{one_word ? std::string_view{}
                                             : trimmed(std::string_view{whole}.substr(at + 1))};
            person["family_name"] = family_first || one_word ? before : after;
            person["given_names"] = one_word ? "" : family_first ? after : before;
        };
        if (whole.empty()) return;
        if (rule.order == NameOrder::family_comma_given) return cut(comma, true);
        if (rule.order == NameOrder::family_given) return cut(first, true);
        cut(last, false);
    }

    std::string text(const FieldRule& rule, const std::string& where) {
        const json made = value(rule, where);
        return made.is_string() ? made.get<std::string>() : std::string{};
    }

private:
    json value(const FieldRule& rule, const std::string& where) {
        Texts theirs = found(rule, record_);
        if (!rule.from.empty()) findings_.came_from(where, names_of(rule));
        if (trace_ != nullptr) (*trace_)[where] = {names_of(rule), joined(theirs, " | ")};
        Texts texts = translated(rule, cut(rule, std::move(theirs)), where, findings_);
        if (texts.empty() && !rule.value.empty()) texts.push_back(rule.value);
        if (texts.empty()) return nullptr;
        switch (rule.kind) {
            case FieldKind::truth:
                return any_says_yes(texts, where, findings_);
            case FieldKind::list:
                return list_of(texts);
            case FieldKind::time:
                return time(rule, joined(texts, rule.join), where);
            case FieldKind::date:
                return date(rule, joined(texts, rule.join), where);
            default:
                return joined(texts, rule.join);
        }
    }

    json time(const FieldRule& rule, const std::string& text, const std::string& where) {
        if (const auto instant = desk::parse_instant(text); instant && rule.formats.empty()) return text;
        static const Texts usual{"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M",
                                 "%Y-%m-%d %H:%M"};
        const TimeRead read =
            read_local_time(text, rule.formats.empty() ? usual : rule.formats, zone_, twice_);
        if (!read.instant) {
            findings_.fault(where, read.problem);
            return nullptr;
        }
        if (read.twice_shown)
            findings_.left_out(where, std::string{"was twice that night, when clocks went back: the "} +
                                          (twice_ == TwiceShown::earlier ? "earlier" : "later") +
                                          " is taken");
        return date::format("%FT%TZ", *read.instant);
    }

    json date(const FieldRule& rule, const std::string& text, const std::string& where) {
        if (rule.formats.empty()) return text;
        std::string read = read_foreign_date(text, rule.formats);
        if (read.empty()) {
            findings_.fault(where, "is no date of the form " + joined(rule.formats, " or "));
            return nullptr;
        }
        if (!rule.year_only.empty() && read.ends_with("-" + rule.year_only)) read.replace(4, 6, "-00-00");
        return read;
    }

    void add_address(const FieldRule& rule, const std::string& path, json& place) {
        std::string whole = text(rule, path + "address");
        for (const char* name : {"line_1", "line_2", "town", "postcode"})
            findings_.came_from(path + name, names_of(rule));
        std::ranges::replace(whole, '\n', ',');
        Texts parts = pieces_of(whole, ",");
        if (parts.empty()) return;
        take_postcode(parts, place);
        if (parts.size() > 1) {
            place["town"] = parts.back();
            parts.pop_back();
        }
        if (parts.empty()) return;
        place["line_1"] = parts.front();
        parts.erase(parts.begin());
        if (!parts.empty()) place["line_2"] = joined(parts, ", ");
    }

    /// The last one or two words of an address, where they are a postcode.
    static void take_postcode(Texts& parts, json& place) {
        std::string& last = parts.back();
        std::size_t at = last.size();
        for (int words = 0; words < 2 && at != 0; ++words) {
            const auto blank = last.rfind(' ', at - 1);
            at = blank == std::string::npos ? 0 : blank;
            const auto postcode = normal_postcode(trimmed(std::string_view{last}.substr(at)));
            if (!postcode) continue;
            place["postcode"] = *postcode;
            last = trimmed(std::string_view{last}.substr(0, at));
            if (last.empty()) parts.pop_back();
            return;
        }
    }

    const Record& record_;
    const date::time_zone& zone_;
    TwiceShown twice_;
    Findings& findings_;
    Trace* trace_;
};

bool is_somebody(const json& person) {
    return std::ranges::any_of(says_who, [&](std::string_view name) {
        const auto value = person.find(std::string{name});
        return value != person.end() && !value->empty() && *value != "";
    });
}

/// "Jo Example" of a list as the names that incidents have.
json aliases_of(const json& texts) {
    json aliases = json::array();
    for (const auto& name : desk::read_names(texts.get<Texts>()))
        aliases.push_back({
            {"given",  name->given },
            {"family", name->family}
        });
    return aliases;
}

std::optional<json> person_of(const PersonRules& rules, Maker& make, const std::string& path) {
    json person = make.object(rules.own, path);
    if (rules.name) make.add_name(*rules.name, path, person);
    if (!is_somebody(person)) return std::nullopt;
    if (person.contains("also_known_as")) person["also_known_as"] = aliases_of(person["also_known_as"]);
    json home = make.object(rules.home, path + "home.");
    if (!home.empty()) person["home"] = std::move(home);
    json related = json::array();
    for (const RelatedRule& rule : rules.related)
        if (const std::string relation = make.text(rule.relation, path + "relationships"); !relation.empty())
            related.push_back({
                {"role",     rule.to },
                {"relation", relation}
            });
    if (!related.empty()) person["related"] = std::move(related);
    return person;
}

/// "related" of each person, by role, becomes "relationships", by number.
void relate(json& people, Findings& findings) {
    for (std::size_t i = 0; i < people.size(); ++i) {
        if (!people[i].contains("related")) continue;
        const json related = people[i]["related"];
        people[i].erase("related");
        for (const json& one : related) {
            std::size_t to = 0;
            while (to < people.size() && (to == i || people[to].value("role", "other") != one["role"])) ++to;
            if (to < people.size())
                people[i]["relationships"].push_back({
                    {"to",       to             },
                    {"relation", one["relation"]}
                });
            else
                findings.left_out("people[" + std::to_string(i) + "].relationships",
                                  "nobody of that role is in this incident, left out");
        }
    }
}

}  // namespace

json Mapping::part(const Record& record, std::size_t people_before, Findings& findings, Trace* trace) const {
    Maker make{record, *zone_, twice_, findings, trace};
    json incident = make.object(incident_, "");
    if (counts_versions_) incident["version"] = 1u;
    json people = json::array();
    const auto path = [&] { return "people[" + std::to_string(people_before + people.size()) + "]."; };
    for (const PersonRules& rules : people_) {
        if (!rules.each) {
            if (auto person = person_of(rules, make, path())) people.push_back(std::move(*person));
            continue;
        }
        for (const auto& one : record.each(*rules.each)) {
            Maker of_one{*one, *zone_, twice_, findings, trace};
            if (auto person = person_of(rules, of_one, path()))
                people.push_back(std::move(*person));
            else
                findings.left_out("people", "somebody without name, date of birth or identifier, left out");
        }
    }
    incident["people"] = std::move(people);
    return incident;
}

json Mapping::whole(std::vector<json> parts, Findings& findings) const {
    json people = json::array();
    for (json& part : parts) {
        for (json& person : part["people"]) people.push_back(std::move(person));
        part.erase("people");
    }
    json incident = std::move(parts.at(0));
    for (std::size_t i = 1; i < parts.size(); ++i)
        for (const auto& [name, rule] : incident_.fields)
            if (incident.value(name, json()) != parts[i].value(name, json()))
                findings.fault(name, "the rows of this incident differ");
    relate(people, findings);
    incident["people"] = std::move(people);
    return incident;
}

}  // namespace flagpost::police
