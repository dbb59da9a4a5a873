#include "broker/register/given_names.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "broker/register/given_names_table.h"

namespace flagpost::registry {
namespace {

/// The group a name stands in, and whether it is the full form the group begins with.
struct Membership {
    std::uint16_t group;
    bool full_form;
};
struct KnownName {
    std::vector<Membership> groups;
    bool established = false;
};

/// Every name of the tables, by number; number 0 is for all others.
struct KnownNames {
    std::unordered_map<std::string_view, std::uint16_t> numbers;
    std::vector<KnownName> names{1};
    KnownName& name(std::string_view word) {
        const auto [at, added] = numbers.try_emplace(word, static_cast<std::uint16_t>(names.size()));
        if (added) names.emplace_back();
        return names[at->second];
    }
};

/// Calls `each` with every word, its line and whether it is the first of its line.
template <class Each> void for_each_word(std::string_view text, Each each) {
    std::uint16_t line = 0;
    std::size_t start = 0;
    bool first = true;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        if (i < text.size() && text[i] != ' ' && text[i] != '\n') continue;
        if (i > start) {
            each(text.substr(start, i - start), line, first);
            first = false;
        }
        if (i < text.size() && text[i] == '\n') {
            ++line;
            first = true;
        }
        start = i + 1;
    }
}

const KnownNames& known_names() {
    static const KnownNames made = [] {
        KnownNames all;
        for_each_word(name_groups, [&](std::string_view name, std::uint16_t line, bool full_form) {
            all.name(name).groups.push_back({line, full_form});
        });
        for_each_word(established_names,
                      [&](std::string_view name, std::uint16_t, bool) { all.name(name).established = true; });
        return all;
    }();
    return made;
}

}  // namespace

std::uint16_t number_of_given_name(std::string_view word) {
    const auto found = known_names().numbers.find(word);
    return found == known_names().numbers.end() ? std::uint16_t{0} : found->second;
}

/// Jack and Sean are both forms of John, and two brothers are called so: of two names that stand on their own, one
/// must be the full form of the other, or both be spellings of one sound, as Muhammad and Mohamed are.
bool same_given_name(const Word& a, const Word& b) {
    return a == b || same_given_name(a.known, b.known, a.sound == b.sound);
}

bool same_given_name(std::uint16_t a, std::uint16_t b, bool same_sound) {
    if (a == 0 || b == 0) return false;
    const auto& of_a = known_names().names[a];
    const auto& of_b = known_names().names[b];
    const bool two_names = of_a.established && of_b.established && !same_sound;
    for (const auto& mine : of_a.groups)
        for (const auto& theirs : of_b.groups)
            if (mine.group == theirs.group && (mine.full_form || theirs.full_form || !two_names)) return true;
    return false;
}

bool established_given_name(const Word& word) { return known_names().names[word.known].established; }

std::string given_names_text() { return std::string{name_groups} + established_names; }

}  // namespace flagpost::registry
