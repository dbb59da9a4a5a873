/// Reads a mapping file: each mistake is named by file, line and key.
#include <toml++/toml.h>

#include <fstream>
#include <pugixml.hpp>
#include <sstream>
#include <stdexcept>

#include "adapters/police/mapping.h"

namespace flagpost::police {
namespace {

using Kinds = std::map<std::string_view, FieldKind>;

const Kinds place_fields{
    {"uprn",     FieldKind::text},
    {"line_1",   FieldKind::text},
    {"line_2",   FieldKind::text},
    {"town",     FieldKind::text},
    {"postcode", FieldKind::text}
};
const Kinds incident_fields{
    {"reference",             FieldKind::text  },
    {"version",               FieldKind::number},
    {"status",                FieldKind::text  },
    {"occurred",              FieldKind::time  },
    {"recorded",              FieldKind::time  },
    {"category",              FieldKind::text  },
    {"qualifiers",            FieldKind::list  },
    {"domestic_abuse",        FieldKind::truth },
    {"uprn",                  FieldKind::text  },
    {"line_1",                FieldKind::text  },
    {"line_2",                FieldKind::text  },
    {"town",                  FieldKind::text  },
    {"postcode",              FieldKind::text  },
    {"unidentified_children", FieldKind::number},
    {"circumstances",         FieldKind::text  },
    {"assessment",            FieldKind::text  },
    {"risk_tool",             FieldKind::text  },
    {"risk_version",          FieldKind::text  },
    {"risk_grade",            FieldKind::text  },
    {"referral",              FieldKind::text  },
    {"referral_reference",    FieldKind::text  },
    {"police_contact",        FieldKind::text  }
};
const Kinds person_fields{
    {"given_names",    FieldKind::text  },
    {"family_name",    FieldKind::text  },
    {"also_known_as",  FieldKind::list  },
    {"date_of_birth",  FieldKind::date  },
    {"sex",            FieldKind::text  },
    {"upn",            FieldKind::text  },
    {"nhs_number",     FieldKind::text  },
    {"role",           FieldKind::text  },
    {"present",        FieldKind::truth },
    {"school_urn",     FieldKind::number},
    {"school_name",    FieldKind::text  },
    {"voice_of_child", FieldKind::text  }
};

constexpr std::size_t mapping_size_max = 1024 * 1024;  // bytes

}  // namespace

class MappingReader {
public:
    MappingReader(const std::string& text, std::string name) : name_{std::move(name)} {
        if (text.size() > mapping_size_max) throw std::runtime_error{name_ + ": too large"};
        try {
            table_ = toml::parse(text, name_);
        } catch (const toml::parse_error& error) {
            throw std::runtime_error{name_ + ":" + std::to_string(error.source().begin.line) + ": " +
                                     std::string{error.description()}};
        }
    }

    Mapping read() {
        only(table_,
             {"format", "record", "zone", "twice_shown", "row", "ignore", "incident", "people", "codes"});
        read_format();
        read_zone();
        read_codes();
        mapping_.row_is_person_ = choice<bool>(table_, "row",
                                               {
                                                   {"incident", false},
                                                   {"person",   true }
        },
                                               false);
        if (mapping_.row_is_person_ && is_xml())
            fail(table_.get("row"), "row", "is for CSV; XML has people.each");
        for (auto& column : texts(table_, "ignore")) mapping_.ignored_.insert(std::move(column));
        read_incident();
        if (const auto* people = table_.get("people"))
            for (const toml::table* one : tables(*people, "people")) read_person(*one);
        return std::move(mapping_);
    }

private:
    [[noreturn]] void fail(const toml::node* at, const std::string& key, const std::string& why) const {
        std::string line;
        if (at != nullptr) line = ":" + std::to_string(at->source().begin.line);
        throw std::runtime_error{name_ + line + ": " + key + ": " + why};
    }

    bool is_xml() const { return mapping_.format_ == Mapping::Format::xml; }

    void only(const toml::table& table, const std::set<std::string_view>& keys) const {
        for (const auto& [key, node] : table)
            if (!keys.contains(key.str())) fail(&node, std::string{key.str()}, "no such setting");
    }

    std::string text(const toml::table& table, const std::string& key,
                     const std::string& otherwise = {}) const {
        const auto* node = table.get(key);
        if (node == nullptr) return otherwise;
        if (const auto number = node->value_exact<std::int64_t>()) return std::to_string(*number);
        const auto value = node->value_exact<std::string>();
        if (!value || value->empty()) fail(node, key, "should be a text");
        return *value;
    }

    /// One text, or a list of them.
    std::vector<std::string> texts(const toml::table& table, const std::string& key) const {
        const auto* node = table.get(key);
        if (node == nullptr) return {};
        const auto* list = node->as_array();
        if (list == nullptr) return {text(table, key)};
        std::vector<std::string> all;
        for (const auto& item : *list) {
            const auto value = item.value_exact<std::string>();
            if (!value || value->empty()) fail(&item, key, "should be a list of texts");
            all.push_back(*value);
        }
        if (all.empty()) fail(node, key, "is empty");
        return all;
    }

