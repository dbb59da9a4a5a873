/// People and addresses of the register in comparable form, and the lists by which candidates are found.
#pragma once

#include <climits>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/register/key_index.h"
#include "broker/register/normal.h"
#include "broker/register/register.h"

namespace flagpost::registry {

/// An address and when it was somebody's, in days since 1970; open ends at the limits of int.
struct DatedPlaceForm {
    PlaceForm place;
    int from = INT_MIN;
    int to = INT_MAX;
};

/// A person in the form matching compares.
struct PersonForm {
    std::vector<NameForm> names;  // the main one first, then former, preferred and alias names
    DateForm born;
    char sex = 'U';
    std::string upn;  // empty unless valid
    std::string nhs_number;
    std::vector<DatedPlaceForm> places;
};

/// Without places: those stand in the record around the person.
PersonForm person_form(const schemas::PersonValue& person);
DatedPlaceForm dated_place_form(const schemas::DatedPlaceValue& place);

enum class RowKind : std::uint8_t { flagged_child, linked_adult, pupil, contact };

/// One person of the register.
struct Row {
    bool live = false;
    RowKind kind{};
    PersonForm person;
    const FlagKey* flag = nullptr;  // of a flagged child or linked adult; lives in the register's map
    const HeldFlag* held_flag = nullptr;
    const PupilKey* pupil = nullptr;  // of a pupil or contact
    const HeldPupil* held_pupil = nullptr;
    std::uint16_t number = 0;         // which linked adult or contact of its record
    std::vector<std::uint64_t> keys;  // under which it stands in the index
};

/// One address of a flagged child.
struct PlaceRow {
    bool live = false;
    DatedPlaceForm place;
    const FlagKey* flag = nullptr;
    const HeldFlag* held_flag = nullptr;
    std::vector<std::uint64_t> keys;
};

/// How many rows bear a word as a name: agreement on "Khan" weighs less than on "Zielinska".
class WordCounts {
public:
    void add(const std::string& word, int by);
    std::uint32_t of(const std::string& word) const;
    std::uint64_t total() const { return total_; }

private:
    std::unordered_map<std::string, std::uint32_t> counts_;  // looked up, never walked
    std::uint64_t total_ = 0;
};

/// Rows found for a query. `dropped` counts the rows of lists too long to be worth reading: the other lists find a
/// person who agrees in more than one common fact.
struct Found {
    std::vector<std::uint32_t> rows;  // each once, in an order that means nothing
    std::uint32_t dropped = 0;
};

inline constexpr std::uint32_t candidate_list_max = 4000;

/// People who are searched together: flagged children with their linked adults, or pupils with their contacts.
class Pool {
public:
    std::uint32_t add(Row row);
    void remove(std::uint32_t number);
    const Row& row(std::uint32_t number) const { return rows_[number]; }
    std::size_t size() const { return size_; }
    void find(const PersonForm& person, Found& found) const;
    const WordCounts& given_counts() const { return given_; }
    const WordCounts& family_counts() const { return family_; }

private:
    void count_names(const PersonForm& person, int by);
    std::deque<Row> rows_;
    std::vector<std::uint32_t> free_;
    std::size_t size_ = 0;
    KeyIndex keys_;
    WordCounts given_, family_;
};

class PersonIndex {
public:
    void add_flag(const FlagKey& key, const HeldFlag& flag);
    void remove_flag(const FlagKey& key);
    void add_pupil(const PupilKey& key, const HeldPupil& pupil);
    void remove_pupil(const PupilKey& key);

    const Pool& flags() const { return flags_; }
    const Pool& rolls() const { return rolls_; }
    const PlaceRow& place(std::uint32_t number) const { return places_[number]; }
    /// Addresses of flagged children that may be this one.
    void find_places(const PlaceForm& place, Found& found) const;

private:
    void add_place(const FlagKey& key, const HeldFlag& flag, const schemas::DatedPlaceValue& place,
                   std::vector<std::uint32_t>& numbers);

    struct FlagRows {
        std::vector<std::uint32_t> people, places;
    };
    Pool flags_, rolls_;
    std::map<FlagKey, FlagRows> flag_rows_;
    std::map<PupilKey, std::vector<std::uint32_t>> pupil_rows_;
    std::deque<PlaceRow> places_;
    std::vector<std::uint32_t> free_places_;
    KeyIndex place_keys_;
};

}  // namespace flagpost::registry
