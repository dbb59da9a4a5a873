/// An export: the log at one signed head as plain files (layout.h), for whoever wants to check it without the broker.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "broker/log/merkle.h"
#include "broker/log/note.h"

namespace flagpost::auditor {

/// Where an export comes from: a broker over the wire, or in tests a log in memory. Throws std::runtime_error for an
/// answer that is refused, malformed or does not come.
class Source {
public:
    virtual ~Source() = default;
    virtual std::string checkpoint() = 0;
    virtual log::TileHashes tile(log::TileId id, std::size_t width) = 0;
    /// From entry `from` on, at least one and at most `count`.
    virtual std::vector<Bytes> entries(std::uint64_t from, std::size_t count) = 0;
    virtual std::vector<Bytes> bodies(std::uint64_t from, std::size_t count) = 0;
    virtual std::vector<std::string> policies() = 0;  // texts
};

struct Exported {
    std::uint64_t size;
    std::uint64_t bodies;
    std::uint64_t bytes;
};

/// Fetches the newest head first, then everything that head covers and nothing beyond, however the log grows meanwhile.
///
/// Written beside `directory` and renamed when whole, so that an export that has its name is complete. What was fetched
/// is not checked here beyond the head's signature: that is what verify is for. Throws std::runtime_error if
/// `directory` exists, or the head is not signed by `log`, or the source fails.
Exported write_export(Source& source, const log::VerifierKey& log, const std::filesystem::path& directory);

}  // namespace flagpost::auditor
