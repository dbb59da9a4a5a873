/// The disk under the store: one owner of a file, how much room is left, and room kept back for the end.
#pragma once

#include <cstdint>
#include <filesystem>

namespace flagpost::store {

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
    /// Writes the file if it is not there in full. A disk without room for it is not an error: `held` says
    /// so.
    Reserve(std::filesystem::path file, std::uint64_t bytes);
    bool held() const { return held_; }
    /// Gives the room back to the disk. It is taken again at the next start that finds enough.
    void release();

private:
    std::filesystem::path file_;
    bool held_ = false;
};

/// Share of the disk that is free to this process, 0 to 1. Throws StorageFailure.
double free_share(const std::filesystem::path& path);

/// Whether new work may be taken on (limits::free_disk_min). Acknowledgements are taken either way.
bool has_room(const std::filesystem::path& path);

}  // namespace flagpost::store
