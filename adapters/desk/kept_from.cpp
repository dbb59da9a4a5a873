#include "adapters/desk/kept_from.h"

#include <algorithm>

namespace flagpost::desk {
namespace {

/// A letter without accents where it is one of Latin-1 or Latin Extended-A; 0 for what is no letter. `lead` is the byte of
/// UTF-8 before a second one.
char plain(unsigned char lead, unsigned char byte) {
    constexpr std::string_view latin_1{
        // U+00C0 to U+00FF
        "aaaaaaaceeeeiiiidnooooo\0ouuuuytsaaaaaaaceeeeiiiidnooooo\0ouuuuyty", 64};
    constexpr std::string_view extended =  // U+0100 to U+017F
        "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
        "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
    if (lead == 0xC3) return latin_1[byte - 0x80u];
    if (lead == 0xC4) return extended[byte - 0x80u];
    if (lead == 0xC5) return extended[64u + byte - 0x80u];
    return 0;
}

/// The words of a name in plain small letters; hyphens and apostrophes join, all else parts.
std::vector<std::string> words_of(std::string_view name) {
    std::vector<std::string> words(1);
    unsigned char lead = 0;
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        char letter = 0;
        if (byte >= 'A' && byte <= 'Z') letter = static_cast<char>(byte - 'A' + 'a');
        if (byte >= 'a' && byte <= 'z') letter = c;
        if (byte >= 0x80 && byte < 0xC0) letter = plain(lead, byte);
        lead = byte;
        if (letter != 0)
            words.back() += letter;
        else if ((c == ' ' || c == '.' || c == '_') && !words.back().empty())
            words.emplace_back();
    }
    if (words.back().empty()) words.pop_back();
    return words;
}

}  // namespace

bool may_be_same_person(std::string_view one, std::string_view other) {
    const auto a = words_of(one), b = words_of(other);
    if (a.size() < 2 || b.size() < 2 || a.back() != b.back()) return false;
    const auto &first = a.front(), &second = b.front();
    return first == second || ((first.size() == 1 || second.size() == 1) && first.front() == second.front());
}

bool is_kept_from(const std::vector<std::string>& kept_from, const std::string& called,
                  const std::string& name) {
    return std::ranges::any_of(kept_from, [&](const std::string& each) {
        return may_be_same_person(each, called) || (!name.empty() && may_be_same_person(each, name));
    });
}

std::vector<std::string> list_of(const std::map<std::string, std::vector<std::string>>& lists, BytesView id) {
    if (lists.empty()) return {};
    const auto found = lists.find(to_hex(id));
    return found == lists.end() ? std::vector<std::string>{} : found->second;
}

bool is_kept_from(const client::Box& box, const client::Incoming& item, const std::string& by) {
    return is_kept_from(box.kept_from(item), by);
}

}  // namespace flagpost::desk
