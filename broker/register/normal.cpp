#include "broker/register/normal.h"

#include <date/date.h>
#include <unicode/normalizer2.h>
#include <unicode/translit.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uversion.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>

#include "broker/core/ids.h"

namespace flagpost::registry {
namespace {

constexpr std::size_t text_size_max = 512;  // of one name or address line; what is longer is cut
constexpr std::size_t words_max = 12;       // of one name

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

/// Letters that Unicode does not decompose, and quotation marks that people type for an apostrophe.
const char* mapped(UChar32 letter) {
    switch (letter) {
        case 0x0141:
        case 0x0142:
            return "L";
        case 0x00D8:
        case 0x00F8:
            return "O";
        case 0x0110:
        case 0x0111:
        case 0x00D0:
        case 0x00F0:
            return "D";
        case 0x0131:
            return "I";
        case 0x00DF:
        case 0x1E9E:
            return "SS";
        case 0x00C6:
        case 0x00E6:
            return "AE";
        case 0x0152:
        case 0x0153:
            return "OE";
        case 0x00DE:
        case 0x00FE:
            return "TH";
        case 0x0126:
        case 0x0127:
            return "H";
        case 0x0166:
        case 0x0167:
            return "T";
        case 0x014A:
        case 0x014B:
            return "NG";
        case 0x018F:
        case 0x0259:
            return "A";
        case 0x2018:
        case 0x2019:
        case 0x02BC:
        case 0x02BB:
        case 0x2032:
        case 0x00B4:
            return "'";
        case 0x2010:
        case 0x2011:
        case 0x2012:
        case 0x2013:
        case 0x2014:
            return "-";
        default:
            return nullptr;
    }
}

/// Scripts other than Latin, by ICU's rules; built once because building reads its data.
const icu::Transliterator* to_latin() {
    static const std::unique_ptr<icu::Transliterator> made = [] {
        UErrorCode status = U_ZERO_ERROR;
        std::unique_ptr<icu::Transliterator> any{
            icu::Transliterator::createInstance("Any-Latin; Latin-ASCII", UTRANS_FORWARD, status)};
        return U_SUCCESS(status) ? std::move(any) : nullptr;
    }();
    return made.get();
}

std::string latin(std::string_view text) {
    const auto* nfkd = [] {
        UErrorCode status = U_ZERO_ERROR;
        return icu::Normalizer2::getNFKDInstance(status);
    }();
    UErrorCode status = U_ZERO_ERROR;
    const auto raw =
        icu::UnicodeString::fromUTF8(icu::StringPiece{text.data(), static_cast<std::int32_t>(text.size())});
    const auto decomposed = nfkd ? nfkd->normalize(raw, status) : raw;
    std::string out;
    icu::UnicodeString foreign;
    const auto flush = [&] {
        if (foreign.isEmpty()) return;
        if (const auto* rules = to_latin()) rules->transliterate(foreign);
        foreign.toUTF8String(out);
        foreign.remove();
    };
    for (std::int32_t i = 0; i < decomposed.length(); i = decomposed.moveIndex32(i, 1)) {
        const UChar32 letter = decomposed.char32At(i);
        const auto category = u_charType(letter);
        if (category == U_NON_SPACING_MARK || category == U_ENCLOSING_MARK) continue;
        const char* plain = mapped(letter);
        if (!plain && letter >= 0x80 && u_isalpha(letter)) {
            foreign.append(letter);
            continue;
        }
        flush();
        if (plain)
            out += plain;
        else if (letter < 0x80)
            out += static_cast<char>(letter);
        else
            out += ' ';
    }
    flush();
    return out;
}

std::string plain_upper(std::string_view text) {
    text = text.substr(0, text_size_max);
    std::string out = is_ascii(text) ? std::string{text} : latin(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return out;
}

bool is_letter(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <std::size_t N> bool is_one_of(std::string_view word, const std::array<std::string_view, N>& list) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

constexpr std::array<std::string_view, 11> joined_prefixes{"MC", "MAC", "O",  "AL", "EL", "AP",
                                                           "UL", "UR",  "AR", "AS", "ABD"};
constexpr std::array<std::string_view, 8> titles{"MR", "MRS", "MS", "MISS", "DR", "MASTER", "MX", "REV"};
constexpr std::array<std::string_view, 9> placeholders{"BABY",    "UNBORN",  "INFANT", "UNKNOWN", "NOT",
                                                       "UNNAMED", "REFUSED", "CHILD",  "NEWBORN"};

/// Letters between spaces, hyphens and the like. An apostrophe joins; a lone prefix joins the word after it.
std::vector<std::string> name_words(std::string_view text) {
    std::vector<std::string> parts;
    std::string word;
    const auto finish = [&] {
        if (!word.empty()) parts.push_back(std::move(word));
        word.clear();
    };
    for (const char c : plain_upper(text)) {
        if (is_letter(c))
            word += c;
        else if (c != '\'' && c != '`' && c != '?')
            finish();
    }
    finish();
    std::vector<std::string> out;
    for (std::size_t i = 0; i < parts.size() && out.size() < words_max; ++i) {
        if (i + 1 < parts.size() && parts[i + 1].size() > 2 && is_one_of(parts[i], joined_prefixes)) {
            parts[i + 1] = parts[i] + parts[i + 1];
            continue;
        }
        // MacDonald and McDonald are one name to whoever types it.
        if (parts[i].size() >= 7 && parts[i].compare(0, 3, "MAC") == 0) parts[i].erase(1, 1);
        out.push_back(std::move(parts[i]));
    }
    return out;
}

std::string join(const std::vector<std::string>& parts) {
    std::string out;
    for (const auto& part : parts) out += part;
    return out;
}

NameForm form_of(std::vector<std::string> given, std::vector<std::string> family) {
    NameForm form{std::move(given), std::move(family), {}, {}};
    form.given_joined = join(form.given);
    form.family_joined = join(form.family);
    return form;
}

int number_at(std::string_view text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

/// "14A" taken apart; the letter is empty for "14".
struct Numbered {
    int number;
    std::string letter;
};
std::optional<Numbered> numbered(std::string_view word) {
    std::size_t digits = 0;
    while (digits < word.size() && is_digit(word[digits])) ++digits;
    if (digits == 0 || digits > 5 || word.size() > digits + 1) return std::nullopt;
    if (digits < word.size() && !is_letter(word[digits])) return std::nullopt;
    return Numbered{number_at(word.substr(0, digits)), std::string{word.substr(digits)}};
}

std::string_view written_out(std::string_view word) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 34> abbreviations{
        {
         {"RD", "ROAD"}, {"AVE", "AVENUE"}, {"AV", "AVENUE"}, {"LN", "LANE"},
         {"DR", "DRIVE"}, {"CL", "CLOSE"}, {"CLS", "CLOSE"}, {"CRES", "CRESCENT"},
         {"CRESC", "CRESCENT"}, {"CR", "CRESCENT"}, {"CT", "COURT"}, {"CRT", "COURT"},
         {"GDNS", "GARDENS"}, {"GDN", "GARDENS"}, {"GRDNS", "GARDENS"}, {"GARDEN", "GARDENS"},
         {"GR", "GROVE"}, {"GRV", "GROVE"}, {"PL", "PLACE"}, {"SQ", "SQUARE"},
         {"TER", "TERRACE"}, {"TERR", "TERRACE"}, {"TCE", "TERRACE"}, {"PK", "PARK"},
         {"HSE", "HOUSE"}, {"HO", "HOUSE"}, {"BLDG", "BUILDING"}, {"WY", "WAY"},
         {"WLK", "WALK"}, {"STR", "STREET"}, {"MT", "MOUNT"}, {"NTH", "NORTH"},
         {"STH", "SOUTH"}, {"COTTS", "COTTAGES"},
         }
    };
    for (const auto& [from, to] : abbreviations)
        if (word == from) return to;
    return word;
}

/// Words of letters and digits; "12-14", "12 to 14" and "14/2" keep their mark as a word of its own.
std::vector<std::string> address_words(std::string_view text) {
    std::vector<std::string> out;
    std::string word;
    const auto finish = [&] {
        if (!word.empty()) out.push_back(std::move(word));
        word.clear();
    };
    const std::string upper = plain_upper(text);
    for (std::size_t i = 0; i < upper.size(); ++i) {
        const char c = upper[i];
        if (is_letter(c) || is_digit(c)) {
            // "Flat8" and "No10": a number after a word of letters begins a new one, "14A" stays whole.
            if (is_digit(c) && word.size() > 1 && is_letter(word.back())) finish();
            word += c;
        } else if (c != '\'' && c != '.') {
            finish();
            if ((c == '-' || c == '/') && !out.empty() && is_digit(out.back()[0])) out.emplace_back(1, c);
        }
    }
    finish();
    return out;
}

/// Reads flat, number and street off the words of one address.
class AddressReader {
public:
    AddressReader(std::vector<std::string> words, PlaceForm& form) : words_{std::move(words)}, form_{form} {}

    void read() {
        while (at_ < words_.size()) {
            if (!flat() && !floor() && !building_number()) word();
        }
        if (form_.number == 0) std::swap(form_.building, form_.street);
    }

private:
    bool flat() {
        static constexpr std::array<std::string_view, 6> names{"FLAT", "APARTMENT", "APT",
                                                               "UNIT", "ROOM",      "STUDIO"};
        if (!is_one_of(words_[at_], names) || at_ + 1 >= words_.size()) return false;
        const auto& next = words_[at_ + 1];
        if (next.size() > 4 || (next.size() > 1 && is_letter(next[0]) && !is_digit(next.back())))
            return false;
        set_flat(next);
        at_ += 2;
        return true;
    }
    bool floor() {
        static constexpr std::array<std::string_view, 7> floors{"GROUND", "FIRST",    "SECOND", "THIRD",
                                                                "TOP",    "BASEMENT", "LOWER"};
        if (form_.number != 0 || !form_.flat.empty() || !is_one_of(words_[at_], floors)) return false;
        if (at_ + 1 >= words_.size() || (words_[at_ + 1] != "FLOOR" && words_[at_ + 1] != "FLAT"))
            return false;
        set_flat(words_[at_] + " FLOOR");
        at_ += 2;
        if (at_ < words_.size() && words_[at_] == "FLAT") ++at_;
        return true;
    }
    bool building_number() {
        if ((words_[at_] == "NO" || words_[at_] == "NUMBER") && at_ + 1 < words_.size() &&
            is_digit(words_[at_ + 1][0])) {
            ++at_;
            return true;
        }
        if (words_[at_] == "-" || words_[at_] == "/") {
            ++at_;
            return true;
        }
        const auto here = numbered(words_[at_]);
        if (!here || form_.number != 0) return false;
        form_.number = here->number;
        if (!here->letter.empty()) set_flat(here->letter);
        ++at_;
        if (at_ >= words_.size()) return true;
        if (words_[at_].size() == 1 && is_letter(words_[at_][0]) && at_ + 1 < words_.size())
            set_flat(words_[at_++]);
        range();
        return true;
    }
    void range() {
        if (at_ + 1 >= words_.size()) return;
        const auto& mark = words_[at_];
        const auto& next = words_[at_ + 1];
        const auto end = numbered(next);
        const auto beside = numbered(mark);  // "32 34 Oak Road", as gazetteers write a range
        if (beside && beside->letter.empty() && beside->number > form_.number && !end) {
            form_.number_to = beside->number;
            ++at_;
            return;
        }
        if (mark == "/" && (end || next.size() == 1)) {
            set_flat(next);
        } else if (end && (mark == "-" || mark == "TO")) {
            if (end->number > form_.number) form_.number_to = end->number;
        } else {
            return;
        }
        at_ += 2;
    }
    void word() {
        auto& text = form_.number == 0 ? form_.building : form_.street;
        // "St" is Saint before a name and Street at the end of one.
        std::string_view written = written_out(words_[at_]);
        if (written == "ST" && !text.empty()) written = "STREET";
        if (!text.empty()) text += ' ';
        text += written;
        ++at_;
    }
    void set_flat(std::string_view flat) {
        if (!form_.flat.empty()) form_.flat += ' ';
        while (flat.size() > 1 && flat[0] == '0') flat.remove_prefix(1);
        form_.flat += flat;
    }

    std::vector<std::string> words_;
    PlaceForm& form_;
    std::size_t at_ = 0;
};

}  // namespace

std::vector<NameForm> name_forms(std::string_view given, std::string_view family) {
    auto given_words = name_words(given);
    auto family_words = name_words(family);
    while (given_words.size() > 1 && is_one_of(given_words.front(), titles))
        given_words.erase(given_words.begin());
    if (!given_words.empty() && is_one_of(given_words.front(), placeholders)) given_words.clear();
    if (!given_words.empty() && !family_words.empty()) {
        return {form_of(std::move(given_words), std::move(family_words))};
    }
    const auto& all = given_words.empty() ? family_words : given_words;
    std::vector<NameForm> forms;
    if (all.empty()) return forms;
    forms.push_back(form_of(given_words, family_words));
    for (std::size_t split = 1; split < all.size() && split < 4; ++split) {
        const auto middle = all.begin() + static_cast<std::ptrdiff_t>(split);
        forms.push_back(form_of({all.begin(), middle}, {middle, all.end()}));
    }
    return forms;
}

std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < text.size(); at += text_size_max) {
        for (auto& word : address_words(text.substr(at, text_size_max))) out.push_back(std::move(word));
    }
    return out;
}

std::string sound(std::string_view word) {
    std::string out;
    for (std::size_t i = 0; i < word.size(); ++i) {
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
                if (c == 'J') code = out.empty() ? 'Y' : 0;
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
                code = out.empty() ? 'Y' : 0;
                break;
            case 'A':
            case 'E':
            case 'O':
            case 'U':
                code = out.empty() ? 'A' : 0;
                break;
            default:
                break;  // H
        }
        if (code != 0 && (out.empty() || out.back() != code)) out += code;
    }
    return out.substr(0, 6);
}

