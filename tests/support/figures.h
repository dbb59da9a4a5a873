/// Figures of tests, as tests/support/figures.py: printed, and kept in build/test-figures.json.
#pragma once

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

namespace flagpost::tests {

/// figure("T44", {{"seeds", 1000}, {"failing", 0}})
/// Outside ctest, which names the build folder, it is only printed.
inline void figure(const std::string& test, const nlohmann::json& values) {
    std::cout << "figure: " << test << ' ' << values.dump() << std::endl;
    const char* const build = std::getenv("FLAGPOST_BUILD");
    if (build == nullptr) return;
    const std::filesystem::path file = std::filesystem::path{build} / "test-figures.json";
    const std::filesystem::path lock_file = std::filesystem::path{build} / "test-figures.lock";
    const int lock = ::open(lock_file.c_str(), O_CREAT | O_CLOEXEC | O_WRONLY, 0600);
    ::flock(lock, LOCK_EX);  // tests may run side by side
    auto figures = nlohmann::json::object();
    if (std::filesystem::exists(file)) figures = nlohmann::json::parse(std::ifstream{file});
    figures[test].update(values);
    const std::filesystem::path fresh = file.string() + ".new";
    std::ofstream{fresh} << figures.dump(1) << '\n';
    std::filesystem::rename(fresh, file);
    ::close(lock);
}

}  // namespace flagpost::tests
