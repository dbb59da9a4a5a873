#include "adapters/police/spool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>

#include "adapters/client/load.h"
#include "adapters/client/text.h"
#include "adapters/police/incident_rows.h"
#include "broker/crypto/digest.h"

namespace flagpost::police {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string joined(const std::vector<std::string>& parts) {
    std::string all;
    for (const auto& part : parts) all += (all.empty() ? "" : "; ") + part;
    return all;
}

std::string read_text(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw std::runtime_error{"cannot read " + file.string()};
    std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (stream.bad()) throw std::runtime_error{"cannot read " + file.string()};
    return text;
}

/// Gathers rows of one file, whichever its format.
class Gatherer {
public:
    Gatherer(std::string file_name, std::string force)
        : file_name_{std::move(file_name)}, force_{std::move(force)} {}

    void reject(std::uint64_t line, const std::string& why) {
        incidents_.rejects.push_back({line, false, why, {}});
    }

    void row(std::uint64_t line, const json& object, desk::Findings& findings) {
        schemas::IncidentValue incident = read_incident(object, force_, findings);
        Bytes payload;
        if (findings.usable()) payload = wire::pack<schemas::Incident>(incident);
        if (payload.size() > limits::payload_size_max) findings.fault("row", "too large to publish");
        if (findings.usable()) refuse_second(line, incident, findings);
        if (!findings.usable()) return reject(line, joined(findings.faults()));
        if (!findings.details_left_out().empty())
            incidents_.rejects.push_back({line, true, joined(findings.details_left_out()), {}});
        wire::Draft draft{schemas::Kind::incident, "incidents/" + force_, incident.reference, {}, {}, {}, {}};
        draft.payload = std::move(payload);
        incidents_.drafts.emplace_back(std::move(draft), file_name_ + ":" + std::to_string(line));
    }

    /// `begins` are the lines at which rows start, so that a rejected row's end is known.
    Incidents finish(std::string_view text, const std::set<std::uint64_t>& begins) {
        const desk::Lines lines{text};
        for (desk::Reject& reject : incidents_.rejects) {
            if (reject.used) continue;
            const auto next = begins.upper_bound(reject.line);
            reject.row = lines.from(reject.line, next == begins.end() ? 0 : *next);
        }
        return std::move(incidents_);
    }

private:
    void refuse_second(std::uint64_t line, const schemas::IncidentValue& incident, desk::Findings& findings) {
        const auto [first, fresh] = seen_.emplace(std::pair{incident.reference, incident.version}, line);
        if (!fresh)
            findings.fault("reference",
                           "this version already stands on line " + std::to_string(first->second));
    }

    std::string file_name_, force_;
    std::map<std::pair<std::string, std::uint32_t>, std::uint64_t> seen_;
    Incidents incidents_;
};

Result<Incidents> read_csv(const fs::path& file, const std::string& force) {
    const auto csv = client::CsvFile::read(file);
    if (!csv) return tl::unexpected{csv.error()};
    if (csv->rows().size() > spool_rows_max) return refuse(Reason::too_large, "file: rows");
    for (const auto& column : required_columns())
        if (std::ranges::find(csv->header(), column) == csv->header().end())
            return refuse(Reason::malformed, "header: no column " + column);
    Gatherer gatherer{file.filename().string(), force};
    std::set<std::uint64_t> begins;
    for (const auto& bad : csv->bad_rows()) {
        begins.insert(bad.line);
        gatherer.reject(bad.line, bad.why);
    }
    for (const auto& row : csv->rows()) {
        begins.insert(row.line);
        desk::Findings findings;
        gatherer.row(row.line, desk::object_of(row, {"people"}, findings), findings);
    }
    return gatherer.finish(client::to_utf8(read_text(file)), begins);
}

/// Why a line is not the object it should be; empty if it is.
std::string fault_in(std::string_view line, json& object) {
    if (line.size() > spool_line_size_max) return "the line is too long";
    if (!client::is_utf8(line)) return "not UTF-8";
    object = json::parse(line, nullptr, false);
    if (object.is_discarded()) return "not JSON";
    return object.is_object() ? "" : "not a JSON object";
}

Result<Incidents> read_ndjson(const fs::path& file, const std::string& force) {
    const std::string text = read_text(file);
    std::string_view rest = text;
    if (rest.starts_with("\xEF\xBB\xBF")) rest.remove_prefix(3);
    Gatherer gatherer{file.filename().string(), force};
    std::set<std::uint64_t> begins;
    for (std::uint64_t number = 1; !rest.empty(); ++number) {
        const std::string_view whole = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), whole.size() + 1));
        begins.insert(number);
        const std::string_view line = client::trimmed(whole);
        if (line.empty()) continue;
        if (begins.size() > spool_rows_max) return refuse(Reason::too_large, "file: rows");
        json object;
        desk::Findings findings;
        if (const std::string fault = fault_in(line, object); !fault.empty())
            gatherer.reject(number, fault);
        else
            gatherer.row(number, object, findings);
    }
    return gatherer.finish(text, begins);
}

