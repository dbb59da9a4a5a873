/// The disk under the store: one owner of a file, how much room is left, and room kept back for the end.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>

namespace flagpost::store {

/// The mode of every file of ours: nobody but its owner reads it.
inline constexpr mode_t owner_only = 0600;

/// Throws what errno says of this step: NoRoom for a full disk or quota, unless it was a sync that failed; else
/// StorageFailure.
[[noreturn]] void disk_failure(const char* step, const std::filesystem::path& file);

/// An open descriptor, closed by its owner.
class Descriptor {
public:
    explicit Descriptor(int fd) : fd_{fd} {}
    Descriptor(Descriptor&& other) noexcept : fd_{other.fd_} { other.fd_ = -1; }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor();
    int get() const { return fd_; }

private:
    int fd_;
};

/// Held for as long as one process owns the database beside it. Throws StorageFailure if another one does.
class FileLock {
public:
    explicit FileLock(const std::filesystem::path& file);

private:
    Descriptor file_;
};

/// Room kept back, so that receipts and the log can still be written when the disk is full.
class Reserve {
public:
    Reserve(std::filesystem::path file, std::uint64_t bytes);
    bool held() const { return held_; }
    /// Writes the file if it is not there in full. A disk without room for it is not an error: `held` says so.
    void take();
    /// Gives the room back to the disk.
    void release();

private:
    std::filesystem::path file_;
    std::uint64_t bytes_;
    bool held_ = false;
};

/// Where the room kept back for the store in `database` lies.
std::filesystem::path reserve_file(const std::filesystem::path& database);

/// What of limits::reserve_bytes is kept back there at this moment.
std::uint64_t reserve_held(const std::filesystem::path& database);

/// Bytes of a disk.
struct Space {
    std::uint64_t total;
    std::uint64_t free;  // to this process
};
/// Throws StorageFailure.
Space space_of(const std::filesystem::path& path);

/// Whether new work may be taken on (limits::free_disk_min). Acknowledgements are taken either way.
///
/// owed  what is still to be kept back: room that was given up is not there for new work
bool has_room(const Space& disk, std::uint64_t owed);
/// The same of the disk under this store. Throws StorageFailure.
bool has_room(const std::filesystem::path& database);

}  // namespace flagpost::store
