#include "broker/register/person_index.h"

#include <algorithm>
#include <array>

#include "broker/core/ids.h"
#include "broker/register/search_keys.h"

namespace flagpost::registry {
namespace {

constexpr std::size_t names_max = 6;    // main and other names of one person, as forms
constexpr std::size_t adults_max = 30;  // linked adults or contacts of one record

void collect(const KeyIndex& index, const std::vector<std::uint64_t>& keys, Found& found) {
    for (const auto key : keys) index.prefetch(key);
    std::vector<std::pair<std::uint32_t, std::uint64_t>> lists;
    lists.reserve(keys.size());
    std::size_t rows = 0;
    for (const auto key : keys) {
        const auto count = index.count(key);
        if (count == 0) continue;
        lists.emplace_back(count, key);
        rows += count;
    }
    std::sort(lists.begin(), lists.end());
    found.rows.reserve(std::min<std::size_t>(rows, candidates_max));
    std::uint32_t read = 0;
    for (const auto& [count, key] : lists) {
        if (count > candidate_list_max || read + count > candidates_max) {
            found.dropped += count;
        } else {
            index.collect(key, found.rows);
            read += count;
        }
    }
    std::sort(found.rows.begin(), found.rows.end());
    found.rows.erase(std::unique(found.rows.begin(), found.rows.end()), found.rows.end());
}

template <class Value> void put_at(std::vector<Value>& list, std::uint32_t number, const Value& value) {
    if (number >= list.size()) list.resize(number + std::size_t{1});
    list[number] = value;
}

/// Keeps one of all equal parts, and says its number.
std::uint32_t keep(Shared<NamePart>& parts, std::vector<PartBrief>& briefs,
                   std::shared_ptr<const NamePart>& part) {
    const auto* const given = part.get();
    auto kept = parts.keep(std::move(part));
    if (kept.value.get() == given) put_at(briefs, kept.number, brief_of(*given));
    part = std::move(kept.value);
    return kept.number;
}

std::optional<std::uint32_t> number_in(const Shared<NamePart>& parts, const NamePart& part) {
    const auto* kept = parts.find(part);
    return kept ? std::optional{kept->number} : std::nullopt;
}

}  // namespace

PersonForm person_form(const schemas::PersonValue& person) {
    PersonForm form;
    form.names = name_forms(person.given_names, person.family_name);
    for (const auto& other : person.also_known_as) {
        if (!other) continue;
        // An alias often gives only the part that differs.
        auto extra = name_forms(other->given.empty() ? person.given_names : other->given,
                                other->family.empty() ? person.family_name : other->family);
        for (auto& name : extra) {
            if (form.names.size() >= names_max) break;
            if (std::find(form.names.begin(), form.names.end(), name) == form.names.end()) {
                form.names.push_back(std::move(name));
            }
        }
    }
    form.born = date_form(person.date_of_birth);
    if (person.sex == "M" || person.sex == "F") form.sex = person.sex[0];
    if (valid_upn(person.upn)) form.upn = person.upn;
    if (valid_nhs_number(person.nhs_number)) form.nhs_number = person.nhs_number;
    return form;
}

DatedPlaceForm dated_place_form(const schemas::DatedPlaceValue& place) {
    return {std::make_shared<const PlaceForm>(place.place ? place_form(*place.place) : PlaceForm{}),
            day_number(date_form(place.from)).value_or(INT_MIN),
            day_number(date_form(place.to)).value_or(INT_MAX)};
}

void WordCounts::add(const std::string& word, int by) {
    auto& count = counts_[word];
    count = static_cast<std::uint32_t>(static_cast<int>(count) + by);
    total_ = static_cast<std::uint64_t>(static_cast<std::int64_t>(total_) + by);
    if (count == 0) counts_.erase(word);
}

std::uint32_t WordCounts::of(const std::string& word) const {
    const auto found = counts_.find(word);
    return found == counts_.end() ? 0 : found->second;
}

void Pool::count(const PersonForm& person, int by) {
    if (!person.places.empty() && !person.places.front().place->town.empty())
        towns_.add(person.places.front().place->town, by);
    if (person.names.empty()) return;
    const auto& name = person.names.front();
    if (!name.given->words.empty()) given_.add(name.given->words.front().text, by);
    if (!name.family->words.empty()) family_.add(name.family->joined.text, by);
    if (name.given->words.empty() || name.family->words.empty() || !new_year(person.born)) return;
    new_year_.given.add(name.given->words.front().text, by);
    new_year_.family.add(name.family->joined.text, by);
    new_year_.years.add(std::to_string(person.born.year), by);
}

std::uint32_t Pool::add(Row row) {
    count(row.person, 1);
    std::uint32_t given = 0, family = 0;
    for (auto& name : row.person.names) {
        given = keep(given_parts_, given_briefs_, name.given);
        family = keep(family_parts_, family_briefs_, name.family);
    }
    const auto keys = row_keys(row.person);
    const auto brief = brief_of(row.person, given, family);
    const auto number = rows_.add(std::move(row));
    put_at(briefs_, number, brief);
    for (const auto key : keys) keys_.add(key, number);
    return number;
}

void Pool::remove(std::uint32_t number) {
    auto names = rows_[number].person.names;
    for (const auto key : row_keys(rows_[number].person)) keys_.remove(key, number);
    count(rows_[number].person, -1);
    rows_.remove(number);
    for (auto& name : names) {
        given_parts_.release(std::move(name.given));
        family_parts_.release(std::move(name.family));
    }
}

std::optional<std::uint32_t> Pool::given_number(const NamePart& part) const {
    return number_in(given_parts_, part);
}
std::optional<std::uint32_t> Pool::family_number(const NamePart& part) const {
    return number_in(family_parts_, part);
}

void Pool::find(const std::vector<std::uint64_t>& keys, Found& found) const { collect(keys_, keys, found); }

void PersonIndex::add_person(Row row, Entries& entries) {
    auto& person = row.person;
    if (person.names.empty() && person.upn.empty() && person.nhs_number.empty())
        return release(std::move(person.places));
    const auto kind = static_cast<std::uint32_t>(row.kind);
    entries.push_back({kind & 7U, pools_[kind].add(std::move(row)) & 0x1fff'ffffU});
}

void PersonIndex::add_place(const FlagKey& key, const HeldFlag& flag, const DatedPlaceForm& place,
                            Entries& entries) {
    if (place.place->empty()) return;
    const auto number = places_.add({place, &key, &flag});
    for (const auto each : place_keys(*place.place)) place_keys_.add(each, number);
    count_street(*place.place, 1);
    entries.push_back({in_places, number & 0x1fff'ffffU});
}

void PersonIndex::remove(const Entries& entries) {
    for (const auto& entry : entries) {
        if (entry.in == in_places)
            remove_place(entry.number);
        else
            remove_person(pools_[entry.in], entry.number);
    }
}

void PersonIndex::remove_person(Pool& pool, std::uint32_t number) {
    auto places = pool.row(number).person.places;
    pool.remove(number);
    release(std::move(places));
}

void PersonIndex::remove_place(std::uint32_t number) {
    auto place = places_[number].place;
    for (const auto each : place_keys(*place.place)) place_keys_.remove(each, number);
    count_street(*place.place, -1);
    places_.remove(number);
    release({std::move(place)});
}

void PersonIndex::count_street(const PlaceForm& place, int by) {
    if (place.street.empty()) return;
    streets_.add(std::string{street_head(place.street)}, by);
    if (const auto with_postcode = street_and_postcode(place); !with_postcode.empty())
        streets_.add(with_postcode, by);
}

bool PersonIndex::street_of_one_postcode(const PlaceForm& place) const {
    const auto with_postcode = street_and_postcode(place);
    if (with_postcode.empty()) return false;
    const std::string head{street_head(place.street)};
    return !common_street(head) && streets_.of(head) == streets_.of(with_postcode);
}

std::vector<DatedPlaceForm> PersonIndex::shared(std::vector<DatedPlaceForm> places) {
    for (auto& each : places) each.place = place_forms_.keep(std::move(each.place)).value;
    return places;
}

void PersonIndex::release(std::vector<DatedPlaceForm> places) {
    for (auto& each : places) place_forms_.release(std::move(each.place));
}

void PersonIndex::add_flag(const FlagKey& key, const HeldFlag& flag) {
    Entries entries;
    const auto add = [&](RowKind kind, PersonForm person, std::uint16_t number) {
        Row row;
        row.kind = kind;
        row.person = std::move(person);
        row.flag = &key;
        row.held_flag = &flag;
        row.number = number;
        add_person(std::move(row), entries);
    };
    std::vector<DatedPlaceForm> places;
    for (std::size_t i = 0; i < flag.value.places.size() && i < places_max; ++i) {
        if (flag.value.places[i]) places.push_back(dated_place_form(*flag.value.places[i]));
    }
    places = shared(std::move(places));
    for (const auto& place : places) add_place(key, flag, place, entries);
    if (flag.value.child) {
        auto child = person_form(*flag.value.child);
        child.places = places;
        add(RowKind::flagged_child, std::move(child), 0);
    }
    for (std::size_t i = 0; i < flag.value.linked_adults.size() && i < adults_max; ++i) {
        const auto& adult = flag.value.linked_adults[i];
        if (!adult || !adult->person) continue;
        auto person = person_form(*adult->person);
        for (std::size_t p = 0; p < adult->places.size() && p < places_max; ++p) {
            if (adult->places[p]) person.places.push_back(dated_place_form(*adult->places[p]));
        }
        person.places = person.places.empty() ? places : shared(std::move(person.places));
        add(RowKind::linked_adult, std::move(person), static_cast<std::uint16_t>(i));
    }
    release(std::move(places));
    entries.shrink_to_fit();
    flag_entries_.emplace(&key, std::move(entries));
}

void PersonIndex::remove_flag(const FlagKey& key) {
    const auto found = flag_entries_.find(&key);
    if (found == flag_entries_.end()) return;
    remove(found->second);
    flag_entries_.erase(found);
}

void PersonIndex::add_pupil(const PupilKey& key, const HeldPupil& pupil) {
    Entries entries;
    const auto add = [&](RowKind kind, PersonForm person, std::uint16_t number) {
        Row row;
        row.kind = kind;
        row.person = std::move(person);
        row.pupil = &key;
        row.held_pupil = &pupil;
        row.number = number;
        add_person(std::move(row), entries);
    };
    std::vector<DatedPlaceForm> home;
    if (pupil.value.home)
        home.push_back({std::make_shared<const PlaceForm>(place_form(*pupil.value.home)), INT_MIN, INT_MAX});
    if (!home.empty() && home.front().place->empty() && home.front().place->town.empty()) home.clear();
    home = shared(std::move(home));
    if (pupil.value.child) {
        auto child = person_form(*pupil.value.child);
        child.places = home;
        add(RowKind::pupil, std::move(child), 0);
    }
    for (std::size_t i = 0; i < pupil.value.contacts.size() && i < adults_max; ++i) {
        const auto& contact = pupil.value.contacts[i];
        if (!contact || !contact->person) continue;
        auto person = person_form(*contact->person);
        person.places = home;
        add(RowKind::contact, std::move(person), static_cast<std::uint16_t>(i));
    }
    release(std::move(home));
    entries.shrink_to_fit();
    pupil_entries_.emplace(&key, std::move(entries));
}

void PersonIndex::remove_pupil(const PupilKey& key) {
    const auto found = pupil_entries_.find(&key);
    if (found == pupil_entries_.end()) return;
    remove(found->second);
    pupil_entries_.erase(found);
}

void PersonIndex::find_places(const PlaceForm& place, Found& found) const {
    collect(place_keys_, place_keys(place), found);
}

}  // namespace flagpost::registry
