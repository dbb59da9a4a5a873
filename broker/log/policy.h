/// Whom a verifier trusts: the trust policy of C2SP tlog-policy, handed over out of band, never by the broker.
///
/// Whoever can write a verifier's policy file decides which logs it believes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/log/note.h"

namespace flagpost::log {

class Policy {
public:
    /// Lines `log <vkey> [<url>]`, `witness <name> <vkey> [<url>]`, `group <name> <k|any|all> <name>...` and exactly
    /// one `quorum <name|none>`; empty lines and lines beginning with '#' are passed over. A refusal names the line.
    static Result<Policy> parse(std::string_view text);
    /// One log, no witnesses.
    static Policy of_log(VerifierKey log);

    struct Judged {
        Checkpoint head;
        std::vector<std::string> witnesses;  // names, by this policy, of those whose cosignature is on it
    };
    /// A head signed by one of the logs and cosigned by a quorum. Refused as bad_signature when no log signed it, when
    /// the line of any log or witness named here fails, or when the witnesses do not make the quorum.
    Result<Judged> judge(std::string_view note) const;

    std::size_t witness_count() const;
    std::vector<std::string> witness_names() const;  // in the policy's order
    bool trusts(const VerifierKey& log) const;

private:
    /// A witness has a key; a group has members, places before its own.
    struct Member {
        std::string name;
        std::optional<VerifierKey> key;
        std::size_t threshold = 1;
        std::vector<std::size_t> members;
    };
    struct Reading;

    std::vector<VerifierKey> logs_;
    std::vector<Member> members_;
    std::optional<std::size_t> quorum_;  // nothing: `none`
};

}  // namespace flagpost::log