DateForm date_form(std::string_view text) {
    DateForm date;
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return date;
    for (const std::size_t i : {0u, 1u, 2u, 3u, 5u, 6u, 8u, 9u})
        if (!is_digit(text[i])) return date;
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

PlaceForm place_form(const schemas::PlaceValue& place) {
    PlaceForm form;
    form.uprn = place.uprn;
    form.postcode = normal_postcode(place.postcode).value_or("");
    auto all = address_words(place.line_1);
    for (auto& word : address_words(place.line_2)) all.push_back(std::move(word));
    AddressReader{std::move(all), form}.read();
    for (const auto& word : address_words(place.town)) form.town += (form.town.empty() ? "" : " ") + word;
    // Some systems repeat the town at the end of the last line.
    if (!form.town.empty() && form.street.size() > form.town.size() &&
        form.street.compare(form.street.size() - form.town.size(), std::string::npos, form.town) == 0 &&
        form.street[form.street.size() - form.town.size() - 1] == ' ') {
        form.street.resize(form.street.size() - form.town.size() - 1);
    }
    form.line = form.flat + "|" + std::to_string(form.number) + "-" + std::to_string(form.number_to) + "|" +
                form.building + "|" + form.street;
    if (form.flat.empty() && form.number == 0 && form.street.empty()) form.line.clear();
    return form;
}

std::string_view outward(std::string_view postcode) { return postcode.substr(0, postcode.find(' ')); }

std::string icu_version() { return U_ICU_VERSION; }

}  // namespace flagpost::registry
