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
}

std::uint32_t Pool::add(Row row) {
    count(row.person, 1);
    for (auto& name : row.person.names) {
        name.given = given_parts_.keep(std::move(name.given));
        name.family = family_parts_.keep(std::move(name.family));
    }
    const auto keys = row_keys(row.person);
    const auto number = rows_.add(std::move(row));
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

void Pool::find(const std::vector<std::uint64_t>& keys, Found& found) const { collect(keys_, keys, found); }

void PersonIndex::add_person(Row row, std::vector<RowNumber>& numbers) {
    auto& person = row.person;
    if (person.names.empty() && person.upn.empty() && person.nhs_number.empty())
        return release(std::move(person.places));
    const auto kind = row.kind;
    numbers.push_back({kind, pools_[static_cast<std::size_t>(kind)].add(std::move(row))});
}

void PersonIndex::remove_people(const std::vector<RowNumber>& numbers) {
    for (const auto& [kind, number] : numbers) {
        auto& pool = pools_[static_cast<std::size_t>(kind)];
        auto places = pool.row(number).person.places;
        pool.remove(number);
        release(std::move(places));
    }
}

void PersonIndex::add_place(const FlagKey& key, const HeldFlag& flag, const DatedPlaceForm& place,
                            std::vector<std::uint32_t>& numbers) {
    if (place.place->empty()) return;
    const auto number = places_.add({place, &key, &flag});
    for (const auto each : place_keys(*place.place)) place_keys_.add(each, number);
    numbers.push_back(number);
}

std::vector<DatedPlaceForm> PersonIndex::shared(std::vector<DatedPlaceForm> places) {
    for (auto& each : places) each.place = place_forms_.keep(std::move(each.place));
    return places;
}

void PersonIndex::release(std::vector<DatedPlaceForm> places) {
    for (auto& each : places) place_forms_.release(std::move(each.place));
}

void PersonIndex::add_flag(const FlagKey& key, const HeldFlag& flag) {
    auto& numbers = flag_rows_[&key];
    const auto add = [&](RowKind kind, PersonForm person, std::uint16_t number) {
        Row row;
        row.kind = kind;
        row.person = std::move(person);
        row.flag = &key;
        row.held_flag = &flag;
        row.number = number;
        add_person(std::move(row), numbers.people);
    };
    std::vector<DatedPlaceForm> places;
    for (std::size_t i = 0; i < flag.value.places.size() && i < places_max; ++i) {
        if (flag.value.places[i]) places.push_back(dated_place_form(*flag.value.places[i]));
    }
    places = shared(std::move(places));
    for (const auto& place : places) add_place(key, flag, place, numbers.places);
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
}

void PersonIndex::remove_flag(const FlagKey& key) {
    const auto found = flag_rows_.find(&key);
    if (found == flag_rows_.end()) return;
    remove_people(found->second.people);
    for (const auto number : found->second.places) {
        auto place = places_[number].place;
        for (const auto each : place_keys(*place.place)) place_keys_.remove(each, number);
        places_.remove(number);
        release({std::move(place)});
    }
    flag_rows_.erase(found);
}

void PersonIndex::add_pupil(const PupilKey& key, const HeldPupil& pupil) {
    auto& numbers = pupil_rows_[&key];
    const auto add = [&](RowKind kind, PersonForm person, std::uint16_t number) {
        Row row;
        row.kind = kind;
        row.person = std::move(person);
        row.pupil = &key;
        row.held_pupil = &pupil;
        row.number = number;
        add_person(std::move(row), numbers);
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
}

void PersonIndex::remove_pupil(const PupilKey& key) {
    const auto found = pupil_rows_.find(&key);
    if (found == pupil_rows_.end()) return;
    remove_people(found->second);
    pupil_rows_.erase(found);
}

void PersonIndex::find_places(const PlaceForm& place, Found& found) const {
    collect(place_keys_, place_keys(place), found);
}

}  // namespace flagpost::registry
