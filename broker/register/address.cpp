#include "broker/register/address.h"

#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "broker/core/ids.h"
#include "broker/plain/text.h"
#include "broker/register/key_index.h"

namespace flagpost::registry {
namespace {

/// "14A" taken apart; the letter is empty for "14".
struct HouseNumber {
    int number;
    std::string letter;
};
std::optional<HouseNumber> house_number(std::string_view word) {
    std::size_t digits = 0;
    while (digits < word.size() && plain::is_digit(word[digits])) ++digits;
    if (digits == 0 || digits > 5 || word.size() > digits + 1) return std::nullopt;
    if (digits < word.size() && !plain::is_letter(word[digits])) return std::nullopt;
    int number = 0;
    std::from_chars(word.data(), word.data() + digits, number);
    return HouseNumber{number, std::string{word.substr(digits)}};
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
    static constexpr std::array<std::string_view, 7> floors{"GROUND", "FIRST",    "SECOND", "THIRD",
                                                            "TOP",    "BASEMENT", "LOWER"};

    bool flat() {
        static constexpr std::array<std::string_view, 7> names{"FLAT", "FLT",  "APARTMENT", "APT",
                                                               "UNIT", "ROOM", "STUDIO"};
        if (letter_before_house()) return true;
        if (!plain::is_one_of(words_[at_], names) || at_ + 1 >= words_.size()) return false;
        const auto& next = words_[at_ + 1];
        if (plain::is_one_of(next, floors)) {
            set_flat(next + " FLOOR");
            at_ += 2;
            if (at_ < words_.size() && words_[at_] == "FLOOR") ++at_;
            return true;
        }
        if (next.size() > 4 ||
            (next.size() > 1 && plain::is_letter(next[0]) && !plain::is_digit(next.back())))
            return false;
        set_flat(next);
        at_ += 2;
        return true;
    }
    /// "D Norfolk House, Portland Terrace".
    bool letter_before_house() {
        if (at_ != 0 || words_.size() < 3 || words_[0].size() != 1 || !plain::is_letter(words_[0][0]))
            return false;
        if (words_[1].size() < 2 || !plain::is_letter(words_[1][0])) return false;
        set_flat(words_[at_++]);
        return true;
    }
    bool floor() {
        if (form_.number != 0 || !form_.flat.empty() || !plain::is_one_of(words_[at_], floors)) return false;
        if (at_ + 1 >= words_.size() || (words_[at_ + 1] != "FLOOR" && words_[at_ + 1] != "FLAT"))
            return false;
        set_flat(words_[at_] + " FLOOR");
        at_ += 2;
        if (at_ < words_.size() && words_[at_] == "FLAT") ++at_;
        return true;
    }
    bool building_number() {
        if ((words_[at_] == "NO" || words_[at_] == "NUMBER") && at_ + 1 < words_.size() &&
            plain::is_digit(words_[at_ + 1][0])) {
            ++at_;
            return true;
        }
        if (words_[at_] == "-" || words_[at_] == "/") {
            ++at_;
            return true;
        }
        const auto here = house_number(words_[at_]);
        if (here && here->letter.empty() && here->number == form_.number && form_.street.empty()) {
            ++at_;  // "10 B 10 Kenton Road" says its number twice
            return true;
        }
        if (!here || form_.number != 0) return false;
        form_.number = here->number;
        bool lettered = !here->letter.empty();
        if (lettered) set_flat(here->letter);
        ++at_;
        if (at_ >= words_.size()) return true;
        if (words_[at_].size() == 1 && plain::is_letter(words_[at_][0]) && at_ + 1 < words_.size()) {
            set_flat(words_[at_++]);
            lettered = true;
        }
        range(lettered);
        return true;
    }
    void range(bool lettered) {
        if (at_ + 1 >= words_.size()) return;
        const auto& mark = words_[at_];
        const auto& next = words_[at_ + 1];
        const auto end = house_number(next);
        const auto beside = house_number(mark);  // "32 34 Oak Road", as gazetteers write a range
        if (!lettered && beside && beside->letter.empty() && beside->number > form_.number && !end) {
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

namespace {

/// A postcode of another country, or one of ours that somebody mistyped: its letters and digits, as good as a word.
std::string other_postcode(std::string_view text) {
    std::string packed;
    for (const char c : plain::upper(text))
        if (plain::is_letter(c) || plain::is_digit(c)) packed += c;
    return packed.size() < 4 || packed.size() > 8 ? std::string{} : packed;
}

}  // namespace

std::uint64_t hash_of(const PlaceForm& place) {
    return KeyHash{place.uprn}.text(place.postcode).text(place.line).text(place.town).value();
}

PlaceForm place_form(const schemas::PlaceValue& place) {
    PlaceForm form;
    form.uprn = place.uprn;
    form.postcode = normal_postcode(place.postcode).value_or(other_postcode(place.postcode));
    auto all = plain::words_of_line(place.line_1);
    for (auto& word : plain::words_of_line(place.line_2)) all.push_back(std::move(word));
    AddressReader{std::move(all), form}.read();
    for (const auto& word : plain::words_of_line(place.town))
        form.town += (form.town.empty() ? "" : " ") + word;
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

bool generic_street_word(std::string_view word) {
    static constexpr std::array<std::string_view, 22> generic{
        "ROAD",  "STREET", "LANE",   "AVENUE", "DRIVE", "CLOSE",   "COURT", "GARDENS",
        "GROVE", "PLACE",  "SQUARE", "PARK",   "HOUSE", "TERRACE", "WAY",   "CRESCENT",
        "HILL",  "THE",    "WALK",   "GREEN",  "VIEW",  "RISE"};
    return word.size() < 3 || std::find(generic.begin(), generic.end(), word) != generic.end();
}

std::string_view street_head(std::string_view street) {
    std::size_t end = std::min(street.find(' '), street.size());
    while (end < street.size()) {
        const auto start = end + 1;
        end = std::min(street.find(' ', start), street.size());
        if (generic_street_word(street.substr(start, end - start))) return street.substr(0, end);
    }
    return street;
}

std::string street_and_postcode(const PlaceForm& place) {
    const auto& code = place.postcode;
    if (place.street.empty() || code.size() < 6 || code.find(' ') != code.size() - 4) return {};
    return std::string{street_head(place.street)} + '|' + code;
}

bool common_street(std::string_view head) {
    static constexpr std::array<std::string_view, 51> common{
        "HIGH STREET",      "STATION ROAD",  "MAIN STREET",    "PARK ROAD",       "CHURCH ROAD",
        "CHURCH STREET",    "LONDON ROAD",   "VICTORIA ROAD",  "GREEN LANE",      "MANOR ROAD",
        "CHURCH LANE",      "PARK AVENUE",   "THE AVENUE",     "THE CRESCENT",    "QUEENS ROAD",
        "NEW ROAD",         "GRANGE ROAD",   "KINGS ROAD",     "KINGSWAY",        "WINDSOR ROAD",
        "HIGHFIELD ROAD",   "MILL LANE",     "ALEXANDER ROAD", "ALEXANDRA ROAD",  "YORK ROAD",
        "ST JOHNS ROAD",    "MAIN ROAD",     "BROADWAY",       "KING STREET",     "THE GREEN",
        "SPRINGFIELD ROAD", "GEORGE STREET", "PARK LANE",      "VICTORIA STREET", "ALBERT ROAD",
        "QUEENSWAY",        "NEW STREET",    "QUEEN STREET",   "WEST STREET",     "NORTH STREET",
        "MANCHESTER ROAD",  "THE GROVE",     "RICHMOND ROAD",  "GROVE ROAD",      "SOUTH STREET",
        "SCHOOL LANE",      "THE DRIVE",     "NORTH ROAD",     "STANLEY ROAD",    "CHESTER ROAD",
        "MILL ROAD"};
    return plain::is_one_of(head, common);
}

std::string_view outward(std::string_view postcode) { return postcode.substr(0, postcode.find(' ')); }

}  // namespace flagpost::registry
