/// A disk that fails on order, for one process: put in front of libc with LD_PRELOAD.
///
/// Everything the process does to files below one folder is counted, and what is not yet synced can be undone: as a
/// power cut does, which keeps what fsync has returned for and of the rest nothing, or any sectors it likes. The block
/// of numbers in the file that FLAGPOST_DISK names says what shall happen and when; tests/support/disk.py writes it,
/// also while the process runs. What is not asked for passes through untouched.
///
/// Names are as durable as their folder: a file created, renamed or removed is so for good only once the folder was
/// synced, whatever file systems do beyond that. A "-shm" file is memory; a power cut leaves noise in it.
#undef _FORTIFY_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

enum Kind : std::uint64_t { writes = 1, syncs = 2, sizes = 4, names = 8 };

/// The shared block. The first three are ours to write, the rest the test's.
struct Plan {
    std::atomic<std::uint64_t> operations;   // of all kinds, so far
    std::atomic<std::uint64_t> synced;       // calls of fsync and fdatasync, so far
    std::atomic<std::uint64_t> crashed;      // 1 once the crash has happened
    std::atomic<std::uint64_t> crash_at;     // number of the operation to die at; 0: never
    std::atomic<std::uint64_t> crash_after;  // 1: when it has been carried out, 0: before
    std::atomic<std::uint64_t> lose;  // of what is not synced, at a crash and at the end: keeps, all, torn
    std::atomic<std::uint64_t> seed;  // which sectors a torn write keeps
    std::atomic<std::uint64_t> fail_from;   // the first operation to fail; 0: none
    std::atomic<std::uint64_t> fail_times;  // how many of those kinds fail from there on
    std::atomic<std::uint64_t> fail_kinds;  // mask of Kind
    std::atomic<std::uint64_t> fail_errno;
    std::atomic<std::uint64_t> wal_sync_lies;  // 1: a sync of a "-wal" file says yes and does nothing
    std::atomic<std::uint64_t> sync_ms;        // what each sync takes longer
    std::array<char, 1024> under;              // the folder
};
enum Lose : std::uint64_t { keeps = 0, all = 1, torn = 2 };

constexpr off_t block_size = 4096;
constexpr off_t sector_size = 512;
constexpr int descriptors_max = 65536;

template <class Function> Function* real(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}
int real_open(const char* path, int flags, mode_t mode = 0600) {
    static const auto call = real<int(const char*, int, ...)>("open64");
    return call(path, flags, mode);
}
ssize_t real_pwrite(int fd, const void* bytes, std::size_t size, off_t at) {
    static const auto call = real<ssize_t(int, const void*, std::size_t, off_t)>("pwrite64");
    return call(fd, bytes, size, at);
}
int real_truncate(int fd, off_t size) {
    static const auto call = real<int(int, off_t)>("ftruncate64");
    return call(fd, size);
}
int real_rename(const char* from, const char* to) {
    static const auto call = real<int(const char*, const char*)>("rename");
    return call(from, to);
}
int real_mkdir(const char* path, mode_t mode) {
    static const auto call = real<int(const char*, mode_t)>("mkdir");
    return call(path, mode);
}
int real_unlink(const char* path) {
    static const auto call = real<int(const char*)>("unlink");
    return call(path);
}

struct Block {
    std::vector<char> before;  // what was durable here
    bool forgotten = false;    // its sync failed: the kernel calls it clean and never writes it
};

/// A file with what it was when it was last synced.
struct File {
    int fd = -1;  // our own and never closed: that would take away the process's locks
    bool memory = false;
    bool is_wal = false;
    off_t durable_size = 0;
    std::map<off_t, Block> changed;  // by number of block
};

struct NameChange {
    enum What { created, removed, renamed, made_folder } what;
    std::string folder;  // whose sync makes it durable
    std::string from, to;
    std::string grave;  // where what it took away is kept
};

off_t size_of(int fd) {
    struct stat now {};
    return ::fstat(fd, &now) == 0 ? now.st_size : 0;
}

class Disk {
public:
    explicit Disk(Plan* plan, std::string graves)
        : plan_{plan}, under_{plan->under.data()}, graves_{std::move(graves)} {}

    bool watches(const std::string& path) const {
        return path == under_ || (path.starts_with(under_) && path[under_.size()] == '/');
    }

    /// Counts an operation and does with it what the plan says. `carry_out` runs with the disk to itself.
    template <class Operation> auto operate(Kind kind, File* file, Operation carry_out)
        -> decltype(carry_out()) {
        if (kind == syncs) wait(plan_->sync_ms);
        const std::lock_guard lock{mutex_};
        const std::uint64_t number = ++plan_->operations;
        if (kind == syncs) ++plan_->synced;
        const bool dies = plan_->crash_at == number;
        if (dies && plan_->crash_after == 0) crash();
        if (fails(kind, number)) {
            if (kind == syncs && file != nullptr) forget(*file);
            errno = static_cast<int>(plan_->fail_errno);
            return -1;
        }
        const auto result = carry_out();
        if (dies) crash();
        return result;
    }

