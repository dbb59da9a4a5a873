/// Which addresses a force marks because an authority has a flag on a child there: kept in the box, and written as CSV for the
/// command-and-control gazetteer. No names, and nothing of shielded children: the broker sends neither.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "adapters/client/box.h"
#include "adapters/client/config.h"

namespace flagpost::police {

/// From this age on a list is called old: it is loaded daily.
inline constexpr std::chrono::hours list_age_max{26};

/// What is known of one authority's list.
struct MarkerList {
    std::string authority;  // GSS code
    Instant as_of;          // when the broker loaded it
    Instant received;
    std::size_t markers;  // that stand now
};

class Markers {
public:
    /// Nobody else uses this box object; others may use the file.
    explicit Markers(client::Box& box) : box_{box} {}

    /// Takes what has come out of the inbox, durably. Whether anything had. An older message that comes behind a newer one
    /// changes nothing.
    bool take();

    /// By authority.
    std::vector<MarkerList> lists(Instant now) const;

    struct Written {
        std::size_t markers, rows;  // in markers.csv
        std::size_t set, removed;   // in the file of changes; none was written if both are 0
        std::uint64_t change;       // number of the newest file of changes
    };
    /// Writes markers.csv, lists.csv and, if markers differ from those written last, changes-<number>.csv, each whole or not at
    /// all; removes files of changes older than a week. Interrupted, the next call writes the changes again, under the same
    /// number. Throws std::runtime_error.
    Written write(const std::filesystem::path& folder, Instant now);

private:
    Written write_alone(const std::filesystem::path& folder, Instant now);

    client::Box& box_;
};

/// The config file's `markers`, relative to it; empty where it has none.
std::filesystem::path markers_folder(const std::filesystem::path& config_file, const client::Config& config);

/// Keeps taking and writing, from the turns of an agent. What goes wrong with the folder is logged and tried again.
class MarkerKeeper {
public:
    /// `folder`: empty to write nothing.
    MarkerKeeper(client::Box& box, std::filesystem::path folder)
        : markers_{box}, folder_{std::move(folder)} {}

    /// `deliveries`: as the agent counts them.
    void turn(std::uint64_t deliveries, Instant now);

private:
    Markers markers_;
    const std::filesystem::path folder_;
    std::optional<std::uint64_t> seen_;        // deliveries
    std::optional<Instant> written_, failed_;  // last; failed_ only since written_
    bool due_ = true;
};

}  // namespace flagpost::police
