#include "broker/store/disk.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "broker/core/limits.h"
#include "broker/store/store.h"

namespace flagpost::store {
void disk_failure(const char* step, const std::filesystem::path& file) {
    const int error = errno;
    const auto words =
        std::string{step} + " " + file.filename().string() + ": " + std::generic_category().message(error);
    // After a sync that failed nobody can say what is on the disk.
    const bool sync = std::string_view{step}.starts_with("sync");
    if (!sync && (error == ENOSPC || error == EDQUOT)) throw NoRoom{words};
    throw StorageFailure{words};
}

Descriptor::~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

FileLock::FileLock(const std::filesystem::path& file)
    : file_{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, owner_only)} {
    if (file_.get() < 0) disk_failure("open", file);
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) == 0) return;
    if (errno == EWOULDBLOCK)
        throw StorageFailure{file.filename().string() + ": another process owns this store"};
    disk_failure("lock", file);
}

Reserve::Reserve(std::filesystem::path file, std::uint64_t bytes) : file_{std::move(file)}, bytes_{bytes} {
    take();
}

void Reserve::take() {
    const Descriptor descriptor{::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, owner_only)};
    if (descriptor.get() < 0) disk_failure("open", file_);
    struct stat now {};
    if (::fstat(descriptor.get(), &now) != 0) disk_failure("stat", file_);
    const auto missing = bytes_ - std::min<std::uint64_t>(bytes_, static_cast<std::uint64_t>(now.st_size));
    // Asked first: a file system may fill itself up before it says that the whole does not fit.
    if (missing > space_of(file_).free) {
        std::filesystem::remove(file_);
        return;
    }
    const int error = ::posix_fallocate(descriptor.get(), 0, static_cast<off_t>(bytes_));
    held_ = error == 0;
    if (held_) return;
    std::filesystem::remove(file_);
    errno = error;
    if (error != ENOSPC && error != EDQUOT) disk_failure("reserve", file_);
}

void Reserve::release() {
    held_ = false;
    std::error_code gone_already;
    std::filesystem::remove(file_, gone_already);
}

std::filesystem::path reserve_file(const std::filesystem::path& database) {
    auto file = database;
    file += "-reserve";
    return file;
}

Space space_of(const std::filesystem::path& path) {
    struct statvfs disk {};
    if (::statvfs(path.c_str(), &disk) != 0) disk_failure("statvfs", path);
    return {std::uint64_t{disk.f_blocks} * disk.f_frsize, std::uint64_t{disk.f_bavail} * disk.f_frsize};
}

bool has_room(const Space& disk, std::uint64_t owed) {
    if (disk.free < owed) return false;
    return static_cast<double>(disk.free - owed) >= limits::free_disk_min * static_cast<double>(disk.total);
}

std::uint64_t reserve_held(const std::filesystem::path& database) {
    std::error_code given_up;
    const auto kept = std::filesystem::file_size(reserve_file(database), given_up);
    return given_up ? 0 : std::min<std::uint64_t>(kept, limits::reserve_bytes);
}

bool has_room(const std::filesystem::path& database) {
    return has_room(space_of(database), limits::reserve_bytes - reserve_held(database));
}

}  // namespace flagpost::store
