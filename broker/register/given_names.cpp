#include "broker/register/given_names.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "broker/register/given_names_table.h"
#include "broker/register/normal.h"

namespace flagpost::registry {
namespace {

/// The group a name stands in, and whether it is the full form the group begins with.
struct Membership {
    std::uint16_t group;
    bool full_form;
};
using Groups = std::unordered_map<std::string_view, std::vector<Membership>>;

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

const Groups& groups() {
    static const Groups made = [] {
        Groups all;
        for_each_word(name_groups, [&](std::string_view name, std::uint16_t line, bool full_form) {
            all[name].push_back({line, full_form});
        });
        return all;
    }();
    return made;
}

const std::unordered_set<std::string_view>& established() {
    static const std::unordered_set<std::string_view> made = [] {
        std::unordered_set<std::string_view> all;
        for_each_word(established_names,
                      [&](std::string_view name, std::uint16_t, bool) { all.insert(name); });
        return all;
    }();
    return made;
}

}  // namespace

/// Jack and Sean are both forms of John, and two brothers are called so: of two names that stand on their own, one
/// must be the full form of the other, or both be spellings of one sound, as Muhammad and Mohamed are.
bool same_given_name(std::string_view a, std::string_view b) {
    if (a == b) return true;
    const auto of_a = groups().find(a);
    const auto of_b = groups().find(b);
    if (of_a == groups().end() || of_b == groups().end()) return false;
    const bool two_names = established_given_name(a) && established_given_name(b) && sound(a) != sound(b);
    for (const auto& mine : of_a->second)
        for (const auto& theirs : of_b->second)
            if (mine.group == theirs.group && (mine.full_form || theirs.full_form || !two_names)) return true;
    return false;
}

bool established_given_name(std::string_view name) { return established().count(name) != 0; }

std::string given_names_text() { return std::string{name_groups} + established_names; }

}  // namespace flagpost::registry
