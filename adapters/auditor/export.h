/// An export: the log at one signed head as plain files (layout.h), for whoever wants to check it without the broker.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "broker/log/merkle.h"
#include "broker/log/note.h"

namespace flagpost::auditor {

/// How far an auditor may open bodies, why, and to which key of theirs what opens them is sealed.
struct SealedTerms {
    std::string scope;
    std::string reason;
    std::array<std::uint8_t, 32> key{};
    friend bool operator==(const SealedTerms&, const SealedTerms&) = default;
    std::string format() const;
    /// As they lie in an export; nothing if it is a public one. Throws std::runtime_error if they are damaged.
    static std::optional<SealedTerms> in(const std::filesystem::path& directory);
};

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
    /// A log::KeysPage of exactly `count` entries.
    virtual Bytes keys(std::uint64_t from, std::size_t count, const SealedTerms& terms) = 0;
    /// The text that this entry put in force; nothing if it is not to be had.
    virtual std::optional<std::string> setting(std::uint64_t index) = 0;
};

struct Exported {
    std::uint64_t size;
    std::uint64_t new_entries;  // fetched now; the rest was there
    std::uint64_t bytes;        // written now
};

/// Tells how far long work is: done, of how many.
using Progress = std::function<void(std::uint64_t, std::uint64_t)>;

/// Fetches the newest head first, then everything that head covers and nothing beyond, however the log grows meanwhile.
/// With terms, bodies and what opens them too. A text that was in force and that the source has not is left out, for
/// verify to name.
///
/// A new export is written beside `directory` and renamed when whole; one broken off goes on where it was. An export
/// that is there is brought up to the newest head: full pieces stay as they are, the head is written next to last, and what
/// is of no use to it (partial pieces of the one before, what an export broken off had begun) goes. What was
/// fetched is checked only as far as that both heads, the one that was there and the new one, are of this tree; the
/// rest is for verify. Throws std::runtime_error if `directory` is something else or was sealed under other terms, if
/// the head is not signed by `log` or the tree is not that of the heads, or if the source fails.
Exported write_export(Source& source, const log::VerifierKey& log, const std::filesystem::path& directory,
                      const std::optional<SealedTerms>& terms = {}, const Progress& progress = {});

}  // namespace flagpost::auditor
