/// A second reading of the sharing agreement, written from its README and the rules of practice without looking at
/// broker/agreement or broker/notices, and sharing no code with them: what T33 holds against the broker's answers.
#pragma once

#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace flagpost::tests::second {

/// One [[table]] of the file: what stands right of each `=`, texts without their quotes.
struct Table {
    std::map<std::string, std::vector<std::string>> values;  // escalate = [{to = "x", ...}]: "to", "x", ...

    std::string one(const std::string& key) const {
        const auto found = values.find(key);
        return found == values.end() || found->second.empty() ? std::string{} : found->second.front();
    }
    std::vector<std::string> all(const std::string& key) const {
        const auto found = values.find(key);
        return found == values.end() ? std::vector<std::string>{} : found->second;
    }
};

/// Reads as much of TOML as agreements use: tables of one line a key, but for lists that go over several lines.
class Reading {
public:
    explicit Reading(const std::string& text) {
        std::istringstream lines{text};
        std::string line, list_key;
        Table* table = nullptr;
        for (; std::getline(lines, line);) {
            if (line.starts_with("[[")) {
                auto& of = line.starts_with("[[party]]")   ? parties
                           : line.starts_with("[[share]]") ? shares
                                                           : others;
                table = &of.emplace_back();
                continue;
            }
            if (table == nullptr) continue;
            if (!list_key.empty()) {
                add(table->values[list_key], line);
                if (line.find_first_not_of(" ") != std::string::npos &&
                    line[line.find_first_not_of(" ")] == ']')
                    list_key.clear();
                continue;
            }
            const auto is = line.find(" = ");
            if (is == std::string::npos) continue;
            const auto key = line.substr(0, is);
            add(table->values[key], line.substr(is + 3));
            if (line.back() == '[') list_key = key;
        }
    }

    std::vector<Table> parties, shares, others;

    bool is_party(const std::string& agency) const {
        return std::ranges::any_of(parties, [&](const Table& p) { return p.one("agency") == agency; });
    }
    bool is_acted_for_by(const std::string& agency, const std::string& whom) const {
        return std::ranges::any_of(parties, [&](const Table& p) {
            const auto whose = p.all("acts_for");
            return p.one("agency") == agency && std::ranges::find(whose, whom) != whose.end();
        });
    }
    bool takes_part(const std::string& agency) const {
        return is_party(agency) || std::ranges::any_of(parties, [&](const Table& p) {
                   return is_acted_for_by(p.one("agency"), agency);
               });
    }
    const Table* share(const std::string& what, const std::string& to) const {
        for (const auto& each : shares)
            if (each.one("what") == what && each.one("from") == "police" && each.one("to") == to)
                return &each;
        return nullptr;
    }
    std::string desk_of(const std::string& la) const {
        for (const auto& party : parties)
            if (party.one("agency") == "social-care/" + la && !party.one("review_desk").empty())
                return party.one("review_desk");
        return "social-care/" + la;
    }

    enum class Answer { yes, not_permitted, unknown };

