/// The log as a story: one line a leaf, in plain words.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <limits>
#include <optional>
#include <set>
#include <string>

#include "adapters/auditor/export.h"
#include "broker/core/clock.h"
#include "broker/core/ids.h"
#include "broker/log/leaf.h"

namespace flagpost::auditor {

struct ReplayOptions {
    Instant from = Instant::min();
    Instant to = Instant::max();
    std::optional<AgencyId> agency;   // who did it, or whom it was done for
    std::optional<Id16> subject;      // whom it is about, as leaves name them
    std::set<std::uint64_t> entries;  // only these and what followed from them; empty: all
    bool json = false;                // one object a line
};

/// Which leaves the options ask for; asked about each in order, as what follows from an entry shows only on the way.
class Selection {
public:
    explicit Selection(const ReplayOptions& options) : options_{options}, entries_{options.entries} {}
    bool takes(const log::Leaf& leaf, std::uint64_t index);

private:
    bool follows(const log::Leaf& leaf, std::uint64_t index);

    ReplayOptions options_;
    std::set<std::uint64_t> entries_;  // those asked for and what followed from them so far
    std::set<Id16> messages_;          // that they name
};

/// Reads an unverified export; says nothing about whether it is the log. How many entries were told.
std::uint64_t replay(const std::filesystem::path& directory, const ReplayOptions& options, std::ostream& out,
                     const Progress& progress = {});

/// "2026-03-02 21:40:12  police/31 published an incident on incidents/31 [1234]"
std::string in_words(const log::Leaf& leaf, std::uint64_t index);
std::string in_json(const log::Leaf& leaf, std::uint64_t index);
/// The parts of it: "police/31" or "the broker", and "published an incident on incidents/31". Printable ASCII.
std::string who_in_words(const log::Leaf& leaf);
std::string deed_in_words(const log::Leaf& leaf);

/// "1 match, 1 pupil, of 2 compared", of the "match=1 potential=0 pupils=1 candidates=2" of a decision; what is no such text as it is.
std::string decision_in_words(const std::string& outcome);

/// "2026-03-02" or "2026-03-02T21:40:12", with or without a Z: UTC. Nothing if it is neither.
std::optional<Instant> parse_time(const std::string& text);

/// "2026-03-02T21:40:12Z"
std::string time_text(Instant time);

/// The agency of a SPIFFE id, "police/31"; the id itself where it is none.
std::string agency_of(const std::string& actor);

}  // namespace flagpost::auditor
