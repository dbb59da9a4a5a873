/// Small files that are either the old version or the new one, whatever happens in between, and folders that stay.
#pragma once

#include <filesystem>
#include <optional>

#include "broker/core/bytes.h"

namespace flagpost::store {

/// Replaces `file` as a whole and is durable on return: written beside it, synced, renamed, directory synced.
/// Mode 0600. Throws StorageFailure; the old version then still stands, or the new one already does. After NoRoom
/// it is the old one.
void write_durably(const std::filesystem::path& file, BytesView content);

/// Writes `content` at `place`, cutting off what stood behind it, and is durable on return. Makes the file, mode 0600, if
/// it does not exist. Throws StorageFailure; part of the content may then be there, for the next one to cut off.
void append_durably(const std::filesystem::path& file, std::uint64_t place, BytesView content);

/// Makes the folder, and those above it that are missing, for its owner alone. Durable on return: what is synced in
/// a folder whose own name is lost is lost with it. Throws StorageFailure.
void make_folder_durably(const std::filesystem::path& folder);

/// The whole file; nothing if it does not exist. Throws StorageFailure if it cannot be read.
std::optional<Bytes> read_whole(const std::filesystem::path& file);

}  // namespace flagpost::store