    /// The README's table "Whose topic it is".
    Answer may(const std::string& who, bool publishes, const std::string& topic) const {
        const auto parts = split(topic);
        const auto own = [&](const std::string& owner, bool others_may) {
            if (!is_party(who)) return Answer::not_permitted;
            return who == owner || (others_may && is_acted_for_by(who, owner)) ? Answer::yes
                                                                               : Answer::not_permitted;
        };
        const auto is = [&](std::initializer_list<const char*> pattern) {
            if (parts.size() != pattern.size()) return false;
            auto part = parts.begin();
            for (const auto* each : pattern) {
                if (part->empty() || (*each != '*' && *part != each)) return false;
                ++part;
            }
            return true;
        };
        if (is({"bench", "*"})) return own(topic, false);
        if (publishes) {
            if (is({"flags", "*"})) return own("social-care/" + parts[1], true);
            if (is({"incidents", "*"})) return own("police/" + parts[1], false);
            if (is({"rolls", "*"})) return own("education/" + parts[1], true);
            if (is({"rolls", "not-in-school", "*"})) return own("education/" + parts[2], true);
            if (is({"rolls", "school", "*"})) return own("school/" + parts[2], true);
            if (is({"reference", "terms", "school", "*"}) || is({"reference", "contacts", "school", "*"}))
                return own("school/" + parts[3], true);
            if (is({"receipts", "*", "*"}) || is({"orders", "*", "*"}))
                return own(parts[1] + "/" + parts[2], false);
            if (is({"operations", "*"})) return own("operator/" + parts[1], false);
            for (const auto* name : {"gias", "links", "bank-holidays", "terms", "contacts"})
                if (is({"reference", name}))
                    return is_party(who) && who.starts_with("operator/") ? Answer::yes
                                                                         : Answer::not_permitted;
            return Answer::unknown;
        }
        for (const auto* kind : {"social-care", "school", "education"})
            if (is({"notices", kind, "*"})) return own(std::string{kind} + "/" + parts[2], true);
        if (is({"notices", "police", "*"})) return own("police/" + parts[2], false);
        if (is({"reviews", "*"}))
            return is_party(who) && is_party("social-care/" + parts[1]) && desk_of(parts[1]) == who
                       ? Answer::yes
                       : Answer::not_permitted;
        if (is({"markers", "*"})) return own("police/" + parts[1], false);
        if (is({"results", "*", "*"}) || is({"reports", "*", "*"}))
            return own(parts[1] + "/" + parts[2], false);
        return Answer::unknown;
    }

    static std::vector<std::string> split(const std::string& topic) {
        std::vector<std::string> parts{""};
        for (const char c : topic)
            if (c == '/')
                parts.emplace_back();
            else
                parts.back() += c;
        return parts;
    }

private:
    /// Every word in quotes, and with inline tables the bare keys too.
    static void add(std::vector<std::string>& to, const std::string& line) {
        for (std::size_t at = 0; at < line.size(); ++at) {
            if (line[at] == '"') {
                const auto end = line.find('"', at + 1);
                to.push_back(line.substr(at + 1, end - at - 1));
                at = end;
            } else if (std::isalpha(static_cast<unsigned char>(line[at])) != 0) {
                const auto end = line.find_first_of(" =", at);
                to.push_back(line.substr(at, end - at) + "=");
                at = end;
            }
        }
    }
};

/// What is known of one child and one incident; all details of both agree.
struct Situation {
    std::string la;
    std::string urn;          // empty: on no roll
    bool registered = false;  // on the authority's register of children not in school
    bool list_old = false;    // nobody has confirmed that roll or register for over five weeks
    std::string lives_in;     // what police were told; empty: nothing
    bool domestic_abuse = false, hold = false, shielded = false;
    bool unborn = false;
    bool flag_counts = false;  // it stands, or ended within twelve months
    bool flag_stands = false;
    bool child_named = false;     // in the incident, as child of the adult
    bool adult_is_party = false;  // victim or suspect
    std::string sure;             // "match", "potential", "many", "low"
};

