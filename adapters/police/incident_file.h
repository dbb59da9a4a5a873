/// A file of incidents in any of the formats read here, ready to be handed over; what cannot be used with its reason.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "adapters/desk/rejects.h"
#include "adapters/police/intake.h"
#include "adapters/police/mapping.h"

namespace flagpost::police {

inline constexpr std::uintmax_t incident_file_size_max = 256ull * 1024 * 1024;
inline constexpr std::size_t incident_rows_max = 500'000;           // of one file
inline constexpr std::size_t incident_line_size_max = 1024 * 1024;  // of NDJSON

/// Where the records of a file stand in it.
class RecordsAt {
public:
    virtual ~RecordsAt() = default;
    virtual std::uint64_t line(std::size_t record) const = 0;
    virtual std::string text(std::size_t record) const = 0;
    /// A file of the same format that holds these records, as they are, and no other. Nothing is asked afterwards.
    virtual std::string only(const std::set<std::size_t>& records) = 0;
};

class IncidentFile {
public:
    /// By the ending of its name, whatever its case: .csv and .xml as the mapping says, .csv without a mapping and .ndjson in our own
    /// fields (incident_rows.h). A refusal is about the file as a whole. Throws std::runtime_error if it cannot be opened.
    static Result<IncidentFile> read(const std::filesystem::path& file, const std::string& force,
                                     const Mapping* mapping, Instant now);

    /// The incidents that can be used, in the order of the file. `records` of each are numbers within the file.
    const std::vector<Handed>& incidents() const { return incidents_; }
    void reject(const Handed& incident, const std::string& why);

    const std::vector<desk::Reject>& rejects() const { return rejects_; }
    /// How many records are not used.
    std::size_t rejected() const { return rejected_.size(); }
    /// Writes `name`.rejects.csv, with line and reason, and the records themselves under again_name(`name`), to be
    /// corrected and handed over again. What an earlier try wrote there, which somebody may be correcting, is kept as
    /// "day.again.1.csv". Nothing is asked of this afterwards.
    void write_rejects(const std::filesystem::path& folder, const std::string& name);

private:
    friend class Gatherer;
    IncidentFile() = default;

    std::unique_ptr<RecordsAt> at_;
    std::vector<Handed> incidents_;
    std::vector<desk::Reject> rejects_;
    std::set<std::size_t> rejected_;
};

/// "day.again.csv" of "day.csv".
std::filesystem::path again_name(const std::filesystem::path& name);

/// Whether files of this name are read, whatever its case: .csv and .ndjson, and .xml with a mapping for it.
bool is_incident_file(const std::filesystem::path& name, const Mapping* mapping);

}  // namespace flagpost::police
