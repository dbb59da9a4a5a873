#include "broker/plain/person.h"

#include <set>

#include "broker/plain/text.h"

namespace flagpost::plain {
namespace {

/// The words of a name; hyphens stay, apostrophes and digits join.
std::vector<std::string> words_of_name(std::string_view name) {
    std::vector<std::string> found(1);
    for (const char c : upper(name)) {
        if (is_letter(c) || (c == '-' && !found.back().empty()))
            found.back() += c;
        else if ((c == ' ' || c == '\t' || c == '.' || c == '_') && !found.back().empty())
            found.emplace_back();
    }
    if (found.back().empty()) found.pop_back();
    return found;
}

std::string without_hyphens(std::string word) {
    std::erase(word, '-');
    return word;
}

/// Nothing in both: no name.
struct Called {
    std::string first;       // "ANNE" of "Anne-Marie"
    std::string all_first;   // "ANNEMARIE"
    std::string first_word;  // "ANNEMARIE" also where a middle name follows
    // "PATELJONES", "PATEL" and "JONES" of "Patel-Jones"; "JONES" and "PATELJONES" of "Sam Patel Jones", which may be the same.
    std::set<std::string, std::less<>> families;
};

// MacDonald and McDonald are one name to whoever types it.
std::string as_family(std::string name) {
    if (name.size() >= 7 && name.starts_with("MAC")) name.erase(1, 1);
    return name;
}

/// Of the words of a whole name, first name first, at least two.
std::set<std::string, std::less<>> families_of(const std::vector<std::string>& words) {
    std::set<std::string, std::less<>> families;
    std::string joined;
    for (auto word = words.rbegin(); word + 1 != words.rend(); ++word)
        families.insert(as_family(joined.insert(0, without_hyphens(*word))));
    const std::string_view last = words.back();
    for (std::size_t from = 0; from < last.size();) {
        const auto to = std::min(last.find('-', from), last.size());
        // A single letter ("Al-J") is shared by too many.
        if (to - from > 1) families.insert(as_family(std::string{last.substr(from, to - from)}));
        from = to + 1;
    }
    return families;
}

Called read(std::string_view name) {
    name = name.substr(0, name.find('@'));
    std::vector<std::string> words;
    if (const auto comma = name.find(','); comma != std::string_view::npos) {
        words = words_of_name(name.substr(comma + 1));
        for (auto& word : words_of_name(name.substr(0, comma))) words.push_back(std::move(word));
    } else {
        words = words_of_name(name);
    }
    while (words.size() > 2 && is_one_of(words.front(), titles)) words.erase(words.begin());
    if (words.size() < 2) return {};
    Called called;
    called.families = families_of(words);
    words.pop_back();
    called.first = words.front().substr(0, words.front().find('-'));
    called.first_word = without_hyphens(words.front());
    for (const auto& word : words) called.all_first += without_hyphens(word);
    return called;
}

}  // namespace

bool may_be_same_person(std::string_view one, std::string_view other) {
    const auto a = read(one), b = read(other);
    const auto has = [&](const std::string& family) { return b.families.contains(family); };
    if (a.first.empty() || std::ranges::none_of(a.families, has)) return false;
    if (a.first.size() == 1 || b.first.size() == 1) return a.first.front() == b.first.front();
    return a.first == b.first || a.first_word == b.first_word || a.all_first == b.all_first;
}

}  // namespace flagpost::plain
