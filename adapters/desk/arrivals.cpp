#include "adapters/desk/arrivals.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <system_error>

#include "adapters/desk/rejects.h"

namespace flagpost::desk {
namespace {

namespace fs = std::filesystem;

/// Whether somebody has the file open for writing, as far as this account may know: a lease for reading is not given on
/// such a file, nor on one of another owner, who is taken to have moved it in whole.
bool is_being_written(const fs::path& file) {
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return false;
    ::fcntl(fd, F_SETSIG,
            SIGURG);  // whoever opens it in between makes a signal that is ignored unless asked for
    const bool written = ::fcntl(fd, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
    if (!written) ::fcntl(fd, F_SETLEASE, F_UNLCK);
    ::close(fd);
    return written;
}

}  // namespace

bool is_plain_file(const fs::path& file) {
    return !file.filename().string().starts_with('.') &&
           fs::symlink_status(file).type() == fs::file_type::regular;
}

void move_durably(const fs::path& from, const fs::path& to) {
    fs::rename(from, to);
    sync_directory(to.parent_path());
    sync_directory(from.parent_path());
}

Arrivals::Arrivals(fs::path directory, Wanted wanted)
    : directory_{std::move(directory)}, wanted_{std::move(wanted)} {
    events_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    constexpr std::uint32_t watched =
        IN_CLOSE_WRITE | IN_MOVED_TO | IN_MODIFY | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;
    if (events_ < 0 || ::inotify_add_watch(events_, directory_.c_str(), watched) < 0) {
        const int error = errno;
        if (events_ >= 0) ::close(events_);
        throw std::system_error{error, std::generic_category(), directory_.string() + ": cannot be watched"};
    }
    look_around();
}

Arrivals::~Arrivals() { ::close(events_); }

std::optional<fs::path> Arrivals::first() {
    read_events();
    while (!whole_.empty()) {
        const fs::path file = directory_ / *whole_.begin();
        if (wanted_(file)) return file;
        whole_.erase(whole_.begin());
    }
    return std::nullopt;
}

void Arrivals::wait(std::chrono::milliseconds patience) const {
    pollfd waited_for{events_, POLLIN, 0};
    ::poll(&waited_for, 1, static_cast<int>(patience.count()));
}

void Arrivals::look_around() {
    whole_.clear();
    for (const auto& entry : fs::directory_iterator{directory_})
        if (wanted_(entry.path()) && !is_being_written(entry.path()))
            whole_.insert(entry.path().filename().string());
}

void Arrivals::read_events() {
    alignas(inotify_event) std::array<char, 64 * 1024> buffer;
    for (;;) {
        const auto size = ::read(events_, buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size <= 0) return;
        for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
            inotify_event event;
            std::memcpy(&event, buffer.data() + at, sizeof event);
            see(event, event.len == 0 ? "" : std::string{buffer.data() + at + sizeof event});
            at += sizeof event + event.len;
        }
    }
}

void Arrivals::see(const inotify_event& event, const std::string& name) {
    if ((event.mask & IN_Q_OVERFLOW) != 0) return look_around();
    if ((event.mask & IN_IGNORED) != 0) throw std::runtime_error{directory_.string() + ": is gone"};
    if (name.empty()) return;
    if ((event.mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0)
        whole_.insert(name);
    else
        whole_.erase(name);
}

}  // namespace flagpost::desk
