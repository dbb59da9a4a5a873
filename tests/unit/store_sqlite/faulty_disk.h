/// A disk that fails at the n-th write, sync or truncation: a SQLite VFS in front of the real one.
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <stdexcept>

namespace flagpost::test {

/// While one exists, every database opened uses it. One at a time, one thread.
class FaultyDisk {
public:
    enum class Fault {
        lost,  // nothing of the operation happens, and an error is reported
        kept,  // it happens whole, and an error is reported all the same
        torn,  // half of a write happens, and an error is reported
        full,  // as lost, but the disk says that it is full
        index  // as full, met only where the WAL's index has to grow
    };

    FaultyDisk() : real_{sqlite3_vfs_find(nullptr)}, vfs_{*real_} {
        vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
        vfs_.zName = "faulty";
        vfs_.pNext = nullptr;
        vfs_.xOpen = open;
        vfs_.pAppData = this;
        if (sqlite3_vfs_register(&vfs_, 1) != SQLITE_OK) throw std::runtime_error{"vfs"};
    }
    FaultyDisk(const FaultyDisk&) = delete;
    FaultyDisk& operator=(const FaultyDisk&) = delete;
    ~FaultyDisk() {
        sqlite3_vfs_unregister(&vfs_);
        sqlite3_vfs_register(real_, 1);
    }

    /// After this many good operations every one fails, as of a disk that has gone.
    void fail_after(int good, Fault fault) {
        good_left_ = good;
        fault_ = fault;
        failing_ = false;
    }
    /// From now on nothing fails.
    void mend() { fail_after(-1, Fault::lost); }
    /// A full disk has room again once this file is gone.
    void mend_once_gone(std::filesystem::path file) { room_ = std::move(file); }
    /// Whether the fault has been met.
    bool failed() const { return failing_; }

private:
    struct File {
        sqlite3_file base;
        FaultyDisk* disk;
        sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
    };

    /// Whether the operation that is about to start has to fail.
    bool fails(bool growing_index) {
        if (good_left_ < 0 || (fault_ == Fault::index) != growing_index) return false;
        if (!room_.empty() && !std::filesystem::exists(room_)) {
            good_left_ = -1;
            room_.clear();
            return false;
        }
        if (good_left_ > 0) {
            --good_left_;
            return false;
        }
        failing_ = true;
        return true;
    }

    template <class Operation> int operate(Operation operation, int error) {
        if (!fails(error == SQLITE_IOERR_SHMSIZE)) return operation();
        if (fault_ == Fault::full) return SQLITE_FULL;
        if (fault_ == Fault::kept) operation();
        return error;
    }

    static File* file(sqlite3_file* handle) { return reinterpret_cast<File*>(handle); }
    static sqlite3_file* real(sqlite3_file* handle) { return file(handle)->real(); }

    static int write(sqlite3_file* handle, const void* bytes, int size, sqlite3_int64 at) {
        auto* disk = file(handle)->disk;
        const auto write_some = [&](int some) {
            return real(handle)->pMethods->xWrite(real(handle), bytes, some, at);
        };
        if (disk->good_left_ == 0 && disk->fault_ == Fault::torn) write_some(size / 2);
        return disk->operate([&] { return write_some(size); }, SQLITE_IOERR_WRITE);
    }
    static int sync(sqlite3_file* handle, int flags) {
        return file(handle)->disk->operate([&] { return real(handle)->pMethods->xSync(real(handle), flags); },
                                           SQLITE_IOERR_FSYNC);
    }
    static int truncate(sqlite3_file* handle, sqlite3_int64 size) {
        return file(handle)->disk->operate(
            [&] { return real(handle)->pMethods->xTruncate(real(handle), size); }, SQLITE_IOERR_TRUNCATE);
    }

    static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* handle, int flags, int* out_flags) {
        auto* disk = static_cast<FaultyDisk*>(vfs->pAppData);
        auto* opened = file(handle);
        opened->disk = disk;
        const int result = disk->real_->xOpen(disk->real_, name, opened->real(), flags, out_flags);
        opened->base.pMethods = opened->real()->pMethods == nullptr ? nullptr : methods();
        return result;
    }

    /// The real file's operations behind ours.
    static const sqlite3_io_methods* methods() {
        static const sqlite3_io_methods all = [] {
            sqlite3_io_methods made{};
            made.iVersion = 2;
            made.xClose = [](sqlite3_file* f) { return real(f)->pMethods->xClose(real(f)); };
            made.xRead = [](sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
                return real(f)->pMethods->xRead(real(f), to, size, at);
            };
            made.xWrite = write;
            made.xTruncate = truncate;
            made.xSync = sync;
            made.xFileSize = [](sqlite3_file* f, sqlite3_int64* size) {
                return real(f)->pMethods->xFileSize(real(f), size);
            };
            made.xLock = [](sqlite3_file* f, int lock) { return real(f)->pMethods->xLock(real(f), lock); };
            made.xUnlock = [](sqlite3_file* f, int lock) {
                return real(f)->pMethods->xUnlock(real(f), lock);
            };
            made.xCheckReservedLock = [](sqlite3_file* f, int* held) {
                return real(f)->pMethods->xCheckReservedLock(real(f), held);
            };
            made.xFileControl = [](sqlite3_file* f, int what, void* with) {
                return real(f)->pMethods->xFileControl(real(f), what, with);
            };
            made.xSectorSize = [](sqlite3_file* f) { return real(f)->pMethods->xSectorSize(real(f)); };
            made.xDeviceCharacteristics = [](sqlite3_file* f) {
                return real(f)->pMethods->xDeviceCharacteristics(real(f));
            };
            made.xShmMap = [](sqlite3_file* f, int page, int size, int extend, void volatile** at) {
                const auto map = [&](int may_extend) {
                    return real(f)->pMethods->xShmMap(real(f), page, size, may_extend, at);
                };
                if (const int found = map(0); extend == 0 || found != SQLITE_OK || *at != nullptr)
                    return found;
                return file(f)->disk->operate([&] { return map(extend); }, SQLITE_IOERR_SHMSIZE);
            };
            made.xShmLock = [](sqlite3_file* f, int offset, int n, int flags) {
                return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
            };
            made.xShmBarrier = [](sqlite3_file* f) { real(f)->pMethods->xShmBarrier(real(f)); };
            made.xShmUnmap = [](sqlite3_file* f, int erase) {
                return real(f)->pMethods->xShmUnmap(real(f), erase);
            };
            return made;
        }();
        return &all;
    }

    sqlite3_vfs* real_;
    sqlite3_vfs vfs_;
    int good_left_ = -1;
    Fault fault_ = Fault::lost;
    bool failing_ = false;
    std::filesystem::path room_;
};

}  // namespace flagpost::test
