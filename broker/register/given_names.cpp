#include "broker/register/given_names.h"

#include <algorithm>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "broker/register/given_names_table.h"

namespace flagpost::registry {
namespace {

using Groups = std::unordered_map<std::string_view, std::vector<std::uint16_t>>;

template <class Each> void for_each_word(std::string_view text, Each each) {
    std::uint16_t line = 0;
    std::size_t start = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        if (i < text.size() && text[i] != ' ' && text[i] != '\n') continue;
        if (i > start) each(text.substr(start, i - start), line);
        if (i < text.size() && text[i] == '\n') ++line;
        start = i + 1;
    }
}

const Groups& groups() {
    static const Groups made = [] {
        Groups all;
        for_each_word(name_groups,
                      [&](std::string_view name, std::uint16_t line) { all[name].push_back(line); });
        return all;
    }();
    return made;
}

const std::unordered_set<std::string_view>& established() {
    static const std::unordered_set<std::string_view> made = [] {
        std::unordered_set<std::string_view> all;
        for_each_word(established_names, [&](std::string_view name, std::uint16_t) { all.insert(name); });
        return all;
    }();
    return made;
}

}  // namespace

bool same_given_name(std::string_view a, std::string_view b) {
    if (a == b) return true;
    const auto of_a = groups().find(a);
    const auto of_b = groups().find(b);
    if (of_a == groups().end() || of_b == groups().end()) return false;
    return std::find_first_of(of_a->second.begin(), of_a->second.end(), of_b->second.begin(),
                              of_b->second.end()) != of_a->second.end();
}

bool established_given_name(std::string_view name) { return established().count(name) != 0; }

std::string given_names_text() { return std::string{name_groups} + established_names; }

}  // namespace flagpost::registry
