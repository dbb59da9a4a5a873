#include "adapters/client/new_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <stdexcept>

namespace flagpost::client {

void write_new(const std::filesystem::path& file, BytesView content) {
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) throw std::runtime_error{file.string() + ": exists already, or cannot be made"};
    std::size_t done = 0;
    while (done < content.size()) {
        const auto written = ::write(fd, content.data() + done, content.size() - done);
        if (written <= 0) break;
        done += static_cast<std::size_t>(written);
    }
    const bool synced = ::fsync(fd) == 0;
    const bool kept = ::close(fd) == 0 && synced && done == content.size();
    const auto folder = file.parent_path();
    const int directory = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool named = directory >= 0 && ::fsync(directory) == 0;
    if (directory >= 0) ::close(directory);
    if (!kept || !named) throw std::runtime_error{file.string() + ": cannot be written"};
}

}  // namespace flagpost::client
