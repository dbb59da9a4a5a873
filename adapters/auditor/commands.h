/// The commands of flagpost-audit; each answers with its exit code.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <stdexcept>
#include <string>

namespace flagpost::auditor {

/// What the caller typed, or the policy it named, makes no sense.
class WrongUsage : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

int run_export(const std::filesystem::path& config, const std::filesystem::path& directory,
               std::ostream& out);

/// policy, vkey   one of them is empty
int run_verify(const std::filesystem::path& directory, const std::filesystem::path& policy,
               const std::filesystem::path& vkey, bool json, std::ostream& out);

/// from, to, agency   empty: no bound
int run_replay(const std::filesystem::path& directory, const std::string& from, const std::string& to,
               const std::string& agency, bool json, std::ostream& out);

int run_complete(const std::filesystem::path& directory, bool json, std::ostream& out);

}  // namespace flagpost::auditor
