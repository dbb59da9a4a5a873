/// What the SQLite files that adapters keep have in common: private from their first moment, ours, and named in what is
/// said of one that cannot be used.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>
#include <string>

namespace flagpost::client {

/// Created before SQLite sees it, so that no moment and no umask leaves it readable to others. Returns its name for
/// SQLite; throws std::system_error.
std::string private_file(const std::filesystem::path& file);

/// The version it was written by, 0 of a new one. Throws std::runtime_error where another program's tables are in it, or
/// a version above `newest` wrote it.
int version_of(SQLite::Database& db, const std::filesystem::path& file, int newest);

/// SQLite's words with the file's name and what to do: alone they have neither. Throws std::runtime_error.
[[noreturn]] void cannot_use(const std::filesystem::path& file, const SQLite::Exception& error);

/// What to do about it, as a sentence after a blank; empty where SQLite's words are enough.
std::string what_to_do(const SQLite::Exception& error);

}  // namespace flagpost::client
