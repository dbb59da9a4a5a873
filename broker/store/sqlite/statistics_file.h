/// The events table: a file of its own, so that nothing that counts for a dashboard has the log open (../README.md).
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <string>

#include "broker/store/statistics.h"

namespace flagpost::store::sqlite {

/// How long hours are kept.
inline constexpr std::chrono::days statistics_kept{800};

/// Adds a tally to what the file holds of the same events; makes the file if it is not there, and drops hours that are
/// over statistics_kept old. Not synced: a power cut may take the last minutes, never the file. Throws StorageFailure.
void add_statistics(const std::filesystem::path& file, const Tally& tally, Instant now);

/// A connection that can read the table `event` and nothing else, whatever file it is given. Throws StorageFailure.
SQLite::Database open_statistics(const std::filesystem::path& file);

/// "hour,kind,agency,topic,within_seconds,count,seconds" and a row for each, by hour, from this hour on. Only the head
/// line if the file is not there yet. `seconds` is what `count` of them took together. Throws StorageFailure.
std::string statistics_csv(const std::filesystem::path& file, Instant from);

}  // namespace flagpost::store::sqlite
