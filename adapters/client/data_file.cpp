#include "adapters/client/data_file.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace flagpost::client {

std::string private_file(const std::filesystem::path& file) {
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0 || ::fchmod(fd, S_IRUSR | S_IWUSR) != 0) {
        const int error = errno;
        if (fd >= 0) ::close(fd);
        throw std::system_error{error, std::generic_category(), "cannot open " + file.string()};
    }
    ::close(fd);
    return file.string();
}

int version_of(SQLite::Database& db, const std::filesystem::path& file, int newest) {
    const int version = db.execAndGet("PRAGMA user_version").getInt();
    if (version == 0 && db.execAndGet("SELECT count(*) FROM sqlite_schema").getInt() != 0)
        throw std::runtime_error{file.string() + " holds another program's tables: name another file"};
    if (version < 0 || version > newest)
        throw std::runtime_error{file.string() + " was written by another version of this program"};
    return version;
}

void cannot_use(const std::filesystem::path& file, const SQLite::Exception& error) {
    throw std::runtime_error{file.string() + ": " + error.what() + what_to_do(error)};
}

std::string what_to_do(const SQLite::Exception& error) {
    switch (error.getErrorCode()) {
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
            return ". If another file was meant, name that one. If this one is damaged, keep it, and put a "
                   "copy of it back, or begin with a new one and ask the broker's operator what it lacks";
        case SQLITE_CANTOPEN:
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
            return ". This account must be able to write to it and to its folder";
        case SQLITE_FULL:
        case SQLITE_IOERR:
            return ". Look at the disk it lies on";
        default:
            return "";
    }
}

}  // namespace flagpost::client
