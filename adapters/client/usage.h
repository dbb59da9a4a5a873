/// What programs say to a command line that they cannot use.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace flagpost::client {

/// In place of CLI::FailureMessage::simple, which of a misspelt command says only that a command is required.
inline std::string usage_fault(const CLI::App* app, const CLI::Error& error) {
    const auto unknown = app->remaining(true);
    if (unknown.empty() || error.get_name() != "RequiredError")
        return CLI::FailureMessage::simple(app, error);
    return "There is no command or option \"" + unknown.front() +
           "\" here.\nRun with --help for more information.\n";
}

/// A validator of an option whose value is one of a few words, and in words where it is none.
inline CLI::Validator one_of(std::vector<std::string> known, const std::vector<std::string>& or_of = {}) {
    known.insert(known.end(), or_of.begin(), or_of.end());
    std::string names;
    for (const auto& each : known) names += (names.empty() ? "" : ", ") + each;
    const auto fault = [known = std::move(known), names](const std::string& given) {
        const bool is_known = std::find(known.begin(), known.end(), given) != known.end();
        return is_known ? std::string{} : "\"" + given + "\" is none of: " + names;
    };
    return CLI::Validator{[fault](std::string& given) { return fault(given); }, ""};
}

}  // namespace flagpost::client
