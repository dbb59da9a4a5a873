#include "adapters/desk/rejects.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace flagpost::desk {
namespace {

constexpr std::size_t row_size_max = 64 * 1024;  // of a row kept in the file

class Descriptor {
public:
    Descriptor(const std::filesystem::path& path, int flags, unsigned mode = 0600)
        : fd_{::open(path.c_str(), flags | O_CLOEXEC, mode)} {
        if (fd_ < 0) throw std::system_error{errno, std::generic_category(), "cannot open " + path.string()};
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { ::close(fd_); }

    void write(std::string_view content, const std::filesystem::path& path) const {
        while (!content.empty()) {
            const auto written = ::write(fd_, content.data(), content.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0)
                throw std::system_error{errno, std::generic_category(), "cannot write " + path.string()};
            content.remove_prefix(static_cast<std::size_t>(written));
        }
    }
    void sync(const std::filesystem::path& path) const {
        if (::fsync(fd_) != 0)
            throw std::system_error{errno, std::generic_category(), "cannot make durable " + path.string()};
    }

private:
    int fd_;
};

}  // namespace

std::string csv_cell(std::string_view cell) {
    std::string out = "\"";
    for (const char c : cell) {
        if (c == '"') out += '"';
        out += c;
    }
    return out + "\"";
}

void write_rejects(const std::filesystem::path& file, std::vector<Reject> rejects) {
    if (rejects.empty()) {
        std::error_code absent;
        std::filesystem::remove(file, absent);
        return;
    }
    std::ranges::stable_sort(rejects, {}, &Reject::line);
    std::string content = "line,result,reason,row\n";
    for (const Reject& reject : rejects)
        content += std::to_string(reject.line) + (reject.used ? ",used," : ",rejected,") +
                   csv_cell(reject.reason) + "," +
                   csv_cell(std::string_view{reject.row}.substr(0, row_size_max)) + "\n";
    write_whole(file, content);
}

Lines::Lines(std::string_view text) : text_{text} {
    std::size_t at = 0;
    while (at < text.size()) {
        begins_.push_back(at);
        at = text.find_first_of("\r\n", at);
        if (at == std::string_view::npos) break;
        at += text.substr(at).starts_with("\r\n") ? 2 : 1;
    }
}

std::string_view Lines::from(std::uint64_t line, std::uint64_t next) const {
    if (line == 0 || line > begins_.size()) return {};
    const std::size_t begin = begins_[line - 1];
    const std::size_t end = next == 0 || next > begins_.size() ? text_.size() : begins_[next - 1];
    std::string_view row = text_.substr(begin, end - begin);
    while (row.ends_with('\n') || row.ends_with('\r')) row.remove_suffix(1);
    return row;
}

void write_whole(const std::filesystem::path& file, const std::string& content, unsigned mode) {
    const auto unfinished = file.parent_path() / ("." + file.filename().string() + ".tmp");
    std::error_code absent;
    std::filesystem::remove(unfinished, absent);
    {
        const Descriptor descriptor{unfinished, O_WRONLY | O_CREAT | O_EXCL, mode};
        descriptor.write(content, unfinished);
        descriptor.sync(unfinished);
    }
    std::filesystem::rename(unfinished, file);
    sync_directory(file.parent_path());
}

void sync_directory(const std::filesystem::path& directory) {
    const Descriptor descriptor{directory.empty() ? "." : directory, O_RDONLY | O_DIRECTORY};
    descriptor.sync(directory);
}

}  // namespace flagpost::desk