    // --- Descriptors

    File* file(int fd) {
        return fd >= 0 && fd < descriptors_max ? files_of_[static_cast<std::size_t>(fd)].load() : nullptr;
    }
    std::string folder(int fd) {
        const std::lock_guard lock{mutex_};
        const auto found = folders_.find(fd);
        return found == folders_.end() ? "" : found->second;
    }
    /// Called with the lock held where `created`.
    void opened(int fd, const std::string& path, bool created) {
        struct stat now {};
        if (fd < 0 || fd >= descriptors_max || ::fstat(fd, &now) != 0) return;
        if (S_ISDIR(now.st_mode)) {
            folders_[fd] = path;
            return;
        }
        // What is only read cannot be lost; and our own descriptor, which can write, would look like somebody's who does.
        const bool reads_only = (::fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY;
        if (reads_only && !files_.contains({now.st_dev, now.st_ino})) return;
        auto& file = files_[{now.st_dev, now.st_ino}];
        if (file.fd < 0) {
            file.fd = real_open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDWR | O_CLOEXEC);
            file.memory = path.ends_with("-shm");
            file.is_wal = path.ends_with("-wal");
            file.durable_size = created ? 0 : now.st_size;
        }
        files_of_[static_cast<std::size_t>(fd)] = &file;
    }
    void open_existing(int fd, const std::string& path) {
        const std::lock_guard lock{mutex_};
        opened(fd, path, false);
    }
    void closed(int fd) {
        if (fd < 0 || fd >= descriptors_max) return;
        files_of_[static_cast<std::size_t>(fd)] = nullptr;
        const std::lock_guard lock{mutex_};
        folders_.erase(fd);
    }

    // --- What would be lost. All with the lock held.

    void will_change(File& file, off_t from, off_t to) {
        if (plan_->lose == keeps || file.memory) return;
        for (off_t block = from / block_size; block * block_size < to; ++block) {
            const auto [entry, is_new] = file.changed.try_emplace(block);
            entry->second.forgotten = false;
            if (!is_new) continue;
            entry->second.before.assign(block_size, 0);
            (void)::pread(file.fd, entry->second.before.data(), block_size, block * block_size);
        }
    }
    void will_truncate(File& file, off_t size) {
        const off_t now = size_of(file.fd);
        if (size < now) will_change(file, size, now);
    }
    void synced(File& file) {
        if (file.is_wal && plan_->wal_sync_lies != 0) return;
        std::erase_if(file.changed, [](const auto& entry) { return !entry.second.forgotten; });
        file.durable_size = size_of(file.fd);
    }
    void folder_synced(const std::string& folder) {
        std::erase_if(changes_, [&](const NameChange& change) { return change.folder == folder; });
    }
    void changed_name(NameChange change) {
        if (plan_->lose != keeps && !change.folder.empty()) changes_.push_back(std::move(change));
    }
    /// A second name for what is about to lose its only one.
    std::string bury(const std::string& path) {
        if (plan_->lose == keeps) return {};
        const auto grave = next_grave();
        return ::link(path.c_str(), grave.c_str()) == 0 ? grave : std::string{};
    }

    void end() {
        const std::lock_guard lock{mutex_};
        cut_power();
    }

private:
    static void wait(std::uint64_t ms) {
        timespec left{static_cast<time_t>(ms / 1000), static_cast<long>(ms % 1000) * 1'000'000};
        while (ms > 0 && ::nanosleep(&left, &left) != 0 && errno == EINTR) continue;
    }

    bool fails(Kind kind, std::uint64_t number) {
        if (plan_->fail_from == 0 || number < plan_->fail_from || (plan_->fail_kinds & kind) == 0)
            return false;
        if (plan_->fail_times == 0) return false;
        --plan_->fail_times;
        return true;
    }

    void forget(File& file) {
        for (auto& [block, change] : file.changed) change.forgotten = true;
    }

    std::string next_grave() {
        real_mkdir(graves_.c_str(), 0700);
        return graves_ + "/" + std::to_string(::getpid()) + "-" + std::to_string(++graves_dug_);
    }

    [[noreturn]] void crash() {
        cut_power();
        plan_->crashed = 1;
        for (;;) ::kill(::getpid(), SIGKILL);
    }

    void cut_power() {
        const std::uint64_t lose = plan_->lose;
        if (lose == keeps) return;
        std::mt19937_64 random{plan_->seed};
        // Folders keep the order of their changes, as journals of file systems do.
        std::size_t kept = lose == torn && !changes_.empty() ? random() % (changes_.size() + 1) : 0;
        while (changes_.size() > kept) {
            undo(changes_.back());
            changes_.pop_back();
        }
        for (auto& [inode, file] : files_) restore(file, lose == torn, random);
    }

