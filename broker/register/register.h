/// Everything matching and notices may know: flags, rolls, schools and calendars, each set and removed by its key.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "broker/core/clock.h"
#include "flag_generated.h"
#include "school_generated.h"

// The folder is called register; C++ keeps that word for itself, so the namespace is called registry.
namespace flagpost::registry {

/// One authority's flag on one child. Two authorities' flags on the same child are two flags.
struct FlagKey {
    std::string la;
    std::string la_child_id;
    friend auto operator<=>(const FlagKey&, const FlagKey&) = default;
    friend bool operator==(const FlagKey&, const FlagKey&) = default;
};

/// One registration of one pupil. `key` is the UPN where it is valid, else names and date of birth. With urn 0: a child on an
/// authority's register of children not in school, and `key` begins with "E10000024/".
struct PupilKey {
    std::uint32_t urn = 0;
    std::string key;
    friend auto operator<=>(const PupilKey&, const PupilKey&) = default;
    friend bool operator==(const PupilKey&, const PupilKey&) = default;
};

struct LinkKey {
    std::uint32_t urn = 0;
    std::uint32_t link_urn = 0;
    std::string link_type;
    friend auto operator<=>(const LinkKey&, const LinkKey&) = default;
    friend bool operator==(const LinkKey&, const LinkKey&) = default;
};

struct ContactKey {
    std::uint32_t urn = 0;
    std::string name;
    friend auto operator<=>(const ContactKey&, const ContactKey&) = default;
    friend bool operator==(const ContactKey&, const ContactKey&) = default;
};

/// A term, INSET day or closure: of one school, or of an authority with urn 0.
struct TermKey {
    std::string la;
    std::uint32_t urn = 0;
    std::string first_day;
    bool closed = false;
    friend auto operator<=>(const TermKey&, const TermKey&) = default;
    friend bool operator==(const TermKey&, const TermKey&) = default;
};

struct HolidayKey {
    std::string division;
    std::string date;
    friend auto operator<=>(const HolidayKey&, const HolidayKey&) = default;
    friend bool operator==(const HolidayKey&, const HolidayKey&) = default;
};

// The key of each record. Keys hold only what the record says, so a record and its replacement share one.
FlagKey key_of(const schemas::FlagValue& flag);
PupilKey key_of(const schemas::PupilValue& pupil);
LinkKey key_of(const schemas::SchoolLinkValue& link);
ContactKey key_of(const schemas::SchoolContactValue& contact);
TermKey key_of(const schemas::TermPeriodValue& term);
HolidayKey key_of(const schemas::BankHolidayValue& holiday);

/// "flag/E10000024/1234" and "pupil/122802/H243278544154": how records and logs name a child.
std::string text(const FlagKey& key);
std::string text(const PupilKey& key);

struct HeldFlag {
    schemas::FlagValue value;
    Instant received;
};

struct HeldPupil {
    schemas::PupilValue value;
    Instant received;
    std::string
        source;  // scope of the load it came by: "urn:122802", "la:E10000024", "not-in-school:E10000024"
};

/// What came by one scope (HeldPupil::source).
struct Roll {
    std::optional<Instant> confirmed;  // when it was loaded last, in full or as a delta
    std::size_t pupils = 0;            // registrations that stand by it
};

class PersonIndex;

/// Owned by whoever decides; not shared between threads. The same records give the same look-ups and the same
/// indexes, in whatever order they were set.
class Register {
public:
    Register();
    ~Register();
    Register(Register&&) noexcept;
    Register& operator=(Register&&) noexcept;

    // Each `set` replaces what its key held; each `remove` of an absent key does nothing.
    void set_flag(schemas::FlagValue flag, Instant received);
    void remove_flag(const FlagKey& key);
    /// When the authority last confirmed its whole flag list, by a full load or a delta.
    void set_feed(const std::string& la, Instant at);
    void set_pupil(schemas::PupilValue pupil, Instant received, std::string source);
    void remove_pupil(const PupilKey& key);
    /// When the roll of this scope was last confirmed, by a full load or a delta.
    void set_roll(const std::string& source, Instant at);
    void set_school(schemas::SchoolValue school);
    void remove_school(std::uint32_t urn);
    void set_link(schemas::SchoolLinkValue link);
    void remove_link(const LinkKey& key);
    void set_contact(schemas::SchoolContactValue contact);
    void remove_contact(const ContactKey& key);
    void set_bank_holiday(schemas::BankHolidayValue holiday);
    void remove_bank_holiday(const HolidayKey& key);
    void set_term(schemas::TermPeriodValue term);
    void remove_term(const TermKey& key);

    // Whole collections, in key order: for full loads (what the new list no longer holds) and state digests.
    const std::map<FlagKey, HeldFlag>& flags() const { return flags_; }
    const std::map<std::string, Instant>& feeds() const { return feeds_; }
    const std::map<PupilKey, HeldPupil>& pupils() const { return pupils_; }
    const std::map<std::string, Roll>& rolls() const { return rolls_; }
    const std::map<std::uint32_t, schemas::SchoolValue>& schools() const { return schools_; }
    const std::map<LinkKey, schemas::SchoolLinkValue>& links() const { return links_; }
    const std::map<ContactKey, schemas::SchoolContactValue>& contacts() const { return contacts_; }
    const std::map<HolidayKey, schemas::BankHolidayValue>& bank_holidays() const { return bank_holidays_; }
    const std::map<TermKey, schemas::TermPeriodValue>& terms() const { return terms_; }

    std::vector<FlagKey> flags_of(std::string_view la) const;
    std::vector<PupilKey> pupils_from(std::string_view source) const;

    const HeldFlag* flag(const FlagKey& key) const;
    const HeldPupil* pupil(const PupilKey& key) const;
    const schemas::SchoolValue* school(std::uint32_t urn) const;
    std::optional<Instant> feed(const std::string& la) const;
    /// When somebody last said that the registration stands.
    Instant confirmed(const HeldPupil& pupil) const;
    bool has_roll_of(std::uint32_t urn) const;
    /// Open schools that took over from `urn`, along successor links however long; none when it has none.
    std::set<std::uint32_t> successors(std::uint32_t urn) const;
    /// Terms and closures that apply to one school: its own, and those of its authority.
    std::vector<const schemas::TermPeriodValue*> terms_of(const schemas::SchoolValue& school) const;

    /// People and places in the form matching compares; for broker/match.
    const PersonIndex& index() const { return *index_; }

private:
    std::map<FlagKey, HeldFlag> flags_;
    std::map<std::string, Instant> feeds_;
    std::map<PupilKey, HeldPupil> pupils_;
    std::map<std::string, Roll> rolls_;  // by scope
    std::map<std::uint32_t, schemas::SchoolValue> schools_;
    std::map<LinkKey, schemas::SchoolLinkValue> links_;
    std::map<ContactKey, schemas::SchoolContactValue> contacts_;
    std::map<HolidayKey, schemas::BankHolidayValue> bank_holidays_;
    std::map<TermKey, schemas::TermPeriodValue> terms_;
    std::unique_ptr<PersonIndex> index_;
};

}  // namespace flagpost::registry
