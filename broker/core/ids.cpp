#include "broker/core/ids.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "broker/core/limits.h"

namespace flagpost {
namespace {

constexpr std::array<std::string_view, 10> agency_kinds{"police",    "social-care", "school",  "trust",
                                                        "education", "health",      "auditor", "operator",
                                                        "broker",    "bench"};

constexpr std::string_view spiffe_scheme = "spiffe://";

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

bool is_code_character(char c) { return is_digit(c) || is_lower(c) || is_upper(c) || c == '-' || c == '.'; }
bool is_domain_character(char c) { return is_digit(c) || is_lower(c) || c == '-' || c == '.'; }

bool well_formed_code(std::string_view code) {
    return !code.empty() && code.size() <= limits::name_size_max && code != "." && code != ".." &&
           std::ranges::all_of(code, is_code_character);
}

bool all_digits(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

template <class Number> std::optional<Number> parse_number(std::string_view text, std::size_t digits_max) {
    if (!all_digits(text) || text.size() > digits_max) return std::nullopt;
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value == 0) return std::nullopt;
    return value;
}

}  // namespace

Result<AgencyId> AgencyId::parse(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return refuse(Reason::malformed, "agency: no kind");
    if (std::ranges::find(agency_kinds, text.substr(0, slash)) == agency_kinds.end())
        return refuse(Reason::malformed, "agency: unknown kind");
    if (!well_formed_code(text.substr(slash + 1))) return refuse(Reason::malformed, "agency: code");
    return AgencyId{std::string{text}, slash};
}

Result<SpiffeId> SpiffeId::parse(std::string_view text) {
    if (text.size() > limits::spiffe_id_size_max) return refuse(Reason::too_large, "spiffe id");
    if (!text.starts_with(spiffe_scheme)) return refuse(Reason::malformed, "spiffe id: scheme");
    const auto rest = text.substr(spiffe_scheme.size());
    const auto slash = rest.find('/');
    if (slash == std::string_view::npos) return refuse(Reason::malformed, "spiffe id: no path");
    const auto partnership = rest.substr(0, slash);
    if (partnership.empty() || !std::ranges::all_of(partnership, is_domain_character))
        return refuse(Reason::malformed, "spiffe id: partnership");

    auto path = rest.substr(slash + 1);
    std::string_view service;
    const auto kind_end = path.find('/');
    if (kind_end == std::string_view::npos) return refuse(Reason::malformed, "spiffe id: no code");
    if (const auto code_end = path.find('/', kind_end + 1); code_end != std::string_view::npos) {
        service = path.substr(code_end + 1);
        path = path.substr(0, code_end);
        if (!well_formed_code(service)) return refuse(Reason::malformed, "spiffe id: service");
    }
    return AgencyId::parse(path).map([&](AgencyId agency) {
        return SpiffeId{std::string{text}, std::string{partnership}, std::move(agency), std::string{service}};
    });
}

Id16 make_uuid7(Instant now, Random& random) {
    Id16 id = random.bytes<16>();
    const auto ms = static_cast<std::uint64_t>(to_us(now) / 1000);
    for (std::size_t i = 0; i < 6; ++i) id[i] = static_cast<std::uint8_t>(ms >> (40 - 8 * i));
    id[6] = static_cast<std::uint8_t>(0x70 | (id[6] & 0x0f));
    id[8] = static_cast<std::uint8_t>(0x80 | (id[8] & 0x3f));
    return id;
}

std::optional<Instant> uuid7_time(const Id16& id) {
    if (id[6] >> 4 != 7 || id[8] >> 6 != 2) return std::nullopt;
    std::int64_t ms = 0;
    for (std::size_t i = 0; i < 6; ++i) ms = ms << 8 | id[i];
    return from_us(ms * 1000);
}

bool valid_upn(std::string_view upn) {
    static constexpr std::string_view alphabet = "ABCDEFGHJKLMNPQRTUVWXYZ";  // no I, O, S: values 0 to 22
    if (upn.size() != 13 || !all_digits(upn.substr(1, 11))) return false;
    std::size_t sum = 0;
    for (std::size_t i = 1; i < 12; ++i) sum += static_cast<std::size_t>(upn[i] - '0') * (i + 1);
    std::size_t last = 0;
    if (is_digit(upn[12])) {
        last = static_cast<std::size_t>(upn[12] - '0');
    } else {
        last = alphabet.find(upn[12]);
        if (last == std::string_view::npos) return false;
    }
    return upn[0] == alphabet[(sum + last * 13) % 23];
}

bool valid_nhs_number(std::string_view number) {
    if (number.size() != 10 || !all_digits(number)) return false;
    int sum = 0;
    for (std::size_t i = 0; i < 9; ++i) sum += (number[i] - '0') * static_cast<int>(10 - i);
    const int check = (11 - sum % 11) % 11;
    return check != 10 && check == number[9] - '0';
}

bool valid_gss_code(std::string_view code) {
    return code.size() == 9 && (code[0] == 'E' || code[0] == 'W') && all_digits(code.substr(1));
}

std::optional<std::string> normal_postcode(std::string_view postcode) {
    std::string packed;
    for (const char c : postcode) {
        if (c == ' ') continue;
        packed.push_back(is_lower(c) ? static_cast<char>(c - 'a' + 'A') : c);
    }
    if (packed.size() < 5 || packed.size() > 7) return std::nullopt;
    const auto inward = std::string_view{packed}.substr(packed.size() - 3);
    const auto outward = std::string_view{packed}.substr(0, packed.size() - 3);
    if (!is_digit(inward[0]) || !is_upper(inward[1]) || !is_upper(inward[2])) return std::nullopt;
    if (!std::ranges::all_of(outward, [](char c) { return is_digit(c) || is_upper(c); }) ||
        !is_upper(outward[0]))
        return std::nullopt;
    return std::string{outward} + " " + std::string{inward};
}

std::optional<std::uint64_t> parse_uprn(std::string_view text) {
    return parse_number<std::uint64_t>(text, 12);
}

std::optional<std::uint32_t> parse_urn(std::string_view text) { return parse_number<std::uint32_t>(text, 7); }

}  // namespace flagpost
