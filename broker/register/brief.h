/// What a search asks first of everybody it comes across, small enough that a million of it stay in the cache.
#pragma once

#include <cstdint>

#include "broker/register/normal.h"

namespace flagpost::registry {

struct PersonForm;

/// What bounds how alike two words can be, without their letters in order.
struct Shape {
    std::uint32_t letters = 0;    // as in Word
    std::uint32_t beginning = 0;  // the first four letters, the first one topmost
    std::uint8_t size = 0;        // at most `letters_compared`
    friend bool operator==(const Shape&, const Shape&) = default;
};
Shape shape_of(const Word& word);

/// A part of a name: its first word, and all of them as one.
struct PartBrief {
    Shape first, joined;
    std::uint32_t sound = 0;         // a digest of the first word's
    std::uint32_t joined_sound = 0;  // and of all words' as one
    std::uint16_t known = 0;         // as in Word
    std::uint8_t words = 0;
    bool established = false;  // the first word is a given name of its own
};
PartBrief brief_of(const NamePart& part);

/// A row of the register.
struct RowBrief {
    enum class Places : std::uint8_t { none, one, one_with_uprn, more };

    std::uint32_t given = 0, family = 0;  // numbers of the parts of its only name
    std::uint32_t year : 14 = 0, month : 7 = 0, day : 7 = 0;
    bool identified : 1 = false;  // it has a pupil number or an NHS number
    bool more_names : 1 = true;   // or none
    char sex = 'U';
    Places places = Places::none;
    std::uint16_t postcode = 0;  // a digest; 0: none. Of its only address
    std::uint16_t number = 0;    // the house's, its low bits
    DateForm born() const { return {static_cast<int>(year), static_cast<int>(month), static_cast<int>(day)}; }
};
static_assert(sizeof(RowBrief) <= 20);
RowBrief brief_of(const PersonForm& person, std::uint32_t given, std::uint32_t family);

/// The digest of a postcode, eight bits of either part; 0 only for none. The second part is 0 where there is none.
std::uint16_t brief_of_postcode(const std::string& postcode);

}  // namespace flagpost::registry
