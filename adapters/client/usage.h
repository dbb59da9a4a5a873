/// What programs say to a command line that they cannot use.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace flagpost::client {

/// In place of CLI::FailureMessage::simple, which of a misspelt command says only that a command is required.
inline std::string usage_fault(const CLI::App* app, const CLI::Error& error) {
    const auto unknown = app->remaining(true);
    if (unknown.empty() || error.get_name() != "RequiredError")
        return CLI::FailureMessage::simple(app, error);
    return "There is no command or option \"" + unknown.front() +
           "\" here.\nRun with --help for more information.\n";
}

}  // namespace flagpost::client
