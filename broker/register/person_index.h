/// People and addresses of the register in comparable form, and the lists by which candidates are found.
#pragma once

#include <array>
#include <climits>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/register/address.h"
#include "broker/register/brief.h"
#include "broker/register/key_index.h"
#include "broker/register/normal.h"
#include "broker/register/numbered.h"
#include "broker/register/register.h"
#include "broker/register/shared.h"

namespace flagpost::registry {

/// An address and when it was somebody's, in days since 1970; open ends at the limits of int.
struct DatedPlaceForm {
    std::shared_ptr<const PlaceForm> place;  // never null
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
    RowKind kind{};
    PersonForm person;
    const FlagKey* flag = nullptr;  // of a flagged child or linked adult; lives in the register's map
    const HeldFlag* held_flag = nullptr;
    const PupilKey* pupil = nullptr;  // of a pupil or contact
    const HeldPupil* held_pupil = nullptr;
    std::uint16_t number = 0;  // which linked adult or contact of its record
};

/// One address of a flagged child.
struct PlaceRow {
    DatedPlaceForm place;
    const FlagKey* flag = nullptr;
    const HeldFlag* held_flag = nullptr;
};

/// How many rows bear a word as a name, or live in a town: agreement on "Khan" weighs less than on "Zielinska".
class WordCounts {
public:
    void add(const std::string& word, int by);
    std::uint32_t of(const std::string& word) const;
    std::uint64_t total() const { return total_; }

private:
    std::unordered_map<std::string, std::uint32_t> counts_;  // looked up, never walked
    std::uint64_t total_ = 0;
};

/// Those born on 1 January, which stands for an unknown day: what they are called, and the years.
struct NewYearCounts {
    WordCounts given, family, years;
};

// How much one search may read. Long lists are names or days that many share: whoever agrees in a second fact is
// found by a shorter list. The shortest lists are read first, so that what is left out never depends on the order in
// which the register was filled.
inline constexpr std::uint32_t candidate_list_max = 2000;
inline constexpr std::uint32_t candidates_max = 5000;

struct Found {
    std::vector<std::uint32_t> rows;  // each once, in an order that means nothing
    std::uint32_t dropped = 0;        // entries of the lists left out
};

/// The keys under which a person may stand; made once for a person and looked up in each pool.
std::vector<std::uint64_t> query_keys(const PersonForm& person);

/// All people of one kind.
class Pool {
public:
    std::uint32_t add(Row row);
    void remove(std::uint32_t number);
    const Row& row(std::uint32_t number) const { return rows_[number]; }
    std::size_t size() const { return rows_.size(); }
    void find(const std::vector<std::uint64_t>& keys, Found& found) const;
    // In brief; parts by the numbers that rows give.
    const RowBrief& brief(std::uint32_t number) const { return briefs_[number]; }
    const PartBrief& given_brief(std::uint32_t number) const { return given_briefs_[number]; }
    const PartBrief& family_brief(std::uint32_t number) const { return family_briefs_[number]; }
    /// The number of a part of a name that somebody here bears.
    std::optional<std::uint32_t> given_number(const NamePart& part) const;
    std::optional<std::uint32_t> family_number(const NamePart& part) const;
    const WordCounts& given_counts() const { return given_; }
    const WordCounts& family_counts() const { return family_; }
    const WordCounts& town_counts() const { return towns_; }
    const NewYearCounts& new_year_counts() const { return new_year_; }

private:
    void count(const PersonForm& person, int by);
    Numbered<Row> rows_;
    KeyIndex keys_;
    WordCounts given_, family_, towns_;
    NewYearCounts new_year_;
    Shared<NamePart> given_parts_, family_parts_;
    std::vector<RowBrief> briefs_;
    std::vector<PartBrief> given_briefs_, family_briefs_;
};

class PersonIndex {
public:
    // Keys and records are the register's own, and stay where they are while they stand here.
    void add_flag(const FlagKey& key, const HeldFlag& flag);
    void remove_flag(const FlagKey& key);
    void add_pupil(const PupilKey& key, const HeldPupil& pupil);
    void remove_pupil(const PupilKey& key);

    const Pool& pool(RowKind kind) const { return pools_[static_cast<std::size_t>(kind)]; }
    const PlaceRow& place(std::uint32_t number) const { return places_[number]; }
    /// Addresses of flagged children that may be this one.
    void find_places(const PlaceForm& place, Found& found) const;
    /// All addresses in a street of that name are of one postcode, and the name is none that many streets bear.
    bool street_of_one_postcode(const PlaceForm& place) const;

private:
    /// Of each equal address one.
    std::vector<DatedPlaceForm> shared(std::vector<DatedPlaceForm> places);
    void release(std::vector<DatedPlaceForm> places);

    /// Where somebody or an address stands: in the pool of a RowKind, or among the places.
    struct Entry {
        std::uint32_t in : 3;
        std::uint32_t number : 29;
    };
    using Entries = std::vector<Entry>;
    static constexpr std::uint32_t in_places = 4;
    void add_place(const FlagKey& key, const HeldFlag& flag, const DatedPlaceForm& place, Entries& entries);
    void add_person(Row row, Entries& entries);
    void remove(const Entries& entries);
    void remove_person(Pool& pool, std::uint32_t number);
    void remove_place(std::uint32_t number);
    void count_street(const PlaceForm& place, int by);
    std::array<Pool, in_places> pools_;  // one for each RowKind
    std::unordered_map<const FlagKey*, Entries> flag_entries_;
    std::unordered_map<const PupilKey*, Entries> pupil_entries_;
    Numbered<PlaceRow> places_;
    KeyIndex place_keys_;
    WordCounts streets_;  // by name, and by name and postcode
    Shared<PlaceForm> place_forms_;
};

}  // namespace flagpost::registry