/// One line for each thing that happens, sorted: "social-care/E1 social_care_notice SC-1 ...".
inline std::vector<std::string> happens(const Reading& agreement, const Situation& of) {
    std::vector<std::string> lines;
    const auto kind_of = [](const std::string& agency) { return agency.substr(0, agency.find('/')); };
    const auto ground = [](const Table& rule) {
        std::string out = rule.one("id") + " " + rule.one("purpose");
        for (const auto& basis : rule.all("legal_basis")) out += " " + basis;
        return out + " keep " + rule.one("retention");
    };
    const auto ladder = [&](const Table& rule, const std::string& recipient) {
        std::multiset<std::string> rungs;
        const auto words = rule.all("escalate");
        for (std::size_t i = 0; i < words.size(); ++i) {
            if (words[i] != "to=") continue;
            const auto& to = words[i + 1];
            std::string by = rule.one("id"), whom = recipient;
            if (to == "sender") by = whom = "";
            if (to == "education" || to == "social-care") {
                whom = to + "/" + of.la;
                const auto* theirs = agreement.share(rule.one("what"), to);
                by = theirs->one("id");
                if (!agreement.takes_part(whom)) by = whom = "";
            }
            rungs.insert("[" + whom + " " + by + "]");
        }
        std::string out;
        for (const auto& rung : rungs) out += " " + rung;
        return out;
    };
    const auto ask_at = [&](const std::string& la, const std::string& bound_for, const std::string& about,
                            const Table* notice, bool two) {
        const auto desk = agreement.desk_of(la);
        const auto* rule = agreement.share("review_item", kind_of(desk));
        if (rule == nullptr || !agreement.takes_part(desk)) {
            lines.push_back(desk + " review_item withheld");
            return;
        }
        lines.push_back(desk + " review_item " + ground(*rule) + ladder(*rule, desk) + " for " + bound_for +
                        " about " + about + (two ? " by two" : "") +
                        (notice ? " then " + ground(*notice) + ladder(*notice, bound_for) : " then nothing"));
    };
    const auto ask = [&](const std::string& bound_for, const std::string& about, const Table* notice,
                         bool two) { ask_at(of.la, bound_for, about, notice, two); };
    const auto tell = [&](const std::string& what, const std::string& whom) {
        const auto* rule = agreement.share(what, kind_of(whom));
        if (rule == nullptr || !agreement.takes_part(whom))
            lines.push_back(whom + " " + what + " withheld");
        else
            lines.push_back(whom + " " + what + " " + ground(*rule) + ladder(*rule, whom));
    };
    const auto possible = [&](const std::string& what, const std::string& whom) {
        return agreement.takes_part(whom) ? agreement.share(what, kind_of(whom)) : nullptr;
    };

    // A flag is hit by the child or by the linked mother, whatever her part.
    if (of.flag_counts) {
        const auto whom = "social-care/" + of.la;
        if (of.sure == "match" || of.sure == "potential")
            tell("social_care_notice", whom);
        else
            ask(whom, "the flag", possible("social_care_notice", whom), false);
    }
    // A school hears of domestic abuse to somebody the child is related to: named so, or linked by a standing flag.
    const bool is_named = of.child_named && !of.unborn;
    const bool concerned =
        of.domestic_abuse && of.adult_is_party && !of.unborn && (is_named || of.flag_stands);
    const bool shielded = of.shielded && of.flag_counts;
    const bool waits = of.hold || shielded || of.sure != "match" || of.list_old;
    if (concerned && !of.urn.empty()) {
        const auto school = "school/" + of.urn;
        if (!agreement.takes_part(school))
            ask(school, "the pupil", nullptr, false);
        else if (waits)
            ask(school, "the pupil", possible("school_notice", school), shielded);
        else
            tell("school_notice", school);
    }
    // On the register of children not in school: the authority's officer for them is told as a school would be.
    const auto officer = "education/" + of.la;
    const auto* to_officer = possible("school_notice", officer);
    if (concerned && of.registered) {
        if (to_officer != nullptr && !waits)
            tell("school_notice", officer);
        else
            ask(officer, "the pupil", to_officer, shielded && to_officer != nullptr);
    }
    // The duty is that of the force where the child lives. Police were told where of a child they name.
    const bool is_listed = !of.urn.empty() || of.registered;
    const auto own = std::ranges::find_if(
        agreement.parties, [](const Table& party) { return party.one("agency") == "police/31"; });
    const auto has = [&](const Table& party) {
        const auto areas = party.all("areas");
        return std::ranges::find(areas, of.lives_in) != areas.end();
    };
    const bool is_elsewhere =
        concerned && is_named && !of.lives_in.empty() && !own->all("areas").empty() && !has(*own);
    if (is_elsewhere) {
        const auto force = std::ranges::find_if(agreement.parties, has);
        const auto whom =
            force == agreement.parties.end() ? "education/" + of.lives_in : force->one("agency");
        const auto* notice = force == agreement.parties.end() ? nullptr : possible("school_notice", whom);
        const bool is_sure = !is_listed || of.sure == "match";
        if (notice != nullptr && is_sure && !of.hold && !shielded)
            tell("school_notice", whom);
        else
            ask_at(agreement.takes_part("social-care/" + of.la) ? of.la : "E06000018", whom,
                   is_listed ? "the pupil" : "no school", notice, shielded);
    }
    // On neither: a person finds out, and that officer may be told.
    if (concerned && !is_listed && is_named && !is_elsewhere)
        ask(officer, "no school", to_officer, shielded && to_officer != nullptr);
    std::ranges::sort(lines);
    return lines;
}

}  // namespace flagpost::tests::second
