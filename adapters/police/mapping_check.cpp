/// A mapping tried on a sample, for whoever writes it.
#include <algorithm>
#include <fstream>
#include <ostream>
#include <stdexcept>

#include "adapters/client/load.h"
#include "adapters/desk/inbox.h"
#include "adapters/desk/words.h"
#include "adapters/police/csv_record.h"
#include "adapters/police/incident_file.h"
#include "adapters/police/police.h"
#include "adapters/police/xml_file.h"

namespace flagpost::police {
namespace {

using nlohmann::json;

constexpr std::size_t rejects_shown_max = 20;
constexpr std::size_t records_looked_at = 1000;  // for elements nobody asks for
constexpr std::size_t text_shown_max = 60;       // bytes of one value

std::string shown(const std::string& text) {
    const std::string clean = desk::printable(text);
    return std::string{client::cut(clean, text_shown_max)} + (clean.size() > text_shown_max ? "..." : "");
}

/// What a sample holds, whichever its format.
class Sample {
public:
    virtual ~Sample() = default;
    virtual std::size_t size() const = 0;
    virtual std::uint64_t line(std::size_t record) const = 0;
    virtual std::unique_ptr<Record> record(std::size_t record) const = 0;
    /// Columns or elements that hold something and that the mapping does not look at.
    virtual std::set<std::string> not_mapped(const Mapping& mapping) const = 0;
};

class CsvSample final : public Sample {
public:
    explicit CsvSample(client::CsvFile file) : file_{std::move(file)} {}
    std::size_t size() const override { return file_.rows().size(); }
    std::uint64_t line(std::size_t record) const override { return file_.rows()[record].line; }
    std::unique_ptr<Record> record(std::size_t record) const override {
        return std::make_unique<CsvRecord>(file_.rows()[record]);
    }
    std::set<std::string> not_mapped(const Mapping& mapping) const override {
        std::set<std::string> columns;
        for (const auto& column : file_.header())
            if (!mapping.columns().contains(column) && !mapping.ignored().contains(column))
                columns.insert(column);
        return columns;
    }

private:
    client::CsvFile file_;
};

class XmlSample final : public Sample {
public:
    explicit XmlSample(XmlFile file) : file_{std::move(file)} {}
    std::size_t size() const override { return file_.records().size(); }
    std::uint64_t line(std::size_t record) const override { return file_.line(record); }
    std::unique_ptr<Record> record(std::size_t record) const override {
        return std::make_unique<XmlRecord>(file_.records()[record]);
    }
    std::set<std::string> not_mapped(const Mapping& mapping) const override {
        std::set<std::string> looked_at, all;
        static const pugi::xpath_query leaves{".//@* | .//*[not(*)][normalize-space()]"};
        for (std::size_t i = 0; i < std::min(size(), records_looked_at); ++i) {
            const pugi::xml_node node = file_.records()[i];
            desk::Findings unused;
            (void)mapping.part(XmlRecord{node, &looked_at}, 0, unused);
            for (const pugi::xpath_node& leaf : leaves.evaluate_node_set(node))
                all.insert(way_to(leaf, node));
        }
        std::erase_if(all, [&](const std::string& way) {
            return looked_at.contains(way) || mapping.ignored().contains(way);
        });
        return all;
    }

private:
    XmlFile file_;
};

/// Throws std::runtime_error if it cannot be read at all.
std::unique_ptr<Sample> open_sample(const std::filesystem::path& file, const Mapping& mapping) {
    const auto refused = [&](const Refusal& why) {
        return std::runtime_error{file.string() + ": " + why.where};
    };
    if (mapping.format() == Mapping::Format::csv) {
        auto csv = client::CsvFile::read(file);
        if (!csv) throw refused(csv.error());
        return std::make_unique<CsvSample>(std::move(*csv));
    }
    std::ifstream stream(file, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (!stream) throw std::runtime_error{"cannot read " + file.string()};
    auto xml = XmlFile::parse(std::move(text), mapping.record(), incident_rows_max);
    if (!xml) throw refused(xml.error());
    return std::make_unique<XmlSample>(std::move(*xml));
}

/// Each value of an object by its path: "people[0].home.postcode".
void flatten(const json& value, const std::string& path,
             std::vector<std::pair<std::string, std::string>>& into) {
    if (value.is_object()) {
        for (const auto& [name, one] : value.items())
            flatten(one, path.empty() ? name : path + "." + name, into);
    } else if (value.is_array() && !value.empty() && value[0].is_object()) {
        for (std::size_t i = 0; i < value.size(); ++i)
            flatten(value[i], path + "[" + std::to_string(i) + "]", into);
    } else if (!value.is_array() || !value.empty()) {
        into.emplace_back(path, value.is_string() ? value.get<std::string>() : value.dump());
    }
}

/// What a field was made from: itself, or the address, name or list that was cut into it.
const Origin* origin_of(const Trace& trace, const std::string& path) {
    const auto dot = path.rfind('.');
    const std::string parent = dot == std::string::npos ? "" : path.substr(0, dot + 1);
    const std::string name = path.substr(parent.size());
    std::string whole = path.substr(0, path.rfind('['));
    if (name == "line_1" || name == "line_2" || name == "town" || name == "postcode")
        whole = parent + "address";
    if (name == "given_names" || name == "family_name") whole = parent + "name";
    for (const std::string& where : {path, whole})
        if (const auto found = trace.find(where); found != trace.end() && !found->second.text.empty())
            return &found->second;
    return nullptr;
}

/// One record of the sample beside what becomes of it: {"line", "fields": [{"field", "value", "counted", "from", "text"}]}.
json example(const Sample& sample, const Mapping& mapping, std::size_t record) {
    desk::Findings findings;
    Trace trace;
    std::vector<json> parts;
    parts.push_back(mapping.part(*sample.record(record), 0, findings, &trace));
    std::vector<std::pair<std::string, std::string>> fields;
    flatten(mapping.whole(std::move(parts), findings), "", fields);
    json shown{
        {"line",   sample.line(record)},
        {"fields", json::array()      }
    };
    for (const auto& [path, value] : fields) {
        json field{
            {"field", path },
            {"value", value}
        };
        if (path == "version" && mapping.counts_versions()) field["counted"] = true;
        if (const Origin* origin = origin_of(trace, path)) {
            field["from"] = origin->places;
            field["text"] = origin->text;
        }
        shown["fields"].push_back(std::move(field));
    }
    return shown;
}

void tell(const json& answer, std::ostream& out) {
    for (const json& record : answer["records"]) {
        out << "Line " << record["line"] << "\n";
        for (const json& field : record["fields"]) {
            out << "  " << field["field"].get<std::string>() << " = "
                << shown(field["value"].get<std::string>());
            if (field.contains("counted")) out << ", counted";
            if (field.contains("from"))
                out << "   <- " << shown(field["from"].get<std::string>()) << ": "
                    << shown(field["text"].get<std::string>());
            out << "\n";
        }
    }
    const json &not_mapped = answer["not_mapped"], &rejects = answer["rejects"];
    out << (not_mapped.empty() ? "Everything in the sample is mapped or ignored.\n"
                               : "Not mapped, and not under ignore:\n");
    for (const json& name : not_mapped) out << "  " << shown(name.get<std::string>()) << "\n";
    out << answer["incidents"] << " incidents could be published; " << answer["rejected"]
        << " records would be rejected.\n";
    for (std::size_t i = 0; i < std::min(rejects.size(), rejects_shown_max); ++i)
        out << "  line " << rejects[i]["line"] << (rejects[i]["used"] == true ? ", used: " : ", rejected: ")
            << desk::printable(rejects[i]["reason"].get<std::string>()) << "\n";
    if (rejects.size() > rejects_shown_max)
        out << "  and " << rejects.size() - rejects_shown_max << " more\n";
}

}  // namespace

int check_mapping(const std::filesystem::path& mapping_file, const std::filesystem::path& sample_file,
                  std::size_t records, bool in_json, std::ostream& out) {
    const Mapping mapping = Mapping::load(mapping_file);
    const auto sample = open_sample(sample_file, mapping);
    SystemClock clock;
    const auto incidents = IncidentFile::read(sample_file, "00", &mapping, clock.now());
    if (!incidents) throw std::runtime_error{sample_file.string() + ": " + incidents.error().where};
    std::vector<desk::Reject> rejects = incidents->rejects();
    std::ranges::stable_sort(rejects, {}, &desk::Reject::line);

    json answer{
        {"records",    json::array()                },
        {"not_mapped", sample->not_mapped(mapping)  },
        {"incidents",  incidents->incidents().size()},
        {"rejected",   incidents->rejected()        },
        {"rejects",    json::array()                }
    };
    for (std::size_t i = 0; i < std::min(records, sample->size()); ++i)
        answer["records"].push_back(example(*sample, mapping, i));
    for (const auto& reject : rejects)
        answer["rejects"].push_back({
            {"line",   reject.line  },
            {"used",   reject.used  },
            {"reason", reject.reason}
        });
    if (in_json)
        desk::print_json(answer, out);
    else
        tell(answer, out);
    return incidents->rejected() == 0 ? 0 : 1;
}

}  // namespace flagpost::police
