/// Whether every notice owed has been closed: opened or recorded by its recipient, once.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "adapters/auditor/export.h"
#include "broker/core/bytes.h"
#include "broker/core/clock.h"

namespace flagpost::auditor {

struct OpenNotice {
    Id16 notice;
    std::uint64_t index;  // of the leaf that owes it
    Instant since;
    std::string recipient;
    std::string topic;
    std::uint64_t number;
    std::string rule;
};

struct Completeness {
    std::vector<OpenNotice> open;  // oldest first
    std::uint64_t issued = 0;
    std::uint64_t closed = 0;
    std::vector<std::uint64_t> strays;  // leaves that close a notice nobody owes, or one closed before
    std::map<std::string, std::uint64_t> outcomes;  // how those closed were closed: "opened", "recorded: ..."
    std::map<std::string, std::uint64_t> kinds;     // leaves of each kind
    bool complete() const { return open.empty() && strays.empty(); }
};

/// Reads an unverified export. A notice is closed by the `opened` or `recorded` leaf that names it and its number in the
/// mailbox (broker/log/README.md).
Completeness complete(const std::filesystem::path& directory, const Progress& progress = {});

void tell(std::ostream& out, const Completeness& completeness, bool json);

}  // namespace flagpost::auditor
