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
namespace {

constexpr mode_t owner_only = 0600;

StorageFailure failed(const char* step, const std::filesystem::path& file) {
    return StorageFailure{std::string{step} + " " + file.filename().string() + ": " +
                          std::generic_category().message(errno)};
}

struct statvfs disk_of(const std::filesystem::path& path) {
    struct statvfs disk {};
    if (::statvfs(path.c_str(), &disk) != 0) throw failed("statvfs", path);
    return disk;
}

std::uint64_t free_bytes(const std::filesystem::path& path) {
    const auto disk = disk_of(path);
    return std::uint64_t{disk.f_bavail} * disk.f_frsize;
}

}  // namespace

Descriptor::~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

FileLock::FileLock(const std::filesystem::path& file)
    : file_{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, owner_only)} {
    if (file_.get() < 0) throw failed("open", file);
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) == 0) return;
    if (errno == EWOULDBLOCK)
        throw StorageFailure{file.filename().string() + ": another process owns this store"};
    throw failed("lock", file);
}

Reserve::Reserve(std::filesystem::path file, std::uint64_t bytes) : file_{std::move(file)} {
    const Descriptor descriptor{::open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, owner_only)};
    if (descriptor.get() < 0) throw failed("open", file_);
    struct stat now {};
    if (::fstat(descriptor.get(), &now) != 0) throw failed("stat", file_);
    const auto missing = bytes - std::min<std::uint64_t>(bytes, static_cast<std::uint64_t>(now.st_size));
    // Asked first: a file system may fill itself up before it says that the whole does not fit.
    if (missing > free_bytes(file_)) {
        std::filesystem::remove(file_);
        return;
    }
    const int error = ::posix_fallocate(descriptor.get(), 0, static_cast<off_t>(bytes));
    held_ = error == 0;
    if (held_) return;
    std::filesystem::remove(file_);
    errno = error;
    if (error != ENOSPC && error != EDQUOT) throw failed("reserve", file_);
}

void Reserve::release() {
    held_ = false;
    std::error_code gone_already;
    std::filesystem::remove(file_, gone_already);
}

double free_share(const std::filesystem::path& path) {
    const auto disk = disk_of(path);
    if (disk.f_blocks == 0) return 0;
    return static_cast<double>(disk.f_bavail) / static_cast<double>(disk.f_blocks);
}

bool has_room(const std::filesystem::path& path) { return free_share(path) >= limits::free_disk_min; }

}  // namespace flagpost::store
