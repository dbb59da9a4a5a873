/// flagpost-audit: takes the log away from the broker and checks it without the broker.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "adapters/auditor/commands.h"

using namespace flagpost;
namespace fs = std::filesystem;

int main(int argc, char** argv) {
    CLI::App app{"Takes the log away from the broker and checks it without the broker.", "flagpost-audit"};
    app.require_subcommand(1);
    app.set_version_flag("--version", "flagpost-audit " FLAGPOST_VERSION);
    app.footer("Exit codes: 0 all well, 1 something is damaged, open or went wrong, 2 wrong usage.");

    fs::path config, directory, policy, vkey;
    std::string from, to, agency;
    bool json = false;
    std::function<int()> action;

    auto* exporting = app.add_subcommand(
        "export", "Fetch the log as it stands at the newest signed head, into a new folder.");
    exporting->add_option("--config", config, "config file of the auditor (TOML)")
        ->required()
        ->check(CLI::ExistingFile);
    exporting->add_option("DIR", directory, "the folder to make")->required();
    exporting->callback([&] { action = [&] { return auditor::run_export(config, directory, std::cout); }; });

    auto* verifying = app.add_subcommand(
        "verify",
        "Check every byte of an export against the head the log signed; needs no network.\n"
        "Trusts only the policy or key given here, which must not come with the export.");
    verifying->add_option("DIR", directory, "the export")->required()->check(CLI::ExistingDirectory);
    auto* trust = verifying->add_option_group("trust");
    trust->add_option("--policy", policy, "trust policy: C2SP tlog-policy, lines log, witness, group, quorum")
        ->check(CLI::ExistingFile);
    trust->add_option("--vkey", vkey, "the log's verifier key")->check(CLI::ExistingFile);
    trust->require_option(1);
    verifying->add_flag("--json", json, "answer in JSON");
    verifying->callback(
        [&] { action = [&] { return auditor::run_verify(directory, policy, vkey, json, std::cout); }; });

    auto* replaying = app.add_subcommand("replay", "Tell what happened, one line an entry. Verify first.");
    replaying->add_option("DIR", directory, "the export")->required()->check(CLI::ExistingDirectory);
    replaying->add_option("--from", from, "from this time on: 2026-03-02 or 2026-03-02T21:40:12, UTC");
    replaying->add_option("--to", to, "before this time");
    replaying->add_option("--agency", agency, "only what this agency did or was owed, such as school/122802");
    replaying->add_flag("--json", json, "one JSON object a line");
    replaying->callback(
        [&] { action = [&] { return auditor::run_replay(directory, from, to, agency, json, std::cout); }; });

    auto* completing = app.add_subcommand(
        "complete",
        "List the notices owed that nobody has closed. Verify first. Exit code 1 if there are any.");
    completing->add_option("DIR", directory, "the export")->required()->check(CLI::ExistingDirectory);
    completing->add_flag("--json", json, "answer in JSON");
    completing->callback([&] { action = [&] { return auditor::run_complete(directory, json, std::cout); }; });

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    spdlog::set_default_logger(spdlog::stderr_logger_mt("flagpost-audit"));
    try {
        return action();
    } catch (const auditor::WrongUsage& error) {
        std::cerr << "flagpost-audit: " << error.what() << "\n";
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "flagpost-audit: " << error.what() << "\n";
        return 1;
    }
}
