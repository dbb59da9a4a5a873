#include "adapters/desk/fields.h"

#include <algorithm>
#include <charconv>

#include "adapters/client/text.h"
#include "broker/core/ids.h"

namespace flagpost::desk {
namespace {

using client::trimmed;
using nlohmann::json;

constexpr int year_min = 1850, year_max = 2200;

/// Exactly `count` digits at `at`, as a number.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
    if (text.size() < at + count) return std::nullopt;
    int value = 0;
    for (const char c : text.substr(at, count)) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

struct DateParts {
    int year, month, day;
};
std::optional<DateParts> date_parts(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    if (!year || !month || !day) return std::nullopt;
    return DateParts{*year, *month, *day};
}

bool exists(const DateParts& date) {
    using namespace std::chrono;
    const year_month_day day{year{date.year}, month{static_cast<unsigned>(date.month)},
                             std::chrono::day{static_cast<unsigned>(date.day)}};
    return day.ok() && date.year >= year_min && date.year <= year_max;
}

/// "Z", "+01:00" or "+0100" as minutes to take away for UTC.
std::optional<std::chrono::minutes> offset_of(std::string_view text) {
    if (text == "Z" || text == "z") return std::chrono::minutes{0};
    if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
    const bool colon = text.size() == 6 && text[3] == ':';
    if (!colon && text.size() != 5) return std::nullopt;
    const auto hours = digits(text, 1, 2), minutes = digits(text, colon ? 4 : 3, 2);
    if (!hours || !minutes || *hours > 14 || *minutes > 59) return std::nullopt;
    const std::chrono::minutes offset{*hours * 60 + *minutes};
    return text[0] == '+' ? offset : -offset;
}

/// ".25" as microseconds, and how many characters it took; digits beyond the sixth are dropped.
std::pair<std::chrono::microseconds, std::size_t> fraction_of(std::string_view text) {
    if (text.size() < 2 || (text[0] != '.' && text[0] != ',')) return {{}, 0};
    std::int64_t value = 0;
    std::size_t at = 1;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at)
        if (at <= 6) value = value * 10 + (text[at] - '0');
    for (std::size_t i = at; i <= 6; ++i) value *= 10;
    return {std::chrono::microseconds{value}, at > 1 ? at : 0};
}

std::optional<std::uint64_t> number_of(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool is_absent(const json& value) {
    return value.is_null() || (value.is_string() && trimmed(value.get_ref<const std::string&>()).empty());
}

std::string drop_unless(bool good, const Fields& fields, const std::string& name, std::string value,
                        const char* why) {
    if (value.empty() || good) return value;
    fields.left_out(name, why);
    return {};
}

std::string read_bound(const Fields& fields, const std::string& name) {
    std::string given = fields.text(name);
    const bool good = is_date(given);
    return drop_unless(good, fields, name, std::move(given), "not a whole date, left out");
}

}  // namespace

void Findings::add(std::vector<Finding>& to, const std::string& where, const std::string& why) {
    const auto place = places_.find(where);
    Finding finding{where, place == places_.end() ? why : why + " (from " + place->second + ")"};
    if (to.size() < findings_max && std::ranges::find(to, finding) == to.end())
        to.push_back(std::move(finding));
}

std::vector<std::string> Findings::texts(const std::vector<Finding>& findings) {
    std::vector<std::string> all;
    all.reserve(findings.size());
    for (const Finding& finding : findings) all.push_back(finding.text());
    return all;
}

const json* Fields::find(const std::string& name) const {
    const auto place = object_.find(name);
    return place == object_.end() || is_absent(*place) ? nullptr : &*place;
}

std::string Fields::clean(const std::string& name, const std::string& given, std::size_t size_max) const {
    const std::string_view content = trimmed(given);
    if (content.size() > size_max)
        fault(name, "longer than " + std::to_string(size_max) + " bytes");
    else if (client::has_broken_characters(content))
        fault(name, "has characters that are not text");
    else
        return std::string{content};
    return {};
}

std::string Fields::text(const std::string& name, std::size_t size_max) const {
    const json* value = find(name);
    if (value == nullptr) return {};
    if (value->is_string()) return clean(name, value->get_ref<const std::string&>(), size_max);
    if (value->is_number_unsigned()) return std::to_string(value->get<std::uint64_t>());
    fault(name, "should be a text");
    return {};
}

std::string Fields::required_text(const std::string& name, std::size_t size_max) const {
    if (find(name) == nullptr) fault(name, "is missing");
    return text(name, size_max);
}

std::optional<std::uint64_t> Fields::number(const std::string& name, std::uint64_t most) const {
    const json* value = find(name);
    if (value == nullptr) return std::nullopt;
    std::optional<std::uint64_t> number;
    if (value->is_number_unsigned()) number = value->get<std::uint64_t>();
    if (value->is_string()) number = number_of(trimmed(value->get_ref<const std::string&>()));
    if (number && *number <= most) return number;
    fault(name, "should be a whole number, at most " + std::to_string(most));
    return std::nullopt;
}

std::optional<bool> Fields::truth(const std::string& name) const {
    const json* value = find(name);
    if (value == nullptr) return std::nullopt;
    if (value->is_boolean()) return value->get<bool>();
    if (value->is_string()) {
        const std::string_view word = trimmed(value->get_ref<const std::string&>());
        if (word == "yes" || word == "true") return true;
        if (word == "no" || word == "false") return false;
    }
    fault(name, "should be yes or no");
    return std::nullopt;
}

std::string Fields::partial_date(const std::string& name) const {
    std::string given = text(name);
    if (given.empty() || is_partial_date(given)) return given;
    fault(name, "should be a date, YYYY-MM-DD, with 00 or 0000 for what is unknown");
    return {};
}

std::string Fields::date(const std::string& name) const {
    std::string given = text(name);
    if (given.empty() || is_date(given)) return given;
    fault(name, "should be a date, YYYY-MM-DD");
    return {};
}

std::optional<Instant> Fields::instant(const std::string& name) const {
    const std::string given = text(name);
    if (given.empty()) return std::nullopt;
    const auto instant = parse_instant(given);
    if (!instant) fault(name, "should be a time with its offset, such as 2026-01-10T21:40:00Z");
    return instant;
}

Fields Fields::object(const std::string& name) const {
    static const json nothing = json::object();
    const json* value = find(name);
    if (value != nullptr && !value->is_object()) fault(name, "should be an object");
    return {value != nullptr && value->is_object() ? *value : nothing, path_ + name + ".", findings_};
}

std::vector<Fields> Fields::objects(const std::string& name, std::size_t most) const {
    const json* value = find(name);
    if (value == nullptr) return {};
    if (!value->is_array()) {
        fault(name, "should be a list");
        return {};
    }
    if (value->size() > most) {
        fault(name, "has more than " + std::to_string(most) + " entries");
        return {};
    }
    std::vector<Fields> list;
    for (std::size_t i = 0; i < value->size(); ++i) {
        const std::string place = name + "[" + std::to_string(i) + "]";
        if ((*value)[i].is_object())
            list.push_back({(*value)[i], path_ + place + ".", findings_});
        else
            fault(place, "should be an object");
    }
    return list;
}

std::vector<std::string> Fields::texts(const std::string& name) const {
    const json* value = find(name);
    std::vector<std::string> list;
    if (value == nullptr) return list;
    const auto add = [&](std::string_view one) {
        if (std::string kept = clean(name, std::string{one}, short_text_max); !kept.empty())
            list.push_back(std::move(kept));
    };
    if (value->is_string()) {
        std::string_view rest = value->get_ref<const std::string&>();
        while (true) {
            const auto end = rest.find(';');
            add(rest.substr(0, end));
            if (end == std::string_view::npos) break;
            rest.remove_prefix(end + 1);
        }
    } else if (value->is_array() && std::ranges::all_of(*value, [](auto& one) { return one.is_string(); })) {
        for (const json& one : *value) add(one.get_ref<const std::string&>());
    } else {
        fault(name, "should be a list of texts");
    }
    if (list.size() > list_items_max) fault(name, "has too many entries");
    return list;
}

void Fields::only(const std::set<std::string>& names) const {
    for (const auto& [name, value] : object_.items())
        if (!names.contains(name) && !is_absent(value))
            left_out(client::has_broken_characters(name) ? "a field" : name.substr(0, short_text_max),
                     "not a known field");
}

nlohmann::json object_of(const client::CsvRow& row, const std::set<std::string>& json_columns,
                         Findings& findings) {
    json object = json::object();
    for (const auto& [name, cell] : row.cells) {
        if (!json_columns.contains(name) || cell.empty()) {
            object[name] = cell;
            continue;
        }
        object[name] = json::parse(cell, nullptr, false);
        if (object[name].is_discarded()) {
            object[name] = nullptr;
            findings.fault(name, "should be JSON");
        }
    }
    return object;
}

schemas::PersonValue read_person(const Fields& fields) {
    schemas::PersonValue person;
    person.given_names = fields.text("given_names");
    person.family_name = fields.text("family_name");
    for (const Fields& name : fields.objects("also_known_as", limits::aliases_max)) {
        auto alias = std::make_unique<schemas::NameValue>();
        alias->given = name.text("given");
        alias->family = name.text("family");
        person.also_known_as.push_back(std::move(alias));
    }
    person.date_of_birth = fields.partial_date("date_of_birth");
    person.sex = read_sex(fields, "sex");
    person.upn = read_upn(fields, "upn");
    person.nhs_number = read_nhs_number(fields, "nhs_number");
    return person;
}

std::unique_ptr<schemas::PlaceValue> read_place(const Fields& fields) {
    auto place = std::make_unique<schemas::PlaceValue>();
    place->uprn = read_uprn(fields, "uprn");
    place->line_1 = fields.text("line_1");
    place->line_2 = fields.text("line_2");
    place->town = fields.text("town");
    place->postcode = fields.text("postcode");
    if (place->uprn == 0 && place->line_1.empty() && place->line_2.empty() && place->town.empty() &&
        place->postcode.empty())
        return nullptr;
    return place;
}

std::vector<std::unique_ptr<schemas::DatedPlaceValue>> read_dated_places(const std::vector<Fields>& list) {
    std::vector<std::unique_ptr<schemas::DatedPlaceValue>> places;
    for (const Fields& fields : list) {
        auto dated = std::make_unique<schemas::DatedPlaceValue>();
        dated->place = read_place(fields);
        dated->from = read_bound(fields, "from");
        dated->to = read_bound(fields, "to");
        if (dated->place) places.push_back(std::move(dated));
    }
    return places;
}

std::vector<std::unique_ptr<schemas::NameValue>> read_names(const std::vector<std::string>& names) {
    std::vector<std::unique_ptr<schemas::NameValue>> list;
    for (const std::string& whole : names) {
        auto name = std::make_unique<schemas::NameValue>();
        const auto blank = whole.rfind(' ');
        name->family = blank == std::string::npos ? whole : whole.substr(blank + 1);
        if (blank != std::string::npos) name->given = trimmed(std::string_view{whole}.substr(0, blank));
        list.push_back(std::move(name));
    }
    return list;
}

std::string read_upn(const Fields& fields, const std::string& name) {
    std::string upn = fields.text(name);
    const bool good = valid_upn(upn);
    return drop_unless(good, fields, name, std::move(upn), "not a valid UPN, left out");
}

std::string read_nhs_number(const Fields& fields, const std::string& name) {
    std::string number = fields.text(name);
    std::erase(number, ' ');  // often written 943 476 5919
    const bool good = valid_nhs_number(number);
    return drop_unless(good, fields, name, std::move(number), "not a valid NHS number, left out");
}

std::uint64_t read_uprn(const Fields& fields, const std::string& name) {
    const std::string text = fields.text(name);
    if (text.empty()) return 0;
    const auto uprn = parse_uprn(text);
    if (!uprn) fields.left_out(name, "not a valid UPRN, left out");
    return uprn.value_or(0);
}

std::string read_sex(const Fields& fields, const std::string& name) {
    std::string sex = fields.text(name);
    const bool good = sex == "M" || sex == "F" || sex == "U";
    return drop_unless(good, fields, name, std::move(sex), "not M, F or U, left out");
}

bool is_date(std::string_view text) {
    const auto parts = date_parts(text);
    return parts && exists(*parts);
}

bool is_partial_date(std::string_view text) {
    auto parts = date_parts(text);
    if (!parts) return false;
    // What is unknown is replaced by something that goes with every other part: a leap year, a long month.
    if (parts->year == 0) parts->year = 2000;
    if (parts->month == 0) parts->month = 1;
    if (parts->day == 0) parts->day = 1;
    return exists(*parts);
}

std::optional<Instant> parse_instant(std::string_view text) {
    if (text.size() < 17 || !is_date(text.substr(0, 10)) || (text[10] != 'T' && text[10] != ' '))
        return std::nullopt;
    const auto parts = date_parts(text.substr(0, 10));
    const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2);
    if (!hour || !minute || text[13] != ':' || *hour > 23 || *minute > 59) return std::nullopt;
    std::size_t at = 16;
    int second = 0;
    if (text[at] == ':') {
        const auto given = digits(text, at + 1, 2);
        if (!given || *given > 59) return std::nullopt;
        second = *given;
        at += 3;
    }
    const auto [fraction, used] = fraction_of(text.substr(at));
    const auto offset = offset_of(text.substr(at + used));
    if (!offset) return std::nullopt;
    using namespace std::chrono;
    const sys_days day{
        year_month_day{year{parts->year}, month{static_cast<unsigned>(parts->month)},
                       std::chrono::day{static_cast<unsigned>(parts->day)}}
    };
    return Instant{day} + hours{*hour} + minutes{*minute} + seconds{second} + fraction - *offset;
}

}  // namespace flagpost::desk
