#include "adapters/police/spool.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <system_error>

#include "broker/crypto/digest.h"

namespace flagpost::police {
namespace {

namespace fs = std::filesystem;

bool is_handed_over(const fs::path& file, const Mapping* mapping) {
    return !file.filename().string().starts_with('.') && is_incident_file(file, mapping) &&
           fs::symlink_status(file).type() == fs::file_type::regular;
}

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

void move_durably(const fs::path& from, const fs::path& to) {
    fs::rename(from, to);
    desk::sync_directory(to.parent_path());
    desk::sync_directory(from.parent_path());
}

std::string digest_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>{stream}, {}};
    if (!stream) throw std::runtime_error{"cannot read " + file.string()};
    return to_hex(crypto::sha256(view(text)));
}

}  // namespace

/// What lies in the folder whole.
class Spool::Arrivals {
public:
    Arrivals(fs::path directory, const Mapping* mapping)
        : directory_{std::move(directory)}, mapping_{mapping} {
        events_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        constexpr std::uint32_t wanted =
            IN_CLOSE_WRITE | IN_MOVED_TO | IN_MODIFY | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;
        if (events_ < 0 || ::inotify_add_watch(events_, directory_.c_str(), wanted) < 0) {
            const int error = errno;
            if (events_ >= 0) ::close(events_);
            throw std::system_error{error, std::generic_category(),
                                    directory_.string() + ": cannot be watched"};
        }
        look_around();
    }
    Arrivals(const Arrivals&) = delete;
    Arrivals& operator=(const Arrivals&) = delete;
    ~Arrivals() { ::close(events_); }

    std::optional<fs::path> first() {
        read_events();
        while (!whole_.empty()) {
            const fs::path file = directory_ / *whole_.begin();
            if (is_handed_over(file, mapping_)) return file;
            whole_.erase(whole_.begin());
        }
        return std::nullopt;
    }

    void wait(std::chrono::milliseconds patience) const {
        pollfd waited_for{events_, POLLIN, 0};
        ::poll(&waited_for, 1, static_cast<int>(patience.count()));
    }

private:
    /// At the start, and when the kernel had more to say than it keeps.
    void look_around() {
        whole_.clear();
        for (const auto& entry : fs::directory_iterator{directory_})
            if (is_handed_over(entry.path(), mapping_) && !is_being_written(entry.path()))
                whole_.insert(entry.path().filename().string());
    }

    void read_events() {
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

    void see(const inotify_event& event, const std::string& name) {
        if ((event.mask & IN_Q_OVERFLOW) != 0) return look_around();
        if ((event.mask & IN_IGNORED) != 0) throw std::runtime_error{directory_.string() + ": is gone"};
        if (name.empty()) return;
        if ((event.mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0)
            whole_.insert(name);
        else
            whole_.erase(name);
    }

    fs::path directory_;
    const Mapping* mapping_;
    int events_ = -1;
    std::set<std::string> whole_;
};

Spool::Spool(fs::path directory, std::string force, const Mapping* mapping)
    : directory_{std::move(directory)}, force_{std::move(force)}, mapping_{mapping} {
    if (!fs::is_directory(directory_)) throw std::runtime_error{directory_.string() + ": no such folder"};
    for (const char* folder : {"working", "archive", "rejects"}) {
        fs::create_directory(directory_ / folder);
        fs::permissions(directory_ / folder, fs::perms::owner_all);
    }
    desk::sync_directory(directory_);  // or a power cut takes the folders with what was moved into them
    lock_ = ::open((directory_ / "working" / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_ < 0) throw std::runtime_error{directory_.string() + ": cannot be locked"};
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
        ::close(lock_);
        throw std::runtime_error{directory_.string() + ": another program feeds from this folder"};
    }
    try {
        arrivals_ = std::make_unique<Arrivals>(directory_, mapping_);
    } catch (...) {
        ::close(lock_);
        throw;
    }
}

Spool::~Spool() { ::close(lock_); }

void Spool::wait(std::chrono::milliseconds patience) const { arrivals_->wait(patience); }

std::optional<FileReport> Spool::next(Intake& intake) {
    const auto file = take();
    if (!file) return std::nullopt;
    return finish(*file, intake);
}

std::optional<fs::path> Spool::take() {
    std::optional<fs::path> left_over;
    for (const auto& entry : fs::directory_iterator{directory_ / "working"})
        if (is_handed_over(entry.path(), mapping_) && (!left_over || entry.path() < *left_over))
            left_over = entry.path();
    if (left_over) return left_over;
    const auto arrived = arrivals_->first();
    if (!arrived) return std::nullopt;
    const fs::path taken = directory_ / "working" / arrived->filename();
    move_durably(*arrived, taken);
    return taken;
}

/// The name under which a file is kept: its own, or with what tells it from others where another has that name already.
std::string Spool::free_name(const fs::path& file, const std::string& distinct) const {
    std::string name = file.filename().string();
    if (!fs::exists(directory_ / "archive" / name) && !fs::exists(directory_ / "rejects" / name)) return name;
    return file.stem().string() + "-" + distinct.substr(0, 24) + file.extension().string();
}

FileReport Spool::finish(const fs::path& file, Intake& intake) {
    const bool readable = ::access(file.c_str(), R_OK) == 0;
    if (!readable || fs::file_size(file) > incident_file_size_max) {
        const auto written = std::to_string(fs::last_write_time(file).time_since_epoch().count());
        return set_aside(file, free_name(file, written),
                         readable ? "file: too large" : "file: may not be read");
    }
    const std::string digest = digest_of(file);
    const std::string name = free_name(file, digest);
    auto incidents = IncidentFile::read(file, force_, mapping_);
    if (!incidents) return set_aside(file, name, incidents.error().where);

    FileReport report{name};
    const std::string mark = "spool/" + digest;
    report.published_before = intake.marked(mark);
    const auto taken = report.published_before ? intake.judge(incidents->incidents())
                                               : intake.take(incidents->incidents(), mark);
    for (std::size_t i = 0; i < taken.size(); ++i) {
        if (taken[i].became == Became::conflict)
            incidents->reject(incidents->incidents()[i], std::string{"version: "} + conflict_why);
        if (report.published_before) continue;
        report.published += taken[i].became == Became::queued ? 1 : 0;
        report.known += taken[i].became == Became::known ? 1 : 0;
    }
    report.rejected = incidents->rejected();
    incidents->write_rejects(directory_ / "rejects", name);
    move_durably(file, directory_ / "archive" / name);
    return report;
}

FileReport Spool::set_aside(const fs::path& file, const std::string& name, const std::string& why) {
    desk::write_rejects(directory_ / "rejects" / (name + ".rejects.csv"), {
                                                                              {0, false, why, {}}
    });
    move_durably(file, directory_ / "rejects" / name);
    FileReport report{name};
    report.rejected = 1;
    return report;
}

}  // namespace flagpost::police
