/// flagpost-signer: holds the log's key and what it signed last, apart from the broker.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>

#include "broker/app/config.h"
#include "broker/app/json_log.h"
#include "broker/app/signals.h"
#include "broker/app/signer_link.h"
#include "broker/app/signing.h"
#include "broker/crypto/private_file.h"
#include "broker/store/disk.h"
#include "broker/store/durable_file.h"

namespace {

using namespace flagpost;

void run_signer(const std::filesystem::path& file) {
    const app::Signals signals;
    const auto config = app::load_signer_config(file);
    store::make_folder_durably(config.state.parent_path());
    const store::FileLock alone{config.state.string() + "-lock"};
    auto signer = app::load_signer(config.keys, config.state);
    if (std::puts("ready") < 0 || std::fflush(stdout) != 0)
        throw std::runtime_error{"stdout: cannot be written"};
    app::serve_signing(config.socket, signer, signals.fd());
}

}  // namespace

int main(int argc, char** argv) {
    crypto::forbid_core_files();
    app::log_as_json();
    CLI::App program{"Flagpost's signer: signs heads of the log, and never two that contradict each other."};
    program.require_subcommand(1);
    program.set_version_flag("--version", FLAGPOST_VERSION);
    std::filesystem::path config;
    auto* run = program.add_subcommand("run", "sign until SIGTERM");
    run->add_option("--config", config, "the signer's config file")->required()->check(CLI::ExistingFile);
    run->callback([&] { run_signer(config); });
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return program.exit(error) == 0 ? 0 : 2;
    } catch (const std::exception& error) {
        std::cerr << "flagpost-signer: " << error.what() << "\n";
        return 1;
    }
    return 0;
}
