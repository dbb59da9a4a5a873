#include "adapters/police/incident_file.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <stdexcept>

#include "adapters/client/not_text.h"
#include "adapters/client/text.h"
#include "adapters/police/csv_record.h"
#include "adapters/police/incident_rows.h"
#include "adapters/police/xml_file.h"

namespace flagpost::police {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string joined(const std::vector<std::string>& parts) {
    std::string all;
    for (const auto& part : parts) all += (all.empty() ? "" : "; ") + part;
    return all;
}

/// Older systems write it in capitals.
std::string ending_of(const fs::path& name) {
    std::string ending = name.extension().string();
    std::ranges::transform(ending, ending.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
    return ending;
}

std::string read_text(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw std::runtime_error{"cannot read " + file.string()};
    std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (stream.bad()) throw std::runtime_error{"cannot read " + file.string()};
    return text;
}

/// Records that begin at lines of a text: CSV and NDJSON.
class LineRecords final : public RecordsAt {
public:
    /// `begins`: the first line of each record, rising. What stands before the first is kept with whatever is kept.
    LineRecords(std::string text, std::vector<std::uint64_t> begins)
        : text_{std::move(text)}, lines_{text_}, begins_{std::move(begins)} {}

    std::uint64_t line(std::size_t record) const override { return begins_.at(record); }
    std::string text(std::size_t record) const override {
        return std::string{
            lines_.from(begins_.at(record), record + 1 < begins_.size() ? begins_[record + 1] : 0)};
    }
    std::string only(const std::set<std::size_t>& records) override {
        std::string kept;
        if (!begins_.empty() && begins_.front() > 1)
            kept = std::string{lines_.from(1, begins_.front())} + "\n";
        for (const std::size_t record : records) kept += text(record) + "\n";
        return kept;
    }

private:
    std::string text_;
    desk::Lines lines_;
    std::vector<std::uint64_t> begins_;
};

class XmlRecords final : public RecordsAt {
public:
    explicit XmlRecords(XmlFile file) : file_{std::move(file)} {}

    std::uint64_t line(std::size_t record) const override { return file_.line(record); }
    std::string text(std::size_t record) const override { return file_.text_of(record); }
    std::string only(const std::set<std::size_t>& records) override { return std::move(file_).only(records); }
    const XmlFile& file() const { return file_; }

private:
    XmlFile file_;
};

}  // namespace

/// Gathers the records of one file, whichever its format.
class Gatherer {
public:
    Gatherer(std::string file_name, std::string force, bool counted, Instant now)
        : file_name_{std::move(file_name)}, force_{std::move(force)}, counted_{counted}, now_{now} {}

    /// The incident of these records.
    void incident(const RecordsAt& at, std::vector<std::size_t> records, const json& object,
                  desk::Findings& findings) {
        const std::uint64_t line = at.line(records.front());
        auto handed =
            handed_of(object, force_, counted_, file_name_ + ":" + std::to_string(line), now_, findings);
        if (handed && !counted_) refuse_second(line, *handed, findings);
        if (!findings.usable()) {
            reject(at, records, joined(findings.faults()));
            return;
        }
        if (!findings.details_left_out().empty())
            file_.rejects_.push_back({line, true, joined(findings.details_left_out()), {}});
        handed->records = std::move(records);
        file_.incidents_.push_back(std::move(*handed));
    }

    void reject(const RecordsAt& at, const std::vector<std::size_t>& records, const std::string& why) {
        for (const std::size_t record : records) {
            const bool first = record == records.front();
            file_.rejected_.insert(record);
            file_.rejects_.push_back({at.line(record), false,
                                      first ? why : "see line " + std::to_string(at.line(records.front())),
                                      at.text(record)});
        }
    }

    IncidentFile finish(std::unique_ptr<RecordsAt> at) {
        file_.at_ = std::move(at);
        return std::move(file_);
    }

private:
    void refuse_second(std::uint64_t line, const Handed& incident, desk::Findings& findings) {
        const auto [first, fresh] = seen_.emplace(std::pair{incident.reference, incident.version}, line);
        if (!fresh)
            findings.fault("reference",
                           "this version already stands on line " + std::to_string(first->second));
    }

