#include "adapters/desk/program.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <iostream>

#include "adapters/client/data_file.h"
#include "adapters/client/usage.h"
#include "broker/crypto/private_file.h"

namespace flagpost::desk {

Program::Program(const std::string& name, const std::string& description) : app_{description, name} {
    app_.fallthrough();
    app_.failure_message(client::usage_fault);
    app_.require_subcommand(1);
    app_.set_version_flag("--version", name + " " FLAGPOST_VERSION);
    app_.add_option("--config", config_, "config file of this agency (TOML)")->check(CLI::ExistingFile);
    app_.add_flag("--json", json_, "answer in JSON");
    app_.footer(
        "--config FILE is the config file of this agency; --json answers in JSON.\nExit "
        "codes: 0 all well, 1 a problem (said on stderr), 2 wrong usage.");
}

CLI::App* Program::command(CLI::App* parent, const std::string& name, const std::string& description,
                           std::function<int()> action, Needs needs) {
    CLI::App* added = parent->add_subcommand(name, description);
    added->callback([this, action = std::move(action), needs] {
        if (needs == Needs::config && config_.empty()) throw CLI::RequiredError{"--config"};
        action_ = action;
    });
    return added;
}

CLI::App* Program::group(const std::string& name, const std::string& description) {
    CLI::App* added = app_.add_subcommand(name, description);
    added->require_subcommand(1);
    return added;
}

int Program::run(int argc, char** argv) {
    crypto::forbid_core_files();
    try {
        app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app_.exit(error) == 0 ? 0 : 2;
    }
    spdlog::set_default_logger(spdlog::stderr_logger_mt(app_.get_name()));
    try {
        return action_();
    } catch (const SQLite::Exception& error) {  // what was found only after it was opened
        std::cerr << app_.get_name() << ": a data file of " << config_.string() << ": " << error.what()
                  << client::what_to_do(error) << "\n";
        return 1;
    } catch (const std::exception& error) {
        std::cerr << app_.get_name() << ": " << error.what() << "\n";
        return 1;
    }
}

}  // namespace flagpost::desk
