#include "broker/register/brief.h"

#include <algorithm>

#include "broker/register/given_names.h"
#include "broker/register/person_index.h"

namespace flagpost::registry {
namespace {

std::uint32_t folded(Sound sound) { return static_cast<std::uint32_t>(sound ^ sound >> 32); }

}  // namespace

Shape shape_of(const Word& word) {
    Shape shape;
    shape.letters = word.letters;
    shape.size = static_cast<std::uint8_t>(std::min(word.text.size(), letters_compared));
    for (std::size_t i = 0; i < 4; ++i) {
        const auto letter = i < word.text.size() ? static_cast<unsigned char>(word.text[i]) : 0U;
        shape.beginning = shape.beginning << 8 | letter;
    }
    return shape;
}

PartBrief brief_of(const NamePart& part) {
    PartBrief brief;
    if (part.words.empty()) return brief;
    const auto& first = part.words.front();
    brief.first = shape_of(first);
    brief.joined = shape_of(part.joined);
    brief.sound = folded(first.sound);
    brief.joined_sound = folded(part.joined.sound);
    brief.known = first.known;
    brief.words = static_cast<std::uint8_t>(part.words.size());
    brief.established = established_given_name(first);
    return brief;
}

std::uint16_t brief_of_postcode(const std::string& postcode) {
    if (postcode.empty()) return 0;
    const auto digest = [](std::string_view text) { return KeyHash{0}.text(text).value() % 255 + 1; };
    const auto space = postcode.find(' ');
    const auto inward = space == std::string::npos ? 0 : digest(postcode.substr(space));
    return static_cast<std::uint16_t>(digest(outward(postcode)) << 8 | inward);
}

RowBrief brief_of(const PersonForm& person, std::uint32_t given, std::uint32_t family) {
    RowBrief brief;
    brief.given = given;
    brief.family = family;
    brief.year = static_cast<std::uint32_t>(person.born.year) & 0x3fffU;
    brief.month = static_cast<std::uint32_t>(person.born.month) & 0x7fU;
    brief.day = static_cast<std::uint32_t>(person.born.day) & 0x7fU;
    brief.identified = !person.upn.empty() || !person.nhs_number.empty();
    brief.more_names = person.names.size() != 1;
    brief.sex = person.sex;
    if (person.places.empty()) return brief;
    const auto& place = *person.places.front().place;
    brief.places = person.places.size() > 1 ? RowBrief::Places::more
                   : place.uprn != 0        ? RowBrief::Places::one_with_uprn
                                            : RowBrief::Places::one;
    brief.postcode = brief_of_postcode(place.postcode);
    brief.number = static_cast<std::uint16_t>(place.number);
    return brief;
}

}  // namespace flagpost::registry