    std::string file_name_, force_;
    bool counted_;
    Instant now_;
    std::map<std::pair<std::string, std::uint32_t>, std::uint64_t> seen_;
    IncidentFile file_;
};

namespace {

/// The rows and bad rows of a file as records, in their order.
struct CsvRecords {
    std::unique_ptr<LineRecords> at;
    std::map<std::uint64_t, std::size_t> of_line;
};
CsvRecords records_of(const client::CsvFile& csv, std::string text) {
    std::vector<std::uint64_t> begins;
    for (const auto& row : csv.rows()) begins.push_back(row.line);
    for (const auto& bad : csv.bad_rows()) begins.push_back(bad.line);
    std::ranges::sort(begins);
    std::map<std::uint64_t, std::size_t> of_line;
    for (std::size_t i = 0; i < begins.size(); ++i) of_line.emplace(begins[i], i);
    return {std::make_unique<LineRecords>(std::move(text), std::move(begins)), std::move(of_line)};
}

/// Rows of one reference, and version if there are any, in the order of their first.
std::vector<std::vector<std::size_t>> grouped(const std::vector<json>& parts, bool row_is_person) {
    std::vector<std::vector<std::size_t>> groups;
    std::map<std::string, std::size_t> group_of;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const std::string reference = parts[i].value("reference", "");
        const std::string key = reference + "\n" + parts[i].value("version", json()).dump();
        const auto known = group_of.find(key);
        if (row_is_person && !reference.empty() && known != group_of.end()) {
            groups[known->second].push_back(i);
            continue;
        }
        group_of[key] = groups.size();
        groups.push_back({i});
    }
    return groups;
}

void gather_mapped(const client::CsvFile& csv, const CsvRecords& records, const Mapping& mapping,
                   Gatherer& gatherer) {
    std::vector<json> parts;
    for (const auto& row : csv.rows()) {
        desk::Findings unused;  // the part is made again where its people's numbers are known
        parts.push_back(mapping.row_is_person() ? mapping.part(CsvRecord{row}, 0, unused) : json::object());
    }
    for (const auto& group : grouped(parts, mapping.row_is_person())) {
        desk::Findings findings;
        std::vector<json> own;
        std::vector<std::size_t> at;
        std::size_t people = 0;
        for (const std::size_t i : group) {
            const auto& row = csv.rows()[i];
            at.push_back(records.of_line.at(row.line));
            own.push_back(mapping.part(CsvRecord{row}, people, findings));
            people += own.back()["people"].size();
        }
        gatherer.incident(*records.at, std::move(at), mapping.whole(std::move(own), findings), findings);
    }
}

Result<IncidentFile> read_csv(const fs::path& file, const std::string& force, const Mapping* mapping,
                              Instant now) {
    std::string text = read_text(file);
    if (const auto why = client::fault_in_text(text); !why.empty())
        return refuse(Reason::malformed, "file: " + why);
    text = client::to_utf8(std::move(text));
    const auto csv = client::CsvFile::parse(text);
    if (!csv) return tl::unexpected{csv.error()};
    if (csv->rows().size() > incident_rows_max) return refuse(Reason::too_large, "file: rows");
    const auto& required = required_columns();
    const std::set<std::string> needed =
        mapping != nullptr ? mapping->columns() : std::set<std::string>{required.begin(), required.end()};
    for (const auto& column : needed)
        if (std::ranges::find(csv->header(), column) == csv->header().end())
            return refuse(Reason::malformed, "header: no column " + column);
    CsvRecords records = records_of(*csv, std::move(text));
    Gatherer gatherer{file.filename().string(), force, mapping != nullptr && mapping->counts_versions(), now};
    for (const auto& bad : csv->bad_rows())
        gatherer.reject(*records.at, {records.of_line.at(bad.line)}, bad.why);
    if (mapping != nullptr) {
        gather_mapped(*csv, records, *mapping, gatherer);
        return gatherer.finish(std::move(records.at));
    }
    for (const auto& row : csv->rows()) {
        desk::Findings findings;
        const json object = desk::object_of(row, {"people"}, findings);
        gatherer.incident(*records.at, {records.of_line.at(row.line)}, object, findings);
    }
    return gatherer.finish(std::move(records.at));
}

/// Why a line is not the object it should be; empty if it is.
std::string fault_in(std::string_view line, json& object) {
    if (line.size() > incident_line_size_max) return "the line is too long";
    if (!client::is_utf8(line)) return "not UTF-8";
    auto parsed = parse_json(line);
    if (!parsed) return parsed.error().where;
    object = std::move(*parsed);
    return object.is_object() ? "" : "not a JSON object";
}

Result<IncidentFile> read_ndjson(const fs::path& file, const std::string& force, Instant now) {
    std::string text = read_text(file);
    if (const auto why = client::fault_in_text(text); !why.empty())
        return refuse(Reason::malformed, "file: " + why);
    if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    std::vector<std::string> lines;
    for (std::string_view rest = text; !rest.empty();) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        if (lines.size() == incident_rows_max) return refuse(Reason::too_large, "file: rows");
        lines.emplace_back(client::trimmed(line));
    }
    std::vector<std::uint64_t> begins(lines.size());
    for (std::size_t i = 0; i < lines.size(); ++i) begins[i] = i + 1;
    auto records = std::make_unique<LineRecords>(std::move(text), std::move(begins));
    Gatherer gatherer{file.filename().string(), force, false, now};
    for (std::size_t i = 0; i < lines.size(); ++i) {
        if (lines[i].empty()) continue;
        json object;
        desk::Findings findings;
        if (const std::string fault = fault_in(lines[i], object); !fault.empty())
            gatherer.reject(*records, {i}, fault);
        else
            gatherer.incident(*records, {i}, object, findings);
    }
    return gatherer.finish(std::move(records));
}

