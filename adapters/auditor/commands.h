/// The commands of flagpost-audit; each answers with its exit code.
#pragma once

#include <filesystem>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <vector>

#include "adapters/client/new_log_key.h"
#include "broker/log/policy.h"

namespace flagpost::auditor {

/// What the caller typed, or the policy it named, makes no sense.
class WrongUsage : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// What was typed; what a command does not take is empty.
struct Typed {
    std::filesystem::path config;
    std::filesystem::path directory;  // of the export
    std::filesystem::path policy, vkey;
    std::filesystem::path key;  // the auditor's own, that opens a sealed export
    std::filesystem::path for_key;
    std::filesystem::path out, leaf, file;
    std::string scope, reason;
    std::string from, to, agency, subject, incident;
    std::vector<std::string> people;
    std::string family_name, born;
    std::uint64_t index = 0;
    std::string witness_url;
    std::vector<std::filesystem::path> notices;  // of serve: what authorities counted
    std::string listen;                          // of serve: "127.0.0.1:8443"
    std::string name, called;                    // of somebody who is to sign in
    std::string by;                              // who adds them
    unsigned every_s = 0;                        // 0: once
    client::NewLogKey new_key;
    bool sealed = false, json = false, signatures = false;
};

/// The policy or key named on the command line. Throws WrongUsage.
log::Policy trusted_by(const Typed& typed);

/// Throws WrongUsage for a reason that is more than a reference of a case: the log shows it.
void require_reason(const Typed& typed);

int run_export(const Typed& typed, std::ostream& out);
int run_tell_readings(const Typed& typed, std::ostream& out);
int run_carry(const Typed& typed, std::ostream& out);
int run_new_log_key(const Typed& typed, std::ostream& out);
int run_verify(const Typed& typed, std::ostream& out);
int run_prove(const Typed& typed, std::ostream& out);
int run_check(const Typed& typed, std::ostream& out);
int run_replay(const Typed& typed, std::ostream& out);
int run_complete(const Typed& typed, std::ostream& out);
int run_decisions(const Typed& typed, std::ostream& out);
int run_explain(const Typed& typed, std::ostream& out);
int run_subject(const Typed& typed, std::ostream& out);
int run_release(const Typed& typed, std::ostream& out);

}  // namespace flagpost::auditor
