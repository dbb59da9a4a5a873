#include "broker/register/search_keys.h"

#include <algorithm>

#include "broker/plain/text.h"

namespace flagpost::registry {
namespace {

constexpr std::size_t tokens_max = 3;  // words of one name that are indexed

enum KeyKind : std::uint64_t {
    by_born = 1,
    by_day_family,
    by_full_name,
    by_sounds,
    by_family_initial,
    by_family_year,
    by_day_sound,
    by_postcode_initial,
    by_postcode_number,
    by_number_street,
    by_outward_year,
    by_identifier,
    by_uprn_initial,
    by_uprn,
    by_postcode_line,
    by_street_outward,
    by_sound_outward,
    by_sound_town,
    by_postcode_street,
    by_given_year,
    by_sound_outward_undated,
    by_sound_town_undated,
    by_named_outward,
};

template <class Each> void for_first(const std::vector<Word>& list, Each each) {
    for (std::size_t i = 0; i < list.size() && i < tokens_max; ++i) each(list[i]);
}

/// "OLD" of "THE OLD FARM".
std::string_view first_word(std::string_view text) {
    if (text.substr(0, 4) == "THE ") text.remove_prefix(4);
    return text.substr(0, text.find(' '));
}

bool all_digits(std::string_view text) {
    return !text.empty() && text.size() <= 5 && std::all_of(text.begin(), text.end(), plain::is_digit);
}

std::uint64_t number_of(std::string_view digits) {
    std::uint64_t value = 0;
    for (const char c : digits) value = value * 10 + static_cast<std::uint64_t>(c - '0');
    return value;
}

/// The keys of a person. A query also asks for the readings in which somebody swapped two fields; a row need not
/// stand under those as well.
class Keys {
public:
    Keys(const PersonForm& person, bool query) : person_{person}, query_{query} {}

    std::vector<std::uint64_t> all() {
        identifiers();
        born();
        for (const auto& name : person_.names) {
            full_name(name);
            name_and_date(name.given->words, name.family->words);
            if (query_) name_and_date(name.family->words, name.given->words);
            places(name);
        }
        std::sort(keys_.begin(), keys_.end());
        keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
        return std::move(keys_);
    }

private:
    void put(const KeyHash& hash) { keys_.push_back(hash.value()); }
    std::uint64_t born_number() const {
        return static_cast<std::uint64_t>(person_.born.year) * 10000 +
               static_cast<std::uint64_t>(person_.born.month) * 100 +
               static_cast<std::uint64_t>(person_.born.day);
    }
    /// Day and month without regard to which is which.
    std::uint64_t day_pair() const {
        const auto [low, high] = std::minmax(person_.born.day, person_.born.month);
        return static_cast<std::uint64_t>(low) * 100 + static_cast<std::uint64_t>(high);
    }

    void identifiers() {
        if (!person_.upn.empty()) put(KeyHash{by_identifier}.text(person_.upn));
        if (!person_.nhs_number.empty()) put(KeyHash{by_identifier}.text(person_.nhs_number));
    }
    void born() {
        if (person_.born.whole()) put(KeyHash{by_born}.number(born_number()));
    }
    void full_name(const NameForm& name) {
        for_first(name.given->words, [&](const Word& given) {
            for_first(name.family->words, [&](const Word& family) {
                const auto& [low, high] = std::minmax(given.text, family.text);
                put(KeyHash{by_full_name}.text(low).text(high));
                const auto& [a, b] = std::minmax(given.sound, family.sound);
                put(KeyHash{by_sounds}.number(a).number(b));
            });
        });
        if (name.given->words.size() > 1 || name.family->words.size() > 1) {
            const auto& [low, high] = std::minmax(name.given->joined.text, name.family->joined.text);
            put(KeyHash{by_full_name}.text(low).text(high));
        }
    }
    void name_and_date(const std::vector<Word>& given, const std::vector<Word>& family) {
        const auto& date = person_.born;
        const auto year = static_cast<std::uint64_t>(date.year);
        const bool day_known = date.month != 0 && date.day != 0;
        for_first(family, [&](const Word& word) {
            for_first(given, [&](const Word& other) {
                put(KeyHash{by_family_initial}.text(word.text).number(
                    static_cast<unsigned char>(other.text[0])));
            });
            if (date.year != 0) put(KeyHash{by_family_year}.text(word.text).number(year));
            if (day_known) {
                put(KeyHash{by_day_family}
                        .number(day_pair())
                        .number(static_cast<unsigned char>(word.text[0])));
                put(KeyHash{by_day_sound}.number(day_pair()).number(word.sound));
            }
        });
        for_first(given, [&](const Word& word) {
            if (date.year != 0 && !family.empty()) {
                put(KeyHash{by_given_year}.text(word.text).number(year).number(
                    static_cast<unsigned char>(family.front().text[0])));
            }
            if (day_known) put(KeyHash{by_day_sound}.number(day_pair()).number(word.sound));
        });
    }
    void places(const NameForm& name) {
        for (std::size_t i = 0; i < person_.places.size() && i < places_max; ++i) {
            const auto& place = *person_.places[i].place;
            for (const auto& part : {name.given.get(), name.family.get()}) {
                if (part->words.empty()) continue;
                const auto initial = static_cast<unsigned char>(part->words.front().text[0]);
                if (place.uprn != 0) put(KeyHash{by_uprn_initial}.number(place.uprn).number(initial));
                if (!place.postcode.empty())
                    put(KeyHash{by_postcode_initial}.text(place.postcode).number(initial));
                if (place.number != 0 && !place.street.empty()) {
                    put(KeyHash{by_number_street}
                            .number(static_cast<std::uint64_t>(place.number))
                            .text(first_word(place.street))
                            .number(initial));
                }
                if (!place.postcode.empty() && person_.born.year != 0) {
                    put(KeyHash{by_outward_year}
                            .text(outward(place.postcode))
                            .number(static_cast<std::uint64_t>(person_.born.year))
                            .number(initial));
                }
            }
            near_home(name, place);
            if (!place.postcode.empty() && place.number != 0) {
                put(KeyHash{by_postcode_number}
                        .text(place.postcode)
                        .number(static_cast<std::uint64_t>(place.number)));
            }
        }
    }