Result<IncidentFile> read_xml(const fs::path& file, const std::string& force, const Mapping& mapping,
                              Instant now) {
    auto document = XmlFile::parse(read_text(file), mapping.record(), incident_rows_max);
    if (!document) return tl::unexpected{document.error()};
    auto records = std::make_unique<XmlRecords>(std::move(*document));
    Gatherer gatherer{file.filename().string(), force, mapping.counts_versions(), now};
    for (std::size_t i = 0; i < records->file().records().size(); ++i) {
        desk::Findings findings;
        std::vector<json> parts;
        parts.push_back(mapping.part(XmlRecord{records->file().records()[i]}, 0, findings));
        gatherer.incident(*records, {i}, mapping.whole(std::move(parts), findings), findings);
    }
    return gatherer.finish(std::move(records));
}

}  // namespace

bool is_incident_file(const fs::path& name, const Mapping* mapping) {
    const std::string ending = ending_of(name);
    const bool xml = mapping != nullptr && mapping->format() == Mapping::Format::xml;
    return ending == ".csv" || ending == ".ndjson" || (ending == ".xml" && xml);
}

Result<IncidentFile> IncidentFile::read(const fs::path& file, const std::string& force,
                                        const Mapping* mapping, Instant now) {
    const std::string ending = ending_of(file);
    if (ending == ".ndjson") return read_ndjson(file, force, now);
    const bool xml = mapping != nullptr && mapping->format() == Mapping::Format::xml;
    if (ending == ".xml") {
        if (!xml) return refuse(Reason::malformed, "file: XML needs a mapping for XML");
        return read_xml(file, force, *mapping, now);
    }
    return read_csv(file, force, xml ? nullptr : mapping, now);
}

void IncidentFile::reject(const Handed& incident, const std::string& why) {
    for (const std::size_t record : incident.records) {
        rejected_.insert(record);
        rejects_.push_back({at_->line(record), false, why, at_->text(record)});
    }
}

/// What stands there may be half corrected by hand: it gets a name of its own, unless it is what is written anyway.
void keep_corrections(const fs::path& again, const std::string& text) {
    if (read_text(again) == text) return;
    fs::path kept;
    for (int number = 1; kept.empty() || fs::exists(kept); ++number)
        kept = again.parent_path() /
               (again.stem().string() + "." + std::to_string(number) + again.extension().string());
    fs::rename(again, kept);
}

fs::path again_name(const fs::path& name) {
    return name.stem().string() + ".again" + name.extension().string();
}

void IncidentFile::write_rejects(const fs::path& folder, const std::string& name) {
    desk::write_rejects(folder / (name + ".rejects.csv"), std::move(rejects_));
    const fs::path again = folder / again_name(name);
    const std::string text = rejected_.empty() ? std::string{} : at_->only(rejected_);
    if (fs::exists(again)) keep_corrections(again, text);
    if (!rejected_.empty()) desk::write_whole(again, text);
}

}  // namespace flagpost::police
