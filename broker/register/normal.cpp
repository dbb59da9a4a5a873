#include "broker/register/normal.h"

#include <date/date.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "broker/plain/person.h"
#include "broker/plain/text.h"
#include "broker/register/given_names.h"
#include "broker/register/key_index.h"

namespace flagpost::registry {
namespace {

constexpr std::size_t words_max = 12;  // of one name

constexpr std::array<std::string_view, 11> joined_prefixes{"MC", "MAC", "O",  "AL", "EL", "AP",
                                                           "UL", "UR",  "AR", "AS", "ABD"};
constexpr std::array<std::string_view, 9> placeholders{"BABY",    "UNBORN",  "INFANT", "UNKNOWN", "NOT",
                                                       "UNNAMED", "REFUSED", "CHILD",  "NEWBORN"};

/// Letters between spaces, hyphens and the like. An apostrophe joins, and so does a digit; a lone prefix joins the word after it.
std::vector<std::string> name_words(std::string_view text) {
    std::vector<std::string> parts;
    std::string word;
    const auto finish = [&] {
        if (!word.empty()) parts.push_back(std::move(word));
        word.clear();
    };
    for (const char c : plain::upper(text)) {
        // A digit within a name is a slip of the finger or of a scanner; zero is read for O.
        if (plain::is_letter(c))
            word += c;
        else if (c == '0')
            word += 'O';
        else if (c != '\'' && c != '`' && c != '?' && !plain::is_digit(c))
            finish();
    }
    finish();
    std::vector<std::string> out;
    for (std::size_t i = 0; i < parts.size() && out.size() < words_max; ++i) {
        if (i + 1 < parts.size() && parts[i + 1].size() > 2 && plain::is_one_of(parts[i], joined_prefixes)) {
            parts[i + 1] = parts[i] + parts[i + 1];
            continue;
        }
        // MacDonald and McDonald are one name to whoever types it.
        if (parts[i].size() >= 7 && parts[i].compare(0, 3, "MAC") == 0) parts[i].erase(1, 1);
        out.push_back(std::move(parts[i]));
    }
    return out;
}

std::string join(const std::vector<Word>& words) {
    std::string out;
    for (const auto& word : words) out += word.text;
    return out;
}

using Texts = std::vector<std::string>;

std::shared_ptr<const NamePart> part_of(Texts::const_iterator from, Texts::const_iterator to) {
    std::vector<Word> words;
    words.reserve(static_cast<std::size_t>(to - from));
    for (; from != to; ++from) words.emplace_back(*from);
    return std::make_shared<const NamePart>(std::move(words));
}
std::shared_ptr<const NamePart> part_of(const Texts& texts) { return part_of(texts.begin(), texts.end()); }

std::uint32_t letters_of(std::string_view text) {
    std::uint32_t letters = 0;
    for (const char c : text.substr(0, letters_compared)) letters |= std::uint32_t{1} << ((c - 'A') & 31);
    return letters;
}

int number_at(std::string_view text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

}  // namespace

Word::Word(std::string word)
    : text{std::move(word)},
      sound{registry::sound(text)},
      letters{letters_of(text)},
      known{number_of_given_name(text)} {}

NamePart::NamePart(std::vector<Word> all) : words{std::move(all)}, joined{join(words)} {}

std::uint64_t hash_of(const NamePart& part) {
    KeyHash hash{part.words.size()};
    for (const auto& word : part.words) hash.text(word.text);
    return hash.value();
}

std::vector<NameForm> name_forms(std::string_view given, std::string_view family) {
    auto given_words = name_words(given);
    auto family_words = name_words(family);
    while (given_words.size() > 1 && plain::is_one_of(given_words.front(), plain::titles))
        given_words.erase(given_words.begin());
    const bool title_alone = given_words.size() == 1 && !family_words.empty() &&
                             plain::is_one_of(given_words.front(), plain::titles);
    if (title_alone || (!given_words.empty() && plain::is_one_of(given_words.front(), placeholders)))
        given_words.clear();
    if (!given_words.empty() && !family_words.empty()) {
        return {
            {part_of(given_words), part_of(family_words)}
        };
    }
    const auto& all = given_words.empty() ? family_words : given_words;
    std::vector<NameForm> forms;
    if (all.empty()) return forms;
    forms.push_back({part_of(given_words), part_of(family_words)});
    // A lone name often stands in the first field, whichever it is.
    if (given_words.size() == 1) forms.push_back({part_of(family_words), part_of(given_words)});
    for (std::size_t split = 1; split < all.size() && split < 4; ++split) {
        const auto middle = all.begin() + static_cast<std::ptrdiff_t>(split);
        forms.push_back({part_of(all.begin(), middle), part_of(middle, all.end())});
    }
    return forms;
}

Sound sound(std::string_view word) {
    constexpr int code_size = 6;
    Sound out = 0;
    int size = 0;
    for (std::size_t i = 0; i < word.size() && size < code_size; ++i) {
        const char c = word[i];
        const char next = i + 1 < word.size() ? word[i + 1] : '\0';
        char code = 0;
        switch (c) {
            case 'B':
            case 'P':
                code = next == 'H' && c == 'P' ? 'F' : 'P';
                break;
            case 'F':
            case 'V':
            case 'W':
                code = 'F';
                break;
            case 'C':
            case 'K':
            case 'Q':
            case 'X':
            case 'G':
            case 'J':
                code = (c == 'C' && (next == 'E' || next == 'I' || next == 'Z' || next == 'Y')) ? 'S' : 'K';
                if (c == 'J') code = size == 0 ? 'Y' : 0;
                if (c == 'G' && next == 'H') code = 0;
                break;
            case 'S':
            case 'Z':
                code = 'S';
                break;
            case 'D':
            case 'T':
                code = 'T';
                break;
            case 'L':
            case 'R':
            case 'M':
            case 'N':
                code = c;
                break;
            case 'Y':
            case 'I':
                code = size == 0 ? 'Y' : 0;
                break;
            case 'A':
            case 'E':
            case 'O':
            case 'U':
                code = size == 0 ? 'A' : 0;
                break;
            default:
                break;  // H
        }
        if (code == 0 || static_cast<char>(out & 0xff) == code) continue;
        out = out << 8 | static_cast<unsigned char>(code);
        ++size;
    }
    return out;
}

bool new_year(const DateForm& date) { return date.year != 0 && date.month == 1 && date.day == 1; }

DateForm date_form(std::string_view text) {
    DateForm date;
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return date;
    for (const std::size_t i : {0u, 1u, 2u, 3u, 5u, 6u, 8u, 9u})
        if (!plain::is_digit(text[i])) return date;
    date.year = number_at(text.substr(0, 4));
    date.month = number_at(text.substr(5, 2));
    date.day = number_at(text.substr(8, 2));
    return date;
}

std::optional<int> day_number(const DateForm& date) {
    const auto ymd = date::year{date.year} / date.month / date.day;
    if (!date.whole() || !ymd.ok()) return std::nullopt;
    return static_cast<int>(date::sys_days{ymd}.time_since_epoch().count());
}

}  // namespace flagpost::registry
