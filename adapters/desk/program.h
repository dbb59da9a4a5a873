/// How a program of several commands parses its arguments, runs one and ends: 0 all well, 1 a problem, 2 wrong usage.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <functional>
#include <string>

namespace flagpost::desk {

class Program {
public:
    /// With --config FILE, --json and --version, which may stand before or after the command.
    Program(const std::string& name, const std::string& description);

    CLI::App& app() { return app_; }
    enum class Needs { config, nothing };
    /// A command that runs `action`, which answers with the exit code.
    CLI::App* command(CLI::App* parent, const std::string& name, const std::string& description,
                      std::function<int()> action, Needs needs = Needs::config);
    /// A word that needs a command behind it, such as `inbox`.
    CLI::App* group(const std::string& name, const std::string& description);

    const std::filesystem::path& config() const { return config_; }
    const bool& json() const { return json_; }

    int run(int argc, char** argv);

private:
    CLI::App app_;
    std::filesystem::path config_;
    bool json_ = false;
    std::function<int()> action_;
};

}  // namespace flagpost::desk