    /// Where one side gives no date of birth it is a name, by its sound, and the neighbourhood. Few rows are without a
    /// date, so that whoever has one looks among those alone.
    void near_home(const NameForm& name, const PlaceForm& place) {
        const bool dated = person_.born.whole();
        for (const auto& part : {name.given.get(), name.family.get()}) {
            for_first(part->words, [&](const Word& word) {
                if (word.text.size() < 2) return;
                if (!query_ || !dated) near_home(by_sound_outward, by_sound_town, place, word);
                if (query_ == dated) near_home(by_sound_outward_undated, by_sound_town_undated, place, word);
            });
        }
    }
    void near_home(KeyKind by_outward, KeyKind by_town, const PlaceForm& place, const Word& word) {
        if (!place.postcode.empty())
            put(KeyHash{by_outward}.text(outward(place.postcode)).number(word.sound));
        if (!place.town.empty()) put(KeyHash{by_town}.text(place.town).number(word.sound));
    }

    const PersonForm& person_;
    bool query_;
    std::vector<std::uint64_t> keys_;
};

}  // namespace

std::vector<std::uint64_t> row_keys(const PersonForm& person) { return Keys{person, false}.all(); }

std::vector<std::uint64_t> query_keys(const PersonForm& person) { return Keys{person, true}.all(); }

std::vector<std::uint64_t> place_keys(const PlaceForm& place) {
    std::vector<std::uint64_t> keys;
    if (place.uprn != 0) keys.push_back(KeyHash{by_uprn}.number(place.uprn).value());
    const auto number = static_cast<std::uint64_t>(place.number);
    if (!place.postcode.empty() && place.number != 0) {
        keys.push_back(KeyHash{by_postcode_number}.text(place.postcode).number(number).value());
    }
    // "Flat 46 Ellison House" and "46 Ellison House".
    if (place.number == 0 && all_digits(place.flat) && !place.street.empty()) {
        const auto flat = number_of(place.flat);
        if (!place.postcode.empty())
            keys.push_back(KeyHash{by_postcode_number}.text(place.postcode).number(flat).value());
        keys.push_back(KeyHash{by_street_outward}.number(flat).text(street_head(place.street)).value());
    }
    const auto house = place.number == 0 ? place.street : place.building;
    if (!place.postcode.empty() && !house.empty()) {
        keys.push_back(KeyHash{by_postcode_line}.text(place.postcode).text(first_word(house)).value());
    }
    if (!place.postcode.empty() && place.number_to != 0 && place.number_to - place.number <= 40) {
        for (int inside = place.number + 1; inside <= place.number_to; ++inside) {
            keys.push_back(KeyHash{by_postcode_number}
                               .text(place.postcode)
                               .number(static_cast<std::uint64_t>(inside))
                               .value());
        }
    }
    if (!place.postcode.empty() && !place.street.empty())
        keys.push_back(
            KeyHash{by_postcode_street}.text(place.postcode).text(first_word(place.street)).value());
    if (place.number == 0 && !place.street.empty() && !place.postcode.empty()) {
        keys.push_back(
            KeyHash{by_named_outward}.text(outward(place.postcode)).text(street_head(place.street)).value());
    }
    if (place.number != 0 && !place.street.empty()) {
        keys.push_back(KeyHash{by_street_outward}.number(number).text(street_head(place.street)).value());
    }
    return keys;
}

}  // namespace flagpost::registry
