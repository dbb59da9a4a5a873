/// flagpost-gate: the TLS edge as a process of its own, so that the TLS key lives nowhere else.
#include <CLI/CLI.hpp>
#include <iostream>

#include "broker/app/config.h"
#include "broker/app/json_log.h"
#include "broker/crypto/keys.h"
#include "broker/crypto/private_file.h"
#include "broker/gate/gate.h"

namespace {

using namespace flagpost;

void run_gate(const std::filesystem::path& file) {
    const auto config = app::load_gate_config(file);
    gate::GateConfig gate;
    gate.host = config.listen.host;
    gate.port = config.listen.port;
    gate.tls = config.tls;
    gate.partnership = config.partnership;
    gate.fabric_endpoint = config.fabric.endpoint;
    gate.fabric_key = crypto::load_symmetric_key(config.fabric.key);
    SystemClock clock;
    crypto::SystemRandom random;
    gate::run_gate(std::move(gate), clock, random);
}

}  // namespace

int main(int argc, char** argv) {
    crypto::forbid_core_files();
    app::log_as_json();
    CLI::App program{"Flagpost's gate: TLS and ZMTP outside, the broker's fabric inside."};
    program.require_subcommand(1);
    program.set_version_flag("--version", FLAGPOST_VERSION);
    std::filesystem::path config;
    auto* run = program.add_subcommand("run", "serve until SIGTERM; SIGHUP reads certificates anew");
    run->add_option("--config", config, "the gate's config file")->required()->check(CLI::ExistingFile);
    run->callback([&] { run_gate(config); });
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return program.exit(error) == 0 ? 0 : 2;
    } catch (const std::exception& error) {
        std::cerr << "flagpost-gate: " << error.what() << "\n";
        return 1;
    }
    return 0;
}