    void undo(const NameChange& change) {
        switch (change.what) {
            case NameChange::created:
                real_unlink(change.from.c_str());
                break;
            case NameChange::made_folder:
                real_rename(change.from.c_str(), next_grave().c_str());
                break;
            case NameChange::removed:
                real_rename(change.grave.c_str(), change.from.c_str());
                break;
            case NameChange::renamed:
                real_rename(change.to.c_str(), change.from.c_str());
                if (!change.grave.empty()) real_rename(change.grave.c_str(), change.to.c_str());
                break;
        }
    }

    static void restore(File& file, bool torn, std::mt19937_64& random) {
        if (file.memory) {
            if (torn) scribble(file, random);
            return;
        }
        const off_t now = size_of(file.fd);
        const off_t size = torn && random() % 2 == 0 ? now : file.durable_size;
        const off_t unit = torn && random() % 2 == 0 ? sector_size : block_size;
        // A cut is of the size alone: what was cut off is whole again where the cut is lost. SQLite's TRUNCATE journal rests on it.
        for (const auto& [block, change] : file.changed)
            for (off_t at = 0; at < block_size; at += unit)
                if (!torn || block * block_size + at >= now || random() % 2 == 0)
                    (void)real_pwrite(file.fd, change.before.data() + at, static_cast<std::size_t>(unit),
                                      block * block_size + at);
        (void)real_truncate(file.fd, size);
        file.changed.clear();
    }

    static void scribble(File& file, std::mt19937_64& random) {
        std::vector<std::uint64_t> noise(static_cast<std::size_t>(size_of(file.fd)) / sizeof(std::uint64_t));
        std::ranges::generate(noise, random);
        (void)real_pwrite(file.fd, noise.data(), noise.size() * sizeof(std::uint64_t), 0);
    }

    Plan* plan_;
    std::string under_;
    std::string graves_;
    int graves_dug_ = 0;
    std::mutex mutex_;
    std::map<std::pair<dev_t, ino_t>, File> files_;
    std::map<int, std::string> folders_;
    std::array<std::atomic<File*>, descriptors_max> files_of_{};
    std::vector<NameChange> changes_;  // not yet durable, oldest first
};

