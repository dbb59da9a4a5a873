/// Which flagged children and which pupils one incident concerns, how sure that is, and why, in words.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/register/register.h"
#include "incident_generated.h"
#include "notice_generated.h"

namespace flagpost::match {

/// A score in thousandths of a bit: log2 of how much likelier the same person is than another. Integers, so that
/// every machine adds them alike.
using Millibits = std::int32_t;

/// One comparison and what it counted for; their sum, with the prior, is the score.
struct Evidence {
    std::string field;  // "given_name", "family_name", "date_of_birth", "place", "sex", "identifier", "prior"
    std::string level;  // "exact", "nickname", "one_digit", "other", ...
    Millibits weight = 0;
    friend bool operator==(const Evidence&, const Evidence&) = default;
};

/// One flag that the incident concerns; at most one hit a flag, the strongest reason first.
struct Hit {
    registry::FlagKey flag;
    schemas::Outcome outcome{};  // match, potential, many or low
    schemas::HitKind kind{};
    Millibits score = 0;
    std::vector<std::string> reasons;           // whole sentences, for the recipient
    std::vector<Evidence> evidence;             // of the comparison that decided
    std::optional<std::uint16_t> person;        // index in Incident.people; none: the place alone
    std::optional<std::uint16_t> linked_adult;  // index in Flag.linked_adults, where the hit is by an adult
    friend bool operator==(const Hit&, const Hit&) = default;
};

/// How a pupil came to be considered.
enum class Through : std::uint8_t { named, flag, contact };

/// One registration of a child that a domestic-abuse incident concerns. Several at once for one child when dually
/// registered.
struct PupilHit {
    registry::PupilKey pupil;
    schemas::Outcome outcome{};  // only match may go to a school without a person's release
    Through through{};
    Millibits score = 0;
    std::vector<std::string> reasons;
    std::vector<Evidence> evidence;
    std::optional<std::uint16_t> person;    // the child, or with `contact` the adult, in Incident.people
    std::optional<registry::FlagKey> flag;  // with Through::flag
    friend bool operator==(const PupilHit&, const PupilHit&) = default;
};

/// A child related to either adult who is on no roll that was searched.
struct Unplaced {
    std::uint16_t person = 0;  // index in Incident.people
    std::string why;
    friend bool operator==(const Unplaced&, const Unplaced&) = default;
};

struct Decision {
    std::vector<Hit> flags;          // in key order
    std::vector<PupilHit> pupils;    // in key order
    std::vector<Unplaced> unplaced;  // in order of person
    std::uint32_t candidates = 0;    // register entries compared in full
    std::uint32_t dropped = 0;       // entries left out because an index list was longer than its limit
    friend bool operator==(const Decision&, const Decision&) = default;

    /// Counts only, no names: "match=1 potential=0 many=0 low=2 pupils=3 unplaced=0 candidates=41".
    std::string summary() const;
};

/// Pure: the same register, incident and time give the same decision, in whatever order the register was filled.
Decision decide(const registry::Register& known, const schemas::IncidentValue& incident, Instant now);

/// What the decisions rest on besides the data: version, weights, thresholds, nicknames, ICU. The exchange hashes it.
std::string engine_digest_input();

}  // namespace flagpost::match
