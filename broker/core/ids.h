/// Names of agencies, people and places by the field's own codes. One that exists is well formed.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/core/bytes.h"
#include "broker/core/clock.h"
#include "broker/core/result.h"

namespace flagpost {

/// A party to the partnership: kind and code, such as `police/31` or `school/122802`.
class AgencyId {
public:
    /// One of the kinds of agency, a slash, and a code of letters, digits, '-' and '.'.
    static Result<AgencyId> parse(std::string_view text);
    std::string_view kind() const { return std::string_view{text_}.substr(0, slash_); }
    std::string_view code() const { return std::string_view{text_}.substr(slash_ + 1); }
    const std::string& text() const { return text_; }
    friend bool operator==(const AgencyId& a, const AgencyId& b) { return a.text_ == b.text_; }
    friend auto operator<=>(const AgencyId& a, const AgencyId& b) { return a.text_ <=> b.text_; }

private:
    AgencyId(std::string text, std::size_t slash) : text_{std::move(text)}, slash_{slash} {}
    std::string text_;
    std::size_t slash_;
};

/// `spiffe://<partnership>/<kind>/<code>[/<service>]`, compared byte for byte, never normalised.
///
/// Refused: other schemes, upper case in scheme or partnership, '%', empty or dot segments, query,
/// fragment, port, user-info, more than 255 bytes. Source: SPIFFE X509-SVID, SPIFFE-ID.
class SpiffeId {
public:
    static Result<SpiffeId> parse(std::string_view text);
    const std::string& text() const { return text_; }
    std::string_view partnership() const { return partnership_; }
    const AgencyId& agency() const { return agency_; }
    std::string_view service() const { return service_; }  // empty when absent; never widens rights
    friend bool operator==(const SpiffeId& a, const SpiffeId& b) { return a.text_ == b.text_; }

private:
    SpiffeId(std::string text, std::string partnership, AgencyId agency, std::string service)
        : text_{std::move(text)},
          partnership_{std::move(partnership)},
          agency_{std::move(agency)},
          service_{std::move(service)} {}
    std::string text_, partnership_;
    AgencyId agency_;
    std::string service_;
};

/// UUID version 7 (RFC 9562): 48 bits of milliseconds, then random bits.
Id16 make_uuid7(Instant now, Random& random);

/// The instant a UUIDv7 was made, to the millisecond; nothing if it is not version 7.
std::optional<Instant> uuid7_time(const Id16& id);

// Identifiers of people and places. Each answers whether the text is a valid one by its exact check
// rule; an invalid identifier is absent evidence, never a match (R12).

/// Unique Pupil Number: check letter, 3-digit LA, 4-digit establishment, 2-digit year, serial.
/// Permanent ones end in a digit, temporary ones in a letter. Source: domain 4.4.
bool valid_upn(std::string_view upn);

/// NHS number: 10 digits, modulus 11; spaces are not accepted here.
bool valid_nhs_number(std::string_view number);

/// GSS code of an authority: E or W, 8 digits, such as E10000024.
bool valid_gss_code(std::string_view code);

/// The postcode in upper case with a single space before the last three, or nothing if it is none.
std::optional<std::string> normal_postcode(std::string_view postcode);

/// UPRN: 1 to 12 digits, leading zeros insignificant, never 0. Source: domain 4.5.
std::optional<std::uint64_t> parse_uprn(std::string_view text);

/// GIAS unique reference number: 1 to 7 digits, never 0.
std::optional<std::uint32_t> parse_urn(std::string_view text);

}  // namespace flagpost
