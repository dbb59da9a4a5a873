#include "broker/store/durable_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "broker/store/disk.h"
#include "broker/store/store.h"

namespace flagpost::store {
namespace {

void write_all(int fd, BytesView content, const std::filesystem::path& file) {
    while (!content.empty()) {
        const auto written = ::write(fd, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) disk_failure("write", file);
        content = content.subspan(static_cast<std::size_t>(written));
    }
}

/// Makes durable that this file or folder has the name it has.
void sync_directory(const std::filesystem::path& file) {
    const auto directory = file.has_parent_path() ? file.parent_path() : std::filesystem::path{"."};
    const Descriptor descriptor{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (descriptor.get() < 0 || ::fsync(descriptor.get()) != 0) disk_failure("sync directory of", file);
}

}  // namespace

void write_durably(const std::filesystem::path& file, BytesView content) {
    auto beside = file;
    beside += ".new";
    {
        const Descriptor descriptor{
            ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, owner_only)};
        if (descriptor.get() < 0) disk_failure("open", beside);
        write_all(descriptor.get(), content, beside);
        if (::fsync(descriptor.get()) != 0) disk_failure("sync", beside);
    }
    if (::rename(beside.c_str(), file.c_str()) != 0) disk_failure("rename", beside);
    sync_directory(file);
}

void append_durably(const std::filesystem::path& file, std::uint64_t place, BytesView content) {
    const bool is_new = !std::filesystem::exists(file);
    const Descriptor descriptor{::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, owner_only)};
    if (descriptor.get() < 0) disk_failure("open", file);
    if (::ftruncate(descriptor.get(), static_cast<off_t>(place)) != 0) disk_failure("truncate", file);
    if (::lseek(descriptor.get(), static_cast<off_t>(place), SEEK_SET) < 0) disk_failure("seek", file);
    write_all(descriptor.get(), content, file);
    if (::fsync(descriptor.get()) != 0) disk_failure("sync", file);
    if (is_new) sync_directory(file);
}

void make_folder_durably(const std::filesystem::path& folder) {
    if (std::filesystem::is_directory(folder)) return;
    if (folder.has_parent_path()) make_folder_durably(folder.parent_path());
    if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) disk_failure("make", folder);
    sync_directory(folder);
}

std::optional<Bytes> read_whole(const std::filesystem::path& file) {
    const Descriptor descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    if (descriptor.get() < 0 && errno == ENOENT) return std::nullopt;
    if (descriptor.get() < 0) disk_failure("open", file);
    Bytes content;
    std::array<std::uint8_t, 4096> part;
    for (;;) {
        const auto got = ::read(descriptor.get(), part.data(), part.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) disk_failure("read", file);
        if (got == 0) return content;
        content.insert(content.end(), part.begin(), part.begin() + got);
    }
}

}  // namespace flagpost::store
