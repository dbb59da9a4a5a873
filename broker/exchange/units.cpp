#include "broker/exchange/units.h"

#include <charconv>
#include <stdexcept>

#include "broker/core/ids.h"
#include "broker/exchange/checks.h"
#include "broker/wire/frames.h"

namespace flagpost::exchange {
namespace {

using schemas::LoadOf;

struct Row {
    std::string_view prefix;
    LoadOf of;
    enum class Code { none, la, urn } code;
    std::string_view scope;  // of LoadBegin, before the code
};

constexpr std::string_view not_in_school_prefix = "rolls/not-in-school/";

// Longest prefix first where one begins another.
constexpr Row rows[]{
    {"flags/",                     LoadOf::flags,         Row::Code::la,   ""              },
    {"rolls/school/",              LoadOf::rolls,         Row::Code::urn,  "urn:"          },
    {not_in_school_prefix,         LoadOf::rolls,         Row::Code::la,   "not-in-school:"},
    {"rolls/",                     LoadOf::rolls,         Row::Code::la,   "la:"           },
    {"reference/gias",             LoadOf::schools,       Row::Code::none, ""              },
    {"reference/links",            LoadOf::school_links,  Row::Code::none, ""              },
    {"reference/bank-holidays",    LoadOf::bank_holidays, Row::Code::none, ""              },
    {"reference/terms/school/",    LoadOf::terms,         Row::Code::urn,  ""              },
    {"reference/terms",            LoadOf::terms,         Row::Code::none, ""              },
    {"reference/contacts/school/", LoadOf::contacts,      Row::Code::urn,  ""              },
    {"reference/contacts",         LoadOf::contacts,      Row::Code::none, ""              },
};

std::string scope_of(const Row& row, std::string_view code) {
    return row.scope.empty() ? std::string{} : std::string{row.scope} + std::string{code};
}

std::string text_of(const registry::LinkKey& key) {
    return "link/" + std::to_string(key.urn) + "/" + std::to_string(key.link_urn) + "/" + key.link_type;
}
std::string text_of(const registry::ContactKey& key) {
    return "contact/" + std::to_string(key.urn) + "/" + key.name;
}
std::string text_of(const registry::TermKey& key) {
    return "term/" + key.la + "/" + std::to_string(key.urn) + "/" + key.first_day + "/" +
           (key.closed ? "closed" : "open");
}
std::string text_of(const registry::HolidayKey& key) {
    return "bank-holiday/" + key.division + "/" + key.date;
}

std::string key_of(const schemas::FlagValue& flag) { return text(registry::key_of(flag)); }
std::string key_of(const schemas::PupilValue& pupil) { return text(registry::key_of(pupil)); }
std::string key_of(const schemas::SchoolValue& school) { return "school/" + std::to_string(school.urn); }
std::string key_of(const schemas::SchoolLinkValue& link) { return text_of(registry::key_of(link)); }
std::string key_of(const schemas::SchoolContactValue& contact) { return text_of(registry::key_of(contact)); }
std::string key_of(const schemas::TermPeriodValue& term) { return text_of(registry::key_of(term)); }
std::string key_of(const schemas::BankHolidayValue& holiday) { return text_of(registry::key_of(holiday)); }

template <class Table, class Check> ReadUnit read_as(BytesView item, const char* where, Check&& check_value) {
    const auto table = wire::read_table<Table>(item, where);
    if (!table) return {std::nullopt, table.error()};
    typename Table::NativeTableType value;
    (*table)->UnPackTo(&value);
    const auto checked = check_value(value);
    return {key_of(value), checked ? std::nullopt : std::optional{checked.error()}};
}

template <class Table> typename Table::NativeTableType value_of(BytesView item) {
    const auto table = wire::read_table<Table>(item, "item");
    if (!table) throw std::runtime_error{"a stored record of a load is damaged"};
    typename Table::NativeTableType value;
    (*table)->UnPackTo(&value);
    return value;
}

// The parts of a key after its prefix; the last one may hold slashes of its own.
std::vector<std::string> parts_of(std::string_view key, std::size_t count) {
    std::vector<std::string> parts;
    key.remove_prefix(key.find('/') + 1);
    while (parts.size() + 1 < count) {
        const auto slash = key.find('/');
        if (slash == std::string_view::npos) throw std::runtime_error{"a stored key is damaged"};
        parts.emplace_back(key.substr(0, slash));
        key.remove_prefix(slash + 1);
    }
    parts.emplace_back(key);
    return parts;
}

std::uint32_t number_in(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        throw std::runtime_error{"a stored key is damaged"};
    return value;
}

}  // namespace

std::optional<LoadTarget> load_target(std::string_view topic) {
    for (const auto& row : rows) {
        if (!topic.starts_with(row.prefix)) continue;
        const auto code = topic.substr(row.prefix.size());
        if (row.code == Row::Code::none) {
            if (code.empty()) return LoadTarget{row.of, "", "", std::nullopt};
            continue;
        }
        if (row.code == Row::Code::urn) {
            const auto urn = parse_urn(code);
            if (!urn) return std::nullopt;
            return LoadTarget{row.of, scope_of(row, code), "", urn};
        }
        if (!valid_gss_code(code)) return std::nullopt;
        return LoadTarget{row.of, scope_of(row, code), std::string{code}, std::nullopt,
                          row.prefix == not_in_school_prefix};
    }
    return std::nullopt;
}

ReadUnit read_unit(const LoadTarget& target, BytesView item) {
    switch (target.of) {
        case LoadOf::flags:
            return read_as<schemas::Flag>(item, "flag",
                                          [&](const auto& value) { return check(value, target.la); });
        case LoadOf::rolls:
            return read_as<schemas::Pupil>(item, "pupil", [&](const auto& value) {
                return check(value, target.urn, target.not_in_school ? target.la : std::string{});
            });
        case LoadOf::schools:
            return read_as<schemas::School>(item, "school", [](const auto& value) { return check(value); });
        case LoadOf::school_links:
            return read_as<schemas::SchoolLink>(item, "school_link",
                                                [](const auto& value) { return check(value); });
        case LoadOf::contacts:
            return read_as<schemas::SchoolContact>(
                item, "school_contact", [&](const auto& value) { return check(value, target.urn); });
        case LoadOf::bank_holidays:
            return read_as<schemas::BankHoliday>(item, "bank_holiday",
                                                 [](const auto& value) { return check(value); });
        case LoadOf::terms:
            return read_as<schemas::TermPeriod>(item, "term",
                                                [&](const auto& value) { return check(value, target.urn); });
        case LoadOf::none:
            break;
    }
    throw std::logic_error{"no such list"};
}

std::string_view key_prefix(LoadOf of) {
    switch (of) {
        case LoadOf::flags:
            return "flag/";
        case LoadOf::rolls:
            return "pupil/";
        case LoadOf::schools:
            return "school/";
        case LoadOf::school_links:
            return "link/";
        case LoadOf::contacts:
            return "contact/";
        case LoadOf::bank_holidays:
            return "bank-holiday/";
        case LoadOf::terms:
            return "term/";
        case LoadOf::none:
            break;
    }
    throw std::logic_error{"no such list"};
}

void set_unit(registry::Register& known, LoadOf of, BytesView item, Instant received,
              const std::string& source) {
    switch (of) {
        case LoadOf::flags:
            return known.set_flag(value_of<schemas::Flag>(item), received);
        case LoadOf::rolls:
            return known.set_pupil(value_of<schemas::Pupil>(item), received, source);
        case LoadOf::schools:
            return known.set_school(value_of<schemas::School>(item));
        case LoadOf::school_links:
            return known.set_link(value_of<schemas::SchoolLink>(item));
        case LoadOf::contacts:
            return known.set_contact(value_of<schemas::SchoolContact>(item));
        case LoadOf::bank_holidays:
            return known.set_bank_holiday(value_of<schemas::BankHoliday>(item));
        case LoadOf::terms:
            return known.set_term(value_of<schemas::TermPeriod>(item));
        case LoadOf::none:
            break;
    }
    throw std::runtime_error{"a stored record of a load names no list"};
}

void remove_unit(registry::Register& known, LoadOf of, std::string_view key) {
    switch (of) {
        case LoadOf::flags: {
            const auto parts = parts_of(key, 2);
            return known.remove_flag({parts[0], parts[1]});
        }
        case LoadOf::rolls: {
            const auto parts = parts_of(key, 2);
            return known.remove_pupil({number_in(parts[0]), parts[1]});
        }
        case LoadOf::schools:
            return known.remove_school(number_in(parts_of(key, 1)[0]));
        case LoadOf::school_links: {
            const auto parts = parts_of(key, 3);
            return known.remove_link({number_in(parts[0]), number_in(parts[1]), parts[2]});
        }
        case LoadOf::contacts: {
            const auto parts = parts_of(key, 2);
            return known.remove_contact({number_in(parts[0]), parts[1]});
        }
        case LoadOf::bank_holidays: {
            const auto parts = parts_of(key, 2);
            return known.remove_bank_holiday({parts[0], parts[1]});
        }
        case LoadOf::terms: {
            const auto parts = parts_of(key, 4);
            return known.remove_term({parts[0], number_in(parts[1]), parts[2], parts[3] == "closed"});
        }
        case LoadOf::none:
            break;
    }
    throw std::runtime_error{"a stored record of a load names no list"};
}

}  // namespace flagpost::exchange
