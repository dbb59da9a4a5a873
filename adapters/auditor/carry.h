/// Carries heads of the log to a witness outside the partnership and brings its cosignatures back.
///
/// The witness believes nobody: it keeps the last head it saw and wants a proof that the next one continues it. Neither do
/// we believe the witness: its answer counts only by its signature.
#pragma once

#include <functional>
#include <optional>
#include <stdexcept>

#include "adapters/client/agent.h"
#include "broker/log/add_checkpoint.h"

namespace flagpost::auditor {

/// The witness has seen another history of this log, or more of it than the broker now shows.
class WitnessAlarm : public std::runtime_error {
public:
    WitnessAlarm(const std::string& what, std::string kept)
        : std::runtime_error{what}, evidence{std::move(kept)} {}
    std::string evidence;  // what was sent and what was answered, word for word
};

struct HttpAnswer {
    int status;
    std::string body;
};

class Carrier {
public:
    struct Ways {
        /// Posts this body to the witness's add-checkpoint; nothing if it could not be reached.
        std::function<std::optional<HttpAnswer>(const std::string& body)> post;
        /// consistency_proof(old_size, size) of the broker's log.
        std::function<std::vector<Digest>(std::uint64_t old_size, std::uint64_t size)> prove;
        /// The head the broker shows its witnesses now: all of them cosign the same one, so that it gets many cosignatures.
        std::function<std::string()> shown;
        /// The broker's newest signed head.
        std::function<std::string()> newest;
    };
    Carrier(log::VerifierKey log, log::VerifierKey witness, Ways ways)
        : log_{std::move(log)}, witness_{std::move(witness)}, ways_{std::move(ways)} {}

    /// The head shown, cosigned; refused as busy if that may be tried again later. Throws WitnessAlarm, LogAlarm if the
    /// broker's head is not signed by the log's key, and what the ways throw.
    Result<std::string> carry();

private:
    log::Checkpoint opened(const std::string& head) const;
    Result<std::string> ask(const std::string& head, const log::Checkpoint& checkpoint);

    log::VerifierKey log_, witness_;
    Ways ways_;
    std::uint64_t last_ = 0;  // the size of the head the witness saw last, as far as we know
};

}  // namespace flagpost::auditor