    std::vector<const toml::table*> tables(const toml::node& node, const std::string& key) const {
        std::vector<const toml::table*> all;
        if (const auto* one = node.as_table()) all.push_back(one);
        if (const auto* list = node.as_array())
            for (const auto& item : *list) {
                if (!item.is_table()) fail(&item, key, "should be a table");
                all.push_back(item.as_table());
            }
        if (all.empty()) fail(&node, key, "should be a table, or a list of tables");
        return all;
    }

    template <class Value> Value choice(const toml::table& table, const std::string& key,
                                        const std::vector<std::pair<std::string, Value>>& known,
                                        Value otherwise) const {
        if (table.get(key) == nullptr) return otherwise;
        const std::string word = text(table, key);
        std::string names;
        for (const auto& [name, value] : known) {
            if (name == word) return value;
            names += (names.empty() ? "" : ", ") + name;
        }
        fail(table.get(key), key, "should be one of: " + names);
    }

    void read_format() {
        using Format = Mapping::Format;
        if (table_.get("format") == nullptr) fail(nullptr, "format", "is missing: csv or xml");
        mapping_.format_ = choice<Format>(table_, "format",
                                          {
                                              {"csv", Format::csv},
                                              {"xml", Format::xml}
        },
                                          Format::csv);
        const auto* record = table_.get("record");
        if (is_xml() && record == nullptr) fail(nullptr, "record", "is missing: the XPath of one incident");
        if (!is_xml() && record != nullptr) fail(record, "record", "is for XML");
        if (record != nullptr) mapping_.record_ = place(*record, "record", text(table_, "record"));
    }

    void read_zone() {
        const std::string zone = text(table_, "zone", "Europe/London");
        try {
            mapping_.zone_ = date::locate_zone(zone);
        } catch (const std::runtime_error&) {
            fail(table_.get("zone"), "zone", "no such time zone");
        }
        mapping_.twice_ = choice<TwiceShown>(table_, "twice_shown",
                                             {
                                                 {"earlier", TwiceShown::earlier},
                                                 {"later",   TwiceShown::later  },
                                                 {"reject",  TwiceShown::reject }
        },
                                             TwiceShown::earlier);
    }

    void read_codes() {
        const auto* node = table_.get("codes");
        if (node == nullptr) return;
        if (!node->is_table()) fail(node, "codes", "should be tables of codes");
        for (const auto& [name, table] : *node->as_table()) {
            const std::string key = "codes." + std::string{name.str()};
            if (!table.is_table()) fail(&table, key, "should be a table of codes");
            auto codes = std::make_shared<CodeTable>();
            for (const auto& [theirs, ours] : *table.as_table()) {
                const auto value = ours.value_exact<std::string>();
                if (!value) fail(&ours, key + "." + std::string{theirs.str()}, "should be a text");
                if (theirs.str() == "*")
                    codes->otherwise = *value;
                else
                    codes->values.emplace(theirs.str(), *value);
            }
            codes_.emplace(name.str(), std::move(codes));
        }
    }

    /// A column, or a compiled XPath.
    Place place(const toml::node& node, const std::string& key, const std::string& what) {
        Place made{what, nullptr};
        if (!is_xml()) {
            mapping_.columns_.insert(what);
            return made;
        }
        try {
            made.path = std::make_shared<const pugi::xpath_query>(what.c_str());
        } catch (const pugi::xpath_exception& error) {
            fail(&node, key, std::string{"is no XPath: "} + error.what());
        }
        return made;
    }

    FieldRule rule(const toml::node& node, const std::string& key, FieldKind kind,
                   const std::set<std::string_view>& more = {}) {
        FieldRule made;
        made.kind = kind;
        if (const auto column = node.value_exact<std::string>()) {
            if (column->empty()) fail(&node, key, "should name a column");
            made.from.push_back(place(node, key, *column));
            return made;
        }
        const auto* table = node.as_table();
        if (table == nullptr) fail(&node, key, "should be the name of a column, or a table");
        std::set<std::string_view> keys{"from",   "first",     "join",  "split", "part",
                                        "format", "year_only", "codes", "value"};
        keys.insert(more.begin(), more.end());
        only(*table, keys);
        made.first = table->get("first") != nullptr;
        if (made.first && table->get("from") != nullptr) fail(&node, key, "has both from and first");
        const std::string places = made.first ? "first" : "from";
        for (const auto& what : texts(*table, places))
            made.from.push_back(place(*table->get(places), key, what));
        made.join = text(*table, "join", " ");
        made.split = text(*table, "split");
        made.value = text(*table, "value");
        if (made.from.empty() && made.value.empty()) fail(&node, key, "says neither from, first nor value");
        const std::size_t beside = more.empty() || !table->contains(*more.begin()) ? 1 : 2;
        if (made.from.empty() && table->size() != beside)
            fail(&node, key, "has a value only: nothing to be joined, cut or translated");
        read_part(*table, key, made);
        read_formats(*table, key, made);
        read_code_table(*table, key, made);
        return made;
    }

