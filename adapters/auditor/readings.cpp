#include "adapters/auditor/readings.h"

#include <fcntl.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "adapters/auditor/layout.h"
#include "adapters/auditor/replay.h"
#include "broker/core/clock.h"
#include "broker/core/limits.h"
#include "broker/log/reference.h"

namespace flagpost::auditor {
namespace {

namespace fs = std::filesystem;

std::string text_in(const nlohmann::json& line, const char* name, std::size_t most) {
    if (!line.is_object() || !line.contains(name) || !line[name].is_string()) return "";
    return line[name].get<std::string>().substr(0, most);
}

}  // namespace

void note_reading(const fs::path& directory, const std::string& read, const std::string& why,
                  const std::string& user) {
    const auto file = beside(directory, ".readings");
    SystemClock clock;
    const auto line =
        nlohmann::ordered_json{
            {"time", time_text(clock.now())                                                          },
            {"user", user.empty() ? nlohmann::ordered_json(::getuid()) : nlohmann::ordered_json(user)},
            {"read", read                                                                            },
            {"why",  why                                                                             },
    }
            .dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) +
        "\n";
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const bool written = fd >= 0 &&
                         ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
                         ::fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    if (!written) throw std::runtime_error{file.string() + ": cannot be written, and so nothing is shown"};
}

std::size_t tell_readings(const fs::path& directory,
                          const std::function<void(const std::string&, const std::string&)>& tell) {
    const auto mark = beside(directory, ".readings.told");
    std::size_t told = 0;
    std::ifstream{mark} >> told;
    std::ifstream in{beside(directory, ".readings")};
    std::size_t number = 0, now = 0;
    for (std::string line; std::getline(in, line); ++number) {
        if (number < told) continue;
        const auto json = nlohmann::json::parse(line, nullptr, false);
        const auto why = text_in(json, "why", limits::name_size_max);
        tell(text_in(json, "time", 20) + " " + text_in(json, "read", 64), why.empty() ? "not_given"
                                                                          : log::is_reference(why)
                                                                              ? why
                                                                              : "in_words");
        std::ofstream{mark, std::ios::trunc} << number + 1 << "\n";
        ++now;
    }
    return now;
}

Readings readings_of(const fs::path& directory) {
    Readings readings;
    std::ifstream{beside(directory, ".readings.told")} >> readings.told;
    std::ifstream in{beside(directory, ".readings")};
    for (std::string line; std::getline(in, line);) ++readings.made;
    return readings;
}

}  // namespace flagpost::auditor
