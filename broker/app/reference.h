/// Published files about schools and calendars, read as the loads they become (reference/<name>).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "broker/core/bytes.h"
#include "broker/core/result.h"
#include "load_generated.h"

namespace flagpost::app {

enum class ReferenceKind {
    gias,           // edubasealldata: schools
    links,          // links_edubasealldata: predecessors and successors
    bank_holidays,  // gov.uk/bank-holidays.json
    terms,          // la,urn,first_day,last_day,closed,day_starts
    contacts        // urn,name,role,telephone,email,verified_on
};

/// The kind as topics and --as spell it, such as "bank-holidays"; and back.
std::string name(ReferenceKind kind);
std::optional<ReferenceKind> reference_kind(std::string_view name);

struct Reference {
    ReferenceKind kind;
    schemas::LoadOf of;
    std::string topic;
    std::vector<Bytes> records;  // each its own FlatBuffer
    struct Rejected {
        std::uint64_t line;  // 0: the file gives none
        std::string why;     // the column at fault, never what it holds
    };
    std::vector<Rejected> rejected;
};

/// Reads a file as what it is said to be, or as what its header or content shows it to be. Refused: a file that is
/// neither of these. Rows that cannot be used are left out and listed. Throws std::runtime_error or
/// std::system_error for a file that cannot be read.
Result<Reference> read_reference(const std::filesystem::path& file, std::optional<ReferenceKind> as);

/// "31-08-2019", "31/08/2019" or "2019-08-31" as "2019-08-31"; empty stays empty; nothing if it is no such day.
std::optional<std::string> day_of(std::string_view text);

}  // namespace flagpost::app