    void read_part(const toml::table& table, const std::string& key, FieldRule& made) const {
        const auto* node = table.get("part");
        if (node == nullptr) return;
        const auto part = node->value_exact<std::int64_t>();
        if (!part || *part == 0 || *part > 100 || *part < -100)
            fail(node, key + ".part", "should be 1 or more, or -1 or less");
        if (made.split.empty()) fail(node, key + ".part", "needs split");
        made.part = static_cast<int>(*part);
    }

    void read_formats(const toml::table& table, const std::string& key, FieldRule& made) const {
        const bool is_date = made.kind == FieldKind::date;
        made.formats = texts(table, "format");
        made.year_only = text(table, "year_only");
        if (!made.formats.empty() && !is_date && made.kind != FieldKind::time)
            fail(table.get("format"), key + ".format", "is for dates and times");
        for (const auto& format : made.formats)
            if (const auto fault = fault_in_format(format, is_date); !fault.empty())
                fail(table.get("format"), key + ".format", fault);
        if (made.year_only.empty()) return;
        if (!is_date || made.formats.empty())
            fail(table.get("year_only"), key + ".year_only", "needs a date with a format");
        if (!desk::is_date("2000-" + made.year_only))
            fail(table.get("year_only"), key + ".year_only", "should be a month and day, such as 01-01");
    }

    void read_code_table(const toml::table& table, const std::string& key, FieldRule& made) const {
        const std::string name = text(table, "codes");
        if (name.empty()) return;
        const auto found = codes_.find(name);
        if (found == codes_.end())
            fail(table.get("codes"), key + ".codes", "there is no [codes." + name + "]");
        made.codes = found->second;
    }

    /// The fields of these kinds; those of `others` are the caller's.
    Rules rules(const toml::table& table, const std::string& path, const Kinds& kinds,
                const std::set<std::string_view>& others) {
        Rules made;
        for (const auto& [key, node] : table) {
            const std::string name{key.str()};
            if (others.contains(key.str())) continue;
            const auto kind = kinds.find(key.str());
            if (kind != kinds.end())
                made.fields.emplace(name, rule(node, path + name, kind->second));
            else if (name == "address" && kinds.contains("postcode"))
                made.address = rule(node, path + name, FieldKind::text);
            else
                fail(&node, path + name, "no such field");
        }
        return made;
    }

    void read_incident() {
        const auto* node = table_.get("incident");
        if (node == nullptr || !node->is_table()) fail(node, "incident", "is missing: a table of our fields");
        mapping_.incident_ = rules(*node->as_table(), "incident.", incident_fields, {});
        for (const char* needed : {"reference", "occurred", "domestic_abuse"})
            if (!mapping_.incident_.fields.contains(needed))
                fail(node, std::string{"incident."} + needed, "is missing");
        mapping_.counts_versions_ = !mapping_.incident_.fields.contains("version");
    }

    void read_person(const toml::table& table) {
        PersonRules person;
        person.own = rules(table, "people.", person_fields, {"each", "name", "home", "related"});
        if (const auto* each = table.get("each")) {
            if (!is_xml())
                fail(each, "people.each", "is for XML; in CSV each row or block of columns is a person");
            person.each = place(*each, "people.each", text(table, "each"));
        }
        if (const auto* name = table.get("name")) person.name = read_name(*name);
        if (const auto* home = table.get("home")) {
            if (!home->is_table()) fail(home, "people.home", "should be a table");
            person.home = rules(*home->as_table(), "people.home.", place_fields, {});
        }
        if (const auto* related = table.get("related"))
            for (const toml::table* one : tables(*related, "people.related")) {
                only(*one, {"to", "relation"});
                if (one->get("to") == nullptr || one->get("relation") == nullptr)
                    fail(one, "people.related", "needs to, a role, and relation");
                person.related.push_back(
                    {text(*one, "to"),
                     rule(*one->get("relation"), "people.related.relation", FieldKind::text)});
            }
        mapping_.people_.push_back(std::move(person));
    }

    NameRule read_name(const toml::node& node) {
        NameRule made{rule(node, "people.name", FieldKind::text, {"order"}), NameOrder::given_family};
        if (const auto* table = node.as_table())
            made.order = choice<NameOrder>(*table, "order",
                                           {
                                               {"given family",  NameOrder::given_family      },
                                               {"family, given", NameOrder::family_comma_given},
                                               {"family given",  NameOrder::family_given      }
            },
                                           NameOrder::given_family);
        return made;
    }

    std::string name_;
    toml::table table_;
    std::map<std::string, std::shared_ptr<const CodeTable>, std::less<>> codes_;
    Mapping mapping_;
};

Mapping Mapping::load(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (!stream) throw std::runtime_error{"cannot read " + file.string()};
    return parse(text, file.string());
}

Mapping Mapping::parse(const std::string& text, const std::string& name) {
    return MappingReader{text, name}.read();
}

}  // namespace flagpost::police