bool is_handed_over(const fs::directory_entry& entry) {
    const std::string name = entry.path().filename().string();
    const auto ending = entry.path().extension();
    // What is still being written, and endings nobody agreed on, stay where they are.
    return !name.starts_with('.') && (ending == ".csv" || ending == ".ndjson") &&
           entry.symlink_status().type() == fs::file_type::regular;
}

std::optional<fs::path> first_in(const fs::path& directory) {
    std::optional<fs::path> first;
    for (const auto& entry : fs::directory_iterator{directory})
        if (is_handed_over(entry) && (!first || entry.path() < *first)) first = entry.path();
    return first;
}

void move_durably(const fs::path& from, const fs::path& to) {
    fs::rename(from, to);
    desk::sync_directory(to.parent_path());
    desk::sync_directory(from.parent_path());
}

Digest digest_of(const fs::path& file) {
    const std::string text = read_text(file);
    return crypto::sha256(view(text));
}

/// The name under which a file is archived: its own, or with its digest where another file has that name already.
std::string archive_name(const fs::path& archive, const fs::path& file, const Digest& digest) {
    std::string name = file.filename().string();
    if (!fs::exists(archive / name)) return name;
    return file.stem().string() + "-" + to_hex(BytesView{digest}.first(8)) + file.extension().string();
}

}  // namespace

Result<Incidents> read_incidents(const fs::path& file, const std::string& force) {
    return file.extension() == ".csv" ? read_csv(file, force) : read_ndjson(file, force);
}

Spool::Spool(fs::path directory, std::string force)
    : directory_{std::move(directory)}, force_{std::move(force)} {
    if (!fs::is_directory(directory_)) throw std::runtime_error{directory_.string() + ": no such folder"};
    for (const char* folder : {"working", "archive", "rejects"}) {
        fs::create_directory(directory_ / folder);
        fs::permissions(directory_ / folder, fs::perms::owner_all);
    }
    desk::sync_directory(directory_);  // or a power cut takes the folders with what was moved into them
    lock_ = ::open((directory_ / "working" / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_ < 0) throw std::runtime_error{directory_.string() + ": cannot be locked"};
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
        ::close(lock_);
        throw std::runtime_error{directory_.string() + ": another program feeds from this folder"};
    }
}

Spool::~Spool() { ::close(lock_); }

std::optional<FileReport> Spool::next(client::Box& box) {
    const auto file = take();
    if (!file) return std::nullopt;
    return finish(*file, box);
}

std::optional<fs::path> Spool::take() {
    if (auto left_over = first_in(directory_ / "working")) return left_over;
    const auto arrived = first_in(directory_);
    if (!arrived) return std::nullopt;
    const fs::path taken = directory_ / "working" / arrived->filename();
    move_durably(*arrived, taken);
    return taken;
}

FileReport Spool::finish(const fs::path& file, client::Box& box) {
    const fs::path archive = directory_ / "archive";
    if (::access(file.c_str(), R_OK) != 0)
        return set_aside(file, file.filename().string(), "file: may not be read");
    if (fs::file_size(file) > spool_file_size_max)
        return set_aside(file, file.filename().string(), "file: too large");
    const Digest digest = digest_of(file);
    const std::string name = archive_name(archive, file, digest);
    const auto incidents = read_incidents(file, force_);
    if (!incidents) return set_aside(file, name, incidents.error().where);

    FileReport report{name, 0, 0, false};
    report.rejected = static_cast<std::size_t>(
        std::ranges::count_if(incidents->rejects, [](const desk::Reject& reject) { return !reject.used; }));
    desk::write_rejects(directory_ / "rejects" / (name + ".rejects.csv"), incidents->rejects);
    const std::string mark = "spool/" + to_hex(digest);
    report.published_before = box.marked(mark);
    if (!report.published_before) report.published = box.enqueue(incidents->drafts, mark).size();
    move_durably(file, archive / name);
    return report;
}

FileReport Spool::set_aside(const fs::path& file, const std::string& name, const std::string& why) {
    desk::write_rejects(directory_ / "rejects" / (name + ".rejects.csv"), {
                                                                              {0, false, why, {}}
    });
    move_durably(file, directory_ / "rejects" / name);
    return {name, 0, 1, false};
}

}  // namespace flagpost::police