Disk* make_disk() {
    const char* const file = std::getenv("FLAGPOST_DISK");
    if (file == nullptr) return nullptr;
    const int fd = real_open(file, O_RDWR | O_CLOEXEC);
    void* const at =
        fd < 0 ? MAP_FAILED : ::mmap(nullptr, sizeof(Plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) {
        std::perror("FLAGPOST_DISK");
        std::abort();
    }
    return new Disk{static_cast<Plan*>(at), std::string{file} + ".graves"};
}

/// Never destroyed: other threads use it until the very end.
Disk* disk() {
    static Disk* const made = make_disk();
    return made;
}

std::string whole(const char* path) { return std::filesystem::absolute(path).lexically_normal().string(); }
std::string parent(const std::string& path) { return std::filesystem::path{path}.parent_path().string(); }

int open_watched(const std::string& path, int flags, mode_t mode) {
    struct stat before {};
    const bool exists = ::stat(path.c_str(), &before) == 0;
    if (!exists && (flags & O_CREAT) != 0)
        return disk()->operate(names, nullptr, [&] {
            const int fd = real_open(path.c_str(), flags, mode);
            if (fd < 0) return fd;
            disk()->opened(fd, path, true);
            if (!path.ends_with("-shm"))
                disk()->changed_name({NameChange::created, parent(path), path, {}, {}});
            return fd;
        });
    if ((flags & O_TRUNC) == 0) {
        const int fd = real_open(path.c_str(), flags, mode);
        disk()->open_existing(fd, path);
        return fd;
    }
    const int fd = real_open(path.c_str(), flags & ~O_TRUNC, mode);
    disk()->open_existing(fd, path);
    if (fd >= 0 && ::ftruncate(fd, 0) != 0) {
        const int error = errno;
        ::close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

int open_any(const char* path, int flags, mode_t mode) {
    if (disk() != nullptr && path != nullptr)
        if (const auto name = whole(path); disk()->watches(name)) return open_watched(name, flags, mode);
    return real_open(path, flags, mode);
}

mode_t mode_in(int flags, va_list arguments) {
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

File* watched(int fd) { return disk() == nullptr ? nullptr : disk()->file(fd); }

ssize_t pwrite_any(int fd, const void* bytes, std::size_t size, off_t at) {
    auto* const file = watched(fd);
    if (file == nullptr) return real_pwrite(fd, bytes, size, at);
    return disk()->operate(writes, file, [&] {
        disk()->will_change(*file, at, at + static_cast<off_t>(size));
        return real_pwrite(fd, bytes, size, at);
    });
}

int truncate_any(int fd, off_t size) {
    auto* const file = watched(fd);
    if (file == nullptr) return real_truncate(fd, size);
    return disk()->operate(sizes, file, [&] {
        disk()->will_truncate(*file, size);
        return real_truncate(fd, size);
    });
}

int allocate_any(int fd, off_t from, off_t size) {
    static const auto call = real<int(int, off_t, off_t)>("posix_fallocate64");
    auto* const file = watched(fd);
    if (file == nullptr) return call(fd, from, size);
    // This one returns its error.
    const int result = disk()->operate(sizes, file, [&] { return call(fd, from, size); });
    return result < 0 ? errno : result;
}

/// The process alone is to lose what is not synced, not this machine: nothing is really synced.
int sync_any(int fd, const char* name) {
    if (auto* const file = watched(fd)) {
        return disk()->operate(syncs, file, [&] {
            disk()->synced(*file);
            return 0;
        });
    }
    const auto folder = disk() == nullptr ? std::string{} : disk()->folder(fd);
    if (!folder.empty())
        return disk()->operate(syncs, nullptr, [&] {
            disk()->folder_synced(folder);
            return 0;
        });
    return real<int(int)>(name)(fd);
}

int unlink_any(const char* path, int (*call)(const char*)) {
    const auto name = disk() == nullptr ? std::string{} : whole(path);
    struct stat before {};
    if (name.empty() || !disk()->watches(name) || ::lstat(path, &before) != 0 || S_ISDIR(before.st_mode))
        return call(path);
    return disk()->operate(names, nullptr, [&] {
        const auto grave = name.ends_with("-shm") ? std::string{} : disk()->bury(name);
        const int result = call(path);
        if (result == 0 && !grave.empty())
            disk()->changed_name({NameChange::removed, parent(name), name, {}, grave});
        return result;
    });
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = mode_in(flags, arguments);
    va_end(arguments);
    return open_any(path, flags, mode);
}

int open64(const char* path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = mode_in(flags, arguments);
    va_end(arguments);
    return open_any(path, flags, mode);
}

int close(int fd) {
    static const auto call = real<int(int)>("close");
    if (disk() != nullptr) disk()->closed(fd);
    return call(fd);
}

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) { return pwrite_any(fd, bytes, size, at); }
ssize_t pwrite64(int fd, const void* bytes, size_t size, off_t at) { return pwrite_any(fd, bytes, size, at); }

ssize_t write(int fd, const void* bytes, size_t size) {
    static const auto call = real<ssize_t(int, const void*, size_t)>("write");
    auto* const file = watched(fd);
    if (file == nullptr) return call(fd, bytes, size);
    return disk()->operate(writes, file, [&] {
        const off_t at = ::lseek(fd, 0, SEEK_CUR);
        disk()->will_change(*file, at, at + static_cast<off_t>(size));
        return call(fd, bytes, size);
    });
}

int ftruncate(int fd, off_t size) noexcept { return truncate_any(fd, size); }
int ftruncate64(int fd, off_t size) noexcept { return truncate_any(fd, size); }
int posix_fallocate(int fd, off_t from, off_t size) { return allocate_any(fd, from, size); }
int posix_fallocate64(int fd, off_t from, off_t size) { return allocate_any(fd, from, size); }
int fsync(int fd) { return sync_any(fd, "fsync"); }
int fdatasync(int fd) { return sync_any(fd, "fdatasync"); }

int unlink(const char* path) noexcept { return unlink_any(path, real_unlink); }
int remove(const char* path) noexcept {
    static const auto call = real<int(const char*)>("remove");
    return unlink_any(path, call);
}

int rename(const char* from, const char* to) noexcept {
    const auto source = disk() == nullptr ? std::string{} : whole(from);
    const auto target = source.empty() ? std::string{} : whole(to);
    if (target.empty() || !disk()->watches(target)) return real_rename(from, to);
    return disk()->operate(names, nullptr, [&] {
        const auto grave = disk()->bury(target);
        const int result = real_rename(from, to);
        if (result == 0) disk()->changed_name({NameChange::renamed, parent(target), source, target, grave});
        return result;
    });
}

int mkdir(const char* path, mode_t mode) noexcept {
    const auto name = disk() == nullptr ? std::string{} : whole(path);
    struct stat before {};
    if (name.empty() || !disk()->watches(name) || ::stat(path, &before) == 0) return real_mkdir(path, mode);
    return disk()->operate(names, nullptr, [&] {
        const int result = real_mkdir(path, mode);
        if (result == 0) disk()->changed_name({NameChange::made_folder, parent(name), name, {}, {}});
        return result;
    });
}

__attribute__((destructor)) void end_of_process() {
    if (disk() != nullptr) disk()->end();
}
}
